package operators

import (
	"github.com/streamd/streamd/batch"
)

// Unnest gives one row for each element of a collection, behind columns of the
// row: of an ARRAY or MULTISET the element, or its fields when it is a ROW; of a
// MAP key and value. Elements that are NULL count.
type Unnest struct {
	Props
	Stays
	PassWM
	Col        int   // the collection
	Keep       []int // columns of the row that go on, none of them hidden
	Outer      bool  // a row whose collection is empty or NULL goes on with NULLs
	Ordinality bool  // the place of the element, from 1, stands last
}

// NewUnnest returns the elements of column col of in. names are those of the
// columns that it adds.
func NewUnnest(in Node, col int, keep []int, outer, ordinality bool, names []string) *Unnest {
	p := in.Base()
	n := &Unnest{Col: col, Keep: keep, Outer: outer, Ordinality: ordinality}
	f := append([]batch.Field(nil), p.Schema.Pick(keep).Fields...)
	for i, e := range ElementFields(p.Schema.Fields[col].Type, ordinality) {
		e.Name = names[i]
		if outer {
			e.Type.NotNull = false
		}
		f = append(f, e)
	}
	v := visible(p.Schema)
	n.Props = Props{In: []Node{in}, State: "none"}
	if ordinality {
		n.keys(p.Keys, len(f)-1)
	}
	n.Schema = &batch.Schema{Fields: append(f, p.Schema.Fields[v:]...)}
	n.Mode = mode(p.Mode != Append, n.Keys)
	return n
}

// ElementFields are the columns that the elements of a collection of type t have.
func ElementFields(t batch.Type, ordinality bool) (f []batch.Field) {
	e := t.Fields[0].Type
	switch {
	case t.SQL == batch.Map:
		f = append(f, t.Fields...)
	case e.SQL == batch.RowType:
		for _, x := range e.Fields {
			x.Type.NotNull = x.Type.NotNull && e.NotNull
			f = append(f, x)
		}
	default:
		f = append(f, t.Fields[0])
	}
	if ordinality {
		f = append(f, batch.Field{Name: "ORDINALITY", Type: batch.TypeInt.With(true)})
	}
	return f
}

// keys finds the input's keys that go on: with its place an element is known by its row.
func (n *Unnest) keys(in [][]int, place int) {
	at := map[int]int{}
	for i, c := range n.Keep {
		at[c] = i
	}
	for _, k := range in {
		var moved []int
		for _, c := range k {
			if i, ok := at[c]; ok {
				moved = append(moved, i)
			}
		}
		if len(moved) == len(k) {
			n.Keys = append(n.Keys, append(moved, place))
		}
	}
}

// Added returns how many columns the node adds.
func (n *Unnest) Added() int { return visible(n.Schema) - len(n.Keep) }

func (n *Unnest) Op() string {
	if n.Outer {
		return "unnest left"
	}
	return "unnest"
}

func (n *Unnest) Detail() string {
	s := n.In[0].Base().Schema.Fields[n.Col].Name + " as " + names(n.Schema, shift(ints(n.Added()), len(n.Keep)))
	return s
}

func (n *Unnest) With(in []Node) Node { c := *n; c.In = in; return &c }

func (n *Unnest) New(*Env) (Operator, error) {
	p := n.In[0].Base().Schema
	o := &unnest{n: n, multi: p.Fields[n.Col].Type.SQL == batch.Multiset}
	for c := visible(p); c < len(p.Fields); c++ {
		o.hidden = append(o.hidden, c)
	}
	return o, nil
}

type unnest struct {
	stateless
	n      *Unnest
	multi  bool // a MULTISET: the second child says how often an element is there
	hidden []int
	row    rows

	rows  []int32 // of the batch
	elems []int32 // of the collection's children; -1 = padded
	ords  []int64 // places; 0 = padded
}

func (o *unnest) Push(_ int, b *batch.Batch, out Emit) error {
	o.rows, o.elems, o.ords = o.rows[:0], o.elems[:0], o.ords[:0]
	v := &b.Cols[o.n.Col]
	for _, i := range o.row.of(b) {
		from, to := 0, 0
		if !v.IsNull(int(i)) {
			from, to = v.Span(int(i))
		}
		place := int64(0)
		for e := from; e < to; e++ {
			for left := o.times(v, e); left > 0; left-- {
				place++
				if err := o.add(b, i, int32(e), place, out); err != nil {
					return err
				}
			}
		}
		if place == 0 && o.n.Outer {
			if err := o.add(b, i, -1, 0, out); err != nil {
				return err
			}
		}
	}
	return o.emit(b, out)
}

// times is how often an element is there.
func (o *unnest) times(v *batch.Vec, e int) int64 {
	switch {
	case !o.multi:
		return 1
	case v.Child[1].IsNull(e):
		return 0
	}
	return v.Child[1].I[e]
}

func (o *unnest) add(b *batch.Batch, row, elem int32, place int64, out Emit) error {
	o.rows, o.elems, o.ords = append(o.rows, row), append(o.elems, elem), append(o.ords, place)
	if len(o.rows) < batch.Chunk {
		return nil
	}
	return o.emit(b, out)
}

// emit emits the collected elements.
func (o *unnest) emit(b *batch.Batch, out Emit) error {
	if len(o.rows) == 0 {
		return nil
	}
	r := &batch.Batch{Schema: o.n.Schema, N: len(o.rows), Cols: make([]batch.Vec, 0, len(o.n.Schema.Fields))}
	for _, c := range o.n.Keep {
		r.Cols = append(r.Cols, b.Cols[c].Take(o.rows))
	}
	r.Cols = o.elements(&b.Cols[o.n.Col], r.Cols)
	if o.n.Ordinality {
		v := batch.Vec{Kind: batch.Int, I: append([]int64(nil), o.ords...)}
		for k, p := range o.ords {
			if p == 0 {
				v.SetNull(k, len(o.ords))
			}
		}
		r.Cols = append(r.Cols, v)
	}
	for _, c := range o.hidden {
		r.Cols = append(r.Cols, b.Cols[c].Take(o.rows))
	}
	if b.W != nil {
		for _, i := range o.rows {
			r.W = append(r.W, b.W[i])
		}
	}
	o.rows, o.elems, o.ords = o.rows[:0], o.elems[:0], o.ords[:0]
	return out(r)
}

// elements appends the columns of the collected elements of v.
func (o *unnest) elements(v *batch.Vec, cols []batch.Vec) []batch.Vec {
	e := &v.Child[0]
	switch t := o.n.In[0].Base().Schema.Fields[o.n.Col].Type; {
	case t.SQL == batch.Map:
		return append(cols, e.Take(o.elems), v.Child[1].Take(o.elems))
	case t.Fields[0].Type.SQL != batch.RowType:
		return append(cols, e.Take(o.elems))
	}
	// A field of a ROW that is NULL is NULL, whatever stands there.
	for k, i := range o.elems {
		if i >= 0 && e.IsNull(int(i)) {
			o.elems[k] = -1
		}
	}
	for c := range e.Child {
		cols = append(cols, e.Child[c].Take(o.elems))
	}
	return cols
}
