package dsl

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// oneRow is what a SELECT without FROM reads.
func (b *binder) oneRow() *relation {
	n := b.literalRows(batch.NewSchema(batch.Field{Name: "row", Type: batch.TypeBool.With(true)}), [][]*ex.Const{{ex.Bool(true)}})
	return &relation{node: n}
}

// literalRows is a table of constants of the schema's types.
func (b *binder) literalRows(s *batch.Schema, rows [][]*ex.Const) ops.Node {
	var key strings.Builder
	key.WriteString("values|" + fieldKey(s.Fields))
	for _, r := range rows {
		key.WriteByte('\n')
		for _, c := range r {
			key.WriteString(ex.Key(c) + ",")
		}
	}
	return b.in.intern(key.String(), nil, func() ops.Node {
		cols := make([]batch.Vec, len(s.Fields))
		for i, f := range s.Fields {
			cols[i] = batch.NewVec(f.Type, len(rows))
			for _, r := range rows {
				cols[i].AppendFrom(&r[i].V, 0)
			}
		}
		return ops.NewValues(s, cols, len(rows))
	})
}

// values binds VALUES. Rows of constants are one table; a row with anything else is computed from a table of one row.
func (b *binder) values(v *ast.Values) *relation {
	sc := &scope{clause: "VALUES"}
	var rows [][]ex.Expr
	for _, r := range v.Rows {
		if len(rows) > 0 && len(r.Exprs) != len(rows[0]) {
			fail("SD3009", b.headOf(r.Span), "this row has %d values, the first one has %d", len(r.Exprs), len(rows[0]))
		}
		var row []ex.Expr
		for _, e := range r.Exprs {
			row = append(row, ex.Fold(b.expr(e, sc)))
		}
		rows = append(rows, row)
	}
	fields := make([]batch.Field, len(rows[0]))
	for c := range fields {
		t := rows[0][c].Type()
		for i, r := range rows[1:] {
			u, err := ex.Common(t, r[c].Type())
			if err != nil {
				fail("SD3009", b.head(v.Rows[i+1].Exprs[c]), "column %d of VALUES: %s", c+1, err.Error())
			}
			t = u
		}
		fields[c] = batch.Field{Name: fmt.Sprintf("EXPR$%d", c), Type: t}
	}
	var consts [][]*ex.Const
	for _, r := range rows {
		row := make([]*ex.Const, len(r))
		for c, e := range r {
			if x, err := ex.Cast(e, fields[c].Type.With(false), false); err == nil {
				r[c] = ex.Fold(x)
			}
			row[c], _ = constant(r[c], fields[c].Type)
		}
		consts = append(consts, row)
	}
	return relationOf(b.rowsOf(&batch.Schema{Fields: fields}, rows, consts), "")
}

// constant returns e as a constant of type t. A string's length does not matter.
func constant(e ex.Expr, t batch.Type) (*ex.Const, bool) {
	if c, ok := e.(*ex.Const); ok && c.V.Kind == t.Kind() {
		return c, true
	}
	if x, ok := ex.CastOf(e); ok && t.IsString() && x.Type().IsString() {
		if c, ok := x.(*ex.Const); ok && t.SQL == batch.Varchar {
			return c, true
		}
	}
	return nil, false
}

func (b *binder) rowsOf(s *batch.Schema, rows [][]ex.Expr, consts [][]*ex.Const) ops.Node {
	var parts []ops.Node
	var run [][]*ex.Const
	flush := func() {
		if len(run) > 0 {
			parts = append(parts, b.literalRows(s, run))
			run = nil
		}
	}
	for i, r := range consts {
		whole := true
		for _, c := range r {
			whole = whole && c != nil
		}
		if whole {
			run = append(run, r)
			continue
		}
		flush()
		parts = append(parts, b.project(b.oneRow().node, rows[i], s.Fields))
	}
	flush()
	if len(parts) == 1 {
		return parts[0]
	}
	return b.union(parts)
}
