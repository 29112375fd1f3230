package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine/enginetest"
)

// testSuffix is the end of a test's name: NAME_test.sql tests NAME.sql.
const testSuffix = "_test.sql"

func (a *app) testCmd() *cobra.Command {
	var set []string
	c := &cobra.Command{Use: "test FILE_test.sql...", Short: "run the tests of pipelines, without brokers and files",
		Long: `test runs NAME_test.sql against the pipeline NAME.sql beside it. Every source and sink is replaced by one in
memory, and the clock stands still, so no broker is asked and nothing is waited for. Each test runs in small and
large steps, with one to three workers, and with a crash and a restore after every step.

  INPUT table VALUES (…), (…);                 rows for a table that the pipeline reads, or some columns: INPUT t (a, b) VALUES …
  INPUT table DELETE VALUES (…);               rows that go (upsert-kafka: INPUT t DELETE (key) VALUES …; debezium-json: the whole row)
  WATERMARK table TO TIMESTAMP '…';            as a row would whose WATERMARK is that time
  CLOCK TO TIMESTAMP '…';                      processing time, which begins at 2026-01-01 00:00:00 UTC; or CLOCK BY INTERVAL '5' SECOND
  EXPECT view_or_sink VALUES (…), (…);         all the rows it has now, in any order, or some columns; EMPTY for none
  EXPECT CHANGES view_or_sink VALUES ('+', …); the rows added and taken away since the last EXPECT CHANGES of it
  EXPECT ERROR SD6002;                         the pipeline has failed with that code; alone: it is refused with it`,
		Args: nargs(1, math.MaxInt), RunE: func(_ *cobra.Command, args []string) error {
			kv, err := settings(set)
			if err != nil {
				return err
			}
			worst := exitOK
			for _, name := range args {
				code, err := a.test(name, kv)
				if err != nil {
					return err
				}
				if worst != exitUsage && code != exitOK {
					worst = code
				}
			}
			if worst != exitOK {
				return &exit{code: worst}
			}
			return nil
		}}
	c.Flags().StringArrayVar(&set, "set", nil, "`KEY=VALUE`, a setting that wins over SET in the pipeline")
	return c
}

// test runs one test and returns its exit code.
func (a *app) test(name string, set []dsl.KV) (int, error) {
	stem, ok := strings.CutSuffix(name, testSuffix)
	if !ok || filepath.Base(name) == testSuffix {
		return 0, exitf(exitUsage, "%s is no test: the tests of NAME.sql stand in NAME%s", name, testSuffix)
	}
	var files [2]*source.File
	for i, path := range []string{name, stem + ".sql"} {
		text, err := readFile(path)
		if err != nil {
			return 0, err
		}
		files[i] = source.NewFile(path, text)
	}
	test, pipeline := files[0], files[1]
	f, ds := dsl.ParseTest(name, test.Text)
	if len(ds) > 0 {
		render(a.stdout, map[string]*source.File{name: test}, ds)
		return exitUsage, nil
	}
	if len(f.Stmts) == 0 {
		return 0, exitf(exitUsage, "%s has no statement", name)
	}
	began := time.Now()
	r, err := enginetest.Run(pipeline, test, f, enginetest.Options{Connectors: catalog(), Set: set, Kafka: "localhost:9092"}) // nobody dials
	switch {
	case err != nil:
		return 0, exitf(exitFailed, "%s: %w", name, err)
	case len(r.Diagnostics) > 0:
		render(a.stdout, map[string]*source.File{name: test, pipeline.Name: pipeline}, pointers(r.Diagnostics))
		return exitUsage, nil
	case len(r.Failures) > 0:
		fmt.Fprintf(a.stdout, "FAIL  %s  (%s)\n", name, r.Case)
		for i := range r.Failures {
			a.failure(test, pipeline, &r.Failures[i])
		}
		return exitUnhealthy, nil
	}
	if !checks(f.Stmts) {
		return 0, exitf(exitUsage, "%s checks nothing: it has no EXPECT; write EXPECT view_or_sink VALUES (…), or EXPECT view_or_sink EMPTY", name)
	}
	fmt.Fprintf(a.stdout, "ok    %s  %s, %s, %.1fs\n", name, counted(len(f.Stmts), "statement"), counted(r.Runs, "run"), time.Since(began).Seconds())
	return exitOK, nil
}

// checks reports whether a test has an EXPECT: without one it cannot fail.
func checks(stmts []ast.Statement) bool {
	for _, s := range stmts {
		switch s.(type) {
		case *ast.TestExpect, *ast.TestError:
			return true
		}
	}
	return false
}

// counted is a number of things in words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// failure shows what one statement wanted and what came.
func (a *app) failure(test, pipeline *source.File, f *enginetest.Failure) {
	fmt.Fprintf(a.stdout, "  %s:%d: %s\n", test.Name, f.At.Pos.Line, f.What)
	if f.Err != nil {
		if d, _ := explainEnd(pipeline, f.Err); d != nil && enginetest.Code(f.Err) != "" {
			_ = diag.Render(indented{a.stdout}, pipeline, d)
		} else {
			fmt.Fprintf(a.stdout, "    %s\n", f.Err)
		}
	}
	for _, m := range f.Diff.Missing {
		fmt.Fprintf(a.stdout, "    missing     %s  wanted at %s:%d\n", m, test.Name, m.Line)
	}
	for _, u := range f.Diff.Unexpected {
		fmt.Fprintf(a.stdout, "    unexpected  %s\n", u)
	}
}

// indented moves lines to the right.
type indented struct{ w io.Writer }

func (x indented) Write(b []byte) (int, error) {
	s := strings.ReplaceAll(strings.TrimSuffix(string(b), "\n"), "\n", "\n    ")
	if _, err := fmt.Fprintf(x.w, "    %s\n", s); err != nil {
		return 0, err
	}
	return len(b), nil
}
