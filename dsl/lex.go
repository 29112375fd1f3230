package dsl

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
)

// definition is the lexer of the language in the parser's terms.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType { return symbols }

func (d definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexString(name, string(b))
}

func (definition) LexString(name, text string) (lexer.Lexer, error) {
	s := scanner{text: text, pos: lexer.Position{Filename: name, Line: 1, Column: 1}}
	toks := s.all()
	if len(s.errs) > 0 {
		return nil, s.errs[0]
	}
	return &tokenSlice{toks: toks}, nil
}

// tokenSlice feeds tokens that are already cut to the parser; the last one is EOF.
type tokenSlice struct {
	toks []lexer.Token
	next int
}

func (s *tokenSlice) Next() (lexer.Token, error) {
	t := s.toks[s.next]
	if s.next < len(s.toks)-1 {
		s.next++
	}
	return t, nil
}

// scanner cuts a text into tokens. It never stops at an error: the bad stretch becomes one Invalid token, so that the statements
// after it are still checked.
type scanner struct {
	text   string
	pos    lexer.Position // of the next character
	inHint bool           // between /*+ and */
	errs   []*syntaxError
}

// byteOrderMark may begin a text: editors put it there unasked.
const byteOrderMark = "\ufeff"

// all returns every token of the text, ending in EOF, or fewer when there are more than maxTokens that count.
func (s *scanner) all() []lexer.Token {
	toks := make([]lexer.Token, 0, len(s.text)/4+8)
	count := 0
	for s.pos.Offset < len(s.text) {
		t := s.scan()
		toks = append(toks, t)
		if t.Type != tSpace && t.Type != tComment {
			if count++; count > maxTokens {
				s.errs = append(s.errs, &syntaxError{tok: t, code: codeTooManyTokens,
					msg: "the file has more than 100000 tokens", label: "the first one too many",
					hints: []string{"split the pipeline into several files"}})
				break
			}
		}
	}
	return append(toks, lexer.Token{Type: tEOF, Pos: s.pos})
}

// emit makes a token of the next n bytes and moves behind it.
func (s *scanner) emit(typ lexer.TokenType, n int) lexer.Token {
	v := s.text[s.pos.Offset : s.pos.Offset+n]
	t := lexer.Token{Type: typ, Value: v, Pos: s.pos}
	s.pos.Offset += n
	if i := strings.LastIndexByte(v, '\n'); i >= 0 {
		s.pos.Line += strings.Count(v, "\n")
		s.pos.Column = utf8.RuneCountInString(v[i+1:]) + 1
	} else {
		s.pos.Column += utf8.RuneCountInString(v)
	}
	return t
}

// fail makes an Invalid token of the next n bytes and reports it.
func (s *scanner) fail(n int, e syntaxError) lexer.Token {
	t := s.emit(tInvalid, n)
	e.tok = t
	s.errs = append(s.errs, &e)
	return t
}

func (s *scanner) scan() lexer.Token {
	rest := s.text[s.pos.Offset:]
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
		return s.emit(tSpace, len(rest)-len(strings.TrimLeft(rest, " \t\n\r\f\v")))
	case s.pos.Offset == 0 && strings.HasPrefix(rest, byteOrderMark):
		return s.emit(tSpace, len(byteOrderMark))
	case strings.HasPrefix(rest, "--"):
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		return s.emit(tComment, n)
	case strings.HasPrefix(rest, "/*+"):
		s.inHint = true
		return s.emit(tOp, 3)
	case strings.HasPrefix(rest, "/*"):
		return s.comment(rest)
	case s.inHint && strings.HasPrefix(rest, "*/"):
		s.inHint = false
		return s.emit(tOp, 2)
	case c == '\'':
		return s.quoted(rest, 0, '\'', tString)
	case (c == 'x' || c == 'X') && strings.HasPrefix(rest[1:], "'"):
		return s.quoted(rest, 1, '\'', tBinary)
	case (c == 'u' || c == 'U') && strings.HasPrefix(rest[1:], "&'"):
		return s.quoted(rest, 2, '\'', tString)
	case c == '`':
		return s.quoted(rest, 0, '`', tQuoted)
	case c == '"':
		return s.doubleQuoted(rest)
	case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' && !s.afterName():
		return s.number(rest)
	}
	return s.wordOrOp(rest)
}

// afterName reports whether the character before is part of a word or closes something: then a dot is an access, not a number.
func (s *scanner) afterName() bool {
	if s.pos.Offset == 0 {
		return false
	}
	c := s.text[s.pos.Offset-1]
	return c == ')' || c == ']' || c == '`' || c == '_' || c >= utf8.RuneSelf || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (s *scanner) comment(rest string) lexer.Token {
	n := strings.Index(rest[2:], "*/")
	if n < 0 {
		return s.fail(len(rest), syntaxError{code: codeOpenComment, msg: "comment is never closed", width: 2,
			label: "opened here", hints: []string{"close it with */"}})
	}
	return s.emit(tComment, n+4)
}

// quoted cuts a token that starts with skip bytes and the quote q; a doubled quote stands for one.
func (s *scanner) quoted(rest string, skip int, q byte, typ lexer.TokenType) lexer.Token {
	for i := skip + 1; i < len(rest); i++ {
		if rest[i] != q {
			continue
		}
		if i+1 < len(rest) && rest[i+1] == q {
			i++
			continue
		}
		return s.checked(rest[:i+1], skip, typ)
	}
	if q == '`' {
		return s.fail(len(rest), syntaxError{code: codeOpenName, msg: "quoted name is never closed", width: 1,
			label: "opened here", hints: []string{"close it with a backquote"}})
	}
	e := syntaxError{code: codeOpenString, msg: "string is never closed", width: skip + 1, label: "opened here",
		hints: []string{"close it with '; a ' inside a string is written twice: 'it''s'"}}
	return s.fail(len(rest), e)
}

func (s *scanner) checked(tok string, skip int, typ lexer.TokenType) lexer.Token {
	switch {
	case strings.IndexByte(tok, 0) >= 0:
		return s.fail(len(tok), syntaxError{code: codeBadCharacter, msg: "a NUL character means nothing here", label: "in here"})
	case !utf8.ValidString(tok):
		return s.fail(len(tok), syntaxError{code: codeBadCharacter, msg: "the text is not valid UTF-8", label: "in here", hints: []string{saveAsUTF8}})
	case typ == tQuoted && len(tok) == 2:
		return s.fail(len(tok), syntaxError{code: codeUnexpected, msg: "a quoted name cannot be empty"})
	case typ == tBinary:
		hex := tok[2 : len(tok)-1]
		if len(hex)%2 != 0 || strings.Trim(hex, "0123456789abcdefABCDEF") != "" {
			return s.fail(len(tok), syntaxError{code: codeBadLiteral, msg: "binary literal " + tok + " is malformed",
				hints: []string{"X'…' takes an even number of hexadecimal digits"}})
		}
	case skip == 2 && ast.CheckEscapes(tok) >= 0:
		return s.fail(len(tok), syntaxError{code: codeBadLiteral, msg: "string has a malformed escape",
			hints: []string{`U&'…' takes \XXXX, \+XXXXXX and \\`}})
	}
	return s.emit(typ, len(tok))
}

func (s *scanner) doubleQuoted(rest string) lexer.Token {
	n := strings.IndexAny(rest[1:], "\"\n")
	if n < 0 || rest[1+n] == '\n' {
		return s.fail(1, syntaxError{code: codeDoubleQuote, msg: "double quotes quote nothing here",
			hints: []string{"write a string in single quotes, a name in backquotes"}})
	}
	word := rest[1 : 1+n]
	return s.fail(n+2, syntaxError{code: codeDoubleQuote, msg: "double quotes quote nothing here",
		hints: []string{"write `" + clip(word) + "` for a name, '" + clip(word) + "' for a string"}})
}

// number takes digits, a fraction and an exponent; `1..2` and a trailing dot are left to the parser.
func (s *scanner) number(rest string) lexer.Token {
	i := digits(rest, 0)
	if i+1 < len(rest) && rest[i] == '.' && rest[i+1] != '.' && !isWordStart(rest[i+1:]) {
		i = digits(rest, i+1)
	}
	if i < len(rest) && (rest[i] == 'e' || rest[i] == 'E') {
		j := i + 1
		if j < len(rest) && (rest[j] == '+' || rest[j] == '-') {
			j++
		}
		if k := digits(rest, j); k > j {
			i = k
		}
	}
	if n := wordLen(rest[i:]); n > 0 {
		tok := rest[:i+n]
		return s.fail(i+n, syntaxError{code: codeBadNumber, msg: "malformed number " + quote(tok),
			hints: []string{numberHint(tok)}})
	}
	return s.emit(tNumber, i)
}

func numberHint(tok string) string {
	if plain := strings.ReplaceAll(tok, "_", ""); strings.Trim(plain, "0123456789.") == "" {
		return "digits stand without separators: " + clip(plain)
	}
	return "a text is written in single quotes: '" + clip(tok) + "', a name that starts with a digit in backquotes: `" + clip(tok) + "`"
}

func digits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func isWordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || r == '$' && !strings.HasPrefix(s, "${") || r != utf8.RuneError && unicode.IsLetter(r)
}

// wordLen is the length of the word at the start of s, 0 if there is none.
func wordLen(s string) int {
	if s == "" || !isWordStart(s) {
		return 0
	}
	for i, r := range s {
		if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) || r == utf8.RuneError {
			return i
		}
	}
	return len(s)
}

const saveAsUTF8 = "save the file as UTF-8; it may be Windows-1252 or Latin-1"

// lookAlikes are characters that word processors and input methods put for others.
var lookAlikes = map[rune]string{'–': "- or --", '—': "- or --", '−': "-", '，': ",", '；': ";", '\u037e': ";", '（': "(", '）': ")", '＝': "=", '＊': "*",
	'。': ".", '：': ":", '×': "*", '÷': "/", '≠': "<>", '≤': "<=", '≥': ">=", '«': "'", '»': "'"}

// operators, longest first. >> is left out on purpose: ARRAY<ROW<…>> closes two types.
var operators = []string{
	"<>", "<=", ">=", "!=", "==", "||", "::", "=>", "->", "(", ")", "[", "]", "{", "}", ",", ";", ".", ":", "=", "<", ">", "+", "-",
	"*", "/", "%", "|", "?", "^", "$",
}

func (s *scanner) wordOrOp(rest string) lexer.Token {
	if n := wordLen(rest); n > 0 && rest != "$" && !(rest[0] == '$' && n == 1) {
		if ast.IsReserved(rest[:n]) {
			return s.emit(tKeyword, n)
		}
		return s.emit(tIdent, n)
	}
	if strings.HasPrefix(rest, "${") {
		n := strings.IndexByte(rest, '}') + 1
		if n == 0 || n > 200 {
			n = 2
		}
		return s.fail(n, syntaxError{code: codeSubstitution, msg: "${…} stands outside a string",
			hints: []string{"it is replaced in option values only: 'topic' = '${TOPIC}'"}})
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			if op == ";" {
				s.inHint = false // a hint never reaches over a statement
			}
			return s.emit(tOp, len(op))
		}
	}
	r, n := utf8.DecodeRuneInString(rest)
	switch {
	case s.pos.Offset == 0 && (strings.HasPrefix(rest, "\xff\xfe") || strings.HasPrefix(rest, "\xfe\xff")):
		// One error for all of it: nothing behind it can be read.
		return s.fail(len(rest), syntaxError{code: codeBadCharacter, msg: "the text is UTF-16", width: 1, hints: []string{"save the file as UTF-8"}})
	case r == 0:
		return s.fail(n, syntaxError{code: codeBadCharacter, msg: "a NUL character means nothing here"})
	case r == utf8.RuneError && n == 1:
		return s.fail(n, syntaxError{code: codeBadCharacter, msg: "the text is not valid UTF-8", hints: []string{saveAsUTF8}})
	}
	e := syntaxError{code: codeBadCharacter, msg: "the character " + quote(string(r)) + " means nothing here"}
	switch {
	case strings.ContainsRune("‘’“”´", r):
		e.hints = []string{"this is a typographic quote; write ' for strings"}
	case r == '&':
		e.hints = []string{"write AND"}
	case r == '#':
		e.hints = []string{"a comment begins with --"}
	case r == '~':
		e.hints = []string{"write REGEXP(text, pattern), or text SIMILAR TO pattern"}
	case r == '@':
		e.hints = []string{"a text has no variables; ${NAME} in option values is taken from the environment"}
	case lookAlikes[r] != "":
		e.hints = []string{"it looks like another character; write " + lookAlikes[r]}
	case r == '!':
		e.hints = []string{"write NOT, or <> to compare"}
	case unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b':
		e.msg = "an invisible character that is no blank"
		e.hints = []string{"replace it with a plain blank"}
	}
	return s.fail(n, e)
}
