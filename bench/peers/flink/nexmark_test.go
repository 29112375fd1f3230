package flink_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/bench/peers/flink"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/nexmark"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/engine"
)

// nexmarkEvents is enough for hot auctions to change and for auctions to end, and for every query to have results.
const nexmarkEvents = "20000"

// Each NEXMark query has the same final rows on Flink as on streamd, from events that both make themselves. So what bench
// compares is the same work.
func TestNexmark(t *testing.T) {
	c := cluster(t)
	ddl := read(t, "../../nexmark/ddl.sql")
	files, err := filepath.Glob("../../nexmark/*.sql")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".sql")
		if name == "ddl" || name == "q12" { // q12's windows are of the clock
			continue
		}
		t.Run(name, func(t *testing.T) {
			text := ddl + read(t, f)
			env := map[string]string{"EVENTS": nexmarkEvents}
			p, err := flink.Translate(name, text, func(k string) string { return env[k] }, func(_ *ast.CreateTable, written bool) []flink.Option {
				if written {
					return []flink.Option{{Key: "connector", Value: "collect"}, {Key: "changes", Value: "all"}}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(p.Set, flink.Tuned)
			tables, err := c.Run(p)
			if err != nil {
				t.Fatal(err)
			}
			theirs, columns := map[string]int{}, tables["sink"].Columns
			for _, r := range tables["sink"].Rows {
				theirs[canonical(t, r)]++
			}
			ours := streamd(t, name, strings.ReplaceAll(text, "'blackhole'", "'print'"), env, columns)
			if len(ours) == 0 {
				t.Error("no rows")
			}
			if !maps.Equal(ours, theirs) {
				t.Errorf("streamd has %d rows, Flink %d; only streamd's:\n%s\nonly Flink's:\n%s", len(ours), len(theirs), less(ours, theirs), less(theirs, ours))
			}
		})
	}
}

// less returns some of the rows of a that b does not have.
func less(a, b map[string]int) string {
	var out []string
	for r, n := range a {
		if n > b[r] {
			out = append(out, r)
		}
	}
	slices.Sort(out)
	return strings.Join(out[:min(len(out), 5)], "\n")
}

// canonical writes a row so that equal ones are the same text, however their numbers are written.
func canonical(t *testing.T, row []json.RawMessage) string {
	var b strings.Builder
	for _, v := range row {
		if n, ok := new(big.Rat).SetString(string(v)); ok {
			b.WriteString(n.RatString())
		} else {
			var x any
			if err := json.Unmarshal(v, &x); err != nil {
				t.Fatal(err)
			}
			s, _ := json.Marshal(x)
			b.Write(s)
		}
		b.WriteString(" ")
	}
	return b.String()
}

// streamd runs a pipeline whose sinks print, and sums up what they print.
func streamd(t *testing.T, name, text string, env map[string]string, columns []string) map[string]int {
	t.Helper()
	var out bytes.Buffer
	e, err := engine.Open(t.Context(), engine.Options{Connectors: []*connectors.Connector{nexmark.Connector(), print.Connector()}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	p, ds := e.Compile(name, text, engine.CompileOptions{Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		Job: connectors.Job{Name: name, Ephemeral: true, Stdout: &out, Stderr: io.Discard, Format: "json", Notice: func(string) {}}})
	if p == nil {
		t.Fatal(ds[0].Message)
	}
	job, err := e.Start(t.Context(), name, p, engine.JobOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := job.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	sum := map[string]int{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var c struct {
			Op  string                     `json:"op"`
			Row map[string]json.RawMessage `json:"row"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		var row []json.RawMessage
		for _, name := range columns {
			row = append(row, c.Row[name])
		}
		key := canonical(t, row)
		if sum[key] += map[string]int{"+I": 1, "+U": 1, "-U": -1, "-D": -1}[c.Op]; sum[key] == 0 {
			delete(sum, key)
		}
	}
	return sum
}
