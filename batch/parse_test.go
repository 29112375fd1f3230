package batch

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streamd/streamd/internal/fuzz"
)

func TestParseInt(t *testing.T) {
	for _, c := range []struct {
		in   string
		t    SQLType
		want string // "!" = refused
	}{
		{"0", TinyInt, "0"}, {"-128", TinyInt, "-128"}, {"128", TinyInt, "!"}, {"+127", TinyInt, "127"}, {"32768", SmallInt, "!"}, {"-2147483648", Integer, "-2147483648"},
		{"2147483648", Integer, "!"}, {"9223372036854775807", BigInt, "9223372036854775807"}, {"9223372036854775808", BigInt, "!"}, {"-9223372036854775808", BigInt, "-9223372036854775808"},
		{"-9223372036854775809", BigInt, "!"}, {"18446744073709551615", BigInt, "!"}, {"99999999999999999999999", BigInt, "!"}, {"007", BigInt, "7"},
		{"", BigInt, "!"}, {"-", BigInt, "!"}, {"1 ", BigInt, "!"}, {"1.0", BigInt, "!"}, {"0x1", BigInt, "!"}, {"--1", BigInt, "!"},
	} {
		got := "!"
		if x, ok := ParseInt([]byte(c.in), c.t); ok {
			got = fmt.Sprint(x)
		}
		if got != c.want {
			t.Errorf("%q as %s: %s, want %s", c.in, c.t, got, c.want)
		}
	}
	for in, want := range map[string]string{"1.9": "1", "-2.5": "-2", "1e3": "1000", "15e-1": "1", ".5": "0", "5.": "5", "1e19": "!", "1e": "!", "9223372036854775807.9": "9223372036854775807", "x": "!"} {
		got := "!"
		if x, ok := ParseIntTrunc([]byte(in), BigInt); ok {
			got = fmt.Sprint(x)
		}
		if got != want {
			t.Errorf("%q cut: %s, want %s", in, got, want)
		}
	}
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		in   string
		p, s int
		want string
	}{
		{"1.005", 3, 2, "1.01"}, {"-1.005", 3, 2, "-1.01"}, {"1.0049", 3, 2, "1.00"}, {"9.995", 3, 2, "!"}, {"9.994", 3, 2, "9.99"}, {"0.5", 1, 0, "1"}, {"0.49", 1, 0, "0"},
		{"1e2", 5, 1, "100.0"}, {"12345e-3", 5, 2, "12.35"}, {"1e-99999999999", 5, 2, "0.00"}, {"1e99999999999", 38, 0, "!"}, {"0e99999999999", 5, 2, "0.00"},
		{"12345678901234567890123456789012345678", 38, 0, "12345678901234567890123456789012345678"}, {"123456789012345678901234567890123456789", 38, 0, "!"},
		{"99999999999999999999999999999999999999.5", 38, 0, "!"}, {"000000000000000000000000000000000000000000001", 3, 0, "1"}, {".5", 3, 2, "0.50"}, {"5.", 3, 2, "5.00"}, {"+5", 3, 2, "5.00"},
		{"", 3, 2, "!"}, {".", 3, 2, "!"}, {"1.2.3", 3, 2, "!"}, {"1,2", 3, 2, "!"}, {"1e", 3, 2, "!"}, {"NaN", 3, 2, "!"}, {"-0", 3, 2, "0.00"}, {"-0.001", 3, 2, "0.00"},
	} {
		got := "!"
		if x, ok := ParseDecimal([]byte(c.in), c.p, c.s); ok {
			got = string(AppendDecimal(nil, x, c.s))
		}
		if got != c.want {
			t.Errorf("%q as DECIMAL(%d, %d): %s, want %s", c.in, c.p, c.s, got, c.want)
		}
	}
}

func TestParseDecimalAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 38).Draw(t, "p")
		s := rapid.IntRange(0, p).Draw(t, "s")
		in := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{0,20})?(e-?[0-9]{1,2})?`).Draw(t, "in")
		x, ok := ParseDecimal([]byte(in), p, s)
		r, _ := new(big.Rat).SetString(in)
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s)), nil)))
		half := big.NewRat(1, 2)
		if r.Sign() < 0 {
			half.Neg(half)
		}
		r.Add(r, half)
		want := new(big.Int).Quo(r.Num(), r.Denom())
		fits := new(big.Int).Abs(want).Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil)) < 0
		if ok != fits || ok && toBig(x).Cmp(want) != 0 {
			t.Fatalf("%s as DECIMAL(%d, %d): %v %v, want %v %v", in, p, s, toBig(x), ok, want, fits)
		}
	})
}

func TestParseFloat(t *testing.T) {
	for in, want := range map[string]string{"1.5": "1.5", "-1e3": "-1000", "NaN": "NaN", "Infinity": "+Inf", "-Infinity": "-Inf", "1e999": "+Inf", ".5": "0.5", "nan": "!", "inf": "!", "0x1p3": "!", "1_0": "!", "": "!", "1 ": "!"} {
		got := "!"
		if x, ok := ParseFloat([]byte(in), Float64); ok {
			got = strconv.FormatFloat(x, 'g', -1, 64)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if x, ok := ParseFloat([]byte("0.1"), Float32); !ok || x != float64(float32(0.1)) {
		t.Errorf("0.1 as FLOAT: %v", x)
	}
	if x, _ := ParseFloat([]byte("1e39"), Float32); !math.IsInf(x, 1) {
		t.Errorf("1e39 as FLOAT: %v", x)
	}
}

func TestParseBool(t *testing.T) {
	for in, want := range map[string]string{"true": "true", "TRUE": "true", "t": "true", "Yes": "true", "1": "true", "f": "false", "No": "false", "0": "false", "FALSE": "false", "": "!", "truee": "!", "falsee": "!", "2": "!", "on": "!"} {
		got := "!"
		if x, ok := ParseBool([]byte(in)); ok {
			got = fmt.Sprint(x)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestParseTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2026-01-31": "2026-01-31T00:00:00", "2026-1-3": "2026-01-03T00:00:00", "2026-01-31 10:11": "2026-01-31T10:11:00", "2026-01-31T10:11:12": "2026-01-31T10:11:12", "2026-01-31 10:11:12.5Z": "2026-01-31T10:11:12.5",
		"1969-12-31 23:59:59.999999": "1969-12-31T23:59:59.999999", "2026-01-31 10:11:12.123456789": "2026-01-31T10:11:12.123456", "2000-02-29": "2000-02-29T00:00:00", "0001-01-01 00:00:00": "0001-01-01T00:00:00", "9999-12-31 23:59:59": "9999-12-31T23:59:59",
		"1900-02-29": "!", "2026-02-30": "!", "2026-13-01": "!", "2026-00-01": "!", "2026-01-00": "!", "2026-01-31 24:00:00": "!", "2026-01-31 10:60:00": "!", "2026-01-31 10:00:60": "!",
		"2026-01-31 10": "!", "2026-01-31 10:1": "!", "2026-01-31 10:11:1": "!", "2026-01-31 10:11:12.": "!", "2026-01-31 10:11:12.1234567890": "!", "2026-01-31x10:11": "!", "2026-01-31 ": "!", "26-01-31": "!", "2026/01/31": "!", "": "!", "2026-01-31 10:11:12ZZ": "!",
	} {
		got := "!"
		if us, ok := ParseTimestamp([]byte(in)); ok {
			got = string(AppendTimestamp(nil, us, 'T'))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	us, off, zoned, ok := ParseTimestampZone([]byte("2026-01-31T10:00:00-03:30"))
	if got := string(AppendTimestamp(nil, us-off, 'T')); !ok || !zoned || got != "2026-01-31T13:30:00" {
		t.Errorf("with an offset: %s", got)
	}
	if _, ok := ParseTimestamp([]byte("2026-01-31T10:00:00+01:00")); ok {
		t.Error("ParseTimestamp takes an offset")
	}
	for in, want := range map[string]string{"10:00": "10:00:00", "23:59:59.1": "23:59:59.1", "24:00": "!", "1:00": "!", "10:00:00x": "!"} {
		got := "!"
		if us, ok := ParseTime([]byte(in)); ok {
			got = string(AppendClock(nil, us))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestCivilAgainstTime compares the calendar with package time.
func TestCivilAgainstTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(Days(1, 1, 1)*Day, Days(10000, 1, 1)*Day-1).Draw(t, "us")
		when := time.UnixMicro(us).UTC()
		want := strings.TrimRight(strings.TrimSuffix(when.Format("2006-01-02T15:04:05.000000"), "000000"), ".")
		if strings.Contains(want, ".") {
			want = strings.TrimRight(want, "0")
		}
		if got := string(AppendTimestamp(nil, us, 'T')); got != want {
			t.Fatalf("%d: %s, want %s", us, got, want)
		}
		if back, ok := ParseTimestamp([]byte(want)); !ok || back != us {
			t.Fatalf("%s: %d, want %d", want, back, us)
		}
		d := FloorDiv(us, Day)
		y, m, dd := Civil(d)
		if Days(y, m, dd) != d || y != when.Year() || m != int(when.Month()) || dd != when.Day() {
			t.Fatalf("day %d: %d-%d-%d, want %v", d, y, m, dd, when)
		}
		if n := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day(); DaysIn(y, m) != n {
			t.Fatalf("%d-%d has %d days, want %d", y, m, DaysIn(y, m), n)
		}
	})
	// Beyond four digits the text is that of package time too.
	if got := string(AppendDate(nil, Days(12026, 3, 1))); got != "12026-03-01" {
		t.Error(got)
	}
}

func TestTruncTime(t *testing.T) {
	for p, want := range map[int32]int64{0: -2_000_000, 3: -1_235_000, 6: -1_234_567} {
		if got := TruncTime(-1_234_567, p); got != want {
			t.Errorf("p = %d: %d, want %d", p, got, want)
		}
	}
}

var texts = fuzz.Target{Words: []string{"99999999999999999999999999999999999999", "1e-400", "24:00:00", "+14:00", "9999-12-31"}, Check: func(t testing.TB, b []byte) {
	ParseIntTrunc(b, BigInt)
	if x, ok := ParseDecimal(b, 20, 3); ok && len(b) < 100 {
		y, ok := ParseDecimal(AppendDecimal(nil, x, 3), 20, 3)
		if !ok || x != y {
			t.Errorf("%q: %v, again %v", b, x, y)
		}
	}
	ParseFloat(b, Float64)
	ParseBool(b)
	ParseTimestampZone(b)
	ParseDate(b)
	ParseTime(b)
}, Seeds: [][]byte{[]byte("1.5e3"), []byte("2026-01-31 10:00:00.5Z"), []byte("10:00"), []byte("-"), []byte("true"), []byte("-12345678901234567.891")}}

func FuzzParse(f *testing.F)     { texts.Fuzz(f) }
func TestFuzzParse(t *testing.T) { texts.Loop(t) }
