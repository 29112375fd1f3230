package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/bench/peers/flink"
	"github.com/streamd/streamd/dsl/ast"
)

// otherwise are the facts whose value here is not Flink's, with the line of docs/sql/deviations.md that says so.
var otherwise = map[string]string{
	"A8 INT":                 "deviation 1",
	"A8 BIGINT":              "deviation 1",
	"A9 IS NULL":             "deviation 1",
	"S11 overflow":           "deviation 1",
	"S12 overflow":           "deviation 1",
	"W9 as a table function": "deviation 3",
	"A22 equality":           "deviation 7",
	"NULL without a type":    "deviation 3",
}

// TestFactsOnFlink asks a real Flink what the facts say of it.
func TestFactsOnFlink(t *testing.T) {
	if testing.Short() {
		t.Skip("a Flink takes minutes")
	}
	c, err := flink.Start("-XX:TieredStopAtLevel=1")
	switch {
	case err == nil:
		t.Cleanup(func() { _ = c.Close() })
	case os.Getenv("STREAMD_TEST_REQUIRE") == "all":
		t.Fatal(err)
	case errors.Is(err, flink.ErrMissing):
		t.Skip("no Flink: ", err)
	default:
		t.Skip("no Flink can be had: ", err)
	}
	for _, fs := range [][]fact{aggregateFacts, windowFacts, joinFacts, rankFacts, otherFacts} {
		for _, f := range fs {
			t.Run(f.id, func(t *testing.T) {
				if why := otherwise[f.id]; why != "" {
					t.Skip(why)
				}
				if f.err == "not supported yet" {
					t.Skip("not built here yet")
				}
				f.onFlink(t, c)
			})
		}
	}
}

func (f *fact) onFlink(t *testing.T, c *flink.Cluster) {
	dir := t.TempDir()
	var sql strings.Builder
	for line := range strings.Lines(f.in) {
		name, rows, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "" {
			continue
		}
		name, delay, _ := strings.Cut(name, "/")
		f.table(t, dir, &sql, name, delay, strings.Fields(rows))
	}
	p, err := flink.Translate("fact.sql", sql.String()+f.query+";\n", os.Getenv, func(x *ast.CreateTable, written bool) []flink.Option {
		return f.option(t, dir, x, written)
	})
	if err != nil && f.code == 2 {
		return // what is no text of SQL here is not asked
	}
	if err != nil {
		t.Fatal(err)
	}
	tables, err := c.Run(p)
	if f.code != 0 {
		if err == nil {
			t.Errorf("refused here with %s, but taken by Flink: %s", f.err, f.query)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s\n%v", sql.String()+f.query, err)
	}
	if tables[""] == nil {
		return // its query has no result but that it is taken
	}
	got := []string{}
	for _, r := range tables[""].Rows {
		got = append(got, factTime.ReplaceAllStringFunc(flinkText(t, r, "[", "]"), atSeconds))
	}
	slices.Sort(got)
	want := slices.Clone(f.want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s\nFlink: %s\nhere:  %s", f.query, strings.Join(got, "  "), strings.Join(want, "  "))
	}
}

// option lets Flink read a table of rows from a script that moves the watermark behind each row.
func (f *fact) option(t *testing.T, dir string, x *ast.CreateTable, written bool) []flink.Option {
	if written {
		return []flink.Option{{Key: "connector", Value: "collect"}}
	}
	o := map[string]string{}
	for _, w := range x.With {
		o[string(w.Key.Text)] = string(w.Value.Text)
	}
	if o["connector"] != "filesystem" {
		return nil
	}
	lines, err := os.ReadFile(filepath.Join(dir, o["path"]))
	if err != nil {
		t.Fatal(err)
	}
	changes := "append"
	var script strings.Builder
	for line := range strings.Lines(string(lines)) {
		kind, row := "+I", json.RawMessage(line)
		if o["format"] == "debezium-json" {
			var change struct{ Before, After json.RawMessage }
			if err := json.Unmarshal(row, &change); err != nil {
				t.Fatal(err)
			}
			if changes, row = "all", change.After; string(row) == "null" {
				kind, row = "-D", change.Before
			}
		}
		fmt.Fprintf(&script, `{"rows":[["%s",%s]]}`+"\n", kind, strings.TrimSpace(string(row)))
	}
	name := x.Name.Last().String() + ".script"
	write(t, dir, name, script.String())
	return []flink.Option{{Key: "connector", Value: "script"}, {Key: "changes", Value: changes}, {Key: "path", Value: filepath.Join(dir, name)}}
}

// flinkText writes values as streamd prints them.
func flinkText(t *testing.T, row []json.RawMessage, begin, end string) string {
	var out []string
	for _, v := range row {
		var s string
		var list []json.RawMessage
		switch {
		case string(v) == "null":
			out = append(out, "NULL")
		case json.Unmarshal(v, &list) == nil:
			out = append(out, flinkText(t, list, "[", "]"))
		case json.Unmarshal(v, &s) == nil:
			if day, clock, ok := strings.Cut(s, " "); ok && len(day) == 10 && strings.Count(clock, ":") == 2 {
				s = day + "T" + clock
			} else if b, err := base64.StdEncoding.DecodeString(s); err == nil && strings.HasSuffix(s, "=") {
				s = fmt.Sprintf("x'%x'", b)
			}
			out = append(out, s)
		default:
			out = append(out, string(v))
		}
	}
	return begin + strings.Join(out, ", ") + end
}
