package operators

import (
	"github.com/streamd/streamd/batch"

	"github.com/streamd/streamd/operators/expr"
)

// Filter keeps the rows for which Pred is TRUE.
type Filter struct {
	Props
	Stays
	PassWM
	Pred expr.Expr
}

// NewFilter returns a filter of in.
func NewFilter(in Node, pred expr.Expr) *Filter {
	p := in.Base()
	return &Filter{Props: Props{In: []Node{in}, Schema: p.Schema, Mode: p.Mode, Keys: p.Keys, State: "none"}, Pred: pred}
}

func (n *Filter) Op() string     { return "filter" }
func (n *Filter) Detail() string { return n.Pred.String() }

func (n *Filter) With(in []Node) Node { c := *n; c.In = in; return &c }

func (n *Filter) New(env *Env) (Operator, error) {
	return &filter{env: env, ctx: env.Expr(), pred: expr.CompilePred(n.Pred)}, nil
}

type filter struct {
	stateless
	env  *Env
	ctx  *expr.Ctx
	pred *expr.Pred
}

func (o *filter) Push(_ int, b *batch.Batch, out Emit) error {
	sel := o.pred.Select(o.ctx, b, b.Sel)
	if err := o.env.failed(o.ctx, b); err != nil {
		return err
	}
	if len(sel) == 0 {
		return nil
	}
	r := *b
	r.Sel = sel
	return out(&r)
}
