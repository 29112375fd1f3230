package dsl

import (
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// typeSynonyms gives canonical names; the words behind the first (PRECISION, VARYING, zones) are handled in code.
var typeSynonyms = map[string]string{
	"INTEGER": "INT", "DEC": "DECIMAL", "NUMERIC": "DECIMAL", "BOOL": "BOOLEAN", "CHARACTER": "CHAR",
}

func parseType(lex *lexer.PeekingLexer) (ast.Type, error) {
	if t := lex.Peek(); t.Type != tIdent {
		return nil, participle.NextMatch
	}
	return parseTypeAt(lex, 0)
}

// parseTypeAt counts nesting itself: angle brackets cannot be counted beforehand, since they are comparisons too.
func parseTypeAt(lex *lexer.PeekingLexer, depth int) (ast.Type, error) {
	if depth > maxNesting {
		return nil, tooDeep(*lex.Peek())
	}
	start := startOf(lex)
	if lex.Peek().Type != tIdent {
		return nil, unexpected(lex)
	}
	base, err := parseBareType(lex, depth)
	if err != nil {
		return nil, err
	}
	notNull := func() ast.Nullability {
		n := ast.Nullability{NotNull: takeWords(lex, "NOT", "NULL")}
		// In RETURNING INT NULL ON EMPTY the NULL belongs to what follows.
		if !n.NotNull && !isWord(peek(lex, 1), "ON") {
			takeWord(lex, "NULL")
		}
		return n
	}
	setNullability(base, notNull(), spanFrom(lex, start))
	for suffixes := 0; isOneOf(lex.Peek(), "ARRAY", "MULTISET"); suffixes++ {
		if suffixes+depth > maxNesting {
			return nil, tooDeep(*lex.Peek())
		}
		if strings.EqualFold(lex.Next().Value, "ARRAY") {
			base = &ast.ArrayType{Elem: base}
		} else {
			base = &ast.MultisetType{Elem: base}
		}
		setNullability(base, notNull(), spanFrom(lex, start))
	}
	return base, nil
}

func setNullability(t ast.Type, n ast.Nullability, at source.Span) {
	switch t := t.(type) {
	case *ast.ScalarType:
		t.Nullability, t.Span = n, at
	case *ast.ArrayType:
		t.Nullability, t.Span = n, at
	case *ast.MultisetType:
		t.Nullability, t.Span = n, at
	case *ast.MapType:
		t.Nullability, t.Span = n, at
	case *ast.RowType:
		t.Nullability, t.Span = n, at
	}
}

func parseBareType(lex *lexer.PeekingLexer, depth int) (ast.Type, error) {
	word := lex.Next()
	name := strings.ToUpper(word.Value)
	if s, ok := typeSynonyms[name]; ok {
		name = s
	}
	switch {
	case name == "ROW" && (isOp(lex.Peek(), "<") || isOp(lex.Peek(), "(") || isOp(lex.Peek(), "<>")):
		return parseRowType(lex, depth)
	case (name == "ARRAY" || name == "MULTISET") && isOp(lex.Peek(), "<"):
		lex.Next()
		elem, err := parseTypeAt(lex, depth+1)
		if err != nil {
			return nil, err
		}
		if name == "ARRAY" {
			return &ast.ArrayType{Elem: elem}, wantOp(lex, ">")
		}
		return &ast.MultisetType{Elem: elem}, wantOp(lex, ">")
	case name == "MAP" && isOp(lex.Peek(), "<"):
		lex.Next()
		key, err := parseTypeAt(lex, depth+1)
		if err != nil {
			return nil, err
		}
		if err := wantOp(lex, ","); err != nil {
			return nil, err
		}
		value, err := parseTypeAt(lex, depth+1)
		if err != nil {
			return nil, err
		}
		return &ast.MapType{Key: key, Value: value}, wantOp(lex, ">")
	case name == "ARRAY" || name == "MAP" || name == "MULTISET" || name == "ROW":
		return nil, unexpected(lex)
	case name == "INTERVAL":
		t := &ast.ScalarType{Name: name}
		u, err := parseIntervalUnits(lex)
		t.From, t.FromArg, t.To, t.ToArg = u.from, u.fromArg, u.to, u.toArg
		return t, err
	case name == "DOUBLE":
		takeWord(lex, "PRECISION")
	case name == "CHAR" && takeWord(lex, "VARYING"):
		name = "VARCHAR"
	case name == "BINARY" && takeWord(lex, "VARYING"):
		name = "VARBINARY"
	}
	t := &ast.ScalarType{Name: name, FromArg: -1, ToArg: -1}
	if err := parseTypeArgs(lex, t); err != nil {
		return nil, err
	}
	return t, parseZone(lex, t)
}

func parseTypeArgs(lex *lexer.PeekingLexer, t *ast.ScalarType) error {
	if !takeOp(lex, "(") {
		return nil
	}
	for {
		n, err := parseSmallInt(lex)
		if err != nil {
			return err
		}
		t.Args = append(t.Args, n)
		if !takeOp(lex, ",") {
			return wantOp(lex, ")")
		}
	}
}

func parseZone(lex *lexer.PeekingLexer, t *ast.ScalarType) error {
	if t.Name != "TIMESTAMP" && t.Name != "TIME" {
		return nil
	}
	switch {
	case takeWord(lex, "WITHOUT"):
		return wantWord(lex, "TIME", "ZONE")
	case isWord(lex.Peek(), "WITH") && isOneOf(peek(lex, 1), "TIME", "LOCAL"):
		lex.Next()
		if takeWord(lex, "LOCAL") && t.Name == "TIMESTAMP" {
			t.Name = "TIMESTAMP_LTZ"
		} else {
			t.Zone = true
		}
		return wantWord(lex, "TIME", "ZONE")
	}
	return nil
}

func parseRowType(lex *lexer.PeekingLexer, depth int) (ast.Type, error) {
	row := &ast.RowType{}
	open := lex.Next().Value
	if open == "<>" {
		return row, nil
	}
	end := map[string]string{"<": ">", "(": ")"}[open]
	if takeOp(lex, end) {
		return row, nil
	}
	for {
		f := &ast.Field{}
		start := startOf(lex)
		var err error
		if f.Name, err = parseName(lex); err != nil {
			return nil, err
		}
		if f.Type, err = parseTypeAt(lex, depth+1); err != nil {
			return nil, err
		}
		if lex.Peek().Type == tString {
			f.Comment = ast.Unquote(lex.Next().Value)
		}
		f.Span = spanFrom(lex, start)
		row.Fields = append(row.Fields, f)
		if !takeOp(lex, ",") {
			return row, wantOp(lex, end)
		}
	}
}

// parseSmallInt takes a whole number that fits 32 bits.
func parseSmallInt(lex *lexer.PeekingLexer) (int, error) {
	t := lex.Peek()
	if t.Type != tNumber {
		return 0, unexpected(lex)
	}
	n, err := strconv.ParseInt(t.Value, 10, 32)
	if err != nil {
		return 0, refuse(lex, codeBadNumber, "a whole number below 2147483648 must stand here, not "+quote(t.Value))
	}
	lex.Next()
	return int(n), nil
}

func parseName(lex *lexer.PeekingLexer) (*ast.Name, error) {
	if !isName(lex.Peek()) {
		return nil, unexpected(lex)
	}
	start := startOf(lex)
	text := ast.Unquote(lex.Next().Value)
	return &ast.Name{Span: spanFrom(lex, start), Text: ast.Text(text)}, nil
}

func parseQName(lex *lexer.PeekingLexer) (*ast.QName, error) {
	start := startOf(lex)
	q := &ast.QName{}
	for {
		n, err := parseName(lex)
		if err != nil {
			return nil, err
		}
		q.Parts = append(q.Parts, n)
		if !takeOp(lex, ".") {
			q.Span = spanFrom(lex, start)
			return q, nil
		}
	}
}
