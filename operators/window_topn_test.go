package operators_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

func TestWindowTopN(t *testing.T) {
	const schema = "ws TIMESTAMP(3), we TIMESTAMP(3), id STRING, o INT"
	rows := []optest.Input{in("t", schema)}
	top := func(desc bool, from, to int64, rank, newest bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node {
			return must(operators.NewWindowTopN(in[0], []int{0, 1}, []operators.OrderKey{{Col: 3, Desc: desc}}, from, to, rank, "rn", 1, newest))
		}
	}
	late := func(n int64) map[operators.Reason]int64 { return map[operators.Reason]int64{operators.Late: n} }
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"a window is emitted once, when it is over", optest.Case{In: rows, Ordered: true, Node: top(true, 1, 2, true, false),
			Script: "t 0|10|a|1\nt 10|20|x|7\nt wm 9.999\nstep\nt 0|10|b|5\nt 0|10|c|5\nt wm 10\nstep\nt 10|20|y|8\nend",
			Steps:  []string{"", "0|10|b|5|1\n0|10|c|5|2"}, Want: "0|10|b|5|1\n0|10|c|5|2\n10|20|y|8|1\n10|20|x|7|2"}},
		{"late", optest.Case{In: rows, Node: top(true, 1, 1, false, false),
			Script: "t 0|10|a|1\nt wm 10\nstep\nt 0|10|b|5\nt 0|20|c|5\nend", Want: "0|10|a|1\n0|20|c|5", Reject: late(1)}},
		{"late by its own watermark", optest.Case{In: []optest.Input{in("t", schema+", $wm BIGINT")}, Node: top(true, 1, 1, false, false),
			Script: "t 0|10|a|1|0\nt 0|10|b|5|10000000\nt 0|20|c|5|10000000\nend", Want: "0|10|a|1\n0|20|c|5", Reject: late(1)}},
		{"the later of equals", optest.Case{In: rows, Ordered: true, Node: top(true, 1, 1, true, true),
			Script: "t 0|10|a|5\nt 0|10|b|5\nstep\nt 0|10|c|5\nt 0|10|d|4\nend", Want: "0|10|c|5|1"}},
		{"a range of ranks and weights", optest.Case{In: rows, Node: top(false, 2, 3, true, false),
			Script: "t +2|0|10|a|1\nt 0|10|b|2\nt 0|10|c|3\nt 0|20|a|1\nend", Want: "0|10|a|1|2\n0|10|b|2|3"}},
		{"NULL", optest.Case{In: rows, Node: top(true, 1, 2, false, false), Script: "t 0|10|a|NULL\nt 0|10|b|5\nt 0|10|c|3\nend", Want: "0|10|b|5\n0|10|c|3"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows against a sort of those that came before their window was over.
func TestWindowTopNAgreesWithSort(t *testing.T) {
	type row struct{ we, o, id int }
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 7))
		var s strings.Builder
		by := map[int][]row{}
		wm, prev, late := 0, 0, int64(0)
		s.WriteString("t wm 0\nstep\n")
		for id := range 80 {
			switch r.IntN(8) {
			case 0:
				wm += r.IntN(3) * 5
				fmt.Fprintf(&s, "t wm %d\n", wm)
			case 1:
				s.WriteString("step\n")
				prev = wm
			default:
				x := row{wm/10*10 + 10*r.IntN(3), r.IntN(20), id}
				fmt.Fprintf(&s, "t %d|%d|%d|%d\n", x.we-10, x.we, x.id, x.o)
				if x.we <= prev {
					late++
				} else {
					by[x.we] = append(by[x.we], x)
				}
			}
		}
		var want []string
		for _, rows := range by {
			slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.o, a.o) })
			for k, x := range rows[:min(3, len(rows))] {
				want = append(want, fmt.Sprintf("%d|%d|%d|%d|%d", x.we-10, x.we, x.id, x.o, k+1))
			}
		}
		c := optest.Case{In: []optest.Input{in("t", "ws TIMESTAMP(3), we TIMESTAMP(3), id INT, o INT")}, Ordered: true,
			Node: func(in nodes) operators.Node {
				return must(operators.NewWindowTopN(in[0], []int{0, 1}, []operators.OrderKey{{Col: 3, Desc: true}}, 1, 3, true, "rn", 1, false))
			},
			Script: s.String() + "end", Want: strings.Join(want, "\n")}
		if late > 0 {
			c.Reject = map[operators.Reason]int64{operators.Late: late}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { optest.Run(t, c) })
	}
}
