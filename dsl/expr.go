package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// Binding powers, loosest first. They are Flink's, where || binds as tightly as *.
const (
	precOr = iota + 1
	precAnd
	precNot
	precIs
	precCompare
	precIn // IN, BETWEEN, LIKE, SIMILAR TO
	precAdd
	precMul
	precUnary
)

var binaryOps = map[string]struct {
	prec int
	op   ast.BinaryOp
}{
	"OR": {precOr, ast.Or}, "AND": {precAnd, ast.And}, "OVERLAPS": {precCompare, ast.Overlaps},
	"=": {precCompare, ast.Eq}, "<>": {precCompare, ast.Ne}, "!=": {precCompare, ast.Ne}, "<": {precCompare, ast.Lt},
	"<=": {precCompare, ast.Le}, ">": {precCompare, ast.Gt}, ">=": {precCompare, ast.Ge},
	"+": {precAdd, ast.Add}, "-": {precAdd, ast.Sub},
	"*": {precMul, ast.Mul}, "/": {precMul, ast.Div}, "%": {precMul, ast.Mod}, "||": {precMul, ast.Concat},
}

// parseExpr is the entry from tagged productions: it says "no match" when the next token cannot start an expression.
func parseExpr(lex *lexer.PeekingLexer) (ast.Expr, error) {
	before := lex.Cursor()
	e, err := parseOperators(lex, precOr)
	if se, ok := err.(*syntaxError); ok && lex.Cursor() == before && se.code == codeUnexpected && se.msg == "" {
		return nil, participle.NextMatch
	}
	return e, err
}

// expr parses a whole expression for code.
func expr(lex *lexer.PeekingLexer) (ast.Expr, error) { return parseOperators(lex, precOr) }

// parseOperators climbs precedences: it takes operators that bind at least as tightly as least. Chains of one level grow to the
// left in the loop, so a recursion is at most one per level.
func parseOperators(lex *lexer.PeekingLexer, least int) (ast.Expr, error) {
	start := startOf(lex)
	left, err := parsePrefix(lex, least)
	if err != nil {
		return nil, err
	}
	for links := 0; ; links++ {
		if links > maxChain {
			return nil, tooLong(*lex.Peek())
		}
		before := lex.Cursor()
		if left, err = parseInfix(lex, start, left, least); err != nil {
			return nil, err
		}
		if lex.Cursor() == before {
			return left, nil
		}
	}
}

// parsePrefix takes any number of NOT, or of signs, without recursion.
func parsePrefix(lex *lexer.PeekingLexer, least int) (ast.Expr, error) {
	type prefix struct {
		op ast.UnaryOp
		at source.Pos
	}
	var ops []prefix
	inner := precUnary
	switch {
	case isWord(lex.Peek(), "NOT") && least <= precNot:
		for isWord(lex.Peek(), "NOT") {
			ops = append(ops, prefix{ast.Not, startOf(lex)})
			lex.Next()
		}
		inner = precIs
	default:
		for isOp(lex.Peek(), "-") || isOp(lex.Peek(), "+") {
			ops = append(ops, prefix{ast.UnaryOp(lex.Peek().Value), startOf(lex)})
			lex.Next()
		}
	}
	if len(ops) > maxNesting {
		return nil, tooDeep(*lex.Peek())
	}
	var x ast.Expr
	var err error
	if inner == precIs {
		x, err = parseOperators(lex, precIs)
	} else {
		x, err = parsePostfix(lex)
	}
	if err != nil {
		return nil, err
	}
	for i := len(ops) - 1; i >= 0; i-- {
		x = &ast.Unary{Span: spanFrom(lex, ops[i].at), Op: ops[i].op, X: x}
	}
	return x, nil
}

// parseInfix takes one operator with its right side, or nothing.
func parseInfix(lex *lexer.PeekingLexer, start source.Pos, left ast.Expr, least int) (ast.Expr, error) {
	t := lex.Peek()
	if t.Type != tOp && t.Type != tKeyword && t.Type != tIdent {
		return left, nil
	}
	if t.Type == tOp || isOneOf(t, "AND", "OR", "OVERLAPS") {
		o, ok := binaryOps[upper(t)]
		if !ok || o.prec < least {
			return left, nil
		}
		return parseBinary(lex, start, left, o.op, o.prec)
	}
	switch {
	case isWord(t, "IS") && precIs >= least:
		return parseIs(lex, start, left)
	case precIn < least:
		return left, nil
	case isOneOf(t, "IN", "BETWEEN", "LIKE"), isWord(t, "SIMILAR"):
		return parsePredicate(lex, start, left, false)
	case isWord(t, "NOT") && isOneOf(peek(lex, 1), "IN", "BETWEEN", "LIKE", "SIMILAR"):
		lex.Next()
		return parsePredicate(lex, start, left, true)
	}
	return left, nil
}

func parseBinary(lex *lexer.PeekingLexer, start source.Pos, left ast.Expr, op ast.BinaryOp, prec int) (ast.Expr, error) {
	opStart := startOf(lex)
	lex.Next()
	opSpan := spanFrom(lex, opStart)
	if prec == precCompare && isOneOf(lex.Peek(), "ANY", "SOME", "ALL") && isOp(peek(lex, 1), "(") {
		q := &ast.Quantified{Left: left, Op: op, All: isWord(lex.Next(), "ALL")}
		query, err := parenQuery(lex)
		q.Query, q.Span = query, spanFrom(lex, start)
		return q, err
	}
	right, err := parseOperators(lex, prec+1)
	if err != nil {
		return nil, err
	}
	return &ast.Binary{Span: spanFrom(lex, start), Op: op, OpSpan: opSpan, Left: left, Right: right}, nil
}

func parseIs(lex *lexer.PeekingLexer, start source.Pos, left ast.Expr) (ast.Expr, error) {
	lex.Next()
	not := takeWord(lex, "NOT")
	if takeWord(lex, "DISTINCT") {
		if err := wantWord(lex, "FROM"); err != nil {
			return nil, err
		}
		right, err := parseOperators(lex, precCompare+1)
		if err != nil {
			return nil, err
		}
		return &ast.Distinct{Span: spanFrom(lex, start), Not: not, Left: left, Right: right}, nil
	}
	is := &ast.Is{Not: not, X: left}
	switch {
	case takeWord(lex, "NULL"):
		is.Test = ast.IsNull
	case takeWord(lex, "TRUE"):
		is.Test = ast.IsTrue
	case takeWord(lex, "FALSE"):
		is.Test = ast.IsFalse
	case takeWord(lex, "UNKNOWN"):
		is.Test = ast.IsUnknown
	case takeWord(lex, "JSON"):
		is.Test = ast.IsJSON
		switch {
		case takeWord(lex, "OBJECT"):
			is.Test = ast.IsJSONObject
		case takeWord(lex, "ARRAY"):
			is.Test = ast.IsJSONArray
		case takeWord(lex, "SCALAR"):
			is.Test = ast.IsJSONScalar
		default:
			takeWord(lex, "VALUE")
		}
	default:
		return nil, unexpected(lex)
	}
	is.Span = spanFrom(lex, start)
	return is, nil
}

// parsePredicate takes IN, BETWEEN, LIKE or SIMILAR TO with what follows.
func parsePredicate(lex *lexer.PeekingLexer, start source.Pos, left ast.Expr, not bool) (ast.Expr, error) {
	switch word := lex.Next(); upper(word) {
	case "IN":
		return parseIn(lex, start, left, not)
	case "BETWEEN":
		b := &ast.Between{Not: not, X: left}
		// A column may be called symmetric: then AND follows at once.
		if isOneOf(lex.Peek(), "SYMMETRIC", "ASYMMETRIC") && !isWord(peek(lex, 1), "AND") {
			b.Symmetric = isWord(lex.Next(), "SYMMETRIC")
		}
		var err error
		if b.Low, err = parseOperators(lex, precIn+1); err != nil {
			return nil, err
		}
		if err := wantWord(lex, "AND"); err != nil {
			return nil, err
		}
		if b.High, err = parseOperators(lex, precIn+1); err != nil {
			return nil, err
		}
		b.Span = spanFrom(lex, start)
		return b, nil
	default:
		l := &ast.Like{Not: not, X: left, Similar: isWord(word, "SIMILAR")}
		if l.Similar {
			if err := wantWord(lex, "TO"); err != nil {
				return nil, err
			}
		}
		var err error
		if l.Pattern, err = parseOperators(lex, precIn+1); err != nil {
			return nil, err
		}
		if takeWord(lex, "ESCAPE") {
			if l.Escape, err = parseOperators(lex, precIn+1); err != nil {
				return nil, err
			}
		}
		l.Span = spanFrom(lex, start)
		return l, nil
	}
}

func parseIn(lex *lexer.PeekingLexer, start source.Pos, left ast.Expr, not bool) (ast.Expr, error) {
	in := &ast.In{Not: not, X: left}
	if isOp(lex.Peek(), "(") && queryInParens(lex) {
		q, err := parenQuery(lex)
		in.Query, in.Span = q, spanFrom(lex, start)
		return in, err
	}
	if err := wantOp(lex, "("); err != nil {
		return nil, err
	}
	list, err := exprList(lex)
	if err != nil {
		return nil, err
	}
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	in.List, in.Span = list, spanFrom(lex, start)
	return in, nil
}

// exprList takes one or more expressions separated by commas.
func exprList(lex *lexer.PeekingLexer) ([]ast.Expr, error) {
	var list []ast.Expr
	for {
		e, err := expr(lex)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if !takeOp(lex, ",") {
			return list, nil
		}
	}
}

// parenQuery takes ( query ).
func parenQuery(lex *lexer.PeekingLexer) (*ast.Query, error) {
	if err := wantOp(lex, "("); err != nil {
		return nil, err
	}
	q, err := production[ast.Query](lex)
	if err != nil {
		return nil, err
	}
	return q, wantOp(lex, ")")
}

// queryInParens reports whether the parenthesis that is next opens a query. `((SELECT 1) + 1)` opens an expression,
// `((SELECT 1) UNION SELECT 2)` a query: what follows the inner parenthesis decides.
func queryInParens(lex *lexer.PeekingLexer) bool {
	c := *lex
	c.Next()
	if t := c.Peek(); !isOp(t, "(") {
		return isOneOf(t, "SELECT", "WITH", "VALUES") || isWord(t, "TABLE") && isName(peek(&c, 1))
	}
	if !queryInParens(&c) {
		return false
	}
	skipParens(&c)
	return isOneOf(c.Peek(), "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH") || isOp(c.Peek(), ")")
}

// skipParens moves behind the parenthesis that closes the one that is next.
func skipParens(lex *lexer.PeekingLexer) {
	for depth := 0; ; {
		switch t := lex.Next(); {
		case t.Type == tEOF:
			return
		case isOp(t, "("):
			depth++
		case isOp(t, ")"):
			if depth--; depth == 0 {
				return
			}
		}
	}
}
