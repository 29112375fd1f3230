package funcs

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// meta is what a reader learns of a function.
type meta struct {
	name, cat, syntax, doc, example, result string
	alias                                   string // more names, with blanks between
	nullable                                bool   // NULL even when no operand is
	fails                                   bool
	zoned                                   bool
	volatile                                bool
}

// fn registers a function with its own binder.
func fn(m meta, bind func(args []expr.Expr) (*expr.Bound, error)) {
	reg(&expr.Func{Name: m.name, Aliases: strings.Fields(m.alias), Category: m.cat, Syntax: m.syntax, Doc: m.doc,
		Example: m.example, Result: m.result, Volatile: m.volatile,
		Bind: func(args []expr.Expr) (*expr.Bound, error) {
			b, err := bind(args)
			if err != nil {
				return nil, err
			}
			b.Fails, b.Zoned = b.Fails || m.fails, b.Zoned || m.zoned
			return b, nil
		}})
}

func bad(arg int, format string, a ...any) error {
	return &expr.TypeError{Arg: arg, Msg: fmt.Sprintf(format, a...)}
}

// word returns the symbol at operand i.
func word(args []expr.Expr, i int) (string, bool) {
	if i >= 0 && i < len(args) {
		if s, ok := args[i].(*expr.Sym); ok {
			return s.Word, true
		}
	}
	return "", false
}

var specNames = map[byte]string{'s': "a string", 'i': "an integer", 'd': "a number", 'b': "BOOLEAN", 'y': "BYTES",
	'z': "a string or BYTES", 'n': "a number", 't': "a date or timestamp", 'x': "a value"}

// take checks operands against a spec: a letter each (see specNames), those
// after ? may be absent, a final * repeats the letter before it. Numbers of 'd'
// become DOUBLE, a bare NULL the operand's type.
func take(m meta, spec string, args []expr.Expr) ([]expr.Expr, bool, error) {
	required, rest, _ := strings.Cut(spec, "?")
	letters := required + rest
	repeat := strings.HasSuffix(letters, "*")
	letters = strings.TrimSuffix(letters, "*")
	least := len(strings.TrimSuffix(required, "*"))
	if len(args) < least || len(args) > len(letters) && !repeat {
		return nil, false, &expr.TypeError{Arg: -1, Msg: fmt.Sprintf("%s does not take %s", m.name, operands(len(args))), Hint: "write " + m.syntax}
	}
	notNull := true
	out := make([]expr.Expr, len(args))
	for i, a := range args {
		l := letters[min(i, len(letters)-1)]
		t := a.Type()
		if _, sym := a.(*expr.Sym); sym {
			return nil, false, bad(i, "%s does not take the word %s there; write %s", m.name, a, m.syntax)
		}
		null := t.SQL == batch.Null
		ok := null
		to := t
		switch l {
		case 's':
			ok = ok || t.IsString()
			to = batch.TypeString
		case 'i':
			ok = ok || t.IsInteger()
			to = batch.TypeBigInt
		case 'd':
			ok = ok || t.IsNumeric()
			to = batch.TypeDouble
			if ok && !null {
				c, err := expr.Cast(a, batch.TypeDouble, false)
				if err != nil {
					return nil, false, err
				}
				a = c
			}
		case 'n':
			ok = ok || t.IsNumeric()
			to = batch.TypeInt
		case 'b':
			ok = ok || t.SQL == batch.Boolean
			to = batch.TypeBool
		case 'y':
			ok = ok || t.IsBytes()
			to = batch.TypeBytes
		case 'z':
			ok = ok || t.IsBytes() || t.IsString()
			to = batch.TypeString
		case 't':
			ok = ok || t.IsTimestamp() || t.SQL == batch.Date
			to = batch.TypeTS3
		default:
			ok = true
		}
		if !ok {
			return nil, false, bad(i, "%s needs %s, not %s", m.name, specNames[l], t.With(false))
		}
		if null && l != 'x' {
			a = expr.NullOf(to)
		}
		out[i] = a
		notNull = notNull && t.NotNull
	}
	return out, notNull && !m.nullable, nil
}

func operands(n int) string {
	if n == 1 {
		return "one operand"
	}
	return fmt.Sprintf("%d operands", n)
}

// maxText bounds one made text.
const maxText = 16 << 20

// text registers a function that appends a row's result to dst; false is NULL.
func text(m meta, spec string, out batch.Type, mk func() func(c *expr.Call, dst []byte, i int) ([]byte, bool)) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, spec, args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Type: out.With(nn), New: func() expr.Kernel { return textKernel(mk()) }}, nil
	})
}

func textKernel(f func(c *expr.Call, dst []byte, i int) ([]byte, bool)) expr.Kernel {
	return func(c *expr.Call) {
		v := c.Out
		for _, i := range c.Sel {
			at := len(v.Data)
			if c.Full() {
				return
			}
			dst, ok := f(c, v.Data, int(i))
			switch {
			case !ok:
				c.Null(i)
			case len(dst)-at > maxText:
				c.Fail(i, expr.ErrOutOfScope, "the text is larger than 16 MiB")
			default:
				v.Data = dst
				v.View[i] = batch.View(at, len(dst)-at)
			}
		}
	}
}

// plain makes a kernel maker of a function without state.
func plain[F any](f F) func() F { return func() F { return f } }

// ints registers a function whose results are stored as integers; false is NULL.
func ints(m meta, spec string, out batch.Type, mk func() func(c *expr.Call, i int) (int64, bool)) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, spec, args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Type: out.With(nn), New: func() expr.Kernel { return intKernel(mk()) }}, nil
	})
}

func intKernel(f func(c *expr.Call, i int) (int64, bool)) expr.Kernel {
	return func(c *expr.Call) {
		for _, i := range c.Sel {
			x, ok := f(c, int(i))
			if !ok {
				c.Null(i)
			}
			c.Out.I[i] = x
		}
	}
}

// bools registers a condition; the second result false is NULL.
func bools(m meta, spec string, mk func() func(c *expr.Call, i int) (bool, bool)) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, spec, args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Type: batch.TypeBool.With(nn), New: func() expr.Kernel {
			f := mk()
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					x, ok := f(c, int(i))
					if !ok {
						c.Null(i)
					}
					c.Out.B[i] = x
				}
			}
		}}, nil
	})
}

// doubles registers a function of DOUBLEs.
func doubles(m meta, spec string, f func(x, y float64) float64) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, spec, args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Type: batch.TypeDouble.With(nn), New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					var x, y float64
					if len(c.Args) > 0 {
						x = c.Args[0].F[i]
					}
					if len(c.Args) > 1 {
						y = c.Args[1].F[i]
					}
					c.Out.F[i] = f(x, y)
				}
			}
		}}, nil
	})
}
