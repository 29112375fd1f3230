package rules

import (
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// mergeProjects makes one projection of two, and none of one that changes nothing but names. An inner expression that is more than
// a column is taken over only where it is used once and gives the same value each time.
func mergeProjects(n ops.Node) ops.Node {
	p, ok := n.(*ops.Project)
	if !ok {
		return n
	}
	inner, ok := p.In[0].(*ops.Project)
	if !ok || len(p.Exprs) == 0 || len(inner.Exprs) == 0 {
		return n
	}
	es, below := exprsOf(p), exprsOf(inner)
	uses := make([]int, len(below))
	for _, e := range es {
		ex.Walk(e, func(e ex.Expr) bool {
			if c, ok := e.(*ex.Col); ok {
				uses[c.Index]++
			}
			return true
		})
	}
	for i, e := range below {
		if _, bare := e.(*ex.Col); bare {
			continue
		}
		if uses[i] > 1 || !ex.Deterministic(e) || uses[i] == 1 && inside(es, i) && ex.CanFail(e) {
			return n
		}
	}
	for i := range es {
		es[i] = ex.Inline(es[i], below)
	}
	return keep(ops.NewProject(inner.In[0], es, p.Schema.Fields[:len(es)]), p)
}

// inside tells whether column c is used inside a larger expression, which might not evaluate it for every row.
func inside(es []ex.Expr, c int) bool {
	for _, e := range es {
		if x, ok := e.(*ex.Col); ok && x.Index == c {
			return false
		}
	}
	return true
}
