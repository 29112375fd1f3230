package expr

import (
	"testing"

	"github.com/streamd/streamd/batch"
)

func TestShifted(t *testing.T) {
	ts, day := NewCol(3, batch.Field{Name: "ts", Type: batch.TypeTS3}), func(text, unit string) Expr {
		c, err := Interval(text, unit)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	must := func(e Expr, err error) Expr {
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	zero := ts.T
	zero.P = 0
	fine := ts.T
	fine.P = 6
	for _, c := range []struct {
		e  Expr
		by int64
		ok bool
	}{
		{ts, 0, true},
		{must(Arith("+", ts, day("1.5", "SECOND"))), 1_500_000, true},
		{must(Arith("+", day("1", "MINUTE"), ts)), 60_000_000, true},
		{must(Arith("-", must(Arith("+", ts, day("1", "MINUTE"))), day("2", "HOUR"))), 60_000_000 - 7200_000_000, true},
		{must(Cast(ts, fine, false)), 0, true},
		{must(Cast(ts, zero, false)), 0, false},
		{must(Arith("+", ts, day("1", "MONTH"))), 0, false},
		{must(Arith("+", ts, NullOf(batch.Type{SQL: batch.IntervalDay}))), 0, false},
		{Int(1, batch.TypeBigInt), 0, false},
	} {
		col, by, ok := Shifted(c.e)
		if ok != c.ok || by != c.by || ok && col.Index != 3 {
			t.Errorf("%s: column %v moved by %d, %v", c.e, col, by, ok)
		}
	}
}
