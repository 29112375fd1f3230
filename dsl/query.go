package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// parseQueryBody takes SELECTs and set operations; INTERSECT binds tighter than UNION and EXCEPT.
func parseQueryBody(lex *lexer.PeekingLexer) (ast.QueryBody, error) {
	if t := lex.Peek(); !startsQuery(t) || isWord(t, "WITH") {
		return nil, participle.NextMatch
	}
	return parseSetOps(lex, false)
}

func parseSetOps(lex *lexer.PeekingLexer, tight bool) (ast.QueryBody, error) {
	start := startOf(lex)
	operand := func() (ast.QueryBody, error) {
		if tight {
			return parseSetOperand(lex)
		}
		return parseSetOps(lex, true)
	}
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for links := 0; ; links++ {
		if links > maxChain {
			return nil, tooLong(*lex.Peek())
		}
		var op ast.SetOpKind
		switch t := lex.Peek(); {
		case tight && isWord(t, "INTERSECT"):
			op = ast.Intersect
		case !tight && isWord(t, "UNION"):
			op = ast.Union
		case !tight && isWord(t, "EXCEPT"):
			op = ast.Except
		default:
			return left, nil
		}
		lex.Next()
		s := &ast.SetOp{Op: op, Left: left}
		if s.All = takeWord(lex, "ALL"); !s.All {
			takeWord(lex, "DISTINCT")
		}
		if s.Right, err = operand(); err != nil {
			return nil, err
		}
		s.Span = spanFrom(lex, start)
		left = s
	}
}

func parseSetOperand(lex *lexer.PeekingLexer) (ast.QueryBody, error) {
	switch t := lex.Peek(); {
	case isWord(t, "SELECT"):
		return body[ast.Select](lex)
	case isWord(t, "VALUES"):
		return parseValues(lex)
	case isWord(t, "TABLE"):
		return body[ast.ExplicitTable](lex)
	case isOp(t, "("):
		return body[ast.NestedQuery](lex)
	}
	return nil, unexpected(lex)
}

// body turns a production into a query body, without a typed nil on errors.
func body[T any, P interface {
	*T
	ast.QueryBody
}](lex *lexer.PeekingLexer) (ast.QueryBody, error) {
	b, err := production[T](lex)
	if err != nil {
		return nil, err
	}
	return P(b), nil
}

func parseValues(lex *lexer.PeekingLexer) (ast.QueryBody, error) {
	start := startOf(lex)
	lex.Next()
	v := &ast.Values{}
	for {
		at, first := startOf(lex), *lex.Peek()
		e, err := expr(lex)
		if err != nil {
			return nil, err
		}
		row := &ast.ValuesRow{Span: spanFrom(lex, at), Exprs: []ast.Expr{e}}
		if r, ok := e.(*ast.Row); ok {
			row.Exprs = r.Elems
		}
		if len(row.Exprs) == 0 {
			return nil, &syntaxError{tok: first, code: codeUnexpected, msg: "a row of VALUES needs a column"}
		}
		v.Rows = append(v.Rows, row)
		if !takeOp(lex, ",") {
			v.Span = spanFrom(lex, start)
			return v, nil
		}
	}
}

// parseGroupItem takes an expression, a list in parentheses, or GROUPING SETS, ROLLUP, CUBE.
func parseGroupItem(lex *lexer.PeekingLexer) (ast.GroupItem, error) {
	before := lex.Cursor()
	g, err := groupItem(lex)
	if se, ok := err.(*syntaxError); ok && lex.Cursor() == before && se.code == codeUnexpected && se.msg == "" {
		return nil, participle.NextMatch
	}
	return g, err
}

func groupItem(lex *lexer.PeekingLexer) (ast.GroupItem, error) {
	start := startOf(lex)
	sets := &ast.GroupSets{}
	switch {
	case nextWords(lex, "GROUPING", "SETS"):
		takeWords(lex, "GROUPING", "SETS")
		sets.Kind = ast.GroupingSets
	case isOneOf(lex.Peek(), "ROLLUP", "CUBE") && isOp(peek(lex, 1), "("):
		sets.Kind = ast.GroupSetsKind(upper(lex.Next()))
	case isOp(lex.Peek(), "(") && isOp(peek(lex, 1), ")"):
		lex.Next()
		lex.Next()
		return &ast.GroupExpr{Span: spanFrom(lex, start), Paren: true}, nil
	default:
		return groupExpr(lex, start)
	}
	if err := wantOp(lex, "("); err != nil {
		return nil, err
	}
	for {
		item, err := groupItem(lex)
		if err != nil {
			return nil, err
		}
		sets.Items = append(sets.Items, item)
		if !takeOp(lex, ",") {
			break
		}
	}
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	sets.Span = spanFrom(lex, start)
	return sets, nil
}

func groupExpr(lex *lexer.PeekingLexer, start source.Pos) (ast.GroupItem, error) {
	e, err := expr(lex)
	if err != nil {
		return nil, err
	}
	g := &ast.GroupExpr{Span: spanFrom(lex, start), Exprs: []ast.Expr{e}}
	if r, ok := e.(*ast.Row); ok && !r.Explicit {
		g.Exprs, g.Paren = r.Elems, true
	}
	return g, nil
}
