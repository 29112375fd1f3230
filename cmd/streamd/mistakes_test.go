package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// A file of mistakes holds broken texts and what streamd says about each:
//
//	== name            the text stands in the line behind the file's tables, so it begins in line 2
//	== name alone      the text stands alone
//	== name quoted     the text is one Go string, for bytes that an editor would not keep; it stands alone
//	text
//	----
//	what `check` prints
//
// What stands in front of the first == are the tables.
type mistake struct {
	file, name, head string
	raw              []string // lines of the text as in the file
	text             string
	want             string
}

func mistakes(t *testing.T) (out []*mistake) {
	files, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of mistakes: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tables, rest, _ := strings.Cut("\n"+string(b), "\n== ")
		for part := range strings.SplitSeq(rest, "\n== ") {
			m := &mistake{file: file}
			head, body, _ := strings.Cut(part, "\n")
			text, want, _ := strings.Cut(body, "\n----\n")
			m.head, m.raw, m.want = head, strings.Split(text, "\n"), strings.TrimRight(want, "\n")+"\n"
			name, mode, _ := strings.Cut(head, " ")
			m.name = name
			switch mode {
			case "":
				m.text = strings.Join(strings.Fields(tables), " ") + "\n" + text
			case "alone":
				m.text = text
			case "quoted":
				if m.text, err = strconv.Unquote(text); err != nil {
					t.Fatalf("%s: %v", head, err)
				}
			default:
				t.Fatalf("%s: unknown mode %q", head, mode)
			}
			out = append(out, m)
		}
	}
	return out
}

// TestMistakes compares what is said about texts that users get wrong, with the connectors of the binary.
func TestMistakes(t *testing.T) {
	all := mistakes(t)
	if len(all) < 150 {
		t.Errorf("%d broken texts, want at least 150", len(all))
	}
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.name] {
			t.Errorf("%s stands twice", m.name)
		}
		seen[m.name] = true
		t.Run(m.name, func(t *testing.T) {
			p, ds, err := compileOnly(m.name+".sql", m.text, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			if p != nil || !diag.HasErrors(ds) {
				t.Error("the text is accepted")
			}
			var got bytes.Buffer
			render(&got, map[string]*source.File{m.name + ".sql": source.NewFile(m.name+".sql", m.text)}, ds)
			if got.String() != m.want && !*update {
				t.Errorf("--- got\n%s--- want\n%s", got.String(), m.want)
			}
			m.want = got.String()
		})
	}
	if *update {
		rewriteMistakes(t, all)
	}
}

// rewriteMistakes writes the files anew with what was said now.
func rewriteMistakes(t *testing.T, all []*mistake) {
	out := map[string]*strings.Builder{}
	for _, m := range all {
		if out[m.file] == nil {
			b, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			tables, _, _ := strings.Cut("\n"+string(b), "\n== ")
			out[m.file] = &strings.Builder{}
			out[m.file].WriteString(strings.TrimLeft(tables, "\n") + "\n")
		}
		out[m.file].WriteString("== " + m.head + "\n" + strings.Join(m.raw, "\n") + "\n----\n" + m.want + "\n")
	}
	for file, b := range out {
		if err := os.WriteFile(file, []byte(strings.TrimRight(b.String(), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// atRunTime are the codes of classes 1 to 5 that no text causes by itself, with the reason.
var atRunTime = map[string]string{
	"SD5010": "run --until-idle",
	"SD2011": "a test beside a pipeline; dsl has goldens of it",
	"SD1008": "a megabyte; TestLimits", "SD1009": "TestLimits", "SD1011": "TestDeepTextsAreRefused", "SD1016": "TestSizes", "SD1017": "TestSizes",
}

// TestEveryCodeHasAMistake: each code that a text can cause occurs in a golden message here or in package dsl.
func TestEveryCodeHasAMistake(t *testing.T) {
	var said strings.Builder
	for _, m := range mistakes(t) {
		said.WriteString(m.want)
	}
	for _, dir := range []string{"broken", "refused", "plans"} {
		files, err := filepath.Glob("../../dsl/testdata/" + dir + "/*.golden")
		if err != nil || len(files) == 0 {
			t.Fatalf("no goldens in %s: %v", dir, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			said.Write(b)
		}
	}
	for _, c := range diag.All() {
		if c.Code[2] > '5' || atRunTime[c.Code] != "" {
			continue
		}
		if !regexp.MustCompile(`\[` + c.Code + `\]: `).MatchString(said.String()) {
			t.Errorf("no golden message has %s: %s", c.Code, c.Title)
		}
	}
}
