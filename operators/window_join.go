package operators

import (
	"github.com/streamd/streamd/operators/expr"
)

// WindowJoin joins the rows of two streams that are in the same window; it
// emits a window when both inputs' watermarks have passed its end.
type WindowJoin struct {
	Props
	PassWM
	Kind                       JoinKind
	LStart, LEnd, RStart, REnd int
	LK, RK                     []int
	NullSafe                   []bool
	Residual                   expr.Expr
}

// NewWindowJoin returns the join of l and r on both window columns and lk = rk.
func NewWindowJoin(kind JoinKind, l, r Node, lstart, lend, rstart, rend int, lk, rk []int, nullSafe []bool, residual expr.Expr) (*WindowJoin, error) {
	if err := refuseUpdates("a window join", l, r); err != nil {
		return nil, err
	}
	n := &WindowJoin{Kind: kind, LStart: lstart, LEnd: lend, RStart: rstart, REnd: rend, LK: lk, RK: rk, NullSafe: nullSafe, Residual: residual}
	n.Props = joinProps(kind, l, r, append([]int{lstart, lend}, lk...), append([]int{rstart, rend}, rk...), "bounded(watermark)")
	n.Mode, n.UsesWM = Append, true
	return n, nil
}

func (n *WindowJoin) Op() string { return "window join " + n.Kind.String() }

func (n *WindowJoin) Detail() string {
	l, r := n.In[0].Base().Schema, n.In[1].Base().Schema
	return joinText(l, r, append([]int{n.LStart, n.LEnd}, n.LK...), append([]int{n.RStart, n.REnd}, n.RK...),
		append([]bool{false, false}, n.NullSafe...), n.Residual)
}

func (n *WindowJoin) Place(i int) Placement {
	if i == 0 {
		return byKey(n.LK)
	}
	return byKey(n.RK)
}

func (n *WindowJoin) With(in []Node) Node { c := *n; c.In = in; return &c }
