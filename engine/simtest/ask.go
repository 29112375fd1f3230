package simtest

import "fmt"

// ask keeps the rows of l that a question about r lets pass.
type ask struct {
	l, r Query
	not  bool
	in   int    // how many columns are compared by IN, of k and v; 0 = EXISTS
	with string // how the query looks outside: "", "k", "v", or "less" for r.v < l.v
	some bool   // of r only rows with a k
	over int64  // and with v > over; Never = any
}

func (a ask) SQL() string {
	where := map[string]string{"": "TRUE", "k": "r.k = l.k", "v": "r.v = l.v", "less": "r.v < l.v", "k less": "r.k = l.k AND r.v < l.v"}[a.with]
	if a.some {
		where += " AND r.k IS NOT NULL"
	}
	if a.over != Never {
		where += fmt.Sprintf(" AND r.v > %d", a.over)
	}
	not := ""
	if a.not {
		not = "NOT "
	}
	q := fmt.Sprintf("FROM (%s) r WHERE %s", a.r.SQL(), where)
	cond := fmt.Sprintf("%sEXISTS (SELECT 1 %s)", not, q)
	switch a.in {
	case 1:
		cond = fmt.Sprintf("l.k %sIN (SELECT r.k %s)", not, q)
	case 2:
		cond = fmt.Sprintf("(l.k, l.v) %sIN (SELECT r.k, r.v %s)", not, q)
	}
	return fmt.Sprintf("SELECT l.id AS id, l.k AS k, l.v AS v FROM (%s) l WHERE %s", a.l.SQL(), cond)
}
func (a ask) cols() []string  { return []string{"id", "k", "v"} }
func (a ask) updates() bool   { return a.not || a.l.updates() || a.r.updates() }
func (a ask) inputs() []Query { return []Query{a.l, a.r} }
func (a ask) eval(x *run) (out []wrow) {
	r := net(a.r.eval(x))
	for _, l := range a.l.eval(x) {
		is := no // is there a row
		for _, s := range r {
			is = max(is, a.matches(l.row, s.row))
		}
		if is == yes && !a.not || is == no && a.not {
			l.row = l.row[:3:3]
			out = append(out, l)
		}
	}
	return out
}

// The three truth values, in the order of AND and OR: the least, the greatest.
const (
	no = iota
	unknown
	yes
)

func (a ask) matches(l, r Row) int {
	if a.some && r[1] == nil || a.over != Never && (r[2] == nil || *r[2] <= a.over) {
		return no
	}
	t := yes
	switch a.with {
	case "k":
		t = equal(l[1], r[1])
	case "v":
		t = equal(l[2], r[2])
	case "less":
		t = less(r[2], l[2])
	case "k less":
		t = min(equal(l[1], r[1]), less(r[2], l[2]))
	}
	if t != yes { // the query has no such row
		return no
	}
	for c := 1; c <= a.in; c++ {
		t = min(t, equal(l[c], r[c]))
	}
	return t
}

func equal(a, b Val) int {
	switch {
	case a == nil || b == nil:
		return unknown
	case *a == *b:
		return yes
	}
	return no
}

func less(a, b Val) int {
	switch {
	case a == nil || b == nil:
		return unknown
	case *a < *b:
		return yes
	}
	return no
}

// ask makes a question about the rows of l. Few rows answer it, so that it often
// has another answer for each.
func (m *maker) ask(l Query) Query {
	return ask{l: l, r: m.rel(1), not: m.IntN(3) > 0, in: []int{0, 1, 1, 1, 2}[m.IntN(5)], with: m.one("", "", "", "", "k", "v", "less", "k less"),
		some: m.IntN(2) == 0, over: []int64{Never, 3, 7, 999}[m.IntN(4)]}
}

// scalar puts an aggregate of r in the place of v: of all its rows, or of those with the k or v of the row.
type scalar struct {
	l, r  Query
	agg   string // MAX, COUNT or SUM
	with  string // "", "k" or "v"
	above bool   // keep rows whose own v is larger, instead
}

func (q scalar) SQL() string {
	where := map[string]string{"": "", "k": " WHERE r.k = l.k", "v": " WHERE r.v = l.v AND r.k IS NOT NULL"}[q.with]
	agg := map[string]string{"MAX": "MAX(r.v)", "COUNT": "COUNT(r.v)", "SUM": "COALESCE(SUM(r.v), -1)"}[q.agg]
	x := fmt.Sprintf("(SELECT %s FROM (%s) r%s)", agg, q.r.SQL(), where)
	if q.above {
		return fmt.Sprintf("SELECT l.id AS id, l.k AS k, l.v AS v FROM (%s) l WHERE l.v > %s", q.l.SQL(), x)
	}
	return fmt.Sprintf("SELECT l.id AS id, l.k AS k, %s AS v FROM (%s) l", x, q.l.SQL())
}
func (q scalar) cols() []string  { return []string{"id", "k", "v"} }
func (q scalar) updates() bool   { return true }
func (q scalar) inputs() []Query { return []Query{q.l, q.r} }
func (q scalar) eval(x *run) (out []wrow) {
	r := net(q.r.eval(x))
	for _, l := range q.l.eval(x) {
		v := q.of(l.row, r)
		switch {
		case !q.above:
			l.row = Row{l.row[0], l.row[1], v}
		case less(v, l.row[2]) != yes:
			continue
		}
		l.row = l.row[:3:3]
		out = append(out, l)
	}
	return out
}

// of is the value for one row.
func (q scalar) of(l Row, r []wrow) Val {
	var n, sum int64
	var most Val
	for _, s := range r {
		if s.row[2] == nil || q.with == "k" && equal(l[1], s.row[1]) != yes || q.with == "v" && (equal(l[2], s.row[2]) != yes || s.row[1] == nil) {
			continue
		}
		n += s.w
		sum += s.w * *s.row[2]
		if most == nil || *s.row[2] > *most {
			most = s.row[2]
		}
	}
	switch {
	case q.with == "" && len(r) == 0: // there is no row to take the value of
		return nil
	case q.agg == "COUNT":
		return V(n)
	case q.agg == "MAX":
		return most
	case n == 0:
		return V(-1)
	}
	return V(sum)
}

// scalar makes a value for the rows of l.
func (m *maker) scalar(l Query) Query {
	return scalar{l: l, r: m.rel(1), agg: m.one("MAX", "COUNT", "SUM"), with: m.one("", "k", "k", "v"), above: m.IntN(2) == 0}
}
