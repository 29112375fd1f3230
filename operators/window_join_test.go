package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

func TestWindowJoin(t *testing.T) {
	schema := "ws TIMESTAMP(3), we TIMESTAMP(3), k STRING, v INT"
	both := []optest.Input{in("l", schema), in("r", schema)}
	join := func(kind operators.JoinKind, cond bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node {
			var residual expr.Expr
			if cond {
				residual = ex(expr.Compare("<", col(in[0], 3), expr.NewCol(7, in[1].Base().Schema.Fields[3])))
			}
			return must(operators.NewWindowJoin(kind, in[0], in[1], 0, 1, 0, 1, []int{2}, []int{2}, nil, residual))
		}
	}
	late := func(n int64) map[operators.Reason]int64 { return map[operators.Reason]int64{operators.Late: n} }
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"inner", optest.Case{In: both, Node: join(operators.Inner, false),
			Script: `
				l 0|10|a|1
				l 0|10|NULL|2
				l 10|20|a|3
				r +2|0|10|a|4
				r 0|10|NULL|5
				l wm 10
				r wm 9.999
				step
				r wm 10
				step
				r 10|20|a|6
				r 20|30|a|7
				end`,
			Steps: []string{"", "+2|0|10|a|1|0|10|a|4"},
			Want:  "+2|0|10|a|1|0|10|a|4\n10|20|a|3|10|20|a|6"}},
		{"left with a condition", optest.Case{In: both, Node: join(operators.Left, true),
			Script: "l 0|10|a|1\nl +2|0|10|a|9\nl 0|10|NULL|2\nr 0|10|a|4\nr 0|10|b|4\nl 10|20|a|1\nend",
			Want:   "0|10|a|1|0|10|a|4\n+2|0|10|a|9|NULL|NULL|NULL|NULL\n0|10|NULL|2|NULL|NULL|NULL|NULL\n10|20|a|1|NULL|NULL|NULL|NULL"}},
		{"full", optest.Case{In: both, Node: join(operators.Full, false),
			Script: "l 0|10|a|1\nr 0|10|b|4\nr 0|20|a|4\nend",
			Want:   "0|10|a|1|NULL|NULL|NULL|NULL\nNULL|NULL|NULL|NULL|0|10|b|4\nNULL|NULL|NULL|NULL|0|20|a|4"}},
		{"hidden columns end here", optest.Case{In: []optest.Input{in("l", schema+", $pos BIGINT"), in("r", schema+", $wm BIGINT")}, Node: join(operators.Inner, true),
			Script: "l 0|10|a|1|77\nr 0|10|a|4|88\nend", Want: "0|10|a|1|0|10|a|4"}},
		// A row is late by the join's own watermark, the smaller of its inputs'.
		{"late", optest.Case{In: both, Node: join(operators.Inner, false),
			Script: "l 0|10|a|1\nl wm 30\nr wm 10\nstep\nr 0|10|a|4\nl 0|20|a|1\nr 0|20|a|2\nstep\nr wm 20\nstep\nl 0|20|a|1\nend",
			Want:   "0|20|a|1|0|20|a|2", Reject: late(2)}},
		// Under on-event it is the smaller of the row's own and the other input's.
		{"late by its own watermark", optest.Case{In: []optest.Input{in("l", schema+", $wm BIGINT"), in("r", schema)}, Node: join(operators.Inner, false),
			Script: "r 0|10|a|4\nr wm 9\nstep\nl 0|10|a|1|20000000\nr wm 30\nstep\nl 10|20|a|1|20000000\nl 10|30|a|1|20000000\nr 10|30|a|2\nend",
			Want:   "0|10|a|1|0|10|a|4\n10|30|a|1|10|30|a|2", Reject: late(1)}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows in overlapping windows against a nested loop over those that came
// before their window was joined.
func TestWindowJoinAgreesWithNestedLoop(t *testing.T) {
	type row struct {
		ws, we int
		k, v   string
	}
	text := func(x *row) string {
		if x == nil {
			return "NULL|NULL|NULL|NULL"
		}
		return fmt.Sprintf("%d|%d|%s|%s", x.ws, x.we, x.k, x.v)
	}
	for seed := range uint64(32) {
		r := rand.New(rand.NewPCG(seed, 6))
		kind, residual, safe := joinKinds[seed%4], seed&4 != 0, seed&8 != 0
		var s strings.Builder
		var rows [2][]row
		wm, prev, late := [2]int{-100, -100}, -100, int64(0)
		for range 60 {
			side := r.IntN(2)
			switch name := []string{"l", "r"}[side]; r.IntN(8) {
			case 0:
				wm[side] += r.IntN(4) * 5
				fmt.Fprintf(&s, "%s wm %d\n", name, wm[side])
			case 1:
				s.WriteString("step\n")
				prev = min(wm[0], wm[1])
			default:
				if wm[side] == -100 {
					wm[side] = 0
					fmt.Fprintf(&s, "%s wm 0\n", name)
				}
				ws := wm[side]/5*5 + 5*r.IntN(4) - 10
				x := row{ws, ws + 5*(1+r.IntN(2)), []string{"a", "b", "NULL"}[r.IntN(3)], strconv.Itoa(r.IntN(4))}
				w := 1 + r.IntN(2)
				fmt.Fprintf(&s, "%s +%d|%s\n", name, w, text(&x))
				if x.we <= prev {
					late += int64(w)
					continue
				}
				for range w {
					rows[side] = append(rows[side], x)
				}
			}
		}
		var want []string
		hit := make([]bool, len(rows[1]))
		for _, a := range rows[0] {
			found := false
			for j, b := range rows[1] {
				if a.ws == b.ws && a.we == b.we && a.k == b.k && (safe || a.k != "NULL") && (!residual || a.v < b.v) {
					found, hit[j] = true, true
					want = append(want, text(&a)+"|"+text(&b))
				}
			}
			if !found && (kind == operators.Left || kind == operators.Full) {
				want = append(want, text(&a)+"|"+text(nil))
			}
		}
		for j, b := range rows[1] {
			if !hit[j] && (kind == operators.Right || kind == operators.Full) {
				want = append(want, text(nil)+"|"+text(&b))
			}
		}
		reject := map[operators.Reason]int64{}
		if late > 0 {
			reject[operators.Late] = late
		}
		schema := "ws TIMESTAMP(3), we TIMESTAMP(3), k STRING, v INT"
		t.Run(fmt.Sprintf("%v/residual=%v,safe=%v/%d", kind, residual, safe, seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{in("l", schema), in("r", schema)}, Script: s.String() + "end", Want: strings.Join(want, "\n"), Reject: reject,
				Node: func(in nodes) operators.Node {
					var cond expr.Expr
					if residual {
						cond = ex(expr.Compare("<", col(in[0], 3), expr.NewCol(7, in[1].Base().Schema.Fields[3])))
					}
					return must(operators.NewWindowJoin(kind, in[0], in[1], 0, 1, 0, 1, []int{2}, []int{2}, []bool{safe}, cond))
				}})
		})
	}
}

// Rows with many matches in a window are joined in chunks. 8,192 matches fill one:
// that a row has found a match must outlast it.
func TestWindowJoinOfManyMatches(t *testing.T) {
	schema := "ws TIMESTAMP(3), we TIMESTAMP(3), k INT, v INT"
	for _, kind := range joinKinds {
		for _, n := range [][2]int64{{1000, 1000}, {2, batch.Chunk}} {
			l, r := optest.Source(in("l", schema)), optest.Source(in("r", schema))
			op := open(t, must(operators.NewWindowJoin(kind, l, r, 0, 1, 0, 1, []int{2}, []int{2}, nil, nil)))
			rows := int64(0)
			count := func(b *batch.Batch) error {
				if rows += int64(b.Live()); b.Live() > batch.Chunk {
					t.Fatalf("%d rows at once", b.Live())
				}
				return nil
			}
			for in := range 2 {
				b := batch.New(l.Base().Schema, 1000)
				for i := range n[in] {
					for c, x := range []int64{0, 10e6, 7, i} {
						b.Cols[c].AppendInt(x)
					}
					b.N++
				}
				if err := op.Push(in, b, count); err != nil {
					t.Fatal(err)
				}
			}
			if err := op.EndStep([]operators.WM{operators.WMEnd, operators.WMEnd}, count); err != nil {
				t.Fatal(err)
			}
			if rows != n[0]*n[1] {
				t.Errorf("%v: %d rows of %v", kind, rows, n)
			}
		}
	}
}

// Windows of a table function feed joins and aggregates over their columns.
func TestWindowsThatAreCarried(t *testing.T) {
	tvf := func(n operators.Node, proc bool) operators.Node {
		w := windows.Spec{Kind: windows.Tumble, Size: 10 * sec, Proc: proc}
		return must(operators.NewWindowAssign(n, w, [3]string{"ws", "we", "wt"}))
	}
	join := func(in nodes, proc bool) operators.Node {
		l, r := tvf(in[0], proc), tvf(in[1], proc)
		return must(operators.NewWindowJoin(operators.Inner, l, r, 2, 3, 2, 3, []int{1}, []int{1}, nil, nil))
	}
	count := func(j operators.Node) operators.Node {
		return operators.NewAttachedAggregate(j, 2, 3, []int{1}, []operators.AggCall{agg(j, "COUNT", false, -1)},
			append([]batch.Field{{Name: "k", Type: batch.TypeInt}}, optest.Schema("n BIGINT, s TIMESTAMP(3), e TIMESTAMP(3)").Fields...))
	}
	timed := "ts TIMESTAMP(3) ROWTIME, k INT"
	optest.Run(t, optest.Case{In: []optest.Input{in("l", timed), in("r", timed)},
		Node:   func(in nodes) operators.Node { return count(join(in, false)) },
		Script: "l 1|7\nl 2|7\nr 3|7\nl 11|7\nl wm 10\nr wm 10\nstep\nr 12|7\nend",
		Steps:  []string{"7|2|0|10"}, Want: "7|2|0|10\n7|1|10|20"})
	proc := "ts TIMESTAMP_LTZ(3) PROCTIME, k INT"
	optest.Run(t, optest.Case{In: []optest.Input{in("l", proc), in("r", proc)},
		Node:   func(in nodes) operators.Node { return count(join(in, true)) },
		Script: "now 1\nl 0|7\nstep\nnow 9.9\nr 0|7\nr 0|7\nstep\nnow 10\nl 0|7\nend",
		Steps:  []string{"", "", "7|2|0|10"}, Want: "7|2|0|10"})
}
