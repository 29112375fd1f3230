package dsl

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// A condition of WHERE that asks another query becomes a semi or anti join with that query. Its own WHERE may compare columns of
// the query around it: those comparisons become the join's condition, and the query is planned without them.

// ask is such a condition: EXISTS, or x IN when x is given.
type ask struct {
	e     ast.Expr
	x     ast.Expr
	query *ast.Query
	not   bool
}

// subquery is a query of an ask while it is bound.
type subquery struct {
	outer *relation // of the query around it
	at    source.Span
}

// outerBase + i is column i of the query around, in the bound expressions of a subquery.
const outerBase = 1 << 24

// parts are the conjuncts of a condition: those that the rows decide, those that use the value of a query, and those that ask one.
type parts struct {
	plain, valued []ast.Expr
	asked         []ask
}

// asks takes a condition apart at its ANDs and adds what it finds to p.
func asks(e ast.Expr, p *parts) *parts {
	if p == nil {
		p = &parts{}
	}
	if e == nil {
		return p
	}
	if and, ok := e.(*ast.Binary); ok && and.Op == ast.And {
		return asks(and.Right, asks(and.Left, p))
	}
	if a, ok := askOf(e); ok {
		p.asked = append(p.asked, a)
	} else if len(valuesIn(e)) > 0 {
		p.valued = append(p.valued, e)
	} else {
		p.plain = append(p.plain, e)
	}
	return p
}

func askOf(e ast.Expr) (ask, bool) {
	switch x := e.(type) {
	case *ast.Exists:
		return ask{e: e, query: x.Query}, true
	case *ast.In:
		return ask{e: e, x: x.X, query: x.Query, not: x.Not}, x.Query != nil
	case *ast.Quantified: // = ANY is IN, <> ALL is NOT IN
		a := ask{e: e, x: x.Left, query: x.Query, not: x.All}
		return a, x.Op == ast.Eq && !x.All || x.Op == ast.Ne && x.All
	case *ast.Unary:
		if x.Op == ast.Not {
			a, ok := askOf(x.X)
			a.e, a.not = e, !a.not
			return a, ok
		}
	}
	return ask{}, false
}

// asked keeps the rows of r for which the queries say so.
func (b *binder) asked(r *relation, list []ask, with *ctes) *relation {
	for _, a := range list {
		r = b.askedOne(r, a, with)
	}
	return r
}

func (b *binder) askedOne(r *relation, a ask, with *ctes) *relation {
	outer := whole(r)
	if len(r.cols) > 0 {
		r = b.plain(r)
		outer = r
	}
	s := b.subquery(a, outer, with)
	var eqs []cond
	if a.x != nil {
		eqs = b.equalities(a, outer, s)
	}
	conds := append(append([]cond{}, s.conds...), eqs...)
	var n ops.Node
	switch {
	case !a.not:
		n = b.filteredBy(ops.Semi, outer, s.rel, conds, a)
	case a.x == nil:
		n = b.filteredBy(ops.Anti, outer, s.rel, conds, a)
	default:
		n = b.notIn(outer, s, eqs, a)
	}
	out := &relation{node: n}
	for _, c := range r.cols {
		f := n.Base().Schema.Fields[c.idx]
		c.f.Type, c.f.Time, c.role = f.Type, f.Time, roleIn(n, c.idx, c.role)
		out.cols = append(out.cols, c)
	}
	return out
}

// whole names the columns of a relation that has none for the text: a query without FROM.
func whole(r *relation) *relation {
	if len(r.cols) > 0 {
		return r
	}
	return relationOf(r.node, "")
}

func (b *binder) filteredBy(kind ops.JoinKind, l, r *relation, conds []cond, a ask) ops.Node {
	r, conds = b.cutTo(r, conds, len(l.cols))
	n, _ := b.joinTwo(kind, l, r, conds, a.e.At())
	n.Base().Span = opSpan(a.e.At())
	return n
}

// cutTo cuts the right side of a join down to the columns of its conditions, in which rows are equal or not; what is added stands
// behind them.
func (b *binder) cutTo(r *relation, conds []cond, nl int, add ...ex.Expr) (*relation, []cond) {
	conds = slices.Clone(conds)
	at := map[int]int{} // column in the conditions -> of the result
	out := &relation{}
	var exprs []ex.Expr
	var fields []batch.Field
	put := func(e ex.Expr, c column) {
		c.idx = len(exprs)
		out.cols, exprs, fields = append(out.cols, c), append(exprs, e), append(fields, c.f)
	}
	for i := range conds {
		conds[i].e = ex.Transform(conds[i].e, func(e ex.Expr) ex.Expr {
			k, ok := e.(*ex.Col)
			if !ok || k.Index < nl {
				return e
			}
			if _, ok := at[k.Index]; !ok {
				at[k.Index] = len(exprs)
				put(r.col(k.Index-nl), r.cols[k.Index-nl])
			}
			return ex.NewCol(nl+at[k.Index], batch.Field{Name: k.Name, Type: k.T})
		})
	}
	if len(exprs)+len(add) == 0 { // that there are rows is all
		add = append(add, ex.Bool(true))
	}
	for _, e := range add { // a STATE_TTL hint for the table counts for them too
		put(e, column{qual: r.cols[0].qual, name: e.String(), f: batch.Field{Name: e.String(), Type: e.Type()}})
	}
	if len(add) == 0 && len(exprs) == visible(r.node) && !slices.ContainsFunc(exprs, func(e ex.Expr) bool { return e.(*ex.Col).Index != at[nl+e.(*ex.Col).Index] }) {
		out.node = r.node
		return out, conds
	}
	out.node = b.project(r.node, exprs, fields)
	return out, conds
}

// bound is a subquery's rows, its columns, and the conditions on these and the columns around it, in concatenated positions.
type bound struct {
	rel   *relation
	items []ex.Expr
	conds []cond
	at    source.Span
}

// subquery binds the query of an ask.
func (b *binder) subquery(a ask, outer *relation, with *ctes) bound {
	sub := &subquery{outer: outer, at: b.headOf(a.query.Span)}
	b.subs = append(b.subs, sub)
	defer func() { b.subs = b.subs[:len(b.subs)-1] }()
	if s, ok := flat(a.query, a.x == nil); ok {
		return b.flatSubquery(a, s, sub, with)
	}
	rel := b.plain(b.finish(b.query(a.query, with), nil))
	s := bound{rel: rel, at: sub.at}
	for i := range rel.cols {
		c := rel.col(i)
		s.items = append(s.items, ex.NewCol(len(outer.cols)+i, batch.Field{Name: c.Name, Type: c.T}))
	}
	return s
}

// equalities are the comparisons of IN: x with the query's columns.
func (b *binder) equalities(a ask, outer *relation, s bound) []cond {
	xs := []ast.Expr{a.x}
	if row, ok := a.x.(*ast.Row); ok && (len(s.items) != 1 || s.items[0].Type().SQL != batch.RowType) {
		xs = row.Elems
	}
	if len(xs) != len(s.items) {
		fail("SD3009", headSpan(b.file, a.query.Span), "this query has %d columns, %d are compared with it", len(s.items), len(xs))
	}
	sc := &scope{rel: outer, clause: "WHERE"}
	var out []cond
	for i, x := range xs {
		e, err := ex.Compare("=", b.expr(x, sc), s.items[i])
		b.typed("SD3001", x, nil, err)
		out = append(out, cond{ex.At(e, opSpan(x.At())), a.e.At()})
	}
	return out
}
