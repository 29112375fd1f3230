package ast

import (
	"fmt"
	"strings"
)

// Print writes a node as canonical SQL on one line: keywords in upper case, names quoted where they must be, parentheses only where
// the tree needs them. Parsing it gives the same tree, positions aside. A File has one statement a line, each with its semicolon.
// Comments are not printed.
func Print(n Node) string {
	p := &printer{}
	p.node(n)
	return p.b.String()
}

type printer struct {
	b strings.Builder
}

// w writes words and nodes, separated by blanks: strings as they are, nodes printed, "" and nil skipped.
func (p *printer) w(parts ...any) {
	for _, part := range parts {
		switch x := part.(type) {
		case nil:
		case string:
			if x != "" {
				p.blank()
				p.b.WriteString(x)
			}
		case Node:
			if !isNil(x) {
				p.blank()
				p.node(x)
			}
		default:
			panic(fmt.Sprintf("BUG: cannot print %T", part))
		}
	}
}

// blank writes a blank unless at the start or behind an opening sign.
func (p *printer) blank() {
	s := p.b.String()
	if s == "" {
		return
	}
	if last := s[len(s)-1]; last != ' ' && last != '(' && last != '[' && last != '\n' && last != '.' {
		p.b.WriteByte(' ')
	}
}

// raw writes without a blank in front.
func (p *printer) raw(s string) { p.b.WriteString(s) }

func when(cond bool, s string) string {
	if cond {
		return s
	}
	return ""
}

// list writes nodes separated by commas.
func list[T Node](p *printer, nodes []T) {
	for i, n := range nodes {
		if i > 0 {
			p.raw(",")
		}
		p.w(n)
	}
}

// parens writes (a, b), with a blank in front.
func parens[T Node](p *printer, nodes []T) {
	p.w("(")
	list(p, nodes)
	p.raw(")")
}

// clause writes `word a, b` when there are nodes.
func clause[T Node](p *printer, word string, nodes []T) {
	if len(nodes) > 0 {
		p.w(word)
		list(p, nodes)
	}
}

func (p *printer) hints(hints []*Hint) {
	if len(hints) > 0 {
		p.w("/*+")
		list(p, hints)
		p.w("*/")
	}
}

// QuoteString writes a string literal. NUL cannot stand in a text and is written as an escape.
func QuoteString(s string) string {
	if strings.ContainsRune(s, 0) {
		return "U&'" + strings.NewReplacer("'", "''", `\`, `\\`, "\x00", `\0000`).Replace(s) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// QuoteName writes a name, in backquotes unless it is a plain word that is not reserved and means nothing special in any place.
func QuoteName(s string) string {
	if w := strings.ToUpper(s); isPlain(s) && !reservedWords[w] && !placedWords[w] {
		return s
	}
	return "`" + strings.ReplaceAll(s, "`", "``") + "`"
}

func isPlain(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

// IsReserved reports whether a word needs backquotes to be a name, whatever its case.
func IsReserved(word string) bool { return reservedWords[strings.ToUpper(word)] }

// reservedWords cannot be names without backquotes: without them one token of look-ahead could not tell an alias from the next
// clause, or an operand from an operator. Every other word of the grammar is recognised by its place.
var reservedWords = words(`ALL AND AS BETWEEN CASE CREATE CROSS DISTINCT ELSE END EXCEPT FALSE FETCH FOR FROM FULL GROUP HAVING IN
INNER INSERT INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT MATCH_RECOGNIZE NATURAL NOT NULL ON OR ORDER QUALIFY RIGHT SELECT
SIMILAR TABLE THEN TRUE UNION USING VALUES WHEN WHERE WINDOW WITH`)

// placedWords are names in most places and something else in one.
var placedWords = words(`ABSENT ANY ARRAY ASYMMETRIC AT BOTH CATALOG COMMENT CONSTRAINT CUBE CURRENT CURRENT_DATE CURRENT_TIME
CURRENT_TIMESTAMP DATABASE DEFAULT ESCAPE EXTENDED FILTER FINAL FIRST FUNCTION GROUPING IF IGNORE
LAST LEADING LOCALTIME LOCALTIMESTAMP MAP MEASURES METADATA MULTISET NEXT OFFSET ONLY OVER OVERLAPS PARTITION PERMUTE PRIMARY RANGE
RECURSIVE RESPECT ROLLUP ROWS RUNNING SET SOME SYMMETRIC TRAILING UNBOUNDED UNNEST WATERMARK WITHIN`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

func (p *printer) node(n Node) {
	switch n := n.(type) {
	case *File:
		for _, s := range n.Stmts {
			p.node(s)
			p.raw(";\n")
		}
	case *Comment:
		p.raw(n.Text)
	case *Name:
		p.raw(QuoteName(string(n.Text)))
	case *QName:
		p.dotted(n.Parts)
	case *String:
		p.raw(QuoteString(string(n.Text)))
	case *Number:
		p.raw(n.Text)
	case *Option:
		p.w(n.Key, "=", n.Value)
	case *Hint:
		p.hint(n)
	case *HintArg:
		p.raw(hintArg(string(n.Text)))
	case Statement:
		p.statement(n)
	case Expr:
		p.expr(n, precLowest)
	case Type:
		p.typ(n)
	case Pattern:
		p.pattern(n, 0)
	case TableExpr:
		p.table(n)
	default:
		p.part(n)
	}
}

func (p *printer) dotted(parts []*Name) {
	for i, n := range parts {
		if i > 0 {
			p.raw(".")
		}
		p.raw(QuoteName(string(n.Text)))
	}
}

func (p *printer) hint(n *Hint) {
	p.w(n.Name)
	if len(n.Options) > 0 {
		p.raw("(")
		list(p, n.Options)
		p.raw(")")
	} else if len(n.Args) > 0 {
		p.raw("(")
		list(p, n.Args)
		p.raw(")")
	}
}

// hintArg writes digits as a number and anything else so that it parses to the same text.
func hintArg(s string) string {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return s
	}
	if QuoteName(s) == s {
		return s
	}
	return QuoteString(s)
}
