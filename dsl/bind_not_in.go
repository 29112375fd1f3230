package dsl

import (
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// notIn keeps the rows that are in no row of the query by the logic of three values: one that may be equal, because it or the
// other is NULL, is not kept.
//
// With one column this is an anti join, which keeps what is NULL, and then another one with what there is to know of the rest: are
// there rows, and are there NULLs among them. Else the comparison itself is the condition of the anti join.
func (b *binder) notIn(outer *relation, s bound, eqs []cond, a ask) ops.Node {
	certain := true
	for _, c := range eqs {
		certain = certain && c.e.Type().NotNull
	}
	conds := append([]cond{}, s.conds...)
	if certain {
		return b.filteredBy(ops.Anti, outer, s.rel, append(conds, eqs...), a)
	}
	nl := len(outer.cols)
	own := len(eqs) == 1
	for _, i := range ex.Cols(s.items[0]) {
		own = own && i >= nl // the column is the query's alone
	}
	if !own || ofWindows(outer, s) {
		var es []ex.Expr
		for _, c := range eqs {
			es = append(es, c.e)
		}
		maybe, err := ex.IsTrue(and(es), "FALSE", true)
		b.typed("SD3001", a.e, nil, err)
		return b.filteredBy(ops.Anti, outer, s.rel, append(conds, cond{maybe, a.e.At()}), a)
	}
	l := *outer
	l.node = b.filteredBy(ops.Anti, outer, s.rel, append(append([]cond{}, conds...), eqs...), a)
	nulls, conds := b.nulls(s, nl)
	x := b.expr(a.x, &scope{rel: outer, clause: "WHERE"})
	unknown, err := ex.IsNull(x, false)
	b.typed("SD3001", a.e, nil, err)
	isNull := nulls.col(len(nulls.cols) - 1)
	isNull.Index += nl
	either, err := ex.Or(isNull, unknown)
	b.typed("SD3001", a.e, nil, err)
	return b.filteredBy(ops.Anti, b.plain(&l), nulls, append(conds, cond{either, a.e.At()}), a)
}

// ofWindows tells whether the join of two relations by the conditions of s would be one of windows.
func ofWindows(outer *relation, s bound) bool {
	nl := len(outer.cols)
	for _, c := range s.conds {
		x, y, _, ok := equality(c.e)
		l, okL := x.(*ex.Col)
		r, okR := y.(*ex.Col)
		if !ok || !okL || !okR {
			continue
		}
		if l.Index > r.Index {
			l, r = r, l
		}
		if l.Index < nl && r.Index >= nl && outer.cols[l.Index].role.part != 0 && outer.cols[l.Index].role == s.rel.cols[r.Index-nl].role {
			return true
		}
	}
	return false
}

// nulls says of a subquery, for each value of the columns that its conditions use, whether it has rows whose item is NULL and rows
// whose item is not: the last column. The conditions are those of s over the new columns.
func (b *binder) nulls(s bound, nl int) (*relation, []cond) {
	down := make([]int, nl+len(s.rel.cols))
	for i := range down {
		down[i] = i - nl
	}
	isNull, err := ex.IsNull(ex.Remap(s.items[0], down), false)
	if err != nil {
		panic("BUG: IS NULL is refused: " + err.Error())
	}
	r, conds := b.cutTo(s.rel, s.conds, nl, isNull)
	return b.distinct(r, s.at), conds
}
