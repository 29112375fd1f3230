package rules

import (
	"slices"

	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// best finds a top 1 right above an inner join of inputs that only grow, by columns of the join's key, ordered by columns of one side,
// and tells the join to give the best pair of each key alone: see ops.Best. Between them there may be projections that cannot fail.
func best(sinks []ops.Node) []ops.Node {
	readers := consumers(sinks)
	found := map[string]*ops.Best{} // by identity
	for _, n := range topological(sinks) {
		t, ok := n.(*ops.TopN)
		if !ok || t.From != 1 || t.To != 1 || t.TTL > 0 || t.End >= 0 || t.Newest || len(t.Order) == 0 {
			continue
		}
		v := views(t.In[0], false)
		below := v[len(v)-1]
		if j, ok := below.of.(*ops.Join); ok && alone(t.In[0], j, readers) {
			if b := bestOf(t, j, below.cols); b != nil {
				found[j.Ident] = b
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
		if b := found[j.Ident]; b != nil {
			c := *j
			c.SetBest(b)
			return &c
		}
		return n
	})
}

// alone tells whether n, and what is below it down to j, is read by one node.
func alone(n, j ops.Node, readers map[ops.Node]int) bool {
	for ; readers[n] == 1; n = n.Base().In[0] {
		if n == j {
			return true
		}
	}
	return false
}

// bestOf says by what the top 1 t orders the pairs of j, whose columns it sees as cols.
func bestOf(t *ops.TopN, j *ops.Join, cols []ex.Expr) *ops.Best {
	if j.Kind != ops.Inner || j.Mode != ops.Append || j.TTL != [2]int64{} || j.Residual != nil && (ex.CanFail(j.Residual) || !ex.Deterministic(j.Residual)) {
		return nil
	}
	nl := visible(j.In[0])
	for _, c := range t.Part {
		x, ok := cols[c].(*ex.Col)
		if !ok || !slices.Contains(j.LK, x.Index) && (x.Index < nl || !slices.Contains(j.RK, x.Index-nl)) {
			return nil
		}
	}
	b := &ops.Best{Side: -1}
	for _, o := range t.Order {
		x, ok := cols[o.Col].(*ex.Col)
		if !ok || x.T.Kind() != batch.Int {
			return nil
		}
		side, c := 0, x.Index
		if c >= nl {
			side, c = 1, c-nl
		}
		if b.Side >= 0 && b.Side != side {
			return nil
		}
		o.Col = c
		b.Side, b.Order = side, append(b.Order, o)
	}
	return b
}
