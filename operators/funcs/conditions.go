package funcs

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const conds = "conditions"

func rewrite(m meta, least, most int, f func(a []expr.Expr) (expr.Expr, error)) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) < least || most > 0 && len(args) > most {
			return nil, &expr.TypeError{Arg: -1, Msg: m.name + " does not take " + operands(len(args)), Hint: "write " + m.syntax}
		}
		e, err := f(args)
		return &expr.Bound{Expr: e}, err
	})
}

func init() {
	rewrite(meta{name: "COALESCE", cat: conds, syntax: "COALESCE(x, …)", doc: "The first operand that is not NULL; later ones are not computed.", example: "COALESCE(NULL, 5)", result: "5"}, 1, 0,
		func(a []expr.Expr) (expr.Expr, error) { return expr.Coalesce(a...) })
	rewrite(meta{name: "IFNULL", cat: conds, syntax: "IFNULL(x, y)", doc: "x, or y where x is NULL.", example: "IFNULL(NULL, 5)", result: "5"}, 2, 2,
		func(a []expr.Expr) (expr.Expr, error) { return expr.Coalesce(a...) })
	rewrite(meta{name: "NULLIF", cat: conds, syntax: "NULLIF(x, y)", doc: "NULL where x = y, else x.", example: "NULLIF(5, 5)", result: "NULL"}, 2, 2,
		func(a []expr.Expr) (expr.Expr, error) { return expr.NullIf(a[0], a[1]) })
	rewrite(meta{name: "IF", cat: conds, syntax: "IF(condition, x, y)", doc: "x where the condition is TRUE, else y.", example: "IF(5 > 3, 'yes', 'no')", result: "yes"}, 3, 3,
		func(a []expr.Expr) (expr.Expr, error) { return expr.If(a[0], a[1], a[2]) })
	for name, sign := range map[string]int{"GREATEST": 1, "LEAST": -1} {
		m := meta{name: name, cat: conds, syntax: name + "(x, …)", doc: "The greatest operand; NULL when one is NULL.", example: "GREATEST(1, 3.5, 2)", result: "3.5"}
		if sign < 0 {
			m.doc, m.example, m.result = "The least operand; NULL when one is NULL.", "LEAST('b', 'a')", "a"
		}
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			args, nn, err := take(m, "xx*", args)
			if err != nil {
				return nil, err
			}
			ts := make([]batch.Type, len(args))
			for i, a := range args {
				ts[i] = a.Type()
			}
			t, err := expr.Common(ts...)
			if err != nil {
				return nil, err
			}
			for i, a := range args {
				if args[i], err = expr.Implicit(a, t); err != nil {
					return nil, err
				}
			}
			return &expr.Bound{Args: args, Type: t.With(nn), New: func() expr.Kernel {
				return func(c *expr.Call) {
					for _, i := range c.Sel {
						best := 0
						for k := 1; k < len(c.Args); k++ {
							if batch.Compare(c.Args[k], int(i), c.Args[best], int(i)) == sign {
								best = k
							}
						}
						c.Copy(i, best)
					}
				}
			}}, nil
		})
	}
}
