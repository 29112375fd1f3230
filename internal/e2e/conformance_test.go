package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// goldenDir holds goldens of other projects beside this one, in our dialect;
// STREAMD_TEST_GOLDENS names another place.
var goldenDir = func() string {
	if d := os.Getenv("STREAMD_TEST_GOLDENS"); d != "" {
		return d
	}
	return "../../../shared/conformance"
}()

// TestConformance runs every case of the folder and compares the folded
// changelog. A case whose operators do not exist is skipped only when the
// binary itself says "not supported yet".
func TestConformance(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(goldenDir, "*.case"))
	if len(files) == 0 {
		t.Skipf("no goldens of other projects: %s is absent", goldenDir)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range parseCases(t, string(b)) {
			t.Run(c.name, func(t *testing.T) { c.run(t) })
		}
	}
}

// goldenCase is one case of a .case file.
type goldenCase struct {
	name    string
	keys    map[string]string
	sql     string
	expects []section // alternatives
}

type section struct{ kind, arg, text string }

func parseCases(t *testing.T, text string) (out []*goldenCase) {
	var c *goldenCase
	var body *string
	flush := func() {}
	for line := range strings.Lines(text) {
		l := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(l, "#### "):
			flush()
			flush = func() {}
			c, body = &goldenCase{name: l[5:], keys: map[string]string{}}, nil
			out = append(out, c)
		case strings.HasPrefix(l, "---- "):
			flush()
			head := strings.SplitN(l[5:]+"  ", " ", 3)
			s := &section{kind: head[0], arg: strings.TrimSpace(head[1] + " " + head[2])}
			body = &s.text
			in := c
			flush = func() {
				if s.kind == "sql" {
					in.sql = s.text
				} else {
					in.expects = append(in.expects, *s)
				}
			}
		case body == nil && strings.HasPrefix(l, "# "):
			k, v, _ := strings.Cut(l[2:], ":")
			c.keys[strings.TrimSpace(k)] = strings.TrimSpace(v)
		case body != nil:
			*body += line
		case strings.TrimSpace(l) != "":
			t.Fatalf("a line outside of every section: %q", l)
		}
	}
	flush()
	return out
}

func (c *goldenCase) run(t *testing.T) {
	dir := t.TempDir()
	for _, f := range strings.Fields(c.keys["data"]) {
		b, err := os.ReadFile(filepath.Join(goldenDir, "data", f))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, f, string(b))
	}
	for _, f := range strings.Fields(c.keys["csvdata"]) {
		write(t, dir, strings.TrimSuffix(f, ".tsv")+".jsonl", tsvToJSON(t, filepath.Join(goldenDir, "data", f)))
	}
	write(t, dir, "a.sql", c.sql)
	began := time.Now()
	p := streamd(t, dir, nil, "run", "a.sql", "-q", "--format", "json", "--workers", "2")
	if p.code == 2 && strings.Contains(p.stderr.String(), "not supported yet") {
		t.Skip("the binary refuses it: " + strings.SplitN(p.stderr.String(), "\n", 2)[0])
	}
	if p.code != 0 {
		t.Fatalf("exit code %d\n%s", p.code, tail(p.stderr.String(), 30))
	}
	limit := 30
	if s := c.keys["limit"]; s != "" {
		limit, _ = strconv.Atoi(s)
	}
	if d := time.Since(began); d > time.Duration(limit)*time.Second {
		t.Errorf("took %s, the limit is %d s", d, limit)
	}
	got := c.fold(t, dir, p.stdout.String())
	var diffs []string
	for _, e := range c.expects {
		d := c.diff(t, dir, got, e)
		if d == "" {
			return
		}
		diffs = append(diffs, d)
	}
	t.Fatal(strings.Join(diffs, "\nor\n"))
}

// value is one column of a row; rows keep their columns' order.
type value struct {
	name string
	raw  json.RawMessage
}

// fold sums up the changelog: the rows that are left, as often as they are.
func (c *goldenCase) fold(t *testing.T, dir, stdout string) (rows [][]value) {
	if out := strings.Fields(c.keys["out"]); len(out) > 0 {
		files, _ := filepath.Glob(filepath.Join(dir, out[0], "part-*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(b)) {
				rows = append(rows, ordered(t, []byte(line)))
			}
		}
		return rows
	}
	type entry struct {
		row []value
		n   int
	}
	left := map[string]*entry{}
	last := 0
	for line := range strings.Lines(stdout) {
		var l struct {
			Op   string
			Stmt int
			Row  json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if l.Stmt < last {
			continue
		}
		if l.Stmt > last {
			last, left = l.Stmt, map[string]*entry{}
		}
		e := left[string(l.Row)]
		if e == nil {
			e = &entry{row: ordered(t, l.Row)}
			left[string(l.Row)] = e
		}
		switch l.Op {
		case "+I", "+U":
			e.n++
		case "-U", "-D":
			e.n--
		default:
			t.Fatalf("no such change: %q", line)
		}
	}
	for k, e := range left {
		if e.n < 0 {
			t.Fatalf("taken back more often than given: %s", k)
		}
		for range e.n {
			rows = append(rows, e.row)
		}
	}
	return rows
}

// ordered reads an object with its keys in order.
func ordered(t *testing.T, b []byte) (row []value) {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		v := value{name: k.(string)}
		if err := d.Decode(&v.raw); err != nil {
			t.Fatal(err)
		}
		row = append(row, v)
	}
	return row
}

func (c *goldenCase) diff(t *testing.T, dir string, rows [][]value, e section) string {
	var got, want []string
	if e.kind == "golden" {
		for _, r := range rows {
			var cols []string
			for _, v := range r {
				cols = append(cols, text(v.raw))
			}
			got = append(got, tokens(strings.Join(cols, " ")))
		}
		for line := range strings.Lines(e.text) {
			want = append(want, tokens(line))
		}
	} else {
		for _, r := range rows {
			got = append(got, c.canonical(r))
		}
		for _, line := range c.expected(t, dir, e) {
			want = append(want, c.canonical(ordered(t, []byte(line))))
		}
	}
	return multisetDiff(got, want)
}

// expected returns the rows of a section as JSON lines.
func (c *goldenCase) expected(t *testing.T, dir string, e section) (out []string) {
	kind, arg, _ := strings.Cut(e.arg, " ")
	body := e.text
	switch kind {
	case "":
	case "file":
		b, err := os.ReadFile(filepath.Join(goldenDir, "data", strings.TrimSpace(e.text)))
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
	case "derive":
		b, err := os.ReadFile(filepath.Join(dir, arg))
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
		switch strings.TrimSpace(e.text) {
		case "r":
		case "{'timestamp': r['timestamp'], 'driver_id': str(r['driver_id'])}":
			body = regexp.MustCompile(`(?m)^\{"timestamp":("[^"]*"),"driver_id":(\d+),.*$`).ReplaceAllString(body, `{"timestamp":$1,"driver_id":"$2"}`)
		default:
			t.Fatalf("unknown derivation %q", e.text)
		}
	default:
		t.Fatalf("unknown kind of expectation %q", e.arg)
	}
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

// canonical writes a row so that equal rows are equal texts, whatever the order of columns.
func (c *goldenCase) canonical(r []value) string {
	approx := strings.Split(c.keys["approx"], ",")
	var cols []string
	for _, v := range r {
		s := canon(v.raw)
		if slices.Contains(approx, v.name) {
			if f, err := strconv.ParseFloat(strings.Trim(string(v.raw), `"`), 64); err == nil {
				s = fmt.Sprintf("%.8g", f)
			}
		}
		cols = append(cols, v.name+"="+s)
	}
	slices.Sort(cols)
	return strings.Join(cols, " ")
}

var looksLikeTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?Z?$`)

// canon writes a JSON value: numbers and times by value, nested values sorted by key.
func canon(raw json.RawMessage) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return string(raw)
	}
	return canonAny(v)
}

func canonAny(v any) string {
	switch x := v.(type) {
	case json.Number:
		return number(string(x))
	case string:
		return strconv.Quote(timeText(x))
	case []any:
		var s []string
		for _, e := range x {
			s = append(s, canonAny(e))
		}
		return "[" + strings.Join(s, ",") + "]"
	case map[string]any:
		var s []string
		for k, e := range x {
			s = append(s, k+":"+canonAny(e))
		}
		slices.Sort(s)
		return "{" + strings.Join(s, ",") + "}"
	}
	return fmt.Sprint(v)
}

func number(s string) string {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return s
	}
	// Doubles come in their shortest form on both sides, exact numbers as they are.
	return r.RatString()
}

func timeText(s string) string {
	if m := looksLikeTime.FindStringSubmatch(s); m != nil {
		return m[1] + " " + m[2] + strings.TrimRight(strings.TrimRight(m[3], "0"), ".")
	}
	return s
}

// text is a value as a golden writes it.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s
	}
	if string(raw) == "null" {
		return "NULL"
	}
	return string(raw)
}

var fraction = regexp.MustCompile(`^(\d\d:\d\d:\d\d)\.(\d+)$`)

// tokens writes a golden line so that equal rows are equal texts: what stands
// between blanks is one token, numbers and times count by value.
func tokens(line string) string {
	f := strings.Fields(line)
	for i, s := range f {
		if m := fraction.FindStringSubmatch(s); m != nil {
			s = strings.TrimRight(m[1]+"."+strings.TrimRight(m[2], "0"), ".")
		}
		switch s {
		case "t":
			s = "true"
		case "f":
			s = "false"
		}
		f[i] = number(s)
	}
	return strings.Join(f, " ")
}

func multisetDiff(got, want []string) string {
	n := map[string]int{}
	for _, s := range want {
		n[s]++
	}
	for _, s := range got {
		n[s]--
	}
	var d []string
	for s, k := range n {
		for ; k > 0; k-- {
			d = append(d, "missing  "+s)
		}
		for ; k < 0; k++ {
			d = append(d, "too many "+s)
		}
	}
	if len(d) == 0 {
		return ""
	}
	slices.Sort(d)
	return fmt.Sprintf("%d rows, want %d:\n%s", len(got), len(want), strings.Join(d[:min(len(d), 30)], "\n"))
}

// tsvToJSON writes a table of the folder as JSON lines; its header says which
// columns are strings (s) and which numbers (n).
func tsvToJSON(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	var out strings.Builder
	for _, l := range lines[1:] {
		for i, v := range strings.Split(l, "\t") {
			name, kind, _ := strings.Cut(head[i], ":")
			sep := ","
			if i == 0 {
				sep = "{"
			}
			if kind == "s" {
				q, _ := json.Marshal(v)
				v = string(q)
			}
			fmt.Fprintf(&out, "%s%q:%s", sep, name, v)
		}
		out.WriteString("}\n")
	}
	return out.String()
}
