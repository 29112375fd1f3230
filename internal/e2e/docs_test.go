package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every example is right.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/pipelines/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, f := range files {
		if p := streamd(t, ".", nil, "check", f, "--kafka", "localhost:9092"); p.code != 0 {
			t.Errorf("exit code %d\n%s", p.code, p.stdout.String())
		}
	}
}

// The file map of ARCHITECTURE.md names only what there is, and every package
// stands under something it names.
func TestFileMap(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "## File map")
	if !ok {
		t.Fatal("there is no file map")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z0-9_./-]+/[a-z0-9_./-]*)`").FindAllStringSubmatch(table, -1) {
		named[strings.TrimSuffix(m[1], "/")] = true
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("the file map names %s: %v", m[1], err)
		}
	}
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != "../.." && (name == "testdata" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		pkg, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil || named[pkg] {
			return err
		}
		if parent := filepath.Dir(pkg); filepath.Base(parent) == "internal" && named[parent] {
			return nil
		}
		t.Errorf("the file map does not name %s", pkg)
		named[pkg] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Links between the documents lead somewhere: to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	t.Parallel()
	files := append(pages(t), "../../docs/errors.md", "../../docs/functions.md")
	if len(files) < 20 {
		t.Fatalf("only %d documents", len(files))
	}
	for _, f := range files {
		for _, m := range regexp.MustCompile(`\]\(([^):\s]+)\)`).FindAllStringSubmatch(prose(t, f), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			to := f
			if path != "" {
				to = filepath.Join(filepath.Dir(f), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", f, m[1], err)
			} else if anchor != "" && !slices.Contains(headings(t, to), anchor) {
				t.Errorf("%s links to %s, which has no such heading", f, m[1])
			}
		}
	}
}

// prose is a page without its fenced blocks.
func prose(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(string(b), "")
}

// headings are the anchors of a page's headings, as GitHub makes them.
func headings(t *testing.T, file string) (out []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(t, file), -1) {
		s := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		out = append(out, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(s, ""))
	}
	return out
}
