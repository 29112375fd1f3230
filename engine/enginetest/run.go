package enginetest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// Case is one way to run a test.
type Case struct {
	Rows    int   // most rows a step takes from a table; 0 = all that a statement gives
	Workers []int // one after the other over crashes
	Crash   bool  // after every step
}

func (c Case) String() string {
	s := "steps as large as they get"
	if c.Rows > 0 {
		s = fmt.Sprintf("%d row(s) a step", c.Rows)
	}
	if c.Crash {
		return s + ", a crash after every step, " + strings.Trim(fmt.Sprint(c.Workers), "[]") + " workers in turn"
	}
	return s + fmt.Sprintf(", %d worker(s)", c.Workers[0])
}

// Cases are the ways in which Run runs a test. The plainest comes first: what fails
// everywhere is shown for it.
var Cases = []Case{
	{0, []int{1}, false}, {0, []int{2}, false}, {0, []int{3}, false},
	{1, []int{1}, false}, {1, []int{2}, false}, {1, []int{3}, false},
	{3, []int{1}, false}, {3, []int{2}, false}, {3, []int{3}, false},
	{0, []int{1, 2, 3}, true}, {1, []int{3, 1, 2}, true}, {2, []int{2, 3}, true},
}

// Result is what a test has shown.
type Result struct {
	Runs        int       // cases that were run
	Failures    []Failure // of the first case that had any
	Case        Case      // that one
	Diagnostics []diag.Diagnostic
}

// Run runs the statements of a test on a pipeline in all Cases. Diagnostics tell
// of mistakes in either text; then nothing, or not all, was run. Rows, Workers,
// StateDir, CrashEach and Views of the options are Run's own. The error is one of
// the world: no room for the state.
func Run(pipeline, test *source.File, file *ast.File, o Options) (r Result, err error) {
	o.Views = nil
	for _, st := range file.Stmts {
		if e, ok := st.(*ast.TestExpect); ok {
			o.Views = append(o.Views, e.Table.Last().String())
		}
	}
	for _, c := range Cases {
		r.Runs++
		r.Case = c
		o.Rows, o.Workers, o.CrashEach, o.StateDir = c.Rows, c.Workers, c.Crash, ""
		if c.Crash {
			if o.StateDir, err = stateDir(); err != nil {
				return r, err
			}
		}
		done, err := r.one(pipeline, file, o)
		if c.Crash {
			_ = os.RemoveAll(o.StateDir)
		}
		if done || err != nil {
			return r, err
		}
	}
	return r, nil
}

// stateDir makes a directory in memory where there is such a place, for the state is
// synced at each step: a disk makes a test three times as long.
func stateDir() (string, error) {
	if d, err := os.MkdirTemp("/dev/shm", "streamd-test-"); err == nil {
		return d, nil
	}
	return os.MkdirTemp("", "streamd-test-")
}

// one runs one case; done tells that no other one would say more.
func (r *Result) one(pipeline *source.File, file *ast.File, o Options) (done bool, err error) {
	p, ds, err := Open(pipeline.Name, pipeline.Text, o)
	if p == nil && err == nil {
		r.refused(file, ds)
		return true, nil
	}
	if p == nil {
		return true, err
	}
	defer func() { _ = p.Close() }()
	s := newScript(p, file)
	for _, st := range file.Stmts {
		f, d := s.exec(st)
		if d != nil {
			r.Diagnostics = append(r.Diagnostics, *d)
			return true, nil
		}
		if f != nil {
			r.Failures = append(r.Failures, *f)
			if f.Err != nil {
				return true, nil
			}
		}
	}
	if p.failed != nil && s.error == "" {
		r.Failures = append(r.Failures, Failure{At: file.Stmts[len(file.Stmts)-1].At(), What: "the pipeline failed", Err: p.failed})
	}
	return len(r.Failures) > 0, nil
}

// refused takes a pipeline's diagnostics, unless the test wants one of them.
func (r *Result) refused(file *ast.File, ds []diag.Diagnostic) {
	if len(file.Stmts) > 0 {
		if e, ok := file.Stmts[0].(*ast.TestError); ok {
			var codes []string
			for _, d := range ds {
				codes = append(codes, d.Code)
			}
			if !slices.Contains(codes, e.Code) {
				r.Failures = append(r.Failures, Failure{At: e.Span, What: "EXPECT ERROR " + e.Code,
					Err: fmt.Errorf("the pipeline is refused with %s", strings.Join(codes, ", "))})
			}
			return
		}
	}
	r.Diagnostics = ds
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func join(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// headOf is the first word of a statement.
func headOf(f *ast.File, at source.Span) source.Span {
	text := f.Source.Slice(at)
	n := strings.IndexAny(text, " \t\r\n")
	if n < 0 {
		n = len(text)
	}
	return f.Source.Span(at.Pos.Offset, at.Pos.Offset+n)
}
