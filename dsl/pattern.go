package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// parsePattern takes the row pattern of MATCH_RECOGNIZE: | binds loosest, then sequence, then quantifiers.
func parsePattern(lex *lexer.PeekingLexer) (ast.Pattern, error) {
	if !startsPattern(lex) {
		return nil, participle.NextMatch
	}
	return patternAlt(lex)
}

func startsPattern(lex *lexer.PeekingLexer) bool {
	t := lex.Peek()
	return isName(t) || isOp(t, "(") || isOp(t, "^") || isOp(t, "$") || isOp(t, "{") && isOp(peek(lex, 1), "-")
}

func patternAlt(lex *lexer.PeekingLexer) (ast.Pattern, error) {
	start := startOf(lex)
	var alts []ast.Pattern
	for {
		p, err := patternSeq(lex)
		if err != nil {
			return nil, err
		}
		alts = append(alts, p)
		if !takeOp(lex, "|") {
			break
		}
	}
	if len(alts) == 1 {
		return alts[0], nil
	}
	return &ast.PatternAlt{Span: spanFrom(lex, start), Alts: alts}, nil
}

func patternSeq(lex *lexer.PeekingLexer) (ast.Pattern, error) {
	start := startOf(lex)
	var items []ast.Pattern
	for startsPattern(lex) {
		p, err := patternItem(lex)
		if err != nil {
			return nil, err
		}
		items = append(items, p)
	}
	switch len(items) {
	case 0:
		return nil, unexpected(lex)
	case 1:
		return items[0], nil
	}
	return &ast.PatternSeq{Span: spanFrom(lex, start), Items: items}, nil
}

func patternItem(lex *lexer.PeekingLexer) (ast.Pattern, error) {
	start := startOf(lex)
	p, err := patternAtom(lex)
	if err != nil {
		return nil, err
	}
	r := &ast.PatternRepeat{Item: p}
	switch t := lex.Peek(); {
	case isOp(t, "*"):
		r.Max = -1
		lex.Next()
	case isOp(t, "+"):
		r.Min, r.Max = 1, -1
		lex.Next()
	case isOp(t, "?"):
		r.Max = 1
		lex.Next()
	case isOp(t, "{") && !isOp(peek(lex, 1), "-"):
		lex.Next()
		if err := patternBounds(lex, r); err != nil {
			return nil, err
		}
	default:
		return p, nil
	}
	r.Reluctant = takeOp(lex, "?")
	r.Span = spanFrom(lex, start)
	return r, nil
}

// patternBounds takes n}, n,}, ,m} or n,m}.
func patternBounds(lex *lexer.PeekingLexer, r *ast.PatternRepeat) error {
	var err error
	hasMin := lex.Peek().Type == tNumber
	if hasMin {
		if r.Min, err = parseSmallInt(lex); err != nil {
			return err
		}
	}
	if hasMin && takeOp(lex, "}") {
		r.Max = r.Min
		return nil
	}
	if err := wantOp(lex, ","); err != nil {
		return err
	}
	r.Max = -1
	if !hasMin || lex.Peek().Type == tNumber {
		if r.Max, err = parseSmallInt(lex); err != nil {
			return err
		}
	}
	return wantOp(lex, "}")
}

func patternAtom(lex *lexer.PeekingLexer) (ast.Pattern, error) {
	start := startOf(lex)
	switch t := lex.Peek(); {
	case isOp(t, "^"), isOp(t, "$"):
		lex.Next()
		return &ast.PatternAnchor{Span: spanFrom(lex, start), Start: t.Value == "^"}, nil
	case isOp(t, "("):
		lex.Next()
		if takeOp(lex, ")") {
			return &ast.PatternSeq{Span: spanFrom(lex, start)}, nil
		}
		p, err := patternAlt(lex)
		if err != nil {
			return nil, err
		}
		return p, wantOp(lex, ")")
	case isOp(t, "{"):
		lex.Next()
		lex.Next()
		p, err := patternAlt(lex)
		if err != nil {
			return nil, err
		}
		if err := wantOp(lex, "-"); err != nil {
			return nil, err
		}
		return &ast.PatternExclude{Item: p, Span: source.Span{Pos: start, EndPos: source.Pos(lex.Peek().Pos)}}, wantOp(lex, "}")
	case isWord(t, "PERMUTE") && isOp(peek(lex, 1), "("):
		lex.Next()
		lex.Next()
		perm := &ast.PatternPermute{}
		for {
			p, err := patternAlt(lex)
			if err != nil {
				return nil, err
			}
			perm.Items = append(perm.Items, p)
			if !takeOp(lex, ",") {
				break
			}
		}
		err := wantOp(lex, ")")
		perm.Span = spanFrom(lex, start)
		return perm, err
	}
	n, err := parseName(lex)
	if err != nil {
		return nil, err
	}
	return &ast.PatternVar{Span: n.Span, Name: n}, nil
}
