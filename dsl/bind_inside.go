package dsl

import (
	"github.com/streamd/streamd/dsl/ast"
	ex "github.com/streamd/streamd/operators/expr"
)

// flat tells whether a query is a SELECT that neither groups nor ranks, so that its WHERE may look outside. Of a query that is only
// asked whether it has rows, order and a limit do not matter.
func flat(q *ast.Query, exists bool) (*ast.Select, bool) {
	s, ok := q.Body.(*ast.Select)
	if !ok || q.Recursive || s.GroupBy != nil || s.Having != nil || s.Qualify != nil || s.Windows != nil || q.Offset != nil {
		return nil, false
	}
	if limit := q.RowLimit(); limit != nil || len(q.OrderBy) > 0 {
		l, ok := limit.(*ast.Literal)
		if !exists || !ok || l.Kind != ast.Num || l.Text == "0" {
			return nil, false
		}
	}
	for _, it := range s.Items {
		over := false
		ast.Walk(it.Expr, func(n ast.Node) bool {
			c, ok := n.(*ast.Call)
			over = over || ok && c.Over != nil
			return !over
		})
		if over || hasAggregate(it.Expr) {
			return nil, false
		}
	}
	return s, true
}

func (b *binder) flatSubquery(a ask, s *ast.Select, sub *subquery, with *ctes) bound {
	defer b.hints(s)()
	from, around := b.inside(s, sub, b.withs(a.query, with))
	out := bound{rel: whole(from), at: sub.at}
	place := sub.placed(from)
	for _, c := range around {
		out.conds = append(out.conds, cond{ex.Transform(c.e, place), c.at})
	}
	for _, it := range b.items(s, from, &scope{rel: from, clause: "a SELECT without GROUP BY", sub: sub}) {
		out.items = append(out.items, ex.Transform(it.e, place))
	}
	return out
}

// inside binds FROM and WHERE of a subquery. What compares with columns of the query around is not applied but returned, over the
// columns of the result and outerBase.
func (b *binder) inside(s *ast.Select, sub *subquery, with *ctes) (from *relation, around []cond) {
	from = b.oneRow()
	if s.From != nil {
		from = b.from(s.From, with)
	}
	var local []cond
	w := asks(s.Where, nil)
	for _, e := range append(w.plain, w.valued...) {
		for _, c := range b.conjuncts(e, &scope{rel: from, clause: "WHERE", sub: sub}) {
			if cols := ex.Cols(c.e); len(cols) > 0 && cols[len(cols)-1] >= outerBase {
				around = append(around, c)
			} else {
				local = append(local, c)
			}
		}
	}
	moved := map[int]int{} // where the columns will be
	for i, c := range from.cols {
		moved[c.idx] = i
	}
	from = b.asked(b.finish(b.finish(from, local), nil), w.asked, with)
	if len(from.cols) > 0 {
		from = b.plain(from)
	}
	for i := range around {
		around[i].e = ex.Transform(around[i].e, func(e ex.Expr) ex.Expr {
			if c, ok := e.(*ex.Col); ok && c.Index < outerBase {
				return from.col(moved[c.Index])
			}
			return e
		})
	}
	return from, around
}

// placed puts an expression over the columns of from and of the query around into concatenated positions.
func (sub *subquery) placed(from *relation) func(ex.Expr) ex.Expr {
	nl := len(sub.outer.cols)
	return func(e ex.Expr) ex.Expr {
		c, ok := e.(*ex.Col)
		switch {
		case !ok:
			return e
		case c.Index >= outerBase:
			return sub.outer.col(c.Index - outerBase)
		}
		k := from.col(c.Index)
		k.Index += nl
		return k
	}
}

// around is a column of a query around, where the text may name one; nil when there is none of that name.
func (b *binder) around(e *ast.ColumnRef, sc *scope) (x ex.Expr, used int) {
	if len(b.subs) == 0 || sc.rel != nil && sc.rel.has(e) {
		return nil, 0
	}
	if s := sc.sub; s != nil && s.outer.has(e) {
		at, used := s.outer.resolve(e)
		c := s.outer.col(at)
		c.Index = outerBase + at
		return c, used
	}
	last := b.subs[len(b.subs)-1]
	for _, s := range b.subs {
		if s.outer.has(e) {
			notYet(last.at, "a query that uses a column of the one around it ("+e.String()+") in this way is",
				"compare the column in the WHERE of the innermost query, which must not group")
		}
	}
	return nil, 0
}
