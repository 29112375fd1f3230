package conntest

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// SinkCase is a sink with a follower whose output can be looked at.
type SinkCase struct {
	Schema *batch.Schema
	Open   func(t testing.TB) connectors.Sink // a fresh value over the same place
	Row    func(b *batch.Batch, n int)        // appends row number n to the columns
	Read   func(t testing.TB) []string        // what is there, in any order, as Line writes it
	Line   func(n int) string                 // row number n as Read gives it
	Once   bool                               // a second Deliver of an epoch changes nothing (not so for stdout)
}

var lineage = [16]byte{0xab, 0xcd, 0xef, 0x01}

// Sink checks over 28 epochs, 3 workers and 4 incarnations: what is pushed is
// seen only when its epoch is delivered, exactly once over repeated deliveries;
// epochs that were prepared and not decided leave nothing after Sweep. The first
// two incarnations are of one process, which opens the same value again.
func Sink(t *testing.T, c SinkCase) {
	t.Helper()
	ctx := context.Background()
	var s connectors.Sink
	r := rand.New(rand.NewPCG(1, 2))
	var want []string
	type staged struct {
		id connectors.EpochID
		b  []byte
	}
	var decided []staged
	row, epoch := 0, uint64(0)
	for inc := int64(1); inc <= 4; inc++ {
		if inc != 2 {
			s = c.Open(t)
		}
		if l, ok := s.(connectors.Lineaged); ok {
			l.SetLineage(lineage)
		}
		must(t, "Open", s.Open(ctx))
		f := s.Info().Follower
		// What recovery does: deliver again what was decided, then sweep.
		if c.Once {
			for _, x := range decided {
				must(t, "Deliver again", f.Deliver(ctx, x.id, x.b))
			}
		}
		must(t, "Sweep", f.Sweep(ctx, lineage, inc))
		compare(t, c, want, "after recovery")
		for range 7 {
			epoch++
			var pushed []string
			for w := range 3 {
				pushed = append(pushed, push(t, c, s, w, r.IntN(6), &row)...)
			}
			e, err := s.Seal()
			must(t, "Seal", err)
			if int(e.Rows()) != len(pushed) {
				t.Fatalf("the epoch has %d rows, %d were pushed", e.Rows(), len(pushed))
			}
			// Rows of the next epoch may come before this one is prepared.
			id := connectors.EpochID{Number: epoch, Incarnation: inc, CRC: uint32(epoch)}
			b, err := e.Prepare(ctx, id)
			must(t, "Prepare", err)
			compare(t, c, want, "before the decision")
			if r.IntN(4) == 0 {
				continue // never decided; its rows are read again under another number
			}
			b = slices.Clone(b)
			must(t, "Deliver", f.Deliver(ctx, id, b))
			want = append(want, pushed...)
			if c.Once {
				must(t, "Deliver twice", f.Deliver(ctx, id, b))
			}
			decided = append(decided, staged{id, b})
			compare(t, c, want, "after the delivery")
		}
		// Rows that are pushed and not sealed are lost with the incarnation.
		push(t, c, s, 0, 3, &row)
		if inc != 1 {
			must(t, "Close", s.Close())
		}
		compare(t, c, want, "after the end")
	}
}

func push(t testing.TB, c SinkCase, s connectors.Sink, worker, n int, row *int) (lines []string) {
	t.Helper()
	w, err := s.Writer(worker)
	must(t, "Writer", err)
	b := batch.New(c.Schema, n)
	for range n {
		c.Row(b, *row)
		b.AddWeight(1)
		lines = append(lines, c.Line(*row))
		*row++
	}
	if n > 0 {
		must(t, "Push", w.Push(connectors.Changes{B: b}))
	}
	return lines
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func compare(t testing.TB, c SinkCase, want []string, when string) {
	t.Helper()
	got, want := slices.Sorted(slices.Values(c.Read(t))), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %d rows are there, want %d\n got %.1000q\nwant %.1000q", when, len(got), len(want), got, want)
	}
}
