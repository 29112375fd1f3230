package engine_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// plain drops what depends on where a piece of code stands: indentation.
func plain(code string) string {
	lines := strings.Split(code, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// TestDocs finds every piece of Go in the pages on embedding in the examples, which
// are run: what a reader copies works.
func TestDocs(t *testing.T) {
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	examples := plain(read("example_test.go") + "\n" + read("enginetest/example_test.go"))
	blocks := regexp.MustCompile("(?s)```(go|sql)\n(.*?)```").FindAllStringSubmatch(read("../docs/embedding.md"), -1)
	if len(blocks) < 8 {
		t.Fatalf("only %d pieces of code", len(blocks))
	}
	for _, b := range blocks {
		if code := plain(strings.TrimSuffix(b[2], "\n")); !strings.Contains("\n"+examples+"\n", "\n"+code+"\n") {
			t.Errorf("this is in no example:\n%s", b[2])
		}
	}
}
