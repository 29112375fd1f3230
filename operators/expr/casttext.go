package expr

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
)

// appendCast writes row i of v, not null, as CAST to STRING does.
func appendCast(dst []byte, c *Ctx, v *batch.Vec, i int, t batch.Type) []byte {
	switch t.SQL {
	case batch.Boolean:
		if v.B[i] {
			return append(dst, "TRUE"...)
		}
		return append(dst, "FALSE"...)
	case batch.Float32, batch.Float64:
		return appendJavaFloat(dst, v.F[i], t.SQL == batch.Float32)
	case batch.Decimal:
		return batch.AppendDecimal(dst, v.Dec(i), int(t.S))
	case batch.Char, batch.Varchar, batch.Binary, batch.Varbinary:
		return append(dst, v.Bytes(i)...)
	case batch.Date:
		return batch.AppendDate(dst, v.I[i])
	case batch.Time:
		return appendTime(dst, v.I[i], int(t.P))
	case batch.Timestamp:
		return AppendTimestamp(dst, v.I[i], int(t.P))
	case batch.TimestampLTZ:
		return AppendTimestamp(dst, c.ToLocal(v.I[i]), int(t.P))
	case batch.IntervalDay:
		return appendDayInterval(dst, v.I[i])
	case batch.IntervalMonth:
		return appendMonthInterval(dst, v.I[i])
	case batch.RowType:
		dst = append(dst, '(')
		for p := range t.Fields {
			if p > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendPart(dst, c, &v.Child[p], i, t.Fields[p].Type)
		}
		return append(dst, ')')
	case batch.Array, batch.Map, batch.Multiset:
		open, end := byte('{'), byte('}')
		if t.SQL == batch.Array {
			open, end = '[', ']'
		}
		dst = append(dst, open)
		from, to := v.Span(i)
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, ", "...)
			}
			dst = appendPart(dst, c, &v.Child[0], j, t.Fields[0].Type)
			switch t.SQL {
			case batch.Map:
				dst = appendPart(append(dst, '='), c, &v.Child[1], j, t.Fields[1].Type)
			case batch.Multiset:
				dst = strconv.AppendInt(append(dst, '='), v.Child[1].I[j], 10)
			}
		}
		return append(dst, end)
	}
	return strconv.AppendInt(dst, v.I[i], 10)
}

func appendPart(dst []byte, c *Ctx, v *batch.Vec, i int, t batch.Type) []byte {
	if v.IsNull(i) {
		return append(dst, "NULL"...)
	}
	return appendCast(dst, c, v, i, t)
}

// fitText brings what follows at in dst to the length of t: VARCHAR(n) cuts
// after n code points, CHAR(n) also pads with blanks.
func fitText(dst []byte, at int, t batch.Type) []byte {
	if t.P == batch.MaxLen || t.SQL == batch.Varchar && len(dst)-at <= int(t.P) {
		return dst
	}
	n := 0
	for k := at; k < len(dst); n++ {
		if n == int(t.P) {
			return dst[:k]
		}
		_, w := utf8.DecodeRune(dst[k:])
		k += w
	}
	if t.SQL == batch.Char && n < int(t.P) {
		dst = append(dst, bytes.Repeat([]byte{' '}, int(t.P)-n)...)
	}
	return dst
}

// appendJavaFloat writes a number as Java's Double.toString: 1.0, 123.45,
// 1.0E10, 1.0E-5, NaN, Infinity.
func appendJavaFloat(dst []byte, f float64, single bool) []byte {
	bits := 64
	if single {
		bits = 32
	}
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	at := len(dst)
	if a := math.Abs(f); a == 0 || a >= 1e-3 && a < 1e7 {
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		if bytes.IndexByte(dst[at:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'E', -1, bits)
	e := bytes.IndexByte(text, 'E')
	dst = append(dst, text[:e]...)
	if bytes.IndexByte(dst[at:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	exp := text[e+1:]
	if exp[0] == '-' {
		dst = append(dst, '-')
	}
	return append(dst, bytes.TrimLeft(exp[1:], "0")...)
}

// AppendTimestamp writes a local timestamp as CAST does: at least p digits of
// the second, more where they are not zero.
func AppendTimestamp(dst []byte, us int64, p int) []byte {
	d := batch.FloorDiv(us, batch.Day)
	us -= d * batch.Day
	dst = append(batch.AppendDate(dst, d), ' ')
	dst = batch.AppendClock(dst, us-us%1e6)
	frac := us % 1e6
	n := 6
	for n > p && frac%10 == 0 {
		frac /= 10
		n--
	}
	if n == 0 {
		return dst
	}
	dst = append(dst, '.')
	for k := n - 1; k >= 0; k-- {
		dst = append(dst, byte('0'+frac/pow64(int32(k))%10))
	}
	return dst
}

// appendTime writes a time of day with up to p digits of the second; zeros at
// the end are left out but for the first.
func appendTime(dst []byte, us int64, p int) []byte {
	dst = batch.AppendClock(dst, us-us%1e6)
	if p == 0 {
		return dst
	}
	dst = append(dst, '.')
	frac := us % 1e6
	for k := 0; k < min(p, 6); k++ {
		dst = append(dst, byte('0'+frac/1e5))
		frac = frac % 1e5 * 10
		if frac == 0 {
			break
		}
	}
	return dst
}
