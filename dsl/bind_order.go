package dsl

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// orderItems binds what ORDER BY orders by and the SELECT list has not: columns of FROM and aggregates. They follow the
// list's own columns; at says where each key is among them, -1 for a key that is made of the result's columns.
func (b *binder) orderItems(s *ast.Select, q *ast.Query, items []item, sc *scope) (more []item, at []int) {
	if q == nil || s.Distinct || len(q.OrderBy) == 0 {
		return nil, nil
	}
	for i, o := range q.OrderBy {
		if !ordersBeyond(o.Expr, items, sc.rel) {
			at = append(at, -1)
			continue
		}
		at = append(at, len(items)+len(more))
		x := item{e: b.expr(o.Expr, sc), name: nameOf(o.Expr)}
		if x.name == "" {
			x.name = fmt.Sprintf("ORDER BY %d", i+1)
		}
		if c, ok := x.e.(*ex.Col); ok && sc.agg == nil {
			x.time = sc.rel.columnOf(c.Index).f.Time
		}
		more = append(more, x)
	}
	return more, at
}

// ordersBeyond tells whether a key of ORDER BY names what the SELECT list has not. A name of the list goes before one of FROM.
func ordersBeyond(e ast.Expr, items []item, from *relation) bool {
	found := hasAggregate(e)
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Query:
			return false
		case *ast.ColumnRef:
			name := n.Parts[0].String()
			mine := false
			for _, it := range items {
				mine = mine || it.name == name
			}
			switch {
			case len(n.Parts) > 1 && from.hasTable(name):
				found = true
			case !mine:
				found = found || from.find("", name, nil) >= 0
			}
		}
		return true
	})
	return found
}

// ordered applies ORDER BY, LIMIT and OFFSET.
func (b *binder) ordered(q *ast.Query, r *relation) *relation {
	limit := q.RowLimit()
	if limit == nil && q.Offset == nil {
		if len(q.OrderBy) > 0 {
			b.endless(q, r)
		}
		return r
	}
	if limit == nil {
		notYet(b.between("OFFSET", q.Body.At(), q.Offset.At()), "OFFSET without LIMIT is")
	}
	n, skip := b.count(limit, "LIMIT"), int64(0)
	if q.Offset != nil {
		skip = b.count(q.Offset, "OFFSET")
	}
	at, width := r.order, len(r.cols)
	r = b.plain(b.finish(r, nil))
	for _, k := range at {
		if k >= 0 {
			width = min(width, k)
		}
	}
	sc := &scope{rel: r, clause: "ORDER BY"}
	keys := make([]ex.Expr, 0, len(q.OrderBy))
	for i, o := range q.OrderBy {
		if at != nil && at[i] >= 0 {
			keys = append(keys, r.col(at[i]))
			continue
		}
		sc.rel = r.first(width)
		keys = append(keys, b.orderExpr(o.Expr, sc))
	}
	node, cols := b.withColumns(r, keys)
	order := b.orderKeys(q.OrderBy, cols)
	top := b.topN(node, nil, order, skip+1, skip+n, false, "", b.ttlFor(r, q.Span))
	top.Base().Span = opSpan(q.Span)
	out := *r.first(width)
	out.node, out.order = top, nil
	for i := range out.cols {
		out.cols[i].f.Time = batch.NoTime
	}
	return b.plain(&out)
}

// first is the relation without the columns behind the first n.
func (r *relation) first(n int) *relation {
	out := *r
	out.cols = append([]column{}, r.cols[:n]...)
	return &out
}

// endless refuses ORDER BY without LIMIT.
func (b *binder) endless(q *ast.Query, r *relation) {
	at := b.between("ORDER", q.Body.At(), q.OrderBy[0].Span)
	o := q.OrderBy[0]
	i := -1
	if r.order != nil && r.order[0] >= 0 {
		i = r.order[0]
	} else if ref, ok := o.Expr.(*ast.ColumnRef); ok {
		i = r.find("", ref.Parts[len(ref.Parts)-1].String(), nil)
	}
	if i >= 0 && r.cols[i].f.Time != batch.NoTime && !o.Desc {
		notYet(at, "ORDER BY of a time attribute without LIMIT is", "add LIMIT n")
	}
	d := diag.New("SD4006", at, "ORDER BY needs a LIMIT: a stream has no end to sort at")
	throw(d.WithHint("add LIMIT n; ORDER BY of a time attribute alone is not supported yet"))
}

// orderExpr is an expression of ORDER BY; a number stands for that column of the result.
func (b *binder) orderExpr(e ast.Expr, sc *scope) ex.Expr {
	x := b.expr(e, sc)
	if isNumber(e) {
		c := x.(*ex.Const)
		if c.T.IsInteger() && c.V.I[0] >= 1 && c.V.I[0] <= int64(len(sc.rel.cols)) {
			return sc.rel.col(int(c.V.I[0]) - 1)
		}
		fail("SD2003", e.At(), "there is no column %s", c.String())
	}
	return x
}

func (b *binder) orderKeys(items []*ast.OrderItem, cols []int) []ops.OrderKey {
	var order []ops.OrderKey
	for i, o := range items {
		k := ops.OrderKey{Col: cols[i], Desc: o.Desc}
		if o.Nulls != "" {
			last := strings.EqualFold(o.Nulls, "LAST")
			if last == !o.Desc { // not what the order gives by itself
				k.NullsLast = &last
			}
		}
		order = append(order, k)
	}
	return order
}

// count is a constant number of rows.
func (b *binder) count(e ast.Expr, clause string) int64 {
	if _, column := e.(*ast.ColumnRef); column {
		fail("SD3001", b.head(e), "%s takes a constant whole number, not a column", clause)
	}
	x := ex.Fold(b.expr(e, &scope{clause: clause}))
	c, ok := x.(*ex.Const)
	if !ok || !c.T.IsInteger() || c.IsNull() || c.V.I[0] < 0 {
		fail("SD3001", b.head(e), "%s takes a constant whole number", clause)
	}
	return c.V.I[0]
}
