package outside

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const module = "github.com/streamd/streamd"

// stranger makes a module of its own around the program in testdata that takes
// streamd from this repository, and returns its directory.
func stranger(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// The libraries as streamd itself takes them, so that nothing is looked up.
	mod := strings.Replace(read(filepath.Join(root, "go.mod")), "module "+module, "module example.com/stranger", 1)
	if _, after, ok := strings.Cut(mod, "example.com/stranger"); !ok || after == "" {
		t.Fatal("go.mod has another form")
	}
	mod += "\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	dir := t.TempDir()
	for file, text := range map[string]string{
		"go.mod": mod, "go.sum": read(filepath.Join(root, "go.sum")), "main.go": read("testdata/program/main.go"),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func command(t *testing.T, dir string, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &out, &errs
	c.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod")
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// TestProgram builds the stranger's program and runs it.
func TestProgram(t *testing.T) {
	dir := stranger(t)
	command(t, dir, "go", "vet", ".")
	command(t, dir, "go", "build", "-o", "program", ".")
	stdout, stderr := command(t, dir, filepath.Join(dir, "program"))
	want := strings.Repeat("finished 24.50 25.00\n", 3) + "left running: true\nsignals as before: true\n"
	if stdout != want || stderr != "" {
		t.Errorf("stdout\n%s\nwant\n%s\nstderr, which should be empty\n%s", stdout, want, stderr)
	}
}

// TestNoInternalTypes looks through the documentation of what programs import for
// types of packages that they cannot.
func TestNoInternalTypes(t *testing.T) {
	list, _ := command(t, "../..", "go", "list", "./...")
	var names []string
	for _, p := range strings.Fields(list) {
		if strings.Contains(p, "/internal/") {
			names = append(names, p[strings.LastIndex(p, "/")+1:])
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %q are internal", names)
	}
	internal := regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\.[A-Z]`)
	for _, p := range []string{"engine", "engine/enginetest", "connectors", "connectors/conntest", "batch", "dsl", "dsl/diag", "dsl/source"} {
		doc, _ := command(t, "../..", "go", "doc", "-short", "-all", "./"+p)
		for _, line := range strings.Split(doc, "\n") {
			if internal.MatchString(line) {
				t.Errorf("%s: %s", p, line)
			}
		}
	}
}
