package funcs

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const nums = "numbers"

func init() {
	for _, x := range []struct {
		name, doc, example, result string
		f                          func(float64) float64
	}{
		{"SQRT", "The square root; NaN for a negative number.", "SQRT(16)", "4.0", math.Sqrt},
		{"EXP", "e to the power x.", "EXP(0)", "1.0", math.Exp},
		{"LN", "The natural logarithm.", "LN(1)", "0.0", math.Log},
		{"LOG10", "The logarithm to base 10.", "LOG10(1000)", "3.0", math.Log10},
		{"LOG2", "The logarithm to base 2.", "LOG2(8)", "3.0", math.Log2},
		{"SIN", "The sine of x radians.", "SIN(0)", "0.0", math.Sin},
		{"COS", "The cosine of x radians.", "COS(0)", "1.0", math.Cos},
		{"TAN", "The tangent of x radians.", "TAN(0)", "0.0", math.Tan},
		{"COT", "The cotangent of x radians.", "ROUND(COT(1), 3)", "0.642", func(x float64) float64 { return 1 / math.Tan(x) }},
		{"ASIN", "The arc sine, in radians.", "ASIN(0)", "0.0", math.Asin},
		{"ACOS", "The arc cosine, in radians.", "ACOS(1)", "0.0", math.Acos},
		{"ATAN", "The arc tangent, in radians.", "ATAN(0)", "0.0", math.Atan},
		{"SINH", "The hyperbolic sine.", "SINH(0)", "0.0", math.Sinh},
		{"COSH", "The hyperbolic cosine.", "COSH(0)", "1.0", math.Cosh},
		{"TANH", "The hyperbolic tangent.", "TANH(0)", "0.0", math.Tanh},
		{"DEGREES", "Radians as degrees.", "DEGREES(PI())", "180.0", func(x float64) float64 { return x * 180 / math.Pi }},
		{"RADIANS", "Degrees as radians.", "RADIANS(0)", "0.0", func(x float64) float64 { return x / 180 * math.Pi }},
	} {
		doubles(meta{name: x.name, cat: nums, syntax: x.name + "(x)", doc: x.doc, example: x.example, result: x.result}, "d", func(a, _ float64) float64 { return x.f(a) })
	}
	doubles(meta{name: "POWER", cat: nums, syntax: "POWER(x, y)", doc: "x to the power y.", example: "POWER(2, 10)", result: "1024.0"}, "dd", math.Pow)
	doubles(meta{name: "ATAN2", cat: nums, syntax: "ATAN2(y, x)", doc: "The angle of the point (x, y), in radians.", example: "ATAN2(0, 1)", result: "0.0"}, "dd", math.Atan2)
	doubles(meta{name: "PI", cat: nums, syntax: "PI()", doc: "The circle's number.", example: "PI()", result: "3.141592653589793"}, "", func(_, _ float64) float64 { return math.Pi })
	doubles(meta{name: "E", cat: nums, syntax: "E()", doc: "The base of natural logarithms.", example: "E()", result: "2.718281828459045"}, "", func(_, _ float64) float64 { return math.E })
	logM := meta{name: "LOG", cat: nums, syntax: "LOG([base, ]x)", doc: "The logarithm of x to the base, or the natural one.", example: "LOG(2, 8)", result: "3.0"}
	fn(logM, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(logM, "d?d", args)
		return &expr.Bound{Args: args, Type: batch.TypeDouble.With(nn), New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					x := math.Log(c.Args[0].F[i])
					if len(c.Args) > 1 {
						x = math.Log(c.Args[1].F[i]) / x
					}
					c.Out.F[i] = x
				}
			}
		}}, err
	})
	modM := meta{name: "MOD", cat: nums, syntax: "MOD(a, b)", doc: "The remainder of a / b, with the sign of a.", example: "MOD(-7, 3)", result: "-1"}
	fn(modM, func(args []expr.Expr) (*expr.Bound, error) {
		args, _, err := take(modM, "nn", args)
		if err != nil {
			return nil, err
		}
		e, err := expr.Arith("%", args[0], args[1])
		return &expr.Bound{Expr: e}, err
	})
	signs()
	rounding()
	random()
	text(meta{name: "BIN", cat: nums, syntax: "BIN(n)", doc: "The integer in binary.", example: "BIN(4)", result: "100"},
		"i", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			return strconv.AppendUint(dst, uint64(num(c, 0, i)), 2), true
		}))
	hexText()
}

func hexText() {
	m := meta{name: "HEX", cat: nums, syntax: "HEX(x)", doc: "An integer, or the bytes of a string, in upper-case hexadecimal.", example: "HEX('hello')", result: "68656C6C6F"}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, "x", args)
		if err != nil {
			return nil, err
		}
		if t := args[0].Type(); !t.IsInteger() && !t.IsString() && !t.IsBytes() && t.SQL != batch.Null {
			return nil, bad(0, "HEX needs an integer or a string, not %s", t.With(false))
		}
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				if c.Args[0].Kind == batch.Int {
					return fmt.Appendf(dst, "%X", uint64(num(c, 0, i))), true
				}
				return append(dst, bytes.ToUpper(hex.AppendEncode(nil, str(c, 0, i)))...), true
			})
		}}, nil
	})
}

// sameType registers a function of one number whose result has the operand's type;
// fix may change the type.
func sameType(m meta, fix func(t batch.Type) batch.Type, kernel func(t batch.Type) expr.Kernel) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) == 2 && (m.name == "FLOOR" || m.name == "CEIL") {
			return timeFloor(m, args)
		}
		args, nn, err := take(m, "n", args)
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		return &expr.Bound{Args: args, Type: fix(t).With(nn), New: func() expr.Kernel { return kernel(t) }}, nil
	})
}

func setDec(v *batch.Vec, i int32, x batch.Int128) {
	if v.Kind == batch.Wide {
		v.Hi[i], v.Lo[i] = x.Hi, x.Lo
	} else {
		v.I[i] = int64(x.Lo)
	}
}

func signs() {
	keep := func(t batch.Type) batch.Type { return t }
	sameType(meta{name: "ABS", cat: nums, syntax: "ABS(x)", doc: "The absolute value.", example: "ABS(-1.5)", result: "1.5", fails: true}, keep, func(t batch.Type) expr.Kernel {
		return func(c *expr.Call) {
			a, out := c.Args[0], c.Out
			lo, _ := batch.IntRange(t.SQL)
			for _, i := range c.Sel {
				switch a.Kind {
				case batch.Float:
					out.F[i] = math.Abs(a.F[i])
				case batch.Wide:
					h, l := a.Wide128(int(i)).Abs()
					out.Hi[i], out.Lo[i] = int64(h), l
				default:
					if t.IsInteger() && a.I[i] == lo {
						c.Fail(i, expr.ErrOverflow, fmt.Sprintf("ABS(%d) is out of range of %s", a.I[i], t.With(false)))
					}
					out.I[i] = max(a.I[i], -a.I[i])
				}
			}
		}
	})
	sameType(meta{name: "SIGN", cat: nums, syntax: "SIGN(x)", doc: "-1, 0 or 1.", example: "SIGN(-7)", result: "-1"}, keep, func(t batch.Type) expr.Kernel {
		return func(c *expr.Call) {
			a, out := c.Args[0], c.Out
			for _, i := range c.Sel {
				switch {
				case a.Kind == batch.Float:
					switch x := a.F[i]; {
					case x > 0:
						out.F[i] = 1
					case x < 0:
						out.F[i] = -1
					default:
						out.F[i] = x
					}
				case t.SQL == batch.Decimal:
					s := a.Dec(int(i)).Sign()
					x, _ := batch.Pow10[t.S].Mul(batch.Int128From(int64(s)))
					setDec(out, i, x)
				default:
					out.I[i] = int64(batch.Int128From(a.I[i]).Sign())
				}
			}
		}
	})
}

func rounding() {
	whole := func(t batch.Type) batch.Type {
		if t.SQL == batch.Decimal {
			t.S = 0
		}
		return t
	}
	floor := func(up int, f func(float64) float64) func(t batch.Type) expr.Kernel {
		return func(t batch.Type) expr.Kernel {
			return func(c *expr.Call) {
				a, out := c.Args[0], c.Out
				for _, i := range c.Sel {
					switch {
					case a.Kind == batch.Float:
						out.F[i] = f(a.F[i])
					case t.SQL == batch.Decimal:
						q, r := a.Dec(int(i)).QuoRem(batch.Pow10[t.S])
						if r.Sign() == up {
							q = q.Add(batch.Int128From(int64(up)))
						}
						setDec(out, i, q)
					default:
						out.I[i] = a.I[i]
					}
				}
			}
		}
	}
	sameType(meta{name: "FLOOR", cat: nums, syntax: "FLOOR(x) or FLOOR(time TO unit)", doc: "The largest whole number not above x; a time cut to its unit.", example: "FLOOR(-1.5)", result: "-2"}, whole, floor(-1, math.Floor))
	sameType(meta{name: "CEIL", alias: "CEILING", cat: nums, syntax: "CEIL(x) or CEIL(time TO unit)", doc: "The least whole number not below x; a time brought up to its unit.", example: "CEIL(1.2)", result: "2"}, whole, floor(1, math.Ceil))
	for _, half := range []bool{true, false} {
		m := meta{name: "TRUNCATE", cat: nums, syntax: "TRUNCATE(x[, digits])", doc: "x cut after the given number of digits (0); negative ones stand before the point.", example: "TRUNCATE(42.345, 2)", result: "42.34"}
		if half {
			m = meta{name: "ROUND", cat: nums, syntax: "ROUND(x[, digits])", doc: "x rounded to the given number of digits (0), halves away from zero; negative ones stand before the point.", example: "ROUND(-2.5)", result: "-3"}
		}
		m.fails = true
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			args, nn, err := take(m, "n?i", args)
			if err != nil {
				return nil, err
			}
			t, digits := args[0].Type(), int64(0)
			if len(args) > 1 {
				k, ok := args[1].(*expr.Const)
				if v, err := expr.EvalConst(expr.Fold(args[1]), nil); expr.IsConst(args[1]) && err == nil && !v.IsNull(0) {
					digits = v.I[0]
				} else if t.SQL == batch.Decimal && (!ok || !k.IsNull()) {
					return nil, bad(1, "%s of a DECIMAL needs a constant number of digits", m.name)
				}
			}
			out := t
			if t.SQL == batch.Decimal {
				s := int32(min(max(digits, 0), int64(t.S)))
				out = batch.DecimalOf(min(38, t.P-t.S+s+1), s)
				if s == t.S {
					out = batch.DecimalOf(t.P, t.S)
				}
			}
			return &expr.Bound{Args: args, Type: out.With(nn), New: func() expr.Kernel { return roundKernel(m.name, t, out, half) }}, nil
		})
	}
}

func roundKernel(name string, t, to batch.Type, half bool) expr.Kernel {
	lo, hi := batch.IntRange(t.SQL)
	return func(c *expr.Call) {
		a, out := c.Args[0], c.Out
		for _, i := range c.Sel {
			d := int64(0)
			if len(c.Args) > 1 {
				d = min(max(c.Args[1].I[i], -40), 400)
			}
			if a.Kind == batch.Float {
				out.F[i] = roundFloat(a.F[i], int(d), half)
				if t.SQL == batch.Float32 {
					out.F[i] = float64(float32(out.F[i]))
				}
				continue
			}
			s := int64(0)
			if t.SQL == batch.Decimal {
				s = int64(t.S)
			}
			x := a.Dec(int(i))
			if cut := s - d; cut > 0 {
				x = cutDigits(x, int(min(cut, 40)), half)
			}
			if t.SQL == batch.Decimal {
				x, _ = x.QuoRem(batch.Pow10[t.S-to.S])
				if x.Cmp(batch.Pow10[to.P]) >= 0 || x.Cmp(batch.Pow10[to.P].Neg()) <= 0 {
					c.Null(i)
				}
			} else if v, ok := x.Int64(); !ok || v < lo || v > hi {
				c.Fail(i, expr.ErrOverflow, fmt.Sprintf("%s(%d, %d) is out of range of %s", name, a.I[i], d, t.With(false)))
			}
			setDec(out, i, x)
		}
	}
}

// cutDigits makes the last n digits of x zero.
func cutDigits(x batch.Int128, n int, half bool) batch.Int128 {
	if n > 38 {
		return batch.Int128{}
	}
	q, r := x.QuoRem(batch.Pow10[n])
	if h, l := r.Abs(); half {
		a := batch.Int128{Hi: int64(h), Lo: l}
		if a.Cmp(batch.Pow10[n].Sub(a)) >= 0 {
			q = q.Add(batch.Int128From(int64(x.Sign())))
		}
	}
	x, _ = q.Mul(batch.Pow10[n])
	return x
}

// roundFloat rounds by the decimal digits a user sees: 2.675 to 2 digits is 2.68.
func roundFloat(f float64, d int, half bool) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) || d > 20 || math.Abs(f) > 1e15 && d >= 0 {
		return f
	}
	text := strconv.AppendFloat(nil, f, 'f', -1, 64)
	x, ok := batch.ParseDecimal(text, 38, 20)
	if !ok {
		return f
	}
	if d < 20 {
		x = cutDigits(x, 20-d, half)
	}
	r, _ := strconv.ParseFloat(string(batch.AppendDecimal(nil, x, 20)), 64)
	return r
}

// random numbers come from a generator of each worker's own kernel; with a seed
// every kernel gives the same sequence.
func random() {
	seeded := func(c *expr.Call, arg int, i int32) *rand.Rand {
		s := uint64(num(c, arg, int(i)))
		return rand.New(rand.NewPCG(s, s))
	}
	m := meta{name: "RAND", cat: nums, syntax: "RAND([seed])", doc: "A DOUBLE from 0 to below 1.", example: "RAND() < 1", result: "true", volatile: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, "?i", args)
		return &expr.Bound{Args: args, Type: batch.TypeDouble.With(nn), New: func() expr.Kernel {
			var r *rand.Rand
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					if r == nil && len(c.Args) > 0 {
						r = seeded(c, 0, i)
					}
					if r == nil {
						c.Out.F[i] = rand.Float64()
					} else {
						c.Out.F[i] = r.Float64()
					}
				}
			}
		}}, err
	})
	mi := meta{name: "RAND_INTEGER", cat: nums, syntax: "RAND_INTEGER([seed, ]bound)", doc: "An INT from 0 to below the bound.", example: "RAND_INTEGER(1)", result: "0", volatile: true, fails: true}
	fn(mi, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(mi, "i?i", args)
		return &expr.Bound{Args: args, Type: batch.TypeInt.With(nn), New: func() expr.Kernel {
			var r *rand.Rand
			return func(c *expr.Call) {
				last := len(c.Args) - 1
				for _, i := range c.Sel {
					bound := num(c, last, int(i))
					if bound <= 0 {
						c.Fail(i, expr.ErrArgument, fmt.Sprintf("RAND_INTEGER needs a bound above 0, not %d", bound))
						continue
					}
					if r == nil && last > 0 {
						r = seeded(c, 0, i)
					}
					if r == nil {
						c.Out.I[i] = rand.Int64N(bound)
					} else {
						c.Out.I[i] = r.Int64N(bound)
					}
				}
			}
		}}, err
	})
}
