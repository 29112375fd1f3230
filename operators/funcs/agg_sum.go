package funcs

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	for _, f := range []AggFunc{
		{Name: "SUM", Doc: "Sum of the values that are not NULL; NULL if there are none.", Example: "SUM(x) of 1.50, NULL, 2.25", Result: "3.75", Bind: bindSum("SUM", false, false)},
		{Name: "SUM0", Doc: "Sum of the values that are not NULL; 0 if there are none.", Example: "SUM0(x) of CAST(NULL AS INT)", Result: "0", Bind: bindSum("SUM0", false, true)},
		{Name: "AVG", Doc: "Mean of the values that are not NULL; of integers an integer, truncated.", Example: "AVG(x) of 1, 2, 4", Result: "2", Bind: bindSum("AVG", true, false)},
	} {
		f.Syntax = f.Name + "(x)"
		registerAgg(f)
	}
}

func bindSum(name string, avg, zero bool) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		if err := oneArg(name, args, isNum, "a number"); err != nil {
			return nil, err
		}
		in := args[0]
		out := in.With(zero)
		if in.SQL == batch.Null {
			return nil, &expr.TypeError{Arg: 0, Msg: name + " of a bare NULL", Hint: "write CAST(NULL AS INT)"}
		}
		s := sum{avg: avg, zero: zero, scale: in.S}
		if in.SQL == batch.Decimal {
			out = batch.DecimalOf(38, in.S).With(zero)
			if avg {
				out.S = max(6, in.S)
			}
		}
		s.out = out
		a := &Agg{Name: name, Out: out, State: []batch.Field{{Name: "n", Type: bigint}}}
		switch in.Kind() {
		case batch.Float:
			for _, c := range []string{"s", "c"} {
				a.State = append(a.State, batch.Field{Name: c, Type: notNullDouble})
			}
			for _, c := range []string{"nan", "inf", "ninf"} {
				a.State = append(a.State, batch.Field{Name: c, Type: bigint})
			}
			a.k = floatSum{s}
		case batch.Wide:
			a.State = append(a.State, batch.Field{Name: "s", Type: wide}, batch.Field{Name: "top", Type: bigint})
			a.k = wideSum{s}
		default:
			a.State = append(a.State, batch.Field{Name: "s", Type: wide})
			a.k = intSum{s}
		}
		return a, nil
	}
}

// sum is what all sums have: n, the number of values, is their first column.
type sum struct {
	avg, zero bool
	out       batch.Type
	scale     int32
}

// intSum keeps n and an exact 128-bit sum of integers or scaled decimals: 2^63
// values of 2^63 fit.
type intSum struct{ sum }

func (intSum) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	// Fast path: weights +1, no NULL.
	if w == nil && x.Null == nil {
		for _, i := range sel {
			c, s := p[ids[i]>>batch.PageBits].Cols[at:at+2], ids[i]&batch.SlotMask
			c[0].I[s]++
			v := x.I[i]
			lo, carry := bits.Add64(c[1].Lo[s], uint64(v), 0)
			c[1].Lo[s], c[1].Hi[s] = lo, c[1].Hi[s]+v>>63+int64(carry)
		}
		return
	}
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+2], ids[i]&batch.SlotMask
		wt := weight(w, i)
		c[0].I[s] += wt
		t := c[1].Wide128(int(s)).Add(batch.MulInt64(x.I[i], wt))
		c[1].Hi[s], c[1].Lo[s] = t.Hi, t.Lo
	}
}

func (intSum) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+2], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+2], sid&batch.SlotMask
		d[0].I[ds] += c[0].I[s]
		t := d[1].Wide128(int(ds)).Add(c[1].Wide128(int(s)))
		d[1].Hi[ds], d[1].Lo[ds] = t.Hi, t.Lo
	}
}

func (a intSum) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	for k, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+2], id&batch.SlotMask
		a.emit(k, c[0].I[s], c[1].Wide128(int(s)), 0, false, out, fail)
	}
}

// wideSum keeps n and a 192-bit sum of 128-bit decimals: the third word holds
// what two 38-digit values overflow.
type wideSum struct{ sum }

func (wideSum) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+3], ids[i]&batch.SlotMask
		wt := weight(w, i)
		c[0].I[s] += wt
		v := x.Wide128(int(i))
		top := v.Hi >> 63
		if wt != 1 {
			v, top = mul192(v, wt)
		}
		addWide(c, s, v, top)
	}
}

// addWide adds a 192-bit number to columns n, s, top of a row.
func addWide(c []batch.Vec, s batch.RowID, v batch.Int128, top int64) {
	lo, k := bits.Add64(c[1].Lo[s], v.Lo, 0)
	hi, k := bits.Add64(uint64(c[1].Hi[s]), uint64(v.Hi), k)
	c[1].Lo[s], c[1].Hi[s] = lo, int64(hi)
	c[2].I[s] += top + int64(k)
}

// mul192 returns v*w as 192 bits in two's complement.
func mul192(v batch.Int128, w int64) (batch.Int128, int64) {
	neg := (v.Hi < 0) != (w < 0)
	h, l := v.Abs()
	u := uint64(w)
	if w < 0 {
		u = -u
	}
	c0, r0 := bits.Mul64(l, u)
	c1, r1 := bits.Mul64(h, u)
	r1, k := bits.Add64(r1, c0, 0)
	r2 := c1 + k
	if neg {
		r0, k = bits.Sub64(0, r0, 0)
		r1, k = bits.Sub64(0, r1, k)
		r2, _ = bits.Sub64(0, r2, k)
	}
	return batch.Int128{Hi: int64(r1), Lo: r0}, int64(r2)
}

func (wideSum) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+3], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+3], sid&batch.SlotMask
		d[0].I[ds] += c[0].I[s]
		addWide(d, ds, c[1].Wide128(int(s)), c[2].I[s])
	}
}

func (a wideSum) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	for k, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+3], id&batch.SlotMask
		a.emit(k, c[0].I[s], c[1].Wide128(int(s)), c[2].I[s], true, out, fail)
	}
}

// emit appends the sum or mean of n values whose sum is s, with third word top.
func (a sum) emit(k int, n int64, s batch.Int128, top int64, has3 bool, out *batch.Vec, fail Fail) {
	if n == 0 {
		if !a.zero {
			out.AppendNull()
			return
		}
		s, top = batch.Int128{}, 0
	}
	fits := !has3 || top == s.Hi>>63
	if out.Kind == batch.Wide {
		if a.avg {
			s, fits = a.mean(n, s, top, has3)
		}
		if fits {
			h, l := s.Abs()
			fits = h>>63 == 0 && batch.Int128{Hi: int64(h), Lo: l}.Cmp(batch.Pow10[38]) < 0
		}
		if !fits {
			out.AppendNull()
			return
		}
		out.AppendWide(s)
		return
	}
	if a.avg {
		s, _ = s.QuoRem(batch.Int128From(n))
	}
	v, ok := s.Int64()
	if lo, hi := intRange(a.out); !ok || v < lo || v > hi {
		out.AppendNull()
		fail(k, a.name()+" "+string(batch.AppendDecimal(nil, s, 0))+" does not fit "+a.out.With(false).String())
		return
	}
	out.AppendInt(v)
}

func (a sum) name() string {
	if a.avg {
		return "AVG"
	}
	return "SUM"
}

// mean returns s/n at the output's scale, half away from zero, and whether it
// fits 127 bits.
func (a sum) mean(n int64, s batch.Int128, top int64, has3 bool) (batch.Int128, bool) {
	if up, ok := s.Mul(batch.Pow10[a.out.S-a.scale]); ok && (!has3 || top == s.Hi>>63) {
		q, r := up.QuoRem(batch.Int128From(n))
		rh, rl := r.Abs()
		nh, nl := batch.Int128From(n).Abs()
		twice := batch.Int128{Hi: int64(rh<<1 | rl>>63), Lo: rl << 1}
		if twice.Cmp(batch.Int128{Hi: int64(nh), Lo: nl}) >= 0 {
			one := batch.Int128From(1)
			if (s.Hi < 0) != (n < 0) {
				one = one.Neg()
			}
			q = q.Add(one)
		}
		return q, true
	}
	b := big.NewInt(top)
	if !has3 {
		b.SetInt64(s.Hi >> 63)
	}
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(uint64(s.Hi)))
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(s.Lo))
	b.Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.out.S-a.scale)), nil))
	q, r := b.QuoRem(b, big.NewInt(n), new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(big.NewInt(n)) >= 0 {
		if s.Hi < 0 && !has3 || has3 && top < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return batch.Int128FromBig(q)
}

// intRange returns the bounds of an integer type.
func intRange(t batch.Type) (lo, hi int64) {
	switch t.SQL {
	case batch.TinyInt:
		return math.MinInt8, math.MaxInt8
	case batch.SmallInt:
		return math.MinInt16, math.MaxInt16
	case batch.Integer:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}
