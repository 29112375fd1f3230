package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/operators"
)

// screen is stderr with, on a terminal, one line at its end that changes in
// place. Everything that is written scrolls above that line.
//
// Where stdout is the same terminal its rows go through beside: a row written
// past the screen would go on behind the status line.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	line  string // what is to stand there
	shown bool   // it stands there
	open  bool   // what was written last has not ended its line
	over  bool   // no line any more
}

func (s *screen) Write(p []byte) (int, error) { return s.put(s.w, p) }

// put writes to w above the line.
func (s *screen) put(w io.Writer, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		s.shown = false
		if _, err := io.WriteString(s.w, "\r\x1b[K"); err != nil {
			return 0, err
		}
	}
	n, err := w.Write(p)
	if n > 0 {
		s.open = p[n-1] != '\n'
	}
	if err == nil && !s.open && s.line != "" {
		_, err = io.WriteString(s.w, s.line)
		s.shown = true
	}
	return n, err
}

// beside is another stream on the screen's terminal.
type beside struct {
	scr *screen
	w   io.Writer
}

func (b *beside) Write(p []byte) (int, error) { return b.scr.put(b.w, p) }

// set shows another line; "" takes it away.
func (s *screen) set(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.line || s.over {
		return
	}
	s.line = line
	if !s.open {
		_, _ = io.WriteString(s.w, "\r\x1b[K"+line)
		s.shown = line != ""
	}
}

// end takes the line away for good.
func (s *screen) end() {
	s.set("")
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}

// abandon is end for a process that is about to exit: it does not wait for a
// writer that is stuck.
func (s *screen) abandon() {
	if s.mu.TryLock() && s.shown {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
	}
}

// Rates are those of the last rateTicks ticks: at one tick a result a second
// would be shown as 0 and 2 rows/s in turn.
const (
	statusTick = 500 * time.Millisecond
	rateTicks  = 6
)

// follow keeps the status line of a job until done is closed.
func (s *screen) follow(j *engine.Job, done <-chan struct{}) {
	t := time.NewTicker(statusTick)
	defer t.Stop()
	defer s.end()
	seen := []sample{{j.Stats(), time.Now()}}
	for {
		select {
		case <-done:
			return
		case now := <-t.C:
			seen = append(seen, sample{j.Stats(), now})
			seen = seen[max(0, len(seen)-1-rateTicks):]
			state, why := j.State()
			wide, _ := size(s.w)
			s.set(statusLine(state.String(), why, seen, wide-1))
		}
	}
}

// sample is what a job had done at a time.
type sample struct {
	engine.Stats
	at time.Time
}

// statusLine says in at most width columns how a job is doing, by samples of
// which the last is the newest. What matters least is left out first.
func statusLine(state, why string, seen []sample, width int) string {
	type part struct {
		text string
		rank int // the largest goes first
	}
	st, before := seen[len(seen)-1], seen[0]
	if why != "" {
		state += ": " + clip(why, 60)
	}
	d := st.at.Sub(before.at)
	parts := []part{{state, 0}, {"in " + rate(st.RowsIn-before.RowsIn, d) + " rows/s, out " + rate(st.RowsOut-before.RowsOut, d), 3}}
	if w := st.Watermark; w != int64(operators.WMStart) && w != int64(operators.WMEnd) && w != 0 {
		t, form := time.UnixMicro(w).UTC(), "15:04:05"
		if t.Format(time.DateOnly) != st.at.UTC().Format(time.DateOnly) {
			form = "2006-01-02 15:04:05"
		}
		parts = append(parts, part{"watermark " + t.Format(form), 5})
	}
	if st.LastEpochMicros > 0 {
		parts = append(parts, part{fmt.Sprintf("checkpoint %.1f s ago", max(0, st.at.Sub(time.UnixMicro(st.LastEpochMicros)).Seconds())), 4})
	}
	var bad int64
	for _, n := range st.Rejected {
		bad += n
	}
	if bad > 0 {
		parts = append(parts, part{fmt.Sprintf("%d rows not used", bad), 1})
	}
	if st.Waiting != "" {
		parts = append(parts, part{clip(st.Waiting, 40), 2})
	}
	for {
		texts, last := make([]string, len(parts)), 0
		for i, p := range parts {
			texts[i] = p.text
			if p.rank > parts[last].rank {
				last = i
			}
		}
		line := strings.Join(texts, " · ")
		if len(parts) == 1 || utf8.RuneCountInString(line) <= width {
			return clip(line, width)
		}
		parts = slices.Delete(parts, last, last+1)
	}
}

// size is how many columns and lines a terminal has.
func size(w io.Writer) (wide, high int) {
	switch f := w.(type) {
	case *closable:
		return size(f.w)
	case *os.File:
		if wide, high, err := term.GetSize(int(f.Fd())); err == nil && wide > 20 {
			return wide, high
		}
	}
	return 120, 40
}

// rate writes n rows in d as rows a second: "12.3k".
func rate(n int64, d time.Duration) string {
	r := float64(n) / max(d.Seconds(), 1e-3)
	switch {
	case r >= 1e6:
		return fmt.Sprintf("%.1fM", r/1e6)
	case r >= 1e4:
		return fmt.Sprintf("%.1fk", r/1e3)
	}
	return fmt.Sprintf("%.0f", r)
}

// clip bounds a text to n characters on one line.
func clip(s string, n int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
