package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestScripts runs testdata/*.script. A script is lines of commands, then the
// files it needs, each behind a line `-- name --`. $DIR is the test's directory.
//
//	run streamd ARGS…     run the binary to its end; env NAME=VALUE may stand in front
//	code N                its exit code
//	stdout RE             stdout has a match; with ! in front: has none
//	stderr RE             likewise
//	same stdout NAME      stdout is the file, byte for byte
//	sorted stdout NAME    the same lines in any order
//	lines GLOB NAME       the lines of all files that match, in any order
//	jsondoc stdout        stdout is one JSON document
//	append NAME TEXT      adds a line to a file
//	remove NAME           removes files
//	exists GLOB, ! exists GLOB
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".script"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			(&script{t: t, dir: t.TempDir(), file: f}).run(string(b))
		})
	}
}

type script struct {
	t    *testing.T
	dir  string
	file string
	last *proc
	line int
}

var fileMark = regexp.MustCompile(`(?m)^-- (\S+) --\n`)

func (s *script) run(text string) {
	marks := fileMark.FindAllStringSubmatchIndex(text, -1)
	commands := text
	for i, m := range marks {
		if i == 0 {
			commands = text[:m[0]]
		}
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		write(s.t, s.dir, text[m[2]:m[3]], text[m[1]:end])
	}
	for i, l := range strings.Split(commands, "\n") {
		s.line = i + 1
		if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		if err := s.do(words(strings.ReplaceAll(l, "$DIR", s.dir))); err != nil {
			out := ""
			if s.last != nil {
				out = fmt.Sprintf("\n%s = %d\nstdout:\n%s\nstderr:\n%s", strings.Join(s.last.cmd.Args[1:], " "), s.last.code, tail(s.last.stdout.String(), 40), tail(s.last.stderr.String(), 40))
			}
			s.t.Fatalf("%s:%d: %s: %v%s", s.file, s.line, l, err, out)
		}
	}
}

// words splits a line at blanks; '…' holds blanks.
func words(l string) (out []string) {
	for l = strings.TrimSpace(l); l != ""; l = strings.TrimLeft(l, " ") {
		if l[0] == '\'' {
			if i := strings.IndexByte(l[1:], '\''); i >= 0 {
				out, l = append(out, l[1:1+i]), l[i+2:]
				continue
			}
		}
		w, rest, _ := strings.Cut(l, " ")
		out, l = append(out, w), rest
	}
	return out
}

func (s *script) do(w []string) error {
	not := w[0] == "!"
	if not {
		w = w[1:]
	}
	var env []string
	for w[0] == "env" {
		env, w = append(env, w[1]), w[2:]
	}
	switch w[0] {
	case "run":
		if w[1] != "streamd" {
			return fmt.Errorf("only streamd is run")
		}
		s.last = streamd(s.t, s.dir, env, w[2:]...)
	case "code":
		if want, _ := strconv.Atoi(w[1]); s.last.code != want {
			return fmt.Errorf("exit code %d", s.last.code)
		}
	case "stdout", "stderr":
		ok, err := regexp.MatchString("(?m)"+w[1], s.stream(w[0]))
		if err != nil {
			return err
		}
		if ok == not {
			return fmt.Errorf("match: %v", ok)
		}
	case "same":
		if got, want := s.stream(w[1]), s.read(w[2]); got != want {
			return fmt.Errorf("got\n%swant\n%s", got, want)
		}
	case "sorted":
		return sameLines(s.stream(w[1]), s.read(w[2]))
	case "lines":
		var got strings.Builder
		for _, f := range s.glob(w[1]) {
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			got.Write(b)
		}
		return sameLines(got.String(), s.read(w[2]))
	case "jsondoc":
		if !json.Valid([]byte(s.stream(w[1]))) {
			return fmt.Errorf("not one JSON document")
		}
	case "append":
		f, err := os.OpenFile(filepath.Join(s.dir, w[1]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = f.WriteString(strings.Join(w[2:], " ") + "\n")
		return errorsJoin(err, f.Close())
	case "remove":
		return os.RemoveAll(filepath.Join(s.dir, w[1]))
	case "exists":
		if (len(s.glob(w[1])) > 0) == not {
			return fmt.Errorf("files: %v", s.glob(w[1]))
		}
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}

func errorsJoin(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (s *script) stream(name string) string {
	if name == "stdout" {
		return s.last.stdout.String()
	}
	return s.last.stderr.String()
}

func (s *script) read(name string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// glob finds files; hidden ones do not match `*`.
func (s *script) glob(pattern string) (out []string) {
	all, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range all {
		if !strings.HasPrefix(filepath.Base(f), ".") {
			out = append(out, f)
		}
	}
	return out
}

func sameLines(got, want string) error {
	g, w := sortedLines(got), sortedLines(want)
	if !slices.Equal(g, w) {
		return fmt.Errorf("got\n  %s\nwant\n  %s", strings.Join(g, "\n  "), strings.Join(w, "\n  "))
	}
	return nil
}

func sortedLines(s string) []string {
	l := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	slices.Sort(l)
	return l
}
