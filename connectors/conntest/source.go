package conntest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// SourceCase is a source that ends and always holds the same rows.
type SourceCase struct {
	Schema *batch.Schema
	Open   func(t testing.TB) connectors.Source // a fresh value over the same data
	Want   []string                             // rows by Text, per split in order, splits in the order of their ids; nil = only that all runs agree
	Bad    []string                             // codes of the records that cannot be read, in the same order
	Pause  time.Duration                        // longest time a Read may take; 0 = 1 s
}

// Text writes stored row i of b, with its weight in front when it is not 1.
func Text(b *batch.Batch, i int) string {
	var out []byte
	if w := b.Weight(i); w == -1 {
		out = append(out, '-')
	} else if w != 1 {
		out = append(out, '*')
	}
	for c, f := range b.Schema.Fields {
		if c > 0 {
			out = append(out, '|')
		}
		out = b.Cols[c].AppendText(out, i, f.Type)
	}
	return string(out)
}

// Source checks, for several portion sizes: Read gives at most so many rows,
// fills all columns and does not wait; all runs give the same rows; a reader
// opened at any Position gives exactly the rows behind it, and Check accepts
// that position; a bad record is reported once; nothing runs on after Close.
func Source(t *testing.T, c SourceCase) {
	t.Helper()
	if c.Pause == 0 {
		c.Pause = time.Second
	}
	whole := readAll(t, c, 1000)
	if c.Want != nil && !slices.Equal(whole.flat(), c.Want) {
		t.Errorf("rows:\n got %q\nwant %q", whole.flat(), c.Want)
	}
	if !slices.Equal(whole.bad, c.Bad) {
		t.Errorf("bad records:\n got %q\nwant %q", whole.bad, c.Bad)
	}
	for _, size := range []int{1, 2, 7, 100} {
		part := readAll(t, c, size)
		if !slices.Equal(part.flat(), whole.flat()) || !slices.Equal(part.bad, whole.bad) {
			t.Errorf("portions of %d rows give other rows", size)
		}
	}
	resume(t, c, whole)
}

// run is what was read, by split.
type run struct {
	ids  []string
	rows map[string][]string
	bad  []string
}

func (r *run) flat() []string {
	out := []string{}
	for _, id := range r.ids {
		out = append(out, r.rows[id]...)
	}
	return out
}

func open(t testing.TB, c SourceCase) (connectors.Source, []connectors.Split, chan struct{}) {
	t.Helper()
	s := c.Open(t)
	wake := make(chan struct{}, 1)
	if w, ok := s.(connectors.Waker); ok {
		w.SetWake(func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	}
	splits, err := s.Splits(context.Background())
	if err != nil {
		t.Fatalf("Splits: %v", err)
	}
	slices.SortFunc(splits, func(a, b connectors.Split) int { return strings.Compare(a.ID, b.ID) })
	return s, splits, wake
}

func readAll(t testing.TB, c SourceCase, size int) *run {
	t.Helper()
	s, splits, wake := open(t, c)
	defer func() { _ = s.Close() }()
	out := &run{rows: map[string][]string{}}
	for _, x := range splits {
		out.ids = append(out.ids, x.ID)
		r := openReader(t, s, x, nil)
		for done := false; !done; {
			var rows, bad []string
			rows, bad, done = portion(t, c, r, wake, size)
			out.rows[x.ID] = append(out.rows[x.ID], rows...)
			out.bad = append(out.bad, bad...)
		}
		closeReader(t, r)
	}
	return out
}

func openReader(t testing.TB, s connectors.Source, x connectors.Split, from []byte) connectors.Reader {
	t.Helper()
	if from != nil {
		if err := s.Check(context.Background(), x, from); err != nil {
			t.Fatalf("split %s: Check(%x): %v", x.ID, from, err)
		}
	}
	r, err := s.Open(context.Background(), x, from, nil, connectors.Want{})
	if err != nil {
		t.Fatalf("split %s: Open(%x): %v", x.ID, from, err)
	}
	return r
}

func closeReader(t testing.TB, r connectors.Reader) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// portion reads once; when there is nothing yet it waits for the wake-up.
func portion(t testing.TB, c SourceCase, r connectors.Reader, wake chan struct{}, size int) (rows, bad []string, done bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		dst := &connectors.Dst{Batch: batch.New(c.Schema, 0)}
		begin := time.Now()
		more, done, err := r.Read(dst, size)
		if took := time.Since(begin); took > c.Pause {
			t.Errorf("Read took %v", took)
		}
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		if dst.Batch.N > size {
			t.Fatalf("Read gave %d rows, at most %d were asked for", dst.Batch.N, size)
		}
		for i := range dst.Batch.Cols {
			if n := dst.Batch.Cols[i].Len(); n != dst.Batch.N {
				t.Fatalf("column %d has %d of %d rows", i, n, dst.Batch.N)
			}
		}
		for i := range dst.Batch.N {
			rows = append(rows, Text(dst.Batch, i))
		}
		for _, b := range dst.Bad {
			bad = append(bad, b.Code)
			if b.Place == "" || b.Code == "" || b.Msg == "" {
				t.Errorf("a bad record without place, code or message: %+v", b)
			}
		}
		if done || dst.Batch.N > 0 || len(dst.Bad) > 0 {
			return rows, bad, done
		}
		if !more {
			select {
			case <-wake:
			case <-deadline:
				t.Fatal("no rows, no end and no wake-up for 30 s")
			}
		}
	}
}

// resume closes the reader at many places and opens it again at its position.
func resume(t *testing.T, c SourceCase, whole *run) {
	t.Helper()
	for _, size := range []int{1, 3, 50} {
		s, splits, wake := open(t, c)
		got := &run{rows: map[string][]string{}}
		for _, x := range splits {
			got.ids = append(got.ids, x.ID)
			var pos []byte
			for done, steps := false, 0; !done; steps++ {
				r := openReader(t, s, x, pos)
				for range 1 + steps%3 {
					if done {
						break
					}
					var rows, bad []string
					rows, bad, done = portion(t, c, r, wake, size)
					got.rows[x.ID] = append(got.rows[x.ID], rows...)
					got.bad = append(got.bad, bad...)
				}
				pos = slices.Clone(r.Position())
				if again := r.Position(); !bytes.Equal(pos, again) {
					t.Errorf("split %s: Position changes without a Read", x.ID)
				}
				closeReader(t, r)
				if steps > 40 { // enough places; the rest in one go
					size = 1000
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if !slices.Equal(got.flat(), whole.flat()) || !slices.Equal(got.bad, whole.bad) {
			t.Errorf("resuming after portions of %d rows:\n got %.2000q\nwant %.2000q", size, got.flat(), whole.flat())
		}
	}
}
