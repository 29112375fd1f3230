package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fact is one thing that was seen on Flink: what rows came in, what was asked,
// and which rows were left when the changelog was summed up.
//
// A line of in is `NAME: ROWS`, or `NAME/DELAY: ROWS` with what its watermark
// lags behind. A row is `k,v` or `k,v@seconds`; `-` in front takes it back, `_`
// is NULL. Tables named T… have a row time, the others have not. In want @5 is
// the time 5 s after the beginning.
type fact struct {
	id    string
	in    string
	query string
	want  []string
	code  int    // exit code, when it is to fail
	err   string // what stderr then has
}

func TestFacts(t *testing.T) {
	for _, fs := range [][]fact{aggregateFacts, windowFacts, joinFacts, rankFacts, otherFacts} {
		for _, f := range fs {
			t.Run(f.id, func(t *testing.T) {
				t.Parallel()
				f.run(t)
			})
		}
	}
}

func (f *fact) run(t *testing.T) {
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
	sql.WriteString(f.query + ";\n")
	write(t, dir, "a.sql", sql.String())
	for _, workers := range []string{"1", "3"} {
		p := streamd(t, dir, nil, "run", "a.sql", "-q", "--workers", workers)
		if p.code != f.code || !strings.Contains(p.stderr.String(), f.err) {
			t.Fatalf("%s\nexit code %d, want %d and %q; stderr:\n%s", sql.String(), p.code, f.code, f.err, tail(p.stderr.String(), 20))
		}
		if f.code != 0 {
			continue
		}
		want := slices.Clone(f.want)
		slices.Sort(want)
		if got := foldText(t, p.stdout.String()); !slices.Equal(got, want) {
			t.Errorf("%s\n%s workers: got\n  %s\nwant\n  %s", sql.String(), workers, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}

var factsBegin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// table writes the statement that declares a table, and its file.
func (f *fact) table(t *testing.T, dir string, sql *strings.Builder, name, delay string, rows []string) {
	timed := strings.HasPrefix(name, "T")
	format := "json"
	var lines strings.Builder
	for _, r := range rows {
		if r[0] == '-' {
			format = "debezium-json"
		}
	}
	for _, r := range rows {
		text, back := strings.CutPrefix(r, "-")
		text, at, _ := strings.Cut(text, "@")
		k, v, _ := strings.Cut(text, ",")
		cols := map[string]any{"k": k, "v": json.RawMessage(v)}
		if k == "_" {
			cols["k"] = nil
		}
		if v == "_" {
			cols["v"] = nil
		}
		if timed {
			d, err := time.ParseDuration(at + "s")
			if err != nil {
				t.Fatal(err)
			}
			cols["ts"] = factsBegin.Add(d).Format("2006-01-02 15:04:05.999")
		}
		b, err := json.Marshal(cols)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case format == "json":
			fmt.Fprintf(&lines, "%s\n", b)
		case back:
			fmt.Fprintf(&lines, `{"before":%s,"after":null,"op":"d"}`+"\n", b)
		default:
			fmt.Fprintf(&lines, `{"before":null,"after":%s,"op":"c"}`+"\n", b)
		}
	}
	write(t, dir, name+".jsonl", lines.String())
	cols, emit := "k STRING, v INT", ""
	if timed {
		if delay == "" {
			delay = "0"
		}
		cols += fmt.Sprintf(", ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '%s' SECOND", delay)
		emit = ", 'scan.watermark.emit.strategy' = 'on-event'"
	}
	fmt.Fprintf(sql, "CREATE TABLE %s (%s) WITH ('connector' = 'filesystem', 'path' = '%s.jsonl', 'format' = '%s'%s);\n", name, cols, name, format, emit)
}

var factTime = regexp.MustCompile(`20(23-12-31|24-01-01)T\d\d:\d\d:\d\d(\.\d+)?`)

// atSeconds writes a time that factTime has found.
func atSeconds(s string) string {
	at, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("@%g", at.Sub(factsBegin).Seconds())
}

// foldText sums up a printed changelog. Times near the beginning become @seconds.
func foldText(t *testing.T, stdout string) []string {
	n := map[string]int{}
	for line := range strings.Lines(stdout) {
		op, row, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "[")
		if !ok {
			t.Fatalf("no row: %q", line)
		}
		row = factTime.ReplaceAllStringFunc("["+row, atSeconds)
		switch op {
		case "+I", "+U":
			n[row]++
		case "-U", "-D":
			n[row]--
		default:
			t.Fatalf("no change: %q", line)
		}
	}
	var rows []string
	for row, k := range n {
		if k < 0 {
			t.Fatalf("taken back more often than given: %s\n%s", row, stdout)
		}
		for range k {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return rows
}

// on is a SELECT of values; columns are a, b, c, …
func on(exprs, rows string) string {
	n := 1
	if rows[0] == '(' {
		first, _, _ := strings.Cut(rows, ")")
		n += strings.Count(first, ",")
	}
	names := strings.Join(strings.Split("abcdefgh"[:n], ""), ", ")
	return "SELECT " + exprs + " FROM (VALUES " + rows + ") AS t (" + names + ")"
}
