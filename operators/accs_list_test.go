package operators_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

// ordered are the functions that depend on the order of arrival, of column arg.
func ordered(n operators.Node, distinct bool, filter, arg int) []operators.AggCall {
	return []operators.AggCall{agg(n, "FIRST_VALUE", distinct, filter, arg), agg(n, "LAST_VALUE", distinct, filter, arg), agg(n, "LISTAGG", distinct, filter, arg),
		agg(n, "ARRAY_AGG", distinct, filter, arg), agg(n, "COLLECT", distinct, filter, arg)}
}

func TestOrderedAggregates(t *testing.T) {
	lists := func(distinct bool, filter int) func(in nodes) operators.Node {
		return func(in nodes) operators.Node { return groupBy(in[0], []int{0}, ordered(in[0], distinct, filter, 1)...) }
	}
	append1, changes1 := []optest.Input{in("t", "k INT, s STRING, f BOOLEAN")}, []optest.Input{changes("t", "k INT, s STRING, f BOOLEAN")}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"append (A11, A12)", optest.Case{In: append1, Node: lists(false, -1), Ordered: true,
			Script: "t 1|NULL|NULL\nt 1|x|true\nt 2|NULL|true\nstep\nt +2|1|''|false\nt 1|y|NULL\nt 1|NULL|true\nend",
			Want:   "1 | x | y | x,,,y | [NULL, x, , , y, NULL] | {=2, x=1, y=1}\n2 | NULL | NULL | NULL | [NULL] | {}"}},
		{"changes (A13)", optest.Case{In: changes1, Node: lists(false, -1), Ordered: true,
			Script: "t 1|x|true\nt 1|y|true\nstep\nt -1|1|x|true\nt 1|z|true\nend",
			Steps:  []string{"1 | x | y | x,y | [x, y] | {x=1, y=1}"}, Want: "1 | y | z | y,z | [y, z] | {y=1, z=1}"}},
		{"the oldest equal value goes (A14)", optest.Case{In: changes1, Node: lists(false, -1), Ordered: true,
			Script: "t 1|1|true\nt 1|2|true\nt 1|1|true\nstep\nt -1|1|1|true\nend",
			Want:   "1 | 2 | 1 | 2,1 | [2, 1] | {1=1, 2=1}"}},
		{"part of a weight goes", optest.Case{In: changes1, Node: lists(false, -1), Ordered: true,
			Script: "t +3|1|a|true\nt 1|b|true\nt +2|1|a|true\nstep\nt -4|1|a|true\nt 1|NULL|true\nend",
			Want:   "1 | b | a | b,a | [b, a, NULL] | {a=1, b=1}"}},
		{"distinct", optest.Case{In: append1, Node: lists(true, -1), Ordered: true,
			Script: "t 1|1|true\nt 1|NULL|true\nt 1|2|true\nstep\nt 1|1|true\nt 1|NULL|true\nt 2|NULL|true\nend",
			Want:   "1 | 1 | 2 | 1,2 | [1, NULL, 2] | {1=1, 2=1}\n2 | NULL | NULL | NULL | [NULL] | {}"}},
		{"distinct changes", optest.Case{In: changes1, Node: lists(true, -1), Ordered: true,
			Script: "t 1|1|true\nt 1|2|true\nt 1|1|true\nt 1|NULL|true\nstep\nt -1|1|1|true\nt -1|1|NULL|true\nstep\nt -1|1|1|true\nend",
			Steps:  []string{"1 | 1 | 2 | 1,2 | [1, 2, NULL] | {1=1, 2=1}", "-1 | 1 | 1 | 2 | 1,2 | [1, 2, NULL] | {1=1, 2=1}\n1 | 1 | 2 | 1,2 | [1, 2] | {1=1, 2=1}"},
			Want:   "1 | 2 | 2 | 2 | [2] | {2=1}"}},
		{"filter", optest.Case{In: changes1, Node: lists(false, 2), Ordered: true,
			Script: "t 1|a|true\nt 1|b|false\nt 1|c|NULL\nstep\nt 1|d|true\nt 2|x|false\nt -1|1|b|false\nend",
			Want:   "1 | a | d | a,d | [a, d] | {a=1, d=1}\n2 | NULL | NULL | NULL | NULL | {}"}},
		{"filter and distinct, appended", optest.Case{In: append1, Node: lists(true, 2), Ordered: true,
			Script: "t 1|b|false\nt 1|a|true\nstep\nt 1|b|true\nt 1|a|true\nend",
			Want:   "1 | a | b | a,b | [a, b] | {a=1, b=1}"}},
		{"a group empties and returns", optest.Case{In: changes1, Node: lists(false, -1), Ordered: true,
			Script: "t 1|a|true\nstep\nt -1|1|a|true\nstep\nt 1|b|true\nend", Want: "1 | b | b | b | [b] | {b=1}"}},
		{"bad retractions", optest.Case{In: changes1, Node: func(in nodes) operators.Node { return groupBy(in[0], []int{0}, agg(in[0], "LISTAGG", false, -1, 1)) },
			Ordered: true, Broken: true, Script: "t +2|1|a|true\nt -1|1|b|true\nstep\nt 1|c|true\nend", Want: "1 | a,a,c", Reject: map[operators.Reason]int64{operators.BadRetraction: 1}}},
		{"values that are no strings", optest.Case{In: []optest.Input{changes("t", "k INT, v DECIMAL(30, 2), d DOUBLE, b BOOLEAN")}, Ordered: true, Node: func(in nodes) operators.Node {
			return groupBy(in[0], []int{0}, agg(in[0], "LAST_VALUE", false, -1, 1), agg(in[0], "ARRAY_AGG", false, -1, 2), agg(in[0], "COLLECT", false, -1, 3), agg(in[0], "FIRST_VALUE", false, -1, 2))
		}, Script: "t 1|1.50|0.5|true\nt 1|2.25|NaN|false\nstep\nt -1|1|1.50|0.5|true\nt 1|NULL|NULL|false\nend",
			Want: "1 | 2.25 | [NaN, NULL] | {false=2} | NaN"}},
		{"time to live", optest.Case{In: changes1, Node: func(in nodes) operators.Node {
			a := groupBy(in[0], []int{0}, ordered(in[0], false, -1, 1)...)
			a.SetTTL(1_000_000)
			return a
		}, Ordered: true, Broken: true, Script: "t 1|a|true\nt 2|p|true\nstep\nnow 0.9\nt 1|b|true\nstep\nnow 1.8\nt 1|c|true\nt 2|q|true\nend",
			Want: "1 | a | c | a,b,c | [a, b, c] | {a=1, b=1, c=1}\n2 | p | p | p | [p] | {p=1}\n2 | q | q | q | [q] | {q=1}"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

func TestVariances(t *testing.T) {
	vars := func(n operators.Node, distinct bool) (a []operators.AggCall) {
		for _, f := range []string{"VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV_SAMP"} {
			a = append(a, agg(n, f, distinct, -1, 1))
		}
		return a
	}
	by := func(distinct bool) func(in nodes) operators.Node {
		return func(in nodes) operators.Node { return groupBy(in[0], []int{0}, vars(in[0], distinct)...) }
	}
	for _, typ := range []struct{ typ, want, single string }{
		{"INT", "21 | 28 | 4 | 5", "0 | NULL | 0 | NULL"}, {"DOUBLE", "21.1875 | 28.25 | 4.602988159880492 | 5.315072906367325", "0 | NULL | 0 | NULL"},
		{"DECIMAL(10, 1)", "21.187500 | 28.250000 | 4.602988 | 5.315073", "0.000000 | NULL | 0.000000 | NULL"},
	} {
		optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k INT, v "+typ.typ)}, Node: by(false),
			Script: "t 1|2\nt 1|4\nt 1|NULL\nt 2|7\nt 1|100\nstep\nt 1|5\nt -1|1|100\nt 1|14\nt 3|NULL\nt 4|1\nt -1|4|1\nend",
			Want:   "1 | " + typ.want + "\n2 | " + typ.single + "\n3 | NULL | NULL | NULL | NULL"})
	}
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "k INT, v INT")}, Node: by(true),
		Script: "t 1|1\nt 1|3\nstep\nt +2|1|3\nt 1|1\nend", Want: "1 | 1 | 2 | 1 | 1"})
	optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k INT, v DOUBLE")}, Node: by(false), AnyCuts: true,
		Script: "t 1|NaN\nt 1|1\nt 1|3\nt 2|Infinity\nt -1|1|NaN\nend", Want: "1 | 1 | 2 | 1 | 1.4142135623730951\n2 | NaN | NULL | NaN | NULL"})
	// The variance of a large TINYINT does not fit: a row error.
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "k INT, v TINYINT")}, Node: by(false),
		Script: "t 1|-128\nt 1|127\nt 2|1\nend", Want: "2 | 0 | NULL | 0 | NULL", Reject: map[operators.Reason]int64{operators.Failed: 1}})
}

func TestConditionsAndBits(t *testing.T) {
	node := func(typ string, distinct bool) func(in nodes) operators.Node {
		return func(in nodes) operators.Node {
			var a []operators.AggCall
			for _, f := range []string{"BIT_AND", "BIT_OR", "BIT_XOR"} {
				a = append(a, agg(in[0], f, distinct, -1, 1))
			}
			return groupBy(in[0], []int{0}, append(a, agg(in[0], "BOOL_AND", distinct, -1, 2), agg(in[0], "EVERY", distinct, -1, 2), agg(in[0], "BOOL_OR", distinct, -1, 2))...)
		}
	}
	for _, typ := range []string{"TINYINT", "SMALLINT", "INT", "BIGINT"} {
		optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k INT, v "+typ+", b BOOLEAN")}, Node: node(typ, false),
			Script: "t 1|7|true\nt 1|-2|true\nt 1|NULL|NULL\nt 2|-1|false\nt 3|NULL|NULL\nstep\nt 1|12|false\nt 2|-128|true\nstep\nt -1|1|7|true\nt +2|1|4|false\nt -1|2|-128|true\nend",
			Want:   "1 | 4 | -2 | -14 | false | false | true\n2 | -1 | -1 | -1 | false | false | false\n3 | NULL | NULL | NULL | NULL | NULL | NULL"})
	}
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "k INT, v INT, b BOOLEAN")}, Node: node("INT", true),
		Script: "t 1|5|true\nt 1|5|true\nstep\nt 1|5|true\nt 1|3|NULL\nend", Want: "1 | 1 | 7 | 6 | true | true | true"})
}

// Panes and sessions are merged by arrival, whatever their times.
func TestOrderedAggregatesInWindows(t *testing.T) {
	timed := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v STRING")}
	node := func(w windows.Spec, calls ...string) func(in nodes) operators.Node {
		return func(in nodes) operators.Node {
			var a []operators.AggCall
			for _, c := range calls {
				a = append(a, agg(in[0], c, false, -1, 2))
			}
			return windowed(in[0], w, []int{1}, a...)
		}
	}
	all := []string{"FIRST_VALUE", "LAST_VALUE", "LISTAGG", "COLLECT"}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"hop", optest.Case{In: timed, Ordered: true, Node: node(hop(5, 10), all...),
			Script: "t 7|a|x\nt 1|a|y\nt 8|a|NULL\nstep\nt 2|a|z\nt 6|b|q\nt 3|a|x\nend",
			Want:   "a | y | x | y,z,x | {x=1, y=1, z=1} | -5 | 5\na | x | x | x,y,z,x | {x=2, y=1, z=1} | 0 | 10\nb | q | q | q | {q=1} | 0 | 10\na | x | x | x | {x=1} | 5 | 15\nb | q | q | q | {q=1} | 5 | 15"}},
		{"cumulate", optest.Case{In: timed, Ordered: true, Node: node(cumulate(5, 15), all...),
			Script: "t 7|a|x\nt 1|a|y\nstep\nt 12|a|z\nt 3|a|w\nend",
			Want:   "a | y | w | y,w | {w=1, y=1} | 0 | 5\na | x | w | x,y,w | {w=1, x=1, y=1} | 0 | 10\na | x | w | x,y,z,w | {w=1, x=1, y=1, z=1} | 0 | 15"}},
		{"session", optest.Case{In: timed, Ordered: true, Node: func(in nodes) operators.Node {
			w := windows.Spec{Kind: windows.Session, Size: 10 * sec, Keys: []int{1}}
			return node(w, all...)(in)
		}, Script: "t 30|a|x\nt 1|a|y\nt 45|a|p\nstep\nt 11|a|z\nt 20|a|w\nend",
			Want: "a | x | w | x,y,z,w | {w=1, x=1, y=1, z=1} | 1 | 40\na | p | p | p | {p=1} | 45 | 55"}},
		{"hop of distinct values", optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v STRING, f BOOLEAN")}, Ordered: true, Node: func(in nodes) operators.Node {
			return windowed(in[0], hop(5, 10), []int{1}, agg(in[0], "LISTAGG", true, 3, 2), agg(in[0], "ARRAY_AGG", true, -1, 2), agg(in[0], "COUNT", true, -1, 2))
		}, Script: "t 7|a|x|true\nt 1|a|y|true\nt 8|a|NULL|true\nstep\nt 2|a|x|false\nt 3|a|z|true\nt 4|a|NULL|true\nend",
			Want: "a | y,z | [y, x, z, NULL] | 3 | -5 | 5\na | x,y,z | [x, y, NULL, z] | 3 | 0 | 10\na | x | [x, NULL] | 1 | 5 | 15"}},
		{"changes", optest.Case{In: []optest.Input{changes("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v STRING")}, Ordered: true, Node: node(hop(5, 10), all...),
			Script: "t 7|a|x\nt 1|a|y\nt 8|a|x\nstep\nt -1|7|a|x\nt 2|a|z\nend",
			Want:   "a | y | z | y,z | {y=1, z=1} | -5 | 5\na | y | z | y,x,z | {x=1, y=1, z=1} | 0 | 10\na | x | x | x | {x=1} | 5 | 15"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// TestOrderedAggregatesAgreeWithLists holds them to lists of values, with random
// changes in random steps, as many equal values as may be.
func TestOrderedAggregatesAgreeWithLists(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		lists := map[int][]string{}
		var script strings.Builder
		for range 60 {
			k := r.IntN(3)
			switch l := lists[k]; {
			case r.IntN(6) == 0:
				script.WriteString("step\n")
			case len(l) > 0 && r.IntN(5) < 2:
				v := l[r.IntN(len(l))]
				lists[k] = slices.Delete(slices.Clone(l), slices.Index(l, v), slices.Index(l, v)+1)
				fmt.Fprintf(&script, "t -1|%d|%s|true\n", k, v)
			default:
				v := []string{"a", "b", "c", "NULL"}[r.IntN(4)]
				lists[k] = append(slices.Clone(l), v)
				fmt.Fprintf(&script, "t %d|%s|true\n", k, v)
			}
		}
		var want strings.Builder
		for k := range 3 {
			if l := lists[k]; len(l) > 0 {
				vals, n := slices.DeleteFunc(slices.Clone(l), func(s string) bool { return s == "NULL" }), map[string]int{}
				first, last, joined := "NULL", "NULL", "NULL"
				if len(vals) > 0 {
					first, last, joined = vals[0], vals[len(vals)-1], strings.Join(vals, ",")
				}
				var bag []string
				for _, v := range vals {
					n[v]++
				}
				for _, v := range []string{"a", "b", "c"} {
					if n[v] > 0 {
						bag = append(bag, fmt.Sprintf("%s=%d", v, n[v]))
					}
				}
				fmt.Fprintf(&want, "%d | %s | %s | %s | [%s] | {%s}\n", k, first, last, joined, strings.Join(l, ", "), strings.Join(bag, ", "))
			}
		}
		optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k INT, s STRING, f BOOLEAN")}, Ordered: true, Script: script.String() + "end", Want: want.String(),
			Node: func(in nodes) operators.Node { return groupBy(in[0], []int{0}, ordered(in[0], false, -1, 1)...) }})
	}
}

// Within a step a row may be taken back before it comes.
func TestOrderedAggregatesPayDebts(t *testing.T) {
	src := optest.Source(changes("t", "k INT, s STRING, f BOOLEAN"))
	op := open(t, groupBy(src, []int{0}, ordered(src, false, -1, 1)...))
	var got []string
	emit := func(b *batch.Batch) error {
		b.Each(func(i int) { got = append(got, fmt.Sprint(b.Weight(i), " ", optest.Text(b, i))) })
		return nil
	}
	for _, step := range []string{"1|a|true", "-3|1|b|true\n+1|1|c|true\n+4|1|b|true\n-1|1|c|true\n-1|1|NULL|true\n+1|1|NULL|true"} {
		if err := op.Push(0, optest.Parse(src.Base().Schema, step), emit); err != nil {
			t.Fatal(err)
		}
		if err := op.EndStep([]operators.WM{0}, emit); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"1 1 | a | a | a | [a] | {a=1}", "-1 1 | a | a | a | [a] | {a=1}", "1 1 | a | b | a,b | [a, b] | {a=1, b=1}"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
