package rules

import (
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// exprsOf returns the expressions of a projection's visible columns, also where it only picks columns.
func exprsOf(p *ops.Project) []ex.Expr {
	in := p.In[0].Base().Schema
	out := make([]ex.Expr, 0, len(p.Pick))
	for i := range visible(p) {
		if i < len(p.Exprs) {
			out = append(out, p.Exprs[i])
		} else {
			out = append(out, ex.NewCol(p.Pick[i], in.Fields[p.Pick[i]]))
		}
	}
	return out
}

func remapAll(cols, m []int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		if out[i] = m[c]; out[i] < 0 {
			panic("BUG: a column is gone that is needed")
		}
	}
	return out
}

func remap(e ex.Expr, m []int) ex.Expr {
	if e == nil {
		return nil
	}
	return ex.Remap(e, m)
}

func remapAggs(aggs []ops.AggCall, m []int) []ops.AggCall {
	out := make([]ops.AggCall, len(aggs))
	for i, a := range aggs {
		a.Args = remapAll(a.Args, m)
		if a.Filter >= 0 {
			a.Filter = m[a.Filter]
		}
		out[i] = a
	}
	return out
}

// must unwraps a constructor that accepted the same plan before.
func must[T ops.Node](n T, err error) ops.Node {
	if err != nil {
		panic("BUG: a rewritten plan is refused: " + err.Error())
	}
	return n
}

// rebuild makes n anew over other inputs; m[i][c] is where column c of input i is now, -1 when it is gone. The output's columns are
// those of n, but for a filter, union, top-N and the like, which pass on what their input has.
func rebuild(n ops.Node, in []ops.Node, m [][]int) ops.Node {
	switch n := n.(type) {
	case *ops.Scan, *ops.Values:
		return n
	case *ops.Filter:
		return keep(ops.NewFilter(in[0], remap(n.Pred, m[0])), n)
	case *ops.Project:
		es := exprsOf(n)
		for i := range es {
			es[i] = remap(es[i], m[0])
		}
		return keep(ops.NewProject(in[0], es, n.Schema.Fields[:len(es)]), n)
	case *ops.Contenders:
		return keep(ops.NewContenders(in[0], m[0][n.Val], m[0][n.Time], n.Min, n.Win, n.From, n.To), n)
	case *ops.UnionAll:
		return keep(ops.NewUnionAll(in), n)
	case *ops.Normalize:
		x := ops.NewNormalize(in[0], remapAll(n.PK, m[0]))
		if n.TTL > 0 {
			x.SetTTL(n.TTL)
		}
		return keep(x, n)
	case *ops.Aggregate:
		x := ops.NewAggregate(in[0], remapAll(n.By, m[0]), remapAggs(n.Aggs, m[0]), n.Schema.Fields)
		if n.TTL > 0 {
			x.SetTTL(n.TTL)
		}
		return keep(x, n)
	case *ops.WindowAssign:
		w := n.Win
		w.Col = m[0][w.Col]
		v := visible(n) - 3
		names := [3]string{n.Schema.Fields[v].Name, n.Schema.Fields[v+1].Name, n.Schema.Fields[v+2].Name}
		x, err := ops.NewWindowAssign(in[0], w, names)
		return keep(must(x, err), n)
	case *ops.Unnest:
		return rebuildUnnest(n, in[0], m[0], n.Keep)
	case *ops.WindowAggregate:
		return rebuildWindow(n, in[0], m[0], n.Aggs, n.Schema.Fields)
	case *ops.Join, *ops.WindowJoin, *ops.IntervalJoin:
		return rebuildJoin(n, in, m)
	case *ops.TopN:
		return rebuildTopN(n, in[0], m[0], n.Rank)
	case *ops.Dedup:
		x := ops.NewDedup(in[0], remapAll(n.Part, m[0]), m[0][n.Col], n.Last)
		if d, ok := x.(*ops.Dedup); ok && n.TTL > 0 {
			d.SetTTL(n.TTL)
		}
		return keep(x, n)
	case *ops.SinkNode:
		x, err := ops.NewSink(in[0], n.Spec)
		return keep(must(x, err), n)
	}
	panic(fmt.Sprintf("BUG: no rule knows %T", n))
}

func rebuildWindow(n *ops.WindowAggregate, in ops.Node, m []int, aggs []ops.AggCall, fields []batch.Field) ops.Node {
	if n.Ends >= 0 {
		return keep(ops.NewAttachedAggregate(in, m[n.Beg], m[n.Ends], remapAll(n.By, m), remapAggs(aggs, m), fields), n)
	}
	w := n.Win
	w.Col, w.Keys = m[w.Col], remapAll(w.Keys, m)
	x, err := ops.NewWindowAggregate(in, w, remapAll(n.By, m), remapAggs(aggs, m), n.Want, fields)
	return keep(must(x, err), n)
}

func rebuildUnnest(n *ops.Unnest, in ops.Node, m, kept []int) ops.Node {
	var names []string
	for i := range n.Added() {
		names = append(names, n.Schema.Fields[len(n.Keep)+i].Name)
	}
	return keep(ops.NewUnnest(in, m[n.Col], remapAll(kept, m), n.Outer, n.Ordinality, names), n)
}

func rebuildTopN(n *ops.TopN, in ops.Node, m []int, rank bool) ops.Node {
	order := make([]ops.OrderKey, len(n.Order))
	for i, o := range n.Order {
		o.Col = m[o.Col]
		order[i] = o
	}
	name := ""
	if n.Rank {
		name = n.Schema.Fields[len(n.Schema.Fields)-1].Name
	}
	if n.End >= 0 {
		x, err := ops.NewWindowTopN(in, remapAll(n.Part, m), order, n.From, n.To, rank, name, m[n.End], n.Newest)
		return keep(must(x, err), n)
	}
	x := ops.NewTopN(in, remapAll(n.Part, m), order, n.From, n.To, rank, name)
	if n.TTL > 0 {
		x.SetTTL(n.TTL)
	}
	return keep(x, n)
}

// joined maps the columns of a join's sides to those of its output, for its residual.
func joined(l ops.Node, m [][]int) []int {
	out := append([]int{}, m[0]...)
	for _, c := range m[1] {
		if c >= 0 {
			c += visible(l)
		}
		out = append(out, c)
	}
	return out
}

func rebuildJoin(n ops.Node, in []ops.Node, m [][]int) ops.Node {
	old := n.Base().In
	sides := [][]int{m[0][:visible(old[0])], m[1][:visible(old[1])]}
	both := joined(in[0], sides)
	switch n := n.(type) {
	case *ops.Join:
		x := ops.NewJoin(n.Kind, in[0], in[1], remapAll(n.LK, m[0]), remapAll(n.RK, m[1]), n.NullSafe, remap(n.Residual, both))
		if n.TTL != [2]int64{} {
			x.SetTTL(n.TTL[0], n.TTL[1])
		}
		if n.Best != nil {
			b := ops.Best{Side: n.Best.Side, Order: slices.Clone(n.Best.Order)}
			for i, o := range b.Order {
				b.Order[i].Col = m[b.Side][o.Col]
			}
			x.SetBest(&b)
		}
		return keep(x, n)
	case *ops.WindowJoin:
		x, err := ops.NewWindowJoin(n.Kind, in[0], in[1], m[0][n.LStart], m[0][n.LEnd], m[1][n.RStart], m[1][n.REnd],
			remapAll(n.LK, m[0]), remapAll(n.RK, m[1]), n.NullSafe, remap(n.Residual, both))
		return keep(must(x, err), n)
	case *ops.IntervalJoin:
		w := n.Within
		w.LT, w.RT = m[0][w.LT], m[1][w.RT]
		x, err := ops.NewIntervalJoin(n.Kind, in[0], in[1], w, remapAll(n.LK, m[0]), remapAll(n.RK, m[1]), n.NullSafe, remap(n.Residual, both))
		return keep(must(x, err), n)
	}
	panic("BUG: not a join")
}
