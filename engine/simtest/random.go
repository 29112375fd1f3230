package simtest

import (
	"fmt"
	"math/rand/v2"
)

// Shape says what a random query may be.
type Shape struct {
	Periodic bool // lateness may be judged anywhere; else only straight above one scan
	Asks     bool // a query in a condition or for a value at the top, or one below it
}

// maker makes one random query.
type maker struct {
	*rand.Rand
	Shape
	dress bool
}

// Random makes a query and says whether its columns are dressed.
func Random(r *rand.Rand, s Shape) (q Query, dress bool) {
	m := &maker{r, s, r.IntN(4) == 0}
	return m.top(), m.dress
}

func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

func (m *maker) top() Query {
	if m.Asks {
		switch q := m.ask(m.rel(1)); m.IntN(5) {
		case 0:
			return group{q, having{}}
		case 1:
			return m.ask(q)
		case 2:
			return m.scalar(q)
		case 3:
			return m.scalar(m.rel(1))
		default:
			return q
		}
	}
	switch m.IntN(12) {
	case 0, 1:
		return group{m.rel(2), m.having()}
	case 2, 3, 4:
		return m.window()
	case 5:
		return distinct{m.rel(1)}
	case 6, 7:
		return join{m.one("INNER", "LEFT", "RIGHT", "FULL"), m.rel(1), m.rel(1), m.IntN(2) == 0}
	case 8:
		if m.IntN(2) == 0 {
			return topPair{m.leaf(m.one("a", "b")), m.leaf(m.one("a", "b")), m.IntN(2) == 0, m.IntN(2) == 0}
		}
		return topn{m.rel(2), int64(1 + m.IntN(3)), m.IntN(2) == 0}
	case 9:
		if m.Periodic {
			if m.IntN(2) == 0 {
				return m.contest()
			}
			return m.boundedJoin()
		}
		return m.pick(m.dedup(), "id", "k", "v")
	case 10:
		return m.pick(m.dedup(), "id", "k", "v")
	}
	return counts{group{m.rel(1), having{}}}
}

// rel is a relation id, k, v: a base or something computed.
func (m *maker) rel(depth int) Query {
	if depth == 0 || m.IntN(2) == 0 {
		return m.base()
	}
	switch m.IntN(6) {
	case 0, 1:
		return m.pick(group{m.rel(depth - 1), m.having()}, "n", "k", m.one("s", "lo", "c"))
	case 2:
		return m.pick(topn{m.rel(depth - 1), 2, true}, "rn", "k", "v")
	case 3:
		w, v := m.window(), m.one("s", "hi", "d")
		if _, ok := w.(session); ok && v == "d" {
			v = "f"
		}
		return m.pick(w, "ws", "k", v)
	case 4:
		if depth < 2 {
			return m.pick(distinct{m.base()}, "v", "k", "v")
		}
		side := m.one("l", "r")
		return m.pick(join{m.one("INNER", "LEFT", "FULL"), m.rel(1), m.base(), m.IntN(2) == 0}, m.one("li", "ri"), side+"k", m.one("lv", "rv"))
	}
	if m.Periodic {
		return m.pick(m.boundedJoin(), "li", m.one("lk", "rk"), m.one("lv", "rv"))
	}
	return m.pick(m.dedup(), "id", "k", "v")
}

func (m *maker) pick(q Query, cols ...string) Query { return pick{q, [3]string(cols), m.dress} }

func (m *maker) having() having {
	n := int64(m.IntN(3))
	switch m.IntN(3) {
	case 0:
		return having{fmt.Sprintf("COUNT(*) > %d", n), func(a Row) bool { return *a[0] > n }}
	case 1:
		return having{fmt.Sprintf("SUM(v) > %d OR MIN(v) IS NULL", 10*n), func(a Row) bool { return a[2] != nil && *a[2] > 10*n || a[3] == nil }}
	}
	return having{}
}

// window is a window aggregate over what has a time.
func (m *maker) window() Query {
	if !m.Periodic && m.IntN(4) == 0 {
		return session{m.leaf(m.one("a", "b")), int64(1+m.IntN(4)) * 1000}
	}
	in := m.timed(1)
	if m.Periodic && m.IntN(3) == 0 {
		in = m.intervalJoin(m.one("INNER", "LEFT"), true)
	}
	if m.Periodic && m.IntN(5) == 0 {
		in = rollup{window{in, m.tvf(), m.IntN(2) == 0}, m.dress}
	}
	return window{in, m.tvf(), m.IntN(2) == 0}
}

func (m *maker) tvf() tvf {
	size := int64(1+m.IntN(4)) * 2000
	switch m.IntN(4) {
	case 0:
		return tvf{"HOP", size, size / 2}
	case 1:
		return tvf{"CUMULATE", size, []int64{size / 2, 1000}[m.IntN(2)]}
	}
	return tvf{"TUMBLE", size, size}
}

// contest is over TUMBLE or HOP: windows of one length.
func (m *maker) contest() Query {
	size := int64(1+m.IntN(4)) * 2000
	w := []tvf{{"TUMBLE", size, size}, {"HOP", size, size / 2}}[m.IntN(2)]
	return contest{m.appended(), w, m.IntN(2) == 0, m.IntN(2) == 0}
}

// boundedJoin is a join whose state the watermark bounds.
func (m *maker) boundedJoin() Query {
	kind := m.one("INNER", "LEFT", "RIGHT", "FULL")
	if m.IntN(2) == 0 {
		return m.intervalJoin(kind, false)
	}
	return windowJoin{kind, m.appended(), m.appended(), int64(1+m.IntN(4)) * 1000, m.IntN(3) == 0}
}

func (m *maker) intervalJoin(kind string, timed bool) Query {
	bound := func() int64 { return []int64{0, 1, 700, 2000, 5000}[m.IntN(5)] }
	return intervalJoin{kind, m.appended(), m.appended(), bound(), bound(), m.IntN(3) == 0, timed, m.IntN(2) == 0}
}

// appended is a relation with a time that no change is ever taken back of.
func (m *maker) appended() Query {
	switch m.IntN(4) {
	case 0:
		return union{m.leaf("a"), m.leaf("b")}
	case 1:
		return dedup{m.leaf(m.one("a", "b")), false, m.IntN(2) == 0}
	}
	return m.leaf(m.one("a", "b"))
}

func (m *maker) dedup() Query {
	if !m.Periodic {
		return dedup{m.leaf(m.one("a", "b", "c")), m.IntN(2) == 0, m.IntN(2) == 0}
	}
	return dedup{m.timed(0), m.IntN(3) == 0, m.IntN(2) == 0}
}

// timed is a relation whose ts is a time attribute. No two rows of different
// origin in it have the same ts.
func (m *maker) timed(depth int) Query {
	table := m.one("a", "b", "c")
	if !m.Periodic {
		return m.leaf(table)
	}
	switch m.IntN(5) {
	case 0:
		return union{m.leaf("a"), m.leaf(m.one("b", "c"))}
	case 1:
		return union{m.leaf("c"), m.leaf("b")}
	case 2, 3:
		if depth > 0 {
			return m.dedup()
		}
	}
	return m.leaf(table)
}

// base is a query with columns id, k, v, ts.
func (m *maker) base() Query {
	q := m.leaf(m.one("a", "b", "c"))
	if m.IntN(4) == 0 {
		q = union{q, m.leaf(m.one("a", "b", "c"))}
	}
	return pick{q, [3]string{"id", "k", "v"}, m.dress}
}

// leaf is a table behind random filters and expressions.
func (m *maker) leaf(table string) Query {
	var q Query = scan{table, table == "c"}
	for range m.IntN(3) {
		q = m.stateless(q, int64(m.IntN(12)-4))
	}
	if m.dress {
		return dressed{q}
	}
	return q
}

func (m *maker) stateless(q Query, n int64) Query {
	switch m.IntN(9) {
	case 0:
		return filter{q, fmt.Sprintf("v > %d", n), func(x Row) bool { return x[2] != nil && *x[2] > n }}
	case 1:
		return filter{q, fmt.Sprintf("k <> %d OR v IS NULL", n), func(x Row) bool { return x[1] != nil && *x[1] != n || x[2] == nil }}
	case 2:
		return filter{q, "NOT (v BETWEEN 2 AND 6)", func(x Row) bool { return x[2] != nil && (*x[2] < 2 || *x[2] > 6) }}
	case 3:
		return filter{q, "k IS DISTINCT FROM v", func(x Row) bool { return keyText(x, 1) != keyText(x, 2) }}
	case 4:
		return filter{q, fmt.Sprintf("v IN (%d, 3, 7) IS NOT TRUE", n), func(x Row) bool { return x[2] == nil || *x[2] != n && *x[2] != 3 && *x[2] != 7 }}
	case 5:
		return change{q, fmt.Sprintf("COALESCE(v, k, %d)", n), func(k, v Val) Val {
			switch {
			case v != nil:
				return v
			case k != nil:
				return k
			}
			return V(n)
		}}
	case 6:
		return change{q, fmt.Sprintf("CASE WHEN v > %d THEN v - k WHEN v IS NULL THEN 7 ELSE NULLIF(v * 2, -6) END", n), func(k, v Val) Val {
			switch {
			case v == nil:
				return V(7)
			case *v > n && k == nil:
				return nil
			case *v > n:
				return V(*v - *k)
			case *v == -3:
				return nil
			}
			return V(*v * 2)
		}}
	}
	return change{q, fmt.Sprintf("v + %d", n), func(_, v Val) Val {
		if v == nil {
			return nil
		}
		return V(*v + n)
	}}
}
