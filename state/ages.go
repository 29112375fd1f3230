package state

import (
	"slices"

	"github.com/streamd/streamd/batch"
)

// ageBits makes a bucket of Ages 2^18 µs long, a quarter of a second: rows stay a
// little longer than they must, and a row costs one entry of a list.
const ageBits = 18

// Ages knows which rows of a table are needed until when, by a time column, so that
// they can be dropped together. It is for rows that are deleted in no other way.
//
// Example: rows with times 0.1 s, 0.2 s and 0.7 s stand in buckets 0, 0 and 2.
// Take(0.6 s) gives the first two, Take(0.7 s) nothing: bucket 2 is not over.
type Ages struct {
	t     *Table
	col   int
	by    map[int64][]batch.RowID
	order []int64 // the buckets, the latest first
	last  int64   // the bucket whose list is open
	open  []batch.RowID
}

// NewAges files the rows of t, those it has and those to come, by the integer
// column col. A NULL time is filed as 0.
func NewAges(t *Table, col int) *Ages {
	a := &Ages{t: t, col: col, by: map[int64][]batch.RowID{}, last: -1 << 63}
	t.Each(a.Insert)
	return a
}

// Insert files a row whose time is set.
func (a *Ages) Insert(id batch.RowID) {
	p, slot := a.t.At(id)
	k := p.Cols[a.col].I[slot] >> ageBits
	if k != a.last {
		a.turn(k)
	}
	a.open = append(a.open, id)
}

// turn opens the list of bucket k.
func (a *Ages) turn(k int64) {
	if len(a.open) > 0 {
		a.by[a.last] = a.open
	}
	list, ok := a.by[k]
	if !ok {
		at, _ := slices.BinarySearchFunc(a.order, k, func(x, k int64) int {
			if x > k {
				return -1
			}
			return 1
		})
		a.order = slices.Insert(a.order, at, k)
		a.by[k] = nil
	}
	a.last, a.open = k, list
}

// Take forgets the rows of buckets that end at or before t and calls f for each,
// bucket by bucket, in the order of their insertion. f deletes them.
func (a *Ages) Take(t int64, f func(id batch.RowID)) {
	for n := len(a.order); n > 0 && a.order[n-1] < t>>ageBits; n-- {
		k := a.order[n-1]
		list := a.by[k]
		if k == a.last {
			list, a.open, a.last = a.open, nil, -1<<63
		}
		delete(a.by, k)
		a.order = a.order[:n-1]
		for _, id := range list {
			f(id)
		}
	}
}
