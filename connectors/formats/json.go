package formats

import (
	"encoding/binary"
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func init() {
	register(&Format{
		Name: "json", Doc: "one JSON object a record", Ext: "json", Keys: jsonKeys, Accepts: connectors.AppendOnly,
		Decoder: func(s *Spec) (Decoder, error) { return newJSON(s, "json") },
		Encoder: func(s *Spec) (Encoder, error) { return newJSONEncoder(s, "json") },
	})
}

var jsonKeys = []connectors.OptionKey{
	{Key: "fail-on-missing-field", Default: "false", Doc: "a field that is missing is an error, else NULL"},
	{Key: "ignore-parse-errors", Default: "false", Doc: "skip malformed records, read NULL for fields that cannot be read"},
	{Key: "timestamp-format.standard", Default: "SQL", Doc: "SQL (2026-01-01 00:00:00) or ISO-8601 (2026-01-01T00:00:00)"},
	{Key: "map-null-key.mode", Default: "FAIL", Doc: "FAIL, DROP or LITERAL: what to write for a NULL key of a MAP"},
	{Key: "map-null-key.literal", Default: "null", Doc: "the key that LITERAL writes"},
	{Key: "encode.decimal-as-plain-number", Default: "false", Doc: "accepted; decimals are always written plain"},
	{Key: "encode.ignore-null-fields", Default: "false", Doc: "write no field that is NULL"},
	{Key: "decode.json-parser.enabled", Default: "true", Doc: "tunes Flink only", Ignored: true},
}

type jsonOptions struct {
	FailMissing bool   `opt:"fail-on-missing-field" default:"false"`
	Ignore      bool   `opt:"ignore-parse-errors" default:"false"`
	Standard    string `opt:"timestamp-format.standard" default:"SQL" oneof:"SQL,ISO-8601"`
	NullKey     string `opt:"map-null-key.mode" default:"FAIL" oneof:"FAIL,DROP,LITERAL"`
	NullLiteral string `opt:"map-null-key.literal" default:"null"`
	Plain       bool   `opt:"encode.decimal-as-plain-number" default:"false"`
	OmitNull    bool   `opt:"encode.ignore-null-fields" default:"false"`
}

func (s *Spec) jsonOptions(format string) (o jsonOptions, err error) {
	if err = s.options(format, &o); err != nil {
		return o, err
	}
	if o.FailMissing && o.Ignore {
		return o, s.optionError(format, "fail-on-missing-field", "fail-on-missing-field and ignore-parse-errors cannot both be true")
	}
	for _, f := range s.Fields {
		if err := s.checkJSON(format, f, f.Type); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (s *Spec) checkJSON(format string, f batch.Field, t batch.Type) error {
	if (t.SQL == batch.Map || t.SQL == batch.Multiset) && !t.Fields[0].Type.IsString() {
		return s.typeError(format, f, "; keys must be STRING")
	}
	for _, c := range t.Fields {
		if err := s.checkJSON(format, f, c.Type); err != nil {
			return err
		}
	}
	return nil
}

// jsonNode is what is expected at one place of the record.
type jsonNode struct {
	name   string
	lit    []byte // "name":
	t      batch.Type
	want   bool
	kids   []jsonNode     // ROW: fields; ARRAY: element; MAP: key, value
	byName map[string]int // of kids, when there are many
}

func newNode(name string, t batch.Type) jsonNode {
	n := jsonNode{name: name, t: t, want: true, lit: append(batch.AppendQuoted(nil, []byte(name)), ':')}
	for _, f := range t.Fields {
		n.kids = append(n.kids, newNode(f.Name, f.Type))
	}
	n.index()
	return n
}

func (n *jsonNode) index() {
	if len(n.kids) > 8 {
		n.byName = map[string]int{}
		for i := len(n.kids) - 1; i >= 0; i-- {
			n.byName[n.kids[i].name] = i
		}
	}
}

func (n *jsonNode) find(name []byte) int {
	if n.byName != nil {
		if i, ok := n.byName[string(name)]; ok {
			return i
		}
		return -1
	}
	for i := range n.kids {
		if n.kids[i].name == string(name) {
			return i
		}
	}
	return -1
}

// jsonDecoder reads objects straight into columns. It speculates that fields
// come in the order of the schema, with no blanks, and looks a name up only
// when they do not.
type jsonDecoder struct {
	scanner
	jsonOptions
	root  jsonNode
	cols  []int
	bad   []Problem
	path  []string // names of the fields that are being read
	dates dateCache
	sep   byte
}

func newJSON(s *Spec, format string) (*jsonDecoder, error) {
	o, err := s.jsonOptions(format)
	if err != nil {
		return nil, err
	}
	d := &jsonDecoder{jsonOptions: o, sep: ' '}
	if o.Standard == "ISO-8601" {
		d.sep = 'T'
	}
	for i, f := range s.Fields {
		n := newNode(f.Name, f.Type)
		c := s.col(i)
		n.want = s.Want.Has(c)
		if f.Type.SQL == batch.RowType {
			for k := range n.kids {
				n.kids[k].want = s.Want.HasField(c, k)
			}
		}
		d.root.kids = append(d.root.kids, n)
		d.cols = append(d.cols, c)
	}
	d.root.index()
	return d, nil
}

func (d *jsonDecoder) Weights() []int64 { return nil }

func (d *jsonDecoder) Decode(b *batch.Batch, rec []byte) (int, []Problem) {
	d.bad = d.bad[:0]
	d.reset(rec)
	i := d.ws(0)
	if i >= len(rec) || rec[i] != '{' {
		return d.noObject(b, i)
	}
	if i = d.object(&d.root, b.Cols, d.cols, i, b.N); i < 0 {
		return 0, d.drop(b, b.N)
	}
	if i = d.ws(i); i < len(rec) {
		d.fail(Syntax, i, "text behind the end of the object")
		return 0, d.drop(b, b.N)
	}
	return 1, d.bad
}

// noObject handles a record that has no object at i. Nothing and null are no rows.
func (d *jsonDecoder) noObject(b *batch.Batch, i int) (int, []Problem) {
	if i == len(d.b) {
		return 0, nil
	}
	null := d.b[i] == 'n'
	if i = d.skip(i); i >= 0 {
		if i = d.ws(i); i < len(d.b) {
			d.fail(Syntax, i, "text behind the end of the value")
		} else if null {
			return 0, nil
		}
		d.fail(NotObject, 0, "the record is not an object")
	}
	return 0, d.drop(b, b.N)
}

// drop takes back what a record without row has appended and notes its fault.
func (d *jsonDecoder) drop(b *batch.Batch, n int) []Problem {
	for f, c := range d.cols {
		if d.root.kids[f].want {
			truncate(&b.Cols[c], n)
		}
	}
	field := ""
	for k, p := range d.path {
		if k > 0 {
			field += "."
		}
		field += p
	}
	d.path = d.path[:0]
	msg := d.msg
	if d.code == Syntax || d.code == BadUTF8 || d.code == TooDeep {
		msg = fmt.Sprintf("%s at byte %d: %s", d.msg, d.at+1, excerpt(d.b, d.at))
	}
	d.bad = append(d.bad[:0], Problem{Code: d.code, Field: field, Msg: msg, Skipped: d.Ignore})
	return d.bad
}

// excerpt quotes a few bytes around at.
func excerpt(b []byte, at int) string {
	from, to := max(at-20, 0), min(at+20, len(b))
	return fmt.Sprintf("%q", b[from:to])
}

// object reads the object at i into columns cols[idx[k]] (nil idx: cols[k]) for
// kid k of n; row is the number of the row that is made.
func (d *jsonDecoder) object(n *jsonNode, cols []batch.Vec, idx []int, i, row int) int {
	if !d.down(i) {
		return -1
	}
	i++
	b, kids := d.b, n.kids
	var few [4]uint64
	seen := few[:]
	if len(kids) > 256 {
		seen = make([]uint64, (len(kids)+63)/64)
	}
	next, left := 0, len(kids)
	for first := true; ; first = false {
		k := -1
		if i < len(b) && b[i] <= ' ' {
			i = d.ws(i)
		}
		// Fast path: the next field of the schema, written as we would.
		if next < len(kids) {
			if l := kids[next].lit; len(b)-i > len(l) && string(b[i:i+len(l)]) == string(l) {
				k = next
				i = d.ws(i + len(l))
			}
		}
		if k < 0 {
			s, e, j := d.key(i, first)
			if j < 0 {
				return -1
			}
			if i = j; e < 0 {
				break
			}
			k = n.find(d.name(s, e))
		}
		if k < 0 || !kids[k].want {
			if i = d.skip(i); i < 0 {
				return -1
			}
			if k >= 0 {
				next = k + 1
				left -= note(seen, k)
			}
		} else {
			c := k
			if idx != nil {
				c = idx[k]
			}
			next = k + 1
			if note(seen, k) == 0 {
				truncate(&cols[c], row) // the last of equal names counts
			} else {
				left--
			}
			d.path = append(d.path, kids[k].name)
			if i = d.value(&kids[k], &cols[c], i, row); i < 0 {
				return -1
			}
			d.path = d.path[:len(d.path)-1]
		}
		if i >= len(b) || b[i] != ',' {
			i = d.ws(i)
		}
		if i < len(b) && b[i] == ',' {
			i++
			continue
		}
		if i >= len(b) || b[i] != '}' {
			return d.fail(Syntax, i, "expected ',' or '}'")
		}
		i++
		break
	}
	d.depth--
	if left > 0 && !d.missing(n, cols, idx, seen, row) {
		return -1
	}
	return i
}

// note sets bit k and returns 1 if it was not set.
func note(seen []uint64, k int) int {
	was := seen[k>>6] >> (k & 63) & 1
	seen[k>>6] |= 1 << (k & 63)
	return 1 - int(was)
}

// missing fills the fields that were not there.
func (d *jsonDecoder) missing(n *jsonNode, cols []batch.Vec, idx []int, seen []uint64, row int) bool {
	for k := range n.kids {
		if seen[k>>6]>>(k&63)&1 != 0 || !n.kids[k].want {
			continue
		}
		if d.FailMissing {
			d.path = append(d.path, n.kids[k].name)
			d.fail(MissingField, 0, fmt.Sprintf("field %q is missing", n.kids[k].name))
			return false
		}
		c := k
		if idx != nil {
			c = idx[k]
		}
		n.kids[k].null(&cols[c], row)
	}
	return true
}

// null appends NULL as row number row: to the wanted fields of a ROW only.
func (n *jsonNode) null(v *batch.Vec, row int) {
	if v.Kind == batch.Row {
		for k := range n.kids {
			if n.kids[k].want {
				n.kids[k].null(&v.Child[k], row)
			}
		}
		v.SetNull(row, row+1)
		return
	}
	v.AppendNull()
}

// truncate takes rows from n on away. Bytes and list elements that no row points
// to stay behind.
func truncate(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Bool:
		v.B = v.B[:min(n, len(v.B))]
	case batch.Int:
		v.I = v.I[:min(n, len(v.I))]
	case batch.Float:
		v.F = v.F[:min(n, len(v.F))]
	case batch.Wide:
		v.Hi, v.Lo = v.Hi[:min(n, len(v.Hi))], v.Lo[:min(n, len(v.Lo))]
	case batch.Str:
		v.View = v.View[:min(n, len(v.View))]
	case batch.Row:
		for c := range v.Child {
			truncate(&v.Child[c], n)
		}
	case batch.List:
		v.View = v.View[:min(n, len(v.View))]
		// The children of a list grow together; a half-read element does not.
		least := v.Child[0].Len()
		for c := range v.Child {
			least = min(least, leastLen(&v.Child[c]))
		}
		for c := range v.Child {
			truncate(&v.Child[c], least)
		}
	}
	if v.Null != nil {
		v.Null = v.Null[:min(len(v.Null), (n+63)>>6)]
		if n&63 != 0 && n>>6 < len(v.Null) {
			v.Null[n>>6] &= 1<<(n&63) - 1
		}
		if n == 0 {
			v.Null = nil
		}
	}
}

func leastLen(v *batch.Vec) int {
	if v.Kind != batch.Row {
		return v.Len()
	}
	n := leastLen(&v.Child[0])
	for c := range v.Child {
		n = min(n, leastLen(&v.Child[c]))
	}
	return n
}

// dateCache keeps the last date, which is mostly that of the next value too.
type dateCache struct {
	d8   uint64
	d2   uint16
	days int64
}

// of returns the days of the date in b[:10].
func (c *dateCache) of(b []byte) (int64, bool) {
	d8, d2 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint16(b[8:])
	if d8 == c.d8 && d2 == c.d2 && d8 != 0 {
		return c.days, true
	}
	days, ok := batch.ParseDate(b[:10])
	if ok {
		c.d8, c.d2, c.days = d8, d2, days
	}
	return days, ok
}
