package funcs

import (
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	for _, x := range []struct {
		name, doc, example, result string
		f                          func(a, b int64) int64
	}{
		{"BITAND", "The bits that both integers have. Flink has no such function.", "BITAND(12, 10)", "8", func(a, b int64) int64 { return a & b }},
		{"BITOR", "The bits that one of the integers has. Flink has no such function.", "BITOR(12, 10)", "14", func(a, b int64) int64 { return a | b }},
		{"BITXOR", "The bits that exactly one of the integers has. Flink has no such function.", "BITXOR(12, 10)", "6", func(a, b int64) int64 { return a ^ b }},
	} {
		bitwise(meta{name: x.name, cat: nums, syntax: x.name + "(a, b)", doc: x.doc, example: x.example, result: x.result}, "ii", x.f)
	}
	bitwise(meta{name: "BITNOT", cat: nums, syntax: "BITNOT(n)", doc: "The integer with all bits turned. Flink has no such function.", example: "BITNOT(5)", result: "-6"}, "i", func(a, _ int64) int64 { return ^a })
}

// bitwise registers a function of integers whose result has the widest operand's type.
func bitwise(m meta, takes string, f func(a, b int64) int64) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, takes, args)
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		if len(args) > 1 && args[1].Type().SQL > t.SQL {
			t = args[1].Type()
		}
		return &expr.Bound{Args: args, Type: t.With(nn), New: func() expr.Kernel {
			return func(c *expr.Call) {
				a, b := c.Args[0], c.Args[len(c.Args)-1]
				for _, i := range c.Sel {
					c.Out.I[i] = f(a.I[i], b.I[i])
				}
			}
		}}, nil
	})
}
