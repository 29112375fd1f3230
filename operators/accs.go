package operators

import (
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/state"
)

// accs are the accumulators of a list of aggregate calls: columns of a main
// table, and side tables where a call needs more than a row:
//
//	distinct   T{g, x -> seen by call}     f(DISTINCT x), all calls of x in one table
//	extremes   O{g, v -> n}                MIN and MAX where rows can be taken back
//	values     O{g, v, seq -> n}           FIRST_VALUE … COLLECT where rows can be taken back
type accs struct {
	calls    []AggCall
	base     int   // the first of their columns in the main table
	off      []int // by call: its first column, counted from base
	plain    []int // calls that need no side table
	distinct []*distinct
	extremes []*extremes
	values   []*listed
	retract  bool
	arrivals bool // some call wants the numbers of arrival
	numbers  int  // the column that numbers the groups for distinct, counted from base; -1 = there is none

	args  []*batch.Vec
	sel   []int32
	seq   batch.Vec   // by batch row: the number of its arrival
	group []batch.Vec // one column, by batch row: the number of its group
}

// newAccs lays out the calls' columns from column at on. retract tells that
// rows can be taken back.
func newAccs(calls []AggCall, at int, retract bool) *accs {
	a := &accs{calls: calls, base: at, retract: retract, numbers: -1}
	n := 0
	for i, c := range calls {
		a.off = append(a.off, n)
		n += len(c.fields(retract))
		keeps := c.Fn.Keep != funcs.KeepNone && retract
		a.arrivals = a.arrivals || c.Fn.Arrival && !keeps
		switch {
		case c.Fn.Extreme != funcs.NoExtreme && retract:
			a.extremes = append(a.extremes, &extremes{call: i})
		case keeps:
			a.addValues(i)
			if c.Distinct {
				a.addDistinct(i)
			}
		case c.Distinct && c.Fn.Extreme == funcs.NoExtreme:
			a.addDistinct(i)
		default:
			a.plain = append(a.plain, i)
		}
	}
	return a
}

// sides tells whether the calls have side tables.
func (a *accs) sides() bool { return a.distinct != nil || a.extremes != nil || a.values != nil }

// fields are a call's columns in the main table: a list that rows can be taken back
// from stands beside it alone.
func (c *AggCall) fields(retract bool) []batch.Field {
	if retract && c.Fn.Growing() {
		return nil
	}
	return c.Fn.State
}

// types returns the types of the columns in the main table.
func (a *accs) types() (t []batch.Type) {
	for i := range a.calls {
		for _, f := range a.calls[i].fields(a.retract) {
			t = append(t, f.Type)
		}
	}
	if a.numbers >= 0 {
		t = append(t, batch.TypeBigInt)
	}
	return t
}

// tables makes the side tables. group are the types of the main table's key; if
// bucket >= 0 that column of it is a time by which rows are dropped.
func (a *accs) tables(env *Env, ident string, in *batch.Schema, group []batch.Type, bucket int, ttl int64) {
	for _, d := range a.distinct {
		d.table(a, env, ident, in, group, bucket, ttl)
	}
	for _, x := range a.extremes {
		c := a.calls[x.call]
		x.sideTable = newSideTable(env, ident, fmt.Sprintf("values%d", x.call), group, types(in, c.Args), []batch.Type{batch.TypeBigInt}, bucket, ttl)
		x.order = state.NewOrdered(x.t, len(group), []state.By{{Col: len(group)}}, -1)
	}
	for _, v := range a.values {
		v.table(a, env, ident, in, group, bucket, ttl)
	}
}

// expire drops side rows past their time to live.
func (a *accs) expire(now int64) {
	for _, d := range a.distinct {
		d.t.Expire(now, nil)
	}
	for _, x := range a.extremes {
		x.t.Expire(now, x.order.Remove)
	}
	for _, v := range a.values {
		v.t.Expire(now, v.unindex)
	}
}

// drop forgets the side rows with a time up to t.
func (a *accs) drop(t int64) {
	for _, d := range a.distinct {
		d.drop(t, nil)
	}
	for _, x := range a.extremes {
		x.drop(t, x.order.Remove)
	}
	for _, v := range a.values {
		v.drop(t, v.unindex)
	}
}

// update adds rows sel of b to the accumulators ids (by batch row) of main. key
// and place are the group's key columns and placement hashes, for side tables.
func (a *accs) update(main *state.Table, ids []batch.RowID, b *batch.Batch, sel []int32, key []batch.Vec, place []uint64) {
	if a.arrivals {
		a.number(main, b, sel, place)
	}
	for _, i := range a.plain {
		c := &a.calls[i]
		c.Fn.Update(main.Pages, a.base+a.off[i], ids, a.argsOf(c, b), b.W, a.filter(c, b, sel))
	}
	if a.distinct != nil {
		a.updateDistinct(main, ids, b, sel, key, place)
	}
	for _, x := range a.extremes {
		x.update(a, b, a.filter(&a.calls[x.call], b, sel), key, place)
	}
	for _, v := range a.values {
		if !v.distinct { // else its values come from distinct
			v.update(b, a.filter(&a.calls[v.calls[0]], b, sel), b.W, key, place)
		}
	}
}

// number gives rows sel the numbers of their arrival.
func (a *accs) number(main *state.Table, b *batch.Batch, sel []int32, place []uint64) {
	a.seq.Kind = batch.Int
	a.seq.Resize(b.N)
	for _, i := range sel {
		a.seq.I[i] = int64(main.Seq(batch.ShardOf(place[i])))
	}
}

// argsOf returns what a call's Update takes, until the next call.
func (a *accs) argsOf(c *AggCall, b *batch.Batch) []*batch.Vec {
	a.args = a.args[:0]
	for _, x := range c.Args {
		a.args = append(a.args, &b.Cols[x])
	}
	if c.Fn.Arrival {
		a.args = append(a.args, &a.seq)
	}
	return a.args
}

// filter returns the rows of sel for which the call's FILTER is TRUE.
func (a *accs) filter(c *AggCall, b *batch.Batch, sel []int32) []int32 {
	if c.Filter < 0 {
		return sel
	}
	f := &b.Cols[c.Filter]
	a.sel = slices.Grow(a.sel[:0], len(sel))[:len(sel)]
	n := 0
	if f.Null == nil {
		// Fast path, without branches that a random condition makes hard to foresee.
		for _, i := range sel {
			a.sel[n] = i
			n += int(b2i(f.B[i]))
		}
		return a.sel[:n]
	}
	for _, i := range sel {
		if f.B[i] && !f.IsNull(int(i)) {
			a.sel[n] = i
			n++
		}
	}
	return a.sel[:n]
}

// merge adds the accumulators sids of src to dids of dst, pairwise; their columns
// begin at dbase and sbase. Not for calls with side tables.
func (a *accs) merge(dst []*batch.Page, dbase int, dids []batch.RowID, src []*batch.Page, sbase int, sids []batch.RowID) {
	for i, c := range a.calls {
		c.Fn.Merge(dst, dbase+a.off[i], dids, src, sbase+a.off[i], sids)
	}
}

// results appends the calls' values of rows ids to cols; their columns begin at
// base.
func (a *accs) results(pages []*batch.Page, base int, ids []batch.RowID, cols []batch.Vec, fail func(k int, msg string, at Span)) {
	for i := range a.calls {
		c := &a.calls[i]
		told := func(k int, msg string) { fail(k, msg, c.Span) }
		if v := a.valuesOf(i); v != nil && c.Fn.Growing() {
			v.results(c.Fn, pages, ids, &cols[i], told)
			continue
		}
		c.Fn.Result(pages, base+a.off[i], ids, &cols[i], told)
	}
}

// settle ends a step: side rows whose count has come to zero go, one below zero
// is a bad retraction, and the extremes of the touched groups ids are found.
func (a *accs) settle(env *Env, main *state.Table, ids []batch.RowID, nk int) error {
	for _, d := range a.distinct {
		if err := d.settle(env); err != nil {
			return err
		}
	}
	for _, x := range a.extremes {
		if err := x.settle(env, x.zero, x.order.Remove); err != nil {
			return err
		}
		x.find(a, main, ids, nk)
	}
	for _, v := range a.values {
		if err := v.settle(env, a, main, ids); err != nil {
			return err
		}
	}
	return nil
}

// sideTable is a table beside the main one: key = the group's key, then values.
type sideTable struct {
	t       *state.Table
	buckets *state.Buckets // by the time column of the key; nil = none
	nk      int            // columns of the group's key
	nv      int            // columns of the value in the key
	check   []batch.RowID  // rows to look at when the step ends
	key     []batch.Vec
	ids     []batch.RowID
	keys    keys
}

func newSideTable(env *Env, ident, layout string, group, value, val []batch.Type, bucket int, ttl int64) sideTable {
	s := sideTable{nk: len(group), nv: len(value)}
	s.t = env.State.Table(state.Spec{Op: ident, Layout: layout, Version: 1, Key: append(slices.Clone(group), value...), Val: val, TTL: ttl})
	if bucket >= 0 {
		s.buckets = state.NewBuckets(s.t, bucket)
	}
	return s
}

// rows finds or inserts the side rows of sel; inserted says which are new.
func (s *sideTable) rows(b *batch.Batch, args []int, sel []int32, key []batch.Vec, place []uint64, inserted func(id batch.RowID)) []batch.RowID {
	s.key = append(s.key[:0], key...)
	for _, c := range args {
		s.key = append(s.key, b.Cols[c])
	}
	s.keys.grow(b.N)
	batch.HashRows(s.key, sel, b.N, s.keys.hash)
	if cap(s.ids) < b.N {
		s.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := s.ids[:b.N]
	for _, i := range s.t.Rows(s.key, place, s.keys.hash, sel, b.N, ids) {
		s.check = append(s.check, ids[i])
		if inserted != nil {
			inserted(ids[i])
		}
		if s.buckets != nil {
			s.buckets.Insert(ids[i])
		}
	}
	return ids
}

// settle looks at the rows of the step that may have come to zero.
func (s *sideTable) settle(env *Env, zero func(p *batch.Page, slot int) (all, below bool), remove func(batch.RowID)) error {
	for _, id := range s.check {
		p, slot := s.t.At(id)
		if !p.IsLive(slot) {
			continue
		}
		all, below := zero(p, slot)
		if below {
			if err := env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
				return err
			}
		}
		if all {
			s.remove(id, remove)
		}
	}
	s.check = s.check[:0]
	return nil
}

func (s *sideTable) remove(id batch.RowID, remove func(batch.RowID)) {
	if remove != nil {
		remove(id)
	}
	if s.buckets != nil {
		s.buckets.Remove(id)
	}
	s.t.Delete(id)
}

// drop deletes all rows with a time up to t.
func (s *sideTable) drop(t int64, remove func(batch.RowID)) {
	s.buckets.Due(t, func(_ int64, ids []batch.RowID) {
		for _, id := range ids {
			s.remove(id, remove)
		}
	})
	s.buckets.Drop(t)
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// extremes keeps all values of a MIN or MAX whose rows can be taken back.
type extremes struct {
	sideTable
	call  int
	order *state.Ordered
	sel   []int32
}

func (x *extremes) update(a *accs, b *batch.Batch, sel []int32, key []batch.Vec, place []uint64) {
	args := a.calls[x.call].Args
	v := &b.Cols[args[0]]
	x.sel = x.sel[:0]
	for _, i := range sel {
		if !v.IsNull(int(i)) {
			x.sel = append(x.sel, i)
		}
	}
	if len(x.sel) == 0 {
		return
	}
	ids := x.rows(b, args, x.sel, key, place, x.order.Insert)
	for _, i := range x.sel {
		p, s := x.t.At(ids[i])
		n := &p.Cols[x.nk+1].I[s]
		*n += b.Weight(int(i))
		if *n <= 0 {
			x.check = append(x.check, ids[i])
		}
		x.t.Touch(ids[i])
	}
}

func (x *extremes) zero(p *batch.Page, slot int) (all, below bool) {
	n := p.Cols[x.nk+1].I[slot]
	return n <= 0, n < 0
}

// find writes the extreme of each group into its accumulator.
func (x *extremes) find(a *accs, main *state.Table, ids []batch.RowID, nk int) {
	fn := a.calls[x.call].Fn
	for _, id := range ids {
		p, s := main.At(id)
		g := x.order.Group(p.Cols[:nk], s, uint64(p.Shard), batch.HashRow(p.Cols[:nk], s))
		if g == 0 {
			fn.Put(main.Pages, a.base+a.off[x.call], id, nil, 0)
			continue
		}
		best := x.order.First(g)
		if fn.Extreme == funcs.Largest {
			best = x.order.Last(g)
			// NaN is the largest value but the last choice.
			if q, t := x.t.At(best); q.Cols[nk].Kind == batch.Float && q.Cols[nk].F[t] != q.Cols[nk].F[t] {
				if prev := x.order.Prev(best); prev != 0 {
					best = prev
				}
			}
		}
		q, t := x.t.At(best)
		fn.Put(main.Pages, a.base+a.off[x.call], id, &q.Cols[nk], t)
	}
}
