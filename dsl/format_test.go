package dsl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// checkFormat holds what a formatter promises: the same statements, the same
// comments, and nothing to do the second time.
func checkFormat(t *testing.T, name, text string, parse func(string, string) (*ast.File, []*diag.Diagnostic), format func(string, string) (string, []*diag.Diagnostic)) string {
	t.Helper()
	f, ds := parse(name, text)
	if len(ds) > 0 {
		return ""
	}
	out, ds := format(name, text)
	if len(ds) > 0 {
		t.Fatalf("%s: %v\n%s", name, ds[0], text)
	}
	g, ds := parse(name, out)
	if len(ds) > 0 {
		t.Fatalf("%s: what was formatted does not parse: %v\n%s", name, ds[0], out)
	}
	if len(f.Stmts) != len(g.Stmts) {
		t.Fatalf("%s: %d statements, then %d\n%s", name, len(f.Stmts), len(g.Stmts), out)
	}
	for i := range f.Stmts {
		if was, is := dump(normal(f.Stmts[i])), dump(normal(g.Stmts[i])); was != is {
			t.Errorf("%s: the formatter changed\n%s\ninto\n%s\n%s", name, was, is, out)
		}
	}
	if was, is := comments(f), comments(g); was != is {
		t.Errorf("%s: comments\n%s\nthen\n%s", name, was, is)
	}
	if again, _ := format(name, out); again != out {
		t.Errorf("%s: formatted\n%s\nand again\n%s", name, out, again)
	}
	for _, l := range strings.Split(out, "\n") {
		if strings.HasSuffix(l, " ") && !strings.ContainsAny(out, "'`") && !strings.Contains(out, "/*") {
			t.Errorf("%s: blanks at the end of %q", name, l)
		}
	}
	return out
}

func comments(f *ast.File) string {
	var s []string
	for _, c := range f.Comments {
		s = append(s, strings.TrimRight(c.Text, " \t\r\f\v"))
	}
	return strings.Join(s, "\n")
}

// TestFormat compares what the formatter makes of texts with golden files.
func TestFormat(t *testing.T) {
	files, _ := filepath.Glob("testdata/format/*.sql")
	if len(files) == 0 {
		t.Fatal("no texts")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parse, format := ParseFile, Format
			if strings.HasSuffix(file, "_test.sql") {
				parse, format = ParseTest, FormatTest
			}
			golden(t, strings.TrimSuffix(file, ".sql")+".golden", checkFormat(t, file, string(b), parse, format))
		})
	}
}

// TestFormatAll formats every text of the tests and examples.
func TestFormatAll(t *testing.T) {
	for _, pattern := range []string{"testdata/good/*.sql", "testdata/plans/*.sql", "testdata/refused/*.sql", "../examples/pipelines/*.sql"} {
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			t.Errorf("no texts in %s", pattern)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(b), "\r\n", "\n")
			parse, format := ParseFile, Format
			if strings.HasSuffix(file, "_test.sql") {
				parse, format = ParseTest, FormatTest
			}
			if out := checkFormat(t, file, text, parse, format); strings.HasPrefix(file, "../examples") && out != text {
				t.Errorf("%s is not formatted: streamd fmt -w %s", file, filepath.Base(file))
			}
		}
	}
}

// TestFormatOneWordALine: however a text is cut into lines, and wherever comments stand, formatting keeps its meaning and comes to rest.
func TestFormatOneWordALine(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*.sql")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, piece := range []string{"\n", " -- c\n", "\n-- c\n", " /* c */ ", "\n/* c */ "} {
			s := scanner{text: string(b)}
			var out strings.Builder
			for k, x := range s.all() {
				if x.Type == tSpace && k%3 == i%3 {
					out.WriteString(piece)
				} else {
					out.WriteString(x.Value)
				}
			}
			checkFormat(t, file, out.String(), ParseFile, Format)
		}
	}
}

// FuzzFormat: whatever parses keeps its meaning and its comments when it is formatted, and stays as it is the second time.
func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.sql", "testdata/format/*.sql"} {
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
		if len(text) < 2000 {
			checkFormat(t, "f.sql", text, ParseFile, Format)
			checkFormat(t, "f_test.sql", text, ParseTest, FormatTest)
		}
	})
}
