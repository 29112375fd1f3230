package operators_test

import (
	"fmt"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

// A column of which no row that goes on is NULL does not know of NULLs; one of which a
// row is still does.
func TestProjectForgetsNullsOfDeadRows(t *testing.T) {
	src := optest.Source(in("t", "v INT"))
	n := operators.NewProject(src, []expr.Expr{col(src, 0)}, optest.Schema("w INT").Fields)
	o, err := n.New(&operators.Env{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 63, 64, 65, 130} {
		for null := range size {
			b := batch.New(src.Base().Schema, 0)
			var live []int32
			for i := range size {
				if i == null {
					b.Cols[0].AppendNull()
				} else {
					b.Cols[0].AppendInt(int64(i))
					live = append(live, int32(i))
				}
				b.AddWeight(1)
			}
			if size&63 != 0 {
				b.Cols[0].SetNull(len(b.Cols[0].Null)*64-1, size) // what is behind the rows does not count
			}
			for _, sel := range [][]int32{nil, live} {
				b.Sel = sel
				if sel != nil && len(sel) == 0 {
					continue
				}
				if err := o.Push(0, b, func(r *batch.Batch) error {
					if dead := sel != nil; (r.Cols[0].Null == nil) != dead || !dead && !r.Cols[0].IsNull(null) {
						return fmt.Errorf("row %d of %d is NULL, left out: %v; the column knows: %v", null, size, dead, r.Cols[0].Null != nil)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			if !b.Cols[0].IsNull(null) {
				t.Fatal("the input has changed")
			}
		}
	}
}
