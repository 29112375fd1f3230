package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/source"
)

// Kinds of tokens. Space and comment tokens stay in the stream and are skipped by the parser: the place behind the last consumed
// token, where a Space token starts, is the true end of a node, and the formatter finds the comments.
const (
	tEOF     = lexer.EOF
	tIdent   = lexer.TokenType(-2)  // a word that is not reserved
	tKeyword = lexer.TokenType(-3)  // a reserved word
	tQuoted  = lexer.TokenType(-4)  // `name`
	tString  = lexer.TokenType(-5)  // 'text' and U&'text'
	tNumber  = lexer.TokenType(-6)  // 1, 1.5, .5, 1e-3
	tBinary  = lexer.TokenType(-7)  // X'ab'
	tOp      = lexer.TokenType(-8)  // punctuation
	tSpace   = lexer.TokenType(-9)  // blanks and line ends
	tComment = lexer.TokenType(-10) // -- … and /* … */
	tInvalid = lexer.TokenType(-11) // nothing the grammar takes; the lexer has reported it
)

var symbols = map[string]lexer.TokenType{
	"EOF": tEOF, "Ident": tIdent, "Keyword": tKeyword, "Quoted": tQuoted, "String": tString, "Number": tNumber,
	"Binary": tBinary, "Op": tOp, "Space": tSpace, "Comment": tComment, "Invalid": tInvalid,
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// isWord reports whether t is the word w (upper case), reserved or not, unquoted.
func isWord(t *lexer.Token, w string) bool {
	return (t.Type == tIdent || t.Type == tKeyword) && len(t.Value) == len(w) && strings.EqualFold(t.Value, w)
}

// isOneOf reports whether t is one of the words, in upper case and separated by blanks.
func isOneOf(t *lexer.Token, words ...string) bool {
	for _, w := range words {
		if isWord(t, w) {
			return true
		}
	}
	return false
}

func isOp(t *lexer.Token, op string) bool { return t.Type == tOp && t.Value == op }

func isName(t *lexer.Token) bool { return t.Type == tIdent || t.Type == tQuoted }

// peek returns the n-th token ahead; peek(lex, 0) is the next one.
func peek(lex *lexer.PeekingLexer, n int) *lexer.Token {
	if n == 0 {
		return lex.Peek()
	}
	c := *lex
	for range n {
		c.Next()
	}
	return c.Peek()
}

// startOf is where the next token starts.
func startOf(lex *lexer.PeekingLexer) source.Pos { return source.Pos(lex.Peek().Pos) }

// spanFrom is the span from a start to the end of the last consumed token.
func spanFrom(lex *lexer.PeekingLexer, start source.Pos) source.Span {
	return source.Span{Pos: start, EndPos: source.Pos(lex.RawPeek().Pos)}
}

// takeWord consumes the word w if it is next.
func takeWord(lex *lexer.PeekingLexer, w string) bool {
	if isWord(lex.Peek(), w) {
		lex.Next()
		return true
	}
	return false
}

// takeWords consumes all the words if they are next, else none.
func takeWords(lex *lexer.PeekingLexer, words ...string) bool {
	if !nextWords(lex, words...) {
		return false
	}
	for range words {
		lex.Next()
	}
	return true
}

func nextWords(lex *lexer.PeekingLexer, words ...string) bool {
	c := *lex
	for _, w := range words {
		if !isWord(c.Peek(), w) {
			return false
		}
		c.Next()
	}
	return true
}

// takeOp consumes the operator op if it is next.
func takeOp(lex *lexer.PeekingLexer, op string) bool {
	if isOp(lex.Peek(), op) {
		lex.Next()
		return true
	}
	return false
}

func wantOp(lex *lexer.PeekingLexer, op string) error {
	if !takeOp(lex, op) {
		return unexpected(lex)
	}
	return nil
}

func wantWord(lex *lexer.PeekingLexer, words ...string) error {
	for _, w := range words {
		if !takeWord(lex, w) {
			return unexpected(lex)
		}
	}
	return nil
}
