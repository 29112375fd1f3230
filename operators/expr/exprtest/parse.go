// Package exprtest reads expressions from text, for tests of expressions and
// functions below the layer of the language: literals, columns, operators,
// CASE, CAST, calls and their special forms. It is not the dialect's parser.
package exprtest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// Parser holds what names mean.
type Parser struct {
	Schema *batch.Schema // columns; nil = none
	Call   func(name string, args []expr.Expr, at expr.Span) (expr.Expr, error)

	text  string
	toks  []string
	kinds []byte
	at    []int
	i     int
}

var lexer = regexp.MustCompile(`^(?:('(?:[^']|'')*')|([0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+)|([A-Za-z_][A-Za-z_0-9$]*)|(<>|<=|>=|!=|\|\||[-+*/%(),.<>=\[\]]))`)

// Parse reads one expression. Errors of types are *expr.TypeError.
func (p Parser) Parse(text string) (e expr.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			re, ok := r.(error)
			if !ok {
				panic(r)
			}
			if _, runtime := r.(interface{ RuntimeError() }); runtime {
				panic(r)
			}
			err = re
		}
	}()
	p.text = text
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \n\t")
		if rest == "" {
			break
		}
		m := lexer.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("cannot read %q", rest)
		}
		for k, g := range m[1:] {
			if g != "" {
				p.toks, p.kinds, p.at = append(p.toks, g), append(p.kinds, "snwo"[k]), append(p.at, len(text)-len(rest))
			}
		}
		rest = rest[len(m[0]):]
	}
	e = p.or()
	if p.i < len(p.toks) {
		return nil, fmt.Errorf("%q: unexpected %q", text, p.toks[p.i])
	}
	return e, nil
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func (p *Parser) peek() string {
	if p.i < len(p.toks) && p.kinds[p.i] != 's' {
		return strings.ToUpper(p.toks[p.i])
	}
	return ""
}

func (p *Parser) is(words ...string) bool {
	for k, w := range words {
		if p.i+k >= len(p.toks) || p.kinds[p.i+k] == 's' || !strings.EqualFold(p.toks[p.i+k], w) {
			return false
		}
	}
	return true
}

func (p *Parser) take(words ...string) bool {
	if p.is(words...) {
		p.i += len(words)
		return true
	}
	return false
}

func (p *Parser) want(word string) {
	if !p.take(word) {
		panic(fmt.Errorf("%q: %q expected before token %d", p.text, word, p.i))
	}
}

func (p *Parser) next() string {
	if p.i >= len(p.toks) {
		panic(fmt.Errorf("%q ends too early", p.text))
	}
	p.i++
	return p.toks[p.i-1]
}

func (p *Parser) str() string {
	s := p.next()
	if s[0] != '\'' {
		panic(fmt.Errorf("%q: a string expected, not %s", p.text, s))
	}
	return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
}

func (p *Parser) or() expr.Expr {
	e := p.and()
	if !p.is("OR") {
		return e
	}
	x := []expr.Expr{e}
	for p.take("OR") {
		x = append(x, p.and())
	}
	return must(expr.Or(x...))
}

func (p *Parser) and() expr.Expr {
	e := p.not()
	if !p.is("AND") {
		return e
	}
	x := []expr.Expr{e}
	for p.take("AND") {
		x = append(x, p.not())
	}
	return must(expr.And(x...))
}

func (p *Parser) not() expr.Expr {
	if p.take("NOT") {
		return must(expr.Not(p.not()))
	}
	return p.cmp()
}

func (p *Parser) cmp() expr.Expr {
	a := p.concat()
	for {
		not := p.is("NOT") && (p.i+1 < len(p.toks)) && p.take("NOT")
		switch op := p.peek(); op {
		case "=", "<>", "!=", "<", "<=", ">", ">=":
			p.i++
			a = must(expr.Compare(op, a, p.concat()))
		case "IS":
			p.i++
			not := p.take("NOT")
			switch {
			case p.take("NULL"):
				a = must(expr.IsNull(a, not))
			case p.take("DISTINCT", "FROM"):
				a = must(expr.IsDistinct(a, p.concat(), not))
			case p.take("JSON"):
				a = must(p.Call("IS JSON", []expr.Expr{a}, expr.Span{}))
				if not {
					a = must(expr.Not(a))
				}
			default:
				a = must(expr.IsTrue(a, p.next(), not))
			}
		case "BETWEEN":
			p.i++
			sym := p.take("SYMMETRIC")
			lo := p.concat()
			p.want("AND")
			a = must(expr.Between(a, lo, p.concat(), sym, not))
		case "IN":
			p.i++
			p.want("(")
			a = must(expr.In(a, p.list(")"), not))
		case "LIKE", "SIMILAR":
			p.i++
			f := expr.Like
			if p.take("TO") {
				f = expr.SimilarTo
			}
			pat := p.concat()
			var esc expr.Expr
			if p.take("ESCAPE") {
				esc = p.concat()
			}
			a = must(f(a, pat, esc, not))
		default:
			return a
		}
	}
}

func (p *Parser) concat() expr.Expr {
	a := p.sum()
	for p.take("||") {
		a = must(expr.Concat(a, p.sum()))
	}
	return a
}

func (p *Parser) sum() expr.Expr {
	a := p.product()
	for p.is("+") || p.is("-") {
		op := p.next()
		a = must(expr.Arith(op, a, p.product()))
	}
	return a
}

func (p *Parser) product() expr.Expr {
	a := p.unary()
	for p.is("*") || p.is("/") || p.is("%") {
		op := p.next()
		a = must(expr.Arith(op, a, p.unary()))
	}
	return a
}

func (p *Parser) unary() expr.Expr {
	if p.take("-") {
		return must(expr.Neg(p.unary()))
	}
	p.take("+")
	return p.postfix()
}

func (p *Parser) postfix() expr.Expr {
	e := p.primary()
	for {
		switch {
		case p.take("["):
			e = must(expr.Item(e, p.or()))
			p.want("]")
		case p.take("."):
			e = must(expr.Field(e, p.next()))
		case p.take("AT", "TIME", "ZONE"):
			e = must(expr.AtTimeZone(e, p.primary()))
		default:
			return e
		}
	}
}

// list reads expressions up to the closing token.
func (p *Parser) list(end string) (l []expr.Expr) {
	for !p.take(end) {
		if len(l) > 0 {
			p.want(",")
		}
		l = append(l, p.or())
	}
	return l
}

func (p *Parser) primary() expr.Expr {
	start := p.i
	kind := byte(0)
	if p.i < len(p.kinds) {
		kind = p.kinds[p.i]
	}
	switch kind {
	case 's':
		return expr.Str(p.str())
	case 'n':
		return must(expr.Number(p.next()))
	}
	if p.take("(") {
		e := p.or()
		p.want(")")
		return e
	}
	word := strings.ToUpper(p.next())
	next := byte(0)
	if p.i < len(p.kinds) {
		next = p.kinds[p.i]
	}
	switch word {
	case "NULL":
		return expr.Null()
	case "TRUE", "FALSE":
		return expr.Bool(word == "TRUE")
	case "DATE":
		if next == 's' {
			return must(expr.DateLit(p.str()))
		}
	case "TIME":
		if next == 's' {
			return must(expr.TimeLit(p.str()))
		}
	case "TIMESTAMP", "TIMESTAMP_LTZ":
		if next == 's' {
			return must(expr.TimestampLit(p.str(), word == "TIMESTAMP_LTZ"))
		}
	case "X":
		if next == 's' {
			return must(p.Call("UNHEX", []expr.Expr{expr.Str(p.str())}, expr.Span{}))
		}
	case "INTERVAL":
		neg := ""
		if p.take("-") {
			neg = "-"
		}
		text, unit := p.str(), p.next()
		if p.take("TO") {
			unit += " TO " + p.next()
		}
		return must(expr.Interval(neg+text, unit))
	case "ARRAY":
		p.want("[")
		return must(expr.MakeArray(p.list("]")...))
	case "MAP":
		p.want("[")
		return must(expr.MakeMap(p.list("]")...))
	case "ROW":
		p.want("(")
		return must(expr.MakeRow(p.list(")")...))
	case "CAST", "TRY_CAST":
		return p.cast(word == "TRY_CAST", start)
	case "CASE":
		return p.cases()
	}
	if p.take("(") {
		return p.call(word, expr.Span{From: p.at[start], To: p.at[start] + len(word)})
	}
	if p.Schema != nil {
		if i := p.Schema.Index(p.toks[start]); i >= 0 {
			return expr.NewCol(i, p.Schema.Fields[i])
		}
	}
	return must(p.Call(word, nil, expr.Span{}))
}
