package dsl

import (
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ex "github.com/streamd/streamd/operators/expr"
)

// The one catalogue and database there are.
const (
	catalogName  = "default_catalog"
	databaseName = "default_database"
)

// catalog holds the tables and views declared so far. Names are case-sensitive.
type catalog struct {
	objects map[string]*object
	names   []string // in the order of declaration
}

// object is a table or a view. A broken one has been refused: what uses it is not checked further.
type object struct {
	table  *table
	view   *relation // bound where it was declared
	broken bool
}

func newCatalog() *catalog { return &catalog{objects: map[string]*object{}} }

func (c *catalog) put(name string, o *object) {
	if c.objects[name] == nil {
		c.names = append(c.names, name)
	}
	c.objects[name] = o
}

// table is a CREATE TABLE that is right but for what its connector may say.
type table struct {
	name    string
	at      source.Span // the name in CREATE TABLE
	cols    []tableColumn
	wmCol   string // "" = no watermark
	wmExpr  ast.Expr
	wmAt    source.Span
	pk      []string
	partBy  []string
	opts    []option
	uses    map[string]*use // by hints
	sinkUse map[string]*use
}

// tableColumn is physical (neither computed nor meta), metadata or computed.
type tableColumn struct {
	name     string
	at       source.Span
	t        batch.Type
	computed ast.Expr
	meta     string
	virtual  bool
	isMeta   bool
}

func (t *table) column(name string) *tableColumn {
	for i := range t.cols {
		if t.cols[i].name == name {
			return &t.cols[i]
		}
	}
	return nil
}

func (t *table) columnNames() []string {
	var n []string
	for _, c := range t.cols {
		n = append(n, c.name)
	}
	return n
}

// local checks a name's qualifiers.
func (b *binder) local(q *ast.QName) string {
	n := len(q.Parts)
	if n > 1 && q.Parts[n-2].String() != databaseName {
		throw(diag.New("SD2007", q.Parts[n-2].Span, "there is no database %q", q.Parts[n-2].String()).WithHint("the one database is %s", databaseName))
	}
	if n > 2 && q.Parts[n-3].String() != catalogName {
		throw(diag.New("SD2007", q.Parts[n-3].Span, "there is no catalogue %q", q.Parts[n-3].String()).WithHint("the one catalogue is %s", catalogName))
	}
	if n > 3 {
		fail("SD2007", q.Parts[0].Span, "a name has at most three parts")
	}
	return q.Last().String()
}

// lookup finds a table or view.
func (b *binder) lookup(q *ast.QName) *object {
	name := b.local(q)
	if o := b.cat.objects[name]; o != nil {
		return o
	}
	d := diag.New("SD2001", q.Span, "unknown table %q", name)
	if near := diag.Near(name, b.cat.names); near != "" {
		d.WithLabel("did you mean %q?", near)
	}
	if len(b.cat.names) > 0 {
		d.WithHint("tables and views: %s", listed(b.cat.names))
	} else {
		d.WithHint("declare it with CREATE TABLE before it is used")
	}
	throw(d)
	return nil
}

// declares runs the body of a CREATE; where it fails the name counts as declared, so that one error does not make many.
func (b *binder) declares(name string, body func() *object) {
	ok := false
	defer func() {
		if !ok && b.cat.objects[name] == nil {
			b.cat.put(name, &object{broken: true})
		}
	}()
	o := body()
	b.cat.put(name, o)
	ok = true
}

func (b *binder) exists(q *ast.QName, ifNot bool, hint string) bool {
	name := b.local(q)
	o := b.cat.objects[name]
	if o == nil || o.broken {
		return false
	}
	if ifNot {
		return true
	}
	throw(diag.New("SD2002", q.Span, "%q exists already", name).WithHint("%s", hint))
	return true
}

func (b *binder) createTable(st *ast.CreateTable) {
	if st.Replace {
		notYet(b.headOf(st.Span), "CREATE OR REPLACE TABLE is", "DROP TABLE IF EXISTS, then CREATE TABLE")
	}
	if b.exists(st.Name, st.IfNotExists, "write IF NOT EXISTS, or DROP TABLE first") {
		return
	}
	name := b.local(st.Name)
	b.declares(name, func() *object {
		if st.As != nil {
			notYet(b.headOf(st.Span), "CREATE TABLE AS is", "CREATE TABLE, then INSERT INTO")
		}
		if st.Distributed != nil {
			b.ignored = append(b.ignored, ignoredKey{"DISTRIBUTED", b.headOf(st.Distributed.Span)})
		}
		t := &table{name: name, at: st.Name.Span, uses: map[string]*use{}, sinkUse: map[string]*use{}}
		b.like(t, st.Like)
		b.elements(t, st)
		b.widen(t.at, len(t.cols))
		for _, p := range st.Partitioned {
			t.partBy = append(t.partBy, b.declared(t, p))
		}
		b.withOptions(t, st)
		b.checkTable(t)
		return &object{table: t}
	})
}

// declared checks that a column of a list is one of the table's.
func (b *binder) declared(t *table, n *ast.Name) string {
	if t.column(n.String()) == nil {
		d := diag.New("SD2003", n.Span, "unknown column %q", n.String())
		if near := diag.Near(n.String(), t.columnNames()); near != "" {
			d.WithLabel("the table has no such column; did you mean %q?", near)
		}
		throw(d.WithHint("columns: %s", listed(t.columnNames())))
	}
	return n.String()
}

// elements adds the columns, watermark and key of the statement itself.
func (b *binder) elements(t *table, st *ast.CreateTable) {
	overwrite := likeActions(st.Like)
	var keys []*ast.Name
	hasKey, hasWM := false, false
	key := func(at source.Span, enforced bool, cols []*ast.Name) {
		if hasKey || len(t.pk) > 0 && overwrite["CONSTRAINTS"] != "OVERWRITING" {
			fail("SD2009", at, "a table has one PRIMARY KEY")
		}
		if enforced {
			throw(diag.New("SD2009", at, "PRIMARY KEY needs NOT ENFORCED").WithLabel("streamd does not check keys").WithHint("write PRIMARY KEY (…) NOT ENFORCED"))
		}
		hasKey, keys, t.pk = true, cols, nil
	}
	for _, e := range st.Elems {
		switch e := e.(type) {
		case *ast.Column:
			b.addColumn(t, e, overwrite)
			if k := e.PrimaryKey; k != nil {
				key(k.Span, !k.NotEnforced, []*ast.Name{e.Name})
			}
		case *ast.PrimaryKey:
			key(e.Span, !e.NotEnforced, e.Columns)
		case *ast.Watermark:
			if hasWM || t.wmCol != "" && overwrite["WATERMARKS"] != "OVERWRITING" {
				fail("SD3011", b.headOf(e.Span), "a table has one WATERMARK")
			}
			if len(e.Column.Parts) > 1 {
				notYet(e.Column.Span, "a WATERMARK for a field of a ROW is", "add a computed column and declare the watermark for it")
			}
			hasWM = true
			t.wmCol, t.wmExpr, t.wmAt = e.Column.Last().String(), e.Expr, e.Column.Span
		}
	}
	for _, k := range keys {
		name := b.declared(t, k)
		c := t.column(name)
		if c.computed != nil || c.isMeta && c.virtual {
			fail("SD2009", k.Span, "column %q of the PRIMARY KEY is not physical", name)
		}
		for _, old := range t.pk {
			if old == name {
				fail("SD2005", k.Span, "column %q stands twice in the PRIMARY KEY", name)
			}
		}
		t.pk = append(t.pk, name)
	}
	for _, k := range t.pk {
		t.column(k).t.NotNull = true
	}
}

func (b *binder) addColumn(t *table, c *ast.Column, overwrite map[string]string) {
	x := tableColumn{name: c.Name.String(), at: c.Name.Span, computed: c.Computed}
	if strings.HasPrefix(x.name, "$") {
		fail("SD2005", c.Name.Span, "column %q: names that begin with $ are streamd's own", x.name)
	}
	if c.Computed == nil {
		x.t = b.typeOf(c.Type)
	}
	if m := c.Metadata; m != nil {
		x.isMeta, x.meta, x.virtual = true, x.name, m.Virtual
		if m.From != nil {
			x.meta = string(m.From.Text)
		}
	}
	for i := range t.cols {
		if t.cols[i].name != x.name {
			continue
		}
		old := t.cols[i]
		if old.computed != nil && x.computed != nil && overwrite["GENERATED"] == "OVERWRITING" || old.isMeta && x.isMeta && overwrite["METADATA"] == "OVERWRITING" {
			t.cols[i] = x
			return
		}
		fail("SD2005", c.Name.Span, "column %q is declared twice", x.name)
	}
	t.cols = append(t.cols, x)
}

// likeActions says what LIKE does with each feature.
func likeActions(l *ast.LikeClause) map[string]string {
	out := map[string]string{}
	features := []string{"CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS"}
	for _, f := range features {
		out[f] = "INCLUDING"
	}
	out["OPTIONS"] = "OVERWRITING"
	if l == nil {
		return out
	}
	for _, all := range []bool{true, false} {
		for _, o := range l.Options {
			a, f := strings.ToUpper(o.Action), strings.ToUpper(o.Feature)
			if (f == "ALL") != all {
				continue
			}
			if !all {
				out[f] = a
				continue
			}
			for _, x := range features {
				out[x] = a
			}
		}
	}
	return out
}

// like copies the other table's parts.
func (b *binder) like(t *table, l *ast.LikeClause) {
	if l == nil {
		return
	}
	o := b.lookup(l.Table)
	if o.broken {
		throw(nil)
	}
	if o.table == nil {
		fail("SD2008", l.Table.Span, "LIKE needs a table; %q is a view", l.Table.String())
	}
	do := likeActions(l)
	for _, c := range o.table.cols {
		switch {
		case c.computed != nil && do["GENERATED"] == "EXCLUDING", c.isMeta && do["METADATA"] == "EXCLUDING":
			continue
		}
		t.cols = append(t.cols, c)
	}
	if do["CONSTRAINTS"] != "EXCLUDING" {
		t.pk = append([]string{}, o.table.pk...)
	}
	if do["WATERMARKS"] != "EXCLUDING" {
		t.wmCol, t.wmExpr, t.wmAt = o.table.wmCol, o.table.wmExpr, o.table.wmAt
	}
	if do["PARTITIONS"] != "EXCLUDING" {
		t.partBy = append([]string{}, o.table.partBy...)
	}
	if do["OPTIONS"] != "EXCLUDING" {
		t.opts = append([]option{}, o.table.opts...)
	}
}

// checkTable binds the computed columns and the watermark once, so that their mistakes are found in CREATE TABLE.
func (b *binder) checkTable(t *table) {
	b.shape(t)
}

// shape is a table's columns in the order of the text, bound.
type shape struct {
	schema   *batch.Schema // physical and metadata columns, then computed ones
	order    []int         // by column of the text: its place in schema
	physical int
	computed []ex.Expr
	wmCol    int
	wmExpr   ex.Expr
}

func (b *binder) shape(t *table) *shape {
	s := &shape{schema: &batch.Schema{}, wmCol: -1, order: make([]int, len(t.cols))}
	rel := &relation{}
	add := func(i int, f batch.Field) {
		s.order[i] = len(s.schema.Fields)
		rel.cols = append(rel.cols, column{qual: t.name, name: f.Name, idx: len(s.schema.Fields), f: f})
		s.schema.Fields = append(s.schema.Fields, f)
	}
	for i, c := range t.cols {
		if c.computed == nil {
			add(i, batch.Field{Name: c.name, Type: c.t})
		}
	}
	s.physical = len(s.schema.Fields)
	physical := &relation{cols: append([]column{}, rel.cols...)}
	for i, c := range t.cols {
		if c.computed == nil {
			continue
		}
		// As in Flink a computed column sees the physical and metadata columns only.
		e := b.expr(c.computed, &scope{rel: physical, clause: "a computed column"})
		f := batch.Field{Name: c.name, Type: e.Type()}
		if isProctimeCall(c.computed) {
			f.Time = batch.Proctime
		}
		s.computed = append(s.computed, e)
		add(i, f)
	}
	b.watermark(t, s, rel)
	return s
}

func (b *binder) watermark(t *table, s *shape, rel *relation) {
	if t.wmCol == "" {
		return
	}
	if s.wmCol = s.schema.Index(t.wmCol); s.wmCol < 0 {
		d := diag.New("SD2003", t.wmAt, "unknown column %q", t.wmCol)
		if near := diag.Near(t.wmCol, t.columnNames()); near != "" {
			d.WithLabel("the table has no such column; did you mean %q?", near)
		}
		throw(d.WithHint("columns: %s", listed(t.columnNames())))
	}
	f := &s.schema.Fields[s.wmCol]
	if !f.Type.IsTimestamp() || f.Type.P > 3 {
		d := diag.New("SD3011", t.wmAt, "a WATERMARK needs a column of type TIMESTAMP(3) or TIMESTAMP_LTZ(3); %q is %s", t.wmCol, f.Type.With(false))
		switch {
		case f.Type.IsTimestamp():
			d.WithHint("declare the column as %s(3)", f.Type.SQL)
		case f.Type.IsString():
			d.WithHint("add a computed column: t AS TO_TIMESTAMP(%s), and WATERMARK FOR t", t.wmCol)
		case f.Type.IsInteger():
			d.WithHint("add a computed column: t AS TO_TIMESTAMP_LTZ(%s, 3), and WATERMARK FOR t", t.wmCol)
		}
		throw(d)
	}
	e := b.expr(t.wmExpr, &scope{rel: rel, clause: "WATERMARK"})
	if e.Type().SQL != f.Type.SQL {
		throw(diag.New("SD3011", b.head(t.wmExpr), "the WATERMARK of a %s column is a %s, not %s", f.Type.SQL, f.Type.SQL, e.Type().With(false)))
	}
	s.wmExpr = e
	f.Time = batch.Rowtime
}

func (b *binder) createView(st *ast.CreateView) {
	name := b.local(st.Name)
	if old := b.cat.objects[name]; old != nil && st.Replace && old.table == nil {
		old.broken = true
	} else if b.exists(st.Name, st.IfNotExists, "write CREATE OR REPLACE VIEW, or DROP VIEW first") {
		return
	}
	b.declares(name, func() *object {
		r := b.query(st.Query, nil)
		out := *r
		out.cols = nil
		for _, c := range r.cols {
			c.qual, c.hidden = "", false
			out.cols = append(out.cols, c)
		}
		b.rename(&out, st.Columns)
		return &object{view: &out}
	})
}

func (b *binder) drop(st *ast.Drop) {
	kind := strings.ToUpper(st.Kind)
	switch {
	case kind == "DATABASE" || kind == "CATALOG":
		fail("SD4007", b.headOf(st.Span), "there is one catalogue with one database; they cannot be dropped")
	case kind == "FUNCTION" || st.Materialized:
		notYet(b.headOf(st.Span), "DROP "+map[bool]string{true: "MATERIALIZED VIEW", false: "FUNCTION"}[st.Materialized]+" is")
	}
	name := b.local(st.Name)
	o := b.cat.objects[name]
	if o == nil && st.IfExists {
		return
	}
	o = b.lookup(st.Name)
	if is := map[bool]string{true: "VIEW", false: "TABLE"}[o.view != nil]; !o.broken && is != kind {
		throw(diag.New("SD2008", st.Name.Span, "%q is a %s", name, strings.ToLower(is)).WithHint("write DROP %s %s", is, name))
	}
	delete(b.cat.objects, name)
	for i, n := range b.cat.names {
		if n == name {
			b.cat.names = append(b.cat.names[:i:i], b.cat.names[i+1:]...)
			break
		}
	}
}

func (b *binder) use(st *ast.Use) {
	want := databaseName
	if st.Catalog {
		want = catalogName
	}
	n := len(st.Name.Parts)
	if st.Name.Last().String() != want || n > 2 || n == 2 && st.Name.Parts[0].String() != catalogName {
		throw(diag.New("SD2007", st.Name.Span, "there is only one catalogue, %s, with one database, %s", catalogName, databaseName))
	}
}
