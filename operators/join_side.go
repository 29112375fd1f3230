package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// joinSide is the stored rows of one input of a join: M{group -> row × n}, where the
// group is the join key (and, of a window join, the window).
//
// A row of append input is never looked for again: each is an entry of its own in
// an unindexed table. A row of updating input is known by (group, rest of the row).
type joinSide struct {
	group   int   // how many of the key's columns are the group
	by      []int // input columns of the group
	place   []int // input columns that place rows on workers and shards
	at      []int // by input column: the table's column
	arrives bool  // append input
	count   int   // the table's column of n
	match   int   // of the number of matching rows on the other side; -1 = not kept
	t       *state.Table
	idx     *state.Multi
	due     *state.Ages // by how long rows are needed; nil = for ever

	gk     keys // of the group
	hash   []uint64
	placed []batch.Vec
	key    []batch.Vec // the group first
	cols   []int       // input columns in the key
	ids    []batch.RowID
	groups []state.Group
	isNew  []bool // by stored row of the batch: it brought its row into the table
	row    rows
}

// newJoinSide makes the table of one side. matches keeps a match count a row.
func newJoinSide(env *Env, ident, layout string, in *Props, group, place []int, matches bool, ttl int64) *joinSide {
	s := in.Schema
	d := &joinSide{group: len(group), by: group, place: place, at: make([]int, len(s.Fields)), arrives: in.Mode == Append, match: -1}
	d.cols = append(d.cols, group...)
	for c := range d.at {
		d.at[c] = -1
	}
	for i, c := range group {
		if d.at[c] < 0 {
			d.at[c] = i
		}
	}
	key := types(s, group)
	var val []batch.Type
	if d.arrives {
		layout += " append"
	}
	for c, f := range s.Fields {
		switch {
		case d.at[c] >= 0:
		case d.arrives:
			d.at[c], val = len(key)+len(val), append(val, f.Type)
		default:
			d.at[c], d.cols, key = len(key), append(d.cols, c), append(key, f.Type)
		}
	}
	d.count, val = len(key)+len(val), append(val, batch.TypeBigInt)
	if matches {
		d.match, val = d.count+1, append(val, batch.TypeBigInt)
	}
	d.t = env.State.Table(state.Spec{Op: ident, Layout: layout, Version: 1, Key: key, Val: val, TTL: ttl, Unindexed: d.arrives})
	d.idx = state.NewMulti(d.t, d.group)
	return d
}

// find computes, for rows sel of b, their placement and the hash of their group.
func (d *joinSide) find(b *batch.Batch, sel []int32) {
	d.placed = pick(d.placed, b, d.place)
	d.key = pick(d.key, b, d.cols)
	d.gk.of(b, sel, d.placed, d.key[:d.group], len(d.place) != d.group)
}

// rows finds or inserts the rows of b, which find has seen; fresh ones join their
// group.
func (d *joinSide) rows(b *batch.Batch, sel []int32) []batch.RowID {
	if cap(d.ids) < b.N {
		d.ids, d.isNew, d.hash = make([]batch.RowID, b.N, 2*b.N), make([]bool, b.N, 2*b.N), make([]uint64, b.N, 2*b.N)
	}
	ids, hash := d.ids[:b.N], d.hash[:b.N]
	d.isNew = d.isNew[:b.N]
	clear(d.isNew)
	var fresh []int32
	if d.arrives {
		fresh = d.t.ByShard(d.gk.place, sel)
		d.t.Append(d.key, d.gk.place, fresh, b.N, ids)
		d.t.SetRows(ids, fresh, b.N, d.at, d.group, b.Cols)
	} else {
		batch.HashRows(d.key, sel, b.N, hash)
		fresh = d.t.Rows(d.key, d.gk.place, hash, sel, b.N, ids)
	}
	if cap(d.groups) < b.N {
		d.groups = make([]state.Group, b.N, 2*b.N)
	}
	groups := d.groups[:b.N]
	d.idx.Groups(d.key, d.gk.place, d.gk.hash, fresh, b.N, groups)
	for _, i := range fresh {
		d.idx.InsertAt(ids[i], groups[i], d.gk.hash[i])
		d.isNew[i] = true
	}
	if d.due != nil {
		for _, i := range fresh {
			d.due.Insert(ids[i])
		}
	}
	return ids
}

// n is the multiplicity of a stored row.
func (d *joinSide) n(id batch.RowID) *int64 {
	p, s := d.t.At(id)
	return &p.Cols[d.count].I[s]
}

// m is the number of rows on the other side that match a stored row.
func (d *joinSide) m(id batch.RowID) *int64 {
	p, s := d.t.At(id)
	return &p.Cols[d.match].I[s]
}

// drop removes a stored row.
func (d *joinSide) drop(id batch.RowID) {
	d.idx.Remove(id)
	d.t.Delete(id)
}

// half is where one half of joined rows comes from: stored rows of a batch, rows
// of a side's table, or NULLs.
type half struct {
	b    *batch.Batch
	rows []int32
	side *joinSide
	ids  []batch.RowID
}

// fill appends n rows to the columns out.
func (h half) fill(out []batch.Vec, n int) {
	for c := range out {
		h.column(c, &out[c], n)
	}
}

// column appends n rows of column c to out.
func (h half) column(c int, out *batch.Vec, n int) {
	switch {
	case h.b != nil:
		out.AppendRows(&h.b.Cols[c], h.rows, n)
	case h.side != nil:
		gather(out, h.side.t.Pages, h.side.at[c], h.ids)
	default:
		for range n {
			out.AppendNull()
		}
	}
}

// some is a half of rows sel of h; buf has room for their numbers.
func (h half) some(sel []int32, buf *half) half {
	buf.rows, buf.ids = buf.rows[:0], buf.ids[:0]
	s := half{b: h.b, side: h.side}
	switch {
	case h.b != nil:
		for _, k := range sel {
			buf.rows = append(buf.rows, h.rows[k])
		}
		s.rows = buf.rows
	case h.side != nil:
		for _, k := range sel {
			buf.ids = append(buf.ids, h.ids[k])
		}
		s.ids = buf.ids
	}
	return s
}
