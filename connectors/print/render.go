package print

import (
	"strconv"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// Renderer turns rows into lines. The zero value of everything but Schema is the
// text form without identifier. It may be used by several goroutines.
type Renderer struct {
	Schema     *batch.Schema
	Skip       []bool // by column: not shown; nil = all are
	JSON       bool
	Sink       string // JSON: the table's name
	Stmt       int    // JSON: n for the n-th bare SELECT of a file
	Identifier string // text: printed before each row, with "> "
}

// Append writes stored row i of b as one line with a line feed.
func (r *Renderer) Append(dst []byte, b *batch.Batch, i int, kind connectors.Kind) []byte {
	if r.JSON {
		return r.appendJSON(dst, b, i, kind)
	}
	if r.Identifier != "" {
		dst = append(append(dst, r.Identifier...), "> "...)
	}
	dst = append(append(dst, kind.String()...), '[')
	some := false
	for c, f := range r.Schema.Fields {
		if r.skips(c) {
			continue
		}
		if some {
			dst = append(dst, ", "...)
		}
		some = true
		dst = b.Cols[c].AppendText(dst, i, f.Type)
	}
	return append(dst, "]\n"...)
}

func (r *Renderer) appendJSON(dst []byte, b *batch.Batch, i int, kind connectors.Kind) []byte {
	dst = append(append(dst, `{"op":"`...), kind.String()...)
	dst = batch.AppendQuoted(append(dst, `","sink":`...), []byte(r.Sink))
	if r.Stmt > 0 {
		dst = strconv.AppendInt(append(dst, `,"stmt":`...), int64(r.Stmt), 10)
	}
	dst = append(dst, `,"row":{`...)
	some := false
	for c, f := range r.Schema.Fields {
		if r.skips(c) {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		dst = append(batch.AppendQuoted(dst, []byte(f.Name)), ':')
		dst = b.Cols[c].AppendJSON(dst, i, f.Type, batch.JSONStyle{})
	}
	return append(dst, "}}\n"...)
}

func (r *Renderer) skips(c int) bool {
	return r.Schema.Fields[c].Hidden() || r.Skip != nil && r.Skip[c]
}
