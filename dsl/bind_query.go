package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// ctes are the common table expressions in sight, innermost first.
type ctes struct {
	name string
	rel  *relation
	up   *ctes
}

func (c *ctes) find(name string) *relation {
	for ; c != nil; c = c.up {
		if c.name == name {
			return c.rel
		}
	}
	return nil
}

// query binds a query. The result may be pending on the WHERE of the query around it.
func (b *binder) query(q *ast.Query, with *ctes) *relation {
	b.queried = true
	with = b.withs(q, with)
	r := b.body(q.Body, with, q)
	return b.ordered(q, r)
}

// withs binds the common table expressions of a query.
func (b *binder) withs(q *ast.Query, with *ctes) *ctes {
	if q.Recursive {
		notYet(headSpan(b.file, q.Span), "WITH RECURSIVE is")
	}
	for i, c := range q.With {
		if slices.ContainsFunc(q.With[:i], func(x *ast.CTE) bool { return x.Name.String() == c.Name.String() }) {
			fail("SD2002", c.Name.Span, "%q stands twice in this WITH", c.Name.String())
		}
		r := b.query(c.Query, with)
		r = b.alias(r, &ast.Alias{Span: c.Span, Name: c.Name, Columns: c.Columns})
		with = &ctes{c.Name.String(), r, with}
	}
	return with
}

func (b *binder) body(body ast.QueryBody, with *ctes, q *ast.Query) *relation {
	switch x := body.(type) {
	case *ast.Select:
		return b.selectBody(x, with, q)
	case *ast.Values:
		return b.values(x)
	case *ast.NestedQuery:
		return b.query(x.Query, with)
	case *ast.ExplicitTable:
		return b.tableByName(x.Name, nil, with)
	case *ast.SetOp:
		return b.setOp(x, with)
	}
	panic("BUG: unknown query")
}

// withColumns adds expressions behind the columns of a relation and says where each one is.
func (b *binder) withColumns(r *relation, add []ex.Expr) (ops.Node, []int) {
	var exprs []ex.Expr
	var fields []batch.Field
	for i := range visible(r.node) {
		f := r.node.Base().Schema.Fields[i]
		exprs, fields = append(exprs, ex.NewCol(i, f)), append(fields, f)
	}
	n := len(exprs)
	var at []int
	for _, e := range add {
		if c, ok := e.(*ex.Col); ok {
			at = append(at, c.Index)
			continue
		}
		found := -1
		for j := n; j < len(exprs); j++ {
			if ex.Equal(exprs[j], e) {
				found = j
			}
		}
		if found < 0 {
			found = len(exprs)
			exprs, fields = append(exprs, e), append(fields, batch.Field{Name: e.String(), Type: e.Type()})
		}
		at = append(at, found)
	}
	if len(exprs) == n {
		return r.node, at
	}
	return b.project(r.node, exprs, fields), at
}

// plain returns r over a node whose columns are exactly those of r, in order.
func (b *binder) plain(r *relation) *relation {
	if r.node == nil || r.win != nil || r.rank != nil {
		r = b.finish(r, nil)
	}
	same := len(r.cols) == visible(r.node)
	for i, c := range r.cols {
		same = same && c.idx == i
	}
	if same {
		return r
	}
	var exprs []ex.Expr
	var fields []batch.Field
	out := &relation{}
	for i, c := range r.cols {
		f := c.f
		f.Name = c.name
		exprs, fields = append(exprs, r.col(i)), append(fields, f)
		c.idx = i
		out.cols = append(out.cols, c)
	}
	out.node = b.project(r.node, exprs, fields)
	return out
}

// item is one bound column of a SELECT list.
type item struct {
	e    ex.Expr
	name string
	role windowRole
	time batch.TimeAttr
	rank *ast.Call // ROW_NUMBER() OVER (…) instead of e
}

func (b *binder) selectBody(s *ast.Select, with *ctes, q *ast.Query) *relation {
	defer b.hints(s)()
	defer aliasHint(s)
	if s.Qualify != nil {
		notYet(b.headOf(s.Qualify.Span), "QUALIFY is", "filter the row number in a query around this one")
	}
	if s.Windows != nil && !onlyRanks(s) {
		notYet(b.headOf(s.Windows.Span), "the WINDOW clause is")
	}
	var from *relation
	if s.From == nil {
		from = b.oneRow()
	} else {
		from = b.from(s.From, with)
	}
	groups := s.GroupBy != nil || s.Having != nil && hasAggregate(s.Having)
	for _, it := range s.Items {
		groups = groups || hasAggregate(it.Expr)
	}
	parts := asks(s.Where, nil)
	var where []cond
	for _, e := range parts.plain {
		where = append(where, b.conjuncts(e, &scope{rel: from, clause: "WHERE"})...)
	}
	if from.win == nil || len(where) > 0 {
		from = b.finish(from, where)
	}
	from, vals := b.valued(s, from, parts, groups, with)
	from = b.asked(from, parts.asked, with)
	if groups {
		return b.selectGrouped(s, from, q, with)
	}
	if s.Having != nil {
		fail("SD3006", b.head(s.Having), "HAVING needs a GROUP BY or an aggregate function")
	}
	if from.win != nil {
		from = b.finish(from, nil)
	}
	items := b.items(s, from, &scope{rel: from, clause: "a SELECT without GROUP BY", values: vals})
	more, keys := b.orderItems(s, q, items, &scope{rel: from, clause: "ORDER BY"})
	out := b.selected(s, from, append(items, more...))
	out.order = keys
	return out
}

// aliasHint adds to the refusal of an unknown column that an alias of the SELECT list has its name, which is seen in no other clause
// but ORDER BY.
func aliasHint(s *ast.Select) {
	r := recover()
	if r == nil {
		return
	}
	if x, ok := r.(bail); ok && x.d != nil && x.d.Code == "SD2003" {
		for _, it := range s.Items {
			if it.Alias != nil && x.d.Message == fmt.Sprintf("unknown column %q", it.Alias.String()) {
				x.d.WithHint("an alias of the SELECT list is not seen here: repeat its expression, or filter in a query around this one")
			}
		}
	}
	panic(r)
}

// valued joins the values of queries and applies the conditions that use them.
func (b *binder) valued(s *ast.Select, from *relation, p *parts, groups bool, with *ctes) (*relation, values) {
	var list []*ast.Subquery
	for _, e := range p.valued {
		list = append(list, valuesIn(e)...)
	}
	for _, it := range s.Items {
		if c, ok := it.Expr.(*ast.Call); !groups && (!ok || c.Over == nil) {
			list = append(list, valuesIn(it.Expr)...)
		}
	}
	if len(list) == 0 {
		return from, nil
	}
	from, vals := b.joinValues(from, list, with)
	var conds []cond
	for _, e := range p.valued {
		conds = append(conds, b.conjuncts(e, &scope{rel: from, clause: "WHERE", values: vals})...)
	}
	return b.where(from, conds), vals
}

func (b *binder) selectGrouped(s *ast.Select, from *relation, q *ast.Query, with *ctes) *relation {
	g := b.newGrouping(s, from)
	sc := &scope{rel: from, agg: g, values: b.groupValues(g, s, with)}
	items := b.items(s, from, sc)
	more, keys := b.orderItems(s, q, items, sc)
	items = append(items, more...)
	var having []cond
	if s.Having != nil {
		sc.clause = "HAVING"
		having = b.conjuncts(s.Having, sc)
	}
	at := headSpan(b.file, s.Span)
	if s.GroupBy != nil {
		at = s.GroupBy.Span
	}
	r := b.withValues(g, b.buildGroup(g, at))
	for i := range having {
		having[i].e = g.placed(having[i].e, r)
	}
	r = b.where(r, having)
	for i := range items {
		if items[i].rank != nil {
			notYet(items[i].rank.Name.Span, "ROW_NUMBER() beside GROUP BY is", "group in a subquery")
		}
		items[i].e = g.placed(items[i].e, r)
		if c, ok := items[i].e.(*ex.Col); ok {
			col := r.columnOf(c.Index)
			items[i].role, items[i].time = col.role, col.f.Time
		} else {
			items[i].role, items[i].time = windowRole{}, batch.NoTime
		}
	}
	out := b.selected(s, r, items)
	out.order = keys
	return out
}

// items binds the SELECT list.
func (b *binder) items(s *ast.Select, from *relation, sc *scope) []item {
	var out []item
	for _, it := range s.Items {
		if star, ok := it.Expr.(*ast.Star); ok {
			out = append(out, b.star(star, from, sc)...)
			b.widen(star.Span, len(out))
			continue
		}
		if c, ok := it.Expr.(*ast.Call); ok && c.Over != nil && strings.EqualFold(c.Name.Last().String(), "ROW_NUMBER") {
			x := item{rank: c, name: fmt.Sprintf("EXPR$%d", len(out))}
			if it.Alias != nil {
				x.name = it.Alias.String()
			}
			out = append(out, x)
			continue
		}
		x := item{e: b.expr(it.Expr, sc), name: nameOf(it.Expr)}
		if x.name == "" {
			x.name = fmt.Sprintf("EXPR$%d", len(out))
		}
		if it.Alias != nil {
			x.name = it.Alias.String()
		}
		if c, ok := x.e.(*ex.Col); ok && sc.agg == nil && c.Index < outerBase {
			col := from.columnOf(c.Index)
			x.role, x.time = col.role, col.f.Time
		}
		if isProctimeCall(it.Expr) {
			x.time = batch.Proctime
		}
		out = append(out, x)
	}
	if len(s.Items) > 0 {
		b.widen(b.headOf(s.Items[0].At()), len(out))
	}
	return out
}

func isProctimeCall(e ast.Expr) bool {
	c, ok := e.(*ast.Call)
	return ok && isProctime(strings.ToUpper(c.Name.Last().String())) && len(c.Args) == 0
}

// nameOf is the name that an expression gives to its column, "" for none.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return e.Parts[len(e.Parts)-1].String()
	case *ast.FieldAccess:
		return e.Field.String()
	}
	return ""
}

func (b *binder) star(st *ast.Star, from *relation, sc *scope) []item {
	table := ""
	if n := len(st.Qualifier); n > 0 {
		table = st.Qualifier[n-1].String()
		if !from.hasTable(table) {
			if i := from.find("", table, nil); i >= 0 && from.cols[i].f.Type.SQL == batch.RowType {
				notYet(st.Span, "the fields of a ROW by .* are", "name them")
			}
			d := diag.New("SD2001", st.Qualifier[n-1].Span, "unknown table %q", table)
			throw(d.WithHint("tables: %s", strings.Join(from.tables(), ", ")))
		}
	} else if len(from.cols) == 0 {
		fail("SD2003", st.Span, "* needs a FROM")
	}
	var out []item
	for i, c := range from.cols {
		if table == "" && c.hidden || table != "" && c.qual != table {
			continue
		}
		var e ex.Expr = from.col(i)
		if sc.agg != nil {
			e = b.groupedColumn(sc.agg, e, c.name, st.Span)
		}
		out = append(out, item{e: e, name: c.name, role: c.role, time: c.f.Time})
	}
	return out
}

func (b *binder) groupedColumn(g *grouping, e ex.Expr, name string, at source.Span) ex.Expr {
	for i, k := range g.keys {
		if k.key == ex.Key(e) {
			return ex.NewCol(i, batch.Field{Name: k.name, Type: e.Type()})
		}
	}
	fail("SD3005", at, "column %q is not grouped", name)
	return nil
}

// selected projects the items, then DISTINCT or the pending row number.
func (b *binder) selected(s *ast.Select, from *relation, items []item) *relation {
	taken := map[string]bool{}
	for i := range items {
		name := items[i].name
		for k := 0; taken[items[i].name]; k++ {
			items[i].name = fmt.Sprintf("%s%d", name, k)
		}
		taken[items[i].name] = true
	}
	out := &relation{}
	var exprs []ex.Expr
	var fields []batch.Field
	var rank *item
	rankAt := -1
	for i := range items {
		it := &items[i]
		if it.rank != nil {
			if rank != nil {
				notYet(it.rank.Name.Span, "a second ROW_NUMBER() in one SELECT is")
			}
			rank, rankAt = it, len(out.cols)
			out.cols = append(out.cols, column{name: it.name})
			continue
		}
		f := batch.Field{Name: it.name, Type: it.e.Type(), Time: it.time}
		out.cols = append(out.cols, column{name: it.name, idx: len(exprs), f: f, role: it.role})
		exprs, fields = append(exprs, it.e), append(fields, f)
	}
	if rank != nil {
		if s.Distinct {
			notYet(rank.rank.Name.Span, "ROW_NUMBER() with DISTINCT is")
		}
		return b.ranked(s, from, out, exprs, fields, rank.rank, rankAt)
	}
	out.node = b.project(from.node, exprs, fields)
	if s.Distinct {
		return b.distinct(out, headSpan(b.file, s.Span))
	}
	return out
}

func (b *binder) distinct(r *relation, at source.Span) *relation {
	r = b.plain(r)
	var keys []int
	var fields []batch.Field
	for i, c := range r.cols {
		keys = append(keys, i)
		c.f.Name = c.name
		fields = append(fields, c.f)
	}
	n := b.aggregate(r.node, keys, nil, fields, b.ttlFor(r, at))
	n.Base().Span = opSpan(at)
	out := &relation{node: n}
	for i, c := range r.cols {
		c.f.Time = n.Base().Schema.Fields[i].Time
		out.cols = append(out.cols, c)
	}
	return out
}

func (b *binder) setOp(x *ast.SetOp, with *ctes) *relation {
	at := headSpan(b.file, x.Right.At())
	if x.Op != ast.Union {
		advice := "WHERE EXISTS (SELECT 1 FROM … WHERE …) keeps the rows that another query has, too"
		if x.Op == ast.Except {
			advice = "WHERE NOT EXISTS (SELECT 1 FROM … WHERE …) takes the rows of another query away"
		}
		notYet(b.between(string(x.Op), x.Left.At(), x.Right.At()), string(x.Op)+" is", advice)
	}
	// A chain of unions is one operator; the operands stand left to right.
	var parts []ast.QueryBody
	var flat func(body ast.QueryBody, all bool)
	flat = func(body ast.QueryBody, all bool) {
		if u, ok := body.(*ast.SetOp); ok && u.Op == ast.Union && u.All == all {
			flat(u.Left, all)
			parts = append(parts, u.Right)
			return
		}
		parts = append(parts, body)
	}
	flat(x, x.All)
	var rels []*relation
	for i, p := range parts {
		r := b.plain(b.finish(b.body(p, with, nil), nil))
		if i > 0 && len(r.cols) != len(rels[0].cols) {
			throw(diag.New("SD3009", headSpan(b.file, p.At()), "this part of UNION has %d columns, the first one has %d", len(r.cols), len(rels[0].cols)))
		}
		rels = append(rels, r)
	}
	types := make([]batch.Type, len(rels[0].cols))
	for c := range types {
		types[c] = rels[0].cols[c].f.Type
		for i, r := range rels[1:] {
			t, err := ex.Common(types[c], r.cols[c].f.Type)
			if err != nil {
				throw(diag.New("SD3009", headSpan(b.file, parts[i+1].At()), "column %d of UNION: %s", c+1, err.Error()).WithHint("CAST one of them"))
			}
			types[c] = t
		}
	}
	var ins []ops.Node
	for _, r := range rels {
		ins = append(ins, b.converted(r, types))
	}
	out := &relation{node: b.union(ins)}
	for i, c := range rels[0].cols {
		c.qual, c.hidden, c.role, c.f = "", false, windowRole{}, out.node.Base().Schema.Fields[i]
		out.cols = append(out.cols, c)
	}
	if !x.All {
		return b.distinct(out, at)
	}
	return out
}

// converted brings the columns of a plain relation to types that they convert to.
func (b *binder) converted(r *relation, types []batch.Type) ops.Node {
	var exprs []ex.Expr
	var fields []batch.Field
	same := true
	for i, c := range r.cols {
		var e ex.Expr = r.col(i)
		f := c.f
		f.Name = c.name
		if !f.Type.Equal(types[i]) {
			same = false
			cast, err := ex.Cast(e, types[i].With(false), false)
			if err != nil {
				panic("BUG: a common type that cannot be cast to: " + err.Error())
			}
			e = cast
			f.Type, f.Time = cast.Type(), batch.NoTime
		}
		exprs, fields = append(exprs, e), append(fields, f)
	}
	if same {
		return r.node
	}
	return b.project(r.node, exprs, fields)
}
