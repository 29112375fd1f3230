package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// Format writes a text anew: keywords in upper case, one clause a line, two columns further in for what belongs to it, at most 120
// columns where that is possible; what is short stays on one line. Words, comments and hints stay as they are and where they are. A text
// that does not parse gives diagnostics and nothing else. Formatting what was formatted changes nothing.
func Format(name, text string) (string, []*diag.Diagnostic) { return format(name, text, parseOne) }

// FormatTest is Format for a NAME_test.sql.
func FormatTest(name, text string) (string, []*diag.Diagnostic) {
	return format(name, text, parseTestOne)
}

func format(name, text string, one statementParser) (string, []*diag.Diagnostic) {
	f, ds := parseFile(name, text, one, maxTrials)
	if diag.HasErrors(ds) {
		return "", ds
	}
	before := ast.Print(f)
	// A comment between two words belongs to one or the other of them by its line. Written anew it may belong to the other: some rounds
	// bring it to rest.
	for range 8 {
		out := newFormatter(f).file()
		if out == f.Source.Text {
			return out, ds
		}
		g, more := parseFile(name, out, one, maxTrials)
		if len(more) > 0 || ast.Print(g) != before || len(g.Comments) != len(f.Comments) {
			d := diag.New(codeFormatter, f.Span, "BUG: the formatter would change what the text means")
			return "", append(ds, d.WithHint("the text was not touched; please report it"))
		}
		f = g
	}
	return f.Source.Text, ds
}

// formatToken is a token that counts, with the comments around it.
type formatToken struct {
	lexer.Token
	before []string // comments on lines of their own above it
	after  []string // comments behind it on its line
	gaps   []bool   // by comment of before, and last for itself: an empty line stands above
	call   bool     // a function's name: its parenthesis follows at once
	prefix bool     // a sign in front of its operand
	angle  int      // 1 and -1: the angle brackets of a type
}

// formatter holds the tokens of one file; the last one is its end.
type formatter struct {
	toks    []formatToken
	text    string
	foreign map[int]bool // where statements begin that are not streamd's: they stay as they are
}

func newFormatter(f *ast.File) *formatter {
	s := scanner{text: f.Source.Text, pos: lexer.Position{Line: 1, Column: 1}}
	x := &formatter{text: f.Source.Text, foreign: map[int]bool{}}
	for _, st := range f.Stmts {
		if _, ok := st.(*ast.Foreign); ok {
			x.foreign[st.At().Pos.Offset] = true
		}
	}
	roles := rolesOf(f)
	var cur formatToken
	lines := 1 // line ends since the last token or comment; a file begins on a line of its own
	for _, t := range s.all() {
		switch t.Type {
		case tSpace:
			lines += strings.Count(t.Value, "\n")
		case tComment:
			text := strings.TrimRight(t.Value, " \t\r\f\v")
			if n := len(x.toks); n > 0 && lines == 0 && len(cur.before) == 0 {
				x.toks[n-1].after = append(x.toks[n-1].after, text)
				continue
			}
			cur.before, cur.gaps = append(cur.before, text), append(cur.gaps, lines > 1)
			lines = 0
		default:
			r := roles[t.Pos.Offset]
			cur.Token, cur.gaps = t, append(cur.gaps, lines > 1)
			cur.call, cur.prefix = r&roleCall != 0, r&rolePrefix != 0
			if r&roleName != 0 && t.Type != tString && t.Type != tNumber {
				cur.Type = tQuoted // no word of the grammar, whatever it looks like
			}
			x.toks = append(x.toks, cur)
			cur, lines = formatToken{}, 0
		}
	}
	x.angles()
	return x
}

// angles tells the brackets of types from comparisons.
func (x *formatter) angles() {
	open := 0
	for i := range x.toks {
		switch t := &x.toks[i]; {
		case isOp(&t.Token, ";"):
			open = 0
		case isOp(&t.Token, "<") && i > 0 && isOneOf(&x.toks[i-1].Token, "ARRAY", "MAP", "ROW", "MULTISET"):
			t.angle = 1
			open++
		case isOp(&t.Token, ">") && open > 0:
			t.angle = -1
			open--
		}
	}
}

// Roles of words that only the tree knows.
const (
	roleName = 1 << iota
	roleCall
	rolePrefix
)

// rolesOf finds names, calls and signs by the offsets of their tokens.
func rolesOf(f *ast.File) map[int]int {
	roles := map[int]int{}
	for _, st := range f.Stmts {
		ast.Walk(st, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Name:
				roles[n.Pos.Offset] |= roleName
			case *ast.HintArg:
				roles[n.Pos.Offset] |= roleName
			case *ast.Hint:
				roles[n.Name.Pos.Offset] |= roleCall
			case *ast.Call:
				if !n.NoParens {
					roles[n.Name.Last().Pos.Offset] |= roleCall
				}
			case *ast.Unary:
				roles[n.Pos.Offset] |= rolePrefix
			case *ast.Interval:
				if n.ValueSpan.IsValid() {
					roles[n.ValueSpan.Pos.Offset] |= rolePrefix
				}
			}
			return true
		})
	}
	return roles
}
