package ast

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// isNil also sees a nil pointer in an interface.
func isNil(n Node) bool {
	if n == nil {
		return true
	}
	v := reflect.ValueOf(n)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func (p *printer) queryPart(n Node) {
	switch n := n.(type) {
	case *Query:
		if len(n.With) > 0 {
			p.w("WITH", when(n.Recursive, "RECURSIVE"))
			list(p, n.With)
		}
		p.body(n.Body, 0)
		clause(p, "ORDER BY", n.OrderBy)
		if n.Limit != nil {
			p.w("LIMIT", n.Limit)
		}
		if n.Offset != nil {
			p.w("OFFSET", n.Offset, "ROWS")
		}
		if n.Fetch != nil {
			p.w("FETCH FIRST", n.Fetch, "ROWS ONLY")
		}
	case *CTE:
		p.w(n.Name)
		if len(n.Columns) > 0 {
			parens(p, n.Columns)
		}
		p.w("AS (", n.Query)
		p.raw(")")
	case *OrderItem:
		p.w(n.Expr, when(n.Asc, "ASC"), when(n.Desc, "DESC"))
		if n.Nulls != "" {
			p.w("NULLS", strings.ToUpper(n.Nulls))
		}
	case QueryBody:
		p.body(n, 0)
	case *ValuesRow:
		if _, ok := n.Exprs[0].(*Subquery); ok && len(n.Exprs) == 1 {
			p.w(n.Exprs[0]) // brings its own parentheses; with more it would be a query in parentheses in a query
			break
		}
		parens(p, n.Exprs)
	case *SelectItem:
		p.w(n.Expr)
		if n.Alias != nil {
			p.w("AS", n.Alias)
		}
	case *GroupBy:
		p.w("GROUP BY", when(n.Distinct, "DISTINCT"))
		list(p, n.Items)
	case *GroupExpr:
		if n.Paren {
			parens(p, n.Exprs)
		} else {
			list(p, n.Exprs)
		}
	case *GroupSets:
		p.w(string(n.Kind))
		parens(p, n.Items)
	case *NamedWindow:
		p.w(n.Name, "AS", n.Spec)
	case *WindowSpec:
		p.w("(", n.Base)
		clause(p, "PARTITION BY", n.PartitionBy)
		clause(p, "ORDER BY", n.OrderBy)
		p.w(n.Frame)
		p.raw(")")
	case *Frame:
		p.w(strings.ToUpper(n.Unit))
		if n.Only != nil {
			p.w(n.Only)
		} else {
			p.w("BETWEEN", n.From, "AND", n.To)
		}
	case *Bound:
		if n.CurrentRow {
			p.w("CURRENT ROW")
		} else {
			p.w(when(n.Unbounded, "UNBOUNDED"))
			if n.Offset != nil {
				p.w(n.Offset)
			}
			p.w(when(n.Preceding, "PRECEDING"), when(n.Following, "FOLLOWING"))
		}
	default:
		p.tablePart(n)
	}
}

// body prints a query body; tight is 1 for an operand of UNION and EXCEPT on the right, 2 for one of INTERSECT.
func (p *printer) body(b QueryBody, tight int) {
	switch b := b.(type) {
	case *Select:
		p.w("SELECT")
		p.hints(b.Hints)
		p.w(when(b.Distinct, "DISTINCT"))
		list(p, b.Items)
		if b.From != nil {
			p.w("FROM", b.From)
		}
		p.exprClause("WHERE", b.Where)
		p.w(b.GroupBy)
		p.exprClause("HAVING", b.Having)
		p.w(b.Windows, b.Qualify)
	case *Values:
		p.w("VALUES")
		list(p, b.Rows)
	case *ExplicitTable:
		p.w("TABLE", b.Name)
	case *NestedQuery:
		p.w("(", b.Query)
		p.raw(")")
	case *SetOp:
		left, right := 0, 1
		if b.Op == Intersect {
			left, right = 1, 2
		}
		wrap := b.Op != Intersect && tight > 0 || tight > 1
		if wrap {
			p.w("(")
		}
		p.body(b.Left, left)
		p.w(string(b.Op), when(b.All, "ALL"))
		p.body(b.Right, right)
		if wrap {
			p.raw(")")
		}
	default:
		panic(fmt.Sprintf("BUG: unknown query body %T", b))
	}
}

func (p *printer) exprClause(word string, e Expr) {
	if e != nil {
		p.w(word, e)
	}
}

func (p *printer) table(t TableExpr) {
	switch t := t.(type) {
	case *TableName:
		p.w(t.Name)
		p.hints(t.Hints)
		p.exprClause("FOR SYSTEM_TIME AS OF", t.AsOf)
		p.w(t.Alias)
	case *Derived:
		p.w(when(t.Lateral, "LATERAL"), "(", t.Query)
		p.raw(")")
		p.w(t.Alias)
	case *TableFunc:
		p.w(when(t.Lateral, "LATERAL"))
		if t.Wrapped {
			p.w("TABLE(", t.Call)
			p.raw(")")
		} else {
			p.w(t.Call)
		}
		p.hints(t.Hints)
		p.exprClause("FOR SYSTEM_TIME AS OF", t.AsOf)
		p.w(t.Alias)
	case *Unnest:
		p.w(when(t.Lateral, "LATERAL"), "UNNEST(")
		list(p, t.Exprs)
		p.raw(")")
		p.w(when(t.Ordinality, "WITH ORDINALITY"), t.Alias)
	case *Match:
		p.w(t.Input, t.Body, t.Alias)
	case *Join:
		p.join(t)
	default:
		panic(fmt.Sprintf("BUG: unknown table %T", t))
	}
}

func (p *printer) join(j *Join) {
	operand := func(t TableExpr, wrap bool) {
		if wrap {
			p.w("(", t)
			p.raw(")")
		} else {
			p.w(t)
		}
	}
	left, leftJoin := j.Left.(*Join)
	right, rightJoin := j.Right.(*Join)
	operand(j.Left, leftJoin && left.Comma && !j.Comma)
	if j.Comma {
		p.raw(",")
		operand(j.Right, rightJoin && right.Comma)
		return
	}
	p.w(when(j.Natural, "NATURAL"), when(j.Kind != InnerJoin, string(j.Kind)), "JOIN")
	operand(j.Right, rightJoin)
	p.exprClause("ON", j.On)
	if len(j.Using) > 0 {
		p.w("USING")
		parens(p, j.Using)
	}
}

func (p *printer) tablePart(n Node) {
	switch n := n.(type) {
	case *WindowClause:
		clause(p, "WINDOW", n.List)
	case *Qualify:
		p.w("QUALIFY", n.Cond)
	case *Alias:
		p.w("AS", n.Name)
		if len(n.Columns) > 0 {
			parens(p, n.Columns)
		}
	case *MatchBody:
		p.w("MATCH_RECOGNIZE (")
		clause(p, "PARTITION BY", n.PartitionBy)
		clause(p, "ORDER BY", n.OrderBy)
		clause(p, "MEASURES", n.Measures)
		p.w(when(n.OneRow, "ONE ROW PER MATCH"), n.AllRows, n.Skip, "PATTERN (", n.Pattern)
		p.raw(")")
		p.exprClause("WITHIN", n.Within)
		clause(p, "SUBSET", n.Subsets)
		clause(p, "DEFINE", n.Define)
		p.raw(")")
	case *AllRows:
		p.w("ALL ROWS PER MATCH", when(n.ShowEmpty, "SHOW EMPTY MATCHES"), when(n.OmitEmpty, "OMIT EMPTY MATCHES"),
			when(n.Unmatched, "WITH UNMATCHED ROWS"))
	case *Measure:
		p.w(n.Expr, "AS", n.Name)
	case *Skip:
		p.w("AFTER MATCH SKIP", when(n.PastLast, "PAST LAST ROW"), when(!n.PastLast, "TO"), when(n.ToNext, "NEXT ROW"),
			when(n.ToFirst, "FIRST"), when(n.ToLast, "LAST"), n.Variable)
	case *Subset:
		p.w(n.Name, "=")
		parens(p, n.Members)
	case *Define:
		p.w(n.Variable, "AS", n.Cond)
	default:
		p.exprPart(n)
	}
}

// pattern prints with parentheses when p binds looser than its place: 0 alternatives, 1 sequence, 2 quantified item.
func (p *printer) pattern(n Pattern, place int) {
	switch n := n.(type) {
	case *PatternVar:
		p.w(n.Name)
	case *PatternAnchor:
		p.w(when(n.Start, "^"), when(!n.Start, "$"))
	case *PatternExclude:
		p.w("{-")
		p.pattern(n.Item, 0)
		p.w("-}")
	case *PatternPermute:
		p.w("PERMUTE(")
		for i, x := range n.Items {
			if i > 0 {
				p.raw(",")
			}
			p.pattern(x, 0)
		}
		p.raw(")")
	case *PatternRepeat:
		_, nested := n.Item.(*PatternRepeat)
		p.group(nested, func() { p.pattern(n.Item, 2) })
		switch {
		case n.Min == 0 && n.Max == -1:
			p.raw("*")
		case n.Min == 1 && n.Max == -1:
			p.raw("+")
		case n.Min == 0 && n.Max == 1:
			p.raw("?")
		case n.Max == -1:
			p.raw(fmt.Sprintf("{%d,}", n.Min))
		case n.Min == n.Max:
			p.raw(fmt.Sprintf("{%d}", n.Min))
		default:
			p.raw("{" + strconv.Itoa(n.Min) + "," + strconv.Itoa(n.Max) + "}")
		}
		p.raw(when(n.Reluctant, "?"))
	case *PatternSeq:
		p.group(place >= 1 || len(n.Items) == 0, func() {
			for _, x := range n.Items {
				p.pattern(x, 1)
			}
		})
	case *PatternAlt:
		p.group(place >= 1, func() {
			for i, x := range n.Alts {
				p.w(when(i > 0, "|"))
				p.pattern(x, 0)
			}
		})
	}
}

// group writes parentheses around what f writes, if wrap is set.
func (p *printer) group(wrap bool, f func()) {
	if wrap {
		p.w("(")
	}
	f()
	if wrap {
		p.raw(")")
	}
}
