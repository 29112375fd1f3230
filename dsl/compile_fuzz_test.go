package dsl_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/internal/fuzz"
)

// sqlWords are put into texts whole.
var sqlWords = []string{" SELECT ", "(", ")", ",", ";", "'", "`", " FROM ", " JOIN ", " ON ", " GROUP BY ", " OVER (", " CASE WHEN ", " CAST(", " IN (", " WITH ", "/*", "--", "*/", "1e999", "INTERVAL '1' DAY",
	" UNION ALL ", " AS ", " NULL", "::INT", "[1]", ".", "*", "MAP[", "ROW(", "é", "\x00", "\xff"}

// sqlTexts are the statements of a folder of test texts.
func sqlTexts(tb testing.TB, patterns ...string) (out [][]byte) {
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil || len(files) == 0 {
			tb.Fatalf("no texts in %s: %v", p, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				tb.Fatal(err)
			}
			if len(b) < 2000 {
				out = append(out, b)
			}
		}
	}
	return out
}

// whole checks what all diagnostics have in common: they stand in the text and can be shown.
func whole(t testing.TB, text string, ds []diag.Diagnostic) {
	f := source.NewFile("f.sql", text)
	for i := range ds {
		d := &ds[i]
		if d.Span.Pos.Offset < 0 || d.Span.EndPos.Offset > len(text) || d.Span.Pos.Offset > d.Span.EndPos.Offset || d.Span.Pos.Line < 1 {
			t.Errorf("%q: %s at %+v, outside of the text", text, d.Code, d.Span)
		}
		var b bytes.Buffer
		if err := diag.Render(&b, f, d); err != nil || d.Message == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// compiledTexts: a plan, or an error; a plan can be shown.
func compiledTexts(tb testing.TB) fuzz.Target {
	return fuzz.Target{Seeds: sqlTexts(tb, "testdata/plans/*.sql", "testdata/refused/*.sql"), Words: sqlWords, Inputs: 5000, Factor: 200_000, Check: func(t testing.TB, b []byte) {
		p, ds := dsl.CompileOften(string(b), testConfig())
		if (p == nil) != diag.HasErrors(pointersTo(ds)) {
			t.Errorf("%q: plan %v, %v", b, p != nil, ds)
		}
		whole(t, string(b), ds)
		if p != nil {
			p.Explain()
			p.ExplainJSON()
		}
	}}
}

func pointersTo(ds []diag.Diagnostic) (out []*diag.Diagnostic) {
	for i := range ds {
		out = append(out, &ds[i])
	}
	return out
}

// tests are texts of NAME_test.sql files.
func tests(testing.TB) fuzz.Target {
	return fuzz.Target{Seeds: [][]byte{[]byte("INPUT t VALUES (1, 'a', TIMESTAMP '2026-01-01 00:00:00');\nWATERMARK t TO TIMESTAMP '2026-01-01 00:00:00';\nCLOCK TIMESTAMP '2026-01-01 00:00:00';\nEXPECT v VALUES (1);"),
		[]byte("EXPECT CHANGES v VALUES ('+I', 1), ('-U', NULL);\nEXPECT ERROR SD6001;\nEXPECT v VALUES;")}, Words: sqlWords, Inputs: 5000, Factor: 200_000, Check: func(t testing.TB, b []byte) {
		_, found := dsl.ParseTestOften(string(b))
		var ds []diag.Diagnostic
		for _, d := range found {
			ds = append(ds, *d)
		}
		whole(t, string(b), ds)
	}}
}

func FuzzCompile(f *testing.F)     { compiledTexts(f).Fuzz(f) }
func TestFuzzCompile(t *testing.T) { compiledTexts(t).Loop(t) }
func FuzzTest(f *testing.F)        { tests(f).Fuzz(f) }
func TestFuzzTest(t *testing.T)    { tests(t).Loop(t) }
