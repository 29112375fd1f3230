package operators

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// distinct tells which values of f(DISTINCT x) are new, for each call apart, since
// each has its FILTER; one table serves all calls of x. Where rows are only added
// it keeps a bit a call, else a number a call:
//
//	T{g, x -> bits}         a value counts for call k once bit k is set
//	T{g, x -> n per call}   a value counts while its number is above zero
//
// Example, COUNT(DISTINCT x) where rows can be taken back: +a gives n = 1, the
// count goes up; +a gives n = 2; -a, -a bring n to 0 and the count down. A -a that
// comes first makes n = -1 and changes nothing; the +a after it neither.
//
// g is the group's key, or where that is more than an integer the number that the
// main table gave the group: an integer is kept once a value, hashed and compared.
type distinct struct {
	sideTable
	args  []int
	calls []int
	bits  bool

	w     []int64
	sel   []int32  // rows whose value is not NULL
	mask  []uint64 // by batch row: the calls that it is of
	some  []int32  // rows that are of some call
	fresh []int32  // rows whose value is new to some call
	news  []uint64 // parallel to fresh: to which calls
	moved []int32  // rows that make a value count, or no longer count, for one call
}

// maskBits is how many calls share a column of bits.
const maskBits = 64

func (a *accs) addDistinct(call int) {
	for _, d := range a.distinct {
		if slices.Equal(d.args, a.calls[call].Args) {
			d.calls = append(d.calls, call)
			return
		}
	}
	a.distinct = append(a.distinct, &distinct{args: a.calls[call].Args, calls: []int{call}, bits: !a.retract})
}

// numberGroups makes the main table, whose key is of the types key, number its
// groups if that makes the tables of distinct values smaller.
func (a *accs) numberGroups(key []batch.Type) {
	if a.distinct == nil || len(key) == 0 || len(key) == 1 && key[0].Kind() == batch.Int {
		return
	}
	a.numbers = len(a.types())
}

func (d *distinct) table(a *accs, env *Env, ident string, in *batch.Schema, group []batch.Type, bucket int, ttl int64) {
	n, layout := len(d.calls), "distinct"
	if d.bits {
		n, layout = (n+maskBits-1)/maskBits, "seen"
	}
	if a.numbers >= 0 {
		group = []batch.Type{batch.TypeBigInt}
	}
	d.sideTable = newSideTable(env, ident, fmt.Sprintf("%s%v", layout, names(in, d.args)), group, types(in, d.args),
		slices.Repeat([]batch.Type{batch.TypeBigInt}, n), bucket, ttl)
}

// updateDistinct is update of the calls with DISTINCT.
func (a *accs) updateDistinct(main *state.Table, ids []batch.RowID, b *batch.Batch, sel []int32, key []batch.Vec, place []uint64) {
	group := key
	if a.numbers >= 0 {
		group = a.numbersOf(main, ids, b.N, sel)
	}
	for _, d := range a.distinct {
		sel := sel
		if !d.nulls(a) {
			sel = d.notNull(b, sel)
		}
		switch {
		case len(sel) == 0:
		case d.bits:
			d.mark(a, main, ids, b, sel, group, place)
		default:
			d.count(a, main, ids, b, sel, group, key, place)
		}
	}
}

// numbersOf returns the numbers of the groups of rows sel, new ones where groups
// are new. Zero is no number.
func (a *accs) numbersOf(main *state.Table, ids []batch.RowID, n int, sel []int32) []batch.Vec {
	if a.group == nil {
		a.group = []batch.Vec{{Kind: batch.Int}}
	}
	v := &a.group[0]
	v.Resize(n)
	at := a.base + a.numbers
	for _, i := range sel {
		p, s := main.Pages[ids[i]>>batch.PageBits], ids[i]&batch.SlotMask
		x := &p.Cols[at].I[s]
		if *x == 0 {
			*x = int64(main.Seq(p.Shard))
		}
		v.I[i] = *x
	}
	return a.group
}

// mark adds rows sel to a table of bits.
func (d *distinct) mark(a *accs, main *state.Table, mids []batch.RowID, b *batch.Batch, sel []int32, group []batch.Vec, place []uint64) {
	for word := 0; word*maskBits < len(d.calls); word++ {
		calls := d.calls[word*maskBits : min(len(d.calls), (word+1)*maskBits)]
		sel := d.masks(a, calls, b, sel)
		if len(sel) == 0 {
			continue
		}
		ids := d.rows(b, d.args, sel, group, place, nil)
		d.fresh, d.news = d.fresh[:0], d.news[:0]
		var all uint64
		at := d.nk + d.nv + word
		for _, i := range sel {
			p, s := d.t.Pages[ids[i]>>batch.PageBits], ids[i]&batch.SlotMask
			had := &p.Cols[at].I[s]
			if news := d.mask[i] &^ uint64(*had); news != 0 {
				*had |= int64(news)
				all |= news
				d.fresh, d.news = append(d.fresh, i), append(d.news, news)
				p.Touch(s)
			}
		}
		if d.t.Spec.TTL > 0 {
			for _, i := range sel {
				d.t.Touch(ids[i])
			}
		}
		for ; all != 0; all &= all - 1 {
			k := bits.TrailingZeros64(all)
			c := &a.calls[calls[k]]
			c.Fn.Update(main.Pages, a.base+a.off[calls[k]], mids, a.argsOf(c, b), nil, d.freshOf(k))
		}
	}
}

// masks finds the calls that each row is of, and returns the rows that are of any.
func (d *distinct) masks(a *accs, calls []int, b *batch.Batch, sel []int32) []int32 {
	d.mask = slices.Grow(d.mask[:0], b.N)[:b.N]
	mask := d.mask
	always := uint64(0)
	for k, call := range calls {
		if a.calls[call].Filter < 0 {
			always |= 1 << k
		}
	}
	for _, i := range sel {
		mask[i] = always
	}
	for k, call := range calls {
		if c := a.calls[call].Filter; c >= 0 {
			f := &b.Cols[c]
			for _, i := range sel {
				mask[i] |= uint64(b2i(f.B[i] && !f.IsNull(int(i)))) << k
			}
		}
	}
	if always != 0 {
		return sel
	}
	d.some = d.some[:0]
	for _, i := range sel {
		if mask[i] != 0 {
			d.some = append(d.some, i)
		}
	}
	return d.some
}

// freshOf returns the fresh rows whose values are new to the k-th call.
func (d *distinct) freshOf(k int) []int32 {
	d.moved = d.moved[:0]
	for j, i := range d.fresh {
		if d.news[j]>>k&1 != 0 {
			d.moved = append(d.moved, i)
		}
	}
	return d.moved
}

// count adds rows sel to a table of numbers. group is what its key begins with, key
// the key of the main table.
func (d *distinct) count(a *accs, main *state.Table, mids []batch.RowID, b *batch.Batch, sel []int32, group, key []batch.Vec, place []uint64) {
	ids := d.rows(b, d.args, sel, group, place, nil)
	if cap(d.w) < b.N {
		d.w = make([]int64, b.N)
	}
	w := d.w[:b.N]
	for k, call := range d.calls {
		c := &a.calls[call]
		d.moved = d.moved[:0]
		for _, i := range a.filter(c, b, sel) {
			p, s := d.t.At(ids[i])
			n := &p.Cols[d.nk+d.nv+k].I[s]
			was := *n
			*n += b.Weight(int(i))
			if *n <= 0 {
				d.check = append(d.check, ids[i])
			}
			if w[i] = b2i(*n > 0) - b2i(was > 0); w[i] != 0 {
				d.moved = append(d.moved, i)
			}
			d.t.Touch(ids[i])
		}
		switch v := a.valuesOf(call); {
		case v == nil:
			c.Fn.Update(main.Pages, a.base+a.off[call], mids, a.argsOf(c, b), w, d.moved)
		case v.calls[0] == call: // the others share them
			v.update(b, d.moved, w, key, place)
		}
	}
}

// nulls tells whether one of the calls counts NULL as a value.
func (d *distinct) nulls(a *accs) bool {
	return slices.ContainsFunc(d.calls, func(call int) bool { return a.calls[call].Fn.Nulls })
}

// notNull returns the rows of sel whose arguments are not NULL.
func (d *distinct) notNull(b *batch.Batch, sel []int32) []int32 {
	if !slices.ContainsFunc(d.args, func(c int) bool { return b.Cols[c].Null != nil }) {
		return sel
	}
	d.sel = d.sel[:0]
rows:
	for _, i := range sel {
		for _, c := range d.args {
			if b.Cols[c].IsNull(int(i)) {
				continue rows
			}
		}
		d.sel = append(d.sel, i)
	}
	return d.sel
}

// settle ends a step. Bits are never taken back.
func (d *distinct) settle(env *Env) error {
	if d.bits {
		d.check = d.check[:0]
		return nil
	}
	return d.sideTable.settle(env, d.zero, nil)
}

// zero tells whether all counts of a row are zero, and sets those below to it.
func (d *distinct) zero(p *batch.Page, slot int) (all, below bool) {
	all = true
	for k := range d.calls {
		n := &p.Cols[d.nk+d.nv+k].I[slot]
		if *n < 0 {
			*n, below = 0, true
		}
		all = all && *n == 0
	}
	return all, below
}
