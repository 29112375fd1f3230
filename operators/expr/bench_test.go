package expr

import (
	"testing"

	"github.com/streamd/streamd/batch"
)

// BenchmarkEval gives the cost of a row (ns/row) of what pipelines do most.
func BenchmarkEval(b *testing.B) {
	s := batch.NewSchema(batch.Field{Name: "x", Type: batch.TypeBigInt}, batch.Field{Name: "y", Type: batch.TypeBigInt},
		batch.Field{Name: "ts", Type: batch.TypeTS3}, batch.Field{Name: "s", Type: batch.TypeString})
	in := batch.New(s, 4096)
	for i := range 4096 {
		in.Cols[0].AppendInt(int64(i * 7919))
		in.Cols[1].AppendInt(int64(i%100 + 1))
		in.Cols[2].AppendInt(int64(i) * 1e6)
		in.Cols[3].AppendString([]string{"apple", "google", "baidu", "other"}[i%4])
		in.N++
	}
	col := func(i int) Expr { return NewCol(i, s.Fields[i]) }
	must := func(e Expr, err error) Expr {
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	num := func(text string) Expr { c, err := Number(text); return must(c, err) }
	iv, _ := Interval("4", "SECOND")
	for _, c := range []struct {
		name string
		e    Expr
	}{
		{"col+const", must(Arith("+", col(0), num("5")))},
		{"col*col", must(Arith("*", col(0), col(1)))},
		{"col%const", must(Arith("%", col(0), num("123")))},
		{"decimal*col", must(Arith("*", num("0.908"), col(0)))},
		{"col>const", must(Compare(">", col(0), num("1000000")))},
		{"ts-interval", must(Arith("-", col(2), iv))},
		{"s=const", must(Compare("=", col(3), Str("google")))},
		{"like", must(Like(col(3), Str("%oo%"), nil, false))},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := Compile([]Expr{c.e})
			ctx := Ctx{}
			for b.Loop() {
				p.Eval(&ctx, in, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
		})
	}
	b.Run("select", func(b *testing.B) {
		p := CompilePred(must(Compare("=", must(Arith("%", col(0), num("123"))), num("0"))))
		ctx := Ctx{}
		for b.Loop() {
			p.Select(&ctx, in, nil)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
	})
}
