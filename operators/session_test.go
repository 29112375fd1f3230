package operators_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

func TestSession(t *testing.T) {
	timed := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT")}
	events := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT, $wm TIMESTAMP(3)")}
	gap := windows.Spec{Kind: windows.Session, Size: 10 * sec}
	sums := func(in nodes) operators.Node {
		return windowed(in[0], gap, nil, agg(in[0], "SUM", false, -1, 2), agg(in[0], "COUNT", false, -1))
	}
	byKey := func(in nodes) operators.Node {
		w := gap
		w.Keys = []int{1}
		return windowed(in[0], w, []int{1}, agg(in[0], "SUM", false, -1, 2), agg(in[0], "MAX", false, -1, 2))
	}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"touching merges (W19)", optest.Case{In: timed, Node: sums, AnyCuts: true, Script: "t 0|a|1\nt 10|a|1\nt 20.001|a|1\nend",
			Want: "2|2|0|20\n1|1|20.001|30.001"}},
		{"late after merging (W20)", optest.Case{In: events, Ordered: true, Node: sums, AnyCuts: true,
			Script: "t 0|a|1|-100\nt 25|a|2|0.001\nt 12|a|3|25.001\nt 16|a|4|25.001\nt 40|a|5|25.001\nt 30|a|6|40.001\nend",
			Want:   "1|1|0|10\n6|2|16|35\n11|2|30|50", Reject: map[operators.Reason]int64{operators.Late: 1}}},
		// A session that is over at a row's watermark is closed for it, also where an open
		// one has come to begin before it.
		{"a closed session stays closed", optest.Case{In: events, Ordered: true, Node: sums, AnyCuts: true,
			Script: "t 3|a|1|-100\nt 8|a|2|13\nt 2|a|4|13\nt 9|a|8|13\nt 1|a|16|13\nend",
			Want:   "1|1|3|13\n30|4|1|19"}},
		{"by key, several become one", optest.Case{In: timed, Node: byKey, AnyCuts: true,
			Script: "t 0|a|1\nt 20|a|2\nt 0|NULL|7\nstep\nt 11|b|1\nt 10|a|3\nt +2|41|a|5\nend",
			Want:   "a|6|3|0|30\na|10|5|41|51\nNULL|7|7|0|10\nb|1|1|11|21"}},
		{"processing time", optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING, v INT")},
			Node: func(in nodes) operators.Node {
				w := gap
				w.Proc = true
				return windowed(in[0], w, nil, agg(in[0], "COUNT", false, -1))
			}, Script: "now 1\nt 0|a|1\nstep\nnow 9\nt 0|a|1\nstep\nnow 18.9\nstep\nnow 19\nt 0|a|1\nstep\nnow 28.9\nstep\nnow 29\nend",
			Want: "3 | 1 | 29"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
	_, err := operators.NewWindowAggregate(optest.Source(timed[0]), windows.Spec{Kind: windows.Session, Size: 1, Keys: []int{1}}, nil, nil, allCols, nil)
	if pe, ok := err.(*operators.PlanError); !ok || pe.Code != operators.CodeNotYet {
		t.Errorf("group by other columns: %v", err)
	}
}

// Random rows in any order, no watermark, against sorting and cutting at gaps.
func TestSessionsAgreeWithSort(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 9))
		var s strings.Builder
		times := map[string][]int{}
		for range 40 {
			k := []string{"a", "b"}[r.IntN(2)]
			ts := r.IntN(400)
			fmt.Fprintf(&s, "t %d|%s|1\n", ts, k)
			times[k] = append(times[k], ts)
			if r.IntN(6) == 0 {
				s.WriteString("step\n")
			}
		}
		var want []string
		for k, v := range times {
			slices.Sort(v)
			for from := 0; from < len(v); {
				to := from + 1
				for to < len(v) && v[to] <= v[to-1]+10 {
					to++
				}
				want = append(want, fmt.Sprintf("%s|%d|%d|%d", k, to-from, v[from], v[to-1]+10))
				from = to
			}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT")}, AnyCuts: true, Script: s.String() + "end", Want: strings.Join(want, "\n"),
				Node: func(in nodes) operators.Node {
					return windowed(in[0], windows.Spec{Kind: windows.Session, Size: 10 * sec, Keys: []int{1}}, []int{1}, agg(in[0], "SUM", false, -1, 2))
				}})
		})
	}
}
