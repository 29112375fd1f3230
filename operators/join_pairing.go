package operators

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// pairing builds joined rows and applies the residual condition. Columns that the
// condition does not look at are filled when it is known which pairs go on: most
// wide ones of a join with its best bids do not.
type pairing struct {
	env  *Env
	ctx  *expr.Ctx
	out  *batch.Batch
	nl   int
	pred *expr.Pred
	late []int // columns that start leaves to finish

	l, r half // room for some pairs
	w    []int64
}

func newPairing(env *Env, out *batch.Schema, nl int, residual expr.Expr) *pairing {
	p := &pairing{env: env, ctx: env.Expr(), out: batch.New(out, 0), nl: nl}
	if residual == nil {
		return p
	}
	p.pred = expr.CompilePred(residual)
	if !expr.CanFail(residual) { // a row that fails is reported whole
		p.lateBut(expr.Cols(residual))
	}
	return p
}

// lateBut leaves all columns but these to finish.
func (p *pairing) lateBut(cols []int) {
	for c := range p.out.Cols {
		if !slices.Contains(cols, c) {
			p.late = append(p.late, c)
		}
	}
}

// needs asks for columns before finish.
func (p *pairing) needs(cols []int) {
	if p.pred == nil {
		p.lateBut(cols)
		return
	}
	p.late = slices.DeleteFunc(p.late, func(c int) bool { return slices.Contains(cols, c) })
}

// start builds the rows l × r with weights w, but for the late columns, and returns
// the batch, its selection narrowed to those for which the condition is TRUE. The
// caller may narrow it further before finish.
func (p *pairing) start(l, r half, w []int64) (*batch.Batch, error) {
	o := p.out
	o.Reset()
	if p.late == nil {
		p.fill(l, r, len(w))
	} else {
		for c := range o.Cols {
			if !slices.Contains(p.late, c) {
				p.column(c, l, r, len(w))
			}
		}
	}
	o.N, o.W = len(w), w
	if p.pred == nil {
		return o, nil
	}
	o.Sel = p.pred.Select(p.ctx, o, nil)
	if o.Sel == nil && o.N > 0 {
		o.Sel = []int32{}
	}
	return o, p.env.failedPairs(p.ctx, o)
}

// finish fills the late columns of what start has returned for l and r; where few
// rows are left, of these alone.
func (p *pairing) finish(l, r half) *batch.Batch {
	o := p.out
	switch {
	case p.late == nil:
	case o.Sel == nil || 2*len(o.Sel) > o.N:
		for _, c := range p.late {
			p.column(c, l, r, o.N)
		}
	default:
		p.w = p.w[:0]
		for _, k := range o.Sel {
			p.w = append(p.w, o.W[k])
		}
		sel := o.Sel
		l, r = l.some(sel, &p.l), r.some(sel, &p.r)
		o.Reset()
		p.fill(l, r, len(sel))
		o.N, o.W = len(sel), p.w
	}
	return o
}

func (p *pairing) fill(l, r half, n int) {
	l.fill(p.out.Cols[:p.nl], n)
	r.fill(p.out.Cols[p.nl:], n)
}

func (p *pairing) column(c int, l, r half, n int) {
	if c < p.nl {
		l.column(c, &p.out.Cols[c], n)
		return
	}
	r.column(c-p.nl, &p.out.Cols[c], n)
}

// all builds the rows l × r, whatever the condition says.
func (p *pairing) all(l, r half, w []int64) *batch.Batch {
	p.out.Reset()
	p.fill(l, r, len(w))
	p.out.N, p.out.W = len(w), w
	return p.out
}

// padded emits rows of side in with NULLs for the other, with weights w.
func (p *pairing) padded(in int, h half, w []int64, out Emit) error {
	l, r := h, half{}
	if in == 1 {
		l, r = r, l
	}
	return out(p.all(l, r, w))
}
