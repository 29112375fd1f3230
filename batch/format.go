package batch

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendText writes row i of v as the text form of printed rows: NULL, true,
// 1.50, 2026-01-01T00:00:00, x'61', (a, b), [a, b], {k=v}. Strings are raw but
// for \n, \r and \\.
func (v *Vec) AppendText(dst []byte, i int, t Type) []byte {
	if v.IsNull(i) {
		return append(dst, "NULL"...)
	}
	switch t.SQL {
	case Boolean:
		return strconv.AppendBool(dst, v.B[i])
	case Float32, Float64:
		return appendFloat(dst, v.F[i], t, true)
	case Decimal:
		return AppendDecimal(dst, v.Dec(i), int(t.S))
	case Char, Varchar:
		return appendEscaped(dst, v.Bytes(i))
	case Binary, Varbinary, Raw:
		dst = append(dst, "x'"...)
		dst = hex.AppendEncode(dst, v.Bytes(i))
		return append(dst, '\'')
	case Date:
		return AppendDate(dst, v.I[i])
	case Time:
		return AppendClock(dst, v.I[i])
	case Timestamp:
		return AppendTimestamp(dst, v.I[i], 'T')
	case TimestampLTZ:
		return append(AppendTimestamp(dst, v.I[i], 'T'), 'Z')
	case IntervalDay:
		return strconv.AppendInt(dst, v.I[i]/1000, 10)
	case RowType:
		dst = append(dst, '(')
		for c := range v.Child {
			if c > 0 {
				dst = append(dst, ", "...)
			}
			dst = v.Child[c].AppendText(dst, i, t.Fields[c].Type)
		}
		return append(dst, ')')
	case Array, Map, Multiset:
		return v.appendListText(dst, i, t)
	}
	return strconv.AppendInt(dst, v.I[i], 10)
}

func (v *Vec) appendListText(dst []byte, i int, t Type) []byte {
	open, end := byte('{'), byte('}')
	if t.SQL == Array {
		open, end = '[', ']'
	}
	dst = append(dst, open)
	from, to := v.Span(i)
	for j := from; j < to; j++ {
		if j > from {
			dst = append(dst, ", "...)
		}
		dst = v.Child[0].AppendText(dst, j, t.Fields[0].Type)
		switch t.SQL {
		case Map:
			dst = v.Child[1].AppendText(append(dst, '='), j, t.Fields[1].Type)
		case Multiset:
			dst = strconv.AppendInt(append(dst, '='), v.Child[1].I[j], 10)
		}
	}
	return append(dst, end)
}

// JSONStyle says how AppendJSON writes times.
type JSONStyle struct {
	ISO bool // 2026-01-01T00:00:00 instead of 2026-01-01 00:00:00
}

// AppendJSON writes row i of v as JSON: numbers as numbers (DECIMAL with its
// scale), times as strings, BYTES base64, ROW and MAP objects, ARRAY arrays,
// MULTISET value -> count, INTERVAL an integer (months or milliseconds).
func (v *Vec) AppendJSON(dst []byte, i int, t Type, s JSONStyle) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch t.SQL {
	case Boolean:
		return strconv.AppendBool(dst, v.B[i])
	case Float32, Float64:
		if f := v.F[i]; f != f || math.IsInf(f, 0) {
			return append(appendFloat(append(dst, '"'), f, t, false), '"')
		}
		return appendFloat(dst, v.F[i], t, false)
	case Decimal:
		return AppendDecimal(dst, v.Dec(i), int(t.S))
	case Char, Varchar:
		return AppendQuoted(dst, v.Bytes(i))
	case Binary, Varbinary, Raw:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes(i))
		return append(dst, '"')
	case Date:
		return append(AppendDate(append(dst, '"'), v.I[i]), '"')
	case Time:
		return append(AppendClock(append(dst, '"'), v.I[i]), '"')
	case Timestamp, TimestampLTZ:
		sep := byte(' ')
		if s.ISO {
			sep = 'T'
		}
		dst = AppendTimestamp(append(dst, '"'), v.I[i], sep)
		if t.SQL == TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return append(dst, '"')
	case IntervalDay:
		return strconv.AppendInt(dst, v.I[i]/1000, 10)
	case RowType:
		dst = append(dst, '{')
		for c := range v.Child {
			if c > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendQuoted(dst, []byte(t.Fields[c].Name)), ':')
			dst = v.Child[c].AppendJSON(dst, i, t.Fields[c].Type, s)
		}
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		from, to := v.Span(i)
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, ',')
			}
			dst = v.Child[0].AppendJSON(dst, j, t.Fields[0].Type, s)
		}
		return append(dst, ']')
	case Map, Multiset:
		return v.appendObject(dst, i, t, s)
	}
	return strconv.AppendInt(dst, v.I[i], 10)
}

func (v *Vec) appendObject(dst []byte, i int, t Type, s JSONStyle) []byte {
	dst = append(dst, '{')
	from, to := v.Span(i)
	for j := from; j < to; j++ {
		if j > from {
			dst = append(dst, ',')
		}
		if k := &v.Child[0]; t.Fields[0].Type.IsString() && !k.IsNull(j) {
			dst = AppendQuoted(dst, k.Bytes(j))
		} else {
			dst = AppendQuoted(dst, k.AppendText(nil, j, t.Fields[0].Type))
		}
		dst = append(dst, ':')
		if t.SQL == Multiset {
			dst = strconv.AppendInt(dst, v.Child[1].I[j], 10)
		} else {
			dst = v.Child[1].AppendJSON(dst, j, t.Fields[1].Type, s)
		}
	}
	return append(dst, '}')
}

// Dec returns row i of a DECIMAL column of either representation, scaled.
func (v *Vec) Dec(i int) Int128 {
	if v.Kind == Wide {
		return v.Wide128(i)
	}
	return Int128From(v.I[i])
}

// appendFloat writes the least digits that read back the same. point adds ".0"
// to what looks like an integer.
func appendFloat(dst []byte, f float64, t Type, point bool) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	bits := 64
	if t.SQL == Float32 {
		bits = 32
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, bits)
	if !point {
		return dst
	}
	for _, c := range dst[at:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func appendEscaped(dst, b []byte) []byte {
	for _, c := range b {
		switch c {
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\\':
			dst = append(dst, `\\`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendDate writes days since 1970-01-01 as 2026-01-01.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := Civil(days)
	if y < 0 || y > 9999 {
		return time.Unix(days*86400, 0).UTC().AppendFormat(dst, "2006-01-02")
	}
	dst = append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-')
	dst = append2(dst, m)
	return append2(append(dst, '-'), d)
}

func append2(dst []byte, x int) []byte { return append(dst, byte('0'+x/10), byte('0'+x%10)) }

// AppendClock writes microseconds of the day as 10:00:00 or 10:00:00.5.
func AppendClock(dst []byte, us int64) []byte {
	s := int(us / 1e6)
	dst = append2(append(append2(dst, s/3600), ':'), s/60%60)
	dst = append2(append(dst, ':'), s%60)
	if f := us % 1e6; f != 0 {
		dst = append(dst, '.')
		for div := int64(1e5); f != 0; div /= 10 {
			dst = append(dst, byte('0'+f/div))
			f %= div
		}
	}
	return dst
}

// Day is a day in microseconds.
const Day = 86_400_000_000

// AppendTimestamp writes microseconds since 1970 with sep between date and time.
func AppendTimestamp(dst []byte, us int64, sep byte) []byte {
	d := FloorDiv(us, Day)
	return AppendClock(append(AppendDate(dst, d), sep), us-d*Day)
}

// FloorDiv divides toward minus infinity; b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Civil turns days since 1970-01-01 into year, month and day of the proleptic
// Gregorian calendar.
func Civil(days int64) (y, m, d int) {
	z := days + 719468
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy - (153*mp+2)/5 + 1)
	m = int(mp + 3)
	y = int(yoe + era*400)
	if m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}

// Days is the inverse of Civil.
func Days(y, m, d int) int64 {
	yy := int64(y)
	if m <= 2 {
		yy--
		m += 12
	}
	era := FloorDiv(yy, 400)
	yoe := yy - era*400
	doy := int64((153*(m-3)+2)/5 + d - 1)
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// plain tells whether eight bytes stand for themselves in a JSON string: ASCII from
// 0x20 on, no quote and no backslash. Where no byte has its high bit, taking 1 from
// a byte that is 0 sets it: of x^y for bytes that are y, of x&0xe0 for those below
// 0x20. A borrow passes to the next byte only from a byte that has told already.
func plain(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash, low := x^ones*'"', x^ones*'\\', x&(ones*0xe0)
	return (x|(quote-ones)|(slash-ones)|(low-ones))&highs == 0
}

const hexDigits = "0123456789abcdef"

// AppendQuoted writes b as a JSON string; bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst, b []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(b); {
		if i+8 <= len(b) && plain(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
			continue
		}
		c := b[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(b[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(append(dst, b[from:i]...), "\ufffd"...)
			i++
			from = i
			continue
		}
		dst = append(dst, b[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, b[from:]...), '"')
}
