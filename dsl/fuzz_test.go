package dsl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/internal/fuzz"
)

// parsedTexts: no text may crash the parser; diagnostics stand inside the text and render; what parses survives printing.
func parsedTexts(tb testing.TB) fuzz.Target {
	var seeds [][]byte
	for _, pattern := range []string{"testdata/good/*.sql", "testdata/broken/*.sql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			for s := range strings.SplitSeq(string(b), ";") {
				if len(s) < 300 {
					seeds = append(seeds, []byte(s+";"))
				}
			}
		}
	}
	var words []string
	for _, s := range seeds {
		for w := range strings.FieldsSeq(string(s)) {
			words = append(words, " "+w+" ")
		}
	}
	slices.Sort(words)
	words = slices.Compact(words)
	return fuzz.Target{Seeds: seeds, Words: words, Inputs: 10_000, Factor: 200_000, Check: func(t testing.TB, b []byte) {
		text := string(b)
		file, diags := ParseOften(text)
		for _, d := range diags {
			if d.Span.Pos.Offset < 0 || d.Span.EndPos.Offset > len(text) || d.Span.Pos.Offset > d.Span.EndPos.Offset || d.Span.Pos.Line < 1 {
				t.Errorf("%q: span %+v outside of the text", text, d.Span)
			}
			var b strings.Builder
			if err := diag.Render(&b, file.Source, d); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		if len(diags) == 0 && len(text) < 2000 {
			checkSpans(t, file, text)
			checkRoundTrip(t, file)
			for _, s := range file.Stmts {
				_ = ast.Print(s)
			}
		}
	}}
}

func FuzzParse(f *testing.F)     { parsedTexts(f).Fuzz(f) }
func TestFuzzParse(t *testing.T) { parsedTexts(t).Loop(t) }
