package flink

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
)

// Pipeline is what a Flink runs: settings, and statements whose INSERTs make one job.
type Pipeline struct {
	Set        map[string]string `json:"set"`
	Statements []string          `json:"statements"`
}

// Option is one entry of WITH (…).
type Option struct{ Key, Value string }

// Tuned are the settings that the NEXMark project measures Flink with: rows are aggregated in small batches, and DISTINCT
// aggregates are split. State is on the heap and there are no checkpoints, as where streamd runs without --state.
var Tuned = map[string]string{
	"table.exec.mini-batch.enabled":              "true",
	"table.exec.mini-batch.allow-latency":        "2 s",
	"table.exec.mini-batch.size":                 "50000",
	"table.optimizer.distinct-agg.split.enabled": "true",
}

// Translate makes a text of streamd one of Flink. Nothing changes but the options of tables: options returns those of a
// table that is read, or written, or nil for the ones it has. ${NAME} is taken from env.
func Translate(name, text string, env func(string) string, options func(t *ast.CreateTable, written bool) []Option) (*Pipeline, error) {
	f, ds := dsl.ParseFile(name, text)
	if len(ds) > 0 {
		return nil, fmt.Errorf("%s:%d: %s", name, ds[0].Span.Pos.Line, ds[0].Message)
	}
	var written []string
	for _, s := range f.Stmts {
		if s, ok := s.(*ast.Insert); ok {
			written = append(written, s.Table.Last().String())
		}
	}
	p := &Pipeline{Set: map[string]string{}}
	for _, s := range f.Stmts {
		text := f.Source.Slice(s.At())
		switch s := s.(type) {
		case *ast.Set:
			p.Set[string(s.Key.Text)] = string(s.Value.Text)
			continue
		case *ast.CreateTable:
			if o := options(s, slices.Contains(written, s.Name.Last().String())); o != nil && len(s.With) > 0 {
				from, to := s.With[0].Pos.Offset-s.Pos.Offset, s.With[len(s.With)-1].EndPos.Offset-s.Pos.Offset
				text = text[:from] + write(o) + text[to:]
			}
		}
		p.Statements = append(p.Statements, expand(text, env))
	}
	return p, nil
}

func write(list []Option) string {
	var b strings.Builder
	for i, o := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(ast.QuoteString(o.Key) + " = " + ast.QuoteString(o.Value))
	}
	return b.String()
}

var variable = regexp.MustCompile(`\$\{(\w+)(?::-([^}]*))?\}`)

// expand knows ${NAME} and ${NAME:-default}.
func expand(text string, env func(string) string) string {
	return variable.ReplaceAllStringFunc(text, func(s string) string {
		m := variable.FindStringSubmatch(s)
		if v := env(m[1]); v != "" {
			return v
		}
		return m[2]
	})
}
