package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine"
)

// level is a type of a program's own that writes itself as text.
type level int

func (l level) MarshalText() ([]byte, error) { return []byte(strings.Repeat("*", int(l))), nil }

func (l *level) UnmarshalText(b []byte) error { *l = level(len(b)); return nil }

type point struct {
	X, Y int64
	Name *string `sql:"label"`
}

// TestFunctionTypes calls functions of every kind of Go type.
func TestFunctionTypes(t *testing.T) {
	e := open(t, engine.Options{})
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	register1(t,
		engine.RegisterFunc(e, "not_", func(b bool) bool { return !b }),
		engine.RegisterFunc(e, "tiny", func(x int8) int8 { return x + 1 }),
		engine.RegisterFunc(e, "half", func(x int32) float32 { return float32(x) / 2 }),
		engine.RegisterFunc(e, "twice", func(x int) int64 { return 2 * int64(x) }),
		engine.RegisterFunc(e, "third", func(x float64) float64 { return x / 3 }),
		engine.RegisterFunc(e, "shout", func(s string) string { return s + "!" }),
		engine.RegisterFunc(e, "flip", func(b []byte) []byte { b = slices.Clone(b); slices.Reverse(b); return b }),
		engine.RegisterFunc(e, "later", func(x time.Time, d time.Duration) time.Time { return x.Add(d) }),
		engine.RegisterFunc(e, "noon", func() time.Time { return day }),
		engine.RegisterFunc(e, "take_", func(d time.Duration) time.Duration { return 2 * d }),
		engine.RegisterFunc(e, "or0", func(x *int64) int64 {
			if x == nil {
				return 0
			}
			return *x
		}),
		engine.RegisterFunc(e, "even", func(x int64) *int64 {
			if x%2 != 0 {
				return nil
			}
			return &x
		}),
		engine.RegisterFunc(e, "joined", func(sep string, s ...string) string { return strings.Join(s, sep) }),
		engine.RegisterFunc(e, "total", func(xs []int64) (n int64) {
			for _, x := range xs {
				n += x
			}
			return n
		}),
		engine.RegisterFunc(e, "upto", func(n int64) (xs []int64) {
			for i := range n {
				xs = append(xs, i)
			}
			return xs
		}),
		engine.RegisterFunc(e, "tally", func(s string) map[string]int64 {
			m := map[string]int64{}
			for _, r := range s {
				m[string(r)]++
			}
			return m
		}),
		engine.RegisterFunc(e, "size", func(m map[string]int64) int { return len(m) }),
		engine.RegisterFunc(e, "mirror", func(p point) point { p.X, p.Y = p.Y, p.X; return p }),
		engine.RegisterFunc(e, "stars", func(l level) level { return l + 1 }),
		engine.RegisterFunc(e, "cents", func(s string) string { return s + "9" }, engine.Types("DECIMAL(10, 2)", "DECIMAL(20, 3)")),
		engine.RegisterFunc(e, "wide", func(n int64) string { return strings.Repeat("9", int(n)) }, engine.Types("INT", "DECIMAL(38, 0)")),
	)
	for _, c := range [][2]string{
		{"not_(TRUE), NOT_(1 = 2)", "false, true"},
		{"tiny(CAST(4 AS TINYINT))", "5"},
		{"half(CAST(5 AS SMALLINT)), half(5)", "2.5, 2.5"},
		{"twice(CAST(1 AS TINYINT)), twice(3), twice(CAST(4 AS BIGINT))", "2, 6, 8"},
		{"third(6), third(1.5), third(CAST(3 AS FLOAT))", "2.0, 0.5, 1.0"},
		{"shout('a'), shout(CAST('b' AS VARCHAR(3))), shout(shout(''))", "a!, b!, !!"},
		{"flip(x'0102')", "x'0201'"},
		{"later(TIMESTAMP '2026-01-01 10:00:00', INTERVAL '1' DAY)", "2026-01-02T10:00:00Z"},
		{"later(DATE '2026-01-01', INTERVAL '1' SECOND)", "2026-01-01T00:00:01Z"},
		{"noon()", "2026-03-01T12:00:00Z"},
		{"take_(INTERVAL '3' SECOND) = INTERVAL '6' SECOND", "true"},
		{"or0(NULL), or0(7), or0(CAST(NULL AS INT))", "0, 7, 0"},
		{"twice(NULL), shout(CAST(NULL AS STRING)), third(NULL)", "NULL, NULL, NULL"},
		{"even(3), even(4), COALESCE(even(5), -1)", "NULL, 4, -1"},
		{"joined('-'), joined('-', 'a'), joined('-', 'a', 'b', 'c')", ", a, a-b-c"},
		{"total(ARRAY[1, 2, 3]), total(CAST(NULL AS ARRAY<INT>)), CARDINALITY(upto(4)), upto(3)[2], upto(0)", "6, 0, 4, 1, NULL"},
		{"tally('abba'), size(tally('abc')), size(MAP['x', 1])", "{a=2, b=2}, 3, 1"},
		{"mirror(CAST(ROW(1, 2, 'p') AS ROW<x INT, y BIGINT, label STRING>))", "(2, 1, p)"},
		{"mirror(CAST(ROW(1, 2, NULL) AS ROW<x INT, y BIGINT, label STRING>)).`X`", "2"},
		{"stars('**')", "***"},
		{"cents(1.25), cents(CAST(7 AS DECIMAL(3, 0)))", "1.259, 7.009"},
		{"wide(38)", strings.Repeat("9", 38)},
		{"CASE WHEN twice(2) = 4 THEN shout('y') ELSE shout('n') END, shout('a') IN ('a!')", "y!, true"},
	} {
		// From columns, where nothing is computed beforehand, and as constants.
		for _, text := range []string{"SELECT " + c[0], "SELECT " + c[0] + " FROM (VALUES (1), (1)) AS t(one) WHERE twice(one) = 2 GROUP BY one"} {
			if got := output(t, e, text); got != "+I["+c[1]+"]" {
				t.Errorf("%s\n got %s\nwant +I[%s]", text, got, c[1])
			}
		}
	}
}

// TestFunctionEverywhere calls a function in each clause, over columns of a table.
func TestFunctionEverywhere(t *testing.T) {
	e := open(t, engine.Options{})
	register1(t, engine.RegisterFunc(e, "mod3", func(x int64) int64 { return x % 3 }), engine.RegisterSource(e, "numbers", numbers(10)))
	const table = "CREATE TABLE numbers (n BIGINT, m AS mod3(n)) WITH ('connector' = 'numbers'); "
	for _, c := range [][2]string{
		{"SELECT n FROM numbers WHERE mod3(n) = 2 AND m = 2 AND n < 6", "+I[2] +I[5]"},
		{"SELECT mod3(n), SUM(mod3(n) + 1), COUNT(*) FILTER (WHERE mod3(n) > 0) FROM numbers GROUP BY mod3(n) HAVING mod3(n) > 1", "+I[2, 9, 3]"},
		{"SELECT a.n, b.n FROM numbers a JOIN numbers b ON mod3(a.n) = b.n WHERE a.n = 8", "+I[8, 2]"},
		{"SELECT x.n FROM (SELECT n, ROW_NUMBER() OVER (PARTITION BY mod3(n) ORDER BY n DESC) AS r FROM numbers WHERE n < 9) x WHERE r = 1 AND mod3(n) = 1", "+I[7]"},
		{"CREATE VIEW v AS SELECT mod3(n) AS r FROM numbers; SELECT DISTINCT r FROM v WHERE r > 1", "+I[2]"},
	} {
		if got := final(output(t, e, table+c[0])); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

// TestFunctionRefused calls functions wrongly: a diagnostic, or a row error.
func TestFunctionRefused(t *testing.T) {
	e := open(t, engine.Options{})
	register1(t,
		engine.RegisterFunc(e, "fare", func(km float64, n int64) int64 { return n }),
		engine.RegisterFunc(e, "tiny", func(x int32) int64 { return 0 }),
		engine.RegisterFunc(e, "narrow", func(s string) string { return s }, engine.Types("STRING", "VARCHAR(2)")),
		engine.RegisterFunc(e, "money", func(s string) string { return s }, engine.Types("STRING", "DECIMAL(4, 2)")),
		engine.RegisterFunc(e, "first", func(xs []string) string { return xs[0] }),
		engine.RegisterFunc(e, "old", func() (time.Time, error) { return time.Time{}.AddDate(-10, 0, 0), nil }),
		engine.RegisterFunc(e, "fails", func(s string) (string, error) { return "", errors.New(s + " is wrong") }),
		engine.RegisterFunc(e, "deep", func(p *point) string { return *p.Name }),
	)
	for _, c := range [][2]string{
		{"SELECT fare(1)", "SD3002]: FARE does not take one operand|SD3002]: FARE does not take 1 operands"},
		{"SELECT fare('x', 1)", "SD3002]: FARE needs DOUBLE, not CHAR(1)"},
		{"SELECT fare(1, 1.5)", "SD3002]: FARE needs BIGINT, not DECIMAL(2, 1)"},
		{"SELECT tiny(CAST(1 AS BIGINT))", "SD3002]: TINY needs INT, not BIGINT"},
		{"SELECT fare(DISTINCT 1, 1)", "FARE is no aggregate function"},
		{"SELECT fare(*)", "FARE is no aggregate function"},
		{"SELECT fares(1, 1)", "did you mean FARE?"},
		{"SELECT first(SECOND)", ""},
		{"CREATE FUNCTION f(a INT) RETURNS INT AS a + 1; SELECT 1", "SD4013]: CREATE FUNCTION is not supported yet"},
		{"CREATE FUNCTION fare AS 'com.example.Fare'; SELECT 1", "SD4007]: functions written in Java are not a part of streamd"},
		{"SELECT narrow(s) FROM (VALUES ('abc')) AS t(s)", `SD6011: the result of NARROW: "abc" is too long for VARCHAR(2)`},
		{"SELECT money(s) FROM (VALUES ('100')) AS t(s)", `SD6011: the result of MONEY: "100" is no DECIMAL(4, 2)`},
		{"SELECT first(CAST(NULL AS ARRAY<STRING>))", "SD6011: FIRST panicked: runtime error: index out of range [0] with length 0 at gofunc_test.go:"},
		{"SELECT first(ARRAY[s, CAST(NULL AS STRING)]) FROM (VALUES ('a')) AS t(s)", "SD6011: operand 1 of FIRST: element 2: the value is NULL"},
		{"SELECT old()", "SD6011: the result of OLD: the year -9 is outside 1 to 9999"},
		{"SELECT fails(s) FROM (VALUES ('it')) AS t(s)", "SD6011: FAILS: it is wrong"},
		{"SELECT deep(CAST(ROW(1, 2, NULL) AS ROW<x INT, y BIGINT, label STRING>))", "SD6011: DEEP panicked: runtime error: invalid memory address or nil pointer dereference at gofunc_test.go:"},
	} {
		got := output(t, e, c[0])
		if !slices.ContainsFunc(strings.Split(c[1], "|"), func(s string) bool { return strings.Contains(got, s) }) || strings.HasPrefix(got, "+I") {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

// TestFunctionErrorsAreSkipped counts rows that a function cannot take where the
// table says so, also those it panics on.
func TestFunctionErrorsAreSkipped(t *testing.T) {
	e := open(t, engine.Options{})
	register1(t, engine.RegisterSource(e, "numbers", numbers(10)), engine.RegisterFunc(e, "odd", func(x int64) (int64, error) {
		switch x % 3 {
		case 0:
			panic(x)
		case 1:
			return 0, errors.New("not for me")
		}
		return x, nil
	}))
	j := start(t, e, "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers', 'on-error' = 'skip'); SELECT odd(n) FROM numbers",
		engine.JobOptions{}, connectors.Job{})
	if err := wait(t, j); err != nil {
		t.Fatal(err)
	}
	if s := j.Stats(); s.RowsOut != 3 || s.Rejected["failed project"] != 7 {
		t.Errorf("%d rows out, %v", s.RowsOut, s.Rejected)
	}
}

// TestRegisterRefuses tries names and types that cannot be.
func TestRegisterRefuses(t *testing.T) {
	e := open(t, engine.Options{})
	f := func(x int64) int64 { return x }
	register1(t, engine.RegisterFunc(e, "mine", f))
	var none func(int64) int64
	for i, c := range []struct {
		err  error
		want string
	}{
		{engine.RegisterFunc(e, "Mine", f), "there is one of that name"},
		{engine.RegisterFunc(e, "upper", f), "the language has a function UPPER"},
		{engine.RegisterFunc(e, "sum", f), "the language has a function SUM"},
		{engine.RegisterFunc(e, "coalesce", f), "the language has a function COALESCE"},
		{engine.RegisterFunc(e, "tumble", f), "the language has a function TUMBLE"},
		{engine.RegisterFunc(e, "cast", f), "is no name"},
		{engine.RegisterFunc(e, "select", f), "is no name"},
		{engine.RegisterFunc(e, "a.b", f), "is no name"},
		{engine.RegisterFunc(e, "a-b", f), "is no name"},
		{engine.RegisterFunc(e, "", f), "is no name"},
		{engine.RegisterFunc(e, "f(1); DROP TABLE t; --", f), "is no name"},
		{engine.RegisterFunc(e, "f", 7), "it is no function"},
		{engine.RegisterFunc(e, "f", nil), "it is no function"},
		{engine.RegisterFunc(e, "f", none), "it is no function"},
		{engine.RegisterFunc(e, "f", func() {}), "does not return one value"},
		{engine.RegisterFunc(e, "f", func() (int, int) { return 0, 0 }), "does not return one value"},
		{engine.RegisterFunc(e, "f", func(chan int) int { return 0 }), "parameter 1: the Go type chan int has no SQL type"},
		{engine.RegisterFunc(e, "f", func(uint64) int { return 0 }), "parameter 1: the Go type uint64 has no SQL type"},
		{engine.RegisterFunc(e, "f", func() any { return 0 }), "the result: the Go type interface {} has no SQL type"},
		{engine.RegisterFunc(e, "f", f, engine.Types("INT")), "Types has 1 types, not 2"},
		{engine.RegisterFunc(e, "f", f, engine.Types("INTT", "INT")), `parameter 1: "INTT" is no type`},
		{engine.RegisterFunc(e, "f", f, engine.Types("INT, d INT", "INT")), "is no type: there is more than a type"},
		{engine.RegisterFunc(e, "f", f, engine.Types("STRING", "INT")), "parameter 1: int64 and STRING do not go together: take string"},
		{engine.RegisterFunc(e, "f", f, engine.Types("INT", "MULTISET<INT>")), "the result: MULTISET<INT> is not supported yet in Go values"},
		{engine.RegisterSource(e, "f", engine.Source[Tick]{}), "needs a Read function"},
		{engine.RegisterSource(e, "f", engine.Source[int]{Read: func(context.Context, string, func(int, string) error) error { return nil }}), "of a struct, not int"},
		{engine.RegisterSink[Tick](e, "f", nil), "needs a function"},
		{engine.RegisterSource(e, "", numbers(1)), "a connector has no name"},
		{engine.RegisterSource(e, "print", numbers(1)), `two connectors are named "print"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("case %d: got %v, want %s", i, c.err, c.want)
		}
	}
}

// TestVolatile keeps what a function that is no function of its operands gave, so
// that it is not called again where a row is taken back.
func TestVolatile(t *testing.T) {
	e := open(t, engine.Options{})
	var calls int64
	register1(t, engine.RegisterSource(e, "numbers", numbers(4)),
		engine.RegisterFunc(e, "ticket", func() int64 { calls++; return calls }, engine.Volatile()))
	got := output(t, e, `CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers');
		SELECT SUM(k) FROM (SELECT m, ticket() AS k FROM (SELECT MAX(n) AS m FROM numbers GROUP BY n % 2) x) y;`)
	lines := strings.Split(got, "\n")
	if last := lines[len(lines)-1]; calls < 2 || last != fmt.Sprintf("+I[%d]", 2*calls-1) && last != fmt.Sprintf("+U[%d]", 2*calls-1) {
		t.Errorf("%d calls: %s", calls, got)
	}
}
