package simtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tvf is TUMBLE, HOP or CUMULATE, whose slide is the step; milliseconds.
type tvf struct {
	kind        string
	size, slide int64
}

func (w tvf) over(table string) string {
	steps := fmt.Sprintf("INTERVAL '%d' SECOND", w.size/1000)
	if w.kind != "TUMBLE" {
		steps = fmt.Sprintf("INTERVAL '%d' SECOND, %s", w.slide/1000, steps)
	}
	return fmt.Sprintf("TABLE(%s(TABLE %s, DESCRIPTOR(ts), %s))", w.kind, table, steps)
}

// of lists the windows [start, end) that hold ts.
func (w tvf) of(ts int64) (out [][2]int64) {
	if w.kind == "CUMULATE" {
		s := ts - mod(ts, w.size)
		for e := s + w.slide; e <= s+w.size; e += w.slide {
			if ts < e {
				out = append(out, [2]int64{s, e})
			}
		}
		return out
	}
	for s := ts - mod(ts, w.slide); s > ts-w.size; s -= w.slide {
		out = append(out, [2]int64{s, s + w.size})
	}
	return out
}

func mod(a, b int64) int64 { return (a%b + b) % b }

// boundsSQL are a window's bounds in seconds.
const boundsSQL = "TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS ws, " +
	"TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_end) AS we"

// window is GROUP BY k and the window. Without COUNT(DISTINCT v), in whose place
// stands COUNT(v), the engine keeps panes instead of windows.
type window struct {
	in Query
	tvf
	panes bool
}

func (w window) SQL() string {
	aggs := aggSQL
	if w.panes {
		aggs = strings.Replace(aggs, "DISTINCT", "", 1)
	}
	return "WITH x AS (" + w.in.SQL() + ") SELECT k, " + aggs + ", " + boundsSQL + " FROM " + w.over("x") + " GROUP BY k, window_start, window_end"
}
func (w window) cols() []string {
	return []string{"k", "n", "c", "s", "lo", "hi", "d", "f", "ws", "we"}
}
func (w window) updates() bool   { return false }
func (w window) inputs() []Query { return []Query{w.in} }
func (w window) eval(x *run) (out []wrow) {
	type pane struct {
		win  [2]int64
		rows []wrow
	}
	groups := map[string]*pane{}
	for _, r := range w.in.eval(x) {
		wm := x.before(r, w.in)
		for _, win := range w.of(*r.row[3]) {
			if win[1] <= wm {
				continue // this window has fired
			}
			k := fmt.Sprint(keyText(r.row, 1), win)
			if groups[k] == nil {
				groups[k] = &pane{win: win}
			}
			groups[k].rows = append(groups[k].rows, r)
		}
	}
	for _, g := range groups {
		if n, a := aggregate(g.rows, 2); n > 0 {
			if w.panes {
				a[5] = a[1]
			}
			row := append(append(Row{g.rows[0].row[1]}, a...), V(g.win[0]/1000), V(g.win[1]/1000))
			out = append(out, wrow{row: row, w: 1, step: x.reaches(g.win[1], 0, w.in)})
		}
	}
	return out
}

// rollup is a window aggregate as a relation with a time: its window_time.
type rollup struct {
	window
	dress bool
}

func (w rollup) SQL() string {
	v := "SUM(v)"
	if w.dress {
		v = "CAST(SUM(v) AS DECIMAL(14, 2))"
	}
	return "WITH u AS (" + w.in.SQL() + ") SELECT COUNT(*) AS id, k, " + v + " AS v, window_time AS ts FROM " + w.over("u") +
		" GROUP BY k, window_start, window_end, window_time"
}
func (w rollup) cols() []string { return []string{"id", "k", "v", "ts"} }
func (w rollup) eval(x *run) (out []wrow) {
	for _, r := range w.window.eval(x) {
		end := *r.row[9] * 1000
		r.row = Row{r.row[1], r.row[0], r.row[3], V(end - 1)}
		out = append(out, r)
	}
	return out
}

// windowJoin joins two TUMBLE inputs on k and the window.
type windowJoin struct {
	kind     string // INNER, LEFT, RIGHT, FULL
	l, r     Query
	size     int64
	residual bool // AND l.v < r.v
}

func (j windowJoin) SQL() string {
	t := tvf{"TUMBLE", j.size, j.size}
	on := "l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end"
	if j.residual {
		on += " AND l.v < r.v"
	}
	return fmt.Sprintf("WITH y AS (%s), z AS (%s) SELECT %s FROM (SELECT * FROM %s) l %s JOIN (SELECT * FROM %s) r ON %s",
		j.l.SQL(), j.r.SQL(), joinCols, t.over("y"), j.kind, t.over("z"), on)
}
func (j windowJoin) cols() []string  { return []string{"li", "lk", "lv", "ri", "rk", "rv"} }
func (j windowJoin) updates() bool   { return false }
func (j windowJoin) inputs() []Query { return []Query{j.l, j.r} }
func (j windowJoin) eval(x *run) (out []wrow) {
	wins := map[int64]*[2][]wrow{}
	for side, in := range j.inputs() {
		for _, r := range in.eval(x) {
			start := *r.row[3] - mod(*r.row[3], j.size)
			if start+j.size <= x.before(r, j.l, j.r) {
				continue // this window has been joined
			}
			if wins[start] == nil {
				wins[start] = &[2][]wrow{}
			}
			wins[start][side] = append(wins[start][side], r)
		}
	}
	for start, w := range wins {
		for _, r := range pairs(j.kind, w[0], w[1], j.residual) {
			r.step = x.reaches(start+j.size, 0, j.l, j.r)
			out = append(out, r)
		}
	}
	return out
}

// dedup keeps one row of each k, or of each k and v: the first or the last by ts.
type dedup struct {
	in   Query
	last bool
	fine bool // of each k and v
}

func (d dedup) SQL() string {
	by, order := "k", "ts"
	if d.fine {
		by = "k, v"
	}
	if d.last {
		order = "ts DESC"
	}
	return fmt.Sprintf("SELECT id, k, v, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY %s ORDER BY %s) AS rn FROM (%s)) WHERE rn = 1", by, order, d.in.SQL())
}
func (d dedup) cols() []string  { return d.in.cols() }
func (d dedup) updates() bool   { return d.last || d.in.updates() }
func (d dedup) inputs() []Query { return []Query{d.in} }
func (d dedup) eval(x *run) (out []wrow) {
	parts := map[string][]wrow{}
	for _, r := range d.in.eval(x) {
		k := keyText(r.row, 1)
		if d.fine {
			k = keyText(r.row, 1, 2)
		}
		parts[k] = append(parts[k], r)
	}
	for _, rows := range parts {
		slices.SortStableFunc(rows, func(a, b wrow) int { return a.step - b.step })
		if d.updates() {
			out = append(out, d.shown(rows)...)
		} else if r, ok := d.first(x, rows); ok {
			out = append(out, r)
		}
	}
	return out
}

// first is keep-first on append input: the least ts of what came before the
// watermark passed it; late rows do not count.
func (d dedup) first(x *run, rows []wrow) (wrow, bool) {
	var best wrow
	fires := 0
	for _, r := range rows {
		wm, ts := x.before(r, d.in), *r.row[3]
		if ts < wm-1 {
			continue // late
		}
		if best.row != nil && *best.row[3] < wm {
			break // decided
		}
		if best.row == nil || ts < *best.row[3] {
			best = r
			fires = x.reaches(ts+1, r.step, d.in)
		}
	}
	best.step = fires
	return best, best.row != nil
}

// shown is the row of greatest (or, of changes, least) ts that is there after
// each step, as changes. Of equal times the later arrival is the last.
func (d dedup) shown(rows []wrow) (out []wrow) {
	var old *wrow
	live := map[string]*wrow{}
	var order []string
	for i, r := range rows {
		k := strconv.FormatInt(*r.row[0], 10) + "@" + r.row.Text()
		if live[k] == nil {
			c := r
			c.w = 0
			live[k] = &c
			order = append(order, k)
		}
		live[k].w += r.w
		if i+1 < len(rows) && rows[i+1].step == r.step {
			continue
		}
		var best *wrow
		for _, k := range order {
			c := live[k]
			if c.w <= 0 {
				continue
			}
			if best == nil || d.last && *c.row[3] >= *best.row[3] || !d.last && *c.row[3] < *best.row[3] {
				best = c
			}
		}
		if best == old {
			continue
		}
		if old != nil {
			out = append(out, wrow{row: old.row, w: -1, step: r.step})
		}
		if old = best; best != nil {
			out = append(out, wrow{row: best.row, w: 1, step: r.step})
		}
	}
	return out
}
