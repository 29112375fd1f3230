package formats

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// jsonEncoder writes rows as objects with the columns in order.
type jsonEncoder struct {
	jsonOptions
	root  writer
	cols  []int
	style batch.JSONStyle
}

// writer is a type with the quoted names of its fields.
type writer struct {
	t     batch.Type
	names [][]byte // "name":
	kids  []writer
}

func newWriter(t batch.Type) writer {
	w := writer{t: t}
	for _, f := range t.Fields {
		w.names = append(w.names, append(batch.AppendQuoted(nil, []byte(f.Name)), ':'))
		w.kids = append(w.kids, newWriter(f.Type))
	}
	return w
}

func newJSONEncoder(s *Spec, format string) (*jsonEncoder, error) {
	o, err := s.jsonOptions(format)
	if err != nil {
		return nil, err
	}
	e := &jsonEncoder{jsonOptions: o, root: newWriter(batch.Type{SQL: batch.RowType, Fields: s.Fields}), style: batch.JSONStyle{ISO: o.Standard == "ISO-8601"}}
	for i := range s.Fields {
		e.cols = append(e.cols, s.col(i))
	}
	return e, nil
}

func (e *jsonEncoder) Append(dst []byte, b *batch.Batch, i int, _ connectors.Kind) ([]byte, bool, error) {
	dst, err := e.row(dst, &e.root, b.Cols, e.cols, i)
	return dst, false, err
}

func (e *jsonEncoder) row(dst []byte, w *writer, cols []batch.Vec, idx []int, i int) ([]byte, error) {
	var err error
	dst = append(dst, '{')
	some := false
	for k := range w.kids {
		c := k
		if idx != nil {
			c = idx[k]
		}
		v := &cols[c]
		if e.OmitNull && v.IsNull(i) {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		if dst, err = e.value(append(dst, w.names[k]...), &w.kids[k], v, i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (e *jsonEncoder) value(dst []byte, w *writer, v *batch.Vec, i int) ([]byte, error) {
	if v.IsNull(i) {
		return append(dst, "null"...), nil
	}
	var err error
	switch w.t.SQL {
	case batch.RowType:
		return e.row(dst, w, v.Child, nil, i)
	case batch.Array:
		dst = append(dst, '[')
		from, to := v.Span(i)
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, ',')
			}
			if dst, err = e.value(dst, &w.kids[0], &v.Child[0], j); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case batch.Map, batch.Multiset:
		return e.mapping(dst, w, v, i)
	}
	return v.AppendJSON(dst, i, w.t, e.style), nil
}

func (e *jsonEncoder) mapping(dst []byte, w *writer, v *batch.Vec, i int) ([]byte, error) {
	dst = append(dst, '{')
	from, to := v.Span(i)
	some := false
	val := writer{t: batch.TypeBigInt}
	if w.t.SQL == batch.Map {
		val = w.kids[1]
	}
	for j := from; j < to; j++ {
		null := v.Child[0].IsNull(j)
		if null && e.NullKey == "DROP" {
			continue
		}
		if null && e.NullKey == "FAIL" {
			return dst, &Problem{Code: NullKey, Msg: "a MAP with a NULL key cannot be written as JSON"}
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		if null {
			dst = batch.AppendQuoted(dst, []byte(e.NullLiteral))
		} else {
			dst = batch.AppendQuoted(dst, v.Child[0].Bytes(j))
		}
		var err error
		if dst, err = e.value(append(dst, ':'), &val, &v.Child[1], j); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
