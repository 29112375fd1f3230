package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// ParseTest parses a NAME_test.sql: the statements by which a pipeline is tested, and no others.
//
//	INPUT table [DELETE] [(columns)] VALUES (…), …;
//	WATERMARK table TO TIMESTAMP '…';
//	CLOCK TO TIMESTAMP '…' | BY INTERVAL '…' SECOND;
//	EXPECT [CHANGES] view_or_sink [(columns)] VALUES (…), … | EMPTY;
//	EXPECT ERROR SD6001;
func ParseTest(name, text string) (*ast.File, []*diag.Diagnostic) {
	return parseFile(name, text, parseTestOne, maxTrials)
}

func parseTestOne(lex *lexer.PeekingLexer) (ast.Statement, error) {
	stmt, err := testStatement(lex)
	if err == nil && lex.Peek().Type != tEOF {
		err = unexpected(lex)
	}
	return stmt, err
}

func testStatement(lex *lexer.PeekingLexer) (ast.Statement, error) {
	t := lex.Peek()
	switch {
	case isWord(t, "INPUT"):
		return testInput(lex)
	case isWord(t, "WATERMARK"):
		return testWatermark(lex)
	case isWord(t, "CLOCK"):
		return testClock(lex)
	case isWord(t, "EXPECT") && isWord(peek(lex, 1), "ERROR") && peek(lex, 2).Type == tIdent && !isWord(peek(lex, 2), "EMPTY"):
		return testError(lex)
	case isWord(t, "EXPECT"):
		return testExpect(lex)
	case startsQuery(t), isOneOf(t, "CREATE", "INSERT", "SET", "DROP", "USE", "EXPLAIN"):
		return nil, refuse(lex, codeUnexpected, quote(t.Value)+" does not stand in a test", "the pipeline is the file beside it: x.sql of x_test.sql",
			"a test has INPUT, WATERMARK, CLOCK and EXPECT")
	}
	return nil, refuse(lex, codeUnexpected, "unexpected "+quote(t.Value), "a statement of a test begins with INPUT, WATERMARK, CLOCK or EXPECT")
}

func testInput(lex *lexer.PeekingLexer) (ast.Statement, error) {
	start := startOf(lex)
	lex.Next()
	s := &ast.TestInput{}
	var err error
	if s.Table, err = production[ast.QName](lex); err != nil {
		return nil, err
	}
	s.Delete = takeWord(lex, "DELETE")
	if s.Columns, err = testColumns(lex); err != nil {
		return nil, err
	}
	if s.Rows, err = testValues(lex, "write INPUT table VALUES (…), (…)"); err != nil {
		return nil, err
	}
	s.Span = spanFrom(lex, start)
	return s, nil
}

// testColumns takes a list of names in parentheses, if one is next.
func testColumns(lex *lexer.PeekingLexer) (names []*ast.Name, err error) {
	if !takeOp(lex, "(") {
		return nil, nil
	}
	for {
		n, err := production[ast.Name](lex)
		if err != nil {
			return nil, err
		}
		names = append(names, n)
		if !takeOp(lex, ",") {
			return names, wantOp(lex, ")")
		}
	}
}

func testValues(lex *lexer.PeekingLexer, hint string) (*ast.Values, error) {
	if !isWord(lex.Peek(), "VALUES") {
		return nil, refuse(lex, codeUnexpected, "rows are expected here", hint)
	}
	b, err := parseValues(lex)
	if err != nil {
		return nil, err
	}
	return b.(*ast.Values), nil
}

func testWatermark(lex *lexer.PeekingLexer) (ast.Statement, error) {
	start := startOf(lex)
	lex.Next()
	s := &ast.TestWatermark{}
	var err error
	if s.Table, err = production[ast.QName](lex); err != nil {
		return nil, err
	}
	if !takeWord(lex, "TO") {
		return nil, refuse(lex, codeUnexpected, "TO is expected here", "write WATERMARK table TO TIMESTAMP '2026-01-01 10:00:00'")
	}
	if s.To, err = expr(lex); err != nil {
		return nil, err
	}
	s.Span = spanFrom(lex, start)
	return s, nil
}

func testClock(lex *lexer.PeekingLexer) (ast.Statement, error) {
	start := startOf(lex)
	lex.Next()
	s := &ast.TestClock{By: isWord(lex.Peek(), "BY")}
	if !takeWord(lex, "BY") && !takeWord(lex, "TO") {
		return nil, refuse(lex, codeUnexpected, "TO or BY is expected here", "write CLOCK TO TIMESTAMP '2026-01-01 10:00:00', or CLOCK BY INTERVAL '5' SECOND")
	}
	var err error
	if s.Time, err = expr(lex); err != nil {
		return nil, err
	}
	s.Span = spanFrom(lex, start)
	return s, nil
}

func testError(lex *lexer.PeekingLexer) (ast.Statement, error) {
	start := startOf(lex)
	lex.Next()
	lex.Next()
	code := upper(lex.Peek())
	if diag.Class(code) == "" || len(code) != 6 || !strings.HasPrefix(code, "SD") {
		return nil, refuse(lex, codeUnexpected, quote(lex.Peek().Value)+" is no code", "a code is SD and four digits: EXPECT ERROR SD6001; `streamd errors` lists all")
	}
	lex.Next()
	return &ast.TestError{Span: spanFrom(lex, start), Code: code}, nil
}

func testExpect(lex *lexer.PeekingLexer) (ast.Statement, error) {
	start := startOf(lex)
	lex.Next()
	s := &ast.TestExpect{}
	if next := peek(lex, 1); isWord(lex.Peek(), "CHANGES") && isName(next) && !isWord(next, "EMPTY") {
		lex.Next()
		s.Changes = true
	}
	var err error
	if s.Table, err = production[ast.QName](lex); err != nil {
		return nil, err
	}
	if s.Columns, err = testColumns(lex); err != nil {
		return nil, err
	}
	if !takeWord(lex, "EMPTY") {
		if s.Rows, err = testValues(lex, "write EXPECT table VALUES (…), (…), or EXPECT table EMPTY"); err != nil {
			return nil, err
		}
	}
	s.Span = spanFrom(lex, start)
	return s, nil
}
