package rules

import (
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// Options are the settings that rules obey.
type Options struct {
	Retention bool // drop rows of joins by their conditions on time: 'streamd.join.retention'
}

// Apply rewrites the plans of one job. The order matters: folding makes constants, so that filters are seen to be cheap; filters
// move before columns are cut off, since they need theirs.
func Apply(sinks []ops.Node, o Options) []ops.Node {
	sinks = rewrite(sinks, fold)
	sinks = pushFilters(sinks)
	sinks = prune(sinks)
	sinks = rewrite(sinks, mergeProjects)
	sinks = rewrite(sinks, fold) // merging may have put constants beside one another
	sinks = best(contend(sinks))
	if o.Retention {
		sinks = rewrite(sinks, retain)
	}
	return sinks
}

// rewrite rebuilds a graph bottom up, each node once. f gets a node whose inputs are rewritten already.
func rewrite(sinks []ops.Node, f func(ops.Node) ops.Node) []ops.Node {
	done := map[ops.Node]ops.Node{}
	var walk func(n ops.Node) ops.Node
	walk = func(n ops.Node) ops.Node {
		if m, ok := done[n]; ok {
			return m
		}
		in := n.Base().In
		fresh := make([]ops.Node, len(in))
		changed := false
		for i, x := range in {
			fresh[i] = walk(x)
			changed = changed || fresh[i] != x
		}
		m := n
		if changed {
			m = withInputs(n, fresh)
		}
		m = f(m)
		done[n] = m
		return m
	}
	out := make([]ops.Node, len(sinks))
	for i, s := range sinks {
		out[i] = walk(s)
	}
	return out
}

// consumers counts the nodes that read each node; a sink is read once.
func consumers(sinks []ops.Node) map[ops.Node]int {
	count := map[ops.Node]int{}
	var walk func(n ops.Node)
	walk = func(n ops.Node) {
		if count[n]++; count[n] > 1 {
			return
		}
		for _, x := range n.Base().In {
			walk(x)
		}
	}
	for _, s := range sinks {
		walk(s)
	}
	return count
}

// keep gives a rebuilt node what the constructor does not know.
func keep(n, old ops.Node) ops.Node {
	p, o := n.Base(), old.Base()
	p.Ident, p.Span = o.Ident, o.Span
	return n
}

// withInputs returns n over other inputs of the same columns. Keys and modes of the inputs may have changed, so the constructors
// derive them anew.
func withInputs(n ops.Node, in []ops.Node) ops.Node {
	return rebuild(n, in, identity(in))
}

// identity maps each column of the inputs to itself.
func identity(in []ops.Node) [][]int {
	out := make([][]int, len(in))
	for i, x := range in {
		out[i] = make([]int, len(x.Base().Schema.Fields))
		for c := range out[i] {
			out[i][c] = c
		}
	}
	return out
}

// visible returns how many columns of n are not hidden; hidden ones stand last.
func visible(n ops.Node) int {
	f := n.Base().Schema.Fields
	v := len(f)
	for v > 0 && f[v-1].Hidden() {
		v--
	}
	return v
}

// and is the conjunction of BOOLEAN expressions.
func and(es []ex.Expr) ex.Expr {
	e, err := ex.And(es...)
	if err != nil {
		panic("BUG: a conjunct is not BOOLEAN: " + err.Error())
	}
	return e
}
