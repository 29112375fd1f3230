package formats

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func init() {
	register(&Format{
		Name: "csv", Doc: "delimited text without header, one record a line", Ext: "csv", Accepts: connectors.AppendOnly,
		Keys: []connectors.OptionKey{
			{Key: "field-delimiter", Default: ",", Doc: "between fields: one character or \\t"},
			{Key: "disable-quote-character", Default: "false", Doc: "fields are never quoted"},
			{Key: "quote-character", Default: `"`, Doc: "around fields; doubled inside them"},
			{Key: "allow-comments", Default: "false", Doc: "skip lines that begin with #"},
			{Key: "ignore-parse-errors", Default: "false", Doc: "skip malformed lines, read NULL for fields that cannot be read"},
			{Key: "array-element-delimiter", Default: ";", Doc: "between the elements of ARRAY and ROW"},
			{Key: "escape-character", Doc: "takes the meaning from the next character"},
			{Key: "null-literal", Doc: "the text that means NULL"},
			{Key: "write-bigdecimal-in-scientific-notation", Default: "true", Doc: "accepted; decimals are always written plain"},
		},
		Decoder: func(s *Spec) (Decoder, error) { return newCSV(s) },
		Encoder: func(s *Spec) (Encoder, error) { return newCSV(s) },
	})
}

type csvOptions struct {
	Delimiter string  `opt:"field-delimiter" default:","`
	NoQuote   bool    `opt:"disable-quote-character" default:"false"`
	Quote     string  `opt:"quote-character" default:"\""`
	Comments  bool    `opt:"allow-comments" default:"false"`
	Ignore    bool    `opt:"ignore-parse-errors" default:"false"`
	Element   string  `opt:"array-element-delimiter" default:";"`
	Escape    string  `opt:"escape-character" default:""`
	Null      *string `opt:"null-literal"`
	Plain     bool    `opt:"write-bigdecimal-in-scientific-notation" default:"true"`
}

// csv reads and writes one line. It reads as RFC 4180 says, but a line feed ends
// the line also inside quotes.
type csv struct {
	csvOptions
	fields       []batch.Field
	cols         []int
	want         []bool
	delim, quote byte
	escape       byte // 0 = none
	hasQuote     bool
	bad          []Problem
	text         []byte // of a field with quotes or escapes
	spans        []csvField
}

// csvField is a field of a line: a span of the line, or of csv.text when it had to be rewritten.
type csvField struct {
	from, to int
	own      bool // in csv.text
	quoted   bool
}

func newCSV(s *Spec) (*csv, error) {
	c := &csv{fields: s.Fields}
	if err := s.options("csv", &c.csvOptions); err != nil {
		return nil, err
	}
	one := func(key, v string, into *byte) error {
		if v == `\t` {
			v = "\t"
		}
		if len(v) != 1 || v[0] >= utf8.RuneSelf || v == "\n" || v == "\r" {
			return s.optionError("csv", key, fmt.Sprintf("option %q must be one ASCII character", s.Prefix+"csv."+key))
		}
		*into = v[0]
		return nil
	}
	if err := one("field-delimiter", c.Delimiter, &c.delim); err != nil {
		return nil, err
	}
	if c.hasQuote = !c.NoQuote; c.hasQuote {
		if err := one("quote-character", c.Quote, &c.quote); err != nil {
			return nil, err
		}
	}
	if c.Escape != "" {
		if err := one("escape-character", c.Escape, &c.escape); err != nil {
			return nil, err
		}
	}
	if c.Element == "" {
		return nil, s.optionError("csv", "array-element-delimiter", "the delimiter of elements is empty")
	}
	for i, f := range s.Fields {
		if !flat(f.Type, true) {
			return nil, s.typeError("csv", f, "; use json for nested types")
		}
		c.cols = append(c.cols, s.col(i))
		c.want = append(c.want, s.Want.Has(s.col(i)))
	}
	return c, nil
}

// flat tells a type that csv can hold: scalars, and once ARRAY or ROW of them.
func flat(t batch.Type, nested bool) bool {
	switch t.SQL {
	case batch.Map, batch.Multiset:
		return false
	case batch.Array, batch.RowType:
		for _, f := range t.Fields {
			if !nested || !flat(f.Type, false) {
				return false
			}
		}
	}
	return true
}

func (c *csv) Weights() []int64 { return nil }

func (c *csv) Decode(b *batch.Batch, rec []byte) (int, []Problem) {
	c.bad = c.bad[:0]
	rec = bytes.TrimSuffix(rec, []byte("\r"))
	if c.Comments && len(rec) > 0 && rec[0] == '#' {
		return 0, nil
	}
	if p := c.split(rec); p != nil {
		p.Skipped = c.Ignore
		return 0, append(c.bad, *p)
	}
	if len(c.spans) != len(c.fields) && !c.Ignore {
		p := Problem{Code: FieldCount, Msg: fmt.Sprintf("%d fields for %d columns", len(c.spans), len(c.fields))}
		if len(c.spans) == 1 {
			p.Msg = fmt.Sprintf("1 field for %d columns; is %q what stands between them (csv.field-delimiter)?", len(c.fields), c.delim)
		}
		return 0, append(c.bad, p)
	}
	for i, f := range c.fields {
		if !c.want[i] {
			continue
		}
		v := &b.Cols[c.cols[i]]
		if i >= len(c.spans) {
			v.AppendNull()
			continue
		}
		s, x := rec, c.spans[i]
		if x.own {
			s = c.text
		}
		s = s[x.from:x.to]
		read := c.field
		if x.quoted {
			read = c.value // what is quoted is not the null literal
		}
		if code := read(v, s, f.Type, b.N); code != "" {
			p := Problem{Code: code, Field: f.Name, Msg: fmt.Sprintf("%.60q is not a value of type %s", s, f.Type)}
			if code == OutOfRange {
				p.Msg = fmt.Sprintf("%.60q is outside the range of %s", s, f.Type)
			} else if strings.EqualFold(string(s), f.Name) {
				p.Msg += "; a line of headings is no row here: take it away, or let 'on-error' = 'skip' pass over it"
			}
			if !c.Ignore {
				for _, k := range c.cols {
					truncate(&b.Cols[k], b.N)
				}
				return 0, append(c.bad[:0], p)
			}
			truncate(v, b.N)
			v.AppendNull()
			p.Kept = true
			c.bad = append(c.bad, p)
		}
	}
	return 1, c.bad
}

// split finds the fields of a line.
func (c *csv) split(b []byte) *Problem {
	c.spans, c.text = c.spans[:0], c.text[:0]
	for i := 0; ; {
		if c.hasQuote && i < len(b) && b[i] == c.quote {
			from := len(c.text)
			n := c.quotedField(b, i+1)
			if n < 0 {
				return &Problem{Code: BadQuote, Msg: "a quoted field does not end"}
			}
			c.spans = append(c.spans, csvField{from, len(c.text), true, true})
			if i = n; i < len(b) && b[i] != c.delim {
				return &Problem{Code: BadQuote, Msg: fmt.Sprintf("text behind the closing quote of field %d", len(c.spans))}
			}
		} else {
			from, own := i, -1
			for i < len(b) && b[i] != c.delim {
				if c.escape != 0 && b[i] == c.escape && i+1 < len(b) {
					if own < 0 {
						own = len(c.text)
						c.text = append(c.text, b[from:i]...)
					}
					i++
				}
				if own >= 0 {
					c.text = append(c.text, b[i])
				}
				i++
			}
			if own >= 0 {
				c.spans = append(c.spans, csvField{own, len(c.text), true, false})
			} else {
				c.spans = append(c.spans, csvField{from, i, false, false})
			}
		}
		if i >= len(b) {
			return nil
		}
		i++
	}
}

// quotedField copies the field whose text begins at i to c.text and returns the
// index behind its closing quote, or -1.
func (c *csv) quotedField(b []byte, i int) int {
	for i < len(b) {
		switch {
		case c.escape != 0 && b[i] == c.escape && c.escape != c.quote && i+1 < len(b):
			i++
		case b[i] == c.quote:
			if i+1 >= len(b) || b[i+1] != c.quote {
				return i + 1
			}
			i++
		}
		c.text = append(c.text, b[i])
		i++
	}
	return -1
}

// field appends the value of one field, NULL for the null literal.
func (c *csv) field(v *batch.Vec, s []byte, t batch.Type, row int) Code {
	if c.Null != nil && string(s) == *c.Null {
		v.AppendNull()
		return ""
	}
	return c.value(v, s, t, row)
}

func (c *csv) value(v *batch.Vec, s []byte, t batch.Type, row int) Code {
	switch t.SQL {
	case batch.Array:
		from := v.Child[0].Len()
		for len(s) > 0 {
			el, rest, more := bytes.Cut(s, []byte(c.Element))
			if code := c.field(&v.Child[0], el, t.Fields[0].Type, v.Child[0].Len()); code != "" {
				return code
			}
			if s = rest; more && len(rest) == 0 {
				if code := c.field(&v.Child[0], nil, t.Fields[0].Type, v.Child[0].Len()); code != "" {
					return code
				}
			}
		}
		v.AppendList(from)
		return ""
	case batch.RowType:
		parts := bytes.Split(s, []byte(c.Element))
		if len(parts) != len(t.Fields) {
			return FieldCount
		}
		for k, p := range parts {
			if code := c.field(&v.Child[k], p, t.Fields[k].Type, row); code != "" {
				return code
			}
		}
		if v.Null != nil && len(v.Null) < (row+64)>>6 {
			v.Null = append(v.Null, 0)
		}
		return ""
	}
	return c.scalar(v, s, t)
}

func (c *csv) scalar(v *batch.Vec, s []byte, t batch.Type) Code {
	switch t.SQL {
	case batch.Char, batch.Varchar:
		if !utf8.Valid(s) {
			return BadUTF8
		}
		v.AppendBytes(s)
		return ""
	case batch.Binary, batch.Varbinary:
		at := len(v.Data)
		out, err := base64.StdEncoding.AppendDecode(v.Data, s)
		if err != nil {
			return WrongType
		}
		v.Data = out[:at]
		v.AppendBytes(out[at:])
		return ""
	case batch.Boolean:
		x, ok := batch.ParseBool(bytes.TrimSpace(s))
		if !ok || len(bytes.TrimSpace(s)) < 4 {
			return WrongType
		}
		v.AppendBool(x)
		return ""
	case batch.Float32, batch.Float64:
		x, ok := batch.ParseFloat(bytes.TrimSpace(s), t.SQL)
		if !ok {
			return WrongType
		}
		v.AppendFloat(x)
		return ""
	}
	return c.number(v, bytes.TrimSpace(s), t)
}

// number appends a value that is stored as an integer.
func (c *csv) number(v *batch.Vec, s []byte, t batch.Type) Code {
	var x int64
	ok := false
	switch t.SQL {
	case batch.Decimal:
		w, ok := batch.ParseDecimal(s, int(t.P), int(t.S))
		switch {
		case !ok && batch.IsNumber(s):
			v.AppendNull()
		case !ok:
			return WrongType
		case v.Kind == batch.Wide:
			v.AppendWide(w)
		default:
			v.AppendInt(int64(w.Lo))
		}
		return ""
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		if x, ok = batch.ParseInt(s, t.SQL); !ok && batch.IsNumber(s) {
			return OutOfRange
		}
	case batch.IntervalDay, batch.IntervalMonth:
		return interval(v, s, t)
	case batch.Date:
		x, ok = batch.ParseDate(s)
	case batch.Time:
		x, ok = batch.ParseTime(s)
		x = batch.TruncTime(x, t.P)
	case batch.Timestamp:
		if ok = len(s) >= 16 && s[len(s)-1] != 'Z'; ok {
			x, ok = batch.ParseTimestamp(s)
		}
		x = batch.TruncTime(x, t.P)
	case batch.TimestampLTZ:
		if ok = len(s) >= 16 && s[len(s)-1] == 'Z'; ok {
			x, ok = batch.ParseTimestamp(s)
		}
		x = batch.TruncTime(x, t.P)
	}
	if !ok {
		return WrongType
	}
	v.AppendInt(x)
	return ""
}

func (c *csv) Append(dst []byte, b *batch.Batch, i int, _ connectors.Kind) ([]byte, bool, error) {
	for k, f := range c.fields {
		if k > 0 {
			dst = append(dst, c.delim)
		}
		v := &b.Cols[c.cols[k]]
		at := len(dst)
		dst = c.write(dst, v, i, f.Type)
		if !v.IsNull(i) {
			dst = c.dress(dst, at, f.Type)
		}
	}
	return dst, false, nil
}

// write appends the bare text of a value.
func (c *csv) write(dst []byte, v *batch.Vec, i int, t batch.Type) []byte {
	if v.IsNull(i) {
		if c.Null != nil {
			return append(dst, *c.Null...)
		}
		return dst
	}
	switch t.SQL {
	case batch.Char, batch.Varchar:
		return append(dst, v.Bytes(i)...)
	case batch.Binary, batch.Varbinary:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes(i))
	case batch.Timestamp:
		return batch.AppendTimestamp(dst, v.I[i], ' ')
	case batch.TimestampLTZ:
		return append(batch.AppendTimestamp(dst, v.I[i], ' '), 'Z')
	case batch.Array:
		from, to := v.Span(i)
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, c.Element...)
			}
			dst = c.write(dst, &v.Child[0], j, t.Fields[0].Type)
		}
		return dst
	case batch.RowType:
		for k := range v.Child {
			if k > 0 {
				dst = append(dst, c.Element...)
			}
			dst = c.write(dst, &v.Child[k], i, t.Fields[k].Type)
		}
		return dst
	}
	return v.AppendText(dst, i, t)
}

// dress quotes or escapes the field that begins at at, where it needs it.
func (c *csv) dress(dst []byte, at int, t batch.Type) []byte {
	s := dst[at:]
	need := c.Comments && at == 0 && len(s) > 0 && s[0] == '#' || c.Null != nil && t.IsString() && string(s) == *c.Null
	for _, x := range s {
		need = need || x == c.delim || x == '\n' || x == '\r' || c.hasQuote && x == c.quote || c.escape != 0 && x == c.escape
	}
	if !need {
		return dst
	}
	c.text = append(c.text[:0], s...)
	dst = dst[:at]
	if c.hasQuote {
		dst = append(dst, c.quote)
	}
	for _, x := range c.text {
		switch {
		case c.escape != 0 && (x == c.escape || !c.hasQuote && x == c.delim):
			dst = append(dst, c.escape)
		case c.hasQuote && x == c.quote:
			dst = append(dst, c.quote)
		}
		dst = append(dst, x)
	}
	if c.hasQuote {
		dst = append(dst, c.quote)
	}
	return dst
}
