package formats

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/streamd/streamd/batch"
)

// value reads the value at i as row number row of v.
func (d *jsonDecoder) value(n *jsonNode, v *batch.Vec, i, row int) int {
	if i >= len(d.b) {
		return d.fail(Syntax, i, "the text ends where a value is expected")
	}
	c := d.b[i]
	if c == 'n' {
		n.null(v, row)
		return d.lit(i, "null")
	}
	switch n.t.SQL {
	case batch.RowType:
		if c != '{' {
			return d.wrong(n, v, i, row)
		}
		i = d.object(n, v.Child, nil, i, row)
		if v.Null != nil && len(v.Null) < (row+64)>>6 {
			v.Null = append(v.Null, 0)
		}
		return i
	case batch.Array:
		if c != '[' {
			return d.wrong(n, v, i, row)
		}
		return d.array(n, v, i)
	case batch.Map, batch.Multiset:
		if c != '{' {
			return d.wrong(n, v, i, row)
		}
		return d.mapping(n, v, i)
	case batch.Char, batch.Varchar:
		return d.text(v, i)
	}
	if c == '"' {
		e, esc := d.str(i + 1)
		if e < 0 {
			return -1
		}
		s := d.b[i+1 : e]
		if esc {
			s = d.unescape(i+1, e)
		}
		if code := d.fromText(n, v, s, row); code != "" && !d.field(code, n, v, i, e+1, row) {
			return -1
		}
		return e + 1
	}
	switch c {
	case '{', '[':
		return d.wrong(n, v, i, row)
	case 't', 'f':
		e := d.lit(i, map[bool]string{true: "true", false: "false"}[c == 't'])
		if e < 0 {
			return -1
		}
		if n.t.SQL != batch.Boolean {
			return d.wrong(n, v, i, row)
		}
		v.AppendBool(c == 't')
		return e
	}
	// Fast path: a whole number of at most 18 digits into an integer column.
	if n.t.SQL >= batch.TinyInt && n.t.SQL <= batch.BigInt {
		if x, e := shortInt(d.b, i); e > 0 {
			if lo, hi := batch.IntRange(n.t.SQL); x >= lo && x <= hi {
				v.AppendInt(x)
				return e
			}
		}
	}
	e, _ := d.num(i)
	if e < 0 {
		return -1
	}
	if code := d.fromNumber(n, v, d.b[i:e], row); code != "" && !d.field(code, n, v, i, e, row) {
		return -1
	}
	return e
}

// shortInt reads a whole number of at most 18 digits that a separator follows;
// end is 0 for everything else.
func shortInt(b []byte, i int) (x int64, end int) {
	neg := b[i] == '-'
	if neg {
		i++
	}
	from := i
	for i < len(b) && b[i]-'0' <= 9 {
		x = x*10 + int64(b[i]-'0')
		if i++; i-from > 18 {
			return 0, 0
		}
	}
	if i == from || i >= len(b) || b[from] == '0' && i-from > 1 {
		return 0, 0
	}
	switch b[i] {
	case ',', '}', ']', ' ', '\n', '\r', '\t':
		if neg {
			x = -x
		}
		return x, i
	}
	return 0, 0
}

// wrong skips, and so checks, a value that cannot be of n's type.
func (d *jsonDecoder) wrong(n *jsonNode, v *batch.Vec, i, row int) int {
	e := d.skip(i)
	if e < 0 || !d.field(WrongType, n, v, i, e, row) {
		return -1
	}
	return e
}

// field handles a value that cannot be read: NULL under ignore-parse-errors,
// else the end of the record.
func (d *jsonDecoder) field(code Code, n *jsonNode, v *batch.Vec, from, to, row int) bool {
	what := string(d.b[from:min(to, from+60)])
	msg := fmt.Sprintf("%s is not a value of type %s", what, n.t)
	if code == OutOfRange {
		msg = fmt.Sprintf("%s is outside the range of %s", what, n.t)
	} else if n.t.IsTimestamp() {
		msg += fmt.Sprintf("; expected %q", d.example(n.t))
		if len(what) > 11 && what[11] == 'T' && d.sep == ' ' {
			msg += "; for what has a T the format's option timestamp-format.standard is ISO-8601"
		}
	}
	if !d.Ignore {
		d.fail(code, from, msg)
		return false
	}
	n.null(v, row)
	name := ""
	for k, p := range d.path {
		if k > 0 {
			name += "."
		}
		name += p
	}
	d.bad = append(d.bad, Problem{Code: code, Field: name, Msg: msg, Kept: true})
	return true
}

func (d *jsonDecoder) example(t batch.Type) string {
	s := "2026-01-31" + string(d.sep) + "10:00:00.123"
	if t.SQL == batch.TimestampLTZ {
		s += "Z"
	}
	return s
}

// fromNumber appends the number s, which is well formed.
func (d *jsonDecoder) fromNumber(n *jsonNode, v *batch.Vec, s []byte, row int) Code {
	switch t := n.t; t.SQL {
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		x, ok := batch.ParseIntTrunc(s, t.SQL)
		if !ok {
			return OutOfRange
		}
		v.AppendInt(x)
	case batch.IntervalDay, batch.IntervalMonth:
		return interval(v, s, t)
	case batch.Float32, batch.Float64:
		x, ok := batch.ParseFloat(s, t.SQL)
		if !ok {
			return WrongType
		}
		v.AppendFloat(x)
	case batch.Decimal:
		return decimal(n, v, s, row)
	default:
		return WrongType
	}
	return ""
}

func interval(v *batch.Vec, s []byte, t batch.Type) Code {
	x, ok := batch.ParseInt(s, batch.BigInt)
	if !ok {
		return WrongType
	}
	if t.SQL == batch.IntervalDay {
		if x > 1<<53 || x < -1<<53 {
			return OutOfRange
		}
		x *= 1000
	}
	v.AppendInt(x)
	return ""
}

// decimal appends s; what has too many digits is NULL, as everywhere.
func decimal(n *jsonNode, v *batch.Vec, s []byte, row int) Code {
	x, ok := batch.ParseDecimal(s, int(n.t.P), int(n.t.S))
	switch {
	case ok && v.Kind == batch.Wide:
		v.AppendWide(x)
	case ok:
		v.AppendInt(int64(x.Lo))
	case batch.IsNumber(s):
		n.null(v, row)
	default:
		return WrongType
	}
	return ""
}

// fromText appends the text s of a value that is no string.
func (d *jsonDecoder) fromText(n *jsonNode, v *batch.Vec, s []byte, row int) Code {
	switch t := n.t; t.SQL {
	case batch.Timestamp, batch.TimestampLTZ:
		x, ok := d.timestamp(s, t)
		if !ok {
			return WrongType
		}
		v.AppendInt(x)
	case batch.Date:
		x, ok := batch.ParseDate(s)
		if !ok || len(s) != 10 {
			return WrongType
		}
		v.AppendInt(x)
	case batch.Time:
		x, ok := batch.ParseTime(bytes.TrimSuffix(s, []byte("Z")))
		if !ok {
			return WrongType
		}
		v.AppendInt(batch.TruncTime(x, t.P))
	case batch.Binary, batch.Varbinary:
		at := len(v.Data)
		out, err := base64.StdEncoding.AppendDecode(v.Data, s)
		if err != nil {
			return WrongType
		}
		v.Data = out[:at]
		v.AppendBytes(out[at:])
	case batch.Boolean:
		if len(s) > 1 { // true and false; "1" and "t" are no JSON practice
			if x, ok := batch.ParseBool(bytes.TrimSpace(s)); ok && len(bytes.TrimSpace(s)) > 3 {
				v.AppendBool(x)
				return ""
			}
		}
		return WrongType
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		s = bytes.TrimSpace(s)
		x, ok := batch.ParseInt(s, t.SQL)
		if !ok {
			if batch.IsNumber(s) {
				return OutOfRange
			}
			return WrongType
		}
		v.AppendInt(x)
	case batch.Decimal:
		return decimal(n, v, bytes.TrimSpace(s), row)
	case batch.Float32, batch.Float64:
		x, ok := batch.ParseFloat(bytes.TrimSpace(s), t.SQL)
		if !ok {
			return WrongType
		}
		v.AppendFloat(x)
	case batch.IntervalDay, batch.IntervalMonth:
		return interval(v, bytes.TrimSpace(s), t)
	default:
		return WrongType
	}
	return ""
}

// timestamp reads the standard that the options name, with Z for LTZ only.
func (d *jsonDecoder) timestamp(s []byte, t batch.Type) (int64, bool) {
	if t.SQL == batch.TimestampLTZ {
		if len(s) == 0 || s[len(s)-1] != 'Z' {
			return 0, false
		}
		s = s[:len(s)-1]
	}
	if len(s) < 16 || s[10] != d.sep || len(s) < 19 && d.sep == ' ' {
		return 0, false
	}
	days, ok := d.dates.of(s)
	if !ok {
		return 0, false
	}
	us, ok := batch.ParseTime(s[11:])
	return batch.TruncTime(days*batch.Day+us, t.P), ok
}

// text reads any value into a STRING column: strings as they are, numbers and
// literals as written, objects and arrays as JSON without blanks.
func (d *jsonDecoder) text(v *batch.Vec, i int) int {
	if d.b[i] == '"' {
		e, esc := d.str(i + 1)
		switch {
		case e < 0:
			return -1
		case esc:
			v.AppendBytes(d.unescape(i+1, e))
		default:
			v.AppendBytes(d.b[i+1 : e])
		}
		return e + 1
	}
	e := d.skip(i)
	if e < 0 {
		return -1
	}
	at := len(v.Data)
	out := compact(v.Data, d.b[i:e])
	v.Data = out[:at]
	v.AppendBytes(out[at:])
	return e
}

// compact appends checked JSON without the blanks outside strings.
func compact(dst, b []byte) []byte {
	quoted := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		if !quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			continue
		}
		dst = append(dst, c)
		if quoted && c == '\\' {
			i++
			dst = append(dst, b[i])
		} else if c == '"' {
			quoted = !quoted
		}
	}
	return dst
}

func (d *jsonDecoder) array(n *jsonNode, v *batch.Vec, i int) int {
	if !d.down(i) {
		return -1
	}
	from, el := v.Child[0].Len(), &n.kids[0]
	i = d.ws(i + 1)
	if i < len(d.b) && d.b[i] == ']' {
		d.depth--
		v.AppendList(from)
		return i + 1
	}
	for {
		if i = d.value(el, &v.Child[0], d.ws(i), v.Child[0].Len()); i < 0 {
			return -1
		}
		if i = d.ws(i); i >= len(d.b) || d.b[i] != ',' && d.b[i] != ']' {
			return d.fail(Syntax, i, "expected ',' or ']'")
		}
		i++
		if d.b[i-1] == ']' {
			d.depth--
			v.AppendList(from)
			return i
		}
	}
}

// mapping reads an object into a MAP or MULTISET. Of equal keys the last counts,
// at the place of the first.
func (d *jsonDecoder) mapping(n *jsonNode, v *batch.Vec, i int) int {
	if !d.down(i) {
		return -1
	}
	from := v.Child[0].Len()
	val := jsonNode{t: batch.TypeBigInt, want: true}
	if n.t.SQL == batch.Map {
		val = n.kids[1]
	}
	for first := true; ; first = false {
		k, ke, j := d.key(i+1, first)
		if j < 0 {
			return -1
		}
		if i = j; ke < 0 {
			i--
			break
		}
		v.Child[0].AppendBytes(d.name(k, ke))
		d.path = append(d.path, string(v.Child[0].Bytes(v.Child[0].Len()-1)))
		if i = d.value(&val, &v.Child[1], i, v.Child[1].Len()); i < 0 {
			return -1
		}
		d.path = d.path[:len(d.path)-1]
		if i = d.ws(i); i >= len(d.b) || d.b[i] != ',' && d.b[i] != '}' {
			return d.fail(Syntax, i, "expected ',' or '}'")
		}
		if d.b[i] == '}' {
			break
		}
	}
	d.depth--
	dedupe(v, from)
	v.AppendList(from)
	return i + 1
}

// dedupe removes entries from position from on whose key comes again.
func dedupe(v *batch.Vec, from int) {
	n := v.Child[0].Len()
	double := n-from > 16
	for j := from + 1; j < n && !double; j++ {
		for h := from; h < j && !double; h++ {
			double = bytes.Equal(v.Child[0].Bytes(h), v.Child[0].Bytes(j))
		}
	}
	if !double {
		return
	}
	last := make(map[string]int, n-from)
	for j := from; j < n; j++ {
		last[string(v.Child[0].Bytes(j))] = j
	}
	if len(last) == n-from {
		return
	}
	k, x := v.Child[0], v.Child[1]
	key, val := batch.Vec{Kind: k.Kind}, emptyLike(&x)
	for j := from; j < n; j++ {
		name := string(k.Bytes(j))
		if at, ok := last[name]; ok {
			key.AppendFrom(&k, j)
			val.AppendFrom(&x, at)
			delete(last, name)
		}
	}
	truncate(&v.Child[0], from)
	truncate(&v.Child[1], from)
	for j := range key.Len() {
		v.Child[0].AppendFrom(&key, j)
		v.Child[1].AppendFrom(&val, j)
	}
}

func emptyLike(v *batch.Vec) batch.Vec {
	e := batch.Vec{Kind: v.Kind}
	for c := range v.Child {
		e.Child = append(e.Child, emptyLike(&v.Child[c]))
	}
	return e
}
