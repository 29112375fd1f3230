package operators

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// Values is a bounded table of literal rows. Worker 0 emits them in the first
// step; the node's position is a table of one row, so that a restored job does
// not emit them again.
type Values struct {
	Props
	Stays
	Cols []batch.Vec
	N    int
}

// NewValues returns a table of n rows given as columns.
func NewValues(schema *batch.Schema, cols []batch.Vec, n int) *Values {
	return &Values{Props: Props{Schema: schema, State: "none"}, Cols: cols, N: n}
}

func (n *Values) Op() string     { return "values" }
func (n *Values) Detail() string { return fmt.Sprintf("%d rows", n.N) }

// OutWM is +∞: nothing comes after the rows.
func (n *Values) OutWM([]WM) WM { return WMEnd }

func (n *Values) With([]Node) Node { c := *n; return &c }

func (n *Values) New(env *Env) (Operator, error) {
	t := env.State.Table(state.Spec{Op: n.Ident, Layout: "values", Version: 1, Key: []batch.Type{batch.TypeBigInt}})
	return &values{n: n, done: t, first: env.Worker == 0}, nil
}

type values struct {
	n     *Values
	done  *state.Table // has a row once the rows were emitted
	first bool         // worker 0
}

func (o *values) Push(int, *batch.Batch, Emit) error { panic("BUG: Push to values") }

func (o *values) EndStep(_ []WM, out Emit) error {
	if !o.first || o.done.Len() > 0 {
		return nil
	}
	one := []batch.Vec{{Kind: batch.Int, I: []int64{0}}}
	o.done.Rows1(one, 0, 0, batch.HashRow(one, 0))
	b := batch.New(o.n.Schema, min(o.n.N, batch.Chunk))
	for from := 0; from < o.n.N; from += batch.Chunk {
		b.Reset()
		for i := from; i < min(o.n.N, from+batch.Chunk); i++ {
			for c := range b.Cols {
				b.Cols[c].AppendFrom(&o.n.Cols[c], i)
			}
			b.AddWeight(1)
		}
		if err := out(b); err != nil {
			return err
		}
	}
	return nil
}
