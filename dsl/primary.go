package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

func upper(t *lexer.Token) string { return strings.ToUpper(t.Value) }

// parsePostfix takes an operand and what binds tightest behind it: [i], .field, ::type, AT TIME ZONE.
func parsePostfix(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	x, err := parsePrimary(lex)
	if err != nil {
		return nil, err
	}
	for links := 0; ; links++ {
		if links > maxChain {
			return nil, tooLong(*lex.Peek())
		}
		switch {
		case takeOp(lex, "["):
			i, err := expr(lex)
			if err != nil {
				return nil, err
			}
			if err := wantOp(lex, "]"); err != nil {
				return nil, err
			}
			x = &ast.Index{Span: spanFrom(lex, start), X: x, I: i}
		case isOp(lex.Peek(), "."):
			lex.Next()
			field, err := parseField(lex)
			if err != nil {
				return nil, err
			}
			x = &ast.FieldAccess{Span: spanFrom(lex, start), X: x, Field: field}
		case takeOp(lex, "::"):
			typ, err := parseTypeAt(lex, 0)
			if err != nil {
				return nil, err
			}
			x = &ast.Cast{Span: spanFrom(lex, start), Colon: true, X: x, Type: typ}
		case takeWords(lex, "AT", "TIME", "ZONE"):
			zone, err := parsePrimary(lex)
			if err != nil {
				return nil, err
			}
			x = &ast.AtTimeZone{Span: spanFrom(lex, start), X: x, Zone: zone}
		default:
			return x, nil
		}
	}
}

// parseField takes a name behind a dot, where reserved words are names too.
func parseField(lex *lexer.PeekingLexer) (*ast.Name, error) {
	if lex.Peek().Type != tKeyword {
		return parseName(lex)
	}
	start := startOf(lex)
	text := lex.Next().Value
	return &ast.Name{Span: spanFrom(lex, start), Text: ast.Text(text)}, nil
}

func parsePrimary(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	t := lex.Peek()
	literal := func(kind ast.LiteralKind, text string) (ast.Expr, error) {
		lex.Next()
		return &ast.Literal{Span: spanFrom(lex, start), Kind: kind, Text: text}, nil
	}
	switch t.Type {
	case tNumber:
		return literal(ast.Num, t.Value)
	case tString:
		return literal(ast.Str, ast.Unquote(t.Value))
	case tBinary:
		return literal(ast.Bin, strings.ToUpper(ast.Unquote(t.Value)))
	case tQuoted:
		return parseNameOrCall(lex)
	case tKeyword:
		switch word := upper(t); word {
		case "NULL":
			return literal(ast.Null, "")
		case "TRUE", "FALSE":
			return literal(ast.Bool, word)
		case "CASE":
			return parseCase(lex)
		case "LEFT", "RIGHT":
			if isOp(peek(lex, 1), "(") {
				lex.Next()
				name := &ast.Name{Span: spanFrom(lex, start), Text: ast.Text(t.Value)}
				return parseCall(lex, start, &ast.QName{Span: name.Span, Parts: []*ast.Name{name}})
			}
		}
	case tOp:
		switch t.Value {
		case "(":
			return parseParens(lex)
		case "*":
			lex.Next()
			return &ast.Star{Span: spanFrom(lex, start)}, nil
		}
	case tIdent:
		if special, ok := specials[upper(t)]; ok {
			if e, err := special(lex, start); e != nil || err != nil {
				return e, err
			}
		}
		return parseNameOrCall(lex)
	}
	return nil, unexpected(lex)
}

// parseParens takes (query), (expression) or the row (a, b).
func parseParens(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	if queryInParens(lex) {
		q, err := parenQuery(lex)
		if err != nil {
			return nil, err
		}
		return &ast.Subquery{Span: spanFrom(lex, start), Query: q}, nil
	}
	lex.Next()
	list, err := exprList(lex)
	if err != nil {
		return nil, err
	}
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return &ast.Row{Span: spanFrom(lex, start), Elems: list}, nil
	}
	return list[0], nil
}

// parseNameOrCall takes a, a.b.c, a.*, or a call of such a name.
func parseNameOrCall(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	first, err := parseName(lex)
	if err != nil {
		return nil, err
	}
	parts := []*ast.Name{first}
	for isOp(lex.Peek(), ".") {
		lex.Next()
		if takeOp(lex, "*") {
			return &ast.Star{Span: spanFrom(lex, start), Qualifier: parts}, nil
		}
		n, err := parseField(lex)
		if err != nil {
			return nil, err
		}
		if len(parts) > maxNesting {
			return nil, tooLong(*lex.Peek())
		}
		parts = append(parts, n)
	}
	at := spanFrom(lex, start)
	if isOp(lex.Peek(), "(") {
		return parseCall(lex, start, &ast.QName{Span: at, Parts: parts})
	}
	if word := strings.ToUpper(string(first.Text)); len(parts) == 1 && noParens[word] && at.EndPos.Offset-at.Pos.Offset == len(word) {
		return &ast.Call{Span: at, Name: &ast.QName{Span: at, Parts: parts}, NoParens: true}, nil
	}
	return &ast.ColumnRef{Span: at, Parts: parts}, nil
}

// noParens are the functions that are called without parentheses.
var noParens = wordSet("CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP")

func parseCase(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	lex.Next()
	c := &ast.Case{}
	var err error
	if !isWord(lex.Peek(), "WHEN") {
		if c.Operand, err = expr(lex); err != nil {
			return nil, err
		}
	}
	for {
		at := startOf(lex)
		if err := wantWord(lex, "WHEN"); err != nil {
			return nil, err
		}
		w := &ast.When{}
		if w.Cond, err = expr(lex); err != nil {
			return nil, err
		}
		if err := wantWord(lex, "THEN"); err != nil {
			return nil, err
		}
		if w.Then, err = expr(lex); err != nil {
			return nil, err
		}
		w.Span = spanFrom(lex, at)
		c.Whens = append(c.Whens, w)
		if !isWord(lex.Peek(), "WHEN") {
			break
		}
	}
	if takeWord(lex, "ELSE") {
		if c.Else, err = expr(lex); err != nil {
			return nil, err
		}
	}
	if err := wantWord(lex, "END"); err != nil {
		return nil, err
	}
	c.Span = spanFrom(lex, start)
	return c, nil
}

// bracketed takes [a, b, …] after ARRAY or MAP.
func bracketed(lex *lexer.PeekingLexer) ([]ast.Expr, error) {
	if err := wantOp(lex, "["); err != nil {
		return nil, err
	}
	if takeOp(lex, "]") {
		return nil, nil
	}
	list, err := exprList(lex)
	if err != nil {
		return nil, err
	}
	return list, wantOp(lex, "]")
}

func parseArray(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	if !isOp(peek(lex, 1), "[") {
		return nil, nil
	}
	lex.Next()
	list, err := bracketed(lex)
	return &ast.Array{Span: spanFrom(lex, start), Elems: list}, err
}

func parseMap(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	if !isOp(peek(lex, 1), "[") {
		return nil, nil
	}
	lex.Next()
	list, err := bracketed(lex)
	return &ast.Map{Span: spanFrom(lex, start), Entries: list}, err
}

func parseRow(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	if !isOp(peek(lex, 1), "(") {
		return nil, nil
	}
	lex.Next()
	lex.Next()
	row := &ast.Row{Explicit: true}
	if !isOp(lex.Peek(), ")") {
		list, err := exprList(lex)
		if err != nil {
			return nil, err
		}
		row.Elems = list
	}
	err := wantOp(lex, ")")
	row.Span = spanFrom(lex, start)
	return row, err
}
