package state

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
)

// TestAges drops random rows by their time: never one too early, none later than a
// bucket after its time, each once.
func TestAges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w := NewMem(0, 1)
	tab := w.Table(Spec{Op: "a", Layout: "l", Version: 1, Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeTS3}, Unindexed: true})
	a := NewAges(tab, 1)
	left := map[batch.RowID]int64{}
	const length = 1 << ageBits
	for now := int64(-3 * length); now < 20*length; now += rng.Int64N(length) {
		n := rng.IntN(50)
		key, val := batch.NewVec(batch.TypeBigInt, n), batch.NewVec(batch.TypeTS3, n)
		for i := range n {
			key.AppendInt(int64(i % 7))
			val.AppendInt(now + rng.Int64N(4*length))
		}
		ids := make([]batch.RowID, n)
		tab.Append([]batch.Vec{key}, nil, nil, n, ids)
		tab.SetRows(ids, nil, n, []int{0, 1}, 1, []batch.Vec{key, val})
		for i, id := range ids {
			a.Insert(id)
			left[id] = val.I[i]
		}
		if rng.IntN(4) == 0 {
			a = NewAges(tab, 1) // as after a restore
		}
		a.Take(now, func(id batch.RowID) {
			if at, ok := left[id]; !ok || at >= now {
				t.Fatalf("row of %d taken at %d, there %v", at, now, ok)
			}
			delete(left, id)
			tab.Delete(id)
		})
		w.Pack()
		for _, at := range left {
			if at < now-length {
				t.Fatalf("row of %d is still there at %d", at, now)
			}
		}
		if tab.Len() != len(left) || !slices.IsSortedFunc(a.order, func(x, y int64) int { return int(y - x) }) {
			t.Fatalf("%d rows, want %d; buckets %v", tab.Len(), len(left), a.order)
		}
	}
}
