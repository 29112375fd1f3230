package rules

import (
	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// fold replaces constant parts of expressions by their values, and drops filters that are always TRUE. A part that fails stays, so
// that it fails for a row.
func fold(n ops.Node) ops.Node {
	switch n := n.(type) {
	case *ops.Filter:
		p := ex.Fold(n.Pred)
		if c, ok := p.(*ex.Const); ok && c.T.SQL == batch.Boolean && !c.IsNull() && c.V.B[0] {
			return n.In[0]
		}
		return keep(ops.NewFilter(n.In[0], p), n)
	case *ops.Project:
		es := exprsOf(n)
		for i := range es {
			es[i] = ex.Fold(es[i])
		}
		return keep(ops.NewProject(n.In[0], es, n.Schema.Fields[:len(es)]), n)
	case *ops.Join:
		if n.Residual != nil {
			x := ops.NewJoin(n.Kind, n.In[0], n.In[1], n.LK, n.RK, n.NullSafe, ex.Fold(n.Residual))
			if n.TTL != [2]int64{} {
				x.SetTTL(n.TTL[0], n.TTL[1])
			}
			return keep(x, n)
		}
	case *ops.Scan:
		s := n.Spec
		if len(s.Computed) == 0 && s.WMExpr == nil {
			return n
		}
		s.Computed = make([]ex.Expr, len(n.Spec.Computed))
		for i, e := range n.Spec.Computed {
			s.Computed[i] = ex.Fold(e)
		}
		if s.WMExpr != nil {
			s.WMExpr = ex.Fold(s.WMExpr)
		}
		return keep(ops.NewScan(s), n)
	}
	return n
}
