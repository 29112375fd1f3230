package dsl

import (
	"strings"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	ex "github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
)

// call binds a call by name.
func (b *binder) call(e *ast.Call, sc *scope) ex.Expr {
	name := strings.ToUpper(e.Name.Last().String())
	if e.Over != nil {
		if name == "ROW_NUMBER" {
			throw(diag.New("SD4004", e.Name.Span, "ROW_NUMBER() needs a column of its own in the SELECT list, and a query around it that bounds it"))
		}
		notYet(e.Name.Span, name+" with OVER is", overAdvice(name))
	}
	if name == "ROW_NUMBER" {
		throw(diag.New("SD3002", e.Name.Span, "ROW_NUMBER needs an OVER").WithHint("write ROW_NUMBER() OVER (PARTITION BY k ORDER BY v)"))
	}
	if f, ok := funcs.LookupAgg(name); ok {
		if sc.agg == nil {
			where := sc.clause
			if where == "" {
				where = "this place"
			}
			throw(diag.New("SD3006", e.Name.Span, "aggregate function %s cannot stand in %s", name, where).
				WithHint("a condition on an aggregate goes to HAVING"))
		}
		return b.aggCall(e, f, sc)
	}
	switch {
	case e.Star, e.Distinct:
		b.unknownFunction(e, name)
		fail("SD3002", e.Name.Span, "%s is no aggregate function: it takes neither * nor DISTINCT", name)
	case e.Filter != nil:
		b.unknownFunction(e, name)
		fail("SD3002", e.Name.Span, "%s is no aggregate function: it takes no FILTER", name)
	}
	var args []ast.Expr
	var bound []ex.Expr
	for _, a := range e.Args {
		if a.Name != nil {
			fail("SD3002", e.Name.Span, "%s takes no named arguments", name)
		}
		args = append(args, a.Value)
	}
	b.unknownFunction(e, name)
	for _, a := range args {
		bound = append(bound, b.expr(a, sc))
	}
	return b.function(e, name, args, bound)
}

// overAdvice says what to write in place of a function over a window of rows.
func overAdvice(name string) string {
	if name == "RANK" || name == "DENSE_RANK" {
		return "ROW_NUMBER() OVER (PARTITION BY k ORDER BY v), bounded by the query around it, gives the first rows of each key"
	}
	return "aggregate by a window: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"
}

// groupWindow says what to write in place of a window in GROUP BY.
func groupWindow(name string) []string {
	kind, _, _ := strings.Cut(name, "_")
	size := map[string]string{"TUMBLE": "INTERVAL '1' MINUTE", "HOP": "INTERVAL '1' MINUTE, INTERVAL '5' MINUTE", "SESSION": "INTERVAL '5' MINUTE"}[kind]
	if size == "" {
		return nil
	}
	return []string{"a window is a table here: FROM TABLE(" + kind + "(TABLE t, DESCRIPTOR(ts), " + size + ")) GROUP BY window_start, window_end"}
}

// laterAggregates are aggregate functions of the language that are not there yet.
var laterAggregates = []string{
	"RANK", "DENSE_RANK", "ROW_NUMBER", "LAG", "LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK", "APPROX_COUNT_DISTINCT", "PERCENTILE",
	"GROUPING", "GROUPING_ID", "GROUP_ID", "TUMBLE", "TUMBLE_START", "TUMBLE_END", "TUMBLE_ROWTIME", "TUMBLE_PROCTIME", "HOP", "HOP_START", "HOP_END", "HOP_ROWTIME", "HOP_PROCTIME",
	"SESSION", "SESSION_START", "SESSION_END", "SESSION_ROWTIME", "SESSION_PROCTIME", "MATCH_ROWTIME", "MATCH_PROCTIME"}

// builtin are the calls that the binder makes of expressions itself.
var builtin = map[string]func(...ex.Expr) (ex.Expr, error){
	"COALESCE": ex.Coalesce,
	"IFNULL":   ex.Coalesce,
}

// scalar finds a scalar function, of the language or of the program that compiles;
// nil = there is none.
func (b *binder) scalar(name string) *ex.Func {
	if f, ok := funcs.Lookup(name); ok {
		return f
	}
	return b.cfg.Funcs[name]
}

// ofBinder tells the names that function makes expressions of.
func ofBinder(name string) bool {
	return builtin[name] != nil || name == "NULLIF" || name == "IF" || isProctime(name)
}

// unknownFunction refuses a name that no function has, with a near one.
func (b *binder) unknownFunction(e *ast.Call, name string) {
	if b.scalar(name) != nil || ofBinder(name) {
		return
	}
	for _, l := range laterAggregates {
		if l == name {
			notYet(e.Name.Span, name+" is", groupWindow(name)...)
		}
	}
	d := diag.New("SD2006", e.Name.Span, "unknown function %s", clip(name))
	if h := foreignName(name); h != "" {
		throw(d.WithHint("%s", h))
	}
	known := append(funcs.Names(), "COALESCE", "NULLIF")
	known = append(known, sortedKeys(b.cfg.Funcs)...)
	for _, f := range funcs.AllAggs() {
		known = append(append(known, f.Name), f.Aliases...)
	}
	if near := diag.Near(name, known); near != "" {
		d.WithLabel("did you mean %s?", near)
	}
	throw(d)
}

// function binds a call of a scalar function.
func (b *binder) function(e ast.Expr, name string, args []ast.Expr, bound []ex.Expr) ex.Expr {
	var x ex.Expr
	var err error
	mk := builtin[name]
	f := b.scalar(name)
	known := f != nil
	switch {
	case !known && name == "NULLIF" && len(bound) == 2:
		x, err = ex.NullIf(bound[0], bound[1])
	case !known && name == "IF" && len(bound) == 3:
		x, err = ex.If(bound[0], bound[1], bound[2])
	case !known && mk != nil && len(bound) > 0:
		x, err = mk(bound...)
	case !known:
		fail("SD2006", b.head(e), "unknown function %s", name)
	default:
		x, err = ex.NewCall(f, bound, opSpan(e.At()))
	}
	b.typed("SD3002", e, args, err)
	return x
}

func isProctime(name string) bool { return name == "PROCTIME" }
