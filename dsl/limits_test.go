package dsl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
)

const limitTables = "CREATE TABLE t (a INT, b INT, s STRING) WITH ('connector' = 'mq', 'topic' = 'x', 'bounded' = 'true');\n" +
	"CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');\n"

// chain declares n views after v0, each made of the one before.
func chain(n int, view string) string {
	var s strings.Builder
	s.WriteString(limitTables + "CREATE VIEW v0 AS SELECT a, s FROM t;\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&s, "CREATE VIEW v%d AS %s;\n", i, strings.ReplaceAll(view, "V", fmt.Sprintf("v%d", i-1)))
	}
	fmt.Fprintf(&s, "SELECT * FROM v%d;", n-1)
	return s.String()
}

// TestSizes sends texts that ask for much. What is only long is checked in bounded time; what grows without bound is refused with a
// code. A walk over a plan as if it were a tree would not end for views that name another twice.
func TestSizes(t *testing.T) {
	many := func(head, item, tail string, n int) string {
		return limitTables + head + strings.Repeat(item, n) + tail
	}
	for name, c := range map[string]struct{ text, code string }{
		"views in a row":      {chain(8_000, "SELECT a, s FROM V"), ""},
		"aggregates in a row": {chain(1000, "SELECT DISTINCT a, s FROM V"), ""},
		"doubled unions":      {chain(40, "SELECT a, s FROM V UNION ALL SELECT a, s FROM V"), ""},
		"doubled joins":       {chain(40, "SELECT x.a, x.s FROM V AS x JOIN V AS y ON x.a = y.a"), ""},
		"doubled left joins":  {chain(40, "SELECT x.a, x.s FROM V AS x LEFT JOIN V AS y ON x.a = y.a"), ""},
		"doubled chance":      {chain(30, "SELECT x.a, x.s || CAST(RAND() AS STRING) AS s FROM V AS x LEFT JOIN V AS y ON x.a = y.a"), ""},
		"doubled expression":  {chain(40, "SELECT a + a AS a, s || s AS s FROM V"), ""},
		"doubled columns":     {chain(40, "SELECT *, * FROM V"), "SD1017"},
		"doubled join stars":  {chain(40, "SELECT x.*, y.* FROM V AS x JOIN V AS y ON x.a = y.a"), "SD1017"},
		"inserts":             {many("", "INSERT INTO o SELECT a FROM t;\n", "", 10_000), ""},
		"branches":            {many("SELECT CASE ", "WHEN a = 1 THEN 2 ", "END FROM t;", 10_000), ""},
		"values":              {many("INSERT INTO o VALUES (1)", ", (2)", ";", 20_000), ""},
		"joins":               {limitTables + "SELECT t.a FROM t" + joins(2000) + ";", "SD1017"},
		"columns":             {"CREATE TABLE w (" + columns(10_001) + ") WITH ('connector' = 'blackhole');", "SD1017"},
		"select list":         {limitTables + "SELECT " + strings.Repeat("a, ", 10_000) + "a FROM t;", "SD1017"},
		"wide tables":         {wideTables(112), "SD1017"},
		"mistakes":            {many("", "SELECT nope FROM t;\n", "", 10_000), "SD2003"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, ds := dsl.Compile("large.sql", c.text, testConfig())
			code := ""
			for _, d := range ds {
				if d.Severity == diag.Error && code == "" {
					code = d.Code
				}
			}
			if code != c.code {
				t.Errorf("%q, want %q: %.300v", code, c.code, ds)
			}
			if p != nil {
				p.Explain()
			}
			if name == "mistakes" && (len(ds) != 101 || ds[100].Code != "SD1016" || ds[100].Severity != diag.Note) {
				t.Errorf("%d diagnostics, want 100 errors and a note", len(ds))
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("took %v", d)
			}
		})
	}
}

func joins(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, " JOIN t AS t%d ON t.a = t%d.a", i, i)
	}
	return s.String()
}

func columns(n int) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("c%d INT", i))
	}
	return strings.Join(s, ", ")
}

// wideTables declares n tables of 9,000 columns by few words.
func wideTables(n int) string {
	s := "CREATE TABLE w (" + columns(9000) + ") WITH ('connector' = 'blackhole');\n"
	for i := range n {
		s += fmt.Sprintf("CREATE TABLE w%d LIKE w;\n", i)
	}
	return s
}
