package simtest

import (
	"fmt"
	"slices"
)

// intervalJoin joins two relations with a time, of rows that are never taken back,
// on k and -lo <= r.ts - l.ts <= hi; milliseconds. With timed it is a relation id,
// k, v, ts of the left side's rows and the right side's values.
type intervalJoin struct {
	kind     string // INNER, LEFT, RIGHT, FULL; with timed INNER or LEFT
	l, r     Query
	lo, hi   int64
	residual bool // AND l.v < r.v
	timed    bool
	strict   bool // bounds are written as exclusive ones, of one millisecond more
}

func (j intervalJoin) SQL() string {
	cols := joinCols
	if j.timed {
		cols = "l.id AS id, l.k AS k, r.v AS v, l.ts AS ts"
	}
	span := func(ms int64) string { return fmt.Sprintf("INTERVAL '%d.%03d' SECOND", ms/1000, ms%1000) }
	on := fmt.Sprintf("r.ts BETWEEN l.ts - %s AND l.ts + %s", span(j.lo), span(j.hi))
	if j.strict {
		on = fmt.Sprintf("l.ts - %s < r.ts AND l.ts > r.ts - %s", span(j.lo+1), span(j.hi+1))
	}
	if j.residual {
		on += " AND l.v < r.v"
	}
	word := "AND"
	if j.kind == "INNER" && j.strict {
		word = "WHERE"
	}
	return fmt.Sprintf("SELECT %s FROM (%s) l %s JOIN (%s) r ON l.k = r.k %s %s", cols, j.l.SQL(), j.kind, j.r.SQL(), word, on)
}
func (j intervalJoin) cols() []string {
	if j.timed {
		return []string{"id", "k", "v", "ts"}
	}
	return []string{"li", "lk", "lv", "ri", "rk", "rv"}
}
func (j intervalJoin) updates() bool   { return false }
func (j intervalJoin) inputs() []Query { return []Query{j.l, j.r} }

// holds is what the join's watermark is behind its inputs'.
func (j intervalJoin) holds() int64 { return max(j.lo, j.hi) }

// met tells whether two rows that are near each other have met. One that came in an
// earlier step is there until the watermark is past what it waits for; of those of
// one step only two that were past it when they came do not meet.
func (j intervalJoin) met(x *run, a, b wrow) bool {
	untilA, untilB := *a.row[3]+j.hi, *b.row[3]+j.lo
	wmA, wmB := x.before(a, j.l, j.r), x.before(b, j.l, j.r)
	switch {
	case a.step < b.step:
		return untilA >= wmB
	case a.step > b.step:
		return untilB >= wmA
	}
	return untilA >= wmA || untilB >= wmB
}

func (j intervalJoin) eval(x *run) (out []wrow) {
	left, right := j.l.eval(x), j.r.eval(x)
	add := func(a, b Row, w int64, step int) {
		row := slices.Concat(a[:3], b[:3])
		if j.timed {
			row = Row{a[0], a[1], b[2], a[3]}
		}
		out = append(out, wrow{row: row, w: w, step: step})
	}
	// A row that has met none is padded when it goes; one without a key at once.
	alone := func(r wrow, wait int64) int {
		if r.row[1] == nil {
			return r.step
		}
		return x.reaches(*r.row[3]+wait+1, r.step, j.l, j.r)
	}
	hit := make([]bool, len(right))
	for _, a := range left {
		any := false
		for i, b := range right {
			if a.row[1] == nil || b.row[1] == nil || *a.row[1] != *b.row[1] {
				continue
			}
			if d := *b.row[3] - *a.row[3]; d < -j.lo || d > j.hi || !j.met(x, a, b) {
				continue
			}
			if j.residual && (a.row[2] == nil || b.row[2] == nil || *a.row[2] >= *b.row[2]) {
				continue
			}
			any, hit[i] = true, true
			add(a.row, b.row, a.w*b.w, max(a.step, b.step))
		}
		if !any && (j.kind == "LEFT" || j.kind == "FULL") {
			add(a.row, make(Row, 4), a.w, alone(a, j.hi))
		}
	}
	for i, b := range right {
		if !hit[i] && (j.kind == "RIGHT" || j.kind == "FULL") {
			add(make(Row, 4), b.row, b.w, alone(b, j.lo))
		}
	}
	return out
}
