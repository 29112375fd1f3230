package enginetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/operators"
)

// Failure is an expectation that was not met.
type Failure struct {
	At   source.Span // of the statement
	What string      // what it said
	Diff Diff
	Err  error // the pipeline failed instead
}

// script runs the statements of one test on one pipeline.
type script struct {
	p     *Pipeline
	file  *ast.File
	bind  *dsl.TestBinder
	error string // the code of an error that was met
}

func newScript(p *Pipeline, f *ast.File) *script {
	return &script{p: p, file: f, bind: dsl.NewTestBinder(f, p.settings)}
}

// exec runs one statement. A mistake in the test is a diagnostic.
func (s *script) exec(st ast.Statement) (*Failure, *diag.Diagnostic) {
	if e, ok := st.(*ast.TestError); ok {
		return s.wantError(e), nil
	}
	if s.p.failed != nil {
		at := st.At()
		if s.error != "" {
			return nil, s.said(diag.New("SD2011", headOf(s.file, at), "the pipeline has ended with %s, which was wanted: nothing can come after it", s.error).
				WithHint("put what comes after it into a test of its own"))
		}
		return &Failure{At: at, What: "the pipeline failed", Err: s.p.failed}, nil
	}
	switch st := st.(type) {
	case *ast.TestInput:
		return nil, s.input(st)
	case *ast.TestWatermark:
		return nil, s.watermark(st)
	case *ast.TestClock:
		return nil, s.clock(st)
	case *ast.TestExpect:
		return s.expect(st)
	}
	panic(fmt.Sprintf("BUG: a test has the statement %T", st))
}

func (s *script) said(d *diag.Diagnostic) *diag.Diagnostic {
	d.File = s.file.Source.Name
	return d
}

// table finds a table that the pipeline reads.
func (s *script) table(q *ast.QName) (*input, *diag.Diagnostic) {
	if in := s.p.world.inputs[q.Last().String()]; in != nil {
		return in, nil
	}
	d := diag.New("SD2011", q.Span, "the pipeline does not read a table %q", q.String())
	return nil, s.said(named(d, q, keys(s.p.world.inputs), "tables that it reads"))
}

func named(d *diag.Diagnostic, q *ast.QName, names []string, what string) *diag.Diagnostic {
	if near := diag.Near(q.Last().String(), names); near != "" {
		d.WithLabel("did you mean %q?", near)
	}
	if len(names) > 0 {
		d.WithHint("%s: %s", what, join(names))
	}
	return d
}

func (s *script) input(st *ast.TestInput) *diag.Diagnostic {
	in, d := s.table(st.Table)
	if d != nil {
		return d
	}
	weight := int64(1)
	if st.Delete {
		weight = -1
		if in.changes == connectors.AppendOnly {
			return s.said(diag.New("SD2011", st.Table.Span, "rows are only ever added to %q: none can be deleted", st.Table.String()).
				WithHint("upsert-kafka and the format debezium-json have rows that go"))
		}
	}
	r, d := s.bind.Rows(st.Rows, st.Columns, in.schema, st.Table, false)
	if d != nil {
		return d
	}
	b, d := s.whole(st, in, r)
	if d != nil {
		return d
	}
	_ = s.p.push(in, b, weight) // the next statement tells of a failure
	return nil
}

// whole gives rows all the columns of their table; those that were not named are NULL.
func (s *script) whole(st *ast.TestInput, in *input, r *dsl.TestRows) (*batch.Batch, *diag.Diagnostic) {
	for c, f := range in.schema.Fields {
		key := slices.Contains(in.key, c)
		if slices.Contains(r.Cols, c) || !f.Type.NotNull && !key || st.Delete && in.changes == connectors.Upserts && !key {
			continue
		}
		return nil, s.said(diag.New("SD3008", st.Table.Span, "column %q of %q is NOT NULL and gets no value", f.Name, st.Table.String()))
	}
	b := batch.New(in.schema, r.Batch.N)
	for i := range r.Batch.N {
		for c := range in.schema.Fields {
			if k := slices.Index(r.Cols, c); k >= 0 {
				b.Cols[c].AppendFrom(&r.Batch.Cols[k], i)
			} else {
				b.Cols[c].AppendNull()
			}
		}
		b.AddWeight(1)
	}
	return b, nil
}

func (s *script) watermark(st *ast.TestWatermark) *diag.Diagnostic {
	in, d := s.table(st.Table)
	if d != nil {
		return d
	}
	us, d := s.bind.Time(st.To)
	if d != nil {
		return d
	}
	_ = s.p.watermark(in, us)
	return nil
}

func (s *script) clock(st *ast.TestClock) *diag.Diagnostic {
	now := s.p.world.now.Load()
	bind := s.bind.Time
	if st.By {
		bind = s.bind.Interval
	}
	us, d := bind(st.Time)
	if st.By {
		us += now
	}
	if d == nil && us < now {
		d = s.said(diag.New("SD2011", st.Time.At(), "the clock cannot go back").WithHint("it begins at %s", Start.Format("2006-01-02 15:04:05")))
	}
	if d != nil {
		return d
	}
	_ = s.p.clock(us)
	return nil
}

func (s *script) expect(st *ast.TestExpect) (*Failure, *diag.Diagnostic) {
	o := s.p.output(st.Table.Last().String())
	if o == nil {
		d := diag.New("SD2011", st.Table.Span, "the pipeline has no view %q and writes no table of that name", st.Table.String())
		return nil, s.said(named(d, st.Table, append(s.p.Views(), keys(s.p.world.outputs)...), "views and tables that it writes"))
	}
	var want []wanted
	v := &ast.Values{}
	if st.Rows != nil {
		v = st.Rows
	}
	r, d := s.bind.Rows(v, st.Columns, o.schema, st.Table, st.Changes)
	if d != nil {
		return nil, d
	}
	for i := range r.Batch.N {
		want = append(want, wanted{rowOf(r.Batch, i, r.Batch.Schema), r.At[i].Pos.Line})
	}
	s.p.world.mu.Lock()
	defer s.p.world.mu.Unlock()
	got := o.rows
	if st.Changes {
		got = o.changed()
	}
	if diff := compare(want, got, r.Cols, st.Changes); !diff.Empty() {
		what := "EXPECT "
		if st.Changes {
			what += "CHANGES "
		}
		return &Failure{At: st.Span, What: what + st.Table.String(), Diff: diff}, nil
	}
	return nil, nil
}

func (s *script) wantError(st *ast.TestError) *Failure {
	f := &Failure{At: st.Span, What: "EXPECT ERROR " + st.Code, Err: s.p.failed}
	switch {
	case s.p.failed == nil:
		f.Err = errors.New("the pipeline has not failed")
	case Code(s.p.failed) == st.Code:
		s.error = st.Code
		return nil
	}
	return f
}

// Code returns the code of an error that ended a job, "" where it has none.
func Code(err error) string {
	var row *engine.RowError
	var refused *connectors.Refused
	var plan *operators.PlanError
	var perm *connectors.Permanent
	switch {
	case errors.As(err, &row):
		return row.Code
	case errors.As(err, &refused):
		return refused.Code
	case errors.As(err, &plan):
		return plan.Code
	case errors.As(err, &perm):
		return perm.Code
	}
	return ""
}
