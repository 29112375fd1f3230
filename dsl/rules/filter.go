package rules

import (
	"slices"

	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// pushFilters moves filters towards the sources: below projections, unions, UNNEST and window functions, into the sides of joins that are
// not padded, below aggregates where they ask for keys only. It never moves a condition that can fail or differs from call to call,
// nor one behind such a condition in the same filter: whether a row fails is not to change.
func pushFilters(sinks []ops.Node) []ops.Node {
	p := &pusher{readers: consumers(sinks)}
	return rewriteTop(sinks, p)
}

type pusher struct{ readers map[ops.Node]int }

func rewriteTop(sinks []ops.Node, p *pusher) []ops.Node {
	done := map[ops.Node]ops.Node{}
	var walk func(n ops.Node) ops.Node
	walk = func(n ops.Node) ops.Node {
		if m, ok := done[n]; ok {
			return m
		}
		m := n
		if f, ok := n.(*ops.Filter); ok {
			m = p.push(f)
		}
		if m != n {
			// What was moved may move on: look at the new nodes, which nobody else reads.
			r := walk(m)
			done[n] = r
			return r
		}
		in := make([]ops.Node, len(n.Base().In))
		changed := false
		for i, x := range n.Base().In {
			in[i] = walk(x)
			changed = changed || in[i] != x
		}
		if changed {
			m = withInputs(n, in)
		}
		done[n] = m
		return m
	}
	out := make([]ops.Node, len(sinks))
	for i, s := range sinks {
		out[i] = walk(s)
	}
	return out
}

// movable splits a filter's conditions: those in front of the first one that must stay, and the others.
func movable(pred ex.Expr) (move, stay []ex.Expr) {
	all := ex.Conjuncts(pred)
	for i, c := range all {
		if ex.CanFail(c) || !ex.Deterministic(c) {
			return all[:i], all[i:]
		}
	}
	return all, nil
}

// push returns f, or what stands in its place.
func (p *pusher) push(f *ops.Filter) ops.Node {
	in := f.In[0]
	if g, ok := in.(*ops.Filter); ok && p.readers[in] <= 1 {
		return keep(ops.NewFilter(g.In[0], and(append(slices.Clone(ex.Conjuncts(g.Pred)), ex.Conjuncts(f.Pred)...))), f)
	}
	if p.readers[in] > 1 {
		return f
	}
	move, stay := movable(f.Pred)
	if len(move) == 0 {
		return f
	}
	var below ops.Node
	var left []ex.Expr
	switch n := in.(type) {
	case *ops.Project:
		below, left = p.belowProject(n, move, f)
	case *ops.UnionAll:
		ins := make([]ops.Node, len(n.In))
		for i, x := range n.In {
			ins[i] = filtered(x, move, f)
		}
		below = withInputs(n, ins)
	case *ops.Join:
		below, left = p.intoSides(n, n.Kind, move, f)
	case *ops.WindowJoin:
		below, left = p.intoSides(n, n.Kind, move, f)
	case *ops.IntervalJoin:
		below, left = p.intoSides(n, n.Kind, move, f)
	case *ops.Aggregate:
		below, left = p.belowKeys(n, n.By, move, f)
	case *ops.WindowAggregate:
		below, left = p.belowKeys(n, n.By, move, f)
	case *ops.WindowAssign:
		keys := make([]int, visible(n)-3)
		for i := range keys {
			keys[i] = i
		}
		below, left = p.belowKeys(n, keys, move, f)
	case *ops.Unnest:
		below, left = p.belowKeys(n, n.Keep, move, f)
	}
	if below == nil {
		return f
	}
	if left = append(left, stay...); len(left) == 0 {
		return below
	}
	p.readers[below] = 2 // the rest stays where it is
	return keep(ops.NewFilter(below, and(left)), f)
}

func filtered(n ops.Node, es []ex.Expr, f *ops.Filter) ops.Node {
	if len(es) == 0 {
		return n
	}
	return keep(ops.NewFilter(n, and(es)), f)
}

func (p *pusher) belowProject(n *ops.Project, move []ex.Expr, f *ops.Filter) (ops.Node, []ex.Expr) {
	es := exprsOf(n)
	var down, left []ex.Expr
	for _, c := range move {
		x := ex.Inline(c, es)
		if ex.CanFail(x) || !ex.Deterministic(x) {
			left = append(left, c)
			continue
		}
		down = append(down, x)
	}
	if len(down) == 0 {
		return nil, nil
	}
	return withInputs(n, []ops.Node{filtered(n.In[0], down, f)}), left
}

// intoSides moves the conditions on one side of a join into it. A side whose rows are padded for the other keeps its rows: a
// condition on padded columns stays above.
func (p *pusher) intoSides(n ops.Node, kind ops.JoinKind, move []ex.Expr, f *ops.Filter) (ops.Node, []ex.Expr) {
	in := n.Base().In
	nl := visible(in[0])
	var l, r, left []ex.Expr
	for _, c := range move {
		cols := ex.Cols(c)
		switch {
		case len(cols) == 0:
			left = append(left, c)
		case cols[len(cols)-1] < nl && kind != ops.Right && kind != ops.Full:
			l = append(l, c)
		case cols[0] >= nl && (kind == ops.Inner || kind == ops.Right):
			m := make([]int, cols[len(cols)-1]+1)
			for i := range m {
				m[i] = i - nl
			}
			r = append(r, ex.Remap(c, m))
		default:
			left = append(left, c)
		}
	}
	if len(l)+len(r) == 0 {
		return nil, nil
	}
	return withInputs(n, []ops.Node{filtered(in[0], l, f), filtered(in[1], r, f)}), left
}

// belowKeys moves the conditions on the first columns, which are columns keys of the input.
func (p *pusher) belowKeys(n ops.Node, keys []int, move []ex.Expr, f *ops.Filter) (ops.Node, []ex.Expr) {
	in := n.Base().In[0]
	var down, left []ex.Expr
	for _, c := range move {
		cols := ex.Cols(c)
		if len(cols) == 0 || cols[len(cols)-1] >= len(keys) {
			left = append(left, c)
			continue
		}
		down = append(down, ex.Remap(c, keys))
	}
	if len(down) == 0 {
		return nil, nil
	}
	return withInputs(n, []ops.Node{filtered(in, down, f)}), left
}
