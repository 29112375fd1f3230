package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

func TestSemiAntiJoin(t *testing.T) {
	both := []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}
	grow := []optest.Input{in("l", "k STRING, v INT"), in("r", "k STRING, v INT")}
	join := func(kind operators.JoinKind, residual bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return joined(kind, in, false, residual) }
	}
	keyless := func(kind operators.JoinKind) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return operators.NewJoin(kind, in[0], in[1], nil, nil, nil, nil) }
	}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"semi of inputs that grow: once each (J6)", optest.Case{In: grow, Node: join(operators.Semi, false),
			Script: "l a|1\nl a|1\nl NULL|3\nr a|10\nr a|11\nr NULL|12\nstep\nl a|2\nl b|4\nstep\nr b|10\nr a|10\nend",
			Steps:  []string{"+2|a|1", "a|2", "b|4"}, Want: "+2|a|1\na|2\nb|4"}},
		{"semi: every match has to go (J6)", optest.Case{In: both, Node: join(operators.Semi, false),
			Script: "l a|1\nr a|1\nr a|2\nstep\nr -1|a|1\nstep\nr -1|a|2\nend", Steps: []string{"a|1", "", "-1|a|1"}, Want: ""}},
		{"anti with NULL keys (J8)", optest.Case{In: both, Node: join(operators.Anti, false),
			Script: "l a|1\nl b|2\nl NULL|3\nstep\nr a|1\nr NULL|1\nstep\nl -1|NULL|3\nr -1|a|1\nend",
			Steps:  []string{"a|1\nb|2\nNULL|3", "-1|a|1", "-1|NULL|3\na|1"}, Want: "a|1\nb|2"}},
		{"a match that comes and goes in a step", optest.Case{In: both, Node: join(operators.Anti, true),
			Script: "l a|1\nstep\nr a|10\nr -1|a|10\nend", Steps: []string{"a|1", ""}, Want: "a|1"}},
		{"a condition", optest.Case{In: both, Node: join(operators.Semi, true),
			Script: "l a|1\nl a|20\nl a|NULL\nr a|10\nstep\nr a|0\nr -1|a|10\nr a|30\nend",
			Steps:  []string{"a|1", "a|20"}, Want: "a|1\na|20"}},
		{"both sides change in a step", optest.Case{In: both, Node: join(operators.Semi, false),
			Script: "l a|1\nr a|2\nstep\nl -1|a|1\nl a|3\nr -1|a|2\nr a|4\nstep\nl -1|a|3\nr -1|a|4\nl b|5\nend",
			Steps:  []string{"a|1", "-1|a|1\na|3", "-1|a|3"}, Want: ""}},
		{"semi without a key: is there a row", optest.Case{In: both, Node: keyless(operators.Semi),
			Script: "l a|1\nl NULL|2\nstep\nr x|1\nstep\nl b|3\nr x|1\nstep\nr -2|x|1\nstep\nr NULL|NULL\nend",
			Steps:  []string{"", "a|1\nNULL|2", "b|3", "-1|a|1\n-1|NULL|2\n-1|b|3", "a|1\nNULL|2\nb|3"}, Want: "a|1\nNULL|2\nb|3"}},
		{"anti without a key: is there none", optest.Case{In: both, Node: keyless(operators.Anti),
			Script: "l a|1\nstep\nr x|1\nstep\nl b|3\nr -1|x|1\nend", Steps: []string{"a|1", "-1|a|1", "a|1\nb|3"}, Want: "a|1\nb|3"}},
		{"never there", optest.Case{In: both, Node: join(operators.Anti, false), Broken: true,
			Script: "l -1|a|1\nr -1|b|1\nstep\nl a|1\nl b|1\nr b|2\nend", Want: "a|1", Reject: map[operators.Reason]int64{operators.BadRetraction: 2}}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// What a semi or anti join of a growing left side gives is known by the left
// side's key, and grows itself where nothing can be taken back.
func TestSemiAntiJoinPlan(t *testing.T) {
	l := optest.Source(optest.Input{Name: "l", Schema: "k STRING, v INT", Keys: [][]int{{1}}})
	grow, change := optest.Source(in("r", "k STRING")), optest.Source(changes("r", "k STRING"))
	for _, c := range []struct {
		kind operators.JoinKind
		r    operators.Node
		mode operators.Mode
	}{{operators.Semi, grow, operators.Append}, {operators.Semi, change, operators.Upsert}, {operators.Anti, grow, operators.Upsert}} {
		j := operators.NewJoin(c.kind, l, c.r, []int{0}, []int{0}, nil, nil)
		if j.Mode != c.mode || len(j.Keys) != 1 || j.Keys[0][0] != 1 || len(j.Schema.Fields) != 2 {
			t.Errorf("%s: mode %s, keys %v, schema %s", j.Op(), j.Mode, j.Keys, j.Schema)
		}
	}
}

// A row that has expired matches nothing any more, and its going takes nothing
// back; what was shown stays.
func TestSemiAntiJoinTTL(t *testing.T) {
	for _, residual := range []bool{false, true} {
		node := func(kind operators.JoinKind) func(nodes) operators.Node {
			return func(in nodes) operators.Node {
				j := joined(kind, in, false, residual)
				j.SetTTL(9_000_000, 1_000_000)
				return j
			}
		}
		both := []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}
		script := "l a|1\nr a|2\nstep\nnow 0.999\nl a|2\nl b|1\nr a|9\nr b|9\nstep\nnow 1.999\nl a|3\nend"
		optest.Run(t, optest.Case{In: both, Broken: true, Alone: true, Node: node(operators.Semi), Script: script,
			Steps: []string{"a|1", "a|2\nb|1", ""}, Want: "a|1\na|2\nb|1"})
		optest.Run(t, optest.Case{In: both, Broken: true, Alone: true, Node: node(operators.Anti), Script: script,
			Steps: []string{"", "", "a|3"}, Want: "a|3"})
	}
}

// A key whose last partner goes shows its rows in chunks.
func TestSemiAntiJoinOfManyRows(t *testing.T) {
	const many = 100_000
	for _, kind := range []operators.JoinKind{operators.Semi, operators.Anti} {
		l, r := optest.Source(in("l", "k INT, v INT")), optest.Source(changes("r", "k INT, v INT"))
		op := open(t, operators.NewJoin(kind, l, r, []int{0}, []int{0}, nil, nil))
		rows := int64(0)
		count := func(b *batch.Batch) error {
			if b.Live() > batch.Chunk {
				t.Fatalf("%d rows at once", b.Live())
			}
			b.Each(func(i int) { rows += b.Weight(i) })
			return nil
		}
		end := func(want int64) {
			t.Helper()
			rows = 0
			if err := op.EndStep([]operators.WM{0, 0}, count); err != nil {
				t.Fatal(err)
			}
			if kind == operators.Anti {
				want = -want
			}
			if rows != want {
				t.Errorf("%v: %d rows, want %d", kind, rows, want)
			}
		}
		push := func(in int, b *batch.Batch) {
			if err := op.Push(in, b, count); err != nil {
				t.Fatal(err)
			}
		}
		push(1, optest.Parse(r.Base().Schema, "7|1"))
		for i := 0; i < many; {
			b := batch.New(l.Base().Schema, batch.Chunk)
			for ; b.N < batch.Chunk && i < many; i++ {
				b.Cols[0].AppendInt(7)
				b.Cols[1].AppendInt(int64(i))
				b.N++
			}
			push(0, b)
		}
		if kind == operators.Semi {
			end(many)
		} else {
			end(0)
		}
		push(1, optest.Parse(r.Base().Schema, "-1|7|1"))
		end(-many)
		push(1, optest.Parse(r.Base().Schema, "+1|7|1"))
		end(many)
	}
}

func TestWindowSemiAntiJoin(t *testing.T) {
	schema := "ws TIMESTAMP(3), we TIMESTAMP(3), k STRING, v INT"
	both := []optest.Input{in("l", schema), in("r", schema)}
	for _, residual := range []bool{false, true} {
		for kind, want := range map[operators.JoinKind]map[bool]string{
			operators.Semi: {false: "+2|0|10|a|1\n0|10|a|9\n20|30|a|1", true: "+2|0|10|a|1\n20|30|a|1"},
			operators.Anti: {false: "0|10|NULL|2\n0|10|b|3\n10|20|a|1", true: "0|10|NULL|2\n0|10|b|3\n0|10|a|9\n10|20|a|1"},
		} {
			optest.Run(t, optest.Case{In: both,
				Node: func(in nodes) operators.Node {
					var cond expr.Expr
					if residual {
						cond = ex(expr.Compare("<", col(in[0], 3), expr.NewCol(7, in[1].Base().Schema.Fields[3])))
					}
					return must(operators.NewWindowJoin(kind, in[0], in[1], 0, 1, 0, 1, []int{2}, []int{2}, nil, cond))
				},
				Script: "l +2|0|10|a|1\nl 0|10|NULL|2\nl 0|10|b|3\nl 0|10|a|9\nl 10|20|a|1\nr 0|10|a|4\nr 0|10|a|5\nr 0|10|NULL|9\nr 10|20|b|1\nstep\nl 20|30|a|1\nr 20|30|a|2\nend",
				Want:   want[residual]})
		}
	}
}

// Joins without a key against a nested loop over the final tables.
func TestJoinWithoutKeyAgreesWithNestedLoop(t *testing.T) {
	for seed := range uint64(8) {
		for _, kind := range append([]operators.JoinKind{operators.Semi, operators.Anti}, joinKinds...) {
			r := rand.New(rand.NewPCG(seed, 40+uint64(kind)))
			inputs := []optest.Input{in("l", "k STRING, v INT"), in("r", "k STRING, v INT")}
			for i := range inputs {
				if seed&(1<<i) != 0 {
					inputs[i].Mode = operators.Retract
				}
			}
			script, live := randomChanges(r, inputs, 25)
			residual := seed&4 != 0
			node := func(in nodes) operators.Node {
				var cond expr.Expr
				if residual {
					cond = ex(expr.Compare("<", expr.NewCol(1, in[0].Base().Schema.Fields[1]), expr.NewCol(3, in[1].Base().Schema.Fields[1])))
				}
				return operators.NewJoin(kind, in[0], in[1], nil, nil, nil, cond)
			}
			// With one key that all rows share, and that NULL equals, the loop joins all with all.
			one := func(rows []string) (out []string) {
				for _, row := range rows {
					_, v, _ := strings.Cut(row, "|")
					out = append(out, "NULL|"+v)
				}
				return out
			}
			blind := func(in nodes) operators.Node { return keyHidden(node(in)) }
			t.Run(fmt.Sprintf("%v/residual=%v/%d", kind, residual, seed), func(t *testing.T) {
				optest.Run(t, optest.Case{In: inputs, Node: blind, Script: script, Want: nestedLoop(kind, one(live["l"]), one(live["r"]), true, residual)})
			})
		}
	}
}

// keyHidden shows NULL instead of the columns k.
func keyHidden(n operators.Node) operators.Node {
	var es []expr.Expr
	var fields []batch.Field
	for i, f := range n.Base().Schema.Fields {
		var e expr.Expr = expr.NewCol(i, f)
		if i%2 == 0 {
			e = expr.NullOf(f.Type)
		}
		es, fields = append(es, e), append(fields, f)
	}
	return operators.NewProject(n, es, fields)
}
