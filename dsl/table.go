package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// parseTableExpr takes everything of FROM: factors, joins, commas. A comma binds looser than JOIN.
func parseTableExpr(lex *lexer.PeekingLexer) (ast.TableExpr, error) {
	if t := lex.Peek(); !isName(t) && !isOp(t, "(") && !isOneOf(t, "TABLE", "LATERAL") {
		return nil, participle.NextMatch
	}
	return parseCommaJoin(lex)
}

func parseCommaJoin(lex *lexer.PeekingLexer) (ast.TableExpr, error) {
	start := startOf(lex)
	left, err := parseJoins(lex)
	if err != nil {
		return nil, err
	}
	for links := 0; isOp(lex.Peek(), ","); links++ {
		if links > maxChain {
			return nil, tooLong(*lex.Peek())
		}
		at := startOf(lex)
		lex.Next()
		j := &ast.Join{Kind: ast.CrossJoin, Comma: true, Left: left, Op: spanFrom(lex, at)}
		if j.Right, err = parseJoins(lex); err != nil {
			return nil, err
		}
		j.Span = spanFrom(lex, start)
		left = j
	}
	return left, nil
}

func parseJoins(lex *lexer.PeekingLexer) (ast.TableExpr, error) {
	start := startOf(lex)
	left, err := parseTableFactor(lex)
	if err != nil {
		return nil, err
	}
	for links := 0; ; links++ {
		if links > maxChain {
			return nil, tooLong(*lex.Peek())
		}
		j := &ast.Join{Left: left}
		ok, err := parseJoinWords(lex, j)
		if err != nil {
			return nil, err
		}
		if !ok {
			return left, nil
		}
		if j.Right, err = parseTableFactor(lex); err != nil {
			return nil, err
		}
		if err := parseJoinCondition(lex, j); err != nil {
			return nil, err
		}
		j.Span = spanFrom(lex, start)
		left = j
	}
}

// parseJoinWords takes [NATURAL] [INNER|LEFT|RIGHT|FULL|CROSS …] JOIN.
func parseJoinWords(lex *lexer.PeekingLexer, j *ast.Join) (bool, error) {
	start := startOf(lex)
	j.Natural = takeWord(lex, "NATURAL")
	j.Kind = ast.InnerJoin
	switch t := lex.Peek(); {
	case isOneOf(t, "INNER", "CROSS"):
		j.Kind = ast.JoinKind(upper(lex.Next()))
	case isOneOf(t, "LEFT", "RIGHT", "FULL"):
		j.Kind = ast.JoinKind(upper(lex.Next()))
		switch {
		case j.Kind == ast.LeftJoin && takeWord(lex, "SEMI"):
			j.Kind = ast.SemiJoin
		case j.Kind == ast.LeftJoin && takeWord(lex, "ANTI"):
			j.Kind = ast.AntiJoin
		default:
			takeWord(lex, "OUTER")
		}
	case isWord(t, "JOIN"), j.Natural:
	default:
		return false, nil
	}
	err := wantWord(lex, "JOIN")
	j.Op = spanFrom(lex, start)
	return true, err
}

func parseJoinCondition(lex *lexer.PeekingLexer, j *ast.Join) error {
	var err error
	switch {
	case isWord(lex.Peek(), "ON") && !nextWords(lex, "ON", "CONFLICT", "DO"):
		lex.Next()
		j.On, err = expr(lex)
	case takeWord(lex, "USING"):
		j.Using, err = parenNames(lex)
	}
	return err
}

func parenNames(lex *lexer.PeekingLexer) ([]*ast.Name, error) {
	if err := wantOp(lex, "("); err != nil {
		return nil, err
	}
	var names []*ast.Name
	for {
		n, err := parseName(lex)
		if err != nil {
			return nil, err
		}
		names = append(names, n)
		if !takeOp(lex, ",") {
			return names, wantOp(lex, ")")
		}
	}
}

// parseTableFactor takes one table with its alias and an optional MATCH_RECOGNIZE.
func parseTableFactor(lex *lexer.PeekingLexer) (ast.TableExpr, error) {
	start := startOf(lex)
	t, err := parseBareTable(lex, start)
	if err != nil {
		return nil, err
	}
	if !isWord(lex.Peek(), "MATCH_RECOGNIZE") {
		return t, nil
	}
	m := &ast.Match{Input: t}
	if m.Body, err = production[ast.MatchBody](lex); err != nil {
		return nil, err
	}
	if m.Alias, err = parseAlias(lex); err != nil {
		return nil, err
	}
	m.Span = spanFrom(lex, start)
	return m, nil
}

func parseBareTable(lex *lexer.PeekingLexer, start source.Pos) (ast.TableExpr, error) {
	lateral := takeWord(lex, "LATERAL")
	switch t := lex.Peek(); {
	case isOp(t, "("):
		if !lateral && !queryInParens(lex) {
			lex.Next()
			inner, err := parseCommaJoin(lex)
			if err != nil {
				return nil, err
			}
			return inner, wantOp(lex, ")")
		}
		q, err := parenQuery(lex)
		if err != nil {
			return nil, err
		}
		d := &ast.Derived{Lateral: lateral, Query: q}
		d.Alias, err = parseAlias(lex)
		d.Span = spanFrom(lex, start)
		return d, err
	case isWord(t, "UNNEST") && isOp(peek(lex, 1), "("):
		return parseUnnest(lex, start, lateral)
	case isWord(t, "TABLE"):
		return parseTableFunc(lex, start, lateral, true)
	case isName(t):
		c := *lex
		if _, err := parseQName(&c); err == nil && isOp(c.Peek(), "(") {
			return parseTableFunc(lex, start, lateral, false)
		}
		if lateral {
			*lex = c
			return nil, unexpected(lex)
		}
		return parseTableName(lex, start)
	}
	return nil, unexpected(lex)
}

func parseUnnest(lex *lexer.PeekingLexer, start source.Pos, lateral bool) (ast.TableExpr, error) {
	lex.Next()
	lex.Next()
	u := &ast.Unnest{Lateral: lateral}
	var err error
	if u.Exprs, err = exprList(lex); err != nil {
		return nil, err
	}
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	u.Ordinality = takeWords(lex, "WITH", "ORDINALITY")
	u.Alias, err = parseAlias(lex)
	u.Span = spanFrom(lex, start)
	return u, err
}

func parseTableFunc(lex *lexer.PeekingLexer, start source.Pos, lateral, wrapped bool) (ast.TableExpr, error) {
	f := &ast.TableFunc{Lateral: lateral, Wrapped: wrapped}
	if wrapped {
		lex.Next()
		if err := wantOp(lex, "("); err != nil {
			return nil, err
		}
	}
	at := startOf(lex)
	name, err := parseQName(lex)
	if err != nil {
		return nil, err
	}
	if f.Call, err = parseCall(lex, at, name); err != nil {
		return nil, err
	}
	if wrapped {
		if err := wantOp(lex, ")"); err != nil {
			return nil, err
		}
	}
	if f.Hints, f.AsOf, err = parseHintsAndAsOf(lex); err != nil {
		return nil, err
	}
	f.Alias, err = parseAlias(lex)
	f.Span = spanFrom(lex, start)
	return f, err
}

func parseTableName(lex *lexer.PeekingLexer, start source.Pos) (ast.TableExpr, error) {
	t := &ast.TableName{}
	var err error
	if t.Name, err = parseQName(lex); err != nil {
		return nil, err
	}
	if t.Hints, t.AsOf, err = parseHintsAndAsOf(lex); err != nil {
		return nil, err
	}
	t.Alias, err = parseAlias(lex)
	t.Span = spanFrom(lex, start)
	return t, err
}

// parseHintsAndAsOf takes /*+ hints */ and FOR SYSTEM_TIME AS OF expression.
func parseHintsAndAsOf(lex *lexer.PeekingLexer) (hints []*ast.Hint, asOf ast.Expr, err error) {
	if takeOp(lex, "/*+") {
		for len(hints) == 0 || !isOp(lex.Peek(), "*/") {
			if len(hints) > 0 {
				takeOp(lex, ",")
			}
			h, err := production[ast.Hint](lex)
			if err != nil {
				return nil, nil, err
			}
			hints = append(hints, h)
		}
		lex.Next()
	}
	if takeWord(lex, "FOR") {
		if err := wantWord(lex, "SYSTEM_TIME", "AS", "OF"); err != nil {
			return nil, nil, err
		}
		asOf, err = expr(lex)
	}
	return hints, asOf, err
}

// parseAlias takes [AS] name [(columns)], or nothing. OFFSET before a number is the clause, not an alias.
func parseAlias(lex *lexer.PeekingLexer) (*ast.Alias, error) {
	t := lex.Peek()
	if !isWord(t, "AS") && (!isName(t) || isWord(t, "OFFSET") && peek(lex, 1).Type == tNumber) {
		return nil, nil
	}
	return production[ast.Alias](lex)
}
