package dsl

import (
	"fmt"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// hints finds what the user most likely has to do about tok; t is nil when the statement was too long to try.
func (p *fileParser) hints(t *trial, lex lexer.PeekingLexer, tok lexer.Token) (label string, hints []string) {
	start := lex
	var prev lexer.Token
	for lex.Peek().Type != tEOF && lex.Peek().Pos.Offset < tok.Pos.Offset {
		prev = *lex.Next()
	}
	afterTok := *peek(&lex, 1)
	if h := openHint(start, tok); h != "" {
		hints = append(hints, h)
	}
	switch {
	case isOp(&tok, "=="):
		return "did you mean \"=\"?", nil
	case isOp(&prev, ",") && (isOp(&tok, ")") || isOneOf(&tok, "FROM", "WHERE", "WITH") || isWord(&tok, "GROUP") && isWord(&afterTok, "BY")):
		return "", []string{"remove the comma in front of it"}
	}
	if t == nil {
		return "", hints
	}
	if tok.Type == tIdent && len(tok.Value) > 2 {
		if near := diag.Near(tok.Value, t.fitting()); near != "" {
			return fmt.Sprintf("did you mean %q?", near), hints
		}
	}
	switch {
	case tok.Type == tKeyword && t.quoted && meantAsName(t, prev, tok, afterTok):
		hints = append(hints, fmt.Sprintf("%s is a reserved word; as a name write it in backquotes: `%s`", upper(&tok), tok.Value))
	case t.end && isOneOf(&tok, "CREATE", "INSERT", "SELECT", "SET", "DROP", "WITH", "EXECUTE", "BEGIN"):
		hints = append(hints, "end the statement in front of it with ;")
	case t.str && !t.number && !t.quoted && (tok.Type == tIdent || tok.Type == tKeyword || tok.Type == tNumber || tok.Type == tQuoted):
		hints = append(hints, fmt.Sprintf("write it in single quotes: '%s'", clip(tok.Value)))
	case isOp(&tok, ",") && len(t.before) > 1 && isWord(&t.before[len(t.before)-2], "LIMIT"):
		hints = append(hints, "write LIMIT count OFFSET start")
	case isOp(&tok, "/*+"):
		hints = append(hints, "hints stand behind SELECT or behind a table's name")
	case isOp(&tok, ")") && t.end:
		hints = append(hints, `there is no open "(" that it closes`)
	}
	return "", hints
}

// fitting lists the acceptable words.
func (t *trial) fitting() []string {
	var out []string
	for _, w := range candidateWords {
		if t.words[w] && len(w) > 2 && (ast.IsReserved(w) || !t.name) {
			out = append(out, w)
		}
	}
	if t.words["DAY"] && !t.name {
		for u := range timeUnits {
			out = append(out, u)
		}
	}
	return out
}

// meantAsName reports whether the reserved word tok is a badly chosen name rather than a sign that something is missing in front
// of it: in `SELECT group FROM t` it is, in `SELECT FROM t` and `JOIN ON a = b` it is not. What follows it decides, or a place
// that takes nothing but a name.
func meantAsName(t *trial, prev, tok, next lexer.Token) bool {
	if isWord(&tok, "FROM") && isOneOf(&prev, "SELECT", "DISTINCT") {
		return false
	}
	if !t.number && (isOp(&prev, "(") || isOp(&prev, ",") || isWord(&prev, "AS")) {
		return true
	}
	if !t.number && isOneOf(&prev, "INTO", "TABLE", "VIEW", "JOIN", "FROM", "EXISTS", "LIKE") {
		return !isOneOf(&tok, "SELECT", "VALUES", "WITH", "ON", "USING", "WHERE", "GROUP", "ORDER", "AS", "JOIN")
	}
	nameLike := isOneOf(&next, "FROM", "AS") || next.Type == tOp && next.Value != "(" && next.Value != "*"
	return nameLike && t.accepts(lexer.Token{Type: tQuoted, Value: "`x`"}, next)
}

// openHint names the innermost parenthesis, bracket or CASE that is open at tok, when its end is what may be missing.
func openHint(lex lexer.PeekingLexer, tok lexer.Token) string {
	if tok.Type != tEOF && tok.Type != tKeyword {
		return ""
	}
	var open []lexer.Token
	for prev := (lexer.Token{}); lex.Peek().Type != tEOF && lex.Peek().Pos.Offset < tok.Pos.Offset; {
		t := *lex.Next()
		switch {
		case isOp(&t, "("), isOp(&t, "["), isWord(&t, "CASE") && !isOp(&prev, "."):
			open = append(open, t)
		case isOp(&t, ")"), isOp(&t, "]"), isWord(&t, "END") && len(open) > 0 && isWord(&open[len(open)-1], "CASE"):
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
		prev = t
	}
	if len(open) == 0 {
		return ""
	}
	o := open[len(open)-1]
	return fmt.Sprintf("the %s at %d:%d is still open", quote(upper(&o)), o.Pos.Line, o.Pos.Column)
}
