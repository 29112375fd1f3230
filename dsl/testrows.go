package dsl

import (
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ex "github.com/streamd/streamd/operators/expr"
)

// TestBinder computes the values that stand in a test. It has no state between calls.
type TestBinder struct{ b *binder }

// NewTestBinder returns a binder for a parsed test under the pipeline's settings.
func NewTestBinder(f *ast.File, s Settings) *TestBinder {
	b := &binder{file: f, cat: newCatalog(), in: newInterner(), set: s}
	return &TestBinder{b}
}

// TestRows are the rows of one VALUES.
type TestRows struct {
	Batch *batch.Batch // weights only where they were given
	Cols  []int        // by column of Batch: its place in the table
	At    []source.Span
}

// Rows binds VALUES to a table's columns, those that are named or all in order. With signed the first value of each row is its sign.
func (t *TestBinder) Rows(v *ast.Values, names []*ast.Name, s *batch.Schema, table *ast.QName, signed bool) (r *TestRows, d *diag.Diagnostic) {
	return r, t.catch(func() { r = t.b.testRows(v, names, s, table, signed) })
}

// Time computes a TIMESTAMP, in µs.
func (t *TestBinder) Time(e ast.Expr) (us int64, d *diag.Diagnostic) {
	return us, t.catch(func() {
		typ := batch.Type{SQL: batch.Timestamp, P: 6, NotNull: true}
		if x := t.b.expr(e, &scope{clause: "a test"}); x.Type().SQL == batch.TimestampLTZ {
			typ.SQL = batch.TimestampLTZ
		} else if x.Type().SQL != batch.Timestamp && !x.Type().IsString() {
			throw(diag.New("SD3008", t.b.head(e), "a time is a TIMESTAMP, not %s", x.Type().With(false)).WithHint("write TIMESTAMP '2026-01-01 10:00:00'"))
		}
		us = t.b.testValue(e, typ, "the time").I[0]
	})
}

// Interval computes an INTERVAL of days to seconds, in µs.
func (t *TestBinder) Interval(e ast.Expr) (us int64, d *diag.Diagnostic) {
	return us, t.catch(func() {
		if x := t.b.expr(e, &scope{clause: "a test"}); x.Type().SQL != batch.IntervalDay {
			throw(diag.New("SD3008", t.b.head(e), "the clock moves by an INTERVAL of days to seconds, not %s", x.Type().With(false)).WithHint("write INTERVAL '5' SECOND"))
		}
		us = t.b.testValue(e, batch.Type{SQL: batch.IntervalDay, NotNull: true}, "the interval").I[0]
	})
}

func (t *TestBinder) catch(f func()) *diag.Diagnostic {
	t.b.diags = nil
	t.b.catching(f, func() {})
	if len(t.b.diags) == 0 {
		return nil
	}
	t.b.diags[0].File = t.b.file.Source.Name
	return t.b.diags[0]
}

func (b *binder) testRows(v *ast.Values, names []*ast.Name, s *batch.Schema, table *ast.QName, signed bool) *TestRows {
	cols := b.testColumns(names, s, table)
	r := &TestRows{Batch: batch.New(s.Pick(cols), len(v.Rows)), Cols: cols}
	lead := 0
	if signed {
		lead = 1
	}
	for _, row := range v.Rows {
		if n := len(row.Exprs) - lead; n != len(cols) {
			d := diag.New("SD3007", b.headOf(row.Span), "the row has %d values, %q has %d columns", n, table.String(), len(cols))
			if signed {
				d.WithHint("the first value is the sign: ('+', …) was added, ('-', …) was taken away")
			}
			throw(d.WithHint("columns: %s", listed(fieldNames(r.Batch.Schema))))
		}
		w := int64(1)
		if signed {
			w = b.testSign(row.Exprs[0])
		}
		for k, e := range row.Exprs[lead:] {
			f := r.Batch.Schema.Fields[k]
			x := b.testValue(e, f.Type, "column "+f.Name)
			r.Batch.Cols[k].AppendFrom(&x, 0)
		}
		r.Batch.AddWeight(w)
		r.At = append(r.At, row.Span)
	}
	return r
}

func (b *binder) testColumns(names []*ast.Name, s *batch.Schema, table *ast.QName) (cols []int) {
	if len(names) == 0 {
		for i := range s.Fields {
			cols = append(cols, i)
		}
		return cols
	}
	seen := map[int]bool{}
	for _, n := range names {
		i := s.Index(n.String())
		if i < 0 {
			all := fieldNames(s)
			d := diag.New("SD2003", n.Span, "unknown column %q", n.String())
			if near := diag.Near(n.String(), all); near != "" {
				d.WithLabel("%q has no such column; did you mean %q?", table.String(), near)
			}
			throw(d.WithHint("columns: %s", listed(all)))
		}
		if seen[i] {
			fail("SD2005", n.Span, "column %q stands twice in the list", n.String())
		}
		seen[i] = true
		cols = append(cols, i)
	}
	return cols
}

func fieldNames(s *batch.Schema) (names []string) {
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return names
}

// testSign reads '+' or '-'. Row kinds count by their sign: how an update comes in -U and +U depends on the steps.
func (b *binder) testSign(e ast.Expr) int64 {
	l, ok := e.(*ast.Literal)
	if ok && l.Kind == ast.Str {
		switch strings.ToUpper(l.Text) {
		case "+", "+I", "+U":
			return 1
		case "-", "-U", "-D":
			return -1
		}
	}
	throw(diag.New("SD3008", b.head(e), "the first value of a change is its sign").WithHint("write ('+', …) for a row that was added, ('-', …) for one that was taken away"))
	return 0
}

// testValue computes e, which must be constant, as a value of type to. A string becomes what the column is, and a whole number is as
// narrow, so that times, decimals and TINYINTs need no CAST.
func (b *binder) testValue(e ast.Expr, to batch.Type, what string) batch.Vec {
	x := b.expr(e, &scope{clause: "a test"})
	y, err := ex.Assign(x, to.With(false))
	if err != nil && (x.Type().IsString() || x.Type().IsInteger() && to.IsInteger()) {
		y, err = ex.Cast(x, to.With(false), false)
	}
	if err != nil {
		throw(diag.New("SD3008", b.head(e), "%s is %s, not %s", what, to.With(false), x.Type().With(false)))
	}
	v, err := ex.EvalConst(y, b.set.Zone)
	switch {
	case err != nil:
		throw(diag.New("SD3012", b.head(e), "%s: %s", what, err.Error()))
	case v.IsNull(0) && to.NotNull:
		fail("SD3008", b.head(e), "%s is NOT NULL", what)
	case v.Kind != to.Kind():
		fail("SD3008", b.head(e), "%s is %s, not %s", what, to.With(false), x.Type().With(false))
	}
	return v
}
