package flink_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/bench/peers/flink"
	"github.com/streamd/streamd/dsl/ast"
)

// scripts turns the INPUT and WATERMARK statements of a test into files that connector 'script' plays, one a table.
type scripts struct {
	t      *testing.T
	dir    string
	tables map[string]*ast.CreateTable
	lines  map[string]*strings.Builder
}

// changes says which kinds of changes a table of a pipeline has.
func changes(t *ast.CreateTable) string {
	o := map[string]string{}
	for _, x := range t.With {
		o[string(x.Key.Text)] = string(x.Value.Text)
	}
	switch {
	case o["connector"] == "upsert-kafka":
		return "upsert"
	case o["format"] == "debezium-json" || o["connector"] == "print":
		return "all"
	}
	return "append"
}

// options are those of a table on Flink.
func (s *scripts) options(t *ast.CreateTable, written bool) []flink.Option {
	if written {
		return []flink.Option{{Key: "connector", Value: "collect"}, {Key: "changes", Value: changes(t)}}
	}
	name := t.Name.Last().String()
	s.tables[name] = t
	s.lines[name] = &strings.Builder{}
	return []flink.Option{{Key: "connector", Value: "script"}, {Key: "changes", Value: changes(t)}, {Key: "path", Value: filepath.Join(s.dir, name)}}
}

// columns are those that have values: physical ones.
func columns(t *ast.CreateTable) (names []string) {
	for _, e := range t.Elems {
		if c, ok := e.(*ast.Column); ok && c.Computed == nil {
			names = append(names, c.Name.String())
		}
	}
	return names
}

// add takes one statement of a test.
func (s *scripts) add(st ast.Statement) {
	switch st := st.(type) {
	case *ast.TestInput:
		name := st.Table.Last().String()
		t := s.tables[name]
		cols := columns(t)
		if st.Columns != nil {
			cols = nil
			for _, c := range st.Columns {
				cols = append(cols, c.String())
			}
		}
		kind := "+I"
		if changes(t) == "upsert" {
			kind = "+U"
		}
		if st.Delete {
			kind = "-D"
		}
		var rows [][2]any
		for _, r := range st.Rows.Rows {
			row := map[string]any{}
			for i, e := range r.Exprs {
				row[cols[i]] = s.value(e)
			}
			rows = append(rows, [2]any{kind, row})
		}
		s.line(name, map[string]any{"rows": rows})
	case *ast.TestWatermark:
		at, ok := st.To.(*ast.Literal)
		if !ok {
			s.t.Fatalf("line %d: not a TIMESTAMP", st.Pos.Line)
		}
		to, err := time.Parse("2006-01-02 15:04:05", at.Text)
		if err != nil {
			s.t.Fatal(err)
		}
		s.line(st.Table.Last().String(), map[string]any{"watermark": to.UnixMilli()})
	case *ast.TestClock:
		s.t.Fatal("Flink's clock cannot be set")
	}
}

func (s *scripts) line(table string, x any) {
	b, err := json.Marshal(x)
	if err != nil {
		s.t.Fatal(err)
	}
	s.lines[table].Write(append(b, '\n'))
}

func (s *scripts) value(e ast.Expr) any {
	switch e := e.(type) {
	case *ast.Unary:
		if n, ok := s.value(e.X).(json.Number); ok && e.Op == ast.Neg {
			return "-" + n
		}
	case *ast.Literal:
		switch e.Kind {
		case ast.Null:
			return nil
		case ast.Bool:
			return e.Text == "TRUE"
		case ast.Num:
			return json.Number(e.Text)
		case ast.Str, ast.Timestamp, ast.Date:
			return e.Text
		}
	}
	s.t.Fatalf("line %d: no value for a script", e.At().Pos.Line)
	return nil
}

// write writes the files.
func (s *scripts) write() {
	for name, b := range s.lines {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(b.String()), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}
