package simtest

// topPair is, of a join of relations that only grow, the first pair of each key by the
// right side's v and id, as k, v, id of it.
type topPair struct {
	l, r Query
	desc bool
	both bool // AND l.v < r.v
}

func (p topPair) SQL() string {
	on, order := "l.k = r.k", "r.v, r.id"
	if p.both {
		on += " AND l.v < r.v"
	}
	if p.desc {
		order = "r.v DESC, r.id"
	}
	return "SELECT k, v, id FROM (SELECT l.k, r.v, r.id, ROW_NUMBER() OVER (PARTITION BY l.k ORDER BY " + order + ") AS rn FROM (" + p.l.SQL() + ") l JOIN (" +
		p.r.SQL() + ") r ON " + on + ") WHERE rn = 1"
}
func (p topPair) cols() []string  { return []string{"k", "v", "id"} }
func (p topPair) updates() bool   { return true }
func (p topPair) inputs() []Query { return []Query{p.l, p.r} }

// before tells whether v comes before w: NULL is the smallest.
func (p topPair) before(v, w Val) bool {
	if p.desc {
		v, w = w, v
	}
	return v == nil && w != nil || v != nil && w != nil && *v < *w
}

func (p topPair) eval(x *run) (out []wrow) {
	best := map[int64]Row{}
	for _, q := range pairs("INNER", p.l.eval(x), p.r.eval(x), p.both) {
		k, v, id := *q.row[1], q.row[5], q.row[3]
		b, ok := best[k]
		if q.w > 0 && (!ok || p.before(v, b[1]) || !p.before(b[1], v) && *id < *b[2]) {
			best[k] = Row{V(k), v, id}
		}
	}
	for _, b := range best {
		out = append(out, wrow{row: b, w: 1})
	}
	return out
}
