package funcs

import (
	"regexp"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const colls = "collections"

// collect registers a function whose first operand is one of the collection
// types; the rest of the operands is converted by conv, which also gives the result's type.
func collect(m meta, n int, kinds []batch.SQLType, conv func(t batch.Type, args []expr.Expr) (batch.Type, error), lax bool, kernel func() expr.Kernel) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) != n {
			return nil, &expr.TypeError{Arg: -1, Msg: m.name + " does not take " + operands(len(args)), Hint: "write " + m.syntax}
		}
		t := args[0].Type()
		ok := false
		for _, k := range kinds {
			ok = ok || t.SQL == k
		}
		if !ok {
			return nil, bad(0, "%s does not apply to %s; write %s", m.name, t.With(false), m.syntax)
		}
		args = append([]expr.Expr(nil), args...)
		out, err := conv(t, args)
		if err != nil {
			return nil, err
		}
		nn := !m.nullable && !lax
		for _, a := range args {
			nn = nn && a.Type().NotNull
		}
		return &expr.Bound{Args: args, Type: out.With(nn), Lax: lax, New: kernel}, nil
	})
}

// element converts operand 1 to the array's element type; a string keeps its
// length, since cut it might be another.
func element(t batch.Type, args []expr.Expr) error {
	el := t.Fields[0].Type.With(false)
	if el.IsString() {
		el = batch.TypeString
	}
	e, err := expr.Implicit(args[1], el)
	if err != nil {
		err.(*expr.TypeError).Arg = 1
		return err
	}
	args[1] = e
	return nil
}

func init() {
	all := []batch.SQLType{batch.Array, batch.Map, batch.Multiset}
	array, mapT := all[:1], all[1:2]
	collect(meta{name: "CARDINALITY", cat: colls, syntax: "CARDINALITY(collection)", doc: "The number of elements or entries.", example: "CARDINALITY(ARRAY[1, 2])", result: "2"}, 1, all,
		func(batch.Type, []expr.Expr) (batch.Type, error) { return batch.TypeInt, nil }, false, func() expr.Kernel {
			return intKernel(func(c *expr.Call, i int) (int64, bool) {
				from, to := c.Args[0].Span(i)
				return int64(to - from), true
			})
		})
	collect(meta{name: "ELEMENT", cat: colls, syntax: "ELEMENT(array)", doc: "The only element of an array, NULL of an empty one; more elements are an error.", example: "ELEMENT(ARRAY['a'])", result: "a", nullable: true, fails: true}, 1, array,
		func(t batch.Type, _ []expr.Expr) (batch.Type, error) { return t.Fields[0].Type, nil }, false, func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					from, to := c.Args[0].Span(int(i))
					switch {
					case to-from > 1:
						c.Fail(i, expr.ErrArgument, "ELEMENT of an array with more than one element")
					case to == from:
						c.Null(i)
					default:
						c.CopyFrom(i, &c.Args[0].Child[0], from)
					}
				}
			}
		})
	collect(meta{name: "ARRAY_CONTAINS", cat: colls, syntax: "ARRAY_CONTAINS(array, x)", doc: "Whether x is an element; NULL is found too.", example: "ARRAY_CONTAINS(ARRAY[1, 2], 2)", result: "true"}, 2, array,
		func(t batch.Type, a []expr.Expr) (batch.Type, error) { return batch.TypeBool, element(t, a) }, true, func() expr.Kernel {
			return func(c *expr.Call) {
				a := c.Args[0]
				for _, i := range c.Sel {
					if a.IsNull(int(i)) {
						c.Null(i)
						continue
					}
					c.Out.B[i] = find(a, int(i), c.Args[1], int(i)) > 0
				}
			}
		})
	collect(meta{name: "ARRAY_POSITION", cat: colls, syntax: "ARRAY_POSITION(array, x)", doc: "Where x first stands, counted from 1; 0 where it does not.", example: "ARRAY_POSITION(ARRAY[3, 2], 2)", result: "2"}, 2, array,
		func(t batch.Type, a []expr.Expr) (batch.Type, error) { return batch.TypeInt, element(t, a) }, false, func() expr.Kernel {
			return intKernel(func(c *expr.Call, i int) (int64, bool) { return find(c.Args[0], i, c.Args[1], i), true })
		})
	side := func(name, doc, result string, child int) {
		collect(meta{name: name, cat: colls, syntax: name + "(map)", doc: doc, example: name + "(MAP['a', 1, 'b', 2])", result: result}, 1, mapT,
			func(t batch.Type, _ []expr.Expr) (batch.Type, error) { return batch.ArrayOf(t.Fields[child].Type), nil }, false, func() expr.Kernel {
				return func(c *expr.Call) {
					for _, i := range c.Sel {
						at := c.Out.Child[0].Len()
						from, to := c.Args[0].Span(int(i))
						for ; from < to; from++ {
							c.Out.Child[0].AppendFrom(&c.Args[0].Child[child], from)
						}
						c.List(i, at)
					}
				}
			})
	}
	side("MAP_KEYS", "The keys of a map.", "[a, b]", 0)
	side("MAP_VALUES", "The values of a map.", "[1, 2]", 1)
}

func init() {
	array := []batch.SQLType{batch.Array}
	keep := func(t batch.Type, _ []expr.Expr) (batch.Type, error) { return t, nil }
	collect(meta{name: "ARRAY_DISTINCT", cat: colls, syntax: "ARRAY_DISTINCT(array)", doc: "The array without the repeated elements.", example: "ARRAY_DISTINCT(ARRAY[1, 2, 1])", result: "[1, 2]"}, 1, array, keep, false, func() expr.Kernel {
		return func(c *expr.Call) {
			out := &c.Out.Child[0]
			for _, i := range c.Sel {
				var seen valueSet
				at := out.Len()
				each(c.Args[0], int(i), func(el *batch.Vec, j int) {
					if seen.add(el, j) {
						out.AppendFrom(el, j)
					}
				})
				c.List(i, at)
			}
		}
	})
	collect(meta{name: "ARRAY_REVERSE", cat: colls, syntax: "ARRAY_REVERSE(array)", doc: "The elements in reverse order.", example: "ARRAY_REVERSE(ARRAY[1, 2])", result: "[2, 1]"}, 1, array, keep, false, func() expr.Kernel {
		return func(c *expr.Call) {
			for _, i := range c.Sel {
				at := c.Out.Child[0].Len()
				from, to := c.Args[0].Span(int(i))
				for to--; to >= from; to-- {
					c.Out.Child[0].AppendFrom(&c.Args[0].Child[0], to)
				}
				c.List(i, at)
			}
		}
	})
	strToMap()
}

// find is the 1-based position of value j of x among the elements of list i of a, or 0.
func find(a *batch.Vec, i int, x *batch.Vec, j int) int64 {
	from, to := a.Span(i)
	for k := from; k < to; k++ {
		if batch.EqualAt(&a.Child[0], k, x, j) {
			return int64(k-from) + 1
		}
	}
	return 0
}

func strToMap() {
	m := meta{name: "STR_TO_MAP", cat: colls, syntax: "STR_TO_MAP(s[, between entries, between key and value])", doc: "A map of strings from text; the separators (',' and '=') are regular expressions. An entry without a value has NULL.",
		example: "STR_TO_MAP('k1=v1,k2=v2')", result: "{k1=v1, k2=v2}", fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, "s?ss", args)
		if err == nil && len(args) == 2 {
			err = &expr.TypeError{Arg: -1, Msg: "STR_TO_MAP takes one or three operands", Hint: "write " + m.syntax}
		}
		return &expr.Bound{Args: args, Type: batch.MapOf(batch.TypeString, batch.TypeString).With(nn), New: func() expr.Kernel {
			var entries, pair pattern
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					sep, eq := []byte(","), []byte("=")
					if len(c.Args) == 3 {
						sep, eq = str(c, 1, int(i)), str(c, 2, int(i))
					}
					a, err := entries.of(sep)
					b, err2 := pair.of(eq)
					if err != nil || err2 != nil {
						c.Fail(i, expr.ErrPattern, "STR_TO_MAP: a separator is no regular expression")
						continue
					}
					appendMap(c, i, string(str(c, 0, int(i))), a, b)
				}
			}
		}}, err
	})
}

// appendMap writes the entries of s in order; of equal keys the last one counts.
func appendMap(c *expr.Call, i int32, s string, sep, eq *regexp.Regexp) {
	at := c.Out.Child[0].Len()
	parts := sep.Split(s, -1)
	for len(parts) > 0 && parts[len(parts)-1] == "" { // as Java's split does
		parts = parts[:len(parts)-1]
	}
	seen := map[string]int{}
	kv := make([][]string, len(parts))
	for k, p := range parts {
		kv[k] = eq.Split(p, 2)
		seen[kv[k][0]] = k
	}
	for k, x := range kv {
		if seen[x[0]] != k {
			continue
		}
		c.Out.Child[0].AppendString(x[0])
		if len(x) > 1 {
			c.Out.Child[1].AppendString(x[1])
		} else {
			c.Out.Child[1].AppendNull()
		}
	}
	c.List(i, at)
}
