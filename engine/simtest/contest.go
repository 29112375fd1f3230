package simtest

import "fmt"

// contest joins a relation with a time, of rows that are never taken back, with its
// own windowed MAX or MIN of v: the rows that have it, from the window's start to its
// end, that included.
type contest struct {
	in Query
	tvf
	min    bool
	strict bool // without the row at the end, and written with the end alone
}

func (c contest) SQL() string {
	f := map[bool]string{true: "MIN", false: "MAX"}[c.min]
	in := "x.ts BETWEEN w.s AND w.e"
	if c.strict {
		in = fmt.Sprintf("x.ts < w.e AND x.ts >= w.e - INTERVAL '%d' SECOND", c.size/1000)
	}
	return "WITH x AS (" + c.in.SQL() + ") SELECT x.id, x.k, x.v FROM x JOIN (SELECT " + f + "(v) AS m, window_start AS s, window_end AS e FROM " +
		c.over("x") + " GROUP BY window_start, window_end) w ON x.v = w.m AND " + in
}
func (c contest) cols() []string  { return []string{"id", "k", "v"} }
func (c contest) updates() bool   { return false }
func (c contest) inputs() []Query { return []Query{c.in} }
func (c contest) eval(x *run) (out []wrow) {
	rows := c.in.eval(x)
	best := map[[2]int64]Val{}
	for _, r := range rows {
		for _, win := range c.of(*r.row[3]) {
			b := best[win]
			if win[1] > x.before(r, c.in) && r.row[2] != nil && (b == nil || *r.row[2] > *b != c.min) {
				best[win] = r.row[2]
			}
		}
	}
	for _, r := range rows {
		for win, b := range best {
			ts := *r.row[3]
			if r.row[2] != nil && *r.row[2] == *b && ts >= win[0] && (ts < win[1] || ts == win[1] && !c.strict) {
				out = append(out, wrow{row: r.row[:3], w: r.w})
			}
		}
	}
	return out
}
