package e2e

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is one fenced block of a page.
type block struct {
	page, lang string
	line       int               // of its first fence
	what       string            // the word behind the language: what is done with it
	attr       map[string]string // key=value words
	reason     string            // of not-run
	text       string
	output     *block // the plain block right behind a block that is run: what comes out
}

// sketch tells whether a block only hints at a pipeline.
func (b *block) sketch() bool {
	return b.lang == "sql" && b.what == "" && b.attr["file"] == "" && strings.Contains(b.text, "…")
}

// shows tells whether the next block is what comes out of this one.
func (b *block) shows() bool {
	return b.lang == "sql" && slices.Contains([]string{"run", "table", "check", "explain"}, b.what)
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// parseBlocks finds the blocks of a page. The words behind the language, which
// no reader sees, say what is done with a block:
//
//	sql test          a pipeline and, from the first INPUT or EXPECT at the start of a line on, its test
//	sql setup         stands before all later sql blocks of the page, up to the next setup
//	sql run           is run to its end; the next block is what it prints, in any order
//	sql table         likewise, but the next block is the rows that the printed changes sum up to
//	sql check         what `streamd check` says of it is the next block
//	sql explain       likewise `streamd explain`
//	sql values        lines `expression -- result`, or `expression -- error CODE`
//	sql               is right: `streamd check` finds nothing
//	LANG file=NAME    is a file of the page's directory, for the blocks behind it
//	console           `$ ` commands are run in that directory, what follows them comes out of them
//	go                is Go, or a piece of it
//	LANG not-run: …   is not run, for the reason given
//
// A block of a language whose text has an ellipsis is a sketch, and not run.
// localhost:9092 is the address of a broker. Attributes: code=N is the exit code;
// until=TEXT ends the last command as Ctrl-C does, once it has shown TEXT; repo
// as first word of a console's attributes runs it in the repository.
func parseBlocks(t testing.TB, page, text string) (out []*block) {
	t.Helper()
	var cur *block
	lastEnd := 0
	for i, l := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(l), "```")
		switch {
		case fence && cur == nil:
			cur = newBlock(page, i+1, strings.TrimPrefix(strings.TrimSpace(l), "```"))
		case fence:
			if n := len(out); n > 0 && (cur.lang == "" || cur.lang == "text") && cur.what == "" && len(cur.attr) == 0 &&
				out[n-1].output == nil && out[n-1].shows() && onlyBlank(text, lastEnd, cur.line) {
				out[n-1].output = cur
			} else {
				out = append(out, cur)
			}
			lastEnd, cur = i+1, nil
		case cur != nil:
			cur.text += l + "\n"
		}
	}
	if cur != nil {
		t.Errorf("%s: the block is never closed", cur)
	}
	return out
}

// onlyBlank tells whether the lines between two, both from 1 and excluded, are
// empty or a single line of words that ends in a colon.
func onlyBlank(text string, from, to int) bool {
	words := 0
	for _, l := range strings.Split(text, "\n")[from : to-1] {
		if l = strings.TrimSpace(l); l != "" {
			if words++; !strings.HasSuffix(l, ":") {
				return false
			}
		}
	}
	return words <= 1
}

func newBlock(page string, line int, info string) *block {
	b := &block{page: page, line: line, attr: map[string]string{}}
	info, b.reason, _ = strings.Cut(info, " not-run: ")
	for i, w := range strings.Fields(info) {
		k, v, has := strings.Cut(w, "=")
		switch {
		case i == 0:
			b.lang = w
		case has:
			b.attr[k] = v
		default:
			b.what = w
		}
	}
	return b
}

// pages are all documents; the generated ones are checked where they are written.
func pages(t testing.TB) (out []string) {
	t.Helper()
	for _, glob := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	return slices.DeleteFunc(out, func(p string) bool {
		return filepath.Base(p) == "errors.md" || filepath.Base(p) == "functions.md"
	})
}

// maxNotRun is how many blocks of all pages may go without a run. Each says why.
const maxNotRun = 12

// TestDocs runs the examples of all pages.
func TestDocs(t *testing.T) {
	all, notRun := 0, 0
	for _, p := range pages(t) {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel("../..", p)
		if err != nil {
			t.Fatal(err)
		}
		blocks := parseBlocks(t, name, string(text))
		if len(blocks) == 0 {
			continue
		}
		for _, b := range blocks {
			all++
			if b.reason != "" || b.sketch() {
				notRun++
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			(&docPage{t: t, dir: t.TempDir(), count: map[string]int{}}).run(blocks)
		})
	}
	if t.Logf("%d blocks, %d are not run", all, notRun); notRun > maxNotRun {
		t.Errorf("%d blocks are not run; at most %d may", notRun, maxNotRun)
	}
}

// docPage runs the blocks of one page, in its order.
type docPage struct {
	t     *testing.T
	dir   string
	setup string
	broke string // address of its broker, "" = none yet
	count map[string]int
	tests []string // files of sql test blocks
}

func (p *docPage) run(blocks []*block) {
	for _, b := range blocks {
		kind := p.one(b)
		p.count[kind]++
		if b.reason != "" {
			p.t.Logf("%s: not run: %s", b, b.reason)
		}
	}
	p.runTests()
	p.t.Logf("blocks: %v", p.count)
}

// one runs a block and names what was done.
func (p *docPage) one(b *block) string {
	name, isFile := b.attr["file"]
	switch {
	case b.what == "not-run:":
		p.t.Errorf("%s: no reason", b)
		return "not run"
	case b.reason != "":
		return "not run"
	case isFile:
		write(p.t, p.dir, name, b.text)
		return "file"
	case b.lang == "console":
		p.console(b)
		return "console"
	case b.lang == "go":
		p.goSyntax(b)
		return "go"
	case b.lang == "sql" && b.what == "setup":
		p.setup = b.text
		return "setup"
	case b.lang == "sql" && b.what != "":
		p.sql(b)
		return b.what
	case b.sketch():
		return "sketch"
	case b.lang == "sql":
		p.file(b, p.setup+b.text)
		return "checked"
	case b.lang == "sh" || b.lang == "bash" || b.lang == "shell":
		p.t.Errorf("%s: write console and `$ ` in front of commands, or say why they are not run", b)
	case b.lang != "" && b.lang != "text":
		p.t.Errorf("%s: nothing is done with this block of %q: say file=NAME, or not-run: and why", b, b.lang)
	}
	return "text"
}

// file checks a pipeline that is only shown.
func (p *docPage) file(b *block, text string) {
	write(p.t, p.dir, "example.sql", text)
	if x := streamd(p.t, p.dir, nil, "check", "example.sql"); x.code != 0 {
		p.t.Errorf("%s: exit code %d\n%s", b, x.code, x.stdout.String())
	}
}

// goSyntax parses a file, declarations, or statements, of which the last may stay open.
func (p *docPage) goSyntax(b *block) {
	var first error
	for _, around := range [][2]string{{"", ""}, {"package p\n", ""}, {"package p\nfunc f() {\n", "\n}"}, {"package p\nfunc f() {\n", "\n}}"}, {"package p\nfunc f() {\n", "\n}}}"}} {
		_, err := parser.ParseFile(token.NewFileSet(), "", around[0]+b.text+around[1], 0)
		if err == nil {
			return
		}
		if first == nil || around[1] != "" {
			first = err
		}
	}
	if !strings.Contains(b.text, "…") {
		p.t.Errorf("%s: %v", b, first)
	}
}

var testStart = regexp.MustCompile(`(?m)^(INPUT|EXPECT|WATERMARK|CLOCK) `)

func (p *docPage) sql(b *block) {
	switch b.what {
	case "test":
		at := testStart.FindStringIndex(b.text)
		if at == nil {
			p.t.Errorf("%s: there is no test in it", b)
			return
		}
		stem := fmt.Sprintf("line_%d", b.line)
		write(p.t, p.dir, stem+".sql", p.setup+b.text[:at[0]])
		write(p.t, p.dir, stem+"_test.sql", b.text[at[0]:])
		p.tests = append(p.tests, stem+"_test.sql")
	case "run":
		p.output(b, sameAnyOrder, "run", "example.sql", "-q")
	case "table":
		p.output(b, sameTable, "run", "example.sql", "-q")
	case "check", "explain":
		p.output(b, sameText, b.what, "example.sql")
	case "values":
		p.values(b)
	default:
		p.t.Errorf("%s: %q is not known", b, b.what)
	}
}

// runTests runs all sql test blocks in one process.
func (p *docPage) runTests() {
	if len(p.tests) == 0 {
		return
	}
	x := streamd(p.t, p.dir, nil, append([]string{"test"}, p.tests...)...)
	if n := strings.Count("\n"+x.stdout.String(), "\nok "); x.code != 0 || n != len(p.tests) {
		p.t.Errorf("exit code %d, %d of %d tests are ok (they are named by the line of their block)\n%s%s", x.code, n, len(p.tests), x.stdout.String(), x.stderr.String())
	}
}
