package expr_test

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// An expression is bound once, compiled for each worker, and evaluated a batch
// at a time. A row that fails is reported and taken out of the selection.
func Example() {
	b := batch.New(batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeBigInt}, batch.Field{Name: "b", Type: batch.TypeBigInt}), 3)
	for _, row := range [][2]int64{{7, 2}, {1, 0}, {9, 3}} {
		b.Cols[0].AppendInt(row[0])
		b.Cols[1].AppendInt(row[1])
		b.N++
	}

	e, err := expr.Arith("/", expr.NewCol(0, b.Schema.Fields[0]), expr.NewCol(1, b.Schema.Fields[1]))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e, "is a", e.Type())

	var ctx expr.Ctx
	cols, sel := expr.Compile([]expr.Expr{e}).Eval(&ctx, b, nil)
	for _, i := range sel {
		fmt.Println("row", i, "is", string(cols[0].AppendText(nil, int(i), e.Type())))
	}
	for _, x := range ctx.Take() {
		fmt.Println("row", x.Row, "failed:", x.Msg)
	}
	// Output:
	// (a / b) is a BIGINT
	// row 0 is 3
	// row 2 is 3
	// row 1 failed: division by zero: 1 / 0
}
