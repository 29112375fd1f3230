package dsl

import (
	"strconv"

	"github.com/alecthomas/participle/v2/lexer"
)

// Codes of this package; package diag explains them.
const (
	codeUnexpected    = "SD1001"
	codeOpenString    = "SD1002"
	codeOpenComment   = "SD1003"
	codeBadCharacter  = "SD1004"
	codeDoubleQuote   = "SD1005"
	codeBadNumber     = "SD1006"
	codeBadLiteral    = "SD1007"
	codeTooLarge      = "SD1008"
	codeTooManyTokens = "SD1009"
	codeTooDeep       = "SD1010"
	codeTooLong       = "SD1011"
	codeOpenName      = "SD1012"
	codeSubstitution  = "SD1013"
	codeStatementSet  = "SD1014"
	codeSetMember     = "SD1015"
	codeTooManyErrors = "SD1016"
	codeFormatter     = "SD9001"
)

// syntaxError is a refusal at a token. It satisfies the parser's error interface and so passes through tagged productions unchanged.
type syntaxError struct {
	tok      lexer.Token
	code     string
	msg      string
	label    string
	hints    []string
	expected []string
	width    int // bytes to mark when it is not the whole token
}

func (e *syntaxError) Error() string            { return e.msg }
func (e *syntaxError) Message() string          { return e.msg }
func (e *syntaxError) Position() lexer.Position { return e.tok.Pos }

// unexpected refuses the next token; what was expected is found out later.
func unexpected(lex *lexer.PeekingLexer) error {
	return &syntaxError{tok: *lex.Peek(), code: codeUnexpected}
}

// refuse refuses the next token with words of its own.
func refuse(lex *lexer.PeekingLexer, code, msg string, hints ...string) error {
	return &syntaxError{tok: *lex.Peek(), code: code, msg: msg, hints: hints}
}

// clip bounds a piece of the user's text that goes into a message.
func clip(s string) string {
	const limit = 40
	r := []rune(s)
	if len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

func quote(s string) string { return strconv.Quote(clip(s)) }
