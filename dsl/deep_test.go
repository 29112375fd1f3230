package dsl

import (
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/dsl/ast"
)

// TestDeepTextsAreRefused sends what would overflow the stack of a parser without limits. A stack overflow ends the process, so
// the test fails by not ending.
func TestDeepTextsAreRefused(t *testing.T) {
	nest := func(open, mid, end string) func(int) string {
		return func(n int) string { return strings.Repeat(open, n) + mid + strings.Repeat(end, n) }
	}
	for name, c := range map[string]struct {
		text func(n int) string
		code string
	}{
		"not":         {nest("NOT ", "a", ""), codeTooDeep},
		"minus":       {nest("- ", "a", ""), codeTooDeep},
		"parentheses": {nest("(", "a", ")"), codeTooDeep},
		"open":        {nest("(", "", ""), codeTooDeep},
		"case":        {nest("CASE WHEN ", "a", " THEN b END"), codeTooDeep},
		"subquery":    {nest("(SELECT ", "1", ")"), codeTooDeep},
		"from":        {func(n int) string { return "* FROM " + nest("(SELECT * FROM ", "t", ")")(n) }, codeTooDeep},
		"type":        {func(n int) string { return "CAST(a AS " + nest("ARRAY<", "INT", ">")(n) + ")" }, codeTooDeep},
		"row type":    {func(n int) string { return "CAST(a AS " + nest("ROW<a ", "INT", ">")(n) + ")" }, codeTooDeep},
		"type suffix": {func(n int) string { return "CAST(a AS INT" + strings.Repeat(" ARRAY", n) + ")" }, codeTooDeep},
		"array":       {nest("ARRAY[", "1", "]"), codeTooDeep},
		"call":        {nest("f(", "1", ")"), codeTooDeep},
		"index":       {nest("a[", "1", "]"), codeTooDeep},
		"pattern":     {func(n int) string { return "* FROM t MATCH_RECOGNIZE (PATTERN (" + nest("(", "A", ")")(n) + "))" }, codeTooDeep},
		"sets":        {func(n int) string { return "a FROM t GROUP BY " + nest("ROLLUP(", "a", ")")(n) }, codeTooDeep},
		"plus":        {nest("1 + ", "1", ""), codeTooLong},
		"and":         {nest("a AND ", "b", ""), codeTooLong},
		"compare":     {nest("a = ", "b", ""), codeTooLong},
		"casts":       {nest("", "a", "::INT"), codeTooLong},
		"indexes":     {nest("", "a", "[1]"), codeTooLong},
		"unions":      {nest("1 UNION SELECT ", "1", ""), codeTooLong},
		"joins":       {func(n int) string { return "* FROM t" + strings.Repeat(" JOIN t", n) }, codeTooLong},
		"commas":      {func(n int) string { return "* FROM t" + strings.Repeat(", t", n) }, codeTooLong},
		"dots":        {nest("a.", "a", ""), codeTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, diags := ParseFile("deep.sql", "SELECT "+c.text(9000)+"; SELECT x y z;")
			if len(diags) != 2 || diags[0].Code != c.code || diags[1].Code != codeUnexpected {
				t.Errorf("got %v, want %s and one error more for the second statement", diags, c.code)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if f, diags := ParseFile("fine.sql", "SELECT "+c.text(40)+";"); c.code == codeTooLong || name == "open" {
				if name != "open" && len(diags) > 0 {
					t.Errorf("40 are refused: %v", diags)
				}
			} else if len(diags) > 0 {
				t.Errorf("40 are refused: %v", diags)
			} else {
				checkRoundTrip(t, f)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"size":       {strings.Repeat(" ", MaxFileBytes) + "x", codeTooLarge},
		"tokens":     {strings.Repeat("a ", maxTokens+1), codeTooManyTokens},
		"nul":        {"SELECT \x00;", codeBadCharacter},
		"utf8":       {"SELECT '\xff';", codeBadCharacter},
		"huge deep":  {strings.Repeat("SELECT * FROM (", 60000), codeTooManyTokens},
		"unfinished": {"SELECT " + strings.Repeat("'", 1001), codeOpenString},
	} {
		if _, diags := ParseFile("x.sql", c.text); len(diags) != 1 || diags[0].Code != c.code {
			t.Errorf("%s: %v, want %s", name, diags, c.code)
		}
	}
	if f, diags := ParseFile("x.sql", strings.Repeat("1,", 40)+strings.Repeat(" ", MaxFileBytes-100)); len(diags) != 1 || len(f.Stmts) != 0 {
		t.Errorf("%v", diags)
	}
	// A long list is no deep tree.
	if _, diags := ParseFile("x.sql", "SELECT a IN ("+strings.Repeat("1, ", 40000)+"1);"); len(diags) > 0 {
		t.Errorf("%v", diags)
	}
}

// TestManyErrors: the search for expectations is bounded over a file.
func TestManyErrors(t *testing.T) {
	start := time.Now()
	_, diags := ParseFile("x.sql", strings.Repeat("SELECT a FROM t GRUOP BY b WHERE;", 3000))
	if len(diags) != maxErrors+1 || diags[maxErrors].Code != codeTooManyErrors {
		t.Errorf("%d diagnostics", len(diags))
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestPrecedence(t *testing.T) {
	for text, want := range map[string]string{
		"a OR b AND NOT c = d + e * f": "(a OR (b AND (NOT (c = (d + (e * f))))))",
		"a - b - c":                    "((a - b) - c)",
		"a || b + c":                   "((a || b) + c)",
		"a + b || c":                   "(a + (b || c))",
		"a = b IS NULL":                "((a = b) IS NULL)",
		"NOT a IS NULL":                "(NOT (a IS NULL))",
		"a BETWEEN b AND c AND d":      "((a BETWEEN b AND c) AND d)",
		"a = b IN (1)":                 "(a = (b IN (1)))",
		"-a::INT":                      "(-(a::INT))",
		"a < b = c":                    "((a < b) = c)",
		"a LIKE b || c":                "(a LIKE (b || c))",
		"a IS DISTINCT FROM b OR c":    "((a IS DISTINCT FROM b) OR c)",
		"NOT a AND b":                  "((NOT a) AND b)",
		"-a * b":                       "((-a) * b)",
		"ts - INTERVAL '1' DAY < b":    "((ts - INTERVAL '1' DAY) < b)",
		"a AND b IN (SELECT 1) OR c":   "((a AND (b IN (SELECT 1))) OR c)",
		"CASE WHEN a THEN b END + c":   "(CASE WHEN a THEN b END + c)",
		"a.b.c[1].d::INT + 1":          "((((a.b.c[1]).d)::INT) + 1)",
	} {
		got := parseOneExpr(t, text)
		full := parseOneExpr(t, want)
		if g, w := ast.Print(got), ast.Print(full); g != w {
			t.Errorf("%s is %s, want %s", text, g, w)
		}
	}
}

func parseOneExpr(t *testing.T, text string) ast.Expr {
	t.Helper()
	f, diags := ParseFile("e.sql", "SELECT "+text)
	if len(diags) > 0 {
		t.Fatalf("%s: %v", text, diags)
	}
	return f.Stmts[0].(*ast.QueryStmt).Query.Body.(*ast.Select).Items[0].Expr
}
