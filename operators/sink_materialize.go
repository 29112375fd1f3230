package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// materializeSink keeps the rows of each primary key, because the input has no
// key that makes them unique, and shows one: the last live row (or the first,
// under ON CONFLICT DO NOTHING). When it goes, the one before comes back.
//
//	M{pk, other columns -> n, seq}
type materializeSink struct {
	sink
	t     *state.Table
	multi *state.Multi
	perm  []int // table key column -> input column: the primary key first
	seen  map[string]int
	pks   *batch.Batch // a touched key's columns, one row each
	old   *batch.Batch // what it showed, in the table's order of columns
	had   []bool
	place []uint64

	key   []batch.Vec
	keys  keys
	ids   []batch.RowID
	row   rows
	bytes []byte
}

func newMaterialize(s sink) *materializeSink {
	o := &materializeSink{sink: s, seen: map[string]int{}}
	o.perm = append(o.perm, s.n.Spec.PrimaryKey...)
	for c := range s.n.Schema.Fields {
		if !subset([]int{c}, s.n.Spec.PrimaryKey) {
			o.perm = append(o.perm, c)
		}
	}
	big := batch.TypeBigInt
	o.t = s.env.State.Table(state.Spec{Op: s.n.Ident, Layout: "rows", Version: 1, Key: types(s.n.Schema, o.perm), Val: []batch.Type{big, big}})
	o.multi = state.NewMulti(o.t, len(s.n.Spec.PrimaryKey))
	o.pks = batch.New(s.n.Schema.Pick(s.n.Spec.PrimaryKey), 0)
	o.old = batch.New(s.n.Schema.Pick(o.perm), 0)
	return o
}

func (o *materializeSink) Push(_ int, b *batch.Batch, _ Emit) error {
	b, err := o.table(b)
	if err != nil || b.Live() == 0 {
		return err
	}
	sel := o.row.of(b)
	o.key = pick(o.key, b, o.perm)
	pk := o.key[:len(o.n.Spec.PrimaryKey)]
	o.keys.of(b, sel, pk, o.key, true)
	o.touch(pk, sel)
	if cap(o.ids) < b.N {
		o.ids = make([]batch.RowID, b.N)
	}
	ids := o.ids[:b.N]
	for _, i := range o.t.Rows(o.key, o.keys.place, o.keys.hash, sel, b.N, ids) {
		o.multi.Insert(ids[i])
	}
	for _, i := range sel {
		p, s := o.t.At(ids[i])
		c := p.Cols[len(o.perm):]
		w := b.Weight(int(i))
		if was := c[0].I[s]; w > 0 && (was <= 0 || o.n.Spec.OnConflict != "NOTHING") {
			c[1].I[s] = int64(o.t.Seq(p.Shard))
		}
		c[0].I[s] += w
		o.t.Touch(ids[i])
	}
	return nil
}

// touch remembers what the keys of rows sel showed before the step.
func (o *materializeSink) touch(pk []batch.Vec, sel []int32) {
	for _, i := range sel {
		o.bytes = batch.AppendKey(o.bytes[:0], pk, int(i))
		if _, ok := o.seen[string(o.bytes)]; ok {
			continue
		}
		o.seen[string(o.bytes)] = o.pks.N
		for c := range pk {
			o.pks.Cols[c].AppendFrom(&pk[c], int(i))
		}
		o.pks.N++
		o.place = append(o.place, o.keys.place[i])
		id, _ := o.shown(o.pks.N - 1)
		o.had = append(o.had, id != 0)
		for c := range o.old.Cols {
			if id == 0 {
				o.old.Cols[c].AppendNull()
				continue
			}
			p, s := o.t.At(id)
			o.old.Cols[c].AppendFrom(&p.Cols[c], s)
		}
		o.old.N++
	}
}

// shown returns the row that stands for a touched key, and how many live ones
// there are.
func (o *materializeSink) shown(k int) (best batch.RowID, live int64) {
	g := o.multi.Group(o.pks.Cols, k, o.place[k], batch.HashRow(o.pks.Cols, k))
	seq := int64(0)
	n := len(o.perm)
	for id := o.multi.First(g); id != 0; id = o.multi.Next(id) {
		p, s := o.t.At(id)
		if p.Cols[n].I[s] <= 0 {
			continue
		}
		live += p.Cols[n].I[s]
		at := p.Cols[n+1].I[s]
		if first := o.n.Spec.OnConflict == "NOTHING"; best == 0 || first && at < seq || !first && at > seq {
			best, seq = id, at
		}
	}
	return best, live
}

// EndStep writes the keys whose shown row is another than before the step.
func (o *materializeSink) EndStep([]WM, Emit) error {
	if o.pks.N == 0 {
		return nil
	}
	now := batch.New(o.n.Schema, 0)
	for k := range o.pks.N {
		o.sweep(k)
		id, live := o.shown(k)
		if live > 1 && o.n.Spec.OnConflict == "ERROR" {
			return o.duplicate(id)
		}
		p, s := o.t.At(id)
		switch {
		case id != 0 && !(o.had[k] && batch.EqualRows(o.old.Cols, k, p.Cols[:len(o.perm)], s)):
			o.append(now, p.Cols, s, 1)
		case id == 0 && o.had[k]:
			o.append(now, o.old.Cols, k, -1)
		}
	}
	clear(o.seen)
	o.pks.Reset()
	o.old.Reset()
	o.had, o.place = o.had[:0], o.place[:0]
	if now.N == 0 {
		return nil
	}
	return o.send(now, o.row.upto(now.N), upsertKinds(weights(now)))
}

func weights(b *batch.Batch) []int64 {
	w := make([]int64, b.N)
	for i := range w {
		w[i] = b.Weight(i)
	}
	return w
}

func (o *materializeSink) append(to *batch.Batch, cols []batch.Vec, i int, w int64) {
	for c, f := range o.perm {
		to.Cols[f].AppendFrom(&cols[c], i)
	}
	to.AddWeight(w)
}

// sweep removes the rows of a key that are gone and counts those below zero.
func (o *materializeSink) sweep(k int) {
	g := o.multi.Group(o.pks.Cols, k, o.place[k], batch.HashRow(o.pks.Cols, k))
	for id := o.multi.First(g); id != 0; {
		next := o.multi.Next(id)
		p, s := o.t.At(id)
		if n := p.Cols[len(o.perm)].I[s]; n <= 0 {
			o.multi.Remove(id)
			o.t.Delete(id)
		}
		id = next
	}
}

func (o *materializeSink) duplicate(id batch.RowID) error {
	p, s := o.t.At(id)
	b := batch.New(o.n.Schema, 1)
	o.append(b, p.Cols, s, 1)
	return o.env.Reject(Reject{Reason: Failed, B: b, Rows: []expr.RowErr{{Code: CodeDuplicate, At: o.n.Span,
		Msg: "two rows with one primary key under ON CONFLICT DO ERROR"}}})
}
