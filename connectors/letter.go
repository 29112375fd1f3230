package connectors

import (
	"strconv"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
)

// Letter is a dead letter: a row that could not go on, with the record it came
// from and why.
type Letter struct {
	Origin
	HasOrigin bool   // false: rows of no single record (a sum, a pair), or of a source that keeps none
	Job       string // who rejected it
	Table     string // the source's table; for a row that a sink refused, the sink's
	Reason    string // operators.Reason
	Code      string // SD6xxx
	Message   string
	Field     string // the column, where one is to blame
	Place     string // "topic/partition/offset" or "file:line", where known
	Operator  string // which one rejected it: "scan", "project"
	At        string // its place in the pipeline's text, "file:line:column"
	Row       string // the row as it was then, as text; "" = it was never decoded
	When      int64  // the step's time, µs since 1970
}

var headersType = batch.MapOf(batch.TypeString.With(true), batch.TypeBytes)

// TopicLetters are the columns of letters in a topic: key and value are those of
// the record, byte for byte, and headers are the record's own with the letter's
// fields behind them, so that the record can be sent again as it was.
var TopicLetters = &batch.Schema{Fields: []batch.Field{
	{Name: "key", Type: batch.TypeBytes}, {Name: "value", Type: batch.TypeBytes}, {Name: "headers", Type: headersType}}}

// FileLetters are the columns of letters in files. Bytes that are text stand as
// text, others in the column beside it.
var FileLetters = fileSchema()

func fileSchema() *batch.Schema {
	s := &batch.Schema{}
	add := func(t batch.Type, names ...string) {
		for _, n := range names {
			s.Fields = append(s.Fields, batch.Field{Name: n, Type: t})
		}
	}
	add(batch.TypeString, "job", "table", "reason", "code", "message", "field", "place", "operator", "at", "row")
	add(batch.Type{SQL: batch.TimestampLTZ, P: 3}, "rejected_at")
	add(batch.TypeString, "topic")
	add(batch.TypeInt, "partition")
	add(batch.TypeBigInt, "offset")
	add(batch.Type{SQL: batch.TimestampLTZ, P: 3}, "timestamp")
	add(headersType, "headers")
	add(batch.TypeString, "key")
	add(batch.TypeBytes, "key_base64")
	add(batch.TypeString, "raw")
	add(batch.TypeBytes, "raw_base64")
	return s
}

// HeaderPrefix stands before the names of a letter's own headers in a topic.
const HeaderPrefix = "streamd."

// AppendTo adds the letter as a row to b, which has the columns TopicLetters or
// FileLetters.
func (l *Letter) AppendTo(b *batch.Batch) {
	if len(b.Cols) == len(TopicLetters.Fields) {
		l.toTopic(b)
	} else {
		l.toFile(b)
	}
	b.AddWeight(1)
}

func (l *Letter) toTopic(b *batch.Batch) {
	value := l.Value
	if value == nil && (!l.HasOrigin || l.Topic == "") {
		value = []byte(l.Row)
	}
	orNull(&b.Cols[0], l.Key)
	orNull(&b.Cols[1], value)
	h := &b.Cols[2]
	from := h.Child[0].Len()
	for _, x := range l.Headers {
		h.Child[0].AppendString(x.Key)
		orNull(&h.Child[1], x.Value)
	}
	for _, f := range l.fields() {
		if f.value != "" {
			h.Child[0].AppendString(HeaderPrefix + f.name)
			h.Child[1].AppendString(f.value)
		}
	}
	h.AppendList(from)
}

type letterField struct{ name, value string }

func (l *Letter) fields() []letterField {
	f := []letterField{{"job", l.Job}, {"table", l.Table}, {"reason", l.Reason}, {"code", l.Code}, {"message", l.Message}, {"field", l.Field},
		{"place", l.Place}, {"operator", l.Operator}, {"at", l.At}, {"row", l.Row}}
	if l.HasOrigin && l.Topic != "" {
		f = append(f, letterField{"topic", l.Topic}, letterField{"partition", strconv.Itoa(int(l.Part))}, letterField{"offset", strconv.FormatInt(l.Offset, 10)})
		if l.Time >= 0 {
			f = append(f, letterField{"timestamp", strconv.FormatInt(l.Time, 10)})
		}
	}
	return f
}

func (l *Letter) toFile(b *batch.Batch) {
	for c, s := range []string{l.Job, l.Table, l.Reason, l.Code, l.Message, l.Field, l.Place, l.Operator, l.At, l.Row} {
		if s == "" {
			b.Cols[c].AppendNull()
		} else {
			b.Cols[c].AppendString(s)
		}
	}
	c := b.Cols[10:]
	c[0].AppendInt(l.When)
	if l.HasOrigin && l.Topic != "" {
		c[1].AppendString(l.Topic)
		c[2].AppendInt(int64(l.Part))
		c[3].AppendInt(l.Offset)
	} else {
		c[1].AppendNull()
		c[2].AppendNull()
		c[3].AppendNull()
	}
	if l.HasOrigin && l.Topic != "" && l.Time >= 0 {
		c[4].AppendInt(l.Time * 1000)
	} else {
		c[4].AppendNull()
	}
	if from := c[5].Child[0].Len(); len(l.Headers) > 0 {
		for _, h := range l.Headers {
			c[5].Child[0].AppendString(h.Key)
			orNull(&c[5].Child[1], h.Value)
		}
		c[5].AppendList(from)
	} else {
		c[5].AppendNull()
	}
	textOrBytes(&c[6], &c[7], l.Key)
	textOrBytes(&c[8], &c[9], l.Value)
}

func orNull(v *batch.Vec, b []byte) {
	if b == nil {
		v.AppendNull()
	} else {
		v.AppendBytes(b)
	}
}

func textOrBytes(text, bytes *batch.Vec, b []byte) {
	switch {
	case b == nil:
		text.AppendNull()
		bytes.AppendNull()
	case utf8.Valid(b):
		text.AppendBytes(b)
		bytes.AppendNull()
	default:
		text.AppendNull()
		bytes.AppendBytes(b)
	}
}
