package engine

import (
	"errors"
	"math"
	"testing"

	"github.com/streamd/streamd/batch"
)

// TestNextEpoch holds the interval to be the least distance between decisions,
// and the driver asleep while one is under way.
func TestNextEpoch(t *testing.T) {
	const never = math.MaxInt64
	for _, c := range []struct {
		name string
		c    *committer
		want int64
	}{
		{"nothing changed", &committer{interval: 100, last: 1000}, never},
		{"output", &committer{interval: 100, last: 1000, touched: true, output: true, first: 1090}, 1100},
		{"positions only", &committer{interval: 100, last: 1000, touched: true, first: 1090}, 1190},
		{"every step", &committer{every: true, interval: 100, last: 1000, touched: true, output: true, first: 1090}, 5000},
		{"one is under way", &committer{interval: 100, last: 1000, touched: true, output: true, first: 1090, busy: true}, never},
		{"one has failed", &committer{interval: 100, last: 1000, touched: true, output: true, first: 1090, failed: errors.New("fenced")}, never},
	} {
		if got := c.c.next(5000); got != c.want {
			t.Errorf("%s: next epoch at %d, want %d", c.name, got, c.want)
		}
		if got := c.c.due(5000); got != (c.want <= 5000) {
			t.Errorf("%s: due %v", c.name, got)
		}
	}
}

// TestExchangeKeepsFewBatches sends all rows one way: what the receiver keeps for
// sending is bounded.
func TestExchangeKeepsFewBatches(t *testing.T) {
	x := &exchange{}
	b := batch.New(&batch.Schema{Fields: []batch.Field{{Name: "a", Type: batch.TypeBigInt}}}, 0)
	for range 100 {
		x.keep([]*batch.Batch{b, b, b})
	}
	if len(x.free) != spareBatches {
		t.Fatalf("%d spare batches, want %d", len(x.free), spareBatches)
	}
	x.fresh(b)
	if x.keep([]*batch.Batch{b}); len(x.free) != spareBatches {
		t.Fatalf("%d spare batches after one was used, want %d", len(x.free), spareBatches)
	}
}
