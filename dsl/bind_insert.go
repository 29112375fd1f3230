package dsl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

func (b *binder) insert(st *ast.Insert) {
	at := st.Table.Span
	switch {
	case st.Overwrite:
		notYet(b.headOf(st.Span), "INSERT OVERWRITE is", "a new job writes new files")
	case len(st.Partition) > 0:
		notYet(st.Partition[0].Name.Span, "INSERT … PARTITION is", "give the value in the SELECT list")
	}
	o := b.lookup(st.Table)
	if o.broken {
		b.plain(b.finish(b.query(st.Query, nil), nil)) // for its own mistakes
		throw(nil)
	}
	if o.table == nil {
		throw(diag.New("SD2008", at, "%q is a view: it cannot be written", st.Table.String()))
	}
	t := o.table
	targets := b.targets(t, st)
	rel := b.plain(b.finish(b.query(st.Query, nil), nil))
	u := b.used(t, st.Hints, t.sinkUse)
	if u.conn.Sink == nil {
		throw(diag.New("SD5009", at, "connector %q cannot be written", u.conn.Name).WithHint("%q can only be read", t.name))
	}
	def := b.def(t, u)
	in := b.assign(st, t, def, rel, targets)
	if u.sink == nil {
		u.failed = true
		sink, err := u.conn.Sink(def)
		if err != nil {
			b.connectorFailed(t, u.opts, err)
		}
		u.sink, u.failed = sink, false
	}
	s := ops.SinkSpec{Table: t.name, Sink: u.sink, Schema: def.Schema, PrimaryKey: def.PrimaryKey, NotNullDrop: b.set.NotNullDrop,
		LengthEnforcer: b.set.LengthEnforcer, OnError: oneWord(u.opts, "on-error", "fail", "fail", "skip", "dead-letter"), Span: opSpan(at)}
	if s.OnError == "dead-letter" {
		s.DeadLetters = b.deadLetters(t, u)
	} else if oneWord(u.opts, "late", "drop", "drop", "dead-letter") != "dead-letter" { // of the table as a source
		b.idleTarget(u, "'on-error' = 'dead-letter'")
	}
	if c := st.OnConflict; c != nil {
		s.OnConflict = strings.ToUpper(c.Action)
	}
	n, err := ops.NewSink(in, s)
	if err != nil {
		throw(planDiag(at, err))
	}
	b.sinks = append(b.sinks, n)
	if n.Materialize && s.OnConflict == "" {
		d := diag.New("SD4003", at, "rows of one primary key of %q may come from several rows of the query", t.name).WithSeverity(diag.Warning)
		b.report(d.WithLabel("the last one counts").WithHint("say so: INSERT INTO %s SELECT … ON CONFLICT DO DEDUPLICATE", t.name))
	}
}

// targets are the columns that the query's columns go to, as the table's own columns in order.
func (b *binder) targets(t *table, st *ast.Insert) []string {
	writable := func(c *tableColumn) bool { return c.computed == nil && !c.virtual }
	var out []string
	if len(st.Columns) == 0 {
		for i := range t.cols {
			if writable(&t.cols[i]) {
				out = append(out, t.cols[i].name)
			}
		}
		return out
	}
	seen := map[string]bool{}
	for _, n := range st.Columns {
		name := b.declared(t, n)
		if seen[name] {
			fail("SD2005", n.Span, "column %q stands twice in the list", name)
		}
		if !writable(t.column(name)) {
			fail("SD2003", n.Span, "column %q is computed: it cannot be written", name)
		}
		seen[name] = true
		out = append(out, name)
	}
	return out
}

// assign converts the query's columns to the table's.
func (b *binder) assign(st *ast.Insert, t *table, def *connectors.TableDef, rel *relation, targets []string) ops.Node {
	at := st.Table.Span
	if len(rel.cols) != len(targets) {
		d := diag.New("SD3007", at, "the query gives %d columns, %q takes %d", len(rel.cols), t.name, len(targets))
		d.WithHint("query: %s", listed(describe(rel)))
		throw(d.WithHint("table: %s", listed(targets)))
	}
	from := map[string]int{}
	for i, name := range targets {
		from[name] = i
	}
	var exprs []ex.Expr
	var fields []batch.Field
	for _, f := range def.Schema.Fields {
		i, given := from[f.Name]
		if !given {
			if f.Type.NotNull && !t.column(f.Name).virtual {
				throw(diag.New("SD3008", at, "column %q of %q is NOT NULL and gets no value", f.Name, t.name))
			}
			exprs = append(exprs, ex.NullOf(f.Type))
			fields = append(fields, batch.Field{Name: f.Name, Type: f.Type.With(false)})
			continue
		}
		e, err := ex.Assign(rel.col(i), f.Type)
		if err != nil {
			c := rel.cols[i]
			d := diag.New("SD3008", at, "column %q of %q is %s, the query gives %s", f.Name, t.name, f.Type.With(false), c.f.Type.With(false))
			if _, err := ex.Cast(rel.col(i), f.Type.With(false), false); err == nil {
				d.WithHint("write CAST(… AS %s) in the query, if that is meant", f.Type.With(false))
			} else if te := (*ex.TypeError)(nil); errors.As(err, &te) && te.Hint != "" {
				d.WithHint("%s", te.Hint)
			}
			throw(d)
		}
		e = ex.At(e, opSpan(at))
		x := batch.Field{Name: f.Name, Type: e.Type()}
		if c, ok := e.(*ex.Col); ok {
			x.Time = rel.columnOf(c.Index).f.Time
		}
		exprs, fields = append(exprs, e), append(fields, x)
	}
	return b.project(rel.node, exprs, fields)
}

func describe(r *relation) []string {
	var out []string
	for _, c := range r.cols {
		out = append(out, c.name+" "+c.f.Type.With(false).String())
	}
	return out
}

// bareSelect prints the result of a query.
func (b *binder) bareSelect(st *ast.QueryStmt) {
	b.selects++
	at := headSpan(b.file, st.Span)
	rel := b.plain(b.finish(b.query(st.Query, nil), nil))
	c := b.cfg.Connectors["print"]
	if c == nil || c.Sink == nil {
		throw(diag.New("SD5001", at, "a bare SELECT prints, and there is no connector \"print\""))
	}
	def := &connectors.TableDef{Schema: &batch.Schema{}, Job: b.job, Zone: b.set.ZoneName, Select: b.selects,
		Options: &connectors.Options{List: []connectors.Option{{Key: "connector", Value: "print"}}}}
	for _, x := range rel.cols {
		f := x.f
		f.Name, f.Time = x.name, batch.NoTime
		def.Schema.Fields = append(def.Schema.Fields, f)
	}
	def.Meta, def.Virtual = make([]string, len(rel.cols)), make([]bool, len(rel.cols))
	sink, err := c.Sink(def)
	if err != nil {
		throw(diag.New("SD5003", at, "%s", err.Error()))
	}
	name := fmt.Sprintf("SELECT %d", b.selects)
	n, err := ops.NewSink(rel.node, ops.SinkSpec{Table: name, Sink: sink, Schema: def.Schema, OnError: "fail", Span: opSpan(at)})
	if err != nil {
		throw(planDiag(at, err))
	}
	b.sinks = append(b.sinks, n)
}

// warnState warns of each operator whose state nothing bounds, unless its inputs end or it is meant.
func (b *binder) warnState(sinks []ops.Node) {
	seen := map[ops.Node]bool{}
	ends := map[ops.Node]bool{}
	var walk func(n ops.Node)
	walk = func(n ops.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		p := n.Base()
		all := true
		for _, x := range p.In {
			walk(x)
			all = all && ends[x]
		}
		if s, ok := n.(*ops.Scan); ok {
			all = s.Spec.Bounded
		}
		ends[n] = all
		if j, ok := n.(*ops.Join); ok && !all && crosses(j) {
			d := diag.New("SD4005", b.spanOf(p.Span), "in a join without an equality each row meets all rows of the other side, on one worker").WithSeverity(diag.Warning)
			b.report(d.WithHint("add an equality between a column of each side to ON or WHERE: ON a.id = b.id"))
		}
		_, sink := n.(*ops.SinkNode)
		if p.State != "unbounded" || all || sink || b.set.StateTTLSet {
			return
		}
		at := b.spanOf(p.Span)
		d := diag.New("SD4002", at, "the state of %s grows without bound", strings.TrimSpace(n.Op()+" "+shorten(n.Detail()))).WithSeverity(diag.Warning)
		d.WithHint("SET 'table.exec.state.ttl' = '1 d' bounds it by time; '0 ms' says that it is meant")
		b.report(d)
	}
	for _, s := range sinks {
		walk(s)
	}
}

// crosses tells whether rows meet all others: there is no equality, and both sides may have many rows.
func crosses(j *ops.Join) bool {
	return len(j.LK) == 0 && j.Kind != ops.Semi && j.Kind != ops.Anti && !oneRowAtMost(j.In[0]) && !oneRowAtMost(j.In[1])
}

// oneRowAtMost tells whether n is an aggregate of a whole table.
func oneRowAtMost(n ops.Node) bool {
	switch n := n.(type) {
	case *ops.Project, *ops.Filter:
		return oneRowAtMost(n.Base().In[0])
	case *ops.Aggregate:
		return len(n.By) == 0
	case *ops.Values:
		return n.N <= 1
	}
	return false
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}

func (b *binder) spanOf(s ops.Span) source.Span { return b.file.Source.Span(s.From, s.To) }
