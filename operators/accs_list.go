package operators

import (
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/state"
)

// listed keeps all values of FIRST_VALUE, LAST_VALUE, LISTAGG, ARRAY_AGG and
// COLLECT where rows can be taken back; calls of the same values share them.
//
//	O{g, v, seq -> n}, by value and by seq     seq is 0 for COLLECT alone
//
// A row that is taken back takes the oldest equal value. One that comes before
// what it takes back leaves a debt, n < 0, which the next equal value pays; a value
// has either rows with n > 0 or one debt.
//
// Example: +1 +2 +1 -1 keeps (2, seq 2) and (1, seq 3): the first is 2.
type listed struct {
	sideTable
	args     []int
	filter   int
	distinct bool
	nulls    bool
	bag      bool
	calls    []int // by place in accs.calls

	order   *state.Ordered // a group's rows by seq, or by value for a bag
	byValue *state.Ordered // a value's rows by seq; nil for a bag
	col     int            // the value's column
	seq     batch.Vec
	sel     []int32
	items   []funcs.Item
}

// addValues gives a call its values.
func (a *accs) addValues(call int) {
	c := &a.calls[call]
	bag := c.Fn.Keep == funcs.KeepBag
	for _, v := range a.values {
		if slices.Equal(v.args, c.Args) && v.filter == c.Filter && v.distinct == c.Distinct && v.nulls == c.Fn.Nulls && v.bag == bag {
			v.calls = append(v.calls, call)
			return
		}
	}
	a.values = append(a.values, &listed{args: c.Args, filter: c.Filter, distinct: c.Distinct, nulls: c.Fn.Nulls, bag: bag, calls: []int{call}})
}

// valuesOf returns the values of a call, nil if it has none.
func (a *accs) valuesOf(call int) *listed {
	for _, v := range a.values {
		if slices.Contains(v.calls, call) {
			return v
		}
	}
	return nil
}

func (v *listed) table(a *accs, env *Env, ident string, in *batch.Schema, group []batch.Type, bucket int, ttl int64) {
	v.col = len(group)
	key := append(types(in, v.args), batch.TypeBigInt)
	v.sideTable = newSideTable(env, ident, fmt.Sprintf("list%d", v.calls[0]), group, key, []batch.Type{batch.TypeBigInt}, bucket, ttl)
	if v.bag {
		v.order = state.NewOrdered(v.t, v.nk, []state.By{{Col: v.col}}, -1)
		return
	}
	v.order = state.NewOrdered(v.t, v.nk, nil, v.col+1)
	v.byValue = state.NewOrdered(v.t, v.nk+1, nil, v.col+1)
}

func (v *listed) unindex(id batch.RowID) {
	v.order.Remove(id)
	if v.byValue != nil {
		v.byValue.Remove(id)
	}
}

// update adds rows sel of b, weighted by w (nil = +1).
func (v *listed) update(b *batch.Batch, sel []int32, w []int64, key []batch.Vec, place []uint64) {
	v.sel = v.sel[:0]
	for _, i := range sel {
		if v.nulls || !b.Cols[v.args[0]].IsNull(int(i)) {
			v.sel = append(v.sel, i)
		}
	}
	if len(v.sel) == 0 {
		return
	}
	v.seq.Kind = batch.Int
	v.seq.Resize(b.N)
	clear(v.seq.I)
	v.key = append(append(v.key[:0], key...), b.Cols[v.args[0]])
	v.keys.grow(b.N)
	if !v.bag {
		batch.HashRows(v.key, v.sel, b.N, v.keys.hash)
	}
	full := append(v.key, v.seq)
	for _, i := range v.sel {
		n := int64(1)
		if w != nil {
			n = w[i]
		}
		switch {
		case v.bag:
			v.add(full, i, n, place[i])
		case n > 0:
			v.put(full, i, n, place[i])
		case n < 0:
			v.take(full, i, -n, place[i])
		}
	}
}

// add changes the count of the value and seq in row i.
func (v *listed) add(full []batch.Vec, i int32, n int64, place uint64) {
	id, fresh := v.t.Rows1(full, int(i), place, batch.HashRow(full, int(i)))
	if fresh {
		v.order.Insert(id)
		if v.byValue != nil {
			v.byValue.Insert(id)
		}
		if v.buckets != nil {
			v.buckets.Insert(id)
		}
	}
	m := v.count(id)
	if *m += n; *m <= 0 {
		v.check = append(v.check, id)
	}
	v.t.Touch(id)
}

func (v *listed) count(id batch.RowID) *int64 {
	p, s := v.t.At(id)
	return &p.Cols[v.col+2].I[s]
}

// oldest returns the oldest row of the value in row i, or its debt.
func (v *listed) oldest(full []batch.Vec, i int32, place uint64) batch.RowID {
	g := v.byValue.Group(full[:v.nk+1], int(i), place, v.keys.hash[i])
	if g == 0 {
		return 0
	}
	return v.byValue.First(g)
}

// put adds n values of row i.
func (v *listed) put(full []batch.Vec, i int32, n int64, place uint64) {
	if id := v.oldest(full, i, place); id != 0 && *v.count(id) < 0 {
		paid := min(n, -*v.count(id))
		v.change(id, paid)
		n -= paid
	}
	if n > 0 {
		v.seq.I[i] = int64(v.t.Seq(batch.ShardOf(place)))
		v.add(full, i, n, place)
	}
}

// take removes the n oldest values of row i, or leaves a debt.
func (v *listed) take(full []batch.Vec, i int32, n int64, place uint64) {
	for n > 0 {
		id := v.oldest(full, i, place)
		if id == 0 {
			v.seq.I[i] = int64(v.t.Seq(batch.ShardOf(place)))
			v.add(full, i, -n, place)
			return
		}
		took := n
		if have := *v.count(id); have > 0 {
			took = min(n, have)
		}
		v.change(id, -took)
		n -= took
	}
}

// change adds n to a row's count and removes it at 0.
func (v *listed) change(id batch.RowID, n int64) {
	m := v.count(id)
	if *m += n; *m == 0 {
		v.remove(id, v.unindex)
		return
	}
	v.t.Touch(id)
}

func (v *listed) zero(p *batch.Page, slot int) (all, below bool) {
	n := p.Cols[v.col+2].I[slot]
	return n <= 0, n < 0
}

// group returns the group of row id of the main table, 0 if it has no values.
func (v *listed) group(main []*batch.Page, id batch.RowID) state.Group {
	p, s := main[id>>batch.PageBits], int(id&batch.SlotMask)
	return v.order.Group(p.Cols[:v.nk], s, uint64(p.Shard), batch.HashRow(p.Cols[:v.nk], s))
}

// settle ends a step: what FIRST_VALUE and LAST_VALUE found stands in the groups'
// accumulators from now on.
func (v *listed) settle(env *Env, a *accs, main *state.Table, ids []batch.RowID) error {
	if err := v.sideTable.settle(env, v.zero, v.unindex); err != nil {
		return err
	}
	all := false
	for _, call := range v.calls {
		fn := a.calls[call].Fn
		if fn.Keep != funcs.KeepFirst && fn.Keep != funcs.KeepLast {
			all = true
			continue
		}
		for _, id := range ids {
			g := v.group(main.Pages, id)
			if g == 0 {
				fn.Put(main.Pages, a.base+a.off[call], id, nil, 0)
				continue
			}
			at := v.order.First(g)
			if fn.Keep == funcs.KeepLast {
				at = v.order.Last(g)
			}
			if v.t.Spec.TTL > 0 {
				v.t.Touch(at) // what is shown lives as long as its group
			}
			q, t := v.t.At(at)
			fn.Put(main.Pages, a.base+a.off[call], id, &q.Cols[v.col], t)
		}
	}
	if all && v.t.Spec.TTL > 0 {
		v.keep(main, ids)
	}
	return nil
}

// keep makes the values of touched groups live as long as the groups: a list is
// read from them again when it is taken back.
func (v *listed) keep(main *state.Table, ids []batch.RowID) {
	for _, id := range ids {
		if g := v.group(main.Pages, id); g != 0 {
			for at := v.order.First(g); at != 0; at = v.order.Next(at) {
				v.t.Touch(at)
			}
		}
	}
}

// results appends the lists of groups to out.
func (v *listed) results(fn *funcs.Agg, main []*batch.Page, ids []batch.RowID, out *batch.Vec, fail funcs.Fail) {
	for k, id := range ids {
		v.items = v.items[:0]
		if g := v.group(main, id); g != 0 {
			for at := v.order.First(g); at != 0; at = v.order.Next(at) {
				if n := *v.count(at); n > 0 {
					p, s := v.t.At(at)
					v.items = append(v.items, funcs.Item{V: &p.Cols[v.col], I: s, N: n})
				}
			}
		}
		if msg := fn.Listed(v.items, out); msg != "" {
			fail(k, msg)
		}
	}
}
