package expr

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/streamd/streamd/batch"
)

func arithKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	switch in.n.t.Kind() {
	case batch.Float:
		return runFloat
	case batch.Wide:
		return decimalKernel(in)
	}
	if in.n.t.SQL == batch.Decimal {
		return decimalKernel(in)
	}
	if k := in.kids[1].k; k != nil && !k.IsNull() && k.V.I[0] > 0 {
		switch in.n.sub {
		case "/", "%":
			return divConstKernel(in, k.V.I[0])
		}
	}
	return runInt
}

// runInt computes integers and intervals. The loops note in the sign of bad
// whether any row may have left the range; only then rows are looked at singly
// (a null row may hold any number, and must not fail).
func runInt(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	a, b := in.kids[0].v, in.kids[1].v
	out := in.start(f.n)
	in.joinNulls(f.n, a, b)
	lo, hi := intRange(in.n.t)
	var bad int64
	op := in.n.sub
	switch {
	case op == "/" || op == "%":
		bad = divInts(op == "%", out.I, a.I, b.I, rows(sel, f.n))
	case sel != nil:
		bad = arithSel(op, out.I, a.I, b.I, sel)
	default:
		bad = arithDense(op, out.I, a.I, b.I, in.kids[1].k)
	}
	if lo != math.MinInt64 {
		if sel == nil {
			bad |= outside(out.I, lo, hi)
		} else {
			for _, i := range sel {
				bad |= (out.I[i] - lo) | (hi - out.I[i])
			}
		}
	}
	if bad >= 0 {
		return sel
	}
	from := len(f.c.Errs)
	for _, i := range rows(sel, f.n) {
		if !out.IsNull(int(i)) {
			in.checkInt(f, i, a.I[i], b.I[i], lo, hi)
		}
	}
	return f.drop(sel, from)
}

// outside is negative when a value is not in [lo, hi], |lo|, |hi| < 2^62.
func outside(x []int64, lo, hi int64) (bad int64) {
	for _, v := range x {
		bad |= (v - lo) | (hi - v)
	}
	return bad
}

// checkInt fails row i if x op y is not defined or not in range.
func (in *inst) checkInt(f *frame, i int32, x, y, lo, hi int64) {
	var r batch.Int128
	a, b := batch.Int128From(x), batch.Int128From(y)
	switch in.n.sub {
	case "+":
		r = a.Add(b)
	case "-":
		r = a.Sub(b)
	case "*":
		r = batch.MulInt64(x, y)
	default:
		if y == 0 {
			f.fail(i, ErrDivZero, fmt.Sprintf("division by zero: %d %s 0", x, in.n.sub), in.n.at)
			return
		}
		r, b = a.QuoRem(b)
		if in.n.sub == "%" {
			r = b
		}
	}
	if v, ok := r.Int64(); !ok || v < lo || v > hi {
		f.fail(i, ErrOverflow, fmt.Sprintf("%d %s %d is out of range of %s", x, in.n.sub, y, in.n.t.With(false)), in.n.at)
	}
}

func arithDense(op string, out, a, b []int64, k *Const) (bad int64) {
	a, b = a[:len(out)], b[:len(out)]
	constant := k != nil && !k.IsNull()
	switch {
	case op == "+" && constant:
		k := k.V.I[0]
		for i, x := range a {
			r := x + k
			out[i] = r
			bad |= (x ^ r) & (k ^ r)
		}
	case op == "+":
		for i, x := range a {
			y := b[i]
			r := x + y
			out[i] = r
			bad |= (x ^ r) & (y ^ r)
		}
	case op == "-" && constant:
		k := k.V.I[0]
		for i, x := range a {
			r := x - k
			out[i] = r
			bad |= (x ^ k) & (x ^ r)
		}
	case op == "-":
		for i, x := range a {
			y := b[i]
			r := x - y
			out[i] = r
			bad |= (x ^ y) & (x ^ r)
		}
	case constant:
		k := k.V.I[0]
		if k < 2 {
			return mulInts(out, a, b)
		}
		limit := math.MaxInt64 / k
		for i, x := range a {
			out[i] = x * k
			bad |= (x + limit) | (limit - x)
		}
	default:
		return mulInts(out, a, b)
	}
	return bad
}

// mulInts compares the upper half of the exact product with the sign of the lower.
func mulInts(out, a, b []int64) (bad int64) {
	for i, x := range a {
		y := b[i]
		r := x * y
		out[i] = r
		bad |= mulHigh(x, y) ^ r>>63
	}
	// Any set bit is an overflow: move it to the sign.
	return bad | -bad
}

func mulHigh(x, y int64) int64 {
	h, _ := bits.Mul64(uint64(x), uint64(y))
	return int64(h) - x>>63&y - y>>63&x
}

func arithSel(op string, out, a, b []int64, sel []int32) (bad int64) {
	switch op {
	case "+":
		for _, i := range sel {
			x, y := a[i], b[i]
			r := x + y
			out[i] = r
			bad |= (x ^ r) & (y ^ r)
		}
	case "-":
		for _, i := range sel {
			x, y := a[i], b[i]
			r := x - y
			out[i] = r
			bad |= (x ^ y) & (x ^ r)
		}
	default:
		for _, i := range sel {
			x, y := a[i], b[i]
			r := x * y
			out[i] = r
			h := mulHigh(x, y) ^ r>>63
			bad |= h | -h
		}
	}
	return bad
}

func divInts(rem bool, out, a, b []int64, sel []int32) (bad int64) {
	for _, i := range sel {
		x, y := a[i], b[i]
		switch {
		case y == 0:
			out[i], bad = 0, -1
		case y == -1: // MinInt64 / -1 overflows
			out[i] = -x
			if rem {
				out[i] = 0
			} else if x == math.MinInt64 {
				bad = -1
			}
		case rem:
			out[i] = x % y
		default:
			out[i] = x / y
		}
	}
	return bad
}

// divider divides by a constant k > 0 with a multiplication. For 0 <= x < 2^63,
// l = ceil(log2 k) and m = floor(2^(63+l)/k) + 1, x/k = floor(m*x / 2^(63+l)).
type divider struct {
	k     int64
	m     uint64
	shift uint
}

func newDivider(k int64) divider {
	l := uint(bits.Len64(uint64(k - 1)))
	if l == 0 {
		return divider{k: k}
	}
	m, _ := bits.Div64(1<<(l-1), 0, uint64(k))
	return divider{k, m + 1, l - 1}
}

// quo returns x/k, truncated toward zero.
func (d *divider) quo(x int64) int64 {
	if d.m == 0 {
		return x
	}
	if x == math.MinInt64 {
		return x / d.k
	}
	s := x >> 63
	h, _ := bits.Mul64(uint64((x^s)-s), d.m)
	return (int64(h>>d.shift) ^ s) - s
}

func divConstKernel(in *inst, k int64) func(*inst, *frame, []int32) []int32 {
	d := newDivider(k)
	rem := in.n.sub == "%"
	return func(in *inst, f *frame, sel []int32) []int32 {
		v, sel := in.kids[0].eval(f, sel)
		out := in.start(f.n)
		in.joinNulls(f.n, v)
		a, o, d := v.I[:f.n], out.I, d
		switch {
		case sel != nil && rem:
			for _, i := range sel {
				o[i] = a[i] - d.quo(a[i])*k
			}
		case sel != nil:
			for _, i := range sel {
				o[i] = d.quo(a[i])
			}
		case rem:
			for i, x := range a {
				o[i] = x - d.quo(x)*k
			}
		default:
			for i, x := range a {
				o[i] = d.quo(x)
			}
		}
		return sel
	}
}

func runFloat(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	x, y := in.kids[0].v, in.kids[1].v
	out := in.start(f.n)
	in.joinNulls(f.n, x, y)
	o, a, b := out.F, x.F[:f.n], y.F[:f.n]
	switch in.n.sub {
	case "+":
		for i, x := range a {
			o[i] = x + b[i]
		}
	case "-":
		for i, x := range a {
			o[i] = x - b[i]
		}
	case "*":
		for i, x := range a {
			o[i] = x * b[i]
		}
	case "/":
		for i, x := range a {
			o[i] = x / b[i]
		}
	default:
		for _, i := range rows(sel, f.n) {
			o[i] = math.Mod(a[i], b[i])
		}
	}
	if in.n.t.SQL == batch.Float32 {
		for i, x := range o {
			o[i] = float64(float32(x))
		}
	}
	return sel
}

func runNeg(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	out := in.start(f.n)
	in.joinNulls(f.n, v)
	switch v.Kind {
	case batch.Float:
		for i, x := range v.F[:f.n] {
			out.F[i] = -x
		}
		return sel
	case batch.Wide:
		for _, i := range rows(sel, f.n) {
			r := v.Wide128(int(i)).Neg()
			out.Hi[i], out.Lo[i] = r.Hi, r.Lo
		}
		return sel
	}
	lo, _ := intRange(in.n.t)
	bad := false
	for i, x := range v.I[:f.n] {
		out.I[i] = -x
		bad = bad || x == lo
	}
	if !bad || in.n.t.SQL == batch.Decimal {
		return sel
	}
	from := len(f.c.Errs)
	for _, i := range rows(sel, f.n) {
		if v.I[i] == lo && !out.IsNull(int(i)) {
			f.fail(i, ErrOverflow, fmt.Sprintf("-(%d) is out of range of %s", lo, in.n.t.With(false)), in.n.at)
		}
	}
	return f.drop(sel, from)
}
