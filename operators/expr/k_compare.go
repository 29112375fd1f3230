package expr

import (
	"bytes"

	"github.com/streamd/streamd/batch"
)

type cmpOp uint8

const (
	cmpEQ cmpOp = iota
	cmpNE
	cmpLT
	cmpLE
	cmpGT
	cmpGE
)

var cmpOps = map[string]cmpOp{"=": cmpEQ, "<>": cmpNE, "<": cmpLT, "<=": cmpLE, ">": cmpGT, ">=": cmpGE}

// swapped is the operator with its operands exchanged.
var swapped = [...]cmpOp{cmpEQ, cmpNE, cmpGT, cmpGE, cmpLT, cmpLE}

// holds tells whether an order c of two values (-1, 0, 1) satisfies the operator.
func (op cmpOp) holds(c int) bool {
	switch op {
	case cmpEQ:
		return c == 0
	case cmpNE:
		return c != 0
	case cmpLT:
		return c < 0
	case cmpLE:
		return c <= 0
	case cmpGT:
		return c > 0
	}
	return c >= 0
}

// comparison prepares col op const: it returns the operator and operands with a
// constant on the right.
func comparison(in *inst) (op cmpOp, a, b *inst) {
	op, a, b = cmpOps[in.n.sub], in.kids[0], in.kids[1]
	if a.k != nil && b.k == nil {
		return swapped[op], b, a
	}
	return op, a, b
}

// number is what Vec.I and Vec.F hold.
type number interface{ int64 | float64 }

// same is = with NaN equal to itself.
func same[T number](x, y T) bool { return x == y || x != x && y != y }

func compareKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	op, a, b := comparison(in)
	kind := in.n.kids[0].Type().Kind()
	constant := b.k != nil && !b.k.IsNull()
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		out := in.start(f.n)
		in.joinNulls(f.n, a.v, b.v)
		switch {
		case kind == batch.Int && constant:
			compareConst(op, out.B, a.v.I, b.k.V.I[0], sel)
		case kind == batch.Float && constant:
			compareConst(op, out.B, a.v.F, b.k.V.F[0], sel)
		case kind == batch.Int:
			comparePair(op, out.B, a.v.I, b.v.I, sel)
		case kind == batch.Float:
			comparePair(op, out.B, a.v.F, b.v.F, sel)
		case kind == batch.Str && op <= cmpNE:
			compareBytes(op == cmpEQ, out, a.v, b.v, rows(sel, f.n))
		default:
			compareAny(op, out, a.v, b.v, rows(sel, f.n))
		}
		return sel
	}
}

func compareConst[T number](op cmpOp, out []bool, a []T, k T, sel []int32) {
	if sel != nil {
		compareConstSel(op, out, a, k, sel)
		return
	}
	a = a[:len(out)]
	switch op {
	case cmpEQ:
		for i, x := range a {
			out[i] = same(x, k)
		}
	case cmpNE:
		for i, x := range a {
			out[i] = !same(x, k)
		}
	case cmpLT:
		for i, x := range a {
			out[i] = x < k
		}
	case cmpLE:
		for i, x := range a {
			out[i] = x <= k
		}
	case cmpGT:
		for i, x := range a {
			out[i] = x > k
		}
	default:
		for i, x := range a {
			out[i] = x >= k
		}
	}
}

func compareConstSel[T number](op cmpOp, out []bool, a []T, k T, sel []int32) {
	switch op {
	case cmpEQ:
		for _, i := range sel {
			out[i] = same(a[i], k)
		}
	case cmpNE:
		for _, i := range sel {
			out[i] = !same(a[i], k)
		}
	case cmpLT:
		for _, i := range sel {
			out[i] = a[i] < k
		}
	case cmpLE:
		for _, i := range sel {
			out[i] = a[i] <= k
		}
	case cmpGT:
		for _, i := range sel {
			out[i] = a[i] > k
		}
	default:
		for _, i := range sel {
			out[i] = a[i] >= k
		}
	}
}

func comparePair[T number](op cmpOp, out []bool, a, b []T, sel []int32) {
	if sel != nil {
		comparePairSel(op, out, a, b, sel)
		return
	}
	a, b = a[:len(out)], b[:len(out)]
	switch op {
	case cmpEQ:
		for i, x := range a {
			out[i] = same(x, b[i])
		}
	case cmpNE:
		for i, x := range a {
			out[i] = !same(x, b[i])
		}
	case cmpLT:
		for i, x := range a {
			out[i] = x < b[i]
		}
	case cmpLE:
		for i, x := range a {
			out[i] = x <= b[i]
		}
	case cmpGT:
		for i, x := range a {
			out[i] = x > b[i]
		}
	default:
		for i, x := range a {
			out[i] = x >= b[i]
		}
	}
}

func comparePairSel[T number](op cmpOp, out []bool, a, b []T, sel []int32) {
	switch op {
	case cmpEQ:
		for _, i := range sel {
			out[i] = same(a[i], b[i])
		}
	case cmpNE:
		for _, i := range sel {
			out[i] = !same(a[i], b[i])
		}
	case cmpLT:
		for _, i := range sel {
			out[i] = a[i] < b[i]
		}
	case cmpLE:
		for _, i := range sel {
			out[i] = a[i] <= b[i]
		}
	case cmpGT:
		for _, i := range sel {
			out[i] = a[i] > b[i]
		}
	default:
		for _, i := range sel {
			out[i] = a[i] >= b[i]
		}
	}
}

// compareBytes sets out where a and b are equal (or, with eq false, are not).
// Null rows hold empty views.
func compareBytes(eq bool, out, a, b *batch.Vec, sel []int32) {
	for _, i := range sel {
		x, y := a.View[i], b.View[i]
		out.B[i] = (x&0xffffffff == y&0xffffffff && bytes.Equal(a.Bytes(int(i)), b.Bytes(int(i)))) == eq
	}
}

func compareAny(op cmpOp, out, a, b *batch.Vec, sel []int32) {
	for _, i := range sel {
		out.B[i] = op.holds(batch.Compare(a, int(i), b, int(i)))
	}
}

// selector is the way from a condition straight to a selection.
func selector(in *inst) func(in *inst, f *frame, sel, dst []int32) []int32 {
	if in.n == nil || in.n.op != opCompare {
		return selectTrue
	}
	op, a, b := comparison(in)
	if b.k == nil || b.k.IsNull() {
		return selectTrue
	}
	switch in.n.kids[0].Type().Kind() {
	case batch.Int:
		k := b.k.V.I[0]
		return func(_ *inst, f *frame, sel, dst []int32) []int32 {
			v, sel := a.eval(f, sel)
			return dropNulls(selectConst(op, dst, v.I, k, rows(sel, f.n)), v)
		}
	case batch.Float:
		k := b.k.V.F[0]
		return func(_ *inst, f *frame, sel, dst []int32) []int32 {
			v, sel := a.eval(f, sel)
			return dropNulls(selectConst(op, dst, v.F, k, rows(sel, f.n)), v)
		}
	}
	return selectTrue
}

// selectConst writes the rows i of sel with a[i] op k to dst, without a branch
// on the outcome. dst has room for one row more than sel.
func selectConst[T number](op cmpOp, dst []int32, a []T, k T, sel []int32) []int32 {
	dst = dst[:len(sel)+1]
	j := 0
	switch op {
	case cmpEQ:
		for _, i := range sel {
			dst[j] = i
			j += b2i(same(a[i], k))
		}
	case cmpNE:
		for _, i := range sel {
			dst[j] = i
			j += b2i(!same(a[i], k))
		}
	case cmpLT:
		for _, i := range sel {
			dst[j] = i
			j += b2i(a[i] < k)
		}
	case cmpLE:
		for _, i := range sel {
			dst[j] = i
			j += b2i(a[i] <= k)
		}
	case cmpGT:
		for _, i := range sel {
			dst[j] = i
			j += b2i(a[i] > k)
		}
	default:
		for _, i := range sel {
			dst[j] = i
			j += b2i(a[i] >= k)
		}
	}
	return dst[:j]
}
