package funcs

import (
	"math"
	"math/big"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	for _, f := range []struct {
		AggFunc
		variance
	}{
		{AggFunc{Name: "VAR_POP", Doc: "Variance of the values that are not NULL, of a whole population.", Example: "VAR_POP(x) of 1e0, 2e0, 3e0, 6e0", Result: "3.5"}, variance{}},
		{AggFunc{Name: "VAR_SAMP", Aliases: []string{"VARIANCE"}, Doc: "Variance of the values that are not NULL, of a sample; NULL of one value.", Example: "VAR_SAMP(x) of 1e0, 2e0, 3e0", Result: "1.0"}, variance{samp: true}},
		{AggFunc{Name: "STDDEV_POP", Doc: "Standard deviation of the values that are not NULL, of a whole population.", Example: "STDDEV_POP(x) of 1e0, 1e0, 5e0, 5e0", Result: "2.0"}, variance{root: true}},
		{AggFunc{Name: "STDDEV_SAMP", Aliases: []string{"STDDEV"}, Doc: "Standard deviation of the values that are not NULL, of a sample; NULL of one value.", Example: "STDDEV_SAMP(x) of 1, 2, 3, 9", Result: "3"}, variance{root: true, samp: true}},
	} {
		f.Syntax, f.Bind = f.Name+"(x)", f.bind(f.Name)
		f.Doc += " The type is that of AVG: of integers an integer, truncated."
		registerAgg(f.AggFunc)
	}
}

// variance is what the four functions have. They are what the sum of squares, the
// sum and the number of values make of
//
//	d = sum(x·x) - sum(x)·sum(x)/n    variance d/n or d/(n-1)
//
// computed as Flink does: of integers with divisions that truncate, of DECIMAL
// with the types that the operators have.
type variance struct {
	name       string
	samp, root bool
	in, out    batch.Type
}

func (v variance) bind(name string) func([]batch.Type, bool) (*Agg, error) {
	return func(args []batch.Type, _ bool) (*Agg, error) {
		if err := oneArg(name, args, batch.Type.IsNumeric, "a number"); err != nil {
			return nil, err
		}
		v := v
		v.name, v.in, v.out = name, args[0], args[0].With(false)
		a := &Agg{Name: name, State: []batch.Field{{Name: "n", Type: bigint}}}
		add := func(t batch.Type, names ...string) {
			for _, n := range names {
				a.State = append(a.State, batch.Field{Name: n, Type: t})
			}
		}
		if v.in.IsFloat() {
			add(notNullDouble, "s", "sc", "q", "qc")
			add(bigint, "wild")
			a.k = floatVariance{v}
		} else {
			if v.in.SQL == batch.Decimal {
				v.out = batch.DecimalOf(38, max(6, v.in.S))
			}
			add(wide, "s")
			add(bigint, "stop")
			add(wide, "q")
			add(bigint, "qtop", "over")
			x := exactVariance{variance: v}
			x.square, x.steps = v.decimals()
			a.k = x
		}
		a.Out = v.out
		return a, nil
	}
}

// maxSquare bounds the squares that are summed: no sum of them is infinite, which
// could not be taken back.
const maxSquare = 1e288

// floatVariance keeps n, the sum and the sum of squares, each a compensated pair,
// and how many values were NaN, infinite or too large. The square of x is taken to twice the
// digits, so that large values close together keep their difference.
type floatVariance struct{ variance }

func (floatVariance) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+6], ids[i]&batch.SlotMask
		wt, v := weight(w, i), x.F[i]
		c[0].I[s] += wt
		sq := v * v
		if !(sq < maxSquare) {
			c[5].I[s] += wt
			continue
		}
		// What rounding takes from each product goes to the small half of its pair.
		f := float64(wt)
		addFloat(c, s, v*f)
		c[2].F[s] += math.FMA(v, f, -(v * f))
		addFloat(c[2:], s, sq*f)
		c[4].F[s] += math.FMA(sq, f, -(sq*f)) + math.FMA(v, v, -sq)*f
		if c[0].I[s] == c[5].I[s] {
			c[1].F[s], c[2].F[s], c[3].F[s], c[4].F[s] = 0, 0, 0, 0
		}
	}
}

func (floatVariance) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+6], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+6], sid&batch.SlotMask
		d[0].I[ds] += c[0].I[s]
		d[5].I[ds] += c[5].I[s]
		for j := 0; j < 4; j += 2 {
			addFloat(d[j:], ds, c[j+1].F[s])
			addFloat(d[j:], ds, c[j+2].F[s])
		}
	}
}

func (a floatVariance) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+6], id&batch.SlotMask
		n := c[0].I[s]
		if n == 0 || a.samp && n == 1 {
			out.AppendNull()
			continue
		}
		v := math.NaN()
		if c[5].I[s] == 0 {
			v = spread(float64(n), c[1].F[s], c[2].F[s], c[3].F[s], c[4].F[s])
			if a.samp {
				v /= float64(n - 1)
			} else {
				v /= float64(n)
			}
		}
		if a.root {
			v = math.Sqrt(v)
		}
		if a.out.SQL == batch.Float32 {
			v = float64(float32(v))
		}
		out.AppendFloat(v)
	}
}

// spread returns q+qc - (s+sc)²/n, not below 0, with twice the digits of a double.
func spread(n, s, sc, q, qc float64) float64 {
	f := func(x float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(x) }
	sum := f(s)
	sum.Add(sum, f(sc))
	sum.Mul(sum, sum).Quo(sum, f(n))
	d := f(q)
	d.Add(d, f(qc)).Sub(d, sum)
	v, _ := d.Float64()
	return max(v, 0)
}

// exactVariance keeps n, the sums of the values and of their squares with a third
// word each, and how many squares have more than 38 digits. Squares of DECIMAL are
// rounded as x*x is.
type exactVariance struct {
	variance
	square batch.Type
	steps  []expr.Expr
}

// decimals returns the type of a square of the DECIMAL that Flink computes with,
// and the result as an expression of sum of squares, sum and count.
func (v variance) decimals() (square batch.Type, result []expr.Expr) {
	if v.in.SQL != batch.Decimal {
		return batch.DecimalOf(38, 0), nil
	}
	arith := func(op string, a, b expr.Expr) expr.Expr {
		e, err := expr.Arith(op, a, b)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return e
	}
	square = arith("*", expr.NullOf(v.out), expr.NullOf(v.out)).Type()
	q := expr.NewCol(0, batch.Field{Name: "q", Type: square})
	s := expr.NewCol(1, batch.Field{Name: "s", Type: v.out})
	n := expr.NewCol(2, batch.Field{Name: "n", Type: batch.TypeBigInt})
	m := expr.NewCol(3, batch.Field{Name: "m", Type: batch.TypeBigInt})
	d := arith("-", q, arith("/", arith("*", s, s), n))
	r := arith("/", d, m)
	if v.root {
		var err error
		if r, err = Call("POWER", []expr.Expr{r, expr.Double(0.5)}, expr.Span{}); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	r, err := expr.Cast(r, v.out, true)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return square, []expr.Expr{r}
}

func (a exactVariance) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+6], ids[i]&batch.SlotMask
		wt := weight(w, i)
		c[0].I[s] += wt
		v := x.Dec(int(i))
		t, top := mul192(v, wt)
		addWide(c, s, t, top)
		if sq, ok := a.squareOf(v); ok {
			t, top = mul192(sq, wt)
			addWide(c[2:], s, t, top)
		} else {
			c[5].I[s] += wt
		}
	}
}

// squareOf returns v·v in the scale of a square, rounded half up.
func (a exactVariance) squareOf(v batch.Int128) (batch.Int128, bool) {
	cut := 0
	if a.in.SQL == batch.Decimal {
		cut = int(2*a.in.S) - int(a.square.S)
	}
	if cut <= 0 {
		// Fast path: nothing to round.
		sq, ok := v.Mul(v)
		if ok && cut < 0 {
			sq, ok = sq.Mul(batch.Pow10[-cut])
		}
		return sq, ok && (a.in.SQL != batch.Decimal || sq.Cmp(batch.Pow10[38]) < 0)
	}
	b := v.Big()
	b.Mul(b, b)
	half := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(cut)), nil)
	q, r := b.QuoRem(b, half, new(big.Int))
	if r.Lsh(r, 1).Cmp(half) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	return from128(q)
}

func (exactVariance) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+6], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+6], sid&batch.SlotMask
		d[0].I[ds] += c[0].I[s]
		addWide(d, ds, c[1].Wide128(int(s)), c[2].I[s])
		addWide(d[2:], ds, c[3].Wide128(int(s)), c[4].I[s])
		d[5].I[ds] += c[5].I[s]
	}
}

func (a exactVariance) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	if a.steps != nil {
		a.decimalResult(p, at, ids, out)
		return
	}
	for k, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+6], int(id&batch.SlotMask)
		n := c[0].I[s]
		if n == 0 || a.samp && n == 1 {
			out.AppendNull()
			continue
		}
		m := n
		if a.samp {
			m--
		}
		sum := big192(c[1].Wide128(s), c[2].I[s])
		d := big192(c[3].Wide128(s), c[4].I[s])
		d.Sub(d, sum.Quo(sum.Mul(sum, sum), big.NewInt(n)))
		d.Quo(d, big.NewInt(m))
		if a.root {
			f, _ := new(big.Float).SetInt(d).Float64()
			d, _ = big.NewFloat(math.Sqrt(f)).Int(nil)
		}
		if lo, hi := intRange(a.out); !d.IsInt64() || d.Int64() < lo || d.Int64() > hi {
			out.AppendNull()
			fail(k, a.name+" "+d.String()+" does not fit "+a.out.String())
			continue
		}
		out.AppendInt(d.Int64())
	}
}

// decimalResult computes the results with the operators of DECIMAL.
func (a exactVariance) decimalResult(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec) {
	in := &batch.Batch{N: len(ids), Cols: []batch.Vec{batch.NewVec(a.square, 0), batch.NewVec(a.out, 0), batch.NewVec(batch.TypeBigInt, 0), batch.NewVec(batch.TypeBigInt, 0)}}
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+6], int(id&batch.SlotMask)
		n := c[0].I[s]
		q, okQ := from128(big192(c[3].Wide128(s), c[4].I[s]))
		sum := big192(c[1].Wide128(s), c[2].I[s])
		sum.Mul(sum, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.out.S-a.in.S)), nil))
		t, okS := from128(sum)
		if n == 0 || a.samp && n == 1 || !okQ || !okS || c[5].I[s] != 0 {
			for k := range in.Cols {
				in.Cols[k].AppendNull()
			}
			continue
		}
		in.Cols[0].AppendWide(q)
		in.Cols[1].AppendWide(t)
		in.Cols[2].AppendInt(n)
		if a.samp {
			n--
		}
		in.Cols[3].AppendInt(n)
	}
	ctx := expr.Ctx{Now: func() int64 { return 0 }}
	cols, _ := expr.Compile(a.steps).Eval(&ctx, in, nil)
	if len(ctx.Errs) > 0 {
		panic("BUG: " + ctx.Errs[0].Msg)
	}
	out.AppendRows(&cols[0], nil, len(ids))
}

// big192 is the number with the words top, x.Hi, x.Lo in two's complement.
func big192(x batch.Int128, top int64) *big.Int {
	b := big.NewInt(top)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(uint64(x.Hi)))
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(x.Lo))
}

// from128 returns a number of at most 38 digits.
func from128(b *big.Int) (batch.Int128, bool) {
	x, ok := batch.Int128FromBig(b)
	hi, lo := x.Abs()
	return x, ok && batch.Int128{Hi: int64(hi), Lo: lo}.Cmp(batch.Pow10[38]) < 0
}
