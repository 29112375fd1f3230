package dsl

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// parseCall takes ( arguments ) and the clauses behind them.
func parseCall(lex *lexer.PeekingLexer, start source.Pos, name *ast.QName) (*ast.Call, error) {
	c := &ast.Call{Name: name}
	if err := wantOp(lex, "("); err != nil {
		return nil, err
	}
	switch {
	case isOp(lex.Peek(), "*") && isOp(peek(lex, 1), ")"):
		lex.Next()
		c.Star = true
	case isOp(lex.Peek(), ")"):
	default:
		if c.Distinct = takeWord(lex, "DISTINCT"); !c.Distinct {
			takeWord(lex, "ALL")
		}
		if err := parseArgs(lex, c); err != nil {
			return nil, err
		}
	}
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	err := parseCallSuffix(lex, c)
	c.Span = spanFrom(lex, start)
	return c, err
}

func parseArgs(lex *lexer.PeekingLexer, c *ast.Call) error {
	for {
		a, err := parseArg(lex)
		if err != nil {
			return err
		}
		c.Args = append(c.Args, a)
		if !takeOp(lex, ",") {
			break
		}
	}
	if takeWords(lex, "ORDER", "BY") {
		var err error
		c.OrderBy, err = orderList(lex)
		return err
	}
	return nil
}

func parseArg(lex *lexer.PeekingLexer) (*ast.Arg, error) {
	start := startOf(lex)
	a := &ast.Arg{}
	var err error
	if isName(lex.Peek()) && isOp(peek(lex, 1), "=>") {
		if a.Name, err = parseName(lex); err != nil {
			return nil, err
		}
		lex.Next()
	}
	if a.Value, err = parseArgValue(lex); err != nil {
		return nil, err
	}
	a.Span = spanFrom(lex, start)
	return a, nil
}

// parseArgValue takes what may be an argument and nothing else: tables, DEFAULT, and otherwise an expression.
func parseArgValue(lex *lexer.PeekingLexer) (ast.Expr, error) {
	start := startOf(lex)
	t := lex.Peek()
	switch {
	case isWord(t, "TABLE"):
		lex.Next()
		arg := &ast.TableArg{}
		var err error
		if isOp(lex.Peek(), "(") {
			arg.Query, err = parenQuery(lex)
		} else {
			arg.Name, err = parseQName(lex)
		}
		if err != nil {
			return nil, err
		}
		return tableArgRest(lex, start, arg)
	case isOneOf(t, "SELECT", "WITH", "VALUES"):
		q, err := production[ast.Query](lex)
		if err != nil {
			return nil, err
		}
		return &ast.Subquery{Span: spanFrom(lex, start), Query: q}, nil
	case isWord(t, "DEFAULT") && (isOp(peek(lex, 1), ",") || isOp(peek(lex, 1), ")")):
		lex.Next()
		return &ast.Default{Span: spanFrom(lex, start)}, nil
	}
	e, err := expr(lex)
	if q, ok := e.(*ast.Subquery); ok && err == nil && nextWords(lex, "PARTITION", "BY") {
		return tableArgRest(lex, start, &ast.TableArg{Query: q.Query})
	}
	return e, err
}

func tableArgRest(lex *lexer.PeekingLexer, start source.Pos, arg *ast.TableArg) (ast.Expr, error) {
	var err error
	if takeWords(lex, "PARTITION", "BY") {
		if isOp(lex.Peek(), "(") {
			// PARTITION BY (a, b): the parentheses are needed when more arguments follow.
			lex.Next()
			if arg.PartitionBy, err = exprList(lex); err != nil {
				return nil, err
			}
			if err := wantOp(lex, ")"); err != nil {
				return nil, err
			}
		} else if arg.PartitionBy, err = partitionList(lex); err != nil {
			return nil, err
		}
	}
	if takeWords(lex, "ORDER", "BY") {
		if arg.OrderBy, err = orderList(lex); err != nil {
			return nil, err
		}
	}
	arg.Span = spanFrom(lex, start)
	return arg, nil
}

// partitionList takes `a, b` up to the comma that starts the next argument: a call, a named argument, a literal or DESCRIPTOR.
func partitionList(lex *lexer.PeekingLexer) ([]ast.Expr, error) {
	var list []ast.Expr
	for {
		e, err := expr(lex)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if !isOp(lex.Peek(), ",") || !isName(peek(lex, 1)) || isWord(peek(lex, 1), "DESCRIPTOR") || isWord(peek(lex, 1), "INTERVAL") ||
			isOp(peek(lex, 2), "=>") || isOp(peek(lex, 2), "(") {
			return list, nil
		}
		lex.Next()
	}
}

func orderList(lex *lexer.PeekingLexer) ([]*ast.OrderItem, error) {
	var list []*ast.OrderItem
	for {
		o, err := production[ast.OrderItem](lex)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
		if !takeOp(lex, ",") {
			return list, nil
		}
	}
}

// parseCallSuffix takes IGNORE NULLS, WITHIN GROUP, FILTER and OVER. Each is an alias instead when its second token is missing.
func parseCallSuffix(lex *lexer.PeekingLexer, c *ast.Call) error {
	for _, nulls := range []string{"IGNORE", "RESPECT"} {
		if takeWords(lex, nulls, "NULLS") {
			c.Nulls = nulls
		}
	}
	if takeWords(lex, "WITHIN", "GROUP") {
		if err := wantOp(lex, "("); err != nil {
			return err
		}
		if err := wantWord(lex, "ORDER", "BY"); err != nil {
			return err
		}
		var err error
		if c.WithinGroup, err = orderList(lex); err != nil {
			return err
		}
		if err := wantOp(lex, ")"); err != nil {
			return err
		}
	}
	var err error
	if c.Filter, err = parseFilter(lex); err != nil {
		return err
	}
	t := peek(lex, 1)
	if !isWord(lex.Peek(), "OVER") || !isOp(t, "(") && !isName(t) {
		return nil
	}
	start := startOf(lex)
	lex.Next()
	c.Over = &ast.Over{}
	if isOp(lex.Peek(), "(") {
		c.Over.Spec, err = production[ast.WindowSpec](lex)
	} else {
		c.Over.Name, err = parseName(lex)
	}
	c.Over.Span = spanFrom(lex, start)
	return err
}

func parseFilter(lex *lexer.PeekingLexer) (ast.Expr, error) {
	if !isWord(lex.Peek(), "FILTER") || !isOp(peek(lex, 1), "(") {
		return nil, nil
	}
	lex.Next()
	lex.Next()
	if err := wantWord(lex, "WHERE"); err != nil {
		return nil, err
	}
	e, err := expr(lex)
	if err != nil {
		return nil, err
	}
	return e, wantOp(lex, ")")
}
