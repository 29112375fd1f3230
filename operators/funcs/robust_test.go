package funcs_test

import (
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/expr/exprtest"
	"github.com/streamd/streamd/operators/funcs"
)

// TestNothingCrashes calls every function with up to four operands of all
// kinds, columns among them: a call is refused with a *expr.TypeError or gives a value or a row error.
func TestNothingCrashes(t *testing.T) {
	var pool []expr.Expr
	for _, text := range []string{"NULL", "'a(%'", "''", "-1", "0", "9223372036854775807", "1.5", "CAST(2.5 AS DECIMAL(38, 10))", "1e300", "TRUE", "DATE '2024-02-29'", "TIME '10:00:00'",
		"TIMESTAMP '2024-02-29 10:00:00'", "TIMESTAMP_LTZ '2024-02-29 10:00:00'", "INTERVAL '1' DAY", "INTERVAL '1' YEAR", "ARRAY[1, NULL]", "MAP['a', 1]", "ROW(1, 'a')", "UNHEX('ff')", "CAST(NULL AS ARRAY<INT>)"} {
		e, err := exprtest.Parser{Call: funcs.Call}.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		pool = append(pool, e)
	}
	pool = append(pool, expr.Symbol("DAY"), expr.Symbol("BOTH"), expr.Symbol("NULL ON EMPTY"), expr.Symbol("DEFAULT"), expr.Symbol("ON EMPTY"), expr.Symbol("ABSENT ON NULL"))
	rows := &batch.Batch{N: 2}
	for i, text := range []string{"1", "'a'", "CAST(2.5 AS DECIMAL(10, 2))"} {
		e, err := exprtest.Parser{Call: funcs.Call}.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := expr.EvalConst(e, nil)
		if err != nil {
			t.Fatal(err)
		}
		col := batch.NewVec(e.Type(), 2)
		col.AppendFrom(&v, 0)
		col.AppendNull()
		rows.Cols = append(rows.Cols, col)
		pool = append(pool, expr.NewCol(i, batch.Field{Name: "c", Type: e.Type().With(false)}))
	}
	try := func(f *expr.Func, args []expr.Expr) {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%s%v: %v", f.Name, args, r)
			}
		}()
		e, err := expr.NewCall(f, args, expr.Span{})
		if err != nil {
			if _, ok := err.(*expr.TypeError); !ok {
				t.Errorf("%s%v: %T %v", f.Name, args, err, err)
			}
			return
		}
		_ = e.String()
		c := expr.Ctx{Now: func() int64 { return 1 }}
		cols, sel := expr.Compile([]expr.Expr{e}).Eval(&c, rows, nil)
		if len(c.Errs) > 0 && !expr.CanFail(e) {
			t.Errorf("%s fails, but CanFail is false: %s", e, c.Errs[0].Msg)
		}
		if sel == nil {
			cols[0].AppendText(nil, 1, e.Type())
		}
	}
	for _, f := range funcs.All() {
		try(f, nil)
		for i, a := range pool {
			try(f, []expr.Expr{a})
			for j, b := range pool {
				try(f, []expr.Expr{a, b})
				try(f, []expr.Expr{a, b, pool[(i*7+j)%len(pool)]})
				try(f, []expr.Expr{a, b, pool[(i*5+j*3)%len(pool)], pool[(i+j*11)%len(pool)]})
			}
		}
	}
}
