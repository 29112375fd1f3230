package operators

import (
	"github.com/streamd/streamd/batch"
)

// cumulate emits the CUMULATE window that ends at end. The groups of its panes
// are moved into the first pane before, which so holds the running sums: a window
// costs what has come since the one before, and what it emits.
//
// Example, step 5: panes [0,5) {a: 1}, [5,10) {a: 1, b: 2}. The window [0,10)
// makes them [0,5) {a: 2, b: 2}; a late row at 2 is added there and counts from
// the next window on.
//
// Under on-event the running sums are the first pane's groups with the first
// window as the first open one; groups that end does not see stay where they are.
func (o *windowAgg) cumulate(end int64, out Emit) error {
	start := o.n.Win.Start(end)
	for _, p := range o.buckets.Between(start, end) {
		ids := o.see(o.buckets.At(p), end)
		if p == start {
			ids = o.others(ids, start)
		}
		for len(ids) > 0 {
			n := min(len(ids), batch.Chunk)
			o.carry(ids[:n], start)
			ids = ids[n:]
		}
	}
	return o.emit(o.t, o.accs.base, o.see(o.buckets.At(start), start+o.n.Win.Slide), end, out)
}

// others returns the rows of the pane at start that are not its running sums.
func (o *windowAgg) others(ids []batch.RowID, start int64) []batch.RowID {
	if !o.two {
		return nil
	}
	kept := ids[:0]
	for _, id := range ids {
		if p, s := o.t.At(id); p.Cols[o.nk+1].I[s] != start+o.n.Win.Slide {
			kept = append(kept, id)
		}
	}
	return kept
}

// carry adds groups to the running sums at start and deletes them.
func (o *windowAgg) carry(ids []batch.RowID, start int64) {
	n := len(o.t.Spec.Key)
	key := make([]batch.Vec, n)
	for c := range n {
		key[c] = batch.NewVec(o.t.Spec.Key[c], len(ids))
		if c < o.nk {
			gather(&key[c], o.t.Pages, c, ids)
			continue
		}
		at := start
		if c > o.nk {
			at += o.n.Win.Slide
		}
		for range ids {
			key[c].AppendInt(at)
		}
	}
	o.keys.grow(len(ids))
	for i, id := range ids {
		o.keys.place[i] = uint64(o.t.Pages[id>>batch.PageBits].Shard)
	}
	batch.HashRows(key, nil, len(ids), o.keys.hash)
	if cap(o.ids) < len(ids) {
		o.ids = make([]batch.RowID, len(ids))
	}
	to := o.ids[:len(ids)]
	for _, i := range o.t.Rows(key, o.keys.place, o.keys.hash, nil, len(ids), to) {
		o.buckets.Insert(to[i])
	}
	for i, id := range ids {
		d, s := o.t.At(to[i])
		p, q := o.t.At(id)
		d.Cols[n].I[s] += p.Cols[n].I[q]
		o.t.Touch(to[i])
	}
	o.accs.merge(o.t.Pages, o.accs.base, to, o.t.Pages, o.accs.base, ids)
	for _, id := range ids {
		o.buckets.Remove(id)
		o.t.Delete(id)
	}
}
