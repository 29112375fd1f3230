package main

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

const page = "../../docs/errors.md"

func TestErrorsPage(t *testing.T) {
	var b bytes.Buffer
	writePage(&b, diag.All())
	want := b.Bytes()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("docs/errors.md is not what the codes say (%v); run make goldens", err)
	}
}

// Every code that stands in the source or in a page is explained.
func TestEveryCodeIsExplained(t *testing.T) {
	code := regexp.MustCompile(`\b(SD[1-9]\d{3})\b`)
	seen := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		text := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".md") && path != page
		if !text {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range code.FindAllSubmatch(b, -1) {
			seen[string(m[1])] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 20 {
		t.Fatalf("only %d codes found: the search is broken", len(seen))
	}
	for c, path := range seen {
		if _, ok := diag.Lookup(c); !ok {
			t.Errorf("%s of %s is explained nowhere", c, path)
		}
	}
}

// Explanations are whole: a title, an explanation, a way out.
func TestExplanations(t *testing.T) {
	for _, e := range diag.All() {
		if e.Title == "" || len(e.Explanation) < 20 || e.WayOut == "" {
			t.Errorf("%s: title %q, explanation %q, way out %q", e.Code, e.Title, e.Explanation, e.WayOut)
		}
	}
}

// A refusal says its code itself, and its name is the one that is documented.
func TestRefusalsHaveCodes(t *testing.T) {
	for _, c := range connectors.Codes {
		d, code := explainEnd(source.NewFile("a.sql", ""), connectors.Refuse(c.Code, "advice", "why"))
		if d.Code != c.Code || code != exitConflict || d.Message != c.Name+": why" {
			t.Errorf("%s: %s %q, exit %d", c.Code, d.Code, d.Message, code)
		}
	}
	d, code := explainEnd(source.NewFile("a.sql", ""), &connectors.Permanent{Code: connectors.CodeFileChanged, Err: errors.New("file x was changed")})
	if d.Code != connectors.CodeFileChanged || code != exitFailed {
		t.Errorf("%s, exit %d", d.Code, code)
	}
}
