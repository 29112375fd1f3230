package expr

import "github.com/streamd/streamd/batch"

// Conjuncts returns the operands of a conjunction, nested ones too, or e alone.
func Conjuncts(e Expr) []Expr {
	n, ok := e.(*node)
	if !ok || n.op != opAnd {
		return []Expr{e}
	}
	var all []Expr
	for _, k := range n.kids {
		all = append(all, Conjuncts(k)...)
	}
	return all
}

// Comparison takes a comparison apart: a op b.
func Comparison(e Expr) (op string, a, b Expr, ok bool) {
	if n, is := e.(*node); is && n.op == opCompare {
		return n.sub, n.kids[0], n.kids[1], true
	}
	return "", nil, nil, false
}

// NotDistinct takes a IS NOT DISTINCT FROM b apart.
func NotDistinct(e Expr) (a, b Expr, ok bool) {
	if n, is := e.(*node); is && n.op == opDistinct && n.not {
		return n.kids[0], n.kids[1], true
	}
	return nil, nil, false
}

// EqualOrBothNull takes a = b OR a IS NULL AND b IS NULL apart, in any order. Where
// only TRUE counts, it is a IS NOT DISTINCT FROM b.
func EqualOrBothNull(e Expr) (a, b Expr, ok bool) {
	or, is := e.(*node)
	if !is || or.op != opOr || len(or.kids) != 2 {
		return nil, nil, false
	}
	for i, k := range or.kids {
		op, a, b, isCompare := Comparison(k)
		and, isAnd := or.kids[1-i].(*node)
		if !isCompare || op != "=" || !isAnd || and.op != opAnd || len(and.kids) != 2 {
			continue
		}
		x, y := nullOf(and.kids[0]), nullOf(and.kids[1])
		if x == nil || y == nil {
			continue
		}
		if sameOperand(a, x) && sameOperand(b, y) || sameOperand(a, y) && sameOperand(b, x) {
			return a, b, true
		}
	}
	return nil, nil, false
}

// nullOf returns x of x IS NULL.
func nullOf(e Expr) Expr {
	if n, ok := e.(*node); ok && n.op == opIsNull && !n.not {
		return n.kids[0]
	}
	return nil
}

// sameOperand tells whether a compared operand is x, or x cast to be compared.
func sameOperand(operand, x Expr) bool {
	if Key(operand) == Key(x) {
		return true
	}
	inner, ok := CastOf(operand)
	return ok && Key(inner) == Key(x)
}

// Shifted takes a column moved by constant day-time intervals apart: its value is
// that of col plus by µs. A CAST to a finer precision of the same type moves nothing.
func Shifted(e Expr) (col *Col, by int64, ok bool) {
	if c, is := e.(*Col); is {
		return c, 0, true
	}
	n, is := e.(*node)
	switch {
	case !is:
	case n.op == opCast && n.t.SQL == n.kids[0].Type().SQL && n.t.P >= n.kids[0].Type().P && n.t.IsTimestamp():
		return Shifted(n.kids[0])
	case n.op == opTimeAdd:
		iv, is := Fold(n.kids[1]).(*Const)
		if !is || iv.IsNull() || iv.T.SQL != batch.IntervalDay {
			break
		}
		if col, by, ok = Shifted(n.kids[0]); ok {
			if n.flag {
				return col, by - iv.V.I[0], true
			}
			return col, by + iv.V.I[0], true
		}
	}
	return nil, 0, false
}

// CastOf takes CAST(x AS t) apart.
func CastOf(e Expr) (x Expr, ok bool) {
	if n, is := e.(*node); is && n.op == opCast {
		return n.kids[0], true
	}
	return nil, false
}

// CallOf returns the function of a call.
func CallOf(e Expr) (*Func, bool) {
	if n, is := e.(*node); is && n.op == opFunc {
		return n.fn, true
	}
	return nil, false
}
