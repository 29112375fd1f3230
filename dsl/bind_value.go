package dsl

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// A query that stands for one value is an aggregate of a whole table, or of the rows that equalities with columns of the query
// around it choose. Of a whole table it becomes a left join with the one row that the query gives, or NULL while there is none. Of
// chosen rows it becomes a left join with the aggregate grouped by the other sides of the equalities: where there is no group, COUNT
// is 0 and what else is aggregated is NULL, and the SELECT list's expression is evaluated on these.

// values are what the queries in expressions became: expressions over places in the relation's columns.
type values map[*ast.Subquery]ex.Expr

// valuesIn lists the queries that stand for a value in e, but for those inside of queries.
func valuesIn(e ast.Expr) (out []*ast.Subquery) {
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Subquery:
			out = append(out, n)
			return false
		case *ast.Query:
			return false
		}
		return true
	})
	return out
}

// joinValues adds what the values need to the columns of r, hidden.
func (b *binder) joinValues(r *relation, list []*ast.Subquery, with *ctes) (*relation, values) {
	v := values{}
	for _, q := range list {
		if len(r.cols) == 0 {
			notYet(b.head(q), "a query used as a value without FROM is", "write FROM (VALUES (1)) AS one (x)")
		}
		r = b.plain(r)
		r, v[q] = b.joinValue(r, q, with)
	}
	return r, v
}

// valueGroup is the aggregate of a query that stands for a value: the groups' keys stand first, then what the SELECT list's
// expression is made of.
func (b *binder) valueGroup(q *ast.Subquery, sub *subquery, with *ctes) (r *relation, g *grouping, item ex.Expr, conds []cond) {
	s := b.oneAggregate(q)
	b.subs = append(b.subs, sub)
	defer func() { b.subs = b.subs[:len(b.subs)-1] }()
	defer b.hints(s)()
	from, around := b.inside(s, sub, b.withs(q.Query, with))
	g = &grouping{in: from, inner: &scope{rel: from, clause: "the argument of an aggregate function"}, padded: true}
	item = b.expr(s.Items[0].Expr, &scope{rel: from, agg: g, clause: "SELECT"})
	nl := len(sub.outer.cols)
	at := map[string]int{}
	for _, c := range around {
		in, out, safe, ok := sides(c.e)
		if !ok || safe {
			notYet(sub.at, "a query used as a value that compares with the query around otherwise than by = is", "join with the query instead")
		}
		k, ok := at[ex.Key(in)]
		if !ok {
			k = len(g.keys)
			at[ex.Key(in)] = k
			g.keys = append(g.keys, groupKey{e: in, key: ex.Key(in), name: in.String()})
		}
		key := ex.NewCol(nl+k, batch.Field{Name: in.String(), Type: in.Type()})
		e, err := ex.Compare("=", ex.Transform(out, sub.placed(from)), key)
		b.typed("SD3001", q, nil, err)
		conds = append(conds, cond{e, q.Span})
	}
	return b.buildGroup(g, sub.at), g, item, conds
}

func (b *binder) joinValue(outer *relation, q *ast.Subquery, with *ctes) (*relation, ex.Expr) {
	sub := &subquery{outer: outer, at: b.headOf(q.Query.Span)}
	r, g, item, conds := b.valueGroup(q, sub, with)
	nl := len(outer.cols)
	if len(conds) == 0 {
		out := b.besides(outer, b.computed(r, g, item), nil, q)
		return out, ex.NewCol(nl, batch.Field{Name: out.cols[nl].name, Type: out.cols[nl].f.Type})
	}
	out := b.besides(outer, b.plain(r), conds, q)
	return out, b.onCalls(item, g, q, func(i int) *ex.Col {
		at := nl + len(g.keys) + i
		return ex.NewCol(at, batch.Field{Name: out.cols[at].name, Type: out.cols[at].f.Type})
	})
}

// computed is the value of a query that does not look outside, as a relation.
func (b *binder) computed(r *relation, g *grouping, item ex.Expr) *relation {
	e := g.placed(item, r)
	f := batch.Field{Name: e.String(), Type: e.Type()}
	return &relation{node: b.project(r.node, []ex.Expr{e}, []batch.Field{f}), cols: []column{{name: f.Name, f: f}}}
}

// besides joins a value's aggregate to the rows that use it; its columns are hidden.
func (b *binder) besides(outer, inner *relation, conds []cond, q *ast.Subquery) *relation {
	nl := len(outer.cols)
	n, pos := b.joinTwo(ops.Left, outer, inner, conds, q.Span)
	n.Base().Span = opSpan(q.Span)
	out := &relation{node: n}
	for i, c := range append(slices.Clone(outer.cols), inner.cols...) {
		f := n.Base().Schema.Fields[pos[i]]
		c.idx, c.f.Type, c.f.Time, c.role = pos[i], f.Type, f.Time, windowRole{}
		if i >= nl {
			c.qual, c.hidden = "", true
		}
		out.cols = append(out.cols, c)
	}
	return out
}

// onCalls is a value's expression over the columns of its aggregate's calls.
func (b *binder) onCalls(item ex.Expr, g *grouping, q *ast.Subquery, call func(i int) *ex.Col) ex.Expr {
	return ex.Transform(item, func(e ex.Expr) ex.Expr {
		c, ok := e.(*ex.Col)
		if !ok {
			return e
		}
		k := call(c.Index - aggBase)
		if g.calls[c.Index-aggBase].fn.Name != "COUNT" {
			return k
		}
		zero, err := ex.Coalesce(k, ex.Int(0, batch.TypeBigInt))
		b.typed("SD3001", q, nil, err)
		return zero
	})
}

// valueBase + k is the k-th value in a query that groups.
const valueBase = 1 << 22

// groupValue is the aggregate of a value in SELECT or HAVING of a query that groups: it is joined to the groups.
type groupValue struct {
	rel *relation
	q   *ast.Subquery
}

// groupValues binds the values in SELECT and HAVING of a query that groups. They are those of queries that do not look outside.
func (b *binder) groupValues(g *grouping, s *ast.Select, with *ctes) values {
	var list []*ast.Subquery
	for _, it := range s.Items {
		list = append(list, valuesIn(it.Expr)...)
	}
	if s.Having != nil {
		list = append(list, valuesIn(s.Having)...)
	}
	v := values{}
	for i, q := range list {
		sub := &subquery{outer: g.in, at: b.headOf(q.Query.Span)}
		r, own, item, conds := b.valueGroup(q, sub, with)
		if len(conds) > 0 {
			notYet(sub.at, "a query used as a value that looks at the groups around it is", "group in a query in FROM")
		}
		r = b.computed(r, own, item)
		g.values = append(g.values, groupValue{r, q})
		v[q] = ex.NewCol(valueBase+i, batch.Field{Name: r.cols[0].name, Type: r.cols[0].f.Type.With(false)})
	}
	return v
}

// withValues joins the values to the groups r.
func (b *binder) withValues(g *grouping, r *relation) *relation {
	for _, v := range g.values {
		r = b.besides(b.plain(r), v.rel, nil, v.q)
	}
	return r
}

// oneAggregate is the SELECT of a query that gives one row: aggregates of a whole table.
func (b *binder) oneAggregate(q *ast.Subquery) *ast.Select {
	s, ok := q.Query.Body.(*ast.Select)
	plain := ok && !q.Query.Recursive && len(q.Query.OrderBy) == 0 && q.Query.RowLimit() == nil && q.Query.Offset == nil &&
		s.GroupBy == nil && s.Having == nil && s.Qualify == nil && s.Windows == nil
	if !plain || !slices.ContainsFunc(s.Items, func(i *ast.SelectItem) bool { return hasAggregate(i.Expr) }) {
		notYet(b.head(q), "a query used as a value, unless it aggregates a whole table, is", "join with the query instead")
	}
	if len(s.Items) != 1 {
		fail("SD3009", b.headOf(q.Query.Span), "a query used as a value has one column, this one has %d", len(s.Items))
	}
	return s
}

// sides takes an equality between a query and the one around it apart.
func sides(e ex.Expr) (in, out ex.Expr, nullSafe, ok bool) {
	a, z, nullSafe, ok := equality(e)
	if !ok {
		return nil, nil, false, false
	}
	if within(a, outerBase, 2*outerBase) {
		a, z = z, a
	}
	return a, z, nullSafe, within(a, 0, outerBase) && within(z, outerBase, 2*outerBase)
}

// value is what a query in an expression became; nil where it may not stand.
func (sc *scope) value(q *ast.Subquery) ex.Expr {
	e, ok := sc.values[q]
	if !ok {
		return nil
	}
	if sc.agg != nil {
		return e
	}
	return ex.Transform(e, func(e ex.Expr) ex.Expr {
		if c, ok := e.(*ex.Col); ok {
			return sc.rel.col(c.Index)
		}
		return e
	})
}
