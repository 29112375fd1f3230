package operators

import (
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// Project computes columns. Hidden columns of the input ($pos, $raw, $wm) that
// no expression names are passed on behind the others. Over updates it remembers
// what chance and the clock gave for a row: see remember.
type Project struct {
	Props
	PassWM
	Exprs []expr.Expr // of the visible columns; empty when only columns are picked
	Pick  []int       // by output column: the input column it is, or -1
}

// NewProject returns a projection of in; fields names and types the results and
// says which of them are time attributes. Keys are kept when all their columns
// pass, bare or through an injective cast.
func NewProject(in Node, exprs []expr.Expr, fields []batch.Field) *Project {
	p := in.Base()
	n := &Project{Exprs: exprs, Pick: make([]int, len(exprs))}
	from := map[int]int{} // input column -> output column
	for i, e := range exprs {
		n.Pick[i] = -1
		if c, ok := bareColumn(e); ok {
			n.Pick[i] = c
		}
		if c, ok := injective(e); ok {
			if _, dup := from[c]; !dup {
				from[c] = i
			}
		}
	}
	fields = slices.Clone(fields)
	for c := visible(p.Schema); c < len(p.Schema.Fields); c++ {
		n.Pick = append(n.Pick, c)
		fields = append(fields, p.Schema.Fields[c])
	}
	n.Props = Props{In: []Node{in}, Schema: &batch.Schema{Fields: fields}, State: "none"}
	n.deriveKeys(p, from)
	if n.remembers() {
		n.State = "bounded(rows of its input)"
	}
	return n
}

// remembers tells whether a row that is taken back must get the values that it
// got when it came, which its columns do not tell.
func (n *Project) remembers() bool {
	if n.In[0].Base().Mode == Append {
		return false
	}
	return slices.ContainsFunc(n.Exprs, func(e expr.Expr) bool { return !expr.Deterministic(e) })
}

// Place keeps rows where they are, or puts a row with what takes it back.
func (n *Project) Place(int) Placement {
	if !n.remembers() {
		return Placement{}
	}
	in := n.In[0].Base()
	if len(in.Keys) > 0 {
		return byKey(in.Keys[0])
	}
	return byKey(ints(visible(in.Schema)))
}

// newPick returns a projection that only picks columns.
func newPick(in Node, cols []int) *Project {
	p := in.Base()
	n := &Project{Props: Props{In: []Node{in}, Schema: p.Schema.Pick(cols), State: "none"}, Pick: cols}
	from := map[int]int{}
	for i, c := range cols {
		if _, dup := from[c]; !dup {
			from[c] = i
		}
	}
	n.deriveKeys(p, from)
	return n
}

func (n *Project) deriveKeys(in *Props, from map[int]int) {
	for _, k := range in.Keys {
		moved := make([]int, 0, len(k))
		for _, c := range k {
			if o, ok := from[c]; ok {
				moved = append(moved, o)
			}
		}
		if len(moved) == len(k) {
			n.Keys = append(n.Keys, moved)
		}
	}
	n.Mode = mode(in.Mode != Append, n.Keys)
}

func (n *Project) Op() string { return "project" }

// Detail lists the visible columns, "expr AS name" where they differ.
func (n *Project) Detail() string {
	var s []string
	for i, f := range n.Schema.Fields {
		if f.Hidden() {
			continue
		}
		t := f.Name
		if i < len(n.Exprs) {
			if e := n.Exprs[i].String(); e != t {
				t = e + " AS " + t
			}
		}
		s = append(s, t)
	}
	return strings.Join(s, ", ")
}

func (n *Project) With(in []Node) Node { c := *n; c.In = in; return &c }

func (n *Project) New(env *Env) (Operator, error) {
	o := &project{n: n, env: env, ctx: env.Expr(), from: make([]int, len(n.Pick))}
	o.ctx.Bound = !n.remembers()
	var es []expr.Expr
	for i, c := range n.Pick {
		o.from[i] = -1
		if c < 0 {
			o.from[i] = len(es)
			es = append(es, n.Exprs[i])
		}
	}
	if es != nil {
		o.prog = expr.Compile(es)
	}
	if n.remembers() {
		return newRemember(n, o), nil
	}
	return o, nil
}

type project struct {
	stateless
	n    *Project
	env  *Env
	ctx  *expr.Ctx
	prog *expr.Prog // of the columns that are not picked; nil = all are
	from []int      // by output column: its place in prog, or -1
	cols []batch.Vec
	live []uint64 // a bit for each row that goes on
	row  rows
}

func (o *project) Push(_ int, b *batch.Batch, out Emit) error {
	made, sel, err := o.eval(b)
	if o.ctx.Full {
		return o.halves(b, out)
	}
	if err != nil || sel != nil && len(sel) == 0 {
		return err
	}
	return o.emit(b, made, sel, out)
}

// halves pushes rows whose texts were too large together in two parts, and these in
// two again where they are still too large.
func (o *project) halves(b *batch.Batch, out Emit) error {
	o.ctx.Full = false
	o.ctx.Take()
	sel := slices.Clone(o.row.of(b))
	for _, part := range [][]int32{sel[:len(sel)/2], sel[len(sel)/2:]} {
		r := *b
		r.Sel = part
		if err := o.Push(0, &r, out); err != nil {
			return err
		}
	}
	return nil
}

// eval computes the columns that are not picked.
func (o *project) eval(b *batch.Batch) (made []batch.Vec, sel []int32, err error) {
	if o.prog == nil {
		return nil, b.Sel, nil
	}
	made, sel = o.prog.Eval(o.ctx, b, b.Sel)
	if o.ctx.Full {
		return nil, nil, nil
	}
	return made, sel, o.env.failed(o.ctx, b)
}

func (o *project) emit(b *batch.Batch, made []batch.Vec, sel []int32, out Emit) error {
	o.cols = o.cols[:0]
	for i, c := range o.n.Pick {
		if c >= 0 {
			o.cols = append(o.cols, b.Cols[c])
		} else {
			o.cols = append(o.cols, made[o.from[i]])
		}
	}
	o.plain(sel, b.N)
	return out(&batch.Batch{Schema: o.n.Schema, Cols: o.cols, N: b.N, Sel: sel, W: b.W})
}

// plain forgets the NULLs of columns that have them in rows only that are filtered out
// before: fields of a ROW that is NULL in rows of another kind. Kernels and state take a
// faster way where a column knows of none.
func (o *project) plain(sel []int32, n int) {
	o.live = o.live[:0]
	for c := range o.cols {
		v := &o.cols[c]
		if v.Null == nil {
			continue
		}
		if len(o.live) == 0 {
			o.live = slices.Grow(o.live, (n+63)>>6)[:(n+63)>>6]
			mark(o.live, sel, n)
		}
		some := uint64(0)
		for w, x := range o.live {
			some |= x & v.Null[w]
		}
		if some == 0 {
			v.Null = nil
		}
	}
}

// mark sets the bits of rows sel of n (nil = all), and no others.
func mark(bits []uint64, sel []int32, n int) {
	if sel == nil {
		for w := range bits {
			bits[w] = ^uint64(0)
		}
		if n&63 != 0 {
			bits[n>>6] = 1<<(n&63) - 1
		}
		return
	}
	clear(bits)
	for _, i := range sel {
		bits[i>>6] |= 1 << (i & 63)
	}
}

// bareColumn tells whether e is a column of the input, and which.
func bareColumn(e expr.Expr) (int, bool) {
	c, ok := e.(*expr.Col)
	if !ok {
		return 0, false
	}
	return c.Index, true
}

// injective tells whether e maps different values of one column to different
// values, and of which column: the column itself, or a cast that loses nothing.
func injective(e expr.Expr) (int, bool) {
	if c, ok := bareColumn(e); ok {
		return c, true
	}
	x, ok := expr.CastOf(e)
	if !ok {
		return 0, false
	}
	c, ok := injective(x)
	from, to := x.Type(), e.Type()
	switch {
	case from.IsInteger() && to.IsInteger():
		return c, ok && to.SQL >= from.SQL
	case (from.IsInteger() || from.SQL == batch.Boolean) && to.SQL == batch.Varchar:
		return c, ok && to.P >= 20
	case from.IsString() && to.SQL == batch.Varchar:
		return c, ok && to.P >= from.P
	}
	return 0, false
}
