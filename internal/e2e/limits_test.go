package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// runText runs a pipeline over files of its own and returns the process.
func runText(t *testing.T, sql string, files map[string]string) *proc {
	dir := t.TempDir()
	write(t, dir, "p.sql", sql)
	for name, text := range files {
		write(t, dir, name, text)
	}
	return streamd(t, dir, nil, "run", "p.sql")
}

// last is the last line that was added.
func last(p *proc) (line string) {
	for l := range strings.Lines(p.stdout.String()) {
		if strings.HasPrefix(l, "+") {
			line = strings.TrimSpace(l)
		}
	}
	return line
}

// TestLargeNumbers: many keys in a window, many matches of a key.
func TestLargeNumbers(t *testing.T) {
	const n = 1_000_000
	p := runText(t, fmt.Sprintf(`CREATE TABLE t (k BIGINT, ts AS TO_TIMESTAMP_LTZ(0, 3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'datagen', 'number-of-rows' = '%d', 'rows-per-second' = '100000000', 'fields.k.kind' = 'sequence', 'fields.k.start' = '1', 'fields.k.end' = '%d');
CREATE TABLE o (k BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
INSERT INTO o SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end;`, n, n), nil)
	if p.code != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	lines := partLines(t, filepath.Join(p.cmd.Dir, "out"))
	for i, l := range lines {
		if !strings.HasSuffix(l, ",1") || i > 0 && l == lines[i-1] {
			t.Fatalf("line %q", l)
		}
	}
	if len(lines) != n {
		t.Errorf("%d keys, want %d", len(lines), n)
	}

	one := func(rows int) string { return strings.Repeat("1\n", rows) }
	p = runText(t, `SET 'table.exec.state.ttl' = '0 ms';
CREATE TABLE a (k INT) WITH ('connector' = 'filesystem', 'path' = 'a.csv', 'format' = 'csv');
CREATE TABLE b (k INT) WITH ('connector' = 'filesystem', 'path' = 'b.csv', 'format' = 'csv');
SELECT COUNT(*) FROM a JOIN b ON a.k = b.k;`, map[string]string{"a.csv": one(n), "b.csv": one(3)})
	if p.code != 0 || last(p) != fmt.Sprintf("+U[%d]", 3*n) && last(p) != fmt.Sprintf("+I[%d]", 3*n) {
		t.Errorf("exit code %d, %s, want %d pairs\n%s", p.code, last(p), 3*n, p.stderr.String())
	}
}

// TestLargeRows: rows of 10 MB pass through a file, a filter and a file; one of 40 MB is refused at its place and the next is read.
func TestLargeRows(t *testing.T) {
	row := func(id, n int) string { return fmt.Sprintf(`{"id":%d,"s":"%s"}`+"\n", id, strings.Repeat("x", n)) }
	p := runText(t, `CREATE TABLE t (id INT, s STRING) WITH ('connector' = 'filesystem', 'path' = 'in.json', 'format' = 'json', 'on-error' = 'skip');
CREATE TABLE o (id INT, s STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO o SELECT id, s FROM t WHERE s LIKE 'x%';
SELECT id, CHAR_LENGTH(s) FROM t;`, map[string]string{"in.json": row(1, 10_000_000) + row(2, 5) + row(3, 40_000_000) + row(4, 10_000_000)})
	if got := p.stdout.String(); p.code != 0 || got != "+I[1, 10000000]\n+I[2, 5]\n+I[4, 10000000]\n" {
		t.Errorf("exit code %d\n%s%s", p.code, got, p.stderr.String())
	}
	var lengths []int
	for _, l := range partLines(t, filepath.Join(p.cmd.Dir, "out")) {
		var r struct{ S string }
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		lengths = append(lengths, len(r.S))
	}
	if fmt.Sprint(lengths) != "[10000000 5 10000000]" {
		t.Errorf("lengths %v", lengths)
	}
}

// TestNullKeys: NULL is one group, joins nothing by =, and is no key of an upsert.
func TestNullKeys(t *testing.T) {
	in := map[string]string{"in.json": `{"k":null,"v":1}` + "\n" + `{"v":2}` + "\n" + `{"k":"a","v":3}` + "\n"}
	table := "CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = 'in.json', 'format' = 'json');\nSET 'table.exec.state.ttl' = '0 ms';\n"
	for sql, want := range map[string]string{
		"SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k;":                               "+I[NULL, 2, 3]\n+I[a, 1, 3]\n",
		"SELECT x.v, y.v FROM t AS x JOIN t AS y ON x.k = y.k;":                       "+I[3, 3]\n",
		"SELECT x.v, y.v FROM t AS x LEFT JOIN t AS y ON x.k = y.k AND x.v > 5;":      "+I[1, NULL]\n+I[2, NULL]\n+I[3, NULL]\n",
		"SELECT COUNT(*) FROM t AS x JOIN t AS y ON x.k IS NOT DISTINCT FROM y.k;":    "+I[5]\n",
		"SELECT DISTINCT k FROM t;":                                                   "+I[NULL]\n+I[a]\n",
		"SELECT COUNT(k), COUNT(DISTINCT k), COUNT(*) FROM t WHERE k IS NULL OR v=3;": "+I[1, 1, 3]\n",
	} {
		p := runText(t, table+sql, in)
		lines := strings.SplitAfter(p.stdout.String(), "\n")
		slices.Sort(lines)
		if got := strings.Join(lines, ""); p.code != 0 || got != want {
			t.Errorf("%s: exit code %d\n%s%s", sql, p.code, got, p.stderr.String())
		}
	}
}

// TestBrokenRecords: each broken record is counted once and named when it ends the run.
func TestBrokenRecords(t *testing.T) {
	broken := []struct{ rec, code string }{
		{`{"id":1,`, "SD6101"}, {`[1]`, "SD6102"}, {`"x"`, "SD6102"}, {strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000), "SD6103"},
		{`{"id":"x"}`, "SD6105"}, {`{"id":3000000000}`, "SD6106"}, {"{\"s\":\"\xff\"}", "SD6107"}, {`{"ts":"yesterday"}`, "SD6105"}, {`{"id":tru}`, "SD6101"},
	}
	table := `CREATE TABLE t (id INT, s STRING, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = 'in.json', 'format' = 'json'%s);
SELECT id, s, ts FROM t;`
	text := `{"id":1}` + "\n"
	for i, b := range broken {
		p := runText(t, fmt.Sprintf(table, ""), map[string]string{"in.json": `{"id":1}` + "\n" + b.rec + "\n" + `{"id":2}` + "\n"})
		place := regexp.MustCompile(`(?m)^error\[` + b.code + `\]: (.|\n)*in\.json:2`)
		if p.code != 1 || !place.MatchString(p.stderr.String()) {
			t.Errorf("%.40q: exit code %d, want 1 and %s at in.json:2\n%.2000s", b.rec, p.code, b.code, p.stderr.String())
		}
		text += b.rec + "\n" + fmt.Sprintf(`{"id":%d}`, i+10) + "\n"
	}
	p := runText(t, fmt.Sprintf(table, ", 'on-error' = 'skip'"), map[string]string{"in.json": text})
	if got := strings.Count(p.stdout.String(), "+I["); p.code != 0 || got != len(broken)+1 {
		t.Errorf("exit code %d, %d rows, want the %d whole ones\n%s", p.code, got, len(broken)+1, p.stderr.String())
	}
}
