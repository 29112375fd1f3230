package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
)

// Col is a column of the input.
type Col struct {
	Index int
	T     batch.Type
	Name  string
}

// NewCol returns column i, which is field f of the input's schema.
func NewCol(i int, f batch.Field) *Col { return &Col{i, f.Type, f.Name} }

// Type returns the column's type.
func (c *Col) Type() batch.Type { return c.T }
func (c *Col) String() string {
	if c.Name == "" {
		return "$" + strconv.Itoa(c.Index)
	}
	return c.Name
}

// Kids returns nothing.
func (c *Col) Kids() []Expr { return nil }

// With returns c.
func (c *Col) With([]Expr) Expr { return c }

// Const is a value known when the plan is made.
type Const struct {
	T batch.Type
	V batch.Vec // one row
}

// NewConst returns the constant of type t whose value is row 0 of v.
func NewConst(t batch.Type, v batch.Vec) *Const {
	if v.Len() != 1 || v.Kind != t.Kind() {
		panic("BUG: a constant is one row of its type")
	}
	return &Const{t.With(!v.IsNull(0)), v}
}

// Type returns the constant's type: NOT NULL unless it is NULL.
func (c *Const) Type() batch.Type { return c.T }

// Kids returns nothing.
func (c *Const) Kids() []Expr { return nil }

// With returns c.
func (c *Const) With([]Expr) Expr { return c }

// IsNull tells whether the constant is NULL.
func (c *Const) IsNull() bool { return c.V.IsNull(0) }

func (c *Const) String() string {
	text := string(c.V.AppendText(nil, 0, c.T))
	switch {
	case c.IsNull():
		return "NULL"
	case c.T.IsString():
		return "'" + strings.ReplaceAll(string(c.V.Bytes(0)), "'", "''") + "'"
	case c.T.SQL == batch.Boolean:
		return strings.ToUpper(text)
	case c.T.SQL == batch.Date:
		return "DATE '" + text + "'"
	case c.T.SQL == batch.Time:
		return "TIME '" + text + "'"
	case c.T.SQL == batch.Timestamp:
		return "TIMESTAMP '" + strings.Replace(text, "T", " ", 1) + "'"
	case c.T.SQL == batch.TimestampLTZ:
		return "TIMESTAMP_LTZ '" + strings.Replace(text, "T", " ", 1) + "'"
	case c.T.SQL == batch.IntervalDay:
		return "INTERVAL '" + string(appendDayInterval(nil, c.V.I[0])) + "' DAY TO SECOND"
	case c.T.SQL == batch.IntervalMonth:
		return "INTERVAL '" + string(appendMonthInterval(nil, c.V.I[0])) + "' YEAR TO MONTH"
	case c.T.SQL == batch.Float64 || c.T.SQL == batch.Float32:
		return strings.ReplaceAll(text, "+", "")
	}
	return text
}

// Sym is a word of the syntax that a function takes as an operand: the unit of
// EXTRACT, the side of TRIM. Func.Bind consumes it.
type Sym struct{ Word string }

// Symbol returns the word, in upper case.
func Symbol(word string) *Sym { return &Sym{strings.ToUpper(word)} }

// Type returns the type of NULL.
func (s *Sym) Type() batch.Type { return batch.Type{} }
func (s *Sym) String() string   { return s.Word }

// Kids returns nothing.
func (s *Sym) Kids() []Expr { return nil }

// With returns s.
func (s *Sym) With([]Expr) Expr { return s }

// Null is the bare NULL.
func Null() *Const { return NullOf(batch.Type{}) }

// NullOf is NULL of type t.
func NullOf(t batch.Type) *Const {
	v := batch.NewVec(t, 1)
	v.AppendNull()
	return NewConst(t, v)
}

// Int is an integer constant of an Int-kind type: INT, BIGINT, DATE, an interval …
func Int(x int64, t batch.Type) *Const {
	v := batch.Vec{Kind: batch.Int, I: []int64{x}}
	return NewConst(t, v)
}

// Str is a string literal: CHAR(n) NOT NULL, n in code points.
func Str(s string) *Const {
	v := batch.Vec{Kind: batch.Str}
	v.AppendString(s)
	return NewConst(batch.Type{SQL: batch.Char, P: int32(utf8.RuneCountInString(s))}, v)
}

// Text is a string constant of type STRING.
func Text(s string) *Const {
	c := Str(s)
	c.T = batch.TypeString.With(true)
	return c
}

// Bytes is a binary literal: BINARY(n) NOT NULL.
func Bytes(b []byte) *Const {
	v := batch.Vec{Kind: batch.Str}
	v.AppendBytes(b)
	return NewConst(batch.Type{SQL: batch.Binary, P: int32(len(b))}, v)
}

// Bool is TRUE or FALSE.
func Bool(x bool) *Const {
	return NewConst(batch.TypeBool, batch.Vec{Kind: batch.Bool, B: []bool{x}})
}

// Double is a DOUBLE constant.
func Double(x float64) *Const {
	return NewConst(batch.TypeDouble, batch.Vec{Kind: batch.Float, F: []float64{x}})
}

// DecOf is the DECIMAL(p, s) constant x * 10^-s.
func DecOf(x batch.Int128, p, s int32) *Const {
	t := batch.DecimalOf(p, s)
	v := batch.NewVec(t, 1)
	if p > 18 {
		v.AppendWide(x)
	} else {
		v.AppendInt(int64(x.Lo))
	}
	return NewConst(t, v)
}

// Number types an unsigned numeric literal as Flink does: 1 INT, 3000000000
// BIGINT, 1.5 DECIMAL(2, 1), 0.05 DECIMAL(3, 2), 1e0 DOUBLE.
func Number(text string) (*Const, error) {
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, &TypeError{-1, "the number " + text + " is out of range of DOUBLE", ""}
		}
		return Double(f), nil
	}
	whole, frac, point := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+frac, "0")
	if len(digits) > 38 || len(frac) > 38 {
		return nil, &TypeError{-1, "the number " + text + " has more than 38 digits", "write it with an exponent to make it a DOUBLE"}
	}
	x := batch.Int128{}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return nil, &TypeError{-1, "the number " + text + " is malformed", ""}
		}
		x, _ = x.Mul(batch.Int128From(10))
		x = x.Add(batch.Int128From(int64(c - '0')))
	}
	s := int32(len(frac))
	if i, ok := x.Int64(); ok && (!point || s == 0) {
		if i <= math.MaxInt32 {
			return Int(i, batch.TypeInt), nil
		}
		return Int(i, batch.TypeBigInt), nil
	}
	p := int32(len(digits))
	if p <= s {
		p = min(s+1, 38)
	}
	return DecOf(x, p, s), nil
}

// DateLit is DATE 'text', TimeLit TIME 'text', TimestampLit TIMESTAMP 'text':
// its precision is the number of digits after the point.
func DateLit(text string) (*Const, error) {
	d, ok := batch.ParseDate([]byte(text))
	if !ok {
		return nil, &TypeError{-1, "'" + text + "' is no DATE", "for example DATE '2026-01-31'"}
	}
	return Int(d, batch.TypeDate), nil
}

// TimeLit is TIME 'text'.
func TimeLit(text string) (*Const, error) {
	us, ok := batch.ParseTime([]byte(text))
	if !ok {
		return nil, &TypeError{-1, "'" + text + "' is no TIME", "for example TIME '10:30:00'"}
	}
	p, err := fractionDigits(text)
	return Int(us, batch.Type{SQL: batch.Time, P: p}), err
}

// TimestampLit is TIMESTAMP 'text'; ltz makes it TIMESTAMP_LTZ, read in UTC
// where the text names no offset.
func TimestampLit(text string, ltz bool) (*Const, error) {
	us, off, zoned, ok := batch.ParseTimestampZone([]byte(text))
	if !ok || zoned && !ltz {
		return nil, &TypeError{-1, "'" + text + "' is no TIMESTAMP", "for example TIMESTAMP '2026-01-31 10:30:00'"}
	}
	p, err := fractionDigits(text)
	if err != nil {
		return nil, err
	}
	t := batch.Type{SQL: batch.Timestamp, P: p}
	if ltz {
		t.SQL = batch.TimestampLTZ
		us -= off
	}
	return Int(us, t), nil
}

func fractionDigits(text string) (int32, error) {
	_, f, _ := strings.Cut(text, ".")
	n := 0
	for n < len(f) && f[n] >= '0' && f[n] <= '9' {
		n++
	}
	if n > 6 {
		return 6, &TypeError{-1, "'" + text + "' has more than 6 digits of the second", "streamd keeps microseconds"}
	}
	return int32(n), nil
}
