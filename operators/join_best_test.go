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
	"github.com/streamd/streamd/state"
)

var bestInputs = []optest.Input{in("a", "k STRING, ts TIMESTAMP(3) ROWTIME, ends TIMESTAMP(3)"), in("b", "k STRING, ts TIMESTAMP(3) ROWTIME, v INT")}

// bestBid is the top 1 by key of bidsOf, with retention or without, in an order of the
// bids' columns.
func bestBid(retain bool, order ...operators.OrderKey) func(nodes) operators.Node {
	return func(in nodes) operators.Node {
		j := bidsOf(in).(*operators.Join)
		if !retain {
			j.Keep = [2]*operators.Retention{}
		}
		j.SetBest(&operators.Best{Side: 1, Order: order})
		p := operators.NewProject(j, []expr.Expr{col(j, 0), col(j, 4), col(j, 5)}, optest.Schema("k STRING, ts TIMESTAMP(3), v INT").Fields)
		top := append([]operators.OrderKey(nil), order...)
		return operators.NewTopN(p, []int{0}, top, 1, 1, false, "")
	}
}

func TestJoinBest(t *testing.T) {
	dearest := []operators.OrderKey{{Col: 2, Desc: true}, {Col: 1}}
	yes, no := true, false
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"outdone in a later step and in the same one", optest.Case{Node: bestBid(false, dearest...),
			Script: "a x|1|20\nb x|5|3\nb x|6|7\nb x|4|7\nstep\nb x|7|5\nb x|8|9\nend",
			Steps:  []string{"x|4|7", "-1|x|4|7\nx|8|9"}, Want: "x|8|9"}},
		{"bids before their auction, some outside of it", optest.Case{Node: bestBid(false, dearest...),
			Script: "b x|5|3\nb x|0|9\nb x|30|8\nstep\na x|1|20\nstep\nb x|9|8\nb x|21|9\nstep\na x|21|40\nend",
			Steps:  []string{"", "x|5|3", "-1|x|5|3\nx|9|8", "-1|x|9|8\nx|21|9"}, Want: "x|21|9"}},
		{"NULL is the smallest", optest.Case{Node: bestBid(false, operators.OrderKey{Col: 2}), Script: "a x|1|20\nb x|2|1\nb x|3|NULL\nb x|4|0\nend", Want: "x|3|NULL"}},
		{"NULL descending", optest.Case{Node: bestBid(false, operators.OrderKey{Col: 2, Desc: true}), Script: "a x|1|20\nb x|3|NULL\nstep\nb x|4|0\nend", Want: "x|4|0"}},
		{"NULLS LAST", optest.Case{Node: bestBid(false, operators.OrderKey{Col: 2, NullsLast: &yes}), Script: "a x|1|20\nb x|3|NULL\nb x|2|1\nend", Want: "x|2|1"}},
		{"NULLS FIRST", optest.Case{Node: bestBid(false, operators.OrderKey{Col: 2, Desc: true, NullsLast: &no}), Script: "a x|1|20\nb x|2|1\nb x|3|NULL\nend", Want: "x|3|NULL"}},
		{"an auction that has gone leaves its place to another", optest.Case{Node: bestBid(true, dearest...),
			Script: "a x|1|2\nb x|1|9\nstep\na wm 100\nb wm 100\nstep\na y|200|300\nb y|200|3\nstep\nb y|201|4\nend", Want: "x|1|9\ny|201|4"}},
	} {
		c.c.In = bestInputs
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows, none of them late, against all pairs: with and without retention.
func TestJoinBestAgreesWithNestedLoop(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 6))
		type row struct{ k, ts, x int }
		var as, bs []row
		var s strings.Builder
		now := [2]int{}
		for range 80 {
			k := r.IntN(3)
			switch r.IntN(7) {
			case 0, 1:
				x := row{k, now[0] + r.IntN(4), 0}
				x.x = x.ts + r.IntN(8)
				as = append(as, x)
				fmt.Fprintf(&s, "a k%d|%d|%d\n", x.k, x.ts, x.x)
			case 2, 3, 4, 5:
				x := row{k, now[1] + r.IntN(4), r.IntN(20)}
				bs = append(bs, x)
				fmt.Fprintf(&s, "b k%d|%d|%d\n", x.k, x.ts, x.x)
			default:
				side := r.IntN(2)
				now[side] += r.IntN(6)
				fmt.Fprintf(&s, "%s wm %d\nstep\n", [2]string{"a", "b"}[side], now[side])
			}
		}
		var want []string
		for k := range 3 {
			var top *row
			for _, a := range as {
				for _, b := range bs {
					if a.k == k && b.k == k && b.ts >= a.ts && b.ts <= a.x && (top == nil || b.x > top.x || b.x == top.x && b.ts < top.ts) {
						top = &b
					}
				}
			}
			if top != nil {
				want = append(want, fmt.Sprintf("k%d|%d|%d", k, top.ts, top.x))
			}
		}
		optest.Run(t, optest.Case{In: bestInputs, Node: bestBid(seed%2 == 0, operators.OrderKey{Col: 2, Desc: true}, operators.OrderKey{Col: 1}),
			Script: s.String() + "end", Want: strings.Join(want, "\n")})
	}
}

// What it is for: bids that found their auction are not stored, and of the pairs of
// one batch the best goes on alone.
func TestJoinBestKeepsLittle(t *testing.T) {
	j := operators.NewJoin(operators.Inner, optest.Source(bestInputs[0]), optest.Source(bestInputs[1]), []int{0}, []int{0}, nil, nil)
	j.Ident = "j"
	j.SetBest(&operators.Best{Side: 1, Order: []operators.OrderKey{{Col: 2, Desc: true}}})
	w := state.NewMem(0, 1)
	o, err := j.New(&operators.Env{Workers: 1, State: w, Now: func() int64 { return 0 }, Prev: func(int) operators.WM { return operators.WMStart }})
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	out := func(b *batch.Batch) error { pairs += b.Live(); return nil }
	push := func(in int, rows ...[3]int64) {
		b := batch.New(j.In[in].Base().Schema, 0)
		for _, x := range rows {
			b.Cols[0].AppendString(fmt.Sprint("k", x[0]))
			b.Cols[1].AppendInt(x[1])
			b.Cols[2].AppendInt(x[2])
			b.AddWeight(1)
		}
		if err := o.Push(in, b, out); err != nil {
			t.Fatal(err)
		}
	}
	push(0, [3]int64{1, 1, 9})
	push(1, [3]int64{1, 2, 5}, [3]int64{1, 3, 8}, [3]int64{1, 4, 6}, [3]int64{2, 5, 1})
	push(1, [3]int64{1, 6, 7}, [3]int64{1, 7, 8})
	bids := 0
	for _, x := range w.Tables() {
		if strings.Contains(x.Spec.Layout, "right") {
			bids = x.Len()
		}
	}
	if pairs != 1 || bids != 1 {
		t.Errorf("%d pairs emitted and %d bids stored, want the best pair and the bid on what is unknown", pairs, bids)
	}
}
