package expr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/expr/exprtest"
)

func noCalls(name string, _ []expr.Expr, _ expr.Span) (expr.Expr, error) {
	return nil, fmt.Errorf("no function %s", name)
}

// value evaluates a constant expression: "TYPE: text", or "CODE message" of a row error.
func value(t *testing.T, text string, zone *time.Location) string {
	t.Helper()
	e, err := exprtest.Parser{Call: noCalls}.Parse(text)
	if err != nil {
		return "refused: " + err.Error()
	}
	c := expr.Ctx{Now: func() int64 { return 0 }, Zone: zone}
	cols, sel := expr.Compile([]expr.Expr{e}).Eval(&c, &batch.Batch{N: 1}, nil)
	if len(c.Errs) > 0 {
		if sel == nil || len(sel) != 0 {
			t.Errorf("%s: the failed row is still selected", text)
		}
		return c.Errs[0].Code + " " + c.Errs[0].Msg
	}
	return e.Type().With(false).String() + ": " + string(cols[0].AppendText(nil, 0, e.Type()))
}

func TestValues(t *testing.T) {
	for _, c := range [][2]string{
		// literals
		{"1", "INT: 1"}, {"3000000000", "BIGINT: 3000000000"}, {"1.5", "DECIMAL(2, 1): 1.5"}, {"0.05", "DECIMAL(3, 2): 0.05"},
		{"1e0", "DOUBLE: 1.0"}, {"'abc'", "CHAR(3): abc"}, {"99999999999999999999", "DECIMAL(20, 0): 99999999999999999999"},
		// arithmetic
		{"7/2", "INT: 3"}, {"-7/2", "INT: -3"}, {"-7 % 3", "INT: -1"}, {"7 % -3", "INT: 1"}, {"2147483647 + 1", "SD6001 2147483647 + 1 is out of range of INT"},
		{"2147483647 * 2", "SD6001 2147483647 * 2 is out of range of INT"}, {"1/0", "SD6002 division by zero: 1 / 0"}, {"1/0e0", "DOUBLE: Infinity"},
		{"9223372036854775807 + CAST(1 AS BIGINT)", "SD6001 9223372036854775807 + 1 is out of range of BIGINT"},
		{"9223372036854775807 * 2", "SD6001 9223372036854775807 * 2 is out of range of BIGINT"}, {"-CAST(-128 AS TINYINT)", "SD6001 -(-128) is out of range of TINYINT"},
		{"(-9223372036854775807 - 1) * -1", "SD6001 -9223372036854775808 * -1 is out of range of BIGINT"},
		{"(-9223372036854775807 - 1) / -1", "SD6001 -9223372036854775808 / -1 is out of range of BIGINT"}, {"(-9223372036854775807 - 1) % -1", "INT: 0"},
		{"1 + NULL", "INT: NULL"}, {"1 + 2.5", "DECIMAL(12, 1): 3.5"}, {"CAST(1 AS FLOAT) / 3", "FLOAT: 0.33333334"},
		{"CAST(1.5 AS DECIMAL(10,2)) * CAST(2.25 AS DECIMAL(10,2))", "DECIMAL(21, 4): 3.3750"},
		{"CAST(1 AS DECIMAL(10,2)) / CAST(3 AS DECIMAL(10,2))", "DECIMAL(23, 13): 0.3333333333333"},
		{"CAST(2 AS DECIMAL(10,2)) / CAST(-3 AS DECIMAL(10,2))", "DECIMAL(23, 13): -0.6666666666667"},
		{"CAST(1 AS DECIMAL(10,2)) + CAST(3 AS DECIMAL(10,2))", "DECIMAL(11, 2): 4.00"}, {"CAST(1 AS DECIMAL(10,2)) / 7", "DECIMAL(21, 13): 0.1428571428571"},
		{"CAST(7.5 AS DECIMAL(10,2)) % CAST(2 AS DECIMAL(10,2))", "DECIMAL(10, 2): 1.50"}, {"CAST(1 AS DECIMAL(10,2)) / CAST(0 AS DECIMAL(10,2))", "SD6002 division by zero: 1.00 / 0"},
		{"CAST(99999999999999999999999999999999999999 AS DECIMAL(38,0)) + CAST(1 AS DECIMAL(38,0))", "DECIMAL(38, 0): NULL"},
		{"CAST(600000000000 AS DECIMAL(12,0)) / CAST(0.0000000000000000000061 AS DECIMAL(22,22))", "DECIMAL(38, 6): 98360655737704918032786885245901.639344"},
		{"CAST(12345678901234567890.12 AS DECIMAL(38,18)) * CAST(2 AS DECIMAL(38,18))", "DECIMAL(38, 6): 24691357802469135780.240000"},
		{"'a' + 'b'", "refused: cannot apply '+' to CHAR(1) and CHAR(1)"},
		// comparison
		{"'B' < 'a'", "BOOLEAN: true"}, {"'a ' = 'a'", "BOOLEAN: false"}, {"1 = 1.0", "BOOLEAN: true"}, {"1 <> NULL", "BOOLEAN: NULL"}, {"2 > 1.5e0", "BOOLEAN: true"},
		{"CAST('NaN' AS DOUBLE) = CAST('NaN' AS DOUBLE)", "BOOLEAN: true"}, {"0e0 = -0e0", "BOOLEAN: true"}, {"DATE '2024-01-02' > '2024-01-01'", "BOOLEAN: true"},
		{"1 = '1'", "refused: cannot apply '=' to INT and CHAR(1)"}, {"TRUE > FALSE", "BOOLEAN: true"},
		{"CAST(1 AS DECIMAL(38,0)) > 0.5", "BOOLEAN: true"}, {"NULL IS NOT DISTINCT FROM NULL", "BOOLEAN: true"}, {"1 IS DISTINCT FROM NULL", "BOOLEAN: true"},
		// logic
		{"NULL AND FALSE", "BOOLEAN: false"}, {"NULL AND TRUE", "BOOLEAN: NULL"}, {"NULL OR TRUE", "BOOLEAN: true"}, {"FALSE OR NULL", "BOOLEAN: NULL"},
		{"NOT NULL", "BOOLEAN: NULL"}, {"NULL IS UNKNOWN", "BOOLEAN: true"}, {"FALSE IS NOT TRUE", "BOOLEAN: true"}, {"0 <> 0 AND 10/0 > 1", "BOOLEAN: false"},
		{"10/0 > 1 AND 0 <> 0", "SD6002 division by zero: 10 / 0"}, {"TRUE OR 1/0 = 1", "BOOLEAN: true"}, {"CASE WHEN TRUE THEN 1 ELSE 1/0 END", "INT: 1"},
		{"CASE WHEN FALSE THEN 1 WHEN NULL THEN 2 END", "INT: NULL"}, {"CASE WHEN 1 = 1 THEN 1 ELSE 2.5 END", "DECIMAL(11, 1): 1.0"},
		{"3 BETWEEN 1 AND 3", "BOOLEAN: true"}, {"3 NOT BETWEEN SYMMETRIC 5 AND 1", "BOOLEAN: false"}, {"1 IN (2, NULL)", "BOOLEAN: NULL"}, {"2 IN (2, NULL)", "BOOLEAN: true"},
		{"1 NOT IN (2, 3)", "BOOLEAN: true"}, {"'a' IN ('b', 'a')", "BOOLEAN: true"}, {"1.5 IN (1, 1.50)", "BOOLEAN: true"},
		// strings
		{"'x' || NULL", "STRING: NULL"}, {"'a' || 'bc'", "CHAR(3): abc"}, {"'abc' LIKE 'a%'", "BOOLEAN: true"}, {"'abc' LIKE '_b_'", "BOOLEAN: true"},
		{"'äbc' LIKE '_bc'", "BOOLEAN: true"}, {"'a%c' LIKE 'a!%c' ESCAPE '!'", "BOOLEAN: true"}, {"'abc' LIKE 'a!%c' ESCAPE '!'", "BOOLEAN: false"},
		{"'aXbXc' LIKE '%X_X%'", "BOOLEAN: true"}, {"'abab' LIKE '%_b'", "BOOLEAN: true"}, {"'a' LIKE 'a%a'", "BOOLEAN: false"}, {"'abc' NOT LIKE '%d%'", "BOOLEAN: true"},
		{"'abdc' SIMILAR TO '(a|b)+c'", "BOOLEAN: false"}, {"'abac' SIMILAR TO '(a|b)+c'", "BOOLEAN: true"}, {"'a.c' SIMILAR TO 'a.c'", "BOOLEAN: true"}, {"'abc' SIMILAR TO 'a.c'", "BOOLEAN: false"},
		{"'a1' SIMILAR TO '[[:ALPHA:]][0-9]'", "BOOLEAN: true"},
		// casts
		{"CAST(1.9 AS INT)", "INT: 1"}, {"CAST(-2.5 AS INT)", "INT: -2"}, {"CAST(3000000000 AS INT)", "SD6003 cannot cast 3000000000 to INT"}, {"CAST(' 5 ' AS INT)", "INT: 5"},
		{"CAST(1.005 AS DECIMAL(3,2))", "DECIMAL(3, 2): 1.01"}, {"CAST('abc' AS CHAR(2))", "CHAR(2): ab"}, {"CAST('x' AS INT)", "SD6003 cannot cast 'x' to INT"},
		{"TRY_CAST('x' AS INT)", "INT: NULL"}, {"CAST(123.45 AS DECIMAL(3,2))", "DECIMAL(3, 2): NULL"}, {"CAST('a' AS CHAR(3)) || '|'", "CHAR(4): a  |"},
		{"CAST(TRUE AS STRING)", "STRING: TRUE"}, {"CAST(1e10 AS STRING)", "STRING: 1.0E10"}, {"CAST(1.5e-5 AS STRING)", "STRING: 1.5E-5"}, {"CAST(123e0 AS STRING)", "STRING: 123.0"},
		{"CAST(1.50 AS STRING)", "STRING: 1.50"}, {"CAST(TIMESTAMP '2024-01-02 03:04:05' AS STRING)", "STRING: 2024-01-02 03:04:05"},
		{"CAST(CAST('2024-01-02 03:04:05' AS TIMESTAMP(3)) AS STRING)", "STRING: 2024-01-02 03:04:05.000"}, {"CAST(TIMESTAMP '2024-01-02 03:04:05.120' AS STRING)", "STRING: 2024-01-02 03:04:05.120"},
		{"CAST('2024-01-02' AS DATE)", "DATE: 2024-01-02"}, {"CAST('2024-01-02 10:00:00' AS DATE)", "DATE: 2024-01-02"}, {"CAST(TIMESTAMP '2024-01-02 03:04:05' AS DATE)", "DATE: 2024-01-02"},
		{"CAST(TIMESTAMP '2024-01-02 03:04:05' AS TIME)", "TIME(0): 03:04:05"}, {"CAST(DATE '2024-01-02' AS TIMESTAMP(3))", "TIMESTAMP(3): 2024-01-02T00:00:00"},
		{"CAST('2024-01-02 03:04:05.123456' AS TIMESTAMP(3))", "TIMESTAMP(3): 2024-01-02T03:04:05.123"}, {"CAST('yes' AS BOOLEAN)", "BOOLEAN: true"}, {"CAST(0 AS BOOLEAN)", "BOOLEAN: false"},
		{"CAST(TRUE AS INT)", "INT: 1"}, {"CAST(1.7e0 AS BIGINT)", "BIGINT: 1"}, {"CAST(1e30 AS BIGINT)", "SD6003 cannot cast 1e+30 to BIGINT"}, {"CAST('NaN' AS DOUBLE)", "DOUBLE: NaN"},
		{"CAST(0.1e0 AS DECIMAL(10,3))", "DECIMAL(10, 3): 0.100"}, {"CAST(0.1 AS FLOAT)", "FLOAT: 0.1"}, {"CAST(CAST(0.1 AS FLOAT) AS STRING)", "STRING: 0.1"}, {"CAST('ab' AS BYTES)", "BYTES: x'6162'"},
		{"CAST(CAST('ab' AS BYTES) AS STRING)", "STRING: ab"}, {"CAST('a' AS BINARY(3))", "BINARY(3): x'610000'"}, {"CAST(INTERVAL '1' DAY AS STRING)", "STRING: +1 00:00:00.000"},
		{"CAST(INTERVAL '1-6' YEAR TO MONTH AS STRING)", "STRING: +1-06"}, {"CAST(ROW(1, 'a', NULL) AS STRING)", "STRING: (1, a, NULL)"}, {"CAST(ARRAY[1, NULL] AS STRING)", "STRING: [1, NULL]"},
		{"CAST(MAP['k', 1.5] AS STRING)", "STRING: {k=1.5}"}, {"CAST(ARRAY['1', '2'] AS ARRAY<INT>)", "ARRAY<INT>: [1, 2]"}, {"CAST(ARRAY['1', 'x'] AS ARRAY<INT>)", "SD6003 cannot cast [1, x] to ARRAY<INT>"},
		{"TRY_CAST(ROW('1', 'x') AS ROW<a INT, b INT>)", "ROW<`a` INT, `b` INT>: (1, NULL)"}, {"CAST(1 AS TIMESTAMP(3))", "refused: cannot cast INT to TIMESTAMP(3)"},
		{"CAST(300 AS TINYINT)", "SD6003 cannot cast 300 to TINYINT"}, {"TRY_CAST(300 AS TINYINT)", "TINYINT: NULL"}, {"CAST(CAST(1.23456 AS DECIMAL(30,5)) AS DECIMAL(10,2))", "DECIMAL(10, 2): 1.23"},
		// times
		{"TIMESTAMP '2024-01-31 00:00:00' + INTERVAL '1' MONTH", "TIMESTAMP(0): 2024-02-29T00:00:00"}, {"TIMESTAMP '2024-01-01 00:00:00.000' - INTERVAL '0.5' SECOND", "TIMESTAMP(3): 2023-12-31T23:59:59.5"},
		{"DATE '2024-01-01' + INTERVAL '1' DAY", "DATE: 2024-01-02"}, {"INTERVAL '1' YEAR + DATE '2024-02-29'", "DATE: 2025-02-28"}, {"TIME '23:00:00' + INTERVAL '2' HOUR", "TIME(0): 01:00:00"},
		{"INTERVAL '1' HOUR * 3", "INTERVAL DAY TO SECOND: 10800000"}, {"INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL DAY TO SECOND: 93784500"},
		{"TIMESTAMP '2024-01-01 00:00:00' - TIMESTAMP '2023-01-01 00:00:00'", "refused: cannot apply '-' to TIMESTAMP(0) and TIMESTAMP(0)"},
		{"TIMESTAMP '2024-07-01 12:00:00' AT TIME ZONE 'Europe/Paris'", "TIMESTAMP_LTZ(0): 2024-07-01T10:00:00Z"}, {"TIMESTAMP_LTZ '2024-01-01 12:00:00' AT TIME ZONE '+02:00'", "TIMESTAMP(0): 2024-01-01T14:00:00"},
		{"DATE '2024-01-01' + INTERVAL '3000000000' YEAR", "refused: '3000000000' is no INTERVAL YEAR"}, {"DATE '2024-01-01' + INTERVAL '999999' YEAR", "SD6005 2024-01-01 plus the interval is out of range"},
		// nested
		{"ARRAY[1, 2, 3][2]", "INT: 2"}, {"ARRAY[1][2]", "INT: NULL"}, {"ARRAY[1][1 - 1]", "SD6009 array elements are numbered from 1, not 0"}, {"MAP['a', 1, 'b', 2]['b']", "INT: 2"},
		{"MAP['a', 1]['c']", "INT: NULL"}, {"ROW(1, 'x').EXPR$1", "CHAR(1): x"}, {"MAP['a', 1, 'a', 2]", "MAP<CHAR(1) NOT NULL, INT NOT NULL>: {a=2}"},
		{"CASE WHEN FALSE THEN ARRAY[1] ELSE ARRAY[2, 3] END", "ARRAY<INT NOT NULL>: [2, 3]"},
	} {
		if got := value(t, c[0], nil); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestZone(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zone database")
	}
	for _, c := range [][2]string{
		{"CAST(TIMESTAMP '2024-07-01 12:00:00' AS TIMESTAMP_LTZ(3))", "TIMESTAMP_LTZ(3): 2024-07-01T10:00:00Z"},
		{"CAST(TIMESTAMP_LTZ '2024-07-01 10:00:00' AS STRING)", "STRING: 2024-07-01 12:00:00"},
		{"CAST(TIMESTAMP_LTZ '2024-07-01 23:00:00' AS DATE)", "DATE: 2024-07-02"},
		{"CAST('2024-01-01 00:00:00' AS TIMESTAMP_LTZ(0))", "TIMESTAMP_LTZ(0): 2023-12-31T23:00:00Z"},
		{"CAST(TIMESTAMP '2024-03-31 02:30:00' AS TIMESTAMP_LTZ(0))", "TIMESTAMP_LTZ(0): 2024-03-31T01:30:00Z"},
		{"CAST(TIMESTAMP '2024-10-27 02:30:00' AS TIMESTAMP_LTZ(0))", "TIMESTAMP_LTZ(0): 2024-10-27T00:30:00Z"},
	} {
		if got := value(t, c[0], paris); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

// TestRows evaluates over several rows with NULLs: what fails leaves the
// selection and is reported once.
func TestRows(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "x", Type: batch.TypeInt}, batch.Field{Name: "s", Type: batch.TypeString})
	b := batch.New(s, 4)
	for _, r := range []struct {
		x any
		s string
	}{{0, "7"}, {5, "q"}, {nil, "9"}, {2, "x"}, {-1, ""}} {
		if r.x == nil {
			b.Cols[0].AppendNull()
		} else {
			b.Cols[0].AppendInt(int64(r.x.(int)))
		}
		b.Cols[1].AppendString(r.s)
		b.N++
	}
	for _, c := range []struct {
		text string
		sel  []int32
		want string
	}{
		{"10 / x", nil, "1:2 2:NULL 3:5 4:-10 | 0 SD6002"},
		{"10 / x", []int32{1, 2}, "1:2 2:NULL |"},
		{"x <> 0 AND 10 / x > 3", nil, "0:false 1:false 2:NULL 3:true 4:false |"},
		{"CASE WHEN x > 1 THEN s WHEN x IS NULL THEN 'none' ELSE s || '!' END", nil, "0:7! 1:q 2:none 3:x 4:! |"},
		{"CASE WHEN x = 0 THEN CAST(s AS INT) ELSE 0 END", nil, "0:7 1:0 2:0 3:0 4:0 |"},
		{"CAST(s AS INT)", nil, "0:7 2:9 | 1 SD6003 3 SD6003 4 SD6003"},
		{"CAST(s AS INT) + 10 / x", nil, "2:NULL | 0 SD6002 1 SD6003 3 SD6003 4 SD6003"},
		{"TRY_CAST(s AS INT)", []int32{0, 3}, "0:7 3:NULL |"},
		{"x IN (5, NULL)", nil, "0:NULL 1:true 2:NULL 3:NULL 4:NULL |"},
		{"s = 'q' OR 10 / x = 5", nil, "1:true 2:NULL 3:true 4:false | 0 SD6002"},
		{"ARRAY[x, 1][1]", []int32{1, 2}, "1:5 2:NULL |"},
		{"ROW(x, s)", nil, "0:(0, 7) 1:(5, q) 2:(NULL, 9) 3:(2, x) 4:(-1, ) |"},
		{"CASE WHEN x > 0 THEN ROW(x, s) END", nil, "0:NULL 1:(5, q) 2:NULL 3:(2, x) 4:NULL |"},
	} {
		e, err := exprtest.Parser{Schema: s, Call: noCalls}.Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		p := expr.Compile([]expr.Expr{e, expr.NewCol(0, s.Fields[0])})
		for round := range 2 { // scratch memory is used again
			ctx := expr.Ctx{}
			cols, sel := p.Eval(&ctx, b, c.sel)
			if sel == nil {
				sel = []int32{0, 1, 2, 3, 4}
			}
			var w strings.Builder
			for _, i := range sel {
				fmt.Fprintf(&w, "%d:%s ", i, cols[0].AppendText(nil, int(i), e.Type()))
			}
			w.WriteByte('|')
			errs := map[int32]string{}
			for _, e := range ctx.Take() {
				if errs[e.Row] != "" {
					t.Errorf("%s: row %d failed twice", c.text, e.Row)
				}
				errs[e.Row] = e.Code
			}
			for i := range int32(5) {
				if errs[i] != "" {
					fmt.Fprintf(&w, " %d %s", i, errs[i])
				}
			}
			if w.String() != c.want {
				t.Errorf("%s, round %d\n got %s\nwant %s", c.text, round, w.String(), c.want)
			}
		}
	}
}

// TestFieldsOfMissingRows checks fields of a ROW that is NULL in some rows, with
// selections that hold such rows and that do not.
func TestFieldsOfMissingRows(t *testing.T) {
	row := batch.Type{SQL: batch.RowType, Fields: []batch.Field{{Name: "a", Type: batch.TypeInt}, {Name: "b", Type: batch.TypeString}, {Name: "c", Type: batch.TypeInt}}}
	s := batch.NewSchema(batch.Field{Name: "r", Type: row}, batch.Field{Name: "x", Type: batch.TypeInt})
	b := batch.New(s, 4)
	for i := range int64(4) {
		r := &b.Cols[0]
		r.Child[0].AppendInt(i) // a and b have no NULL of their own
		r.Child[1].AppendString(fmt.Sprint("s", i))
		if i == 0 {
			r.Child[2].AppendNull()
		} else {
			r.Child[2].AppendInt(i)
		}
		if i%2 == 1 {
			r.SetNull(int(i), 4)
		}
		b.Cols[1].AppendInt(i)
		b.N++
	}
	for _, c := range []struct {
		text string
		sel  []int32
		want string
	}{
		{"r.a", nil, "0:0 1:NULL 2:2 3:NULL"}, {"r.a", []int32{0, 2}, "0:0 2:2"}, {"r.a", []int32{1, 2}, "1:NULL 2:2"}, {"r.b", []int32{0, 2}, "0:s0 2:s2"}, {"r.b", []int32{3}, "3:NULL"},
		{"r.c", []int32{0, 2}, "0:NULL 2:2"}, {"r.c", []int32{2}, "2:2"}, {"r.a + r.c", []int32{0, 2}, "0:NULL 2:4"},
		// Both branches look at one row each, in the same scratch memory.
		{"CASE WHEN x = 1 THEN r.a WHEN x = 2 THEN r.a ELSE 9 END", []int32{1, 2}, "1:NULL 2:2"},
		{"CASE WHEN x = 2 THEN r.a WHEN x = 1 THEN r.a ELSE 9 END", []int32{1, 2}, "1:NULL 2:2"},
	} {
		e, err := exprtest.Parser{Schema: s, Call: noCalls}.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		p := expr.Compile([]expr.Expr{expr.NewCol(1, s.Fields[1]), e, e})
		for round := range 2 {
			cols, sel := p.Eval(&expr.Ctx{}, b, c.sel)
			for at := 1; at < 3; at++ {
				var got []string
				for i := range int32(b.N) {
					if c.sel == nil || slices.Contains(sel, i) {
						got = append(got, fmt.Sprintf("%d:%s", i, cols[at].AppendText(nil, int(i), e.Type())))
					}
				}
				if got := strings.Join(got, " "); got != c.want {
					t.Errorf("%s of %v, round %d: %s, want %s", c.text, c.sel, round, got, c.want)
				}
			}
		}
	}
}

// TestFieldsOfManyMissingRows has one NULL among many rows, at each place.
func TestFieldsOfManyMissingRows(t *testing.T) {
	row := batch.Type{SQL: batch.RowType, Fields: []batch.Field{{Name: "a", Type: batch.TypeInt}}}
	s := batch.NewSchema(batch.Field{Name: "r", Type: row})
	e, err := exprtest.Parser{Schema: s, Call: noCalls}.Parse("r.a")
	if err != nil {
		t.Fatal(err)
	}
	const n = 150
	for null := range n {
		b := batch.New(s, n)
		for i := range int64(n) {
			b.Cols[0].Child[0].AppendInt(i)
			b.N++
		}
		b.Cols[0].SetNull(null, n)
		for _, gaps := range []int{n, 10, 3} { // rows that are not selected: every so many
			var sel []int32
			for i := range int32(n) {
				if int(i)%gaps != gaps-1 {
					sel = append(sel, i)
				}
			}
			cols, _ := expr.Compile([]expr.Expr{e}).Eval(&expr.Ctx{}, b, sel)
			for _, i := range sel {
				if got := cols[0].IsNull(int(i)); got != (int(i) == null) {
					t.Fatalf("NULL at %d, a gap each %d: row %d is NULL: %v", null, gaps, i, got)
				}
			}
		}
	}
}

func TestSelect(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "x", Type: batch.TypeInt}, batch.Field{Name: "d", Type: batch.TypeDouble})
	b := batch.New(s, 4)
	for i := range 6 {
		if i == 4 {
			b.Cols[0].AppendNull()
		} else {
			b.Cols[0].AppendInt(int64(i))
		}
		b.Cols[1].AppendFloat(float64(i) / 2)
		b.N++
	}
	for _, c := range [][2]string{
		{"x > 1", "[2 3 5]"}, {"1 < x AND d <= 1.5e0", "[2 3]"}, {"x IS NULL", "[4]"}, {"NULL", "[]"}, {"TRUE", "[0 1 2 3 4 5]"},
		{"x <> 0 AND 6 / x = 2", "[3]"}, {"NOT x = 1", "[0 2 3 5]"}, {"x % 3 = 2", "[2 5]"}, {"x = 1 OR d = 2e0", "[1 4]"},
	} {
		e, err := exprtest.Parser{Schema: s, Call: noCalls}.Parse(c[0])
		if err != nil {
			t.Fatal(err)
		}
		ctx := expr.Ctx{}
		p := expr.CompilePred(e)
		for range 2 {
			if got := fmt.Sprint(p.Select(&ctx, b, nil)); got != c[1] || len(ctx.Errs) > 0 {
				t.Errorf("%s: got %s, want %s (%v)", c[0], got, c[1], ctx.Errs)
			}
		}
	}
}
