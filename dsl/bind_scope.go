package dsl

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// relation is a bound table expression: a node, and its columns as the query's text can name them.
//
// Three things stay pending until the WHERE clause around them is known, since it decides which operator they become: at most one
// of win, rank and group is set. finish makes an operator of it; cols' positions are those of the operator's output already.
type relation struct {
	node ops.Node
	cols []column

	win   *pendingWindow // a window function over node
	rank  *pendingRank   // ROW_NUMBER over node
	group []*relation    // inner joins of these, node is nil; columns follow one another
	conds []cond         // of group: the ON clauses
	at    source.Span    // of group: the first join

	order []int // of a SELECT with ORDER BY: the column of each key, see orderItems
}

// column is a name for a column of a relation.
type column struct {
	qual, name string
	idx        int // column of the node
	f          batch.Field
	role       windowRole
	hidden     bool // not part of `*`: the right side's column of USING
}

// windowRole says that a column is a window's start, end or time, and of which windows.
type windowRole struct {
	part byte // 's', 'e', 't' or 0
	of   string
}

// cond is a conjunct with its place.
type cond struct {
	e  ex.Expr
	at source.Span
}

type pendingWindow struct {
	spec windows.Spec
	at   source.Span
}

type pendingRank struct {
	part  []int
	order []ops.OrderKey
	name  string
	col   int // position of the rank among the columns
	at    source.Span
	ttl   int64
	end   int // the window's end in part, -1 when start and end of a window are not both there
}

// scope is where the names of an expression are looked up.
type scope struct {
	rel    *relation
	agg    *grouping // set while binding SELECT and HAVING of a query that groups
	sub    *subquery // set where columns of the query around this one may be named
	values values    // of the queries in the expressions
	clause string    // for messages: WHERE, ON, GROUP BY …; aggregates are refused there
}

// visible returns how many columns of a node the text may see.
func visible(n ops.Node) int {
	f := n.Base().Schema.Fields
	v := len(f)
	for v > 0 && f[v-1].Hidden() {
		v--
	}
	return v
}

// relationOf names the columns of n.
func relationOf(n ops.Node, qual string) *relation {
	r := &relation{node: n}
	for i := range visible(n) {
		f := n.Base().Schema.Fields[i]
		r.cols = append(r.cols, column{qual: qual, name: f.Name, idx: i, f: f})
	}
	return r
}

// col is the expression of column i of the relation.
func (r *relation) col(i int) *ex.Col {
	f := r.cols[i].f
	f.Name = r.cols[i].name
	return ex.NewCol(r.cols[i].idx, f)
}

func (r *relation) columnOf(idx int) *column {
	for i := range r.cols {
		if r.cols[i].idx == idx {
			return &r.cols[i]
		}
	}
	return nil
}

// alias gives the relation a name, and its columns new ones.
func (b *binder) alias(r *relation, a *ast.Alias) *relation {
	if a == nil {
		return r
	}
	out := *r
	out.cols = nil
	for _, c := range r.cols {
		if !c.hidden {
			c.qual = a.Name.String()
			out.cols = append(out.cols, c)
		}
	}
	b.rename(&out, a.Columns)
	return &out
}

func (b *binder) rename(r *relation, names []*ast.Name) {
	if len(names) == 0 {
		return
	}
	if len(names) != len(r.cols) {
		fail("SD3007", names[0].Span, "%d names for %d columns", len(names), len(r.cols))
	}
	seen := map[string]bool{}
	for i, n := range names {
		if seen[n.String()] {
			fail("SD2005", n.Span, "column %q is declared twice", n.String())
		}
		seen[n.String()] = true
		r.cols[i].name = n.String()
	}
}

// resolve finds the column of a dotted name and how many of its parts are the column's; the rest are fields of rows.
func (r *relation) resolve(ref *ast.ColumnRef) (at int, used int) {
	parts := ref.Parts
	first := parts[0].String()
	if len(parts) > 1 {
		if r.hasTable(first) {
			if i := r.find(first, parts[1].String(), ref); i >= 0 {
				return i, 2
			}
			if r.find("", first, nil) < 0 {
				r.unknown(parts[1], first)
			}
		}
	}
	if i := r.find("", first, ref); i >= 0 {
		return i, 1
	}
	if len(parts) > 1 && !r.hasTable(first) {
		d := diag.New("SD2003", ref.Span, "unknown column %q", ref.String())
		d.WithLabel("there is no table and no column %q here", first)
		throw(d.WithHint("tables: %s", strings.Join(r.tables(), ", ")))
	}
	r.unknown(parts[0], "")
	return 0, 0
}

// has tells whether resolve would find a name, be it ambiguous.
func (r *relation) has(ref *ast.ColumnRef) bool {
	first := ref.Parts[0].String()
	if len(ref.Parts) > 1 && r.hasTable(first) && r.find(first, ref.Parts[1].String(), nil) >= 0 {
		return true
	}
	return r.find("", first, nil) >= 0
}

func (r *relation) hasTable(name string) bool {
	for _, c := range r.cols {
		if c.qual == name {
			return true
		}
	}
	return false
}

func (r *relation) tables() []string {
	var out []string
	for _, c := range r.cols {
		if c.qual != "" && (len(out) == 0 || out[len(out)-1] != c.qual) {
			out = append(out, c.qual)
		}
	}
	return out
}

// find returns the position of a column, -1 when there is none. Where there are several it refuses at ref; with nil ref the first
// one counts.
func (r *relation) find(table, name string, ref *ast.ColumnRef) int {
	at := -1
	for i, c := range r.cols {
		if c.name != name || table != "" && c.qual != table || c.hidden && table == "" {
			continue
		}
		if at >= 0 && ref != nil {
			d := diag.New("SD2004", ref.Span, "column %q is ambiguous", name)
			throw(d.WithHint("write %s.%s or %s.%s", r.cols[at].qual, name, c.qual, name))
		}
		if at < 0 {
			at = i
		}
	}
	return at
}

func (r *relation) unknown(n *ast.Name, table string) {
	var names []string
	for _, c := range r.cols {
		if table == "" || c.qual == table {
			names = append(names, c.name)
		}
	}
	d := diag.New("SD2003", n.Span, "unknown column %q", n.String())
	who := "there is no such column"
	if t := r.tables(); table != "" {
		who = table + " has no such column"
	} else if len(t) == 1 && len(names) > 0 && r.cols[0].qual == t[0] {
		who = t[0] + " has no such column"
	}
	if h := foreignName(n.String()); h != "" {
		d.WithHint("%s", h)
	}
	if near := diag.Near(n.String(), names); near != "" {
		d.WithLabel("%s; did you mean %q?", who, near)
	} else {
		d.WithLabel("%s", who)
	}
	if len(names) > 0 {
		d.WithHint("columns: %s", listed(names))
	}
	throw(d)
}

// listed joins names, at most thirty of them.
func listed(names []string) string {
	if len(names) > 30 {
		return strings.Join(names[:30], ", ") + fmt.Sprintf(" and %d more", len(names)-30)
	}
	return strings.Join(names, ", ")
}
