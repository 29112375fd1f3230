package dsl

import (
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ex "github.com/streamd/streamd/operators/expr"
)

// from binds a FROM clause.
func (b *binder) from(t ast.TableExpr, with *ctes) *relation {
	switch t := t.(type) {
	case *ast.TableName:
		if t.AsOf != nil {
			notYet(b.between("FOR", t.Name.Span, t.AsOf.At()), "a join FOR SYSTEM_TIME AS OF is", "a regular join keeps its result up to date instead")
		}
		r := b.tableByName(t.Name, t.Hints, with)
		return b.alias(r, aliasOr(t.Alias, t.Name.Last()))
	case *ast.Derived:
		r := b.query(t.Query, with)
		if t.Alias == nil {
			r2 := *r
			r2.cols = append([]column{}, r.cols...)
			for i := range r2.cols {
				r2.cols[i].qual = ""
			}
			return &r2
		}
		return b.alias(r, t.Alias)
	case *ast.TableFunc:
		return b.tableFunc(t, with)
	case *ast.Join:
		return b.join(t, with)
	case *ast.Unnest:
		return b.bareUnnest(t)
	case *ast.Match:
		notYet(b.headOf(t.Body.Span), "MATCH_RECOGNIZE is")
	}
	panic("BUG: unknown table expression")
}

func aliasOr(a *ast.Alias, n *ast.Name) *ast.Alias {
	if a != nil {
		return a
	}
	return &ast.Alias{Span: n.Span, Name: n}
}

// tableByName binds a common table expression, view or table.
func (b *binder) tableByName(q *ast.QName, hints []*ast.Hint, with *ctes) *relation {
	if len(q.Parts) == 1 {
		if r := with.find(q.Last().String()); r != nil {
			out := *r
			out.cols = append([]column{}, r.cols...)
			return &out
		}
	}
	o := b.lookup(q)
	if o.broken {
		throw(nil)
	}
	if o.view != nil {
		out := *o.view
		out.cols = append([]column{}, o.view.cols...)
		return &out
	}
	return b.scan(o.table, q, hints)
}

// ranked makes a query with ROW_NUMBER pending.
func (b *binder) ranked(s *ast.Select, from *relation, out *relation, exprs []ex.Expr, fields []batch.Field, call *ast.Call, rankAt int) *relation {
	spec := call.Over.Spec
	if call.Over.Name != nil {
		if s.Windows != nil {
			for _, w := range s.Windows.List {
				if w.Name.String() == call.Over.Name.String() {
					spec = w.Spec
				}
			}
		}
		if spec == nil {
			fail("SD2001", call.Over.Name.Span, "unknown window %q", call.Over.Name.String())
		}
	}
	switch {
	case len(call.Args) > 0:
		fail("SD3002", call.Name.Span, "ROW_NUMBER takes no arguments")
	case spec.Base != nil:
		notYet(spec.Base.Span, "a window over another one is")
	case spec.Frame != nil:
		fail("SD3002", b.headOf(spec.Frame.Span), "ROW_NUMBER takes no frame")
	case len(spec.OrderBy) == 0:
		fail("SD4004", call.Name.Span, "ROW_NUMBER needs an ORDER BY")
	}
	sc := &scope{rel: from, clause: "OVER"}
	p := &pendingRank{name: out.cols[rankAt].name, col: rankAt, at: call.Name.Span, ttl: b.ttlFor(from, call.Span), end: -1}
	place := func(e ast.Expr) int {
		x := b.expr(e, sc)
		for i, y := range exprs {
			if ex.Equal(x, y) {
				return i
			}
		}
		f := batch.Field{Name: x.String(), Type: x.Type()}
		if c, ok := x.(*ex.Col); ok {
			f.Time = from.columnOf(c.Index).f.Time
		}
		exprs, fields = append(exprs, x), append(fields, f)
		return len(exprs) - 1
	}
	for _, e := range spec.PartitionBy {
		p.part = append(p.part, place(e))
	}
	p.end = windowEnd(from, exprs, p.part)
	var cols []int
	for _, o := range spec.OrderBy {
		cols = append(cols, place(o.Expr))
	}
	p.order = b.orderKeys(spec.OrderBy, cols)
	out.node = b.project(from.node, exprs, fields)
	out.cols[rankAt].idx = visible(out.node)
	out.cols[rankAt].f = batch.Field{Name: p.name, Type: batch.TypeBigInt.With(true)}
	out.rank = p
	return out
}

// windowEnd is the column of a partition that is the end of a window whose start is in the partition too, else -1.
func windowEnd(from *relation, exprs []ex.Expr, part []int) int {
	role := func(k int) windowRole {
		if c, ok := exprs[k].(*ex.Col); ok {
			return from.columnOf(c.Index).role
		}
		return windowRole{}
	}
	for _, e := range part {
		for _, s := range part {
			if a, z := role(s), role(e); a.part == 's' && z.part == 'e' && a.of == z.of {
				return e
			}
		}
	}
	return -1
}

func onlyRanks(s *ast.Select) bool {
	only := true
	for _, it := range s.Items {
		if c, ok := it.Expr.(*ast.Call); ok && c.Over != nil && !strings.EqualFold(c.Name.Last().String(), "ROW_NUMBER") {
			only = false
		}
	}
	return only
}

// stateTTL is one entry of a STATE_TTL hint, in microseconds.
type stateTTL struct {
	alias string
	ttl   int64
}

// hints takes the hints of a SELECT in; the function that it returns ends them.
func (b *binder) hints(s *ast.Select) func() {
	old := b.ttl
	b.ttl = nil
	for _, h := range s.Hints {
		name := strings.ToUpper(h.Name.String())
		if name != "STATE_TTL" {
			b.ignored = append(b.ignored, ignoredKey{name, h.Name.Span})
			continue
		}
		for _, o := range h.Options {
			d, err := connectors.ParseDuration(string(o.Value.Text))
			if err != nil {
				fail("SD5003", o.Value.Span, "STATE_TTL of %q: %s", string(o.Key.Text), err.Error())
			}
			name := string(o.Key.Text)
			if names := tablesOf(s); !slices.Contains(names, name) {
				d := diag.New("SD2001", o.Key.Span, "STATE_TTL names %q, and no table of this SELECT is called so", clip(name))
				if near := diag.Near(name, names); near != "" {
					d.WithLabel("did you mean %q?", near)
				}
				throw(d.WithHint("tables: %s", listed(names)))
			}
			b.ttl = append(b.ttl, stateTTL{name, d.Microseconds()})
		}
	}
	return func() { b.ttl = old }
}

// tablesOf are the names that tables go by anywhere in a SELECT.
func tablesOf(s *ast.Select) (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	ast.Walk(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Alias:
			add(n.Name.String())
		case *ast.TableName:
			if n.Alias == nil {
				add(n.Name.Last().String())
			}
		case *ast.TableArg:
			if n.Name != nil {
				add(n.Name.Last().String())
			}
		}
		return true
	})
	return names
}

// ttlFor is the time to live of the state of an operator over r: that of a hint for one of its tables, else the setting. -1 says
// that no limit is meant.
func (b *binder) ttlFor(r *relation, _ source.Span) int64 {
	if b.set.StateTTLSet {
		if t := b.hinted(r); t != 0 {
			return t
		}
		if b.set.StateTTL == 0 {
			return -1
		}
		return b.set.StateTTL.Microseconds()
	}
	return b.hinted(r)
}

func (b *binder) hinted(r *relation) int64 {
	for _, h := range b.ttl {
		if r.hasTable(h.alias) {
			if h.ttl == 0 {
				return -1
			}
			return h.ttl
		}
	}
	return 0
}
