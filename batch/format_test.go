package batch

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestTextAndJSON(t *testing.T) {
	row := Type{SQL: RowType, Fields: []Field{{Name: "x", Type: TypeInt}, {Name: `q"`, Type: TypeString}}}
	f := func(x float64) func(*Vec) { return func(v *Vec) { v.AppendFloat(x) } }
	n := func(x int64) func(*Vec) { return func(v *Vec) { v.AppendInt(x) } }
	s := func(x string) func(*Vec) { return func(v *Vec) { v.AppendString(x) } }
	f32 := Type{SQL: Float32}
	day := Days(2026, 1, 1)
	for _, c := range []struct {
		t          Type
		fill       func(*Vec)
		text, json string
	}{
		{TypeInt, (*Vec).AppendNull, "NULL", "null"},
		{TypeBool, func(v *Vec) { v.AppendBool(true) }, "true", "true"},
		{TypeInt, n(-7), "-7", "-7"},
		{TypeBigInt, n(math.MinInt64), "-9223372036854775808", "-9223372036854775808"},
		{TypeDouble, f(1), "1.0", "1"},
		{TypeDouble, f(-0.25), "-0.25", "-0.25"},
		{TypeDouble, f(1e10), "1e+10", "1e+10"},
		{TypeDouble, f(1e21), "1e+21", "1e+21"},
		{TypeDouble, f(123456), "123456.0", "123456"},
		{TypeDouble, f(1e-7), "1e-07", "1e-07"},
		{TypeDouble, f(0.1), "0.1", "0.1"},
		{f32, f(float64(float32(0.1))), "0.1", "0.1"},
		{TypeDouble, f(math.NaN()), "NaN", `"NaN"`},
		{TypeDouble, f(math.Inf(1)), "Infinity", `"Infinity"`},
		{TypeDouble, f(math.Inf(-1)), "-Infinity", `"-Infinity"`},
		{TypeDouble, f(math.Copysign(0, -1)), "-0.0", "-0"},
		{DecimalOf(5, 2), n(-5), "-0.05", "-0.05"},
		{DecimalOf(5, 0), n(12), "12", "12"},
		{DecimalOf(38, 38), func(v *Vec) { v.AppendWide(Int128From(1)) }, "0." + zeros(37) + "1", "0." + zeros(37) + "1"},
		{TypeString, s("a\nb\r\\\t\"é"), `a\nb\r\\` + "\t\"é", `"a\nb\r\\\t\"é"`},
		{TypeString, s("\x01\xff"), "\x01\xff", `"\u0001` + "\ufffd" + `"`},
		{Type{SQL: Char, P: 3}, s("ab "), "ab ", `"ab "`},
		{TypeBytes, s("a\x00"), "x'6100'", `"YQA="`},
		{TypeDate, n(day), "2026-01-01", `"2026-01-01"`},
		{TypeDate, n(Days(1, 2, 3)), "0001-02-03", `"0001-02-03"`},
		{Type{SQL: Time}, n(36_000_000_000), "10:00:00", `"10:00:00"`},
		{Type{SQL: Time, P: 3}, n(1_020_000), "00:00:01.02", `"00:00:01.02"`},
		{TypeTS3, n(day * Day), "2026-01-01T00:00:00", `"2026-01-01 00:00:00"`},
		{Type{SQL: Timestamp, P: 6}, n(day*Day - 1), "2025-12-31T23:59:59.999999", `"2025-12-31 23:59:59.999999"`},
		{TypeLTZ3, n(day*Day + 500_000), "2026-01-01T00:00:00.5Z", `"2026-01-01 00:00:00.5Z"`},
		{Type{SQL: IntervalDay}, n(1_500_000), "1500", "1500"},
		{Type{SQL: IntervalMonth}, n(14), "14", "14"},
		{row, func(v *Vec) { v.Child[0].AppendInt(1); v.Child[1].AppendNull() }, "(1, NULL)", `{"x":1,"q\"":null}`},
		{ArrayOf(TypeDouble), func(v *Vec) { v.AppendList(0) }, "[]", "[]"},
		{ArrayOf(TypeDouble), func(v *Vec) { v.Child[0].AppendFloat(1); v.Child[0].AppendNull(); v.AppendList(0) }, "[1.0, NULL]", "[1,null]"},
		{MapOf(TypeInt, TypeString), func(v *Vec) { v.Child[0].AppendInt(2); v.Child[1].AppendString("b"); v.AppendList(0) }, "{2=b}", `{"2":"b"}`},
		{MultisetOf(TypeString), func(v *Vec) { v.Child[0].AppendString("b"); v.Child[1].AppendInt(3); v.AppendList(0) }, "{b=3}", `{"b":3}`},
	} {
		v := NewVec(c.t, 0)
		c.fill(&v)
		if got := string(v.AppendText(nil, 0, c.t)); got != c.text {
			t.Errorf("%s as text: %q, want %q", c.t, got, c.text)
		}
		got := string(v.AppendJSON(nil, 0, c.t, JSONStyle{}))
		if got != c.json {
			t.Errorf("%s as JSON: %s, want %s", c.t, got, c.json)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON", got)
		}
	}
	v := NewVec(TypeTS3, 0)
	v.AppendInt(day * Day)
	if got := string(v.AppendJSON(nil, 0, TypeTS3, JSONStyle{ISO: true})); got != `"2026-01-01T00:00:00"` {
		t.Errorf("ISO: %s", got)
	}
}

func TestQuotedAgainstLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			in = rapid.String().Draw(t, "string")
		}
		q := AppendQuoted(nil, []byte(in))
		var back string
		if err := json.Unmarshal(q, &back); err != nil {
			t.Fatalf("%q: %v", q, err)
		}
		want := in
		if !utf8.ValidString(in) {
			want = ""
			for _, r := range in {
				want += string(r)
			}
		}
		if back != want {
			t.Fatalf("%q comes back as %q", in, back)
		}
	})
}

func TestFloatsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64().Draw(t, "x")
		v := Vec{Kind: Float, F: []float64{x}}
		if y, err := strconv.ParseFloat(string(v.AppendText(nil, 0, TypeDouble)), 64); err != nil || y != x {
			t.Fatalf("%v comes back as %v (%v)", x, y, err)
		}
	})
}

func TestTypeNames(t *testing.T) {
	for want, typ := range map[string]Type{
		"STRING": TypeString, "VARCHAR(3)": {SQL: Varchar, P: 3}, "BYTES NOT NULL": TypeBytes.With(true), "DECIMAL(10, 2)": DecimalOf(10, 2), "TIMESTAMP(3)": TypeTS3, "TIMESTAMP_LTZ(3)": TypeLTZ3,
		"ARRAY<INT NOT NULL>": ArrayOf(TypeInt.With(true)), "MAP<STRING, MULTISET<DATE>>": MapOf(TypeString, MultisetOf(TypeDate)), "ROW<`x` INT>": {SQL: RowType, Fields: []Field{{Name: "x", Type: TypeInt}}},
	} {
		if got := typ.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
