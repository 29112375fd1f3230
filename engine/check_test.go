package engine

import (
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// TestCheck: a batch that breaks a rule is found, one that keeps them is not.
func TestCheck(t *testing.T) {
	s := &batch.Schema{Fields: []batch.Field{{Name: "n", Type: batch.TypeBigInt}, {Name: "s", Type: batch.TypeString}}}
	x := &gnode{node: &operators.Scan{Props: operators.Props{Schema: s}, Spec: operators.ScanSpec{Table: "t", WMCol: -1}}}
	good := func(n int) *batch.Batch {
		b := batch.New(s, n)
		for range n {
			b.Cols[0].AppendInt(1)
			b.Cols[1].AppendString("x")
			b.AddWeight(1)
		}
		return b
	}
	for name, c := range map[string]struct {
		spoil func(b *batch.Batch)
		want  string
	}{
		"good":     {func(*batch.Batch) {}, ""},
		"selected": {func(b *batch.Batch) { b.Sel = []int32{0, 2} }, ""},
		"large":    {func(b *batch.Batch) { *b = *good(batch.Chunk + 1) }, "8193 rows at once"},
		"order":    {func(b *batch.Batch) { b.Sel = []int32{2, 1} }, "row 1 after 2"},
		"outside":  {func(b *batch.Batch) { b.Sel = []int32{3} }, "row 3 after -1"},
		"weight":   {func(b *batch.Batch) { b.W = []int64{1, -1, 1} }, "weight -1"},
		"weights":  {func(b *batch.Batch) { b.W = []int64{1} }, "1 weights"},
		"short":    {func(b *batch.Batch) { b.Cols[1].View = b.Cols[1].View[:2] }, "2 rows of column s"},
		"unread":   {func(b *batch.Batch) { b.Cols[1].View = nil }, "0 rows of column s"},
		"narrow":   {func(b *batch.Batch) { b.Cols = b.Cols[:1] }, "1 columns"},
		"kind":     {func(b *batch.Batch) { b.Cols[1] = b.Cols[0] }, "storage of kind"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				got, _ := recover().(string)
				if got != "" != (c.want != "") || !strings.Contains(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}()
			b := good(3)
			c.spoil(b)
			x.check(b)
		})
	}
}
