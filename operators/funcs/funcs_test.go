package funcs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/expr/exprtest"
	"github.com/streamd/streamd/operators/funcs"
)

func value(t *testing.T, text string) string {
	t.Helper()
	e, err := exprtest.Parser{Call: funcs.Call}.Parse(text)
	if err != nil {
		return "refused: " + err.Error()
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC).UnixMicro()
	c := expr.Ctx{Now: func() int64 { return now }}
	want := batch.Batch{N: 3}
	cols, sel := expr.Compile([]expr.Expr{e}).Eval(&c, &want, nil)
	if len(c.Errs) > 0 {
		return c.Errs[0].Code + " " + c.Errs[0].Msg
	}
	if sel != nil {
		t.Errorf("%s: rows left the selection", text)
	}
	first := string(cols[0].AppendText(nil, 0, e.Type()))
	if e.Type().NotNull && first == "NULL" {
		t.Errorf("%s: NULL of type %s", text, e.Type())
	}
	return first
}

// TestExamples evaluates every function's own example.
func TestExamples(t *testing.T) {
	for _, f := range funcs.All() {
		if f.Category == "" || f.Syntax == "" || f.Doc == "" {
			t.Errorf("%s is not documented", f.Name)
		}
		if f.Example == "" {
			continue
		}
		if !strings.Contains(f.Example, f.Name) {
			t.Errorf("the example of %s is about something else: %s", f.Name, f.Example)
		}
		if got := value(t, f.Example); got != f.Result {
			t.Errorf("%s\n got %s\nwant %s", f.Example, got, f.Result)
		}
	}
}

func TestCases(t *testing.T) {
	for _, c := range [][2]string{
		{"SUBSTRING('abc', 0, 2)", "ab"}, {"SUBSTRING('abc', -2)", "bc"}, {"SUBSTRING('abc', -5, 2)", ""}, {"SUBSTRING('abc' FROM 2)", "bc"}, {"SUBSTRING('äöü', 2, 1)", "ö"},
		{"SUBSTRING('abc', 2, -1)", "NULL"}, {"SUBSTRING('abc', -9, -1)", "NULL"}, {"SUBSTRING(NULL, 2)", "NULL"}, {"LEFT('abc', -1)", ""}, {"RIGHT('abc', 9)", "abc"}, {"TRIM('  a ')", "a"}, {"TRIM(TRAILING FROM 'a  ')", "a"},
		{"TRIM(BOTH 'ab' FROM 'abxba')", "x"}, {"POSITION('' IN 'abc')", "1"}, {"INSTR('abc', 'x')", "0"}, {"LOCATE('a', 'a', 2)", "0"}, {"REPLACE('aéa', '', 'x')", "xaxéxax"}, {"REPLACE('', '', 'x')", "x"}, {"UPPER('aßéﬁb')", "ASSÉFIB"},
		{"OVERLAY('abcdef' PLACING 'XY' FROM 3)", "abXYef"}, {"SPLIT_INDEX('a,b', ',', 2)", "NULL"}, {"SPLIT_INDEX('a,b', 44, 1)", "b"}, {"SPLIT_INDEX('a,,b', ',', 1)", ""},
		{"LPAD('hi', 1, '?')", "h"}, {"LPAD('hi', -1, '?')", "NULL"}, {"RPAD('hi', 3, '')", "NULL"}, {"REPEAT('a', -1)", ""}, {"REPEAT('abc', 100000000)", "SD6010 the text is larger than 16 MiB"},
		{"REGEXP_EXTRACT('abc', 'x')", "NULL"}, {"REGEXP_EXTRACT('abc', 'b', 3)", "NULL"}, {"REGEXP('a', '(')", "refused: REGEXP: error parsing regexp: missing closing ): `(`"},
		{"CONCAT('a', NULL)", "NULL"}, {"CONCAT_WS(NULL, 'a')", "NULL"}, {"CHR(353)", "a"}, {"UPPER(5)", "refused: UPPER needs a string, not INT"}, {"UPPER()", "refused: UPPER does not take 0 operands"},
		{"NOPE(1)", `refused: unknown function "NOPE"`},
		{"ROUND(2.5)", "3"}, {"ROUND(-2.5)", "-3"}, {"FLOOR(-1.5)", "-2"}, {"CEIL(-1.5)", "-1"}, {"ROUND(1234, -2)", "1200"}, {"ROUND(2.675e0, 2)", "2.68"}, {"ROUND(1.005, 2)", "1.01"}, {"ROUND(99.99, 1)", "100.0"},
		{"ROUND(CAST(2147483647 AS INT), -1)", "SD6001 ROUND(2147483647, -1) is out of range of INT"}, {"TRUNCATE(-1.99)", "-1"}, {"TRUNCATE(-1.999e0, 2)", "-1.99"}, {"ABS(CAST(-128 AS TINYINT))", "SD6001 ABS(-128) is out of range of TINYINT"},
		{"ABS(-5)", "5"}, {"SIGN(-1.50)", "-1.00"}, {"MOD(7.5, 2)", "1.5"}, {"MOD(5, 0)", "SD6002 division by zero: 5 % 0"}, {"LN(0)", "-Infinity"}, {"SQRT(-1)", "NaN"}, {"HEX(255)", "FF"}, {"HEX(-1)", "FFFFFFFFFFFFFFFF"},
		{"POWER(2, NULL)", "NULL"}, {"GREATEST(1, NULL)", "NULL"}, {"LEAST(3, 2.5, 4)", "2.5"}, {"RAND_INTEGER(0)", "SD6007 RAND_INTEGER needs a bound above 0, not 0"},
		{"EXTRACT(WEEK FROM DATE '2021-01-03')", "53"}, {"EXTRACT(DOW FROM DATE '2024-01-07')", "1"}, {"EXTRACT(YEAR FROM TIME '10:00:00')", "refused: EXTRACT: there is no YEAR in TIME(0)"},
		{"EXTRACT(MILLISECOND FROM TIMESTAMP '2024-01-01 00:00:01.500')", "500"},
		{"EXTRACT(MICROSECOND FROM TIMESTAMP '2024-01-01 00:00:59.987654')", "987654"}, {"EXTRACT(NANOSECOND FROM TIMESTAMP '2024-01-01 00:00:59.987654')", "987654000"},
		{"FLOOR(DATE '1990-10-14' TO CENTURY)", "1901-01-01"}, {"FLOOR(DATE '2001-01-01' TO MILLENNIUM)", "2001-01-01"}, {"CEIL(DATE '1990-10-14' TO DECADE)", "2000-01-01"}, {"CEIL(DATE '2000-10-14' TO CENTURY)", "2001-01-01"},
		{"CEIL(TIMESTAMP '2020-02-29 01:56:59' TO MILLENNIUM)", "3001-01-01T00:00:00"}, {"CAST('2024-2-9 1:2:3.5' AS TIMESTAMP(3))", "2024-02-09T01:02:03.5"}, {"TO_TIMESTAMP('2024-2-9 1:2:3')", "2024-02-09T01:02:03"}, {"TRY_CAST('2024-2-9 1::3' AS TIMESTAMP(3))", "NULL"},
		{"TRY_CAST('1e3' AS INT)", "NULL"}, {"CAST('1e3' AS DOUBLE)", "1000.0"}, {"EXTRACT(EPOCH FROM TIMESTAMP '1970-01-02 00:00:00')", "86400"}, {"EXTRACT(HOUR FROM INTERVAL '1 02' DAY TO HOUR)", "2"},
		{"FLOOR(TIMESTAMP '2024-02-29 23:59:59' TO MONTH)", "2024-02-01T00:00:00"}, {"CEIL(TIMESTAMP '2024-02-29 23:59:59' TO HOUR)", "2024-03-01T00:00:00"}, {"CEIL(DATE '2024-02-29' TO YEAR)", "2025-01-01"},
		{"CEIL(TIME '23:30:00' TO HOUR)", "00:00:00"}, {"FLOOR(TIME '23:59:59.999' TO MINUTE)", "23:59:00"},
		{"FLOOR(DATE '2024-01-10' TO WEEK)", "2024-01-07"}, {"TIMESTAMPADD(MONTH, 1, TIMESTAMP '2024-01-31 00:00:00')", "2024-02-29T00:00:00"}, {"TIMESTAMPADD(HOUR, 1, DATE '2024-01-01')", "2024-01-01T01:00:00"},
		{"TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-02-28')", "0"}, {"TIMESTAMPDIFF(SECOND, TIMESTAMP '2024-01-01 00:00:01', TIMESTAMP '2024-01-01 00:00:00')", "-1"},
		{"TIMESTAMPDIFF(SECOND, DATE '1900-01-01', DATE '2024-01-01')", "SD6001 TIMESTAMPDIFF: 3913056000 is out of range of INT"},
		{"DATE_FORMAT('2024-01-02 03:04:05', 'EEE, d MMM yy')", "Tue, 2 Jan 24"}, {"DATE_FORMAT(TIMESTAMP '2024-01-02 03:04:05.678', 'HH:mm:ss.SSS')", "03:04:05.678"},
		{"DATE_FORMAT('x', 'yyyy')", "NULL"}, {"DATE_FORMAT(DATE '2024-01-02', 'Q')", "refused: DATE_FORMAT: the pattern letter 'Q' is not known; there are y M d H h m s S a E D"},
		{"TO_DATE('2024-13-01')", "NULL"}, {"TO_TIMESTAMP('20240102030405', 'yyyyMMddHHmmss')", "2024-01-02T03:04:05"}, {"TO_TIMESTAMP('x')", "NULL"}, {"TO_TIMESTAMP_LTZ(1700000000, 0)", "2023-11-14T22:13:20Z"},
		{"TO_TIMESTAMP_LTZ(1, 1)", "SD6007 TO_TIMESTAMP_LTZ: the precision is 0 or 3, not 1"}, {"TO_TIMESTAMP_LTZ('2024-01-01 02:00:00', 'yyyy-MM-dd HH:mm:ss', '+02:00')", "2024-01-01T00:00:00Z"},
		{"UNIX_TIMESTAMP()", "1767323045"}, {"FROM_UNIXTIME(60, 'mm')", "01"}, {"CURRENT_WATERMARK(1)", "refused: CURRENT_WATERMARK is not supported yet"},
		{"CARDINALITY(MAP['a', 1])", "1"}, {"ELEMENT(ARRAY[1, 2])", "SD6007 ELEMENT of an array with more than one element"}, {"ARRAY_CONTAINS(ARRAY[1, NULL], NULL)", "true"}, {"STR_TO_MAP('a:1;b', ';', ':')", "{a=1, b=NULL}"},
		{"STR_TO_MAP('a=1,a=2')", "{a=2}"}, {"SHA2('a', 1)", "SD6007 SHA2 has 224, 256, 384 or 512 bits, not 1"}, {"FROM_BASE64('?')", "NULL"}, {"URL_DECODE('%zz')", "NULL"}, {"PARSE_URL('http://u:p@h:1/a?b=1#r', 'AUTHORITY')", "u:p@h:1"},
	} {
		if got := value(t, c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestTwice(t *testing.T) {
	names := map[string]bool{}
	for _, n := range funcs.Names() {
		if names[n] || n != strings.ToUpper(n) {
			t.Errorf("%s is named twice or not in upper case", n)
		}
		names[n] = true
		if _, ok := funcs.Lookup(strings.ToLower(n)); !ok {
			t.Errorf("%s is not found", n)
		}
	}
	if len(names) < 90 {
		t.Error(fmt.Sprint("only ", len(names), " functions"))
	}
}

// TestColumns evaluates every example with its constants in columns: rows 0 and
// 2 hold them, row 1 only NULLs, row 3 is not selected. Each row must be as if
// it stood alone.
func TestColumns(t *testing.T) {
	for _, f := range funcs.All() {
		if f.Example == "" || f.Volatile {
			continue
		}
		e, err := exprtest.Parser{Call: funcs.Call}.Parse(f.Example)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
			continue
		}
		b := &batch.Batch{N: 4}
		e = expr.Transform(e, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Const)
			if !ok {
				return x
			}
			v := batch.NewVec(c.T, 4)
			v.AppendFrom(&c.V, 0)
			v.AppendNull()
			v.AppendFrom(&c.V, 0)
			v.AppendFrom(&c.V, 0)
			b.Cols = append(b.Cols, v)
			return expr.NewCol(len(b.Cols)-1, batch.Field{Name: "c", Type: c.T})
		})
		p := expr.Compile([]expr.Expr{e})
		for range 2 {
			c := expr.Ctx{Now: func() int64 { return 0 }}
			cols, sel := p.Eval(&c, b, []int32{0, 1, 2})
			if len(c.Errs) > 0 || len(sel) != 3 {
				t.Errorf("%s: %v", f.Example, c.Errs)
				break
			}
			for _, i := range []int{0, 2} {
				if got := string(cols[0].AppendText(nil, i, e.Type())); got != f.Result {
					t.Errorf("%s in row %d\n got %s\nwant %s", f.Example, i, got, f.Result)
				}
			}
			if got := string(cols[0].AppendText(nil, 1, e.Type())); len(b.Cols) > 0 && got != "NULL" && f.Name != "IS JSON" {
				t.Logf("%s of NULLs is %s", f.Name, got)
			}
		}
	}
}
