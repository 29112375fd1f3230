package enginetest

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// TB is the part of testing.TB that a Test needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// Test is a pipeline in a Go test: what goes wrong fails the test.
type Test struct {
	*Pipeline
	t TB
}

// New starts a pipeline. Without a StateDir it gets one of its own.
func New(t TB, name, text string, o Options) *Test {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	p, ds, err := Open(name, text, o)
	if p == nil {
		t.Fatalf("%s does not run: %v%s", name, err, told(ds))
		return nil
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return &Test{p, t}
}

func told(ds []diag.Diagnostic) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "\n%s: %s at %d:%d", d.Code, d.Message, d.Span.Pos.Line, d.Span.Pos.Column)
	}
	return b.String()
}

// Push gives rows to a table: "('a', 1), ('b', 2)".
func (t *Test) Push(table, rows string) {
	t.t.Helper()
	t.Do("INPUT " + ast.QuoteName(table) + " VALUES " + rows)
}

// Delete takes rows away from a table that has rows that go.
func (t *Test) Delete(table, rows string) {
	t.t.Helper()
	t.Do("INPUT " + ast.QuoteName(table) + " DELETE VALUES " + rows)
}

// Watermark moves a table's watermark to a time such as "2026-01-01 10:00:00".
func (t *Test) Watermark(table, time string) {
	t.t.Helper()
	t.Do("WATERMARK " + ast.QuoteName(table) + " TO TIMESTAMP " + ast.QuoteString(time))
}

// Clock sets the time, such as "2026-01-01 10:00:00".
func (t *Test) Clock(time string) {
	t.t.Helper()
	t.Do("CLOCK TO TIMESTAMP " + ast.QuoteString(time))
}

// Want compares a sink, or a view that Options.Views has, with rows; "" wants none.
func (t *Test) Want(name, rows string) {
	t.t.Helper()
	if rows == "" {
		t.Do("EXPECT " + ast.QuoteName(name) + " EMPTY")
		return
	}
	t.Do("EXPECT " + ast.QuoteName(name) + " VALUES " + rows)
}

// WantError wants the pipeline to have failed with a code.
func (t *Test) WantError(code string) {
	t.t.Helper()
	t.Do("EXPECT ERROR " + code)
}

// Crash ends the job as the death of its process would, and starts it again.
func (t *Test) Crash() {
	t.t.Helper()
	if err := t.Pipeline.Crash(); err != nil {
		t.t.Fatalf("after a crash: %v", err)
	}
}

// Do runs statements of a NAME_test.sql.
func (t *Test) Do(statements string) {
	t.t.Helper()
	f, ds := dsl.ParseTest("test", statements)
	for _, d := range ds {
		t.t.Fatalf("%s: %s in %s", d.Code, d.Message, statements)
		return
	}
	s := newScript(t.Pipeline, f)
	for _, st := range f.Stmts {
		fail, d := s.exec(st)
		if d != nil {
			t.t.Fatalf("%s: %s in %s%s", d.Code, d.Message, statements, "\n"+strings.Join(d.Hints, "\n"))
			return
		}
		if fail != nil {
			t.t.Errorf("%s", fail)
		}
	}
}

// String says what was missing and what came instead.
func (f *Failure) String() string {
	var b strings.Builder
	b.WriteString(f.What)
	if f.Err != nil {
		fmt.Fprintf(&b, ": %v", f.Err)
	}
	for _, r := range f.Diff.Missing {
		fmt.Fprintf(&b, "\n  missing:    %s", r)
	}
	for _, r := range f.Diff.Unexpected {
		fmt.Fprintf(&b, "\n  unexpected: %s", r)
	}
	return b.String()
}
