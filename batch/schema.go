package batch

import "strings"

// TimeAttr says whether a column is a time attribute: a column that windows,
// interval joins and time-ordered operators may be built on.
type TimeAttr uint8

const (
	NoTime   TimeAttr = iota
	Rowtime           // event time: a watermark follows this column
	Proctime          // processing time: PROCTIME()
)

// Field is one named column.
type Field struct {
	Name string
	Type Type
	Time TimeAttr
}

// Hidden tells a column that the engine adds ($pos, $raw, $wm): never shown,
// never written, not part of identity.
func (f Field) Hidden() bool { return strings.HasPrefix(f.Name, "$") }

// Schema names and types the columns of a batch. It is immutable once built.
type Schema struct{ Fields []Field }

// NewSchema builds a schema of the given fields.
func NewSchema(f ...Field) *Schema { return &Schema{Fields: f} }

// Index returns the position of the column with this exact name, or -1.
func (s *Schema) Index(name string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Pick returns the schema of the columns cols, in that order.
func (s *Schema) Pick(cols []int) *Schema {
	f := make([]Field, len(cols))
	for i, c := range cols {
		f[i] = s.Fields[c]
	}
	return &Schema{Fields: f}
}

// Concat returns the columns of s followed by those of t.
func (s *Schema) Concat(t *Schema) *Schema {
	f := make([]Field, 0, len(s.Fields)+len(t.Fields))
	return &Schema{Fields: append(append(f, s.Fields...), t.Fields...)}
}

// Types returns the columns' types.
func (s *Schema) Types() []Type {
	t := make([]Type, len(s.Fields))
	for i, f := range s.Fields {
		t[i] = f.Type
	}
	return t
}

// String writes "(a INT, b STRING)"; time attributes are marked *ROWTIME*, *PROCTIME*.
func (s *Schema) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Name + " " + f.Type.String())
		switch f.Time {
		case Rowtime:
			b.WriteString(" *ROWTIME*")
		case Proctime:
			b.WriteString(" *PROCTIME*")
		}
	}
	return b.String() + ")"
}
