package operators_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
)

// TestProjectLargeTexts: a batch whose texts are more than 2 GiB together goes on in pieces, each row once and in order, in bounded memory.
func TestProjectLargeTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a gigabyte")
	}
	const rows, size = 300, 1 << 20 // 2.4 GiB: more than one column can hold
	schema := batch.NewSchema(batch.Field{Name: "id", Type: batch.TypeBigInt}, batch.Field{Name: "s", Type: batch.TypeString})
	in := &operators.Values{Props: operators.Props{Schema: schema}}
	s := expr.NewCol(1, schema.Fields[1])
	e, err := expr.Concat(s, s)
	for range 2 {
		if err == nil {
			e, err = expr.Concat(e, e)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p := operators.NewProject(in, []expr.Expr{expr.NewCol(0, schema.Fields[0]), e}, []batch.Field{schema.Fields[0], {Name: "long", Type: e.Type()}})
	op, err := p.New(&operators.Env{Workers: 1, Now: func() int64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	b := batch.New(schema, rows)
	text := strings.Repeat("x", size)
	for i := range rows {
		b.Cols[0].AppendInt(int64(i))
		if i == 0 {
			b.Cols[1].AppendString(text)
		} else {
			b.Cols[1].View = append(b.Cols[1].View, b.Cols[1].View[0])
		}
		b.AddWeight(1)
	}
	next := int64(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = op.Push(0, b, func(o *batch.Batch) error {
		o.Each(func(i int) {
			if o.Cols[0].I[i] != next || len(o.Cols[1].Bytes(i)) != 8*size {
				t.Fatalf("row %d with %d bytes, want row %d", o.Cols[0].I[i], len(o.Cols[1].Bytes(i)), next)
			}
			next++
		})
		return nil
	})
	if err != nil || next != rows {
		t.Fatalf("%d rows, %v", next, err)
	}
	runtime.ReadMemStats(&after)
	if n := after.Sys - before.Sys; n > 3<<29 {
		t.Errorf("%d MiB more memory", n>>20)
	}
}
