package expr

import (
	"errors"
	"slices"
	"time"

	"github.com/streamd/streamd/batch"
)

// Take returns the rows that failed and forgets them.
func (c *Ctx) Take() []RowErr {
	e := c.Errs
	c.Errs = nil
	return e
}

func (c *Ctx) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Prog is a worker's compiled list of expressions. It is not safe for use by
// two goroutines.
type Prog struct {
	roots []*inst
	cols  []batch.Vec
}

// Compile makes a Prog of expressions over one schema.
func Compile(es []Expr) *Prog {
	p := &Prog{cols: make([]batch.Vec, len(es))}
	for _, e := range es {
		p.roots = append(p.roots, newInst(Fold(e)))
	}
	return p
}

// Eval computes the expressions for rows sel of b (nil = all b.N). Rows that
// fail are appended to c.Errs, each once, and are absent from sel2 (nil = all).
// Bare columns are passed through. The columns have at least b.N rows and hold
// values at sel2 only; they are valid until the next Eval.
func (p *Prog) Eval(c *Ctx, b *batch.Batch, sel []int32) (cols []batch.Vec, sel2 []int32) {
	f := frame{c: c, b: b, n: b.N, sel: sel}
	for i, r := range p.roots {
		var v *batch.Vec
		v, sel = r.eval(&f, sel)
		p.cols[i] = *v
	}
	return p.cols, sel
}

// Pred is a worker's compiled condition.
type Pred struct {
	parts []*inst // conjuncts, left to right
	sels  []func(in *inst, f *frame, sel, dst []int32) []int32
	bufs  [2][]int32
}

// CompilePred makes a Pred of a BOOLEAN expression.
func CompilePred(e Expr) *Pred {
	p := &Pred{}
	if e.Type().SQL == batch.Null {
		e = NullOf(batch.TypeBool)
	}
	for _, x := range Conjuncts(Fold(e)) {
		in := newInst(x)
		p.parts = append(p.parts, in)
		p.sels = append(p.sels, selector(in))
	}
	return p
}

// Select returns the rows of sel (nil = all b.N) for which the condition is
// TRUE, valid until the next Select; never nil. Rows that fail are appended to
// c.Errs.
func (p *Pred) Select(c *Ctx, b *batch.Batch, sel []int32) []int32 {
	f := frame{c: c, b: b, n: b.N, sel: sel}
	for i, in := range p.parts {
		buf := slices.Grow(p.bufs[i&1][:0], f.n+1)
		sel = p.sels[i](in, &f, sel, buf)
		p.bufs[i&1] = buf
	}
	return sel
}

// selectTrue is the selector of conditions without a better one.
func selectTrue(in *inst, f *frame, sel, dst []int32) []int32 {
	v, sel := in.eval(f, sel)
	dst = dst[:cap(dst)]
	j := 0
	if sel == nil {
		for i, x := range v.B[:f.n] {
			dst[j] = int32(i)
			j += b2i(x)
		}
	} else {
		for _, i := range sel {
			dst[j] = i
			j += b2i(v.B[i])
		}
	}
	return dropNulls(dst[:j], v)
}

// dropNulls takes the rows that are null in v out of sel, in place.
func dropNulls(sel []int32, v *batch.Vec) []int32 {
	if v.Null == nil {
		return sel
	}
	return notNull(sel, sel, v.Null)
}

func b2i(b bool) int {
	var i int
	if b {
		i = 1
	}
	return i
}

// EvalConst computes an expression without columns: one row. The clock stands
// at 1970. The error is the row error's message, or says that there are columns.
func EvalConst(e Expr, zone *time.Location) (batch.Vec, error) {
	if c, ok := e.(*Const); ok {
		return c.V, nil
	}
	if len(Cols(e)) > 0 {
		return batch.Vec{}, errors.New("it is not constant")
	}
	c := Ctx{Now: func() int64 { return 0 }, Zone: zone}
	in := newInst(e)
	v, _ := in.eval(&frame{c: &c, b: &batch.Batch{N: 1}, n: 1}, nil)
	if len(c.Errs) > 0 {
		return batch.Vec{}, errors.New(c.Errs[0].Msg)
	}
	r := batch.NewVec(e.Type(), 1)
	r.AppendFrom(v, 0)
	return r, nil
}

// Fold replaces parts of e that are constant by their value. A part whose
// evaluation fails stays as it is: it fails for the rows that reach it.
func Fold(e Expr) Expr {
	return Transform(e, func(e Expr) Expr {
		n, ok := e.(*node)
		if !ok || n.zoned() || n.op == opFunc && n.fn.Volatile && !n.b.Fixed {
			return e
		}
		for _, k := range n.kids {
			if _, ok := k.(*Const); !ok {
				return e
			}
		}
		v, err := EvalConst(e, nil)
		if err != nil {
			return e
		}
		return &Const{n.t.With(!v.IsNull(0)), v}
	})
}

// zoned tells whether the node's result depends on the session's time zone.
func (x *node) zoned() bool {
	switch x.op {
	case opCast:
		return hasLTZ(x.t) != hasLTZ(x.kids[0].Type())
	case opFunc:
		return x.b.Zoned
	}
	return false
}

func hasLTZ(t batch.Type) bool {
	if t.SQL == batch.TimestampLTZ {
		return true
	}
	for _, f := range t.Fields {
		if hasLTZ(f.Type) {
			return true
		}
	}
	return false
}
