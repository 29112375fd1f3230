package simtest

import (
	"fmt"
	"slices"
)

const joinCols = "l.id AS li, l.k AS lk, l.v AS lv, r.id AS ri, r.k AS rk, r.v AS rv"

// join is a regular join on k, with or without a residual condition.
type join struct {
	kind     string // INNER, LEFT, RIGHT, FULL
	l, r     Query
	residual bool // AND l.v < r.v
}

func (j join) SQL() string {
	on := "l.k = r.k"
	if j.residual {
		on += " AND l.v < r.v"
	}
	return fmt.Sprintf("SELECT %s FROM (%s) l %s JOIN (%s) r ON %s", joinCols, j.l.SQL(), j.kind, j.r.SQL(), on)
}
func (j join) cols() []string { return []string{"li", "lk", "lv", "ri", "rk", "rv"} }
func (j join) updates() bool {
	return j.kind != "INNER" || j.l.updates() || j.r.updates()
}
func (j join) inputs() []Query    { return []Query{j.l, j.r} }
func (j join) eval(x *run) []wrow { return pairs(j.kind, j.l.eval(x), j.r.eval(x), j.residual) }

// pairs joins two multisets whose columns begin with id, k, v.
func pairs(kind string, left, right []wrow, residual bool) (out []wrow) {
	l, r := net(left), net(right)
	hit := make([]bool, len(r))
	for _, a := range l {
		any := false
		for i, b := range r {
			if a.row[1] == nil || b.row[1] == nil || *a.row[1] != *b.row[1] {
				continue
			}
			if residual && (a.row[2] == nil || b.row[2] == nil || *a.row[2] >= *b.row[2]) {
				continue
			}
			any, hit[i] = true, true
			out = append(out, wrow{row: append(slices.Clone(a.row[:3]), b.row[:3]...), w: a.w * b.w})
		}
		if !any && (kind == "LEFT" || kind == "FULL") {
			out = append(out, wrow{row: append(slices.Clone(a.row[:3]), nil, nil, nil), w: a.w})
		}
	}
	for i, b := range r {
		if !hit[i] && (kind == "RIGHT" || kind == "FULL") {
			out = append(out, wrow{row: append(Row{nil, nil, nil}, b.row[:3]...), w: b.w})
		}
	}
	return out
}
