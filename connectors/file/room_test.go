package file

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// A sink on a full disk says so, spills nothing there, and stages its rows whole
// once there is room.
func TestFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s, err := newSink(table(dir, "json", nil))
	if err != nil {
		t.Fatal(err)
	}
	var free, looks atomic.Int64
	const size = 1 << 30
	free.Store(size)
	s.disk.free = func(string) (int64, int64, error) {
		if looks.Add(-1) == 0 {
			free.Store(size)
		}
		return free.Load(), size, nil
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if why := s.Full(); why != "" {
		t.Fatal(why)
	}
	w, err := s.Writer(0)
	if err != nil {
		t.Fatal(err)
	}
	free.Store(1 << 20)
	b := batch.New(schema, 0)
	for i := range 8000 {
		b.Cols[0].AppendInt(int64(i))
		b.Cols[1].AppendBytes(bytes.Repeat([]byte{'x'}, 1000))
		b.AddWeight(1)
	}
	if err := w.Push(connectors.Changes{B: b}); err != nil {
		t.Fatal(err)
	}
	s.disk.at = s.disk.at.Add(-lookEvery) // as if the time had passed
	if why := s.Full(); !strings.Contains(why, "1024 KiB free in "+dir) || !strings.Contains(why, "MiB needed") {
		t.Errorf("says %q", why)
	}
	if p := s.parts[""]; p == nil || p.spill != nil || len(p.mem) < spillAt {
		t.Error("lines have gone to a spill on the full disk")
	}
	e, err := s.Seal()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := connectors.EpochID{Number: 1, Incarnation: 1}
	x := *e.(*sealed)
	if _, err := e.Prepare(ctx, id); err == nil {
		t.Error("prepared on a full disk")
	}
	looks.Store(2) // at the second look there is room
	staged, err := x.Prepare(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(t.Context(), id, staged); err != nil {
		t.Fatal(err)
	}
	if lines, _ := visible(t, dir); len(lines) != 8000 {
		t.Errorf("%d lines", len(lines))
	}
	if s.disk.held != 0 {
		t.Errorf("%d bytes are held", s.disk.held)
	}
}

// A spill that cannot be written leaves its lines where they were, and goes on where
// it ended.
func TestSpillKeepsLines(t *testing.T) {
	p := &part{mem: []byte("first\n")}
	dir := t.TempDir()
	if err := p.spillTo(dir); err != nil {
		t.Fatal(err)
	}
	whole := p.spill
	p.spill = nil // the next write fails
	p.mem = append(p.mem, "second\n"...)
	if err := p.spillTo(filepath.Join(dir, "gone")); err == nil || string(p.mem) != "second\n" {
		t.Fatalf("%v, %q is left", err, p.mem)
	}
	p.spill = whole
	if err := p.spillTo(dir); err != nil {
		t.Fatal(err)
	}
	p.mem = append(p.mem, "third\n"...)
	x, err := p.stage(filepath.Join(dir, "part"))
	p.close()
	if lines, _ := visible(t, dir); err != nil || !slices.Equal(lines, []string{"first", "second", "third"}) || x.size != 19 {
		t.Errorf("%v, %q, %d bytes", err, lines, x.size)
	}
}

func TestNoSpace(t *testing.T) {
	n := 0
	err := patiently(t.Context(), func() error {
		if n++; n < 3 {
			return &syscallError{syscall.ENOSPC}
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("%d tries, %v", n, err)
	}
	if err := patiently(t.Context(), func() error { return &syscallError{syscall.EIO} }); err == nil || noSpace(err) {
		t.Errorf("%v", err)
	}
}

type syscallError struct{ error }

func (e *syscallError) Unwrap() error { return e.error }
