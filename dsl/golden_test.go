package dsl

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/diag"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; -update writes it anew\n--- want\n%s--- got\n%s", file, want, got)
	}
}

// TestBroken compares the diagnostics of broken texts, as people read them, with golden files.
func TestBroken(t *testing.T) {
	files, _ := filepath.Glob("testdata/broken/*.sql")
	if len(files) < 40 {
		t.Fatalf("%d texts, want at least 40", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, diags := ParseFile(filepath.Base(file), string(b))
			if len(diags) == 0 {
				t.Fatal("the text is accepted")
			}
			var out strings.Builder
			for _, d := range diags {
				if err := diag.Render(&out, f.Source, d); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, strings.TrimSuffix(file, ".sql")+".golden", out.String())
		})
	}
}
