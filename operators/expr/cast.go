package expr

import (
	"fmt"

	"github.com/streamd/streamd/batch"
)

// Cast is CAST(x AS t), or TRY_CAST, which gives NULL where CAST fails.
func Cast(x Expr, t batch.Type, try bool) (Expr, error) {
	from := x.Type()
	if !castable(from, t) {
		hint := ""
		switch {
		case from.IsNumeric() && t.IsTimestamp():
			hint = "use TO_TIMESTAMP_LTZ(number, 3) for milliseconds since 1970, 0 for seconds"
		case from.IsTimestamp() && t.IsNumeric():
			hint = "use UNIX_TIMESTAMP or EXTRACT"
		case t.IsBytes() || from.IsBytes():
			hint = "use ENCODE, DECODE, HEX or TO_BASE64"
		}
		return nil, &TypeError{0, fmt.Sprintf("cannot cast %s to %s", from.With(false), t.With(false)), hint}
	}
	e := cast(x, t)
	if n, ok := e.(*node); ok && try && e != x {
		n.flag = true
		n.t.NotNull = false
	}
	return e, nil
}

// castable is Flink's table of explicit casts.
func castable(from, to batch.Type) bool {
	if from.SQL == batch.Null || implicit(from, to) {
		return true
	}
	switch to.SQL {
	case batch.Char, batch.Varchar:
		return from.SQL != batch.Raw
	case batch.Binary, batch.Varbinary:
		return from.IsString() || from.IsBytes()
	case batch.Boolean:
		return from.IsString() || from.IsInteger()
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		return from.IsString() || from.IsNumeric() || from.SQL == batch.Boolean || isInterval(from)
	case batch.Float32, batch.Float64, batch.Decimal:
		return from.IsString() || from.IsNumeric() || from.SQL == batch.Boolean
	case batch.Date, batch.Time:
		return from.IsString() || from.IsTimestamp()
	case batch.Timestamp, batch.TimestampLTZ:
		return from.IsString() || from.SQL == batch.Date || from.SQL == batch.Time
	case batch.RowType, batch.Array, batch.Map, batch.Multiset:
		if from.SQL != to.SQL || len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range to.Fields {
			if !castable(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// castFails tells whether some value makes the cast a row error.
func castFails(from, to batch.Type) bool {
	switch {
	case from.SQL == batch.Null || to.IsString() || to.IsBytes():
		return false
	case from.IsString():
		return true
	case to.IsInteger() && from.IsInteger():
		return from.SQL > to.SQL
	case to.IsInteger():
		return from.IsNumeric() || isInterval(from)
	case to.SQL == batch.Decimal:
		return from.IsFloat() // NaN and infinities
	case len(to.Fields) > 0:
		for i := range to.Fields {
			if castFails(from.Fields[i].Type, to.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}
