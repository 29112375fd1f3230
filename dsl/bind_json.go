package dsl

import (
	"github.com/streamd/streamd/dsl/ast"
	ex "github.com/streamd/streamd/operators/expr"
)

// jsonCall binds JSON_VALUE, JSON_QUERY and JSON_EXISTS: their clauses are operands of the function, words and values in the order
// of the text.
func (b *binder) jsonCall(e *ast.JSONCall, sc *scope) ex.Expr {
	args, bound := []ast.Expr{e.X}, []ex.Expr{b.expr(e.X, sc)}
	add := func(at ast.Expr, x ex.Expr) { args, bound = append(args, at), append(bound, x) }
	if e.Path != nil {
		add(e.Path, b.expr(e.Path, sc))
	}
	if e.Returning != nil {
		add(e, ex.Symbol("RETURNING"))
		add(e, ex.NullOf(b.typeOf(e.Returning).With(false)))
	}
	if e.Wrapper != "" {
		add(e, ex.Symbol(e.Wrapper+" WRAPPER"))
	}
	for _, on := range []struct {
		what string
		do   *ast.JSONBehavior
	}{{" ON EMPTY", e.OnEmpty}, {" ON ERROR", e.OnError}} {
		switch {
		case on.do == nil:
		case on.do.Default != nil:
			add(e, ex.Symbol("DEFAULT"))
			add(on.do.Default, b.expr(on.do.Default, sc))
			add(e, ex.Symbol(on.what[1:]))
		default:
			add(e, ex.Symbol(on.do.Action+on.what))
		}
	}
	return b.function(e, e.Func, args, bound)
}

func (b *binder) jsonObject(e *ast.JSONObject, sc *scope) ex.Expr {
	if e.Agg {
		notYet(b.head(e), "JSON_OBJECTAGG is")
	}
	var args []ast.Expr
	for _, x := range e.Entries {
		args = append(args, x.Key, x.Value)
	}
	return b.jsonMade(e, "JSON_OBJECT", args, e.OnNull, sc)
}

func (b *binder) jsonArray(e *ast.JSONArray, sc *scope) ex.Expr {
	if e.Agg {
		notYet(b.head(e), "JSON_ARRAYAGG is")
	}
	return b.jsonMade(e, "JSON_ARRAY", e.Elems, e.OnNull, sc)
}

func (b *binder) jsonMade(e ast.Expr, name string, args []ast.Expr, onNull string, sc *scope) ex.Expr {
	var bound []ex.Expr
	for _, a := range args {
		bound = append(bound, b.expr(a, sc))
	}
	if onNull != "" {
		args, bound = append(args, e), append(bound, ex.Symbol(onNull+" ON NULL"))
	}
	return b.function(e, name, args, bound)
}
