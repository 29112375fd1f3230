package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/engine/enginetest"
)

// told takes the lines of a run apart: prices, last notification by hotel, and the
// table at the end.
func told(t *testing.T, out string) (prices []string, last, left map[string]string) {
	t.Helper()
	last, left = map[string]string{}, map[string]string{}
	price := regexp.MustCompile(`^\d\d:\d\d  (.*\S) +\d+ bookings a minute`)
	note := regexp.MustCompile(`^       (.{8}) (.*)$`)
	sum := regexp.MustCompile(`^(.{8}) +(-?\d+ of \d+)$`)
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		switch m := note.FindStringSubmatch(line); {
		case price.MatchString(line):
			prices = append(prices, line)
		case m != nil:
			last[strings.TrimSpace(m[1])] = m[2]
		case sum.MatchString(line):
			m := sum.FindStringSubmatch(line)
			left[strings.TrimSpace(m[1])] = m[2]
		case line != "" && line != "rooms left":
			t.Errorf("what is %q?", line)
		}
	}
	slices.Sort(prices)
	return prices, last, left
}

// wanted counts the first n bookings by hand.
func wanted(n int64) (prices []string, last, left map[string]string) {
	rooms, minutes := map[string]int64{}, map[string]int64{}
	for _, h := range hotels {
		rooms[h.name] = h.rooms
	}
	for i := range n {
		b := booking(i)
		if b.Cancelled {
			rooms[b.Hotel]++
			continue
		}
		rooms[b.Hotel]--
		minutes[b.TS.Truncate(time.Minute).Add(time.Minute).Format("15:04")+"  "+b.Hotel]++
	}
	for k, c := range minutes {
		at, name, _ := strings.Cut(k, "  ")
		h, _ := hotelOf(name)
		cents := float64(h.cents) * (20 + float64(c)) / 20
		prices = append(prices, fmt.Sprintf("%s  %-8s %2d bookings a minute: a room is %.2f now", at, name, c, cents/100))
	}
	slices.Sort(prices)
	last, left = map[string]string{}, map[string]string{}
	for _, h := range hotels {
		left[h.name] = fmt.Sprintf("%d of %d", rooms[h.name], h.rooms)
		switch n := rooms[h.name]; {
		case n < 0:
			last[h.name] = fmt.Sprintf("overbooked by %d", -n)
		case n == 0:
			last[h.name] = "full"
		case n == 1:
			last[h.name] = "only one room left"
		case n <= 3:
			last[h.name] = fmt.Sprintf("only %d rooms left", n)
		}
	}
	return prices, last, left
}

func compare(t *testing.T, out string, n int64) {
	t.Helper()
	prices, last, left := told(t, out)
	wantPrices, wantLast, wantLeft := wanted(n)
	if !slices.Equal(prices, wantPrices) {
		t.Errorf("prices\n got %s\nwant %s", strings.Join(prices, "\n     "), strings.Join(wantPrices, "\n     "))
	}
	if fmt.Sprint(left) != fmt.Sprint(wantLeft) {
		t.Errorf("rooms left %v, want %v", left, wantLeft)
	}
	for h, say := range wantLast {
		if last[h] != say {
			t.Errorf("%s: the last word was %q, want %q", h, last[h], say)
		}
	}
	if len(wantLast) == 0 {
		t.Error("nobody is warned: this tests little")
	}
}

// TestRun runs the program to its end.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-pace", "100us"}, &out); err != nil {
		t.Fatal(err)
	}
	compare(t, out.String(), 400)
}

// cancelling ends a context at the first line that is written.
type cancelling struct {
	bytes.Buffer
	cancel context.CancelFunc
}

func (c *cancelling) Write(p []byte) (int, error) {
	c.cancel()
	return c.Buffer.Write(p)
}

// TestGoesOn ends the program early and starts it again on its state: together
// both runs say what one would have said.
func TestGoesOn(t *testing.T) {
	args := []string{"-pace", "2ms", "-state", t.TempDir()}
	ctx, cancel := context.WithCancel(t.Context())
	first := &cancelling{cancel: cancel}
	if err := run(ctx, args, first); err != nil {
		t.Fatal(err)
	}
	begun, _, ok := strings.Cut(first.String(), "\nrooms left")
	if !ok || begun == "" {
		t.Fatalf("the first run said %s", first.String())
	}
	if n, _, _ := told(t, begun); len(n) >= 60 {
		t.Errorf("the first run was not ended early: %d prices", len(n))
	}
	var second bytes.Buffer
	if err := run(t.Context(), args, &second); err != nil {
		t.Fatal(err)
	}
	compare(t, begun+second.String(), 400)
}

// TestPipeline runs the queries alone, under a clock that stands still.
func TestPipeline(t *testing.T) {
	p := enginetest.New(t, "bookings.sql", pipeline, enginetest.Options{Workers: []int{2, 1}, Register: func(e *engine.Engine) error {
		return register(e, &board{}, 0, time.Second)
	}})
	p.Push("bookings", "(1, 'Riva', FALSE, '2026-06-01 09:00:10'), (2, 'Riva', FALSE, '2026-06-01 09:00:20'), (3, 'Bellevue', FALSE, '2026-06-01 09:00:30')")
	p.Want("availability", "('Riva', 55), ('Bellevue', 61)")
	p.Want("prices", "")
	p.Crash()
	p.Push("bookings", "(4, 'Riva', TRUE, '2026-06-01 09:00:40')")
	p.Want("availability", "('Riva', 56), ('Bellevue', 61)")
	p.Watermark("bookings", "2026-06-01 09:01:00")
	p.Want("prices", "('Riva', '2026-06-01 09:01:00', 2, 108.90), ('Bellevue', '2026-06-01 09:01:00', 1, 220.50)")
	p.Want("notifications", "")
	p.Push("bookings", "(5, 'Nowhere', FALSE, '2026-06-01 09:02:00')")
	p.WantError("SD6011")
}
