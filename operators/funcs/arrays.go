package funcs

import (
	"bytes"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// arrayFn registers a function whose result is an ARRAY. Its kernel gets rows that
// have an array in operand 0, while the others may be NULL, and appends elements
// to out.
func arrayFn(m meta, bind func(args []expr.Expr) ([]expr.Expr, batch.Type, error), kernel func(c *expr.Call, i int, out *batch.Vec)) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, t, err := bind(slices.Clone(args))
		return &expr.Bound{Args: args, Type: t, Lax: true, New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					if c.Args[0].IsNull(int(i)) {
						c.Null(i)
						continue
					}
					at := c.Out.Child[0].Len()
					kernel(c, int(i), &c.Out.Child[0])
					c.List(i, at)
				}
			}
		}}, err
	})
}

// strict makes a kernel of arrayFn one that gives NULL where any operand is.
func strict(kernel func(c *expr.Call, i int, out *batch.Vec)) func(c *expr.Call, i int, out *batch.Vec) {
	return func(c *expr.Call, i int, out *batch.Vec) {
		for _, a := range c.Args {
			if a.IsNull(i) {
				c.Null(int32(i))
				return
			}
		}
		kernel(c, i, out)
	}
}

// anArray checks that operand i is an array and the number of operands.
func anArray(m meta, args []expr.Expr, least, most int) error {
	if len(args) < least || len(args) > most {
		return &expr.TypeError{Arg: -1, Msg: m.name + " does not take " + operands(len(args)), Hint: "write " + m.syntax}
	}
	if t := args[0].Type(); t.SQL != batch.Array {
		return bad(0, "%s does not apply to %s; write %s", m.name, t.With(false), m.syntax)
	}
	return nil
}

// withElement binds (array, x): x becomes an element; keep tells that the result
// has the array's type whatever x is.
func withElement(m meta, keep bool) func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
	return func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
		if err := anArray(m, args, 2, 2); err != nil {
			return nil, batch.Type{}, err
		}
		t, x := args[0].Type(), args[1].Type()
		if err := element(t, args); err != nil {
			return nil, t, err
		}
		if !keep {
			el := t.Fields[0].Type
			if c, err := expr.Common(el, x); err == nil && el.IsString() {
				el = c // an array of CHAR(1) takes longer strings
			}
			t = batch.ArrayOf(el.With(el.NotNull && x.NotNull)).With(t.NotNull)
		}
		return args, t, nil
	}
}

// commonArrays binds arrays that become arrays of one type.
func commonArrays(m meta, least, most int) func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
	return func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
		if len(args) < least || len(args) > most {
			return nil, batch.Type{}, &expr.TypeError{Arg: -1, Msg: m.name + " does not take " + operands(len(args)), Hint: "write " + m.syntax}
		}
		return commonCollections(m, batch.Array, args)
	}
}

func commonCollections(m meta, kind batch.SQLType, args []expr.Expr) ([]expr.Expr, batch.Type, error) {
	types := make([]batch.Type, len(args))
	some := false
	for i, a := range args {
		t := a.Type()
		if t.SQL != kind && t.SQL != batch.Null {
			return nil, t, bad(i, "%s does not apply to %s; write %s", m.name, t.With(false), m.syntax)
		}
		types[i], some = t, some || t.SQL == kind
	}
	if !some {
		return nil, types[0], bad(0, "%s does not apply to NULL; write %s", m.name, m.syntax)
	}
	t, err := expr.Common(types...)
	if err != nil {
		return nil, t, err
	}
	for i, a := range args {
		if args[i], err = expr.Implicit(a, t); err != nil {
			err.(*expr.TypeError).Arg = i
			return nil, t, err
		}
	}
	return args, t, nil
}

// each calls f for the elements of list i of a.
func each(a *batch.Vec, i int, f func(el *batch.Vec, j int)) {
	from, to := a.Span(i)
	for j := from; j < to; j++ {
		f(&a.Child[0], j)
	}
}

// valueSet is a set of values, found by their hash.
type valueSet struct{ m map[uint64][]member }

type member struct {
	v *batch.Vec
	i int
}

// add tells whether the value was not there.
func (s *valueSet) add(v *batch.Vec, i int) bool {
	h := v.HashAt(i)
	for _, x := range s.m[h] {
		if batch.EqualAt(v, i, x.v, x.i) {
			return false
		}
	}
	if s.m == nil {
		s.m = map[uint64][]member{}
	}
	s.m[h] = append(s.m[h], member{v, i})
	return true
}

func (s *valueSet) has(v *batch.Vec, i int) bool {
	for _, x := range s.m[v.HashAt(i)] {
		if batch.EqualAt(v, i, x.v, x.i) {
			return true
		}
	}
	return false
}

func init() {
	arrayEnds()
	arraySets()
	arrayOrder()
	arrayJoin()
}

func arrayEnds() {
	m := meta{name: "ARRAY_APPEND", cat: colls, syntax: "ARRAY_APPEND(array, x)", doc: "The array with x, which may be NULL, at its end.", example: "ARRAY_APPEND(ARRAY[1, 2], 3)", result: "[1, 2, 3]"}
	arrayFn(m, withElement(m, false), func(c *expr.Call, i int, out *batch.Vec) {
		each(c.Args[0], i, out.AppendFrom)
		out.AppendFrom(c.Args[1], i)
	})
	m = meta{name: "ARRAY_PREPEND", cat: colls, syntax: "ARRAY_PREPEND(array, x)", doc: "The array with x, which may be NULL, at its beginning.", example: "ARRAY_PREPEND(ARRAY[1, 2], 3)", result: "[3, 1, 2]"}
	arrayFn(m, withElement(m, false), func(c *expr.Call, i int, out *batch.Vec) {
		out.AppendFrom(c.Args[1], i)
		each(c.Args[0], i, out.AppendFrom)
	})
	m = meta{name: "ARRAY_REMOVE", cat: colls, syntax: "ARRAY_REMOVE(array, x)", doc: "The array without the elements that are x; x may be NULL.", example: "ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", result: "[2]"}
	arrayFn(m, withElement(m, true), func(c *expr.Call, i int, out *batch.Vec) {
		each(c.Args[0], i, func(el *batch.Vec, j int) {
			if !batch.EqualAt(el, j, c.Args[1], i) {
				out.AppendFrom(el, j)
			}
		})
	})
	m = meta{name: "ARRAY_CONCAT", cat: colls, syntax: "ARRAY_CONCAT(array, …)", doc: "The elements of all arrays, one after the other; NULL when one is NULL.", example: "ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2, 3])", result: "[1, 2, 2, 3]"}
	arrayFn(m, commonArrays(m, 1, 1<<30), strict(func(c *expr.Call, i int, out *batch.Vec) {
		for _, a := range c.Args {
			each(a, i, out.AppendFrom)
		}
	}))
	s := meta{name: "ARRAY_SLICE", cat: colls, syntax: "ARRAY_SLICE(array, from[, to])", doc: "The elements from one position to another, both counted from 1, or from the end when negative.", example: "ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3)", result: "[2, 3]"}
	arrayFn(s, func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
		if err := anArray(s, args, 2, 3); err != nil {
			return nil, batch.Type{}, err
		}
		rest, nn, err := take(s, "xi?i", args)
		t := args[0].Type()
		return rest, t.With(nn), err
	}, strict(func(c *expr.Call, i int, out *batch.Vec) {
		begin, end := c.Args[0].Span(i)
		n := int64(end - begin)
		place := func(x int64) int64 {
			if x < 0 {
				x += n + 1
			}
			return x
		}
		from, to := place(num(c, 1, i)), n
		if len(c.Args) > 2 {
			if to = place(num(c, 2, i)); to == 0 {
				to = 1 // as Flink has it: a slice that ends at 0 ends at 1
			}
		}
		for k := max(from, 1); k <= min(to, n); k++ {
			out.AppendFrom(&c.Args[0].Child[0], begin+int(k)-1)
		}
	}))
}

func arraySets() {
	set := func(name, doc, example, result string, kernel func(c *expr.Call, i int, out *batch.Vec)) {
		m := meta{name: name, cat: colls, syntax: name + "(array, array)", doc: doc + " NULL when one of them is NULL.", example: example, result: result}
		arrayFn(m, commonArrays(m, 2, 2), strict(kernel))
	}
	set("ARRAY_UNION", "The elements of both arrays, each once.", "ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]", func(c *expr.Call, i int, out *batch.Vec) {
		var seen valueSet
		for _, a := range c.Args {
			each(a, i, func(el *batch.Vec, j int) {
				if seen.add(el, j) {
					out.AppendFrom(el, j)
				}
			})
		}
	})
	set("ARRAY_EXCEPT", "The elements of the first array that the second does not have, each once.", "ARRAY_EXCEPT(ARRAY[1, 2, 1, 3], ARRAY[3])", "[1, 2]", func(c *expr.Call, i int, out *batch.Vec) {
		var seen valueSet
		each(c.Args[1], i, func(el *batch.Vec, j int) { seen.add(el, j) })
		each(c.Args[0], i, func(el *batch.Vec, j int) {
			if seen.add(el, j) {
				out.AppendFrom(el, j)
			}
		})
	})
	set("ARRAY_INTERSECT", "The elements of the first array that the second has too, each once.", "ARRAY_INTERSECT(ARRAY[1, 2, 2, 3], ARRAY[2, 3, 4])", "[2, 3]", func(c *expr.Call, i int, out *batch.Vec) {
		var other, seen valueSet
		each(c.Args[1], i, func(el *batch.Vec, j int) { other.add(el, j) })
		each(c.Args[0], i, func(el *batch.Vec, j int) {
			if other.has(el, j) && seen.add(el, j) {
				out.AppendFrom(el, j)
			}
		})
	})
}

// comparable tells the types of elements that have an order.
func comparable(t batch.Type) bool { return t.SQL < batch.RowType && t.SQL != batch.Null }

func arrayOrder() {
	for name, sign := range map[string]int{"ARRAY_MAX": 1, "ARRAY_MIN": -1} {
		m := meta{name: name, cat: colls, syntax: name + "(array)", doc: "The greatest element that is not NULL; NULL if there is none.", example: name + "(ARRAY[3, NULL, 7])", result: "7", nullable: true}
		if sign < 0 {
			m.doc, m.result = "The least element that is not NULL; NULL if there is none.", "3"
		}
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			if err := anArray(m, args, 1, 1); err != nil {
				return nil, err
			}
			el := args[0].Type().Fields[0].Type
			if !comparable(el) {
				return nil, bad(0, "%s: elements of type %s have no order", m.name, el.With(false))
			}
			return &expr.Bound{Args: args, Type: el.With(false), New: func() expr.Kernel {
				return func(c *expr.Call) {
					for _, i := range c.Sel {
						best := -1
						each(c.Args[0], int(i), func(v *batch.Vec, j int) {
							if !v.IsNull(j) && (best < 0 || batch.Compare(v, j, v, best) == sign) {
								best = j
							}
						})
						if best < 0 {
							c.Null(i)
							continue
						}
						c.CopyFrom(i, &c.Args[0].Child[0], best)
					}
				}
			}}, nil
		})
	}
	m := meta{name: "ARRAY_SORT", cat: colls, syntax: "ARRAY_SORT(array[, ascending[, nulls first]])", doc: "The elements in order, ascending unless FALSE is said; NULLs come first when ascending, else last, unless said otherwise.",
		example: "ARRAY_SORT(ARRAY[3, NULL, 1], FALSE)", result: "[3, 1, NULL]"}
	arrayFn(m, func(args []expr.Expr) ([]expr.Expr, batch.Type, error) {
		if err := anArray(m, args, 1, 3); err != nil {
			return nil, batch.Type{}, err
		}
		t := args[0].Type()
		if el := t.Fields[0].Type; !comparable(el) {
			return nil, t, bad(0, "%s: elements of type %s have no order", m.name, el.With(false))
		}
		args, nn, err := take(m, "x?bb", args)
		return args, t.With(nn), err
	}, strict(func(c *expr.Call, i int, out *batch.Vec) {
		up := len(c.Args) < 2 || c.Args[1].B[i]
		first := up
		if len(c.Args) > 2 {
			first = c.Args[2].B[i]
		}
		v := &c.Args[0].Child[0]
		var order []int
		each(c.Args[0], i, func(_ *batch.Vec, j int) { order = append(order, j) })
		slices.SortStableFunc(order, func(a, b int) int {
			switch r := batch.Compare(v, a, v, b); {
			case v.IsNull(a) != v.IsNull(b):
				if v.IsNull(a) == first {
					return -1
				}
				return 1
			case up:
				return r
			default:
				return -r
			}
		})
		for _, j := range order {
			out.AppendFrom(v, j)
		}
	}))
}

func arrayJoin() {
	m := meta{name: "ARRAY_JOIN", cat: colls, syntax: "ARRAY_JOIN(array, separator[, for null])", doc: "The strings of the array with the separator between them; NULLs are left out, or written as the last operand.",
		example: "ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-', '?')", result: "a-?-b", fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if err := anArray(m, args, 2, 3); err != nil {
			return nil, err
		}
		if el := args[0].Type().Fields[0].Type; !el.IsString() {
			return nil, bad(0, "%s needs an array of strings, not of %s", m.name, el.With(false))
		}
		args, nn, err := take(m, "xs?s", args)
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				first, at := true, len(dst)
				each(c.Args[0], i, func(v *batch.Vec, j int) {
					null := v.IsNull(j)
					if null && len(c.Args) < 3 || len(dst)-at > maxText { // too large: the row fails
						return
					}
					if !first {
						dst = append(dst, str(c, 1, i)...)
					}
					first = false
					if null {
						dst = append(dst, str(c, 2, i)...)
					} else {
						dst = append(dst, v.Bytes(j)...)
					}
				})
				return dst, true
			})
		}}, err
	})
	split := meta{name: "SPLIT", cat: strs, syntax: "SPLIT(s, delimiter)", doc: "An array of the parts of s between the delimiters; of its characters when the delimiter is empty.", example: "SPLIT('a,b,,c', ',')", result: "[a, b, , c]"}
	fn(split, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(split, "ss", args)
		return &expr.Bound{Args: args, Type: batch.ArrayOf(batch.TypeString).With(nn), New: func() expr.Kernel {
			return func(c *expr.Call) {
				out := &c.Out.Child[0]
				for _, i := range c.Sel {
					at := out.Len()
					if s := str(c, 0, int(i)); len(s) > 0 {
						for _, p := range bytes.Split(s, str(c, 1, int(i))) {
							out.AppendBytes(p)
						}
					}
					c.List(i, at)
				}
			}
		}}, err
	})
}
