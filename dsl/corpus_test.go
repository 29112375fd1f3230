package dsl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/diag"
)

// sharedDir finds a folder `shared` beside one of the parents of this package, which holds pipelines that are not part of the
// project.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if s := filepath.Join(filepath.Dir(dir), "shared"); isDir(filepath.Join(s, "conformance")) {
			return s
		}
	}
	t.Skip("no folder `shared` beside the project: its pipelines are not checked")
	return ""
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

// mustParse parses a text that has to be right and checks that its canonical print is a fixed point.
func mustParse(t *testing.T, name, sql string) {
	t.Helper()
	f, diags := ParseFile(name, sql)
	for _, d := range diags {
		var b strings.Builder
		diag.Render(&b, f.Source, d)
		t.Errorf("%s", b.String())
	}
	if len(diags) == 0 {
		checkRoundTrip(t, f)
	}
}

func TestSharedPipelinesParse(t *testing.T) {
	shared := sharedDir(t)
	n := 0
	cases, _ := filepath.Glob(filepath.Join(shared, "conformance", "*.case"))
	for _, file := range cases {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, section, sql := "", "", ""
		flush := func() {
			if section == "sql" {
				n++
				mustParse(t, name, sql)
			}
			sql = ""
		}
		for line := range strings.Lines(string(b)) {
			switch {
			case strings.HasPrefix(line, "#### "):
				flush()
				name, section = strings.TrimSpace(line[5:]), ""
			case strings.HasPrefix(line, "---- "):
				flush()
				section = strings.Fields(line[5:])[0]
			case section == "sql":
				sql += line
			}
		}
		flush()
	}
	examples, _ := filepath.Glob(filepath.Join(shared, "prototypes", "examples", "*.sql"))
	for _, file := range examples {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n++
		mustParse(t, filepath.Base(file), string(b))
	}
	if n < 60 {
		t.Errorf("only %d texts found", n)
	}
}
