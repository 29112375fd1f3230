package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// timeUnits are the units of EXTRACT, FLOOR … TO, TIMESTAMPADD and intervals.
var timeUnits = wordSet(`NANOSECOND MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DECADE CENTURY MILLENNIUM
EPOCH DOW DOY ISODOW ISOYEAR`)

// unitOf returns the canonical unit of a word, "" if it is none. SQL_TSI_DAY and DAYS are DAY.
func unitOf(t *lexer.Token) string {
	if t.Type != tIdent {
		return ""
	}
	u := strings.TrimPrefix(upper(t), "SQL_TSI_")
	if timeUnits[u] {
		return u
	}
	if s := strings.TrimSuffix(u, "S"); timeUnits[s] {
		return s
	}
	return ""
}

func parseTimeUnit(lex *lexer.PeekingLexer) (*ast.TimeUnit, error) {
	start := startOf(lex)
	u := unitOf(lex.Peek())
	if u == "" {
		return nil, unexpected(lex)
	}
	lex.Next()
	return &ast.TimeUnit{Span: spanFrom(lex, start), Unit: u}, nil
}

// intervalUnits is unit[(p[, s])] [TO unit[(p)]].
type intervalUnits struct {
	from, to       string
	fromArg, toArg int
}

func parseIntervalUnits(lex *lexer.PeekingLexer) (intervalUnits, error) {
	u := intervalUnits{fromArg: -1, toArg: -1}
	from, err := parseTimeUnit(lex)
	if err != nil {
		return u, err
	}
	u.from = from.Unit
	if takeOp(lex, "(") {
		if u.fromArg, err = parseSmallInt(lex); err != nil {
			return u, err
		}
		if takeOp(lex, ",") {
			if u.toArg, err = parseSmallInt(lex); err != nil {
				return u, err
			}
		}
		if err := wantOp(lex, ")"); err != nil {
			return u, err
		}
	}
	// TO also follows an interval in FLOOR(x + INTERVAL '1' DAY TO HOUR); as in Flink the interval takes it.
	if !takeWord(lex, "TO") {
		return u, nil
	}
	to, err := parseTimeUnit(lex)
	if err != nil {
		return u, err
	}
	u.to = to.Unit
	if takeOp(lex, "(") {
		if u.toArg, err = parseSmallInt(lex); err != nil {
			return u, err
		}
		return u, wantOp(lex, ")")
	}
	return u, nil
}

// unitInside refuses '1 day', as PostgreSQL writes it, where no unit follows.
func unitInside(literal lexer.Token, value string, none bool) error {
	f := strings.Fields(value)
	if !none || len(f) != 2 {
		return nil
	}
	unit := unitOf(&lexer.Token{Type: tIdent, Value: f[1]})
	if unit == "" {
		return nil
	}
	return &syntaxError{tok: literal, code: codeBadLiteral, msg: "the unit of an interval stands behind the quotes",
		hints: []string{"write INTERVAL '" + clip(f[0]) + "' " + unit}}
}

func parseInterval(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
	n := 1
	if isOp(peek(lex, 1), "-") || isOp(peek(lex, 1), "+") {
		n = 2
	}
	next := peek(lex, n)
	if next.Type == tNumber && n == 1 {
		lex.Next()
		return nil, refuse(lex, codeBadLiteral, "the value of an interval is a string", "write INTERVAL '"+clip(next.Value)+"' with quotes")
	}
	if next.Type != tString {
		return nil, nil
	}
	lex.Next()
	iv := &ast.Interval{}
	valueStart := startOf(lex)
	if n == 2 {
		iv.Negative = lex.Next().Value == "-"
	}
	literal := *lex.Next()
	iv.Value = ast.Unquote(literal.Value)
	iv.ValueSpan = spanFrom(lex, valueStart)
	unitStart := startOf(lex)
	u, err := parseIntervalUnits(lex)
	if err != nil {
		if e := unitInside(literal, iv.Value, unitStart == startOf(lex)); e != nil {
			return nil, e
		}
		return nil, err
	}
	iv.UnitSpan = spanFrom(lex, unitStart)
	iv.From, iv.To, iv.FromArg, iv.ToArg = u.from, u.to, u.fromArg, u.toArg
	iv.Span = spanFrom(lex, start)
	return iv, nil
}

// typedLiteral makes the rule of DATE '…' and its relatives: only a string behind the word makes it a literal.
func typedLiteral(kind ast.LiteralKind) specialRule {
	return func(lex *lexer.PeekingLexer, start source.Pos) (ast.Expr, error) {
		words := 1
		k := kind
		if kind == ast.Timestamp && nextWords(lex, "TIMESTAMP", "WITH", "LOCAL", "TIME", "ZONE") {
			words, k = 5, ast.TimestampLTZ
		}
		if peek(lex, words).Type != tString {
			return nil, nil
		}
		for range words {
			lex.Next()
		}
		text := ast.Unquote(lex.Next().Value)
		return &ast.Literal{Span: spanFrom(lex, start), Kind: k, Text: text}, nil
	}
}
