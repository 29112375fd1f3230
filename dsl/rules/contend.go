package rules

import (
	"slices"

	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// maxContests is for how many windows a row may contend, and in how many it may stand.
const maxContests = 16

// contend finds rows that are joined with their own windowed MAX or MIN, on equality of the value and with bounds on the window, and
// puts Contenders between them and the join: of a window's rows it lets through those that may still be the greatest. The join, the
// aggregation and with them the answer stay as they are.
//
//	SELECT … FROM bid b JOIN (SELECT MAX(price) AS m, window_end AS e FROM TABLE(TUMBLE(TABLE bid, …)) GROUP BY …) w
//	ON b.price = w.m WHERE b.ts BETWEEN w.e - INTERVAL '10' SECOND AND w.e
func contend(sinks []ops.Node) []ops.Node {
	readers := consumers(sinks)
	found := map[string]*contest{} // by identity
	for _, n := range topological(sinks) {
		switch n := n.(type) {
		case *ops.Join:
			if c := contestOf(n, nil); c != nil {
				found[n.Ident] = c
			}
		case *ops.Filter:
			if j, ok := n.In[0].(*ops.Join); ok && readers[j] == 1 {
				if c := contestOf(j, n.Pred); c != nil {
					found[j.Ident] = c
				}
			}
		}
	}
	if len(found) == 0 {
		return sinks
	}
	return rewrite(sinks, func(n ops.Node) ops.Node {
		j, ok := n.(*ops.Join)
		if !ok {
			return n
		}
		c := found[j.Ident]
		if c == nil {
			return n
		}
		in := slices.Clone(j.In)
		in[c.side] = keep(ops.NewContenders(in[c.side], c.val, c.time, c.min, c.win, c.from, c.to), j)
		return withInputs(j, in)
	})
}

// contest is a join of rows with their own windowed MAX: side has the rows, in columns val and time.
type contest struct {
	side, val, time int
	min             bool
	win             windows.Spec
	from, to        int64
}

// contestOf looks for a contest in a join whose pairs must also pass above (nil: any pass). No condition but bounds on time may fail: a
// row that is dropped may have pairs with windows out of bounds, whose failures count.
func contestOf(j *ops.Join, above ex.Expr) *contest {
	conds := append(conjuncts(j.Residual), conjuncts(above)...)
	if j.Kind != ops.Inner || onEvent(j) || slices.ContainsFunc(conds, fails) {
		return nil
	}
	for side := range 2 {
		w, at := windowBelow(j.In[1-side])
		if w == nil {
			continue
		}
		k := [2][]int{j.LK, j.RK}
		for i, col := range k[1-side] {
			c := &contest{side: side, val: k[side][i], win: w.Win}
			if c.equals(j.In[side], w, at[col]) && c.bounds(j, w, at, conds) {
				return c
			}
		}
	}
	return nil
}

// fails tells whether a condition can fail otherwise than by an INTERVAL that leads out of all time.
func fails(e ex.Expr) bool {
	_, a, b, ok := ex.Comparison(e)
	if _, _, ok = shifted(a, ok); ok {
		_, _, ok = shifted(b, ok)
	}
	return !ok && ex.CanFail(e)
}

func conjuncts(e ex.Expr) []ex.Expr {
	if e == nil {
		return nil
	}
	return ex.Conjuncts(e)
}

// windowBelow returns the window aggregation without other keys that n shows columns of; at[c] is column c's place in it, or -1.
func windowBelow(n ops.Node) (*ops.WindowAggregate, []int) {
	at := count(len(n.Base().Schema.Fields))
	for {
		switch x := n.(type) {
		case *ops.Project:
			es := exprsOf(x)
			for i, c := range at {
				if c < 0 {
					continue
				}
				at[i] = -1
				if c < len(es) {
					if bare, ok := es[c].(*ex.Col); ok {
						at[i] = bare.Index
					}
				}
			}
			n = x.In[0]
		case *ops.Filter:
			n = x.In[0]
		case *ops.WindowAggregate:
			w := x.Win
			if x.Ends >= 0 || len(x.By) > 0 || w.Proc || w.Zone != nil || w.Kind != windows.Tumble && w.Kind != windows.Hop || x.In[0].Base().Mode != ops.Append {
				return nil, nil
			}
			if w.Kind == windows.Hop && w.Size/w.Slide >= maxContests {
				return nil, nil
			}
			return x, at
		default:
			return nil, nil
		}
	}
}

// equals tells whether the rows' column val is what column col of w is the MAX or MIN of, and finds the column of their time.
func (c *contest) equals(rows ops.Node, w *ops.WindowAggregate, col int) bool {
	if col < 0 || col >= len(w.Aggs) {
		return false
	}
	a := w.Aggs[col]
	if a.Fn.Name != "MAX" && a.Fn.Name != "MIN" || a.Filter >= 0 || len(a.Args) != 1 || rows.Base().Schema.Fields[c.val].Type.Kind() != batch.Int {
		return false
	}
	c.min = a.Fn.Name == "MIN"
	for _, mine := range views(rows, true) {
		for _, its := range views(w.In[0], false) {
			if mine.of != its.of {
				continue
			}
			c.time = slices.IndexFunc(mine.cols, func(e ex.Expr) bool { return sameValue(e, its.cols[w.Win.Col]) })
			return c.time >= 0 && sameValue(mine.cols[c.val], its.cols[a.Args[0]])
		}
	}
	return false
}

func sameValue(a, b ex.Expr) bool { return ex.Equal(a, b) && ex.Deterministic(a) }

// view is a node as one below it sees it: its visible columns as expressions over of.
type view struct {
	of   ops.Node
	cols []ex.Expr
}

// views lists n over itself and over the nodes below it, down through projections. With fewer, n may have fewer rows than these; else it
// has all of them, and no projection in between can fail for one.
func views(n ops.Node, fewer bool) []view {
	f := n.Base().Schema.Fields[:visible(n)]
	cols := make([]ex.Expr, len(f))
	for i := range f {
		cols[i] = ex.NewCol(i, f[i])
	}
	all := []view{{n, cols}}
	for {
		switch x := n.(type) {
		case *ops.Project:
			es := exprsOf(x)
			if !fewer && slices.ContainsFunc(es, ex.CanFail) {
				return all
			}
			cols = slices.Clone(cols)
			for i := range cols {
				cols[i] = ex.Inline(cols[i], es)
			}
			n = x.In[0]
		case *ops.Filter:
			if !fewer {
				return all
			}
			n = x.In[0]
		default:
			return all
		}
		all = append(all, view{n, cols})
	}
}

// bounds finds which windows a row may meet, by its time: those that end within [from, to] of it. Both bounds must be there.
func (c *contest) bounds(j *ops.Join, w *ops.WindowAggregate, at []int, conds []ex.Expr) bool {
	nl := visible(j.In[0])
	first := [2]int{0, nl} // column of the pair where a side begins
	var lower, upper bool
	for _, e := range conds {
		op, a, b, ok := ex.Comparison(e)
		p, add, okA := shifted(a, ok)
		q, sub, okB := shifted(b, ok)
		if !okA || !okB || !p.T.IsTimestamp() || p.T.SQL != q.T.SQL {
			continue
		}
		if q.Index == first[c.side]+c.time { // p op q: the row first
			p, q, add, sub = q, p, sub, add
			op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
		}
		col := q.Index - first[1-c.side]
		if p.Index != first[c.side]+c.time || col < 0 || col >= len(at) {
			continue
		}
		before, ok := beforeEnd(w, at[col])
		// The row's time + add op the window's end - before + sub.
		end := add + before - sub
		switch {
		case !ok:
		case op == ">=" || op == ">":
			if op == ">" {
				end--
			}
			if !upper || end < c.to {
				c.to, upper = end, true
			}
		case op == "<=" || op == "<":
			if op == "<" {
				end++
			}
			if !lower || end > c.from {
				c.from, lower = end, true
			}
		}
	}
	slide := w.Win.Slide
	if slide == 0 {
		slide = w.Win.Size
	}
	return lower && upper && (c.to-c.from)/slide < maxContests
}

func shifted(e ex.Expr, ok bool) (*ex.Col, int64, bool) {
	if !ok {
		return nil, 0, false
	}
	return ex.Shifted(e)
}

// beforeEnd returns by how much column col of a window aggregation without keys lies before the window's end: window_start by the
// window's size, window_time by a millisecond.
func beforeEnd(w *ops.WindowAggregate, col int) (us int64, ok bool) {
	next := len(w.Aggs)
	for _, x := range []struct {
		there bool
		us    int64
	}{{w.Want.Start, w.Win.Size}, {w.Want.End, 0}, {w.Want.Time, 1000}} {
		if !x.there {
			continue
		}
		if col == next {
			return x.us, true
		}
		next++
	}
	return 0, false
}
