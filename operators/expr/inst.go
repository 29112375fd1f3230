package expr

import (
	"slices"

	"github.com/streamd/streamd/batch"
)

// inst is one worker's instance of an expression: its result and its scratch
// memory, used again for every batch.
type inst struct {
	n     *node  // nil for a column or constant
	k     *Const // a constant
	col   int    // a column
	kids  []*inst
	run   func(in *inst, f *frame, sel []int32) []int32
	v     *batch.Vec // the result of the last run
	out   batch.Vec  // where kernels write
	nulls []uint64   // memory of out.Null
	rows  []int32    // scratch selections
	size  int        // rows that a constant has been spread over
}

// frame is one evaluation.
type frame struct {
	c *Ctx
	b *batch.Batch
	n int

	sel  []int32  // the rows that are asked for; nil = all
	null []uint64 // the bitmap that complete was asked for last
	full bool     // what it answered
}

// complete tells whether sel is all that the evaluation is asked for and none of
// it is null. The fields of one ROW ask for the same bitmap one after the other.
func (f *frame) complete(null []uint64, sel []int32) bool {
	if !one(f.sel, sel) {
		return false
	}
	if one(f.null, null) {
		return f.full
	}
	some := uint64(0)
	for _, i := range sel {
		some |= null[i>>6] >> (i & 63)
	}
	f.null, f.full = null, some&1 == 0
	return f.full
}

// one tells whether two slices are one and not empty.
func one[T any](a, b []T) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// eval computes in for sel (nil = all) and returns the result, which has f.n
// rows, and the rows of sel that did not fail.
func (in *inst) eval(f *frame, sel []int32) (*batch.Vec, []int32) {
	sel = in.run(in, f, sel)
	return in.v, sel
}

var identity = func() []int32 {
	r := make([]int32, 8*batch.Chunk)
	for i := range r {
		r[i] = int32(i)
	}
	return r
}()

// rows returns sel with nil spelled out. It must not be written to.
func rows(sel []int32, n int) []int32 {
	if sel != nil {
		return sel
	}
	if n <= len(identity) {
		return identity[:n]
	}
	r := make([]int32, n)
	for i := range r {
		r[i] = int32(i)
	}
	return r
}

// drop returns sel without the rows of f.c.Errs[from:].
func (f *frame) drop(sel []int32, from int) []int32 {
	errs := f.c.Errs[from:]
	if len(errs) == 0 {
		return sel
	}
	bad := make(map[int32]bool, len(errs))
	for _, e := range errs {
		bad[e.Row] = true
	}
	sel = rows(sel, f.n)
	kept := make([]int32, 0, len(sel))
	for _, i := range sel {
		if !bad[i] {
			kept = append(kept, i)
		}
	}
	return kept
}

func (f *frame) fail(i int32, code, msg string, at Span) {
	f.c.Errs = append(f.c.Errs, RowErr{i, code, msg, at})
}

// start readies in.out for n rows, none null, and makes it the result.
func (in *inst) start(n int) *batch.Vec {
	resize(&in.out, n)
	in.v = &in.out
	return in.v
}

// resize is Vec.Resize for every kind: nested parts become empty.
func resize(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Row:
		for i := range v.Child {
			resize(&v.Child[i], n)
		}
		v.Null = nil
	case batch.List:
		v.View = slices.Grow(v.View[:0], n)[:n]
		clear(v.View)
		for i := range v.Child {
			v.Child[i].Reset()
		}
		v.Null = nil
	default:
		v.Resize(n)
	}
}

// joinNulls makes rows of out null that are null in one of vs.
func (in *inst) joinNulls(n int, vs ...*batch.Vec) {
	w := (n + 63) >> 6
	set := false
	for _, v := range vs {
		if v.Null == nil {
			continue
		}
		if !set {
			in.nulls = append(in.nulls[:0], v.Null[:w]...)
			set = true
			continue
		}
		for i, x := range v.Null[:w] {
			in.nulls[i] |= x
		}
	}
	if set {
		in.out.Null = in.nulls
	} else {
		in.out.Null = nil
	}
}

// notNull returns the rows of sel that v's bitmap does not name, in buf.
func notNull(buf, sel []int32, null []uint64) []int32 {
	buf = buf[:0]
	for _, i := range sel {
		if null[i>>6]>>(i&63)&1 == 0 {
			buf = append(buf, i)
		}
	}
	return buf
}

func newInst(e Expr) *inst {
	switch e := e.(type) {
	case *Col:
		return &inst{col: e.Index, run: runCol}
	case *Const:
		in := &inst{k: e, run: runConst}
		in.out = batch.NewVec(e.T, 0)
		return in
	case *node:
		in := &inst{n: e, out: batch.NewVec(e.t, 0)}
		kids := e.kids
		if e.op == opConcat {
			kids = concatParts(e)
		}
		for _, k := range kids {
			in.kids = append(in.kids, newInst(k))
		}
		in.run = kernel(in)
		return in
	}
	panic("BUG: cannot evaluate " + e.String())
}

func runCol(in *inst, f *frame, sel []int32) []int32 {
	in.v = &f.b.Cols[in.col]
	return sel
}

func runConst(in *inst, f *frame, sel []int32) []int32 {
	if in.v == nil || in.size < f.n {
		if in.size = f.n; in.v != nil {
			in.size = max(f.n, 1024) // not at once: a constant list of 50,000 is computed in one row
		}
		spread(&in.out, &in.k.V, in.size)
		in.v = &in.out
	}
	return sel
}

// spread makes dst n rows, all equal to row 0 of src.
func spread(dst, src *batch.Vec, n int) {
	*dst = *src
	if src.IsNull(0) {
		dst.Null = make([]uint64, (n+63)>>6)
		for i := range dst.Null {
			dst.Null[i] = ^uint64(0)
		}
	}
	switch src.Kind {
	case batch.Bool:
		dst.B = slices.Repeat(src.B[:1], n)
	case batch.Int:
		dst.I = slices.Repeat(src.I[:1], n)
	case batch.Float:
		dst.F = slices.Repeat(src.F[:1], n)
	case batch.Wide:
		dst.Hi, dst.Lo = slices.Repeat(src.Hi[:1], n), slices.Repeat(src.Lo[:1], n)
	case batch.Row:
		dst.Child = make([]batch.Vec, len(src.Child))
		for i := range src.Child {
			spread(&dst.Child[i], &src.Child[i], n)
		}
	default:
		dst.View = slices.Repeat(src.View[:1], n)
	}
}

// kernel chooses the code of a node, once.
func kernel(in *inst) func(*inst, *frame, []int32) []int32 {
	n := in.n
	switch n.op {
	case opArith:
		return arithKernel(in)
	case opNeg:
		return runNeg
	case opCompare:
		return compareKernel(in)
	case opAnd:
		return func(in *inst, f *frame, sel []int32) []int32 { return runLogic(in, f, sel, false) }
	case opOr:
		return func(in *inst, f *frame, sel []int32) []int32 { return runLogic(in, f, sel, true) }
	case opNot:
		return runNot
	case opIsNull:
		return runIsNull
	case opIsTrue:
		return runIsTrue
	case opDistinct:
		return runDistinct
	case opCase:
		return runCase
	case opCoalesce:
		return runCoalesce
	case opCast:
		return castKernel(in)
	case opLike, opSimilar:
		return patternKernel(in)
	case opIn:
		return inKernel(in)
	case opConcat:
		return concatKernel(in)
	case opItem:
		return itemKernel(in)
	case opField:
		return runField
	case opMakeRow:
		return runMakeRow
	case opMakeArray:
		return runMakeArray
	case opMakeMap:
		return runMakeMap
	case opTimeZone:
		return timeZoneKernel()
	case opTimeAdd:
		return timeAddKernel(in)
	}
	return funcKernel(in)
}

// evalKids computes the operands from left to right over what is left of sel.
func (in *inst) evalKids(f *frame, sel []int32) []int32 {
	for _, k := range in.kids {
		_, sel = k.eval(f, sel)
	}
	return sel
}

func funcKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	b := in.n.b
	k := b.New()
	call := Call{Args: make([]*batch.Vec, len(in.kids)), at: in.n.at}
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		out := in.start(f.n)
		for i, kid := range in.kids {
			call.Args[i] = kid.v
		}
		call.Ctx, call.N, call.Out, call.Sel = f.c, f.n, out, rows(sel, f.n)
		if !b.Lax {
			in.joinNulls(f.n, call.Args...)
			if out.Null != nil {
				in.rows = notNull(in.rows, call.Sel, out.Null)
				call.Sel = in.rows
			}
		}
		from := len(f.c.Errs)
		k(&call)
		return f.drop(sel, from)
	}
}
