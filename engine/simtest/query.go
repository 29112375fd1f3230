package simtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Row is one row: values by column.
type Row []Val

// Bag is a multiset of rows: the canonical text of a row to how often it is there.
type Bag map[string]int64

// Text is the canonical form of a row: "1|NULL|-3".
func (r Row) Text() string {
	s := make([]string, len(r))
	for i, v := range r {
		s[i] = "NULL"
		if v != nil {
			s[i] = strconv.FormatInt(*v, 10)
		}
	}
	return strings.Join(s, "|")
}

// wrow is a row with its weight and when it came: the number of its step and,
// straight from a table, the watermark before it (exclusive, ms).
type wrow struct {
	row  Row
	w    int64
	wm   int64
	step int
}

// Query is a relation over the tables. Its first columns are id, k, v (or what
// stands in their place); relations that have a time have it as column ts, the fourth.
type Query interface {
	SQL() string
	cols() []string
	inputs() []Query
	eval(x *run) []wrow
	updates() bool
}

// Eval returns the final rows of q over the whole input. log says in which steps
// tables with Periodic were read; else it is nil.
func Eval(q Query, t map[string]*Table, log Log) Bag {
	b := Bag{}
	for _, r := range q.eval(&run{t, log}) {
		k := r.row.Text()
		if b[k] += r.w; b[k] == 0 {
			delete(b, k)
		}
	}
	return b
}

// scan reads a table: id, k, v, ts.
type scan struct {
	name string
	upd  bool
}

func (s scan) SQL() string     { return "SELECT id, k, v, ts FROM " + s.name }
func (s scan) cols() []string  { return []string{"id", "k", "v", "ts"} }
func (s scan) updates() bool   { return s.upd }
func (s scan) inputs() []Query { return nil }
func (s scan) eval(x *run) (out []wrow) {
	tab := x.tables[s.name]
	wm := int64(Never)
	at := make([]int, max(1, tab.Splits))
	for _, e := range tab.Events {
		at[e.Split]++
		r := wrow{Row{V(e.ID), e.K, e.V, V(e.TS)}, e.W, wm, 0}
		if x.log != nil {
			r.step = slices.IndexFunc(x.log, func(st Step) bool { return st.Read[s.name][e.Split] >= at[e.Split] })
		}
		out = append(out, r)
		wm = max(wm, e.TS-tab.Delay+1)
	}
	return out
}

// filter keeps rows where pred is TRUE.
type filter struct {
	in   Query
	text string
	pred func(Row) bool
}

func (f filter) SQL() string {
	return "SELECT * FROM (" + f.in.SQL() + ") WHERE " + f.text
}
func (f filter) cols() []string  { return f.in.cols() }
func (f filter) updates() bool   { return f.in.updates() }
func (f filter) inputs() []Query { return []Query{f.in} }
func (f filter) eval(x *run) (out []wrow) {
	for _, r := range f.in.eval(x) {
		if f.pred(r.row) {
			out = append(out, r)
		}
	}
	return out
}

// change replaces v by an expression over k and v.
type change struct {
	in   Query
	text string
	f    func(k, v Val) Val
}

func (c change) SQL() string {
	return fmt.Sprintf("SELECT id, k, %s AS v, ts FROM (%s)", c.text, c.in.SQL())
}
func (c change) cols() []string  { return c.in.cols() }
func (c change) updates() bool   { return c.in.updates() }
func (c change) inputs() []Query { return []Query{c.in} }
func (c change) eval(x *run) (out []wrow) {
	for _, r := range c.in.eval(x) {
		r.row = slices.Clone(r.row)
		r.row[2] = c.f(r.row[1], r.row[2])
		out = append(out, r)
	}
	return out
}

// dressed gives columns other types: k becomes a STRING, v a DECIMAL. Undress
// takes that back at the end of the query.
type dressed struct{ in Query }

func (d dressed) SQL() string {
	return "SELECT id, 'key:' || CAST(k AS STRING) AS k, CAST(v AS DECIMAL(14, 2)) AS v, ts FROM (" + d.in.SQL() + ")"
}
func (d dressed) cols() []string     { return d.in.cols() }
func (d dressed) updates() bool      { return d.in.updates() }
func (d dressed) inputs() []Query    { return []Query{d.in} }
func (d dressed) eval(x *run) []wrow { return d.in.eval(x) }

// undress selects q's columns as BIGINT.
func undress(q Query, dress bool) string {
	if !dress {
		return q.SQL()
	}
	var s []string
	for _, c := range q.cols() {
		if c == "k" || c == "lk" || c == "rk" {
			s = append(s, fmt.Sprintf("CAST(SUBSTRING(%s, 5) AS BIGINT) AS %s", c, c))
			continue
		}
		s = append(s, fmt.Sprintf("CAST(%s AS BIGINT) AS %s", c, c))
	}
	return "SELECT " + strings.Join(s, ", ") + " FROM (" + q.SQL() + ")"
}

// pick takes three columns of a relation as id, k and v.
type pick struct {
	in    Query
	from  [3]string
	dress bool // of the query: v stays a DECIMAL
}

func (p pick) SQL() string {
	v := p.from[2]
	if p.dress {
		v = "CAST(" + v + " AS DECIMAL(14, 2))"
	}
	return fmt.Sprintf("SELECT CAST(%s AS BIGINT) AS id, %s AS k, %s AS v FROM (%s)", p.from[0], p.from[1], v, p.in.SQL())
}
func (p pick) cols() []string  { return []string{"id", "k", "v"} }
func (p pick) updates() bool   { return p.in.updates() }
func (p pick) inputs() []Query { return []Query{p.in} }
func (p pick) eval(x *run) (out []wrow) {
	var at [3]int
	for i, c := range p.from {
		at[i] = slices.Index(p.in.cols(), c)
	}
	for _, r := range p.in.eval(x) {
		r.row = Row{r.row[at[0]], r.row[at[1]], r.row[at[2]]}
		out = append(out, r)
	}
	return out
}

// union is UNION ALL.
type union struct{ a, b Query }

func (u union) SQL() string        { return u.a.SQL() + " UNION ALL " + u.b.SQL() }
func (u union) cols() []string     { return u.a.cols() }
func (u union) updates() bool      { return u.a.updates() || u.b.updates() }
func (u union) inputs() []Query    { return []Query{u.a, u.b} }
func (u union) eval(x *run) []wrow { return append(u.a.eval(x), u.b.eval(x)...) }

// distinct is SELECT DISTINCT k, v.
type distinct struct{ in Query }

func (d distinct) SQL() string     { return "SELECT DISTINCT k, v FROM (" + d.in.SQL() + ")" }
func (d distinct) cols() []string  { return []string{"k", "v"} }
func (d distinct) updates() bool   { return d.in.updates() }
func (d distinct) inputs() []Query { return []Query{d.in} }
func (d distinct) eval(x *run) (out []wrow) {
	n, rows := map[string]int64{}, map[string]Row{}
	for _, r := range d.in.eval(x) {
		k := keyText(r.row, 1, 2)
		n[k] += r.w
		rows[k] = Row{r.row[1], r.row[2]}
	}
	for k, m := range n {
		if m > 0 {
			out = append(out, wrow{row: rows[k], w: 1})
		}
	}
	return out
}

func keyText(r Row, cols ...int) string {
	k := make(Row, len(cols))
	for i, c := range cols {
		k[i] = r[c]
	}
	return k.Text()
}

// net sums equal rows and drops what cancels.
func net(in []wrow) (out []wrow) {
	at := map[string]int{}
	for _, r := range in {
		k := r.row.Text()
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, wrow{row: r.row})
		}
		out[i].w += r.w
	}
	return slices.DeleteFunc(out, func(r wrow) bool { return r.w == 0 })
}
