package funcs

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	entries := meta{name: "MAP_ENTRIES", cat: colls, syntax: "MAP_ENTRIES(map)", doc: "The entries of a map as rows of a key and a value.", example: "MAP_ENTRIES(MAP['a', 1, 'b', 2])", result: "[(a, 1), (b, 2)]"}
	collect(entries, 1, []batch.SQLType{batch.Map}, func(t batch.Type, _ []expr.Expr) (batch.Type, error) {
		row := batch.Type{SQL: batch.RowType, NotNull: true, Fields: []batch.Field{{Name: "key", Type: t.Fields[0].Type}, {Name: "value", Type: t.Fields[1].Type}}}
		return batch.ArrayOf(row), nil
	}, false, func() expr.Kernel {
		return func(c *expr.Call) {
			row := &c.Out.Child[0]
			for _, i := range c.Sel {
				at := row.Len()
				from, to := c.Args[0].Span(int(i))
				for ; from < to; from++ {
					row.Child[0].AppendFrom(&c.Args[0].Child[0], from)
					row.Child[1].AppendFrom(&c.Args[0].Child[1], from)
				}
				c.List(i, at)
			}
		}
	})
	mapFromArrays()
	mapUnion()
}

// putEntries writes map i: entries in order of their first key, of equal keys the
// last value.
func putEntries(c *expr.Call, i int32, keys, vals []member) {
	last := map[uint64][]int{} // hash of a key -> places in order
	var order []int
	for k, x := range keys {
		h := x.v.HashAt(x.i)
		known := slices.IndexFunc(last[h], func(p int) bool { y := keys[order[p]]; return batch.EqualAt(x.v, x.i, y.v, y.i) })
		if known >= 0 {
			order[last[h][known]] = k
			continue
		}
		last[h] = append(last[h], len(order))
		order = append(order, k)
	}
	at := c.Out.Child[0].Len()
	for _, k := range order {
		c.Out.Child[0].AppendFrom(keys[k].v, keys[k].i)
		c.Out.Child[1].AppendFrom(vals[k].v, vals[k].i)
	}
	c.List(i, at)
}

func mapFromArrays() {
	m := meta{name: "MAP_FROM_ARRAYS", cat: colls, syntax: "MAP_FROM_ARRAYS(keys, values)", doc: "A map of an array of keys and one of as many values. Of equal keys the last one counts.",
		example: "MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", result: "{a=1, b=2}", fails: true}
	array := []batch.SQLType{batch.Array}
	collect(m, 2, array, func(t batch.Type, args []expr.Expr) (batch.Type, error) {
		u := args[1].Type()
		if u.SQL != batch.Array {
			return t, bad(1, "%s does not apply to %s; write %s", m.name, u.With(false), m.syntax)
		}
		return batch.MapOf(t.Fields[0].Type, u.Fields[0].Type), nil
	}, false, func() expr.Kernel {
		return func(c *expr.Call) {
			var keys, vals []member
			for _, i := range c.Sel {
				keys, vals = keys[:0], vals[:0]
				each(c.Args[0], int(i), func(v *batch.Vec, j int) { keys = append(keys, member{v, j}) })
				each(c.Args[1], int(i), func(v *batch.Vec, j int) { vals = append(vals, member{v, j}) })
				if len(keys) != len(vals) {
					c.Fail(i, expr.ErrArgument, "MAP_FROM_ARRAYS: the arrays are not equally long")
					continue
				}
				putEntries(c, i, keys, vals)
			}
		}
	})
}

func mapUnion() {
	m := meta{name: "MAP_UNION", cat: colls, syntax: "MAP_UNION(map, …)", doc: "The entries of all maps; of equal keys the one of the last map. NULL when one is NULL.",
		example: "MAP_UNION(MAP['a', 1, 'b', 2], MAP['b', 3])", result: "{a=1, b=3}"}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) == 0 {
			return nil, &expr.TypeError{Arg: -1, Msg: "MAP_UNION does not take 0 operands", Hint: "write " + m.syntax}
		}
		args, t, err := commonCollections(m, batch.Map, slices.Clone(args))
		return &expr.Bound{Args: args, Type: t, New: func() expr.Kernel {
			return func(c *expr.Call) {
				var keys, vals []member
				for _, i := range c.Sel {
					keys, vals = keys[:0], vals[:0]
					for _, a := range c.Args {
						from, to := a.Span(int(i))
						for j := from; j < to; j++ {
							keys, vals = append(keys, member{&a.Child[0], j}), append(vals, member{&a.Child[1], j})
						}
					}
					putEntries(c, i, keys, vals)
				}
			}
		}}, err
	})
}
