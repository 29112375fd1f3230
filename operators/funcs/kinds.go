package funcs

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// init registers functions that tell what an operand is.
func init() {
	every := func(b []byte, f func(rune) bool) bool {
		return len(b) > 0 && strings.IndexFunc(string(b), func(r rune) bool { return !f(r) }) < 0
	}
	is("IS_ALPHA", "Whether the string has letters only, and at least one; FALSE for NULL.", "IS_ALPHA('abc')", "true", false, func(b []byte) bool { return every(b, unicode.IsLetter) })
	is("IS_DIGIT", "Whether the string has digits only, and at least one; TRUE for integers, FALSE for NULL.", "IS_DIGIT('12a')", "false", true, func(b []byte) bool { return every(b, unicode.IsDigit) })
	is("IS_DECIMAL", "Whether the string is a number; TRUE for numbers, FALSE for NULL.", "IS_DECIMAL('-1.5e3')", "true", true, isDecimal)
	m := meta{name: "TYPEOF", cat: conds, syntax: "TYPEOF(x)", doc: "The type of x as text.", example: "TYPEOF(CAST(1 AS BIGINT))", result: "BIGINT NOT NULL"}
	rewrite(m, 1, 2, func(a []expr.Expr) (expr.Expr, error) {
		if len(a) == 2 && a[1].Type().SQL != batch.Boolean {
			return nil, bad(1, "%s needs BOOLEAN, not %s", m.name, a[1].Type().With(false))
		}
		if _, sym := a[0].(*expr.Sym); sym {
			return nil, bad(0, "%s does not take the word %s there; write %s", m.name, a[0], m.syntax)
		}
		return expr.Text(a[0].Type().String()), nil
	})
	elt()
}

// is registers a condition on a string; a number is tested by its type, if at all.
func is(name, doc, example, result string, numbers bool, f func(b []byte) bool) {
	m := meta{name: name, cat: strs, syntax: name + "(s)", doc: doc, example: example, result: result}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, _, err := take(m, "x", args)
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		if t.SQL == batch.Null {
			args[0] = expr.NullOf(batch.TypeString)
		} else if !t.IsString() && !t.IsNumeric() {
			return nil, bad(0, "%s needs a string or a number, not %s", name, t.With(false))
		}
		number := numbers && t.IsNumeric() && (name != "IS_DIGIT" || t.IsInteger())
		return &expr.Bound{Args: args, Lax: true, Type: batch.TypeBool.With(true), New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					c.Out.B[i] = !c.Args[0].IsNull(int(i)) && (number || c.Args[0].Kind == batch.Str && f(str(c, 0, int(i))))
				}
			}
		}}, nil
	})
}

// isDecimal tells whether Java reads a double from the text: digits with a point
// and an exponent, blanks around them, NaN, Infinity, a final d or f.
func isDecimal(b []byte) bool {
	s := strings.TrimFunc(string(b), func(r rune) bool { return r <= ' ' })
	t := strings.TrimLeft(s, "+-")
	if len(s)-len(t) > 1 {
		return false
	}
	if t == "NaN" || t == "Infinity" {
		return true
	}
	if t != "" && strings.ContainsRune("dDfF", rune(t[len(t)-1])) {
		t = t[:len(t)-1]
	}
	if t == "" || strings.Trim(t, "0123456789.eE+-") != "" {
		return false
	}
	_, err := strconv.ParseFloat(t, 64)
	return err == nil || strings.Contains(err.Error(), strconv.ErrRange.Error())
}

func elt() {
	m := meta{name: "ELT", cat: strs, syntax: "ELT(n, s, …)", doc: "The n-th of the strings, counted from 1; NULL where there is none.", example: "ELT(2, 'a', 'b')", result: "b", nullable: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, _, err := take(m, "iz*", args)
		if err != nil {
			return nil, err
		}
		t, err := expr.Common(typesOf(args[1:])...)
		if err != nil {
			return nil, err
		}
		for i := range args[1:] {
			if args[i+1], err = expr.Implicit(args[i+1], t); err != nil {
				return nil, err
			}
		}
		return &expr.Bound{Args: args, Lax: true, Type: t.With(false), New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					n := int64(0)
					if !c.Args[0].IsNull(int(i)) {
						n = num(c, 0, int(i))
					}
					if n < 1 || n >= int64(len(c.Args)) {
						c.Null(i)
						continue
					}
					c.Copy(i, int(n))
				}
			}
		}}, nil
	})
}

func typesOf(args []expr.Expr) []batch.Type {
	t := make([]batch.Type, len(args))
	for i, a := range args {
		t[i] = a.Type()
	}
	return t
}
