package dsl

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// specialRule parses what a word may start besides a name. It returns nil, nil, with nothing consumed, when the word is a plain
// name or call after all: none of these words is reserved.
type specialRule func(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error)

var specials map[string]specialRule

func init() {
	specials = map[string]specialRule{
		"INTERVAL": parseInterval, "DATE": typedLiteral(ast.Date), "TIME": typedLiteral(ast.Time),
		"TIMESTAMP": typedLiteral(ast.Timestamp), "TIMESTAMP_LTZ": typedLiteral(ast.TimestampLTZ),
		"ARRAY": parseArray, "MAP": parseMap, "ROW": parseRow,
		"CAST": called(parseCast), "TRY_CAST": called(parseCast), "EXISTS": parseExists,
		"EXTRACT": called(parseExtract), "TRIM": called(parseTrim), "DESCRIPTOR": called(parseDescriptor),
		"SUBSTRING": called(parseParts("FROM", "FOR")), "OVERLAY": called(parseParts("PLACING", "FROM", "FOR")),
		"POSITION": called(parsePosition), "CEIL": called(parseRound), "CEILING": called(parseRound), "FLOOR": called(parseRound),
		"TIMESTAMPADD": called(parseUnitCall), "TIMESTAMPDIFF": called(parseUnitCall),
		"JSON_VALUE": called(parseJSONCall), "JSON_QUERY": called(parseJSONCall), "JSON_EXISTS": called(parseJSONCall),
		"JSON_OBJECT": called(parseJSONObject), "JSON_OBJECTAGG": called(parseJSONObject),
		"JSON_ARRAY": called(parseJSONArray), "JSON_ARRAYAGG": called(parseJSONArray),
		"RUNNING": parseSemantics, "FINAL": parseSemantics,
	}
}

// called wraps a rule that needs ( behind the word. The rule is called with the cursor behind the parenthesis and leaves it behind
// the closing one.
func called(rule func(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error)) specialRule {
	return func(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
		if !isOp(peek(lex, 1), "(") {
			return nil, nil
		}
		name, err := parseName(lex)
		if err != nil {
			return nil, err
		}
		lex.Next()
		e, err := rule(lex, name)
		if err != nil {
			return nil, err
		}
		setSpan(e, spanFrom(lex, start))
		return e, nil
	}
}

// setSpan gives the nodes of special forms their span, once the closing parenthesis is behind us.
func setSpan(e ast.Expr, at source.Span) {
	switch e := e.(type) {
	case *ast.Cast:
		e.Span = at
	case *ast.Extract:
		e.Span = at
	case *ast.Trim:
		e.Span = at
	case *ast.Descriptor:
		e.Span = at
	case *ast.Call:
		e.Span = at
	case *ast.JSONCall:
		e.Span = at
	case *ast.JSONObject:
		e.Span = at
	case *ast.JSONArray:
		e.Span = at
	default:
		panic("BUG: special form without a span")
	}
}

// plainCall makes the call a special form stands for.
func plainCall(word *ast.Name, args []ast.Expr) *ast.Call {
	c := &ast.Call{Name: &ast.QName{Span: word.Span, Parts: []*ast.Name{word}}}
	for _, a := range args {
		c.Args = append(c.Args, &ast.Arg{Span: a.At(), Value: a})
	}
	return c
}

func parseCast(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	c := &ast.Cast{Try: len(word.Text) == len("TRY_CAST")}
	var err error
	if c.X, err = expr(lex); err != nil {
		return nil, err
	}
	if err := wantWord(lex, "AS"); err != nil {
		return nil, err
	}
	if c.Type, err = parseTypeAt(lex, 0); err != nil {
		return nil, err
	}
	return c, wantOp(lex, ")")
}

func parseExists(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	if !isOp(peek(lex, 1), "(") {
		return nil, nil
	}
	lex.Next()
	q, err := parenQuery(lex)
	return &ast.Exists{Span: spanFrom(lex, start), Query: q}, err
}

func parseExtract(lex *lexer.PeekingLexer, _ *ast.Name) (ast.Expr, error) {
	e := &ast.Extract{}
	var err error
	if e.Unit, err = parseTimeUnit(lex); err != nil {
		return nil, err
	}
	if err := wantWord(lex, "FROM"); err != nil {
		return nil, err
	}
	if e.X, err = expr(lex); err != nil {
		return nil, err
	}
	return e, wantOp(lex, ")")
}

func parseTrim(lex *lexer.PeekingLexer, _ *ast.Name) (ast.Expr, error) {
	t := &ast.Trim{}
	if isOneOf(lex.Peek(), "BOTH", "LEADING", "TRAILING") && !isOp(peek(lex, 1), ")") {
		t.Where = upper(lex.Next())
	}
	var err error
	if t.Where == "" || !takeWord(lex, "FROM") {
		if t.X, err = expr(lex); err != nil {
			return nil, err
		}
		if !takeWord(lex, "FROM") {
			if t.Where != "" {
				return nil, unexpected(lex)
			}
			return t, wantOp(lex, ")")
		}
		t.Chars = t.X
	}
	if t.X, err = expr(lex); err != nil {
		return nil, err
	}
	return t, wantOp(lex, ")")
}

// parseParts takes arguments that are separated by words or, all of them, by commas: SUBSTRING(a FROM b FOR c) or SUBSTRING(a, b, c).
func parseParts(words ...string) func(*lexer.PeekingLexer, *ast.Name) (ast.Expr, error) {
	return func(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
		args, err := exprList(lex)
		if err != nil {
			return nil, err
		}
		for i, w := range words {
			if len(args) != i+1 || !takeWord(lex, w) {
				break
			}
			e, err := expr(lex)
			if err != nil {
				return nil, err
			}
			args = append(args, e)
		}
		return plainCall(word, args), wantOp(lex, ")")
	}
}

func parsePosition(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	first, err := parseOperators(lex, precIn+1) // IN must be left for us
	if err != nil {
		return nil, err
	}
	args := []ast.Expr{first}
	if takeWord(lex, "IN") || takeOp(lex, ",") {
		rest, err := exprList(lex)
		if err != nil {
			return nil, err
		}
		args = append(args, rest...)
	}
	return plainCall(word, args), wantOp(lex, ")")
}

// parseRound takes CEIL(x) and CEIL(x TO unit).
func parseRound(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	args, err := exprList(lex)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 && takeWord(lex, "TO") {
		unit, err := parseTimeUnit(lex)
		if err != nil {
			return nil, err
		}
		args = append(args, unit)
	}
	return plainCall(word, args), wantOp(lex, ")")
}

func parseUnitCall(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	unit, err := parseTimeUnit(lex)
	if err != nil {
		return nil, err
	}
	args := []ast.Expr{unit}
	if takeOp(lex, ",") {
		rest, err := exprList(lex)
		if err != nil {
			return nil, err
		}
		args = append(args, rest...)
	}
	return plainCall(word, args), wantOp(lex, ")")
}

func parseDescriptor(lex *lexer.PeekingLexer, _ *ast.Name) (ast.Expr, error) {
	d := &ast.Descriptor{}
	for {
		n, err := parseName(lex)
		if err != nil {
			return nil, err
		}
		d.Columns = append(d.Columns, n)
		if !takeOp(lex, ",") {
			return d, wantOp(lex, ")")
		}
	}
}

// parseSemantics takes RUNNING f(…) and FINAL f(…).
func parseSemantics(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	if peek(lex, 1).Type != tIdent || !isOp(peek(lex, 2), "(") {
		return nil, nil
	}
	word := upper(lex.Next())
	name, err := parseQName(lex)
	if err != nil {
		return nil, err
	}
	c, err := parseCall(lex, start, name)
	if err != nil {
		return nil, err
	}
	c.Running, c.Final = word == "RUNNING", word == "FINAL"
	return c, nil
}
