package simtest

import (
	"fmt"
	"slices"
)

// session is GROUP BY k and SESSION PARTITION BY k over rows that are never taken
// back. Rows are judged in order of arrival: without a log.
type session struct {
	in  Query
	gap int64
}

// sessionAggs are what of aggSQL's values a session has: all but the distinct ones.
var sessionAggs = []int{0, 1, 2, 3, 4, 6}

func (s session) SQL() string {
	return fmt.Sprintf("WITH x AS (%s) SELECT k, COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS lo, MAX(v) AS hi, SUM(v) FILTER (WHERE v > 3) AS f, "+
		"TIMESTAMPDIFF(MILLISECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS ws, TIMESTAMPDIFF(MILLISECOND, TIMESTAMP '1970-01-01 00:00:00', window_end) AS we "+
		"FROM TABLE(SESSION(TABLE x PARTITION BY k, DESCRIPTOR(ts), INTERVAL '%d' SECOND)) GROUP BY k, window_start, window_end", s.in.SQL(), s.gap/1000)
}
func (s session) cols() []string  { return []string{"k", "n", "c", "s", "lo", "hi", "f", "ws", "we"} }
func (s session) updates() bool   { return false }
func (s session) inputs() []Query { return []Query{s.in} }

// open is a session that later rows may join.
type open struct {
	from, to int64
	rows     []wrow
}

func (s session) eval(x *run) (out []wrow) {
	opens := map[string][]open{}
	fire := func(o open) {
		_, a := aggregate(o.rows, 2)
		row := Row{o.rows[0].row[1]}
		for _, i := range sessionAggs {
			row = append(row, a[i])
		}
		out = append(out, wrow{row: append(row, V(o.from), V(o.to)), w: 1})
	}
	for _, r := range s.in.eval(x) {
		k := keyText(r.row, 1)
		var kept []open
		mine := open{*r.row[3], *r.row[3] + s.gap, []wrow{r}}
		for _, o := range opens[k] {
			switch {
			case o.to <= r.wm:
				fire(o)
			case o.from <= *r.row[3]+s.gap && *r.row[3] <= o.to:
				mine = open{min(mine.from, o.from), max(mine.to, o.to), slices.Concat(o.rows, mine.rows)}
			default:
				kept = append(kept, o)
			}
		}
		if mine.to > r.wm {
			kept = append(kept, mine)
		}
		opens[k] = kept
	}
	for _, list := range opens {
		for _, o := range list {
			fire(o)
		}
	}
	return out
}
