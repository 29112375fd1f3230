package engine

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
	"github.com/streamd/streamd/operators/expr"
)

// labelled is a row of the tables of these tests.
type labelled struct {
	N int64
	S *string
}

var pairs = batch.NewSchema(batch.Field{Name: "n", Type: batch.TypeBigInt}, batch.Field{Name: "s", Type: batch.TypeString})

func pairOf(n int64) labelled {
	if n%3 == 0 {
		return labelled{N: n}
	}
	s := "s" + strconv.FormatInt(n, 10)
	return labelled{n, &s}
}

func pairText(n int) string {
	if n%3 == 0 {
		return fmt.Sprintf("%d|NULL", n)
	}
	return fmt.Sprintf("%d|s%d", n, n)
}

// connector registers something and returns its connector.
func connector(t testing.TB, register func(*Engine) error) *connectors.Connector {
	t.Helper()
	e, err := Open(context.Background(), Options{})
	if err == nil {
		err = register(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e.conns["pairs"]
}

// TestGoSource holds a Go source to what every connector must do: more rows than
// may wait, read in portions, from each position.
func TestGoSource(t *testing.T) {
	const n = 2*maxRun + 5
	var want []string
	for i := range n {
		want = append(want, pairText(i))
	}
	conntest.Source(t, conntest.SourceCase{Schema: pairs, Want: want, Open: func(t testing.TB) connectors.Source {
		c := connector(t, func(e *Engine) error {
			return RegisterSource(e, "pairs", Source[labelled]{Bounded: true, Read: func(_ context.Context, from string, emit func(labelled, string) error) error {
				at, _ := strconv.ParseInt(from, 10, 64)
				for ; at < n; at++ {
					if err := emit(pairOf(at), strconv.FormatInt(at+1, 10)); err != nil {
						return err
					}
				}
				return nil
			}})
		})
		s, err := c.Source(&connectors.TableDef{Name: "pairs", Schema: pairs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}

// TestGoSink does so with a Go sink that keeps the epoch with its rows.
func TestGoSink(t *testing.T) {
	var there []string
	var last uint64
	write := func(_ context.Context, d Delivery[labelled]) error {
		if d.Epoch <= last {
			return nil
		}
		last = d.Epoch
		for _, c := range d.Changes {
			text := fmt.Sprintf("%d|NULL", c.Row.N)
			if c.Row.S != nil {
				text = fmt.Sprintf("%d|%s", c.Row.N, *c.Row.S)
			}
			there = append(there, text)
		}
		return nil
	}
	conntest.Sink(t, conntest.SinkCase{Schema: pairs, Once: true, Line: pairText, Read: func(testing.TB) []string { return there },
		Row: func(b *batch.Batch, n int) {
			b.Cols[0].AppendInt(int64(n))
			if p := pairOf(int64(n)); p.S != nil {
				b.Cols[1].AppendString(*p.S)
			} else {
				b.Cols[1].AppendNull()
			}
		},
		Open: func(t testing.TB) connectors.Sink {
			s, err := connector(t, func(e *Engine) error { return RegisterSink(e, "pairs", write) }).Sink(&connectors.TableDef{Name: "pairs", Schema: pairs})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}})
}

// BenchmarkGoFunc measures a call of a Go function, over columns.
func BenchmarkGoFunc(b *testing.B) {
	in := batch.NewSchema(batch.Field{Name: "x", Type: batch.TypeDouble}, batch.Field{Name: "s", Type: batch.TypeString})
	rows := batch.New(in, batch.Chunk)
	for i := range batch.Chunk {
		rows.Cols[0].AppendFloat(float64(i))
		rows.Cols[1].AppendString("abc")
		rows.N++
	}
	e, _ := Open(context.Background(), Options{})
	_ = RegisterFunc(e, "f", func(x float64) float64 { return x + 1 })
	_ = RegisterFunc(e, "g", func(x float64, s string) (string, error) { return s, nil })
	for _, name := range []string{"F", "G"} {
		args := []expr.Expr{expr.NewCol(0, in.Fields[0]), expr.NewCol(1, in.Fields[1])}
		x, err := expr.NewCall(e.funcs[name], args[:map[string]int{"F": 1, "G": 2}[name]], expr.Span{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			p := expr.Compile([]expr.Expr{x})
			for range b.N/batch.Chunk + 1 {
				p.Eval(&expr.Ctx{}, rows, nil)
			}
		})
	}
}
