package dsl

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ex "github.com/streamd/streamd/operators/expr"
)

// expr binds an expression over the scope's relation. Every expression that can fail at run time gets its place.
func (b *binder) expr(e ast.Expr, sc *scope) ex.Expr {
	if sc.agg != nil {
		if x := b.grouped(e, sc); x != nil {
			return x
		}
	}
	return ex.At(b.node(e, sc), opSpan(e.At()))
}

func (b *binder) exprs(list []ast.Expr, sc *scope) []ex.Expr {
	out := make([]ex.Expr, len(list))
	for i, e := range list {
		out[i] = b.expr(e, sc)
	}
	return out
}

// condition binds a BOOLEAN expression.
func (b *binder) condition(e ast.Expr, sc *scope) ex.Expr {
	x := b.expr(e, sc)
	if t := x.Type(); t.SQL != batch.Boolean && t.SQL != batch.Null {
		fail("SD3010", b.head(e), "%s needs a BOOLEAN, not %s", sc.clause, t.With(false))
	}
	and, err := ex.And(x)
	b.typed("SD3010", e, nil, err)
	return and
}

// conjuncts binds a condition and takes it apart at its ANDs.
func (b *binder) conjuncts(e ast.Expr, sc *scope) []cond {
	if e == nil {
		return nil
	}
	if and, ok := e.(*ast.Binary); ok && and.Op == ast.And {
		return append(b.conjuncts(and.Left, sc), b.conjuncts(and.Right, sc)...)
	}
	x := b.condition(e, sc)
	var out []cond
	for _, c := range ex.Conjuncts(x) {
		out = append(out, cond{c, e.At()})
	}
	return out
}

// head is the place of a mistake of types: the first word of an expression.
func (b *binder) head(e ast.Expr) source.Span {
	switch e := e.(type) {
	case *ast.Call:
		return e.Name.Span
	case *ast.Literal, *ast.ColumnRef:
		return e.At()
	}
	at := e.At()
	text := b.file.Source.Slice(at)
	n := 1
	if len(text) > 0 && isWordByte(text[0]) {
		return headSpan(b.file, at)
	}
	return b.file.Source.Span(at.Pos.Offset, at.Pos.Offset+min(n, len(text)))
}

// typed refuses an expression whose operands do not fit. args are the operands as written, to say which one is to blame; the place
// is the expression's first word all the same.
func (b *binder) typed(code string, e ast.Expr, args []ast.Expr, err error) {
	if err == nil {
		return
	}
	var te *ex.TypeError
	if !errors.As(err, &te) {
		panic("BUG: an expression is refused with " + err.Error())
	}
	d := diag.New(code, b.head(e), "%s", te.Msg)
	if te.Hint != "" {
		d.WithHint("%s", te.Hint)
	}
	if te.Arg >= 0 && te.Arg < len(args) && len(args) > 1 {
		if text := b.file.Source.Slice(args[te.Arg].At()); !strings.Contains(text, "\n") && len(text) < 40 {
			d.WithHint("the operand is: %s", text)
		}
	}
	throw(d)
}

func (b *binder) node(e ast.Expr, sc *scope) ex.Expr {
	switch e := e.(type) {
	case *ast.Literal:
		return b.literal(e)
	case *ast.Interval:
		return b.interval(e)
	case *ast.ColumnRef:
		return b.columnRef(e, sc)
	case *ast.FieldAccess:
		x := b.expr(e.X, sc)
		if x.Type().SQL != batch.RowType {
			fail("SD3001", b.head(e), "%s has no field %q: it is not a ROW", x.Type().With(false), e.Field.String())
		}
		return b.field(x, e.Field)
	case *ast.Index:
		x, err := ex.Item(b.expr(e.X, sc), b.expr(e.I, sc))
		b.typed("SD3001", e, []ast.Expr{e.X, e.I}, err)
		return x
	case *ast.Unary:
		return b.unary(e, sc)
	case *ast.Binary:
		return b.binary(e, sc)
	case *ast.Cast:
		x, err := ex.Cast(b.expr(e.X, sc), b.typeOf(e.Type).With(false), e.Try)
		b.typed("SD3003", e, nil, err)
		return x
	case *ast.Case:
		return b.caseOf(e, sc)
	case *ast.Call:
		return b.call(e, sc)
	case *ast.Row:
		x, err := ex.MakeRow(b.exprs(e.Elems, sc)...)
		b.typed("SD3001", e, e.Elems, err)
		return x
	case *ast.Array:
		x, err := ex.MakeArray(b.exprs(e.Elems, sc)...)
		b.typed("SD3001", e, e.Elems, err)
		return x
	case *ast.Map:
		x, err := ex.MakeMap(b.exprs(e.Entries, sc)...)
		b.typed("SD3001", e, e.Entries, err)
		return x
	}
	if x := b.predicate(e, sc); x != nil {
		return x
	}
	return b.special(e, sc)
}

// predicate binds what gives a BOOLEAN by words of its own; nil when e is something else.
func (b *binder) predicate(e ast.Expr, sc *scope) ex.Expr {
	var x ex.Expr
	var err error
	var args []ast.Expr
	switch e := e.(type) {
	case *ast.Between:
		args = []ast.Expr{e.X, e.Low, e.High}
		x, err = ex.Between(b.expr(e.X, sc), b.expr(e.Low, sc), b.expr(e.High, sc), e.Symmetric, e.Not)
	case *ast.In:
		if e.Query != nil {
			notYet(b.head(e), "IN with a query in this place is", inWhere)
		}
		args = append([]ast.Expr{e.X}, e.List...)
		x, err = ex.In(b.expr(e.X, sc), b.exprs(e.List, sc), e.Not)
	case *ast.Is:
		y := b.expr(e.X, sc)
		switch e.Test {
		case ast.IsNull:
			x, err = ex.IsNull(y, e.Not)
		case ast.IsTrue, ast.IsFalse, ast.IsUnknown:
			x, err = ex.IsTrue(y, string(e.Test), e.Not)
		default:
			notYet(b.head(e), "IS "+string(e.Test)+" is")
		}
	case *ast.Distinct:
		args = []ast.Expr{e.Left, e.Right}
		x, err = ex.IsDistinct(b.expr(e.Left, sc), b.expr(e.Right, sc), e.Not)
	case *ast.Like:
		args = []ast.Expr{e.X, e.Pattern}
		var esc ex.Expr
		if e.Escape != nil {
			esc = b.expr(e.Escape, sc)
		}
		like := ex.Like
		if e.Similar {
			like = ex.SimilarTo
		}
		x, err = like(b.expr(e.X, sc), b.expr(e.Pattern, sc), esc, e.Not)
	default:
		return nil
	}
	b.typed("SD3001", e, args, err)
	return x
}

// inWhere is where a condition may ask a query.
const inWhere = "make it one of the conditions that AND connects in WHERE"

// special binds what stands for a function, and refuses the rest by name.
func (b *binder) special(e ast.Expr, sc *scope) ex.Expr {
	switch e := e.(type) {
	case *ast.Extract:
		return b.function(e, "EXTRACT", nil, []ex.Expr{ex.Symbol(e.Unit.Unit), b.expr(e.X, sc)})
	case *ast.Trim:
		where, chars := e.Where, ex.Expr(ex.Str(" "))
		if where == "" {
			where = "BOTH"
		}
		if e.Chars != nil {
			chars = b.expr(e.Chars, sc)
		}
		return b.function(e, "TRIM", nil, []ex.Expr{ex.Symbol(where), chars, b.expr(e.X, sc)})
	case *ast.AtTimeZone:
		x, err := ex.AtTimeZone(b.expr(e.X, sc), b.expr(e.Zone, sc))
		b.typed("SD3001", e, []ast.Expr{e.X, e.Zone}, err)
		return x
	case *ast.TimeUnit:
		return ex.Symbol(e.Unit)
	case *ast.Exists:
		notYet(b.head(e), "EXISTS in this place is", inWhere)
	case *ast.Subquery:
		if x := sc.value(e); x != nil {
			return x
		}
		notYet(b.head(e), "a query used as a value in this place is", "it may stand in WHERE, HAVING and the SELECT list")
	case *ast.Quantified:
		notYet(b.head(e), "comparison with ALL or ANY of a query is")
	case *ast.JSONCall:
		return b.jsonCall(e, sc)
	case *ast.JSONObject:
		return b.jsonObject(e, sc)
	case *ast.JSONArray:
		return b.jsonArray(e, sc)
	case *ast.Star:
		fail("SD3001", e.Span, "* stands in a SELECT list or in COUNT(*) only")
	case *ast.TableArg, *ast.Descriptor, *ast.Default:
		fail("SD3001", b.head(e), "this stands in the arguments of a table function only")
	}
	panic("BUG: unknown expression")
}

func (b *binder) literal(e *ast.Literal) ex.Expr {
	bad := func(what string) {
		throw(diag.New("SD3012", e.Span, "'%s' is no %s", clip(e.Text), what))
	}
	switch e.Kind {
	case ast.Null:
		return ex.Null()
	case ast.Bool:
		return ex.Bool(e.Text == "TRUE")
	case ast.Num:
		c, err := ex.Number(e.Text)
		b.typed("SD3012", e, nil, err)
		return c
	case ast.Str:
		return ex.Str(e.Text)
	case ast.Bin:
		raw, err := hex.DecodeString(e.Text)
		if err != nil {
			bad("binary literal")
		}
		return ex.Bytes(raw)
	case ast.Date:
		if d, ok := batch.ParseDate([]byte(e.Text)); ok {
			return ex.Int(d, batch.TypeDate)
		}
		bad("date; write for instance DATE '2026-01-31'")
	case ast.Time:
		if us, ok := batch.ParseTime([]byte(e.Text)); ok {
			return ex.Int(us, batch.Type{SQL: batch.Time, P: fraction(e.Text)})
		}
		bad("time; write for instance TIME '10:00:00'")
	case ast.Timestamp, ast.TimestampLTZ:
		us, ok := batch.ParseTimestamp([]byte(e.Text))
		if !ok {
			bad("timestamp; write for instance TIMESTAMP '2026-01-31 10:00:00'")
		}
		t := batch.Type{SQL: batch.Timestamp, P: fraction(e.Text)}
		if e.Kind == ast.Timestamp {
			return ex.Int(us, t)
		}
		t.SQL = batch.TimestampLTZ
		x, err := ex.AtTimeZone(ex.Int(us, batch.Type{SQL: batch.Timestamp, P: t.P}), ex.Text(b.set.ZoneName))
		b.typed("SD3012", e, nil, err)
		return x
	}
	panic("BUG: unknown literal")
}

// fraction counts the digits behind the seconds.
func fraction(s string) int32 {
	if i := strings.LastIndexByte(s, '.'); i >= 0 {
		return int32(min(len(s)-i-1, 6))
	}
	return 0
}

func (b *binder) interval(e *ast.Interval) ex.Expr {
	unit := e.From
	if e.To != "" {
		unit += " TO " + e.To
	}
	c, err := ex.Interval(e.Value, unit)
	if err != nil {
		b.typed("SD3012", e, nil, err)
	}
	if e.Negative {
		return ex.Int(-c.V.I[0], c.T)
	}
	return c
}

func (b *binder) columnRef(e *ast.ColumnRef, sc *scope) ex.Expr {
	if x, used := b.around(e, sc); x != nil {
		for _, p := range e.Parts[used:] {
			x = b.field(x, p)
		}
		return x
	}
	if sc.rel == nil || len(sc.rel.cols) == 0 {
		fail("SD2003", e.Parts[0].Span, "unknown column %q: there is no table here", e.Parts[0].String())
	}
	if p := e.Parts; len(p) > 1 && sc.sub != nil && !sc.rel.hasTable(p[0].String()) && !sc.rel.has(e) && sc.sub.outer.hasTable(p[0].String()) {
		sc.sub.outer.unknown(p[1], p[0].String())
	}
	at, used := sc.rel.resolve(e)
	var x ex.Expr = sc.rel.col(at)
	for _, p := range e.Parts[used:] {
		x = b.field(x, p)
	}
	return x
}

func (b *binder) field(x ex.Expr, name *ast.Name) ex.Expr {
	if t := x.Type(); t.SQL != batch.RowType {
		fail("SD2003", name.Span, "unknown field %q: %s is %s, not a ROW", name.String(), x.String(), t.With(false))
	}
	y, err := ex.Field(x, name.String())
	if err != nil {
		var names []string
		for _, f := range x.Type().Fields {
			names = append(names, f.Name)
		}
		d := diag.New("SD2003", name.Span, "unknown field %q", name.String())
		if near := diag.Near(name.String(), names); near != "" {
			d.WithLabel("%s has no such field; did you mean %q?", x.String(), near)
		}
		throw(d.WithHint("fields: %s", listed(names)))
	}
	return y
}

func (b *binder) unary(e *ast.Unary, sc *scope) ex.Expr {
	x := b.expr(e.X, sc)
	var err error
	switch e.Op {
	case ast.Not:
		x, err = ex.Not(x)
	case ast.Neg:
		if c, ok := x.(*ex.Const); ok && isNumber(e.X) {
			return negative(c)
		}
		x, err = ex.Neg(x)
	default:
		if t := x.Type(); !t.IsNumeric() && t.SQL != batch.IntervalDay && t.SQL != batch.IntervalMonth && t.SQL != batch.Null {
			fail("SD3001", b.head(e), "cannot apply '+' to %s", t.With(false))
		}
	}
	b.typed("SD3001", e, nil, err)
	return x
}

func isNumber(e ast.Expr) bool {
	l, ok := e.(*ast.Literal)
	return ok && l.Kind == ast.Num
}

// negative is the literal -c.
func negative(c *ex.Const) ex.Expr {
	v := c.V
	switch v.Kind {
	case batch.Float:
		return ex.Double(-v.F[0])
	case batch.Int:
		return ex.NewConst(c.T, batch.Vec{Kind: batch.Int, I: []int64{-v.I[0]}})
	}
	n, err := ex.Neg(c)
	if err != nil {
		panic("BUG: a number has no negative")
	}
	return n
}

func (b *binder) binary(e *ast.Binary, sc *scope) ex.Expr {
	args := []ast.Expr{e.Left, e.Right}
	l, r := b.expr(e.Left, sc), b.expr(e.Right, sc)
	var x ex.Expr
	var err error
	switch e.Op {
	case ast.And:
		x, err = ex.And(l, r)
	case ast.Or:
		x, err = ex.Or(l, r)
	case ast.Concat:
		x, err = ex.Concat(l, r)
	case ast.Eq, ast.Ne, ast.Lt, ast.Le, ast.Gt, ast.Ge:
		x, err = ex.Compare(string(e.Op), l, r)
	case ast.Overlaps:
		notYet(b.head(e), "OVERLAPS is", "compare the starts and ends instead")
	default:
		x, err = ex.Arith(string(e.Op), l, r)
	}
	b.typed("SD3001", e, args, err)
	return x
}

func (b *binder) caseOf(e *ast.Case, sc *scope) ex.Expr {
	var whens, thens []ex.Expr
	var els ex.Expr
	var parts []ast.Expr
	var operand ex.Expr
	if e.Operand != nil {
		operand = b.expr(e.Operand, sc)
	}
	for _, w := range e.Whens {
		c := b.expr(w.Cond, sc)
		if operand != nil {
			eq, err := ex.Compare("=", operand, c)
			b.typed("SD3001", w.Cond, nil, err)
			c = eq
		}
		whens, thens, parts = append(whens, c), append(thens, b.expr(w.Then, sc)), append(parts, w.Then)
	}
	if e.Else != nil {
		els = b.expr(e.Else, sc)
	}
	x, err := ex.Case(whens, thens, els)
	b.typed("SD3001", e, parts, err)
	return x
}
