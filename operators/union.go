package operators

import (
	"github.com/streamd/streamd/batch"
)

// UnionAll is the sum of its inputs.
type UnionAll struct {
	Props
	Stays
	PassWM
}

// NewUnionAll returns the union of inputs that have the same column types;
// names come from the first. A column is a time attribute where it is one of
// the same kind in all inputs.
func NewUnionAll(in []Node) *UnionAll {
	hidden := true
	first := in[0].Base().Schema
	for _, x := range in {
		hidden = hidden && len(x.Base().Schema.Fields) == len(first.Fields)
	}
	ins := make([]Node, len(in))
	updates := false
	for i, x := range in {
		ins[i] = x
		if !hidden {
			ins[i] = drop(x)
		}
		updates = updates || x.Base().Mode != Append
	}
	s := &batch.Schema{Fields: append([]batch.Field(nil), ins[0].Base().Schema.Fields...)}
	for _, x := range ins[1:] {
		for c, f := range x.Base().Schema.Fields {
			if f.Time != s.Fields[c].Time {
				s.Fields[c].Time = batch.NoTime
			}
			s.Fields[c].Type.NotNull = s.Fields[c].Type.NotNull && f.Type.NotNull
		}
	}
	return &UnionAll{Props: Props{In: ins, Schema: s, Mode: mode(updates, nil), State: "none"}}
}

func (n *UnionAll) Op() string     { return "union all" }
func (n *UnionAll) Detail() string { return "" }

func (n *UnionAll) With(in []Node) Node { c := *n; c.In = in; return &c }

func (n *UnionAll) New(env *Env) (Operator, error) {
	return &union{n: n, env: env, wm: n.Schema.Index("$wm")}, nil
}

type union struct {
	stateless
	n   *UnionAll
	env *Env
	wm  int // the column $wm, or -1
	low batch.Vec
}

func (o *union) Push(in int, b *batch.Batch, out Emit) error {
	r := *b
	r.Schema = o.n.Schema
	if o.wm >= 0 {
		r.Cols = append([]batch.Vec(nil), b.Cols...)
		r.Cols[o.wm] = o.lower(in, b)
	}
	return out(&r)
}

// lower returns $wm of the rows of input in: their own, held back by the other
// inputs' watermarks as of the last step.
func (o *union) lower(in int, b *batch.Batch) batch.Vec {
	others := WMEnd
	for i := range o.n.In {
		if i != in {
			others = min(others, o.env.Prev(i))
		}
	}
	o.low.Kind = batch.Int
	o.low.Resize(b.N)
	for i, x := range b.Cols[o.wm].I[:b.N] {
		o.low.I[i] = min(x, int64(others))
	}
	return o.low
}
