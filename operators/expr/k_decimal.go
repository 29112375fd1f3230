package expr

import (
	"fmt"
	"math/big"

	"github.com/streamd/streamd/batch"
)

// decStatus is how a DECIMAL operation ended.
type decStatus uint8

const (
	decOK   decStatus = iota
	decNull           // beyond the precision: NULL
	decZero           // division by zero
)

func decimalKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	a, b, t := in.n.kids[0].Type(), in.n.kids[1].Type(), in.n.t
	op := in.n.sub
	exact := t.S == max(a.S, b.S) // nothing was cut by the limit of 38 digits
	switch {
	case t.P <= 18 && (op == "+" || op == "-") && exact:
		return addNarrow(pow64(t.S-a.S), pow64(t.S-b.S), op == "-")
	case t.P <= 18 && op == "*":
		return mulNarrow
	case op == "*" && unscaled(in, 0) && unscaled(in, 1):
		return mulWiden
	}
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, y := in.kids[0].v, in.kids[1].v
		out := in.start(f.n)
		in.joinNulls(f.n, x, y)
		from := len(f.c.Errs)
		for _, i := range rows(sel, f.n) {
			if out.IsNull(int(i)) {
				continue
			}
			r, st := decimalOp(op, x.Dec(int(i)), int(a.S), y.Dec(int(i)), int(b.S), int(t.P), int(t.S))
			switch st {
			case decNull:
				out.SetNull(int(i), f.n)
			case decZero:
				text := string(x.AppendText(nil, int(i), a))
				f.fail(i, ErrDivZero, fmt.Sprintf("division by zero: %s %s 0", text, op), in.n.at)
			}
			putDec(out, int(i), r)
		}
		return f.drop(sel, from)
	}
}

// unscaled tells whether operand k is stored in 64 bits. The cast of an integer
// to DECIMAL(p, 0) is left out where it only widens: 0.908 * bigint is a
// multiplication of two words.
func unscaled(in *inst, k int) bool {
	kid := in.kids[k]
	if kid.n != nil && kid.n.op == opCast && kid.n.t.S == 0 && kid.n.t.P >= asDecimal(kid.n.kids[0].Type()).P && kid.n.kids[0].Type().IsInteger() {
		in.kids[k] = kid.kids[0]
		return true
	}
	return in.n.kids[k].Type().P <= 18
}

func pow64(e int32) int64 { return int64(batch.Pow10[e].Lo) }

// putDec stores x in row i of a DECIMAL vector of either kind.
func putDec(v *batch.Vec, i int, x batch.Int128) {
	if v.Kind == batch.Wide {
		v.Hi[i], v.Lo[i] = x.Hi, x.Lo
	} else {
		v.I[i] = int64(x.Lo)
	}
}

// addNarrow: the result's precision has room for every sum, so nothing overflows.
func addNarrow(ka, kb int64, minus bool) func(*inst, *frame, []int32) []int32 {
	if minus {
		kb = -kb
	}
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, y := in.kids[0].v, in.kids[1].v
		out := in.start(f.n)
		in.joinNulls(f.n, x, y)
		a, b := x.I[:f.n], y.I[:f.n]
		for i := range out.I {
			out.I[i] = a[i]*ka + b[i]*kb
		}
		return sel
	}
}

func mulNarrow(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	x, y := in.kids[0].v, in.kids[1].v
	out := in.start(f.n)
	in.joinNulls(f.n, x, y)
	a, b := x.I[:f.n], y.I[:f.n]
	for i := range out.I {
		out.I[i] = a[i] * b[i]
	}
	return sel
}

func mulWiden(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	x, y := in.kids[0].v, in.kids[1].v
	out := in.start(f.n)
	in.joinNulls(f.n, x, y)
	a, b, hi, lo := x.I[:f.n], y.I[:f.n], out.Hi[:f.n], out.Lo[:f.n]
	for i := range hi {
		r := batch.MulInt64(a[i], b[i])
		hi[i], lo[i] = r.Hi, r.Lo
	}
	return sel
}

// decimalOp computes x*10^-sx op y*10^-sy as a DECIMAL(p, s), rounding half
// away from zero.
func decimalOp(op string, x batch.Int128, sx int, y batch.Int128, sy, p, s int) (batch.Int128, decStatus) {
	if (op == "/" || op == "%") && y.Sign() == 0 {
		return batch.Int128{}, decZero
	}
	var r batch.Int128
	var ok bool
	switch op {
	case "+", "-", "%":
		m := max(sx, sy)
		a, ok1 := x.Mul(batch.Pow10[m-sx])
		b, ok2 := y.Mul(batch.Pow10[m-sy])
		if ok = ok1 && ok2; ok {
			switch op {
			case "+":
				r = a.Add(b)
				ok = a.Sign() != b.Sign() || r.Sign() == a.Sign()
			case "-":
				r = a.Sub(b)
				ok = a.Sign() == b.Sign() || b.Sign() == 0 || r.Sign() == -b.Sign()
			default:
				_, r = a.QuoRem(b)
			}
		}
		if ok {
			r, ok = rescale(r, m, s)
		}
	case "*":
		if r, ok = x.Mul(y); ok {
			r, ok = rescale(r, sx+sy, s)
		}
	default:
		e := s - sx + sy
		a, b := x, y
		if e >= 0 && e <= 38 {
			a, ok = x.Mul(batch.Pow10[e])
		} else if e < 0 && e >= -38 {
			b, ok = y.Mul(batch.Pow10[-e])
		}
		if ok {
			r = divHalfUp(a, b)
		}
	}
	if !ok {
		r, ok = bigOp(op, x, sx, y, sy, s)
	}
	if !ok || !fitsDec(r, p) {
		return batch.Int128{}, decNull
	}
	return r, decOK
}

func fitsDec(x batch.Int128, p int) bool {
	return x.Cmp(batch.Pow10[p]) < 0 && x.Cmp(batch.Pow10[p].Neg()) > 0
}

// divHalfUp is a/b rounded half away from zero.
func divHalfUp(a, b batch.Int128) batch.Int128 {
	q, r := a.QuoRem(b)
	rh, rl := r.Abs()
	bh, bl := b.Abs()
	// 2r >= b, without overflow: r >= b - r
	d := batch.Int128{Hi: int64(bh), Lo: bl}.Sub(batch.Int128{Hi: int64(rh), Lo: rl})
	if (batch.Int128{Hi: int64(rh), Lo: rl}).Cmp(d) >= 0 && r.Sign() != 0 {
		if (a.Hi < 0) != (b.Hi < 0) {
			return q.Sub(batch.Int128From(1))
		}
		return q.Add(batch.Int128From(1))
	}
	return q
}

// rescale turns x*10^-from into y*10^-to, rounding half away from zero.
func rescale(x batch.Int128, from, to int) (batch.Int128, bool) {
	switch {
	case to >= from:
		if to-from > 38 {
			return x, x.Sign() == 0
		}
		return x.Mul(batch.Pow10[to-from])
	case from-to > 38:
		return batch.Int128{}, true
	}
	return divHalfUp(x, batch.Pow10[from-to]), true
}

// bigOp is decimalOp by numbers of any size, for what 128 bits do not hold on the way.
func bigOp(op string, x batch.Int128, sx int, y batch.Int128, sy, s int) (batch.Int128, bool) {
	a, b := x.Big(), y.Big()
	var num, den *big.Int
	switch op {
	case "/":
		num, den = a, b
		if e := s - sx + sy; e >= 0 {
			num.Mul(num, bigPow(e))
		} else {
			den.Mul(den, bigPow(-e))
		}
	default:
		m := sx + sy
		if op != "*" {
			m = max(sx, sy)
			a.Mul(a, bigPow(m-sx))
			b.Mul(b, bigPow(m-sy))
		}
		num = map[string]func(*big.Int, *big.Int) *big.Int{"+": a.Add, "-": a.Sub, "*": a.Mul, "%": a.Rem}[op](a, b)
		den = big.NewInt(1)
		if m > s {
			den = bigPow(m - s)
		} else {
			num.Mul(num, bigPow(s-m))
		}
	}
	sign := num.Sign() * den.Sign()
	num.Abs(num)
	den.Abs(den)
	num.Add(num.Lsh(num, 1), den)
	num.Quo(num, den.Lsh(den, 1))
	if sign < 0 {
		num.Neg(num)
	}
	return batch.Int128FromBig(num)
}

func bigPow(e int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e)), nil) }
