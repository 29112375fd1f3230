package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// Limits. They stand far above what people write and far below what overflows a goroutine's stack, which nothing could recover.
const (
	MaxFileBytes = 1 << 20 // of one text; who reads a file need not read more
	maxTokens    = 100_000
	maxNesting   = 100       // parentheses, brackets, CASE, types, prefix operators
	maxChain     = 5000      // operators, joins or set operations in a row: they make trees as deep
	maxErrors    = 100       // wrong statements that are reported
	maxTrials    = 4_000_000 // tokens parsed to find out what was expected where something is wrong
)

// ParseFile parses the text of a pipeline. It always returns a file, with the statements that are right, and one diagnostic for
// each statement that is wrong, in order. The name goes into positions as it is.
func ParseFile(name, text string) (*ast.File, []*diag.Diagnostic) {
	return parseFile(name, text, parseOne, maxTrials)
}

func parseFile(name, text string, one statementParser, trials int) (*ast.File, []*diag.Diagnostic) {
	src := source.NewFile(name, text)
	p := &fileParser{file: &ast.File{Span: src.Span(0, len(text)), Source: src}, budget: trials, one: one}
	if len(text) > MaxFileBytes {
		p.report(&syntaxError{tok: lexer.Token{Pos: lexer.Position(src.Pos(0))}, code: codeTooLarge,
			msg:   "the file has more than 1 MiB",
			hints: []string{"split the pipeline into several files"}})
		return p.file, p.diags
	}
	s := scanner{text: text, pos: lexer.Position{Filename: name, Line: 1, Column: 1}}
	toks := s.all()
	p.lexErrs = s.errs
	if n := len(s.errs); n > 0 && s.errs[n-1].code == codeTooManyTokens {
		p.report(s.errs[n-1])
		return p.file, p.diags
	}
	p.comments(toks)
	p.statements(toks)
	return p.file, p.diags
}

// fileParser holds what lives through one file.
type fileParser struct {
	file    *ast.File
	diags   []*diag.Diagnostic
	lexErrs []*syntaxError
	budget  int // tokens that may still be parsed to find out what was expected
	set     *openSet
	one     statementParser
}

// statementParser takes the whole of lex as one statement.
type statementParser func(lex *lexer.PeekingLexer) (ast.Statement, error)

// openSet is a statement set whose END has not come yet.
type openSet struct {
	stmt    *ast.StatementSet
	explain *ast.Explain // set for EXPLAIN STATEMENT SET
	head    lexer.Token
	failed  bool // a member was wrong: the set is not kept
}

func (p *fileParser) comments(toks []lexer.Token) {
	for i, t := range toks {
		if t.Type == tComment {
			at := source.Span{Pos: source.Pos(t.Pos), EndPos: source.Pos(toks[i+1].Pos)}
			p.file.Comments = append(p.file.Comments, &ast.Comment{Span: at, Text: t.Value})
		}
	}
}

// statements cuts at semicolons and parses each piece.
func (p *fileParser) statements(toks []lexer.Token) {
	from := 0
	for i, t := range toks {
		if !isOp(&t, ";") && t.Type != tEOF {
			continue
		}
		end := t
		p.piece(toks[from:i], end)
		from = i + 1
		if len(p.diags) >= maxErrors {
			at := source.Span{Pos: source.Pos(end.Pos), EndPos: source.Pos(end.Pos)}
			p.diags = append(p.diags, diag.New(codeTooManyErrors, at, "too many errors; the rest of the file was not checked").
				WithSeverity(diag.Note))
			return
		}
	}
	if p.set != nil {
		p.report(&syntaxError{tok: p.set.head, code: codeStatementSet, msg: "the statement set is never closed",
			label: "opened here", hints: []string{"write END; behind its last INSERT"}})
	}
}

// piece handles the tokens between two semicolons; end is the semicolon or EOF.
func (p *fileParser) piece(toks []lexer.Token, end lexer.Token) {
	last := -1
	for i, t := range toks {
		if t.Type != tSpace && t.Type != tComment {
			last = i
		}
	}
	if last < 0 {
		return
	}
	eof := lexer.Token{Type: tEOF, Pos: end.Pos}
	if end.Type == tEOF {
		// The text just stops: point behind its last token rather than behind trailing line ends.
		eof.Pos = lexer.Position(p.file.Source.Pos(toks[last].Pos.Offset + len(toks[last].Value)))
		toks = toks[:last+1]
	}
	// toks may share its array with what follows: append must copy.
	toks = append(toks[:len(toks):len(toks)], eof)
	if e := p.firstLexError(toks[0].Pos.Offset, end.Pos.Offset); e != nil {
		p.fail(e)
		return
	}
	if e := checkNesting(toks); e != nil {
		p.fail(e)
		return
	}
	lex := peeking(toks)
	if p.setHead(&lex) {
		if lex.Peek().Type == tEOF {
			return
		}
	} else if isWord(lex.Peek(), "END") && peek(&lex, 1).Type == tEOF {
		p.setEnd(*lex.Peek())
		return
	}
	p.parse(lex)
}

// parse parses one statement and puts it where it belongs.
func (p *fileParser) parse(lex lexer.PeekingLexer) {
	start := lex
	stmt, err := p.one(&lex)
	if err == nil {
		err = checkTree(stmt)
	}
	if err != nil {
		p.fail(p.explain(start, err))
		return
	}
	if p.set == nil {
		p.file.Stmts = append(p.file.Stmts, stmt)
		return
	}
	ins, ok := stmt.(*ast.Insert)
	if !ok {
		p.fail(&syntaxError{tok: *start.Peek(), code: codeSetMember, msg: "only INSERT statements may stand in a statement set",
			hints: []string{"close the set with END; before this statement"}})
		return
	}
	p.set.stmt.Inserts = append(p.set.stmt.Inserts, ins)
}

// parseOne parses the whole of lex as one statement.
func parseOne(lex *lexer.PeekingLexer) (ast.Statement, error) {
	if verb := foreignVerb(lex); verb != "" {
		start := startOf(lex)
		text := ""
		for lex.Peek().Type != tEOF {
			if text != "" {
				text += " "
			}
			text += lex.Next().Value
		}
		return &ast.Foreign{Span: spanFrom(lex, start), Verb: verb, Text: text}, nil
	}
	stmt, err := parseStatement(lex)
	if err == nil && lex.Peek().Type != tEOF {
		err = unexpected(lex)
	}
	return stmt, err
}

// setHead takes BEGIN STATEMENT SET, EXECUTE STATEMENT SET BEGIN or EXPLAIN … STATEMENT SET BEGIN.
func (p *fileParser) setHead(lex *lexer.PeekingLexer) bool {
	c := *lex
	open := &openSet{stmt: &ast.StatementSet{}, head: *lex.Peek()}
	switch {
	case takeWords(&c, "BEGIN", "STATEMENT", "SET"):
		open.stmt.Begin = true
	case takeWords(&c, "EXECUTE", "STATEMENT", "SET", "BEGIN"):
	case isWord(c.Peek(), "EXPLAIN"):
		open.explain = &ast.Explain{}
		c.Next()
		open.explain.PlanFor = takeWords(&c, "PLAN", "FOR")
		for isOneOf(c.Peek(), "ESTIMATED_COST", "CHANGELOG_MODE", "PLAN_ADVICE", "JSON_EXECUTION_PLAN") {
			open.explain.Details = append(open.explain.Details, c.Next().Value)
			takeOp(&c, ",")
		}
		if !takeWords(&c, "STATEMENT", "SET", "BEGIN") {
			return false
		}
	default:
		return false
	}
	if p.set != nil {
		return false // the grammar will refuse it
	}
	p.set = open
	*lex = c
	return true
}

func (p *fileParser) setEnd(end lexer.Token) {
	set := p.set
	if set == nil {
		p.report(&syntaxError{tok: end, code: codeStatementSet, msg: "END without an open statement set",
			hints: []string{"a set starts with EXECUTE STATEMENT SET BEGIN"}})
		return
	}
	p.set = nil
	if set.failed {
		return
	}
	at := source.Span{Pos: source.Pos(set.head.Pos), EndPos: p.file.Source.Pos(end.Pos.Offset + len(end.Value))}
	set.stmt.Span = at
	if len(set.stmt.Inserts) == 0 {
		p.report(&syntaxError{tok: set.head, code: codeStatementSet, msg: "the statement set is empty",
			hints: []string{"put at least one INSERT between BEGIN and END"}})
		return
	}
	if set.explain != nil {
		set.explain.Span, set.explain.Stmt = at, set.stmt
		p.file.Stmts = append(p.file.Stmts, set.explain)
		return
	}
	p.file.Stmts = append(p.file.Stmts, set.stmt)
}

func (p *fileParser) firstLexError(from, to int) *syntaxError {
	for len(p.lexErrs) > 0 && p.lexErrs[0].tok.Pos.Offset < from {
		p.lexErrs = p.lexErrs[1:]
	}
	if len(p.lexErrs) > 0 && p.lexErrs[0].tok.Pos.Offset < to {
		return p.lexErrs[0]
	}
	return nil
}

// fail reports an error of a statement, which may be a member of a set.
func (p *fileParser) fail(e *syntaxError) {
	if p.set != nil {
		p.set.failed = true
	}
	p.report(e)
}

func (p *fileParser) report(e *syntaxError) {
	width := e.width
	if width == 0 {
		width = len(e.tok.Value)
	}
	from := e.tok.Pos.Offset
	if e.tok.Type == tEOF && from < len(p.file.Source.Text) && p.file.Source.Text[from] == ';' {
		width = 1
	}
	d := diag.New(e.code, p.file.Source.Span(from, from+width), "%s", e.msg)
	d.File, d.Label, d.Hints, d.Expected = p.file.Source.Name, e.label, e.hints, e.expected
	p.diags = append(p.diags, d)
}

// peeking makes a parser's cursor of tokens that end in EOF.
func peeking(toks []lexer.Token) lexer.PeekingLexer {
	lex, err := lexer.Upgrade(&tokenSlice{toks: toks}, tSpace, tComment)
	if err != nil {
		panic("BUG: " + err.Error()) // a token slice has no errors
	}
	return *lex
}

// checkNesting counts what opens and closes before anything recurses over it.
func checkNesting(toks []lexer.Token) *syntaxError {
	depth := 0
	afterDot := false
	for i := range toks {
		t := &toks[i]
		switch {
		case t.Type == tOp && (t.Value == "(" || t.Value == "[" || t.Value == "{"), isWord(t, "CASE") && !afterDot:
			if depth++; depth > maxNesting {
				return tooDeep(*t)
			}
		case t.Type == tOp && (t.Value == ")" || t.Value == "]" || t.Value == "}"), isWord(t, "END") && !afterDot:
			depth = max(depth-1, 0)
		}
		if t.Type != tSpace && t.Type != tComment {
			afterDot = isOp(t, ".")
		}
	}
	return nil
}

func tooDeep(t lexer.Token) *syntaxError {
	return &syntaxError{tok: t, code: codeTooDeep, msg: "nested more than 100 levels deep", label: "level 101 opens here",
		hints: []string{"name inner parts by views or WITH"}}
}

func tooLong(t lexer.Token) *syntaxError {
	return &syntaxError{tok: t, code: codeTooLong, msg: "more than 5000 operators in a row",
		hints: []string{"use IN (…) or a table of values instead of a long chain"}}
}

// checkTree refuses what the grammar cannot: a star outside a select list, LIMIT with FETCH.
func checkTree(stmt ast.Statement) error {
	var found *syntaxError
	at := func(n ast.Node) lexer.Token {
		s := n.At()
		return lexer.Token{Type: tInvalid, Pos: lexer.Position(s.Pos), Value: "*"}
	}
	ok := map[*ast.Star]bool{}
	ast.Walk(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectItem:
			if s, is := n.Expr.(*ast.Star); is {
				ok[s] = n.Alias == nil
			}
		case *ast.Star:
			if !ok[n] && found == nil {
				found = &syntaxError{tok: at(n), code: codeUnexpected, msg: `unexpected "*"`,
					hints: []string{"* stands alone in a select list, or in COUNT(*)"}}
			}
		case *ast.Query:
			if n.Limit != nil && n.Fetch != nil && found == nil {
				found = &syntaxError{tok: at(n.Fetch), code: codeUnexpected, msg: "LIMIT and FETCH in one query",
					hints: []string{"keep one of them"}}
			}
		}
		return true
	})
	if found != nil {
		return found
	}
	return nil
}

// tokenOf returns the token an error points at.
func tokenOf(err error, lex lexer.PeekingLexer) lexer.Token {
	var pos lexer.Position
	switch e := err.(type) {
	case *syntaxError:
		return e.tok
	case *participle.UnexpectedTokenError:
		return e.Unexpected
	case participle.Error:
		pos = e.Position()
	}
	for lex.Peek().Type != tEOF && lex.Peek().Pos.Offset < pos.Offset {
		lex.Next()
	}
	return *lex.Peek()
}
