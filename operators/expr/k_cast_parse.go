package expr

import (
	"bytes"

	"github.com/streamd/streamd/batch"
)

func parseCaster(to batch.Type) castFn {
	return func(c *Ctx, dst, src *batch.Vec, i int) bool {
		b := bytes.TrimSpace(src.Bytes(i))
		var x int64
		ok := false
		switch {
		case to.SQL == batch.Boolean:
			var v bool
			if v, ok = batch.ParseBool(b); ok {
				dst.AppendBool(v)
				return true
			}
		case to.IsInteger():
			x, ok = batch.ParseIntTrunc(b, to.SQL)
			ok = ok && !bytes.ContainsAny(b, "eE")
		case to.IsFloat():
			var v float64
			if v, ok = batch.ParseFloat(b, to.SQL); ok {
				dst.AppendFloat(v)
				return true
			}
		case to.SQL == batch.Decimal:
			if batch.IsNumber(b) {
				v, ok := batch.ParseDecimal(b, int(to.P), int(to.S))
				appendDec(dst, v, ok, to)
				return true
			}
		case to.SQL == batch.Date:
			x, ok = ParseDate(b)
		case to.SQL == batch.Time:
			x, ok = ParseTime(b)
			x = truncTo(x, to.P)
		case to.SQL == batch.Timestamp:
			x, ok = ParseTimestamp(b)
			x = truncTo(x, to.P)
		case to.SQL == batch.TimestampLTZ:
			var off int64
			var zoned bool
			if x, off, zoned, ok = batch.ParseTimestampZone(b); !ok {
				x, off, zoned, ok = batch.ParseTimestampZone(twoDigits(b))
			}
			if zoned {
				x -= off
			} else {
				x = c.ToUTC(x)
			}
			x = truncTo(x, to.P)
		}
		if !ok {
			dst.AppendNull()
			return false
		}
		dst.AppendInt(x)
		return true
	}
}

// ParseDate reads a date as CAST does: a date, the date of a timestamp, or a
// bare year.
func ParseDate(b []byte) (days int64, ok bool) {
	if days, ok = batch.ParseDate(b); ok {
		return days, true
	}
	if us, ok := ParseTimestamp(b); ok {
		return batch.FloorDiv(us, batch.Day), true
	}
	if y, ok := batch.ParseInt(b, batch.SmallInt); ok && y >= 0 && y <= 9999 {
		return batch.Days(int(y), 1, 1), true
	}
	return 0, false
}

// ParseTimestamp reads a timestamp as CAST does: a record's fields need two digits,
// here 2024-2-9 1:2:3 is one too.
func ParseTimestamp(b []byte) (us int64, ok bool) {
	if us, ok = batch.ParseTimestamp(b); ok {
		return us, true
	}
	return batch.ParseTimestamp(twoDigits(b))
}

// twoDigits writes hours, minutes and seconds of one digit with two; nil where
// there are none.
func twoDigits(b []byte) []byte {
	at := bytes.IndexAny(b, " T")
	if at < 0 || len(b) > 64 {
		return nil
	}
	out := append(make([]byte, 0, len(b)+3), b[:at+1]...)
	rest := b[at+1:]
	for part := 0; part < 3; part++ {
		n := 0
		for n < len(rest) && rest[n]-'0' <= 9 {
			n++
		}
		if n == 1 {
			out = append(out, '0')
		}
		out, rest = append(out, rest[:n]...), rest[n:]
		if len(rest) == 0 || rest[0] != ':' {
			break
		}
		out, rest = append(out, ':'), rest[1:]
	}
	return append(out, rest...)
}

// ParseTime reads a time of day as CAST does: a time, or that of a timestamp.
func ParseTime(b []byte) (us int64, ok bool) {
	if us, ok = batch.ParseTime(b); ok {
		return us, true
	}
	if us, ok = ParseTimestamp(b); ok {
		return us - batch.FloorDiv(us, batch.Day)*batch.Day, true
	}
	return 0, false
}

// truncTo cuts microseconds to p digits of the second.
func truncTo(us int64, p int32) int64 {
	if p >= 6 {
		return us
	}
	k := pow64(6 - p)
	return batch.FloorDiv(us, k) * k
}

func timeCaster(from, to batch.Type) castFn {
	return func(c *Ctx, dst, src *batch.Vec, i int) bool {
		x := src.I[i]
		// First to local microseconds, then to the target.
		switch from.SQL {
		case batch.Date:
			x *= batch.Day
		case batch.TimestampLTZ:
			if to.SQL != batch.TimestampLTZ {
				x = c.ToLocal(x)
			}
		}
		switch to.SQL {
		case batch.Date:
			x = batch.FloorDiv(x, batch.Day)
		case batch.Time:
			x = truncTo(x-batch.FloorDiv(x, batch.Day)*batch.Day, to.P)
		case batch.TimestampLTZ:
			if from.SQL != batch.TimestampLTZ {
				x = c.ToUTC(x)
			}
			x = truncTo(x, to.P)
		default:
			x = truncTo(x, to.P)
		}
		dst.AppendInt(x)
		return true
	}
}

// nestedCaster converts ROW, ARRAY, MAP and MULTISET part by part.
func nestedCaster(from, to batch.Type) castFn {
	parts := make([]castFn, len(to.Fields))
	for i := range parts {
		parts[i] = caster(from.Fields[i].Type, to.Fields[i].Type)
	}
	one := func(c *Ctx, dst, src *batch.Vec, part, i int) bool {
		if src.Child[part].IsNull(i) {
			dst.Child[part].AppendNull()
			return true
		}
		return parts[part](c, &dst.Child[part], &src.Child[part], i)
	}
	if to.SQL == batch.RowType {
		return func(c *Ctx, dst, src *batch.Vec, i int) bool {
			ok := true
			for p := range parts {
				ok = one(c, dst, src, p, i) && ok
			}
			if n := dst.Child[0].Len(); dst.Null != nil && len(dst.Null) < (n+63)>>6 {
				dst.Null = append(dst.Null, 0)
			}
			return ok
		}
	}
	return func(c *Ctx, dst, src *batch.Vec, i int) bool {
		ok := true
		at := dst.Child[0].Len()
		for j, to := src.Span(i); j < to; j++ {
			for p := range parts {
				ok = one(c, dst, src, p, j) && ok
			}
			if len(dst.Child) > len(parts) { // MULTISET's counts
				dst.Child[1].AppendFrom(&src.Child[1], j)
			}
		}
		dst.AppendList(at)
		return ok
	}
}
