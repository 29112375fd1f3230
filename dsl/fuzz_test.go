package dsl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// FuzzParse: no text may crash the parser; diagnostics stand inside the text and render; what parses survives printing.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.sql", "testdata/broken/*.sql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for s := range strings.SplitSeq(string(b), ";") {
				f.Add(s + ";")
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, diags := ParseFile("f.sql", text)
		for _, d := range diags {
			if d.Span.Pos.Offset < 0 || d.Span.EndPos.Offset > len(text) || d.Span.Pos.Offset > d.Span.EndPos.Offset || d.Span.Pos.Line < 1 {
				t.Errorf("span %+v outside of the text", d.Span)
			}
			var b strings.Builder
			if err := diag.Render(&b, file.Source, d); err != nil {
				t.Error(err)
			}
		}
		if len(diags) == 0 && len(text) < 2000 {
			checkSpans(t, file, text)
			checkRoundTrip(t, file)
			for _, s := range file.Stmts {
				_ = ast.Print(s)
			}
		}
	})
}
