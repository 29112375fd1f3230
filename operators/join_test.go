package operators_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

var joinKinds = []operators.JoinKind{operators.Inner, operators.Left, operators.Right, operators.Full}

// joined builds a join on the first columns; residual l.v < r.v where asked.
func joined(kind operators.JoinKind, in nodes, safe, residual bool) *operators.Join {
	var cond expr.Expr
	if residual {
		cond = ex(expr.Compare("<", expr.NewCol(1, in[0].Base().Schema.Fields[1]), expr.NewCol(3, in[1].Base().Schema.Fields[1])))
	}
	return operators.NewJoin(kind, in[0], in[1], []int{0}, []int{0}, []bool{safe}, cond)
}

func TestJoin(t *testing.T) {
	both := []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}
	join := func(kind operators.JoinKind, safe, residual bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return joined(kind, in, safe, residual) }
	}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"full with NULL keys (J1)", optest.Case{In: both, Node: join(operators.Full, false, false),
			Script: "l a|1\nl NULL|2\nr a|10\nr NULL|11\nr a|12\nend",
			Want:   "a|1|a|10\na|1|a|12\nNULL|2|NULL|NULL\nNULL|NULL|NULL|11"}},
		{"null-safe keys (J2)", optest.Case{In: both, Node: join(operators.Inner, true, false),
			Script: "l a|1\nl NULL|2\nstep\nr NULL|11\nr b|12\nend", Want: "NULL|2|NULL|11"}},
		{"full with a condition (J4)", optest.Case{In: both, Node: join(operators.Full, false, true),
			Script: "l a|1\nl a|20\nr a|10\nstep\nr a|0\nend",
			Want:   "a|1|a|10\na|20|NULL|NULL\nNULL|NULL|a|0"}},
		{"two equal rows are padded twice (J5)", optest.Case{In: both, Node: join(operators.Left, false, false),
			Script: "l a|1\nl a|1\nr a|10\nstep\nr -1|a|10\nend",
			Steps:  []string{"+2|a|1|a|10", "-2|a|1|a|10\n+2|a|1|NULL|NULL"}, Want: "+2|a|1|NULL|NULL"}},
		{"a match that comes and goes in a step", optest.Case{In: both, Node: join(operators.Left, false, false),
			Script: "l a|1\nstep\nr a|10\nr -1|a|10\nend", Steps: []string{"a|1|NULL|NULL", ""}, Want: "a|1|NULL|NULL"}},
		{"weights multiply", optest.Case{In: both, Node: join(operators.Inner, false, false),
			Script: "l +2|a|1\nr +3|a|2\nend", Want: "+6|a|1|a|2"}},
		{"empties and returns", optest.Case{In: both, Node: join(operators.Full, false, false),
			Script: "l a|1\nr a|2\nstep\nl -1|a|1\nstep\nl a|1\nr -1|a|2\nstep\nl -1|a|1\nr a|2\nend", Want: "NULL|NULL|a|2"}},
		{"never there", optest.Case{In: both, Node: join(operators.Left, false, false), Broken: true,
			Script: "l -1|a|1\nstep\nl a|1\nend", Want: "a|1|NULL|NULL", Reject: map[operators.Reason]int64{operators.BadRetraction: 1}}},
		{"both sides change in a step", optest.Case{In: both, Node: join(operators.Full, false, false),
			Script: "l a|1\nr a|2\nstep\nl -1|a|1\nl a|3\nr -1|a|2\nr a|4\nstep\nl -1|a|3\nr -1|a|4\nr b|5\nend",
			Steps:  []string{"a|1|a|2", "-1|a|1|a|2\na|3|a|4", "-1|a|3|a|4\nNULL|NULL|b|5"}, Want: "NULL|NULL|b|5"}},
		{"one batch on both inputs", optest.Case{In: both[:1], Node: func(in nodes) operators.Node {
			return operators.NewJoin(operators.Inner, in[0], in[0], []int{0}, []int{0}, nil, nil)
		}, Script: "l a|1\nl a|2\nl b|3\nl -1|a|2\nl a|4\nend", Want: "a|1|a|1\na|1|a|4\na|4|a|1\na|4|a|4\nb|3|b|3"}},
		{"cross", optest.Case{In: both, Node: func(in nodes) operators.Node {
			return operators.NewJoin(operators.Inner, in[0], in[1], nil, nil, nil, nil)
		}, Script: "l a|1\nl NULL|2\nr x|3\nstep\nr y|4\nend", Want: "a|1|x|3\na|1|y|4\nNULL|2|x|3\nNULL|2|y|4"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// A condition on the outer side alone pads its rows and filters none (J3).
func TestJoinConditionOnOuterSide(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{in("l", "k STRING, v INT"), in("r", "k STRING, v INT")},
		Node: func(in nodes) operators.Node {
			return operators.NewJoin(operators.Left, in[0], in[1], []int{0}, []int{0}, nil, ex(expr.Compare(">", col(in[0], 1), lit(5))))
		},
		Script: "l a|1\nl a|20\nr a|10\nend", Want: "a|1|NULL|NULL\na|20|a|10"})
}

// Random changes on both sides against a nested loop over the final tables.
func TestJoinAgreesWithNestedLoop(t *testing.T) {
	for seed := range uint64(16) {
		for _, kind := range append([]operators.JoinKind{operators.Semi, operators.Anti}, joinKinds...) {
			for _, residual := range []bool{false, true} {
				safe := seed%3 == 0
				r := rand.New(rand.NewPCG(seed, uint64(kind)))
				// Sides that only grow are stored in another way.
				inputs := []optest.Input{in("l", "k STRING, v INT"), in("r", "k STRING, v INT")}
				for i := range inputs {
					if seed&(1<<i) != 0 {
						inputs[i].Mode = operators.Retract
					}
				}
				script, live := randomChanges(r, inputs, 40)
				t.Run(fmt.Sprintf("%v/residual=%v/%d", kind, residual, seed), func(t *testing.T) {
					optest.Run(t, optest.Case{In: inputs,
						Node:   func(in nodes) operators.Node { return joined(kind, in, safe, residual) },
						Script: script, Want: nestedLoop(kind, live["l"], live["r"], safe, residual)})
				})
			}
		}
	}
}

// randomChanges makes a script of additions and deletions of rows "k|v" with few
// keys, and the rows that are left by input.
func randomChanges(r *rand.Rand, inputs []optest.Input, n int) (string, map[string][]string) {
	var s strings.Builder
	live := map[string][]string{}
	for range n {
		input := inputs[r.IntN(len(inputs))]
		in := input.Name
		switch x := r.IntN(10); {
		case x == 0:
			s.WriteString("step\n")
		case x < 4 && len(live[in]) > 0 && input.Mode != operators.Append:
			k := r.IntN(len(live[in]))
			fmt.Fprintf(&s, "%s -1|%s\n", in, live[in][k])
			live[in] = append(live[in][:k:k], live[in][k+1:]...)
		default:
			row := []string{"a", "b", "NULL"}[r.IntN(3)] + "|" + []string{"1", "2", "3", "NULL"}[r.IntN(4)]
			w := 1 + r.IntN(2)
			fmt.Fprintf(&s, "%s +%d|%s\n", in, w, row)
			for range w {
				live[in] = append(live[in], row)
			}
		}
	}
	return s.String() + "end", live
}

func nestedLoop(kind operators.JoinKind, l, r []string, safe, residual bool) string {
	var out []string
	hit := make([]bool, len(r))
	for _, a := range l {
		ak, av, _ := strings.Cut(a, "|")
		found := false
		for j, b := range r {
			bk, bv, _ := strings.Cut(b, "|")
			if ak != bk || ak == "NULL" && !safe {
				continue
			}
			if residual {
				x, err := strconv.Atoi(av)
				y, err2 := strconv.Atoi(bv)
				if err != nil || err2 != nil || x >= y {
					continue
				}
			}
			if !found && kind == operators.Semi {
				out = append(out, a)
			}
			found, hit[j] = true, true
			if kind != operators.Semi && kind != operators.Anti {
				out = append(out, a+"|"+b)
			}
		}
		if !found && kind == operators.Anti {
			out = append(out, a)
		}
		if !found && (kind == operators.Left || kind == operators.Full) {
			out = append(out, a+"|NULL|NULL")
		}
	}
	for j, b := range r {
		if !hit[j] && (kind == operators.Right || kind == operators.Full) {
			out = append(out, "NULL|NULL|"+b)
		}
	}
	return strings.Join(out, "\n")
}

// A row that meets 10^6 others gives chunks of bounded size and leaves nothing
// behind.
func TestJoinOfManyMatches(t *testing.T) {
	for _, kind := range []operators.JoinKind{operators.Inner, operators.Left} {
		l, r := optest.Source(in("l", "k INT, v INT")), optest.Source(in("r", "k INT, v INT"))
		op := open(t, operators.NewJoin(kind, l, r, []int{0}, []int{0}, nil, nil))
		none := func(*batch.Batch) error { return nil }
		b := batch.New(r.Base().Schema, batch.Chunk)
		const many = 1_000_000
		for i := 0; i < many; {
			b.Reset()
			for ; b.N < batch.Chunk && i < many; i++ {
				b.Cols[0].AppendInt(7)
				b.Cols[1].AppendInt(int64(i))
				b.N++
			}
			if err := op.Push(1, b, none); err != nil {
				t.Fatal(err)
			}
		}
		rows, chunks := 0, 0
		count := func(b *batch.Batch) error {
			rows, chunks = rows+b.Live(), chunks+1
			if b.Live() > batch.Chunk {
				t.Fatalf("%d rows at once", b.Live())
			}
			return nil
		}
		one := optest.Parse(l.Base().Schema, "7|1")
		grew := testing.AllocsPerRun(1, func() {
			rows, chunks = 0, 0
			if err := op.Push(0, one, count); err != nil {
				t.Fatal(err)
			}
			if err := op.EndStep([]operators.WM{0, 0}, count); err != nil {
				t.Fatal(err)
			}
		})
		if rows != many || chunks != (many+batch.Chunk-1)/batch.Chunk {
			t.Errorf("%v: %d rows in %d chunks", kind, rows, chunks)
		}
		if grew > 1000 {
			t.Errorf("%v: %v allocations for %d chunks", kind, grew, chunks)
		}
		// A copy of the matches would be 32 MB.
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := op.Push(0, one, count); err != nil {
			t.Fatal(err)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
			t.Errorf("%v: %d bytes for %d chunks", kind, after.TotalAlloc-before.TotalAlloc, chunks)
		}
	}
}

// Rows meet until exactly their time to live after their last write.
func TestJoinTTL(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}, Broken: true, Alone: true,
		Node: func(in nodes) operators.Node {
			j := joined(operators.Inner, in, false, false)
			j.SetTTL(600_000, 600_000)
			return j
		},
		Script: "l a|1\nstep\nnow 0.599\nr a|2\nstep\nnow 0.6\nr a|3\nstep\nnow 1.198\nl a|5\nend",
		Want:   "a|1|a|2\na|5|a|3\na|5|a|2"})
}

// Fact J22: padding that has gone with its time to live is taken away all the
// same; the pair stays for ever.
func TestOuterJoinTTL(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}, Broken: true, Alone: true,
		Node: func(in nodes) operators.Node {
			j := joined(operators.Left, in, false, false)
			j.SetTTL(600_000, 600_000)
			return j
		},
		Script: "l a|1\nr a|10\nstep\nnow 1.5\nl -1|a|1\nstep\nl a|2\nend",
		Steps:  []string{"a|1|a|10", "-1|a|1|NULL|NULL", "a|2|NULL|NULL"},
		Want:   "a|1|a|10\n-1|a|1|NULL|NULL\na|2|NULL|NULL", Reject: map[operators.Reason]int64{operators.BadRetraction: 1}})
}

func BenchmarkJoin(b *testing.B) {
	l, r := optest.Source(in("l", "k BIGINT, v BIGINT")), optest.Source(in("r", "k BIGINT, v BIGINT"))
	op := open(b, operators.NewJoin(operators.Inner, l, r, []int{0}, []int{0}, nil, nil))
	benchPush(b, twoInputs{op}, l.Base().Schema, 64, func(i int) []int64 {
		return []int64{int64(uint64(i)*0x9e3779b97f4a7c15>>20) % 1_000_000, int64(i)}
	}, func(int) operators.WM { return 0 })
}

// twoInputs pushes batches to the inputs in turn.
type twoInputs struct{ op operators.Operator }

var turn int

func (x twoInputs) Push(_ int, b *batch.Batch, out operators.Emit) error {
	turn++
	return x.op.Push(turn%2, b, out)
}

func (x twoInputs) EndStep(wm []operators.WM, out operators.Emit) error {
	return x.op.EndStep([]operators.WM{wm[0], wm[0]}, out)
}

// A row taken away before it was there leaves nothing behind: neither pairs nor
// matches that never end.
func TestJoinMends(t *testing.T) {
	both := []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}
	for _, residual := range []bool{false, true} {
		for _, kind := range joinKinds {
			node := func(in nodes) operators.Node { return joined(kind, in, false, residual) }
			want := map[operators.JoinKind][]string{
				operators.Inner: {"a|1|a|3", ""},
				operators.Left:  {"a|1|a|3", "a|1|NULL|NULL"},
				operators.Right: {"a|1|a|3", ""},
				operators.Full:  {"a|1|a|3", "a|1|NULL|NULL"},
			}[kind]
			t.Run(fmt.Sprintf("%v/residual=%v", kind, residual), func(t *testing.T) {
				optest.Run(t, optest.Case{In: both, Node: node, Broken: true, Script: "l a|1\nstep\nr -2|a|3\nstep\nr a|3\nend",
					Want: want[0], Reject: map[operators.Reason]int64{operators.BadRetraction: 1}})
				optest.Run(t, optest.Case{In: both, Node: node, Broken: true, Script: "l a|1\nr a|3\nstep\nr -2|a|3\nstep\nend",
					Want: want[1], Reject: map[operators.Reason]int64{operators.BadRetraction: 1}})
			})
		}
	}
}

// A row that has expired matches nothing any more, condition or not: of the left
// row that outlives it, a padded row is taken away though none was given.
func TestOuterJoinOutlivesMatch(t *testing.T) {
	for _, residual := range []bool{false, true} {
		optest.Run(t, optest.Case{In: []optest.Input{changes("l", "k STRING, v INT"), changes("r", "k STRING, v INT")}, Broken: true, Alone: true,
			Node: func(in nodes) operators.Node {
				j := joined(operators.Left, in, false, residual)
				j.SetTTL(9_000_000, 1_000_000)
				return j
			},
			Script: "l a|1\nl b|1\nr a|2\nr b|2\nr a|3\nstep\nnow 0.999\nl a|1\nr b|2\nstep\nnow 1\nl -2|a|1\nl -1|b|1\nend",
			Steps:  []string{"a|1|a|2\na|1|a|3\nb|1|b|2", "a|1|a|2\na|1|a|3\nb|1|b|2", "-2|a|1|NULL|NULL\n-2|b|1|b|2"},
			Want:   "+2|a|1|a|2\n+2|a|1|a|3\n-2|a|1|NULL|NULL"})
	}
}
