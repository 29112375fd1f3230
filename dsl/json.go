package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
)

// parseJSONCall takes JSON_VALUE, JSON_QUERY and JSON_EXISTS.
func parseJSONCall(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	j := &ast.JSONCall{Func: strings.ToUpper(word.String())}
	var err error
	if j.X, err = expr(lex); err != nil {
		return nil, err
	}
	if takeOp(lex, ",") {
		if j.Path, err = expr(lex); err != nil {
			return nil, err
		}
	}
	if j.Func != "JSON_EXISTS" && takeWord(lex, "RETURNING") {
		if j.Returning, err = parseTypeAt(lex, 0); err != nil {
			return nil, err
		}
	}
	if j.Func == "JSON_QUERY" {
		if j.Wrapper, err = parseWrapper(lex); err != nil {
			return nil, err
		}
	}
	for !isOp(lex.Peek(), ")") {
		if err := parseBehavior(lex, j); err != nil {
			return nil, err
		}
	}
	return j, wantOp(lex, ")")
}

func parseWrapper(lex *lexer.PeekingLexer) (string, error) {
	var w string
	switch {
	case takeWord(lex, "WITHOUT"):
		w = "WITHOUT ARRAY"
	case takeWord(lex, "WITH"):
		w = "WITH UNCONDITIONAL ARRAY"
		if takeWord(lex, "CONDITIONAL") {
			w = "WITH CONDITIONAL ARRAY"
		} else {
			takeWord(lex, "UNCONDITIONAL")
		}
	default:
		return "", nil
	}
	takeWord(lex, "ARRAY")
	return w, wantWord(lex, "WRAPPER")
}

// parseBehavior takes one of … ON EMPTY and … ON ERROR.
func parseBehavior(lex *lexer.PeekingLexer, j *ast.JSONCall) error {
	start := startOf(lex)
	b := &ast.JSONBehavior{}
	switch t := lex.Peek(); {
	case isOneOf(t, "NULL", "ERROR", "TRUE", "FALSE", "UNKNOWN"):
		b.Action = upper(lex.Next())
	case isWord(t, "DEFAULT"):
		lex.Next()
		b.Action = "DEFAULT"
		var err error
		if b.Default, err = expr(lex); err != nil {
			return err
		}
	case isWord(t, "EMPTY"):
		lex.Next()
		if !isOneOf(lex.Peek(), "ARRAY", "OBJECT") {
			return unexpected(lex)
		}
		b.Action = "EMPTY " + upper(lex.Next())
	default:
		return unexpected(lex)
	}
	if err := wantWord(lex, "ON"); err != nil {
		return err
	}
	b.Span = spanFrom(lex, start)
	switch {
	case j.OnEmpty == nil && j.OnError == nil && takeWord(lex, "EMPTY"):
		j.OnEmpty = b
	case j.OnError == nil && takeWord(lex, "ERROR"):
		j.OnError = b
	default:
		return unexpected(lex)
	}
	return nil
}

func parseJSONObject(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	o := &ast.JSONObject{Agg: strings.EqualFold(word.String(), "JSON_OBJECTAGG")}
	for !isOp(lex.Peek(), ")") && onNull(lex) == "" {
		start := startOf(lex)
		if isWord(lex.Peek(), "KEY") && !isWord(peek(lex, 1), "VALUE") && !isOp(peek(lex, 1), ":") {
			lex.Next()
		}
		e := &ast.JSONEntry{}
		var err error
		if e.Key, err = expr(lex); err != nil {
			return nil, err
		}
		if !takeOp(lex, ":") {
			if err := wantWord(lex, "VALUE"); err != nil {
				return nil, err
			}
		}
		if e.Value, err = expr(lex); err != nil {
			return nil, err
		}
		e.Span = spanFrom(lex, start)
		o.Entries = append(o.Entries, e)
		if o.Agg || !takeOp(lex, ",") {
			break
		}
	}
	o.OnNull = takeOnNull(lex)
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	var err error
	if o.Agg {
		o.Filter, err = parseFilter(lex)
	}
	return o, err
}

func parseJSONArray(lex *lexer.PeekingLexer, word *ast.Name) (ast.Expr, error) {
	a := &ast.JSONArray{Agg: strings.EqualFold(word.String(), "JSON_ARRAYAGG")}
	var err error
	if !isOp(lex.Peek(), ")") && onNull(lex) == "" {
		if a.Elems, err = exprList(lex); err != nil {
			return nil, err
		}
	}
	if a.Agg && takeWords(lex, "ORDER", "BY") {
		if a.OrderBy, err = orderList(lex); err != nil {
			return nil, err
		}
	}
	a.OnNull = takeOnNull(lex)
	if err := wantOp(lex, ")"); err != nil {
		return nil, err
	}
	if a.Agg {
		a.Filter, err = parseFilter(lex)
	}
	return a, err
}

// onNull returns NULL or ABSENT when `NULL ON NULL` or `ABSENT ON NULL` is next.
func onNull(lex *lexer.PeekingLexer) string {
	for _, w := range []string{"NULL", "ABSENT"} {
		if nextWords(lex, w, "ON", "NULL") {
			return w
		}
	}
	return ""
}

func takeOnNull(lex *lexer.PeekingLexer) string {
	w := onNull(lex)
	if w != "" {
		takeWords(lex, w, "ON", "NULL")
	}
	return w
}
