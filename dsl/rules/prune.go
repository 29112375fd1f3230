package rules

import (
	"slices"

	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// prune cuts off the columns that nobody reads, down to the scans: connectors decode what is read only, also of a ROW's fields, and
// state keeps what is read only. First the needs of all readers of a node are united, from the sinks down; then the graph is built
// anew from the sources up.
func prune(sinks []ops.Node) []ops.Node {
	p := &pruner{need: map[ops.Node]*need{}, done: map[ops.Node]*pruned{}}
	order := topological(sinks)
	for _, s := range sinks {
		p.all(s)
	}
	for _, n := range order {
		p.ask(n)
	}
	out := make([]ops.Node, len(sinks))
	for i, s := range sinks {
		out[i] = p.build(s).n
	}
	return out
}

// need is what the readers of a node want: columns, and of ROW columns the fields, when only fields are read.
type need struct {
	cols   []bool
	fields map[int][]bool // absent: the whole column, or nothing of it
	whole  []bool
}

// pruned is a rebuilt node; at[c] is where column c of the old one is, -1 when it is gone.
type pruned struct {
	n  ops.Node
	at []int
}

type pruner struct {
	need map[ops.Node]*need
	done map[ops.Node]*pruned
}

// topological orders the nodes so that readers stand before what they read.
func topological(sinks []ops.Node) []ops.Node {
	var out []ops.Node
	seen := map[ops.Node]bool{}
	var walk func(n ops.Node)
	walk = func(n ops.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, x := range n.Base().In {
			walk(x)
		}
		out = append(out, n)
	}
	for _, s := range sinks {
		walk(s)
	}
	slices.Reverse(out)
	return out
}

func (p *pruner) of(n ops.Node) *need {
	x := p.need[n]
	if x == nil {
		w := len(n.Base().Schema.Fields)
		x = &need{cols: make([]bool, w), whole: make([]bool, w), fields: map[int][]bool{}}
		p.need[n] = x
	}
	return x
}

func (p *pruner) all(n ops.Node) { p.cols(n, count(len(n.Base().Schema.Fields))) }

func count(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

func (p *pruner) cols(n ops.Node, cols []int) {
	x := p.of(n)
	for _, c := range cols {
		x.cols[c], x.whole[c] = true, true
	}
}

// exprs asks for the columns that expressions use; a field of a ROW column asks for that field only.
func (p *pruner) exprs(n ops.Node, es ...ex.Expr) {
	x := p.of(n)
	f := n.Base().Schema.Fields
	for _, e := range es {
		if e == nil {
			continue
		}
		ex.Walk(e, func(e ex.Expr) bool {
			if c, ok := e.(*ex.Col); ok {
				x.cols[c.Index], x.whole[c.Index] = true, true
				return false
			}
			if kids := e.Kids(); len(kids) == 1 {
				if c, ok := kids[0].(*ex.Col); ok && c.T.SQL == batch.RowType {
					if i, ok := ex.FieldOf(e); ok {
						x.cols[c.Index] = true
						x.field(c.Index, i, len(f[c.Index].Type.Fields))
						return false
					}
				}
			}
			return true
		})
	}
}

func (x *need) field(c, i, n int) {
	if x.fields[c] == nil {
		x.fields[c] = make([]bool, n)
	}
	x.fields[c][i] = true
}

// pass hands on what is needed of the output's column o as column c of the input.
func (p *pruner) pass(from ops.Node, o int, to ops.Node, c int) {
	x, y := p.of(from), p.of(to)
	if !x.cols[o] {
		return
	}
	y.cols[c] = true
	y.whole[c] = y.whole[c] || x.whole[o]
	for i, f := range x.fields[o] {
		if f {
			y.field(c, i, len(x.fields[o]))
		}
	}
}

// ask tells n's inputs what n needs of them; what n's readers need is known.
func (p *pruner) ask(n ops.Node) {
	in := n.Base().In
	x := p.of(n)
	for i := range in {
		p.of(in[i])
	}
	switch n := n.(type) {
	case *ops.Filter:
		p.exprs(in[0], n.Pred)
		p.through(n)
	case *ops.Project:
		for i, e := range exprsOf(n) {
			if c, ok := e.(*ex.Col); ok {
				p.pass(n, i, in[0], c.Index)
			} else if x.cols[i] {
				p.exprs(in[0], e)
			}
		}
	case *ops.UnionAll:
		for c := range x.cols {
			for _, i := range in {
				if c < len(i.Base().Schema.Fields) {
					p.pass(n, c, i, c)
				}
			}
		}
	case *ops.Normalize:
		p.cols(in[0], n.PK)
		p.through(n)
	case *ops.Aggregate:
		p.cols(in[0], n.By)
		p.aggs(in[0], p.usedAggs(n, n.Aggs, len(n.By)))
	case *ops.WindowAggregate:
		p.cols(in[0], n.By)
		p.cols(in[0], []int{n.Win.Col})
		p.cols(in[0], n.Win.Keys)
		if n.Ends >= 0 {
			p.cols(in[0], []int{n.Beg, n.Ends})
		}
		p.aggs(in[0], n.Aggs)
	case *ops.WindowAssign:
		p.cols(in[0], []int{n.Win.Col})
		for c := range visible(n) - 3 {
			p.pass(n, c, in[0], c)
		}
	case *ops.Unnest:
		p.cols(in[0], []int{n.Col})
		for i, c := range n.Keep {
			p.pass(n, i, in[0], c)
		}
	case *ops.Join:
		p.cols(in[0], n.LK)
		p.cols(in[1], n.RK)
		p.sides(n, n.Residual)
	case *ops.WindowJoin:
		p.cols(in[0], append([]int{n.LStart, n.LEnd}, n.LK...))
		p.cols(in[1], append([]int{n.RStart, n.REnd}, n.RK...))
		p.sides(n, n.Residual)
	case *ops.IntervalJoin:
		p.cols(in[0], append([]int{n.Within.LT}, n.LK...))
		p.cols(in[1], append([]int{n.Within.RT}, n.RK...))
		p.sides(n, n.Residual)
	case *ops.TopN:
		p.cols(in[0], n.Part)
		for _, o := range n.Order {
			p.cols(in[0], []int{o.Col})
		}
		for c := range visible(in[0]) {
			p.pass(n, c, in[0], c)
		}
	case *ops.Dedup:
		p.cols(in[0], append([]int{n.Col}, n.Part...))
		p.through(n)
	case *ops.SinkNode:
		p.all(in[0])
	}
}

// through is for nodes whose output's columns are the input's.
func (p *pruner) through(n ops.Node) {
	in := n.Base().In[0]
	w := len(in.Base().Schema.Fields)
	for c := range min(w, len(n.Base().Schema.Fields)) {
		p.pass(n, c, in, c)
	}
}

// usedAggs are the aggregates that somebody reads. One stays where the group would turn into a DISTINCT, which has another mode.
func (p *pruner) usedAggs(n ops.Node, aggs []ops.AggCall, keys int) []ops.AggCall {
	x := p.of(n)
	var out []ops.AggCall
	for i, a := range aggs {
		if x.cols[keys+i] {
			out = append(out, a)
		}
	}
	if len(out) == 0 && len(aggs) > 0 {
		x.cols[keys], x.whole[keys] = true, true
		out = aggs[:1]
	}
	return out
}

func (p *pruner) aggs(in ops.Node, aggs []ops.AggCall) {
	for _, a := range aggs {
		p.cols(in, a.Args)
		if a.Filter >= 0 {
			p.cols(in, []int{a.Filter})
		}
	}
}

func (p *pruner) sides(n ops.Node, residual ex.Expr) {
	in := n.Base().In
	nl := visible(in[0])
	for c := range n.Base().Schema.Fields {
		if c < nl {
			p.pass(n, c, in[0], c)
		} else {
			p.pass(n, c, in[1], c-nl)
		}
	}
	if residual == nil {
		return
	}
	for _, c := range ex.Cols(residual) {
		if c < nl {
			p.cols(in[0], []int{c})
		} else {
			p.cols(in[1], []int{c - nl})
		}
	}
}
