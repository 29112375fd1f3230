package flink_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/bench/peers/flink"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/connectors/kafka"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/engine/enginetest"
)

const examples = "../../../examples/pipelines/"

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each example pipeline is, but for the options of its tables, one of Flink, and from the rows and watermarks of its test
// Flink makes the rows that streamd makes.
func TestExamples(t *testing.T) {
	c := cluster(t)
	files, err := filepath.Glob(examples + "*_test.sql")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), "_test.sql")
		t.Run(name, func(t *testing.T) { example(t, c, read(t, examples+name+".sql"), read(t, f)) })
	}
}

func example(t *testing.T, c *flink.Cluster, text, test string) {
	s := &scripts{t: t, dir: t.TempDir(), tables: map[string]*ast.CreateTable{}, lines: map[string]*strings.Builder{}}
	p, err := flink.Translate("example.sql", text, os.Getenv, s.options)
	if err != nil {
		t.Fatal(err)
	}
	statements, ds := dsl.ParseTest("test.sql", test)
	if len(ds) > 0 {
		t.Fatal(ds[0].Message)
	}
	own := enginetest.New(t, "example.sql", text, enginetest.Options{Kafka: "localhost:9092", Connectors: []*connectors.Connector{
		datagen.Connector(), file.Connector(), kafka.Kafka(), kafka.UpsertKafka(), print.Connector()}})
	for _, st := range statements.Stmts {
		switch st.(type) {
		case *ast.TestExpect, *ast.TestError: // examples/pipelines tests them
		default:
			s.add(st)
			own.Do(statements.Source.Slice(st.At()))
		}
	}
	s.write()
	for name, table := range s.tables { // Flink's inputs end, and with them time
		for _, e := range table.Elems {
			if _, ok := e.(*ast.Watermark); ok {
				own.Watermark(name, "2100-01-01 00:00:00")
			}
		}
	}
	tables, err := c.Run(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) == 0 {
		t.Fatal("Flink wrote no table")
	}
	for name, x := range tables {
		if len(x.Rows) == 0 && !strings.Contains(test, "EXPECT "+name+" EMPTY") {
			t.Errorf("Flink has no rows in %s", name)
		}
		own.Want(name, values(x))
	}
}

// values writes rows as those of VALUES.
func values(x *flink.Table) string {
	var rows []string
	for _, r := range x.Rows {
		var row []string
		for _, v := range r {
			row = append(row, literal(v))
		}
		rows = append(rows, "("+strings.Join(row, ", ")+")")
	}
	return strings.Join(rows, ", ")
}

func literal(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil && v[0] == '"' {
		return ast.QuoteString(s)
	}
	return string(v)
}
