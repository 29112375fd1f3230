package funcs

import (
	"fmt"

	"github.com/streamd/streamd/batch"
)

func init() {
	registerAgg(AggFunc{Name: "BOOL_AND", Aliases: []string{"EVERY"}, Syntax: "BOOL_AND(b)", Doc: "TRUE where all conditions that are not NULL are TRUE; NULL if there are none. Flink has no such function.",
		Example: "BOOL_AND(b) of TRUE, NULL, FALSE", Result: "false", Bind: bindTruth("BOOL_AND", true)})
	registerAgg(AggFunc{Name: "BOOL_OR", Syntax: "BOOL_OR(b)", Doc: "TRUE where at least one condition is TRUE; NULL if all are NULL. Flink has no such function.",
		Example: "BOOL_OR(b) of TRUE, NULL, FALSE", Result: "true", Bind: bindTruth("BOOL_OR", false)})
	for _, f := range []AggFunc{
		{Name: "BIT_AND", Doc: "The bits that all integers have; NULL if there are none. Flink has no such function.", Example: "BIT_AND(x) of 7, NULL, 14", Result: "6",
			Bind: bindBits("BIT_AND", func(ones, n int64) bool { return ones == n })},
		{Name: "BIT_OR", Doc: "The bits that any of the integers has; NULL if there are none. Flink has no such function.", Example: "BIT_OR(x) of 1, NULL, 4", Result: "5",
			Bind: bindBits("BIT_OR", func(ones, _ int64) bool { return ones > 0 })},
		{Name: "BIT_XOR", Doc: "The bits that an odd number of the integers has; NULL if there are none. Flink has no such function.", Example: "BIT_XOR(x) of 3, NULL, 6", Result: "5",
			Bind: bindBits("BIT_XOR", func(ones, _ int64) bool { return ones&1 != 0 })},
	} {
		f.Syntax = f.Name + "(x)"
		registerAgg(f)
	}
}

func bindTruth(name string, all bool) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		isBool := func(t batch.Type) bool { return t.SQL == batch.Boolean || t.SQL == batch.Null }
		if err := oneArg(name, args, isBool, "a condition"); err != nil {
			return nil, err
		}
		return &Agg{Name: name, Out: batch.TypeBool, State: []batch.Field{{Name: "n", Type: bigint}, {Name: "true", Type: bigint}}, k: truth{all}}, nil
	}
}

// truth keeps how many values there are and how many of them are TRUE, so that rows
// can be taken back.
type truth struct{ all bool }

func (truth) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s, n := p[ids[i]>>batch.PageBits].Cols[at:at+2], ids[i]&batch.SlotMask, weight(w, i)
		c[0].I[s] += n
		if x.B[i] {
			c[1].I[s] += n
		}
	}
}

func (truth) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	addCounts(dst, dat, dids, src, sat, sids, 2)
}

func (t truth) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+2], id&batch.SlotMask
		switch n, yes := c[0].I[s], c[1].I[s]; {
		case n == 0:
			out.AppendNull()
		case t.all:
			out.AppendBool(yes == n)
		default:
			out.AppendBool(yes > 0)
		}
	}
}

// bindBits makes a function of how many of n values have a bit.
func bindBits(name string, has func(ones, n int64) bool) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		if err := oneArg(name, args, batch.Type.IsInteger, "an integer"); err != nil {
			return nil, err
		}
		width := map[batch.SQLType]int{batch.TinyInt: 8, batch.SmallInt: 16, batch.Integer: 32, batch.BigInt: 64}[args[0].SQL]
		a := &Agg{Name: name, Out: args[0].With(false), State: []batch.Field{{Name: "n", Type: bigint}}, k: bitCounts{width, has}}
		for b := range width {
			a.State = append(a.State, batch.Field{Name: fmt.Sprintf("b%d", b), Type: bigint})
		}
		return a, nil
	}
}

// bitCounts keeps how many values there are, and for each bit how many of them have it,
// so that rows can be taken back.
type bitCounts struct {
	width int
	has   func(ones, n int64) bool
}

func (k bitCounts) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s, n := p[ids[i]>>batch.PageBits].Cols[at:at+1+k.width], ids[i]&batch.SlotMask, weight(w, i)
		c[0].I[s] += n
		for b := range k.width {
			c[1+b].I[s] += n * (x.I[i] >> b & 1)
		}
	}
}

func (k bitCounts) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	addCounts(dst, dat, dids, src, sat, sids, 1+k.width)
}

func (k bitCounts) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+1+k.width], id&batch.SlotMask
		n := c[0].I[s]
		if n == 0 {
			out.AppendNull()
			continue
		}
		var v int64
		for b := range k.width {
			if k.has(c[1+b].I[s], n) {
				v |= 1 << b
			}
		}
		// The highest bit of the type is the sign.
		out.AppendInt(v << (64 - k.width) >> (64 - k.width))
	}
}

// addCounts adds n columns of counts.
func addCounts(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID, n int) {
	for k, s := range sids {
		d := dids[k]
		to, from := dst[d>>batch.PageBits].Cols[dat:dat+n], src[s>>batch.PageBits].Cols[sat:sat+n]
		for j := range n {
			to[j].I[d&batch.SlotMask] += from[j].I[s&batch.SlotMask]
		}
	}
}
