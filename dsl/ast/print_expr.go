package ast

import (
	"fmt"
	"strings"
)

// Binding powers, loosest first, as the parser has them.
const (
	precLowest = iota
	precOr
	precAnd
	precNot
	precIs
	precCompare
	precIn
	precAdd
	precMul
	precUnary
	precPostfix
)

func precOf(e Expr) int {
	switch e := e.(type) {
	case *Unary:
		if e.Op == Not {
			return precNot
		}
		return precUnary
	case *Binary:
		return precOfOp(e.Op)
	case *Between, *In, *Like:
		return precIn
	case *Is, *Distinct:
		return precIs
	case *Quantified:
		return precCompare
	case *AtTimeZone, *FieldAccess, *Index:
		return precPostfix
	case *Cast:
		return precPostfix
	}
	return precPostfix + 1
}

func precOfOp(op BinaryOp) int {
	switch op {
	case Or:
		return precOr
	case And:
		return precAnd
	case Add, Sub:
		return precAdd
	case Mul, Div, Mod, Concat:
		return precMul
	}
	return precCompare
}

// expr prints e, in parentheses when it binds looser than least.
func (p *printer) expr(e Expr, least int) {
	if precOf(e) < least {
		p.w("(")
		p.bare(e)
		p.raw(")")
		return
	}
	p.bare(e)
}

// sub prints an operand with a blank in front.
func (p *printer) sub(e Expr, least int) {
	p.blank()
	p.expr(e, least)
}

func (p *printer) bare(e Expr) {
	switch e := e.(type) {
	case *Literal:
		p.w(literal(e))
	case *Interval:
		p.w("INTERVAL", when(e.Negative, "-"))
		p.w(QuoteString(e.Value), units(e.From, e.FromArg, e.To, e.ToArg))
	case *ColumnRef:
		p.dotted(e.Parts)
	case *Star:
		p.dotted(e.Qualifier)
		p.raw(when(len(e.Qualifier) > 0, ".") + "*")
	case *FieldAccess:
		// (a).b is a field of column a, a.b may be a column of table a.
		_, isName := e.X.(*ColumnRef)
		p.group(isName, func() { p.expr(e.X, precPostfix) })
		p.raw("." + QuoteName(string(e.Field.Text)))
	case *Index:
		p.expr(e.X, precPostfix)
		p.raw("[")
		p.w(e.I)
		p.raw("]")
	case *Unary:
		p.w(string(e.Op))
		if e.Op == Not {
			p.sub(e.X, precNot)
			return
		}
		x := &printer{}
		x.expr(e.X, precUnary)
		// Two signs need a blank: -- starts a comment.
		p.raw(when(strings.HasPrefix(x.b.String(), "-") || strings.HasPrefix(x.b.String(), "+"), " ") + x.b.String())
	case *Binary:
		prec := precOfOp(e.Op)
		p.expr(e.Left, prec)
		p.w(string(e.Op))
		p.sub(e.Right, prec+1)
	case *Cast:
		if e.Colon {
			p.expr(e.X, precPostfix)
			p.raw("::")
			p.node(e.Type)
			return
		}
		p.w(when(e.Try, "TRY_")+"CAST(", e.X, "AS", e.Type)
		p.raw(")")
	case *AtTimeZone:
		p.expr(e.X, precPostfix)
		p.w("AT TIME ZONE")
		p.sub(e.Zone, precPostfix+1)
	case *Case:
		p.w("CASE", e.Operand)
		for _, w := range e.Whens {
			p.w(w)
		}
		p.exprClause("ELSE", e.Else)
		p.w("END")
	case *Subquery:
		p.parenQuery(e.Query)
	case *Exists:
		p.w("EXISTS")
		p.parenQuery(e.Query)
	default:
		p.predicate(e)
	}
}

func (p *printer) parenQuery(q *Query) {
	p.w("(", q)
	p.raw(")")
}

func literal(l *Literal) string {
	switch l.Kind {
	case Null:
		return "NULL"
	case Bool, Num:
		return l.Text
	case Str:
		return QuoteString(l.Text)
	case Bin:
		return "X'" + l.Text + "'"
	case TimestampLTZ:
		return "TIMESTAMP WITH LOCAL TIME ZONE " + QuoteString(l.Text)
	}
	return string(l.Kind) + " " + QuoteString(l.Text)
}

func units(from string, fromArg int, to string, toArg int) string {
	s := from
	switch {
	case fromArg >= 0 && to == "" && toArg >= 0:
		s += fmt.Sprintf("(%d, %d)", fromArg, toArg)
	case fromArg >= 0:
		s += fmt.Sprintf("(%d)", fromArg)
	}
	if to != "" {
		s += " TO " + to
		if toArg >= 0 {
			s += fmt.Sprintf("(%d)", toArg)
		}
	}
	return s
}

func (p *printer) predicate(e Expr) {
	switch e := e.(type) {
	case *Between:
		p.expr(e.X, precIn)
		p.w(when(e.Not, "NOT"), "BETWEEN", when(e.Symmetric, "SYMMETRIC"))
		p.sub(e.Low, precIn+1)
		p.w("AND")
		p.sub(e.High, precIn+1)
	case *In:
		p.expr(e.X, precIn)
		p.w(when(e.Not, "NOT"), "IN")
		if e.Query != nil {
			p.parenQuery(e.Query)
		} else {
			parens(p, e.List)
		}
	case *Is:
		p.expr(e.X, precIs)
		p.w("IS", when(e.Not, "NOT"), string(e.Test))
	case *Distinct:
		p.expr(e.Left, precIs)
		p.w("IS", when(e.Not, "NOT"), "DISTINCT FROM")
		p.sub(e.Right, precCompare+1)
	case *Like:
		p.expr(e.X, precIn)
		p.w(when(e.Not, "NOT"), when(e.Similar, "SIMILAR TO"), when(!e.Similar, "LIKE"))
		p.sub(e.Pattern, precIn+1)
		if e.Escape != nil {
			p.w("ESCAPE")
			p.sub(e.Escape, precIn+1)
		}
	case *Quantified:
		p.expr(e.Left, precCompare)
		p.w(string(e.Op), when(e.All, "ALL"), when(!e.All, "ANY"))
		p.parenQuery(e.Query)
	case *Extract:
		p.w("EXTRACT(", e.Unit, "FROM", e.X)
		p.raw(")")
	case *Trim:
		p.w("TRIM(", e.Where)
		if e.Chars != nil {
			p.w(e.Chars)
		}
		p.w(when(e.Chars != nil || e.Where != "", "FROM"), e.X)
		p.raw(")")
	case *TimeUnit:
		p.w(e.Unit)
	case *Array:
		p.w("ARRAY[")
		list(p, e.Elems)
		p.raw("]")
	case *Map:
		p.w("MAP[")
		list(p, e.Entries)
		p.raw("]")
	case *Row:
		if e.Explicit {
			p.w("ROW(")
		} else {
			p.w("(")
		}
		list(p, e.Elems)
		p.raw(")")
	default:
		p.callLike(e)
	}
}

func (p *printer) callLike(e Expr) {
	switch e := e.(type) {
	case *Call:
		p.call(e)
	case *TableArg:
		if e.Query != nil {
			p.w("TABLE")
			p.parenQuery(e.Query)
		} else {
			p.w("TABLE", e.Name)
		}
		if len(e.PartitionBy) > 0 {
			p.w("PARTITION BY")
			parens(p, e.PartitionBy)
		}
		clause(p, "ORDER BY", e.OrderBy)
	case *Descriptor:
		p.w("DESCRIPTOR(")
		list(p, e.Columns)
		p.raw(")")
	case *Default:
		p.w("DEFAULT")
	case *JSONCall:
		p.w(e.Func+"(", e.X)
		if e.Path != nil {
			p.raw(",")
			p.w(e.Path)
		}
		if e.Returning != nil {
			p.w("RETURNING", e.Returning)
		}
		p.w(e.Wrapper, when(e.Wrapper != "", "WRAPPER"))
		if e.OnEmpty != nil {
			p.w(e.OnEmpty, "ON EMPTY")
		}
		if e.OnError != nil {
			p.w(e.OnError, "ON ERROR")
		}
		p.raw(")")
	case *JSONObject:
		p.w("JSON_OBJECT" + when(e.Agg, "AGG") + "(")
		list(p, e.Entries)
		p.onNull(e.OnNull, e.Filter)
	case *JSONArray:
		p.w("JSON_ARRAY" + when(e.Agg, "AGG") + "(")
		list(p, e.Elems)
		clause(p, "ORDER BY", e.OrderBy)
		p.onNull(e.OnNull, e.Filter)
	default:
		panic(fmt.Sprintf("BUG: unknown expression %T", e))
	}
}

func (p *printer) onNull(onNull string, filter Expr) {
	if onNull != "" {
		p.w(onNull, "ON NULL")
	}
	p.raw(")")
	p.filter(filter)
}

func (p *printer) filter(e Expr) {
	if e != nil {
		p.w("FILTER (WHERE", e)
		p.raw(")")
	}
}

func (p *printer) call(c *Call) {
	p.w(when(c.Running, "RUNNING"), when(c.Final, "FINAL"))
	p.blank()
	p.callName(c)
	if c.NoParens {
		return
	}
	p.raw("(")
	word := strings.ToUpper(c.Name.String())
	switch {
	case c.Star:
		p.raw("*")
	case word == "POSITION" && len(c.Args) == 2:
		p.expr(c.Args[0].Value, precIn+1)
		p.w("IN", c.Args[1])
	case len(c.Args) == 2 && isUnit(c.Args[1].Value):
		p.w(c.Args[0], "TO", c.Args[1])
	default:
		p.w(when(c.Distinct, "DISTINCT"))
		list(p, c.Args)
		clause(p, "ORDER BY", c.OrderBy)
	}
	p.raw(")")
	p.w(c.Nulls, when(c.Nulls != "", "NULLS"))
	if len(c.WithinGroup) > 0 {
		p.w("WITHIN GROUP (")
		clause(p, "ORDER BY", c.WithinGroup)
		p.raw(")")
	}
	p.filter(c.Filter)
	p.w(c.Over)
}

// callName writes words that are special in front of a parenthesis bare when the call has the special form.
func (p *printer) callName(c *Call) {
	name := c.Name.Parts[0]
	word := strings.ToUpper(string(name.Text))
	if len(c.Name.Parts) > 1 {
		p.dotted(c.Name.Parts)
		return
	}
	special := (word == "TIMESTAMPADD" || word == "TIMESTAMPDIFF") && (len(c.Args) == 0 || !isUnit(c.Args[0].Value))
	switch {
	case c.NoParens, word == "LEFT", word == "RIGHT":
		p.raw(word)
	case isPlain(string(name.Text)) && !reservedWords[word] && !specialCalls[word] && !special:
		p.raw(string(name.Text))
	default:
		p.raw("`" + strings.ReplaceAll(string(name.Text), "`", "``") + "`")
	}
}

// specialCalls start another form when ( follows; a plain call of that name was written in backquotes.
var specialCalls = words(`ROW CAST TRY_CAST EXISTS EXTRACT TRIM DESCRIPTOR JSON_VALUE JSON_QUERY JSON_EXISTS JSON_OBJECT
JSON_OBJECTAGG JSON_ARRAY JSON_ARRAYAGG UNNEST ROLLUP CUBE`)

func isUnit(e Expr) bool {
	_, ok := e.(*TimeUnit)
	return ok
}

func (p *printer) exprPart(n Node) {
	switch n := n.(type) {
	case *When:
		p.w("WHEN", n.Cond, "THEN", n.Then)
	case *Arg:
		if n.Name != nil {
			p.w(n.Name, "=>")
		}
		p.w(n.Value)
	case *Over:
		p.w("OVER", n.Name, n.Spec)
	case *JSONEntry:
		p.w("KEY", n.Key, "VALUE", n.Value)
	case *JSONBehavior:
		p.w(n.Action)
		if n.Default != nil {
			p.w(n.Default)
		}
	default:
		panic(fmt.Sprintf("BUG: cannot print %T", n))
	}
}

func (p *printer) typ(t Type) {
	switch t := t.(type) {
	case *ScalarType:
		p.scalar(t)
	case *ArrayType:
		p.w("ARRAY<" + Print(t.Elem) + ">")
	case *MultisetType:
		p.w("MULTISET<" + Print(t.Elem) + ">")
	case *MapType:
		p.w("MAP<" + Print(t.Key) + ", " + Print(t.Value) + ">")
	case *RowType:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = Print(f)
		}
		p.w("ROW<" + strings.Join(fields, ", ") + ">")
	}
	p.w(when(t.IsNotNull(), "NOT NULL"))
}

func (p *printer) scalar(t *ScalarType) {
	p.w(t.Name)
	if t.Name == "INTERVAL" {
		p.w(units(t.From, t.FromArg, t.To, t.ToArg))
		return
	}
	for i, a := range t.Args {
		p.raw(when(i == 0, "(") + when(i > 0, ", ") + fmt.Sprint(a) + when(i == len(t.Args)-1, ")"))
	}
	p.w(when(t.Zone, "WITH TIME ZONE"))
}
