package operators

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// stateless is the EndStep of operators that only answer rows.
type stateless struct{}

// EndStep does nothing.
func (stateless) EndStep([]WM, Emit) error { return nil }

// failed rejects the rows of b whose expressions failed.
func (e *Env) failed(c *expr.Ctx, b *batch.Batch) error {
	if len(c.Errs) == 0 {
		return nil
	}
	err := e.Reject(Reject{Reason: Failed, B: b, Rows: c.Errs})
	c.Errs = c.Errs[:0]
	return err
}

// failedPairs is failed for rows made of two inputs'.
func (e *Env) failedPairs(c *expr.Ctx, b *batch.Batch) error {
	if len(c.Errs) == 0 {
		return nil
	}
	err := e.Reject(Reject{Reason: Failed, B: b, Rows: c.Errs, Made: true})
	c.Errs = c.Errs[:0]
	return err
}

// rows lists the live rows of batches: a selection that is never nil.
type rows struct{ all []int32 }

func (r *rows) of(b *batch.Batch) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	return r.upto(b.N)
}

func (r *rows) upto(n int) []int32 {
	for i := len(r.all); i < n; i++ {
		r.all = append(r.all, int32(i))
	}
	return r.all[:n]
}

// pick returns the columns cols of b in buf.
func pick(buf []batch.Vec, b *batch.Batch, cols []int) []batch.Vec {
	buf = buf[:0]
	for _, c := range cols {
		buf = append(buf, b.Cols[c])
	}
	return buf
}

// types returns the types of columns of s.
func types(s *batch.Schema, cols []int) []batch.Type {
	t := make([]batch.Type, len(cols))
	for i, c := range cols {
		t[i] = s.Fields[c].Type
	}
	return t
}

// gather appends column col of the rows ids of a table's pages to v.
func gather(v *batch.Vec, pages []*batch.Page, col int, ids []batch.RowID) {
	if v.Kind == batch.Int {
		at := len(v.I)
		v.I = slices.Grow(v.I, len(ids))[:at+len(ids)]
		nulls := v.Null != nil
		for k, id := range ids {
			c := &pages[id>>batch.PageBits].Cols[col]
			v.I[at+k] = c.I[id&batch.SlotMask]
			nulls = nulls || c.Null != nil
		}
		if nulls {
			for k, id := range ids {
				c := &pages[id>>batch.PageBits].Cols[col]
				v.SetNull(at+k, at+len(ids))
				if !c.IsNull(int(id & batch.SlotMask)) {
					v.Null[(at+k)>>6] &^= 1 << ((at + k) & 63)
				}
			}
		}
		return
	}
	if v.Kind == batch.Str && v.Null == nil {
		ids = gatherBytes(v, pages, col, ids)
	}
	for _, id := range ids {
		v.AppendFrom(&pages[id>>batch.PageBits].Cols[col], int(id&batch.SlotMask))
	}
}

// gatherBytes is gather of a column of strings up to the first row that may be NULL. It
// returns the rows that are left.
func gatherBytes(v *batch.Vec, pages []*batch.Page, col int, ids []batch.RowID) []batch.RowID {
	data, view := v.Data, v.View
	for len(ids) > 0 {
		c := &pages[ids[0]>>batch.PageBits].Cols[col]
		if c.Null != nil {
			break
		}
		w := c.View[ids[0]&batch.SlotMask]
		o, n := w>>32, w&0xffffffff
		view = append(view, uint64(len(data))<<32|n)
		data = append(data, c.Data[o:o+n]...)
		ids = ids[1:]
	}
	v.Data, v.View = data, view
	return ids
}

// keys computes the two hashes of rows: place, by which their shard is known,
// and hash, over a table's whole key.
type keys struct {
	place, hash []uint64
}

func (k *keys) grow(n int) {
	if cap(k.place) < n {
		k.place, k.hash = make([]uint64, n, 2*n), make([]uint64, n, 2*n)
	}
	k.place, k.hash = k.place[:n], k.hash[:n]
}

// of hashes the rows sel of b: placed by the columns place, unless the batch
// says how it was placed, and keyed by key. more tells that key is not just the
// placement columns.
func (k *keys) of(b *batch.Batch, sel []int32, place, key []batch.Vec, more bool) {
	if b.Sel == nil && len(sel) == b.N {
		sel = nil
	}
	k.grow(b.N)
	batch.HashRows(key, sel, b.N, k.hash)
	switch {
	case len(place) == 0:
		clear(k.place)
	case b.Hash != nil:
		copy(k.place, b.Hash[:b.N])
	case !more:
		copy(k.place, k.hash)
	default:
		batch.HashRows(place, sel, b.N, k.place)
	}
}
