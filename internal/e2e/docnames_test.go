package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of a connector that has a table of options names all of them; those of
// formats stand in the page of formats, those of every table in the page of tables.
func TestOptionPages(t *testing.T) {
	t.Parallel()
	list := streamd(t, ".", nil, "connectors").stdout.String()
	formats := prose(t, "../../docs/connectors/formats.md")
	ofFormat := regexp.MustCompile(`^(?:key\.|value\.)?(json|csv|raw|debezium-json)\.(.*)$`)
	tables := prose(t, "../../docs/sql/tables.md")
	n := 0
	for l := range strings.Lines(list) {
		name := strings.Fields(l)[0]
		page := prose(t, filepath.Join("../../docs/connectors", name+".md"))
		if !strings.Contains(page, "| option |") {
			continue
		}
		out := streamd(t, ".", nil, "connectors", name).stdout.String()
		common := strings.Index(out, "Options of every table:")
		for _, m := range regexp.MustCompile(`(?m)^  (\S+) `).FindAllStringSubmatchIndex(out, -1) {
			key, in := out[m[2]:m[3]], page
			if m[0] > common {
				in = tables
			}
			if f := ofFormat.FindStringSubmatch(key); f != nil {
				key, in = f[2], formats
			}
			n++
			if key = strings.TrimSuffix(key, "*"); !strings.Contains(in, "`"+key) && !strings.HasPrefix(key, "scan.bounded.") {
				t.Errorf("%s.md lacks the option %s", name, key)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d options", n)
	}
}

// Commands and make targets that pages name exist.
func TestCommandNames(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	help := streamd(t, ".", nil, "--help").stdout.String()
	n := 0
	for _, p := range pages(t) {
		if strings.Contains(p, "/design/") || strings.HasSuffix(p, "ROADMAP.md") {
			continue // of the past, and of the future
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:`|^\\$ |^    \\$ )(make|streamd) ([a-z0-9-]+)").FindAllStringSubmatch(string(b), -1) {
			n++
			where := "\n  " + m[2] + " "
			if m[1] == "make" {
				where = "\n" + m[2] + ":"
			}
			if !strings.Contains(map[bool]string{true: string(makefile), false: help}[m[1] == "make"], where) {
				t.Errorf("%s names `%s %s`", p, m[1], m[2])
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands", n)
	}
}
