package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/streamd/streamd/engine"
)

// A status line is taken away before what scrolls above it, and drawn again below.
func TestScreen(t *testing.T) {
	var b bytes.Buffer
	s := &screen{w: &b}
	rows := &beside{s, &b}
	write := func(w interface{ Write([]byte) (int, error) }, x string) {
		if n, err := w.Write([]byte(x)); err != nil || n != len(x) {
			t.Fatal(n, err)
		}
	}
	step := func(what, want string) {
		t.Helper()
		if b.String() != want {
			t.Errorf("%s: got %q, want %q", what, b.String(), want)
		}
		b.Reset()
	}
	write(s, "one\n")
	step("without a line", "one\n")
	s.set("status")
	step("the line", "\r\x1b[Kstatus")
	write(s, "two\n")
	step("a log line", "\r\x1b[Ktwo\nstatus")
	write(rows, "+I[1]\n")
	step("a row on stdout", "\r\x1b[K+I[1]\nstatus")
	write(rows, "+I[1, ha")
	s.set("later")
	write(rows, "lf]\n")
	step("a row in two writes", "\r\x1b[K+I[1, half]\nlater")
	s.end()
	s.set("too late")
	write(s, "three\n")
	step("after the end", "\r\x1b[Kthree\n")
}

func TestStatusLine(t *testing.T) {
	at := time.Date(2026, 5, 4, 10, 0, 3, 0, time.UTC)
	wm := func(s string) int64 {
		w, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return w.UnixMicro()
	}
	seen := []sample{{engine.Stats{}, at.Add(-3 * time.Second)}, {engine.Stats{RowsIn: 60_000, RowsOut: 12, Watermark: wm("2026-05-04 10:00:01"),
		LastEpochMicros: at.Add(-time.Second / 2).UnixMicro(), Rejected: map[string]int64{"late t": 3, "decode t": 4}}, at}}
	for width, want := range map[int]string{
		119: "running · in 20.0k rows/s, out 4 · watermark 10:00:01 · checkpoint 0.5 s ago · 7 rows not used",
		79:  "running · in 20.0k rows/s, out 4 · checkpoint 0.5 s ago · 7 rows not used",
		59:  "running · in 20.0k rows/s, out 4 · 7 rows not used",
		39:  "running · 7 rows not used",
		5:   "runn…",
	} {
		got := statusLine("running", "", seen, width)
		if got != want || utf8.RuneCountInString(got) > width {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
	seen[1].Watermark, seen[1].Rejected = wm("2019-12-31 23:00:00"), nil
	if got := statusLine("restarting", "no broker", seen, 200); !strings.HasPrefix(got, "restarting: no broker · ") || !strings.Contains(got, "watermark 2019-12-31 23:00:00") {
		t.Errorf("another day, and a reason: %q", got)
	}
}
