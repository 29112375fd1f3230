package funcs

import (
	"github.com/streamd/streamd/batch"
)

func init() {
	registerAgg(AggFunc{Name: "FIRST_VALUE", Syntax: "FIRST_VALUE(x)", Doc: "The value that came first, NULLs left out. Where rows are taken back, the oldest one that is left.",
		Example: "FIRST_VALUE(x) of NULL, 1, 2", Result: "1", Bind: bindFirst("FIRST_VALUE", KeepFirst)})
	registerAgg(AggFunc{Name: "LAST_VALUE", Syntax: "LAST_VALUE(x)", Doc: "The value that came last, NULLs left out. Where rows are taken back, the newest one that is left.",
		Example: "LAST_VALUE(x) of 1, 2, NULL", Result: "2", Bind: bindFirst("LAST_VALUE", KeepLast)})
}

func bindFirst(name string, keep Keep) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		if err := oneArg(name, args, func(t batch.Type) bool { return t.SQL < batch.RowType }, "a value that is not nested"); err != nil {
			return nil, err
		}
		out := args[0].With(false)
		return &Agg{Name: name, Out: out, Keep: keep, Arrival: true, k: first{last: keep == KeepLast},
			State: []batch.Field{{Name: "n", Type: bigint}, {Name: "v", Type: out}, {Name: "seq", Type: bigint}}}, nil
	}
}

// first keeps whether there is a value, the value, and the number of its arrival,
// by which parts are merged. It only takes rows in.
type first struct{ last bool }

func (f first) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x, seq := args[0], args[1].I
	for _, i := range sel {
		if x.IsNull(int(i)) || weight(w, i) <= 0 {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+3], ids[i]&batch.SlotMask
		if c[0].I[s] == 0 || f.last == (seq[i] > c[2].I[s]) {
			c[0].I[s], c[2].I[s] = 1, seq[i]
			SetCell(&c[1], int(s), x, int(i))
		}
	}
}

func (f first) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+3], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+3], sid&batch.SlotMask
		if c[0].I[s] != 0 && (d[0].I[ds] == 0 || f.last == (c[2].I[s] > d[2].I[ds])) {
			d[0].I[ds], d[2].I[ds] = 1, c[2].I[s]
			SetCell(&d[1], int(ds), &c[1], int(s))
		}
	}
}

func (first) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	extreme{}.result(p, at, ids, out, fail)
}
