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
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/operators/windows"
)

// grouping is what SELECT and HAVING of a query that groups may use: grouping expressions and aggregate calls. Bound expressions
// name the i-th key as column i, the j-th call as column aggBase+j and the k-th value of a query as valueBase+k, since
// the number of calls is not known before the end.
type grouping struct {
	in    *relation
	inner *scope
	keys  []groupKey
	calls []aggUse
	// padded: the group may be absent, and then all but COUNT are NULL.
	padded bool
	values []groupValue
}

const aggBase = 1 << 20

type groupKey struct {
	e    ex.Expr
	key  string
	kind string // of the text's node, to try few
	name string
	col  *column // the input's column, when the key is one
}

type aggUse struct {
	fn       *funcs.Agg
	args     []ex.Expr
	filter   ex.Expr
	distinct bool
	key      string
	span     source.Span
}

func kindOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Binary:
		return "binary " + string(e.Op)
	case *ast.Call:
		return "call " + strings.ToUpper(e.Name.Last().String())
	}
	return fmt.Sprintf("%T", e)
}

// hasAggregate tells whether a query's text groups without saying so.
func hasAggregate(e ast.Expr) bool {
	found := false
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Query:
			return false
		case *ast.Call:
			if _, ok := funcs.LookupAgg(n.Name.Last().String()); ok && n.Over == nil {
				found = true
			}
		}
		return !found
	})
	return found
}

// newGrouping binds GROUP BY.
func (b *binder) newGrouping(sel *ast.Select, in *relation) *grouping {
	g := &grouping{in: in, inner: &scope{rel: in, clause: "the argument of an aggregate function"}}
	if sel.GroupBy == nil {
		return g
	}
	if sel.GroupBy.Distinct {
		notYet(b.headOf(sel.GroupBy.Span), "GROUP BY DISTINCT is")
	}
	sc := &scope{rel: in, clause: "GROUP BY"}
	for _, item := range sel.GroupBy.Items {
		x, ok := item.(*ast.GroupExpr)
		if !ok {
			notYet(b.headOf(item.At()), string(item.(*ast.GroupSets).Kind)+" is", "UNION ALL several GROUP BYs")
		}
		for _, e := range x.Exprs {
			b.addKey(g, e, sc)
		}
	}
	return g
}

func (b *binder) addKey(g *grouping, e ast.Expr, sc *scope) {
	x := b.expr(e, sc)
	k := groupKey{e: x, key: ex.Key(x), kind: kindOf(e), name: nameOf(e)}
	for _, old := range g.keys {
		if old.key == k.key {
			return
		}
	}
	if k.name == "" {
		k.name = x.String()
	}
	if c, ok := x.(*ex.Col); ok {
		k.col = g.in.columnOf(c.Index)
	}
	g.keys = append(g.keys, k)
}

func (b *binder) headOf(at source.Span) source.Span { return headSpan(b.file, at) }

// grouped binds e when it is a grouping expression, refuses a column that is none, and returns nil for everything whose parts have
// to be looked at.
func (b *binder) grouped(e ast.Expr, sc *scope) ex.Expr {
	g := sc.agg
	_, bare := e.(*ast.ColumnRef)
	kind, try := kindOf(e), bare
	for _, k := range g.keys {
		try = try || k.kind == kind
	}
	if !try || !bare && (hasAggregate(e) || len(valuesIn(e)) > 0) {
		return nil
	}
	x := b.expr(e, g.inner)
	key := ex.Key(x)
	for i, k := range g.keys {
		if k.key == key {
			return ex.NewCol(i, batch.Field{Name: k.name, Type: x.Type()})
		}
	}
	if !bare {
		return nil
	}
	if f := g.fieldOf(x); f != nil {
		return f
	}
	ref := e.(*ast.ColumnRef)
	d := diag.New("SD3005", ref.Span, "column %q is not grouped", ref.String())
	if len(g.keys) == 0 {
		d.WithLabel("the query has aggregate functions, so this column needs a GROUP BY")
	} else {
		d.WithLabel("it stands neither in GROUP BY nor in an aggregate function")
	}
	if slices.ContainsFunc(g.keys, func(k groupKey) bool { return k.kind == "*ast.Literal" }) {
		d.WithHint("a number in GROUP BY is a number, not a column's place: write the column or the expression")
	}
	throw(d)
	return nil
}

// fieldOf is x, a field of a row, when the row is a grouping expression.
func (g *grouping) fieldOf(x ex.Expr) ex.Expr {
	found := false
	y := ex.Transform(x, func(e ex.Expr) ex.Expr {
		for i, k := range g.keys {
			if ex.Key(e) == k.key {
				found = true
				return ex.NewCol(i, batch.Field{Name: k.name, Type: e.Type()})
			}
		}
		return e
	})
	if !found {
		return nil
	}
	return y
}

// aggCall binds a call of an aggregate function to its column.
func (b *binder) aggCall(e *ast.Call, f funcs.AggFunc, sc *scope) ex.Expr {
	name := f.Name
	for _, a := range e.Args {
		if a.Name != nil {
			fail("SD3002", e.Name.Span, "%s takes no named arguments", name)
		}
		if hasAggregate(a.Value) {
			fail("SD3006", b.head(a.Value), "aggregate functions cannot stand inside %s", name)
		}
	}
	switch {
	case e.Star && name != "COUNT":
		fail("SD3002", e.Name.Span, "%s(*) is not possible, only COUNT(*)", name)
	case len(e.OrderBy) > 0 || len(e.WithinGroup) > 0:
		notYet(e.Name.Span, "ORDER BY in an aggregate function is", "without it the values stand in the order in which their rows came")
	case e.Nulls != "" && !f.Nulls:
		notYet(e.Name.Span, e.Nulls+" NULLS is")
	case name == "COUNT" && !e.Star && len(e.Args) == 0:
		fail("SD3002", e.Name.Span, "COUNT takes an argument, or *")
	}
	u := aggUse{distinct: e.Distinct, span: e.Span}
	var types []batch.Type
	var args []ast.Expr
	for _, a := range e.Args {
		x := b.expr(a.Value, sc.agg.inner)
		u.args, types, args = append(u.args, x), append(types, x.Type()), append(args, a.Value)
	}
	if e.Filter != nil {
		u.filter = b.condition(e.Filter, &scope{rel: sc.agg.in, clause: "FILTER"})
	}
	if name == "MIN" || name == "MAX" {
		u.distinct = false // the same, and cheaper
	}
	var err error
	if u.fn, err = f.Bind(types, u.distinct); err != nil {
		b.typed("SD3002", e, args, err)
	}
	if e.Nulls == "IGNORE" {
		u.fn = u.fn.IgnoreNulls()
	}
	for range u.fn.Params {
		last := len(u.args) - 1
		u.fn, u.args = u.fn.WithParam(b.constant(args[last], u.args[last], name)), u.args[:last]
	}
	if e.Distinct && len(u.args) != 1 {
		fail("SD3002", e.Name.Span, "%s(DISTINCT …) takes one argument", name)
	}
	u.key = fmt.Sprintf("%s %v %q %v", name, u.distinct, u.fn.Param, u.fn.Nulls)
	for _, x := range u.args {
		u.key += "|" + ex.Key(x)
	}
	if u.filter != nil {
		u.key += "|filter " + ex.Key(u.filter)
	}
	g := sc.agg
	at := -1
	for i, old := range g.calls {
		if old.key == u.key {
			at = i
		}
	}
	if at < 0 {
		at = len(g.calls)
		g.calls = append(g.calls, u)
	}
	t := u.fn.Out
	if g.padded && name != "COUNT" {
		t.NotNull = false
	}
	return ex.NewCol(aggBase+at, batch.Field{Name: b.callName(g.calls[at]), Type: t})
}

// constant returns the text of an argument that must be a string known before any row.
func (b *binder) constant(at ast.Expr, x ex.Expr, name string) string {
	if !ex.IsConst(x) {
		fail("SD3002", b.head(at), "this argument of %s must be a constant", name)
	}
	v, err := ex.EvalConst(ex.Fold(x), nil)
	b.typed("SD3002", at, nil, err)
	if v.IsNull(0) {
		fail("SD3002", b.head(at), "this argument of %s cannot be NULL", name)
	}
	return string(v.Bytes(0))
}

func (b *binder) callName(u aggUse) string {
	text := strings.Join(strings.Fields(b.file.Source.Slice(u.span)), " ")
	if len(text) > 60 {
		return u.fn.Name
	}
	return text
}

// windowKeys finds the window that the keys are of: start and end are its columns' places among the keys, -1 when absent.
func (g *grouping) windowKeys() (start, end, time int) {
	start, end, time = -1, -1, -1
	of := ""
	for i, k := range g.keys {
		if k.col == nil || k.col.role.part == 0 || of != "" && k.col.role.of != of {
			continue
		}
		of = k.col.role.of
		switch k.col.role.part {
		case 's':
			start = i
		case 'e':
			end = i
		case 't':
			time = i
		}
	}
	return start, end, time
}

// columns are the distinct expressions a projection below an aggregate computes.
type columns struct {
	in     *relation
	exprs  []ex.Expr
	fields []batch.Field
	place  map[string]int
}

// add returns the column of e.
func (c *columns) add(e ex.Expr) int {
	if p, ok := c.place[ex.Key(e)]; ok {
		return p
	}
	f := batch.Field{Name: e.String(), Type: e.Type()}
	if x, ok := e.(*ex.Col); ok {
		f.Time = c.in.columnOf(x.Index).f.Time
	}
	c.place[ex.Key(e)] = len(c.exprs)
	c.exprs, c.fields = append(c.exprs, e), append(c.fields, f)
	return len(c.exprs) - 1
}

// window is the input's pending window over the projected columns.
func (c *columns) window() (w windows.Spec) {
	if c.in.win == nil {
		return w
	}
	w = c.in.win.spec
	keys := w.Keys
	w.Col, w.Keys = c.add(c.in.col(w.Col)), nil
	for _, k := range keys {
		w.Keys = append(w.Keys, c.add(c.in.col(k)))
	}
	return w
}

// build makes the aggregate and returns a relation whose column i is key i and len(keys)+j is call j.
func (b *binder) buildGroup(g *grouping, at source.Span) *relation {
	start, end, time := g.windowKeys()
	windowed := start >= 0 && end >= 0
	if !windowed || g.usesWindow() {
		g.settle(b)
	}
	in := g.in
	proj := &columns{in: in, place: map[string]int{}}
	add := proj.add
	w := proj.window()
	var keys, keyOf []int // keyOf: which grouping key each one is
	for i, k := range g.keys {
		if windowed && (i == start || i == end || i == time && in.win != nil) {
			continue
		}
		keys, keyOf = append(keys, add(k.e)), append(keyOf, i)
	}
	var aggs []ops.AggCall
	for _, u := range g.calls {
		c := ops.AggCall{Fn: u.fn, Filter: -1, Distinct: u.distinct, Name: b.callName(u), Span: opSpan(u.span)}
		for _, a := range u.args {
			c.Args = append(c.Args, add(a))
		}
		if u.filter != nil {
			c.Filter = add(u.filter)
		}
		aggs = append(aggs, c)
	}
	startCol, endCol := -1, -1
	if windowed && in.win == nil {
		startCol, endCol = add(g.keys[start].e), add(g.keys[end].e)
	}
	if len(proj.exprs) == 0 { // COUNT(*) of a whole table: any column will do to carry the rows
		add(ex.Bool(true))
	}
	node := b.project(in.node, proj.exprs, proj.fields)
	var out []batch.Field
	for i, k := range keys {
		f := proj.fields[k]
		f.Name = g.keys[keyOf[i]].name
		out = append(out, f)
	}
	for _, a := range aggs {
		out = append(out, batch.Field{Name: a.Name, Type: a.Fn.Out})
	}
	var n ops.Node
	pos := make([]int, len(g.keys))
	for i, k := range keyOf {
		pos[k] = i
	}
	nk := len(keys)
	switch {
	case windowed && in.win != nil:
		want := ops.WinCols{Start: true, End: true, Time: time >= 0}
		pos[start], pos[end] = nk+len(aggs), nk+len(aggs)+1
		out = append(out, winField("window_start"), winField("window_end"))
		if time >= 0 {
			pos[time] = nk + len(aggs) + 2
			f := in.cols[len(in.cols)-1].f
			out = append(out, batch.Field{Name: "window_time", Type: f.Type, Time: f.Time})
		}
		n = b.windowAggregate(node, w, keys, aggs, want, out, at)
	case windowed:
		if node.Base().Mode != ops.Append {
			n = b.aggregate(node, append(append([]int{}, keys...), startCol, endCol), aggs, attachedAsKeys(out, len(keys)), b.ttlFor(in, at))
			pos[start], pos[end] = nk, nk+1
			nk += 2
			break
		}
		pos[start], pos[end] = nk+len(aggs), nk+len(aggs)+1
		out = append(out, winField("window_start"), winField("window_end"))
		n = b.attachedAggregate(node, startCol, endCol, keys, aggs, out)
	default:
		n = b.aggregate(node, keys, aggs, out, b.ttlFor(in, at))
	}
	n.Base().Span = opSpan(at)
	return g.relation(n, pos, nk, aggs)
}

// relation names the aggregate's columns: the keys, then the calls from column nk on.
func (g *grouping) relation(n ops.Node, pos []int, nk int, aggs []ops.AggCall) *relation {
	r := &relation{node: n}
	for i, k := range g.keys {
		c := column{name: k.name, idx: pos[i], f: n.Base().Schema.Fields[pos[i]]}
		if k.col != nil {
			c.role = k.col.role
		}
		r.cols = append(r.cols, c)
	}
	for j, a := range aggs {
		r.cols = append(r.cols, column{name: a.Name, idx: nk + j, f: n.Base().Schema.Fields[nk+j]})
	}
	return r
}

// attachedAsKeys puts the two window columns behind the keys.
func attachedAsKeys(out []batch.Field, keys int) []batch.Field {
	f := append(append([]batch.Field{}, out[:keys]...), winField("window_start"), winField("window_end"))
	return append(f, out[keys:]...)
}

func winField(name string) batch.Field {
	return batch.Field{Name: name, Type: batch.TypeTS3.With(true)}
}

// usesWindow tells whether more than the grouping columns needs the window's columns on each row.
func (g *grouping) usesWindow() bool {
	if g.in.win == nil {
		return false
	}
	first := len(g.in.cols) - 3
	uses := func(e ex.Expr) bool {
		for _, c := range ex.Cols(e) {
			if c >= first {
				return true
			}
		}
		return false
	}
	for _, k := range g.keys {
		if k.col == nil && uses(k.e) {
			return true
		}
	}
	for _, u := range g.calls {
		for _, a := range u.args {
			if uses(a) {
				return true
			}
		}
		if u.filter != nil && uses(u.filter) {
			return true
		}
	}
	return false
}

// settle gives every row its window columns; positions stay.
func (g *grouping) settle(b *binder) {
	g.in = b.finish(g.in, nil)
	g.inner.rel = g.in
	for i, k := range g.keys {
		if c, ok := k.e.(*ex.Col); ok {
			g.keys[i].col = g.in.columnOf(c.Index)
		}
	}
}

// placed replaces the markers of a grouped expression by the columns of the aggregate.
func (g *grouping) placed(e ex.Expr, r *relation) ex.Expr {
	return ex.Transform(e, func(e ex.Expr) ex.Expr {
		c, ok := e.(*ex.Col)
		switch {
		case !ok:
			return e
		case c.Index >= valueBase:
			return r.col(len(g.keys) + len(g.calls) + c.Index - valueBase)
		case c.Index >= aggBase:
			return r.col(len(g.keys) + c.Index - aggBase)
		}
		return r.col(c.Index)
	})
}
