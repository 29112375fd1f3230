package funcs

import "github.com/streamd/streamd/batch"

func init() {
	registerAgg(AggFunc{Name: "MIN", Syntax: "MIN(x)", Doc: "Smallest value that is not NULL.", Example: "MIN(x) of 'b', 'a', NULL", Result: "a", Bind: bindExtreme("MIN", Smallest)})
	registerAgg(AggFunc{Name: "MAX", Syntax: "MAX(x)", Doc: "Largest value that is not NULL.", Example: "MAX(x) of 5, 3, 5", Result: "5", Bind: bindExtreme("MAX", Largest)})
}

func bindExtreme(name string, e Extreme) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		ok := func(t batch.Type) bool { return t.SQL < batch.RowType }
		if err := oneArg(name, args, ok, "a value that can be ordered"); err != nil {
			return nil, err
		}
		out := args[0].With(false)
		return &Agg{Name: name, Out: out, Extreme: e, k: extreme{e},
			State: []batch.Field{{Name: "n", Type: bigint}, {Name: "v", Type: out}}}, nil
	}
}

// extreme keeps whether there is a value, and the value. It only takes rows in.
type extreme struct{ Extreme }

// Better tells whether row i of x should replace row j of y. NaN is taken only
// when there is nothing else.
func (e Extreme) Better(x *batch.Vec, i int, y *batch.Vec, j int) bool {
	if x.Kind == batch.Float && e == Largest {
		if a, b := x.F[i], y.F[j]; a != a || b != b {
			return a == a
		}
	}
	c := batch.Compare(x, i, y, j)
	return e == Smallest && c < 0 || e == Largest && c > 0
}

func (e extreme) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, _ []int64, sel []int32) {
	x := args[0]
	if x.Kind == batch.Int {
		e.updateInt(p, at, ids, x, sel)
		return
	}
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+2], ids[i]&batch.SlotMask
		if c[0].I[s] == 0 || e.Better(x, int(i), &c[1], int(s)) {
			c[0].I[s] = 1
			SetCell(&c[1], int(s), x, int(i))
		}
	}
}

func (e extreme) updateInt(p []*batch.Page, at int, ids []batch.RowID, x *batch.Vec, sel []int32) {
	small := e.Extreme == Smallest
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+2], ids[i]&batch.SlotMask
		v := x.I[i]
		if c[0].I[s] == 0 || small && v < c[1].I[s] || !small && v > c[1].I[s] {
			c[0].I[s] = 1
			c[1].I[s] = v
		}
	}
}

func (e extreme) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+2], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+2], sid&batch.SlotMask
		if c[0].I[s] != 0 && (d[0].I[ds] == 0 || e.Better(&c[1], int(s), &d[1], int(ds))) {
			d[0].I[ds] = 1
			SetCell(&d[1], int(ds), &c[1], int(s))
		}
	}
}

func (e extreme) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+2], id&batch.SlotMask
		if c[0].I[s] == 0 {
			out.AppendNull()
			continue
		}
		out.AppendFrom(&c[1], int(s))
	}
}

// Put writes row i of v as the extreme of accumulator id, or that there is none
// when v is nil.
func (a *Agg) Put(p []*batch.Page, at int, id batch.RowID, v *batch.Vec, i int) {
	c, s := p[id>>batch.PageBits].Cols[at:at+2], id&batch.SlotMask
	if v == nil {
		c[0].I[s] = 0
		return
	}
	c[0].I[s] = 1
	SetCell(&c[1], int(s), v, i)
}

// SetCell overwrites row j of dst, a column that is not nested, with row i of src.
func SetCell(dst *batch.Vec, j int, src *batch.Vec, i int) {
	if src.IsNull(i) {
		dst.SetNull(j, dst.Len())
		return
	}
	if dst.Null != nil {
		dst.Null[j>>6] &^= 1 << (j & 63)
	}
	switch dst.Kind {
	case batch.Bool:
		dst.B[j] = src.B[i]
	case batch.Int:
		dst.I[j] = src.I[i]
	case batch.Float:
		dst.F[j] = src.F[i]
	case batch.Wide:
		dst.Hi[j], dst.Lo[j] = src.Hi[i], src.Lo[i]
	case batch.Str:
		setBytes(dst, j, src.Bytes(i))
	default:
		panic("BUG: SetCell of a nested column")
	}
}

// setBytes overwrites row j of a Str column: in place where the new value is not
// longer, else behind the others; an arena that is mostly garbage is packed first.
func setBytes(v *batch.Vec, j int, b []byte) {
	old := v.View[j]
	if int(old&0xffffffff) >= len(b) && len(b) > 0 {
		copy(v.Data[old>>32:], b)
		v.View[j] = old>>32<<32 | uint64(len(b))
		return
	}
	if len(v.Data)+len(b) > cap(v.Data) && len(v.Data) > 4096 {
		live := 0
		for _, w := range v.View {
			live += int(w & 0xffffffff)
		}
		if 2*live < len(v.Data) {
			pack(v, live+len(b))
		}
	}
	v.PutBytes(j, b)
}

func pack(v *batch.Vec, n int) {
	data := make([]byte, 0, 2*n)
	for j, w := range v.View {
		o, l := w>>32, w&0xffffffff
		v.View[j] = uint64(len(data))<<32 | l
		data = append(data, v.Data[o:o+l]...)
	}
	v.Data = data
}
