package expr

import (
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
)

// asDecimal returns t as the DECIMAL that holds all its values: integers by
// their digits.
func asDecimal(t batch.Type) batch.Type {
	switch t.SQL {
	case batch.TinyInt:
		return batch.DecimalOf(3, 0)
	case batch.SmallInt:
		return batch.DecimalOf(5, 0)
	case batch.Integer:
		return batch.DecimalOf(10, 0)
	case batch.BigInt:
		return batch.DecimalOf(19, 0)
	}
	return batch.DecimalOf(t.P, t.S)
}

// capDecimal brings a precision beyond 38 down: the whole part is kept, the
// scale gives way down to 6.
func capDecimal(p, s int32) batch.Type {
	if p <= 38 {
		return batch.DecimalOf(p, s)
	}
	return batch.DecimalOf(38, max(38-(p-s), min(s, 6)))
}

// decimalResult is the type of a op b for two DECIMALs.
func decimalResult(op string, a, b batch.Type) batch.Type {
	switch op {
	case "*":
		return capDecimal(a.P+b.P+1, a.S+b.S)
	case "/":
		s := max(6, a.S+b.P+1)
		return capDecimal(a.P-a.S+b.S+s, s)
	case "%":
		s := max(a.S, b.S)
		return capDecimal(min(a.P-a.S, b.P-b.S)+s, s)
	}
	s := max(a.S, b.S)
	return capDecimal(max(a.P-a.S, b.P-b.S)+s+1, s)
}

// intRange returns the least and greatest value of an integer type.
func intRange(t batch.Type) (lo, hi int64) {
	switch t.SQL {
	case batch.TinyInt:
		return math.MinInt8, math.MaxInt8
	case batch.SmallInt:
		return math.MinInt16, math.MaxInt16
	case batch.Integer:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// Common returns the least type that all values convert to without a cast: of
// CASE branches, UNION columns, compared operands. It is NOT NULL when all are.
func Common(ts ...batch.Type) (batch.Type, error) {
	if len(ts) == 0 {
		return batch.Type{}, &TypeError{-1, "no value to take a type from", ""}
	}
	t := ts[0]
	for i, u := range ts[1:] {
		c, ok := common(t, u)
		if !ok {
			return t, &TypeError{i + 1, fmt.Sprintf("%s and %s have no common type", t.With(false), u.With(false)), "CAST one of them to the type of the other"}
		}
		t = c
	}
	return t, nil
}

func common(a, b batch.Type) (batch.Type, bool) {
	nn := a.NotNull && b.NotNull
	switch {
	case a.SQL == batch.Null:
		return b.With(false), true
	case b.SQL == batch.Null:
		return a.With(false), true
	case a.Equal(b):
		return mergeNulls(a, b).With(nn), true
	case a.IsNumeric() && b.IsNumeric():
		return commonNumber(a, b).With(nn), true
	case a.IsString() && b.IsString():
		return batch.Type{SQL: batch.Varchar, P: max(a.P, b.P), NotNull: nn}, true
	case a.IsBytes() && b.IsBytes():
		return batch.Type{SQL: batch.Varbinary, P: max(a.P, b.P), NotNull: nn}, true
	case a.SQL == batch.Time && b.SQL == batch.Time:
		a.P = max(a.P, b.P)
		return a.With(nn), true
	case (a.IsTimestamp() || a.SQL == batch.Date) && (b.IsTimestamp() || b.SQL == batch.Date):
		t := batch.Type{SQL: batch.Timestamp, P: max(a.P, b.P), NotNull: nn}
		if a.SQL == batch.TimestampLTZ || b.SQL == batch.TimestampLTZ {
			t.SQL = batch.TimestampLTZ
		}
		return t, true
	case a.SQL == b.SQL && len(a.Fields) == len(b.Fields) && len(a.Fields) > 0:
		t := a.With(nn)
		t.Fields = make([]batch.Field, len(a.Fields))
		for i := range a.Fields {
			c, ok := common(a.Fields[i].Type, b.Fields[i].Type)
			if !ok {
				return t, false
			}
			t.Fields[i] = batch.Field{Name: a.Fields[i].Name, Type: c}
		}
		return t, true
	}
	return a, false
}

// mergeNulls makes the parts of a nested type nullable where b's are.
func mergeNulls(a, b batch.Type) batch.Type {
	if len(a.Fields) == 0 {
		return a
	}
	f := make([]batch.Field, len(a.Fields))
	for i := range f {
		f[i] = a.Fields[i]
		f[i].Type = mergeNulls(f[i].Type, b.Fields[i].Type).With(f[i].Type.NotNull && b.Fields[i].Type.NotNull)
	}
	a.Fields = f
	return a
}

func commonNumber(a, b batch.Type) batch.Type {
	switch {
	case a.SQL == batch.Float64 || b.SQL == batch.Float64:
		return batch.TypeDouble
	case a.IsFloat() || b.IsFloat():
		if a.SQL == batch.Decimal || b.SQL == batch.Decimal {
			return batch.TypeDouble
		}
		return batch.Type{SQL: batch.Float32}
	case a.SQL == batch.Decimal || b.SQL == batch.Decimal:
		x, y := asDecimal(a), asDecimal(b)
		s := max(x.S, y.S)
		return capDecimal(max(x.P-x.S, y.P-y.S)+s, s)
	case a.SQL > b.SQL:
		return batch.Type{SQL: a.SQL}
	}
	return batch.Type{SQL: b.SQL}
}

// implicit tells whether Flink converts from to to without being asked.
func implicit(from, to batch.Type) bool {
	if from.SQL == batch.Null || from.Equal(to) {
		return true
	}
	switch to.SQL {
	case batch.Char, batch.Varchar:
		return from.IsString()
	case batch.Binary, batch.Varbinary:
		return from.IsBytes()
	case batch.Decimal, batch.Float64:
		return from.IsNumeric()
	case batch.Float32:
		return from.IsNumeric() && from.SQL != batch.Float64
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		return from.IsInteger() && from.SQL <= to.SQL
	case batch.Date:
		return from.SQL == batch.Timestamp
	case batch.Time:
		return from.SQL == batch.Time || from.SQL == batch.Timestamp
	case batch.Timestamp, batch.TimestampLTZ:
		return from.IsTimestamp()
	case batch.RowType, batch.Array, batch.Map, batch.Multiset:
		if from.SQL != to.SQL || len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range to.Fields {
			if !implicit(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// Implicit converts x to type to where Flink does so without being asked.
func Implicit(x Expr, to batch.Type) (Expr, error) {
	if !implicit(x.Type(), to) {
		return nil, &TypeError{0, fmt.Sprintf("%s does not convert to %s by itself", x.Type().With(false), to.With(false)), castHint(x.Type(), to)}
	}
	return cast(x, to), nil
}

// Assign converts x to a table's column of type to, as INSERT does: Implicit,
// but lengths of strings and bytes are left to the sink's length enforcer.
func Assign(x Expr, to batch.Type) (Expr, error) {
	from := x.Type()
	if from.IsString() && to.IsString() || from.IsBytes() && to.IsBytes() {
		return x, nil
	}
	return Implicit(x, to)
}

func castHint(from, to batch.Type) string {
	if castable(from, to) {
		return "write CAST(… AS " + to.With(false).String() + ")"
	}
	return ""
}

// cast converts without asking whether it is wise; it is the identity when the
// type is already right.
func cast(x Expr, to batch.Type) Expr {
	from := x.Type()
	if from.Equal(to) {
		return x
	}
	if c, ok := x.(*Const); ok && c.IsNull() {
		return NullOf(to)
	}
	return &node{op: opCast, kids: []Expr{x}, t: to.With(from.NotNull), at: SpanOf(x)}
}
