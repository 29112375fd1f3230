package pipelines_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/connectors/kafka"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/engine/enginetest"
)

var all = []*connectors.Connector{datagen.Connector(), file.Connector(), kafka.Kafka(), kafka.UpsertKafka(), print.Connector()}

// names lists the examples: NAME of NAME.sql.
func names(t *testing.T) (out []string) {
	t.Helper()
	files, _ := filepath.Glob("*.sql")
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.sql") && !strings.HasSuffix(f, "-datagen.sql") {
			out = append(out, strings.TrimSuffix(f, ".sql"))
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d examples", len(out))
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// compile plans a text, which must give no diagnostic at all.
func compile(t *testing.T, name, text string, out *output) (*engine.Engine, *engine.Plan) {
	t.Helper()
	e, err := engine.Open(t.Context(), engine.Options{Connectors: all})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	p, ds := e.Compile(name, text, engine.CompileOptions{Job: connectors.Job{Name: "example", Ephemeral: true, Kafka: "localhost:9092", Stdout: out, Stderr: out, Format: "text"}})
	for _, d := range ds {
		t.Errorf("%s:%d: %s %s", name, d.Span.Pos.Line, d.Code, d.Message)
	}
	if p == nil {
		t.FailNow()
	}
	return e, p
}

// output is what a pipeline prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// Each example tells its story, is right without a warning, and has tests, which pass.
func TestExamples(t *testing.T) {
	for _, n := range names(t) {
		t.Run(n, func(t *testing.T) {
			pipeline := source.NewFile(n+".sql", read(t, n+".sql"))
			if !strings.HasPrefix(pipeline.Text, "-- ") {
				t.Error("it does not begin with a comment that tells what it is for")
			}
			compile(t, pipeline.Name, pipeline.Text, &output{})
			test := source.NewFile(n+"_test.sql", read(t, n+"_test.sql"))
			f, ds := dsl.ParseTest(test.Name, test.Text)
			for _, d := range ds {
				t.Errorf("%s:%d: %s %s", test.Name, d.Span.Pos.Line, d.Code, d.Message)
			}
			r, err := enginetest.Run(pipeline, test, f, enginetest.Options{Connectors: all, Kafka: "localhost:9092"})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range r.Diagnostics {
				t.Errorf("%s:%d: %s %s", d.File, d.Span.Pos.Line, d.Code, d.Message)
			}
			for _, f := range r.Failures {
				t.Errorf("%s:%d: %s\n(%s)", test.Name, f.At.Pos.Line, &f, r.Case)
			}
		})
	}
}

var rate = regexp.MustCompile(`'rows-per-second' = '\d+'`)

// The variant on made-up rows has the same queries, and prints something.
func TestExamplesOnMadeUpRows(t *testing.T) {
	for _, n := range names(t) {
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			name := n + "-datagen.sql"
			text := read(t, name)
			marker := "-- From here on " + n + ".sql and " + name + " are the same.\n"
			_, queries, _ := strings.Cut(read(t, n+".sql"), marker)
			if _, own, found := strings.Cut(text, marker); !found || own != queries || queries == "" {
				t.Errorf("what stands behind %q differs", marker)
			}
			out := &output{}
			compile(t, name, text, out)
			some := "'rows-per-second' = '1000000', 'number-of-rows' = '2000'"
			if strings.Contains(text, "'number-of-rows'") {
				some = "'rows-per-second' = '1000000'"
			}
			e, p := compile(t, name, rate.ReplaceAllString(text, some), out)
			job, err := e.Start(t.Context(), n, p, engine.JobOptions{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := job.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			if out.mu.Lock(); strings.Count(out.b.String(), "\n") < 3 {
				t.Errorf("it prints %q", out.b.String())
			}
			out.mu.Unlock()
		})
	}
}
