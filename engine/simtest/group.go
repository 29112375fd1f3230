package simtest

import (
	"fmt"
	"slices"
)

// aggSQL are the aggregates of one group, over column v.
const aggSQL = "COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS lo, MAX(v) AS hi, COUNT(DISTINCT v) AS d, SUM(v) FILTER (WHERE v > 3) AS f"

func aggregate(rows []wrow, v int) (n int64, out Row) {
	var c, s, fs, fc int64
	vals := map[int64]int64{}
	for _, r := range rows {
		n += r.w
		if x := r.row[v]; x != nil {
			c += r.w
			s += r.w * *x
			vals[*x] += r.w
			if *x > 3 {
				fs, fc = fs+r.w**x, fc+r.w
			}
		}
	}
	var lo, hi, sum, f Val
	d := int64(0)
	for x, m := range vals {
		if m == 0 {
			continue
		}
		d++
		if lo == nil || x < *lo {
			lo = V(x)
		}
		if hi == nil || x > *hi {
			hi = V(x)
		}
	}
	if c != 0 {
		sum = V(s)
	}
	if fc != 0 {
		f = V(fs)
	}
	return n, Row{V(n), V(c), sum, lo, hi, V(d), f}
}

// group is GROUP BY k.
type group struct {
	in     Query
	having having
}

// having is a condition on a group's aggregates; "" = none.
type having struct {
	text string
	keep func(a Row) bool
}

func (g group) SQL() string {
	s := "SELECT k, " + aggSQL + " FROM (" + g.in.SQL() + ") GROUP BY k"
	if g.having.text != "" {
		s += " HAVING " + g.having.text
	}
	return s
}
func (g group) cols() []string  { return []string{"k", "n", "c", "s", "lo", "hi", "d", "f"} }
func (g group) updates() bool   { return true }
func (g group) inputs() []Query { return []Query{g.in} }
func (g group) eval(x *run) (out []wrow) {
	groups := map[string][]wrow{}
	for _, r := range g.in.eval(x) {
		k := keyText(r.row, 1)
		groups[k] = append(groups[k], r)
	}
	for _, rows := range groups {
		if n, a := aggregate(rows, 2); n > 0 && (g.having.text == "" || g.having.keep(a)) {
			out = append(out, wrow{row: append(Row{rows[0].row[1]}, a...), w: 1})
		}
	}
	return out
}

// counts is GROUP BY over an updating aggregate: how many keys have each count.
type counts struct{ in Query } // of group

func (c counts) SQL() string {
	return "SELECT n, COUNT(*) AS keys, SUM(s) AS s FROM (" + c.in.SQL() + ") GROUP BY n"
}
func (c counts) cols() []string  { return []string{"n", "keys", "s"} }
func (c counts) updates() bool   { return true }
func (c counts) inputs() []Query { return []Query{c.in} }
func (c counts) eval(x *run) (out []wrow) {
	type g struct{ n, keys, s, c int64 }
	m := map[int64]*g{}
	for _, r := range c.in.eval(x) {
		n := *r.row[1]
		if m[n] == nil {
			m[n] = &g{n: n}
		}
		m[n].keys++
		if r.row[3] != nil {
			m[n].s += *r.row[3]
			m[n].c++
		}
	}
	for _, x := range m {
		var s Val
		if x.c > 0 {
			s = V(x.s)
		}
		out = append(out, wrow{row: Row{V(x.n), V(x.keys), s}, w: 1})
	}
	return out
}

// topn is the first n rows of each k by v descending, then id.
type topn struct {
	in   Query
	n    int64
	rank bool
}

func (q topn) SQL() string {
	cols := "id, k, v"
	if q.rank {
		cols += ", rn"
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM (%s)) WHERE rn <= %d", cols, q.in.SQL(), q.n)
}
func (q topn) cols() []string {
	if q.rank {
		return []string{"id", "k", "v", "rn"}
	}
	return []string{"id", "k", "v"}
}
func (q topn) updates() bool   { return true }
func (q topn) inputs() []Query { return []Query{q.in} }
func (q topn) eval(x *run) (out []wrow) {
	parts := map[string][]Row{}
	for _, r := range net(q.in.eval(x)) {
		for range r.w {
			k := keyText(r.row, 1)
			parts[k] = append(parts[k], r.row)
		}
	}
	for _, rows := range parts {
		slices.SortFunc(rows, func(a, b Row) int {
			if c := cmpNull(b[2], a[2]); c != 0 {
				return c
			}
			return cmpNull(a[0], b[0])
		})
		for i, r := range rows[:min(int(q.n), len(rows))] {
			row := Row{r[0], r[1], r[2]}
			if q.rank {
				row = append(row, V(int64(i+1)))
			}
			out = append(out, wrow{row: row, w: 1})
		}
	}
	return out
}

// cmpNull orders values, NULL smallest.
func cmpNull(a, b Val) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return int(max(-1, min(1, *a-*b)))
}
