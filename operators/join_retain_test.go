package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

// bidsOf is bids joined with their auction while it is open: b.ts BETWEEN a.ts AND
// a.ends, with retention.
func bidsOf(in nodes) operators.Node {
	a, ends := col(in[0], 1), col(in[0], 2)
	b := expr.NewCol(4, in[1].Base().Schema.Fields[1])
	n := operators.NewJoin(operators.Inner, in[0], in[1], []int{0}, []int{0}, nil, ex(expr.Between(b, a, ends, false, false)))
	n.Retain()
	if n.State != "bounded(watermark)" || !n.UsesWM {
		panic("the condition bounds neither side: " + n.State)
	}
	return n
}

var auctionsAndBids = []optest.Input{in("a", "k STRING, ts TIMESTAMP(3) ROWTIME, ends TIMESTAMP(3)"), in("b", "k STRING, ts TIMESTAMP(3) ROWTIME, v INT")}

func TestJoinRetention(t *testing.T) {
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"in time, both orders", optest.Case{
			Script: "a x|1|10\nb x|5|1\na wm 5\nb wm 5\nstep\nb x|9|2\na wm 9\nb wm 9\nstep\nb x|10|3\nb y|9|4\nstep\na y|9|20\na wm 20\nb wm 20\nend",
			Want:   "x|1|10|x|5|1\nx|1|10|x|9|2\nx|1|10|x|10|3\ny|9|20|y|9|4"}},
		{"a late row misses a partner that is gone, and is counted", optest.Case{
			Script: "a x|1|10\nstep\na wm 100\nb wm 100\nstep\nb x|5|1\nend",
			Want:   "", Reject: map[operators.Reason]int64{operators.Late: 1}}},
		{"a late row meets what is still there", optest.Case{
			Script: "a x|1|200\nstep\na wm 100\nb wm 100\nstep\nb x|5|1\nend",
			Want:   "x|1|200|x|5|1", Reject: map[operators.Reason]int64{operators.Late: 1}}},
		{"NULL times match nothing", optest.Case{Script: "a x|1|NULL\nb x|1|1\nstep\na wm 5\nb wm 5\nend", Want: ""}},
	} {
		c.c.In, c.c.Node = auctionsAndBids, bidsOf
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows, none of them late: retention must not be seen in the answer.
func TestJoinRetentionAgreesWithNestedLoop(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		type row struct{ k, ts, x int }
		var as, bs []row
		var s strings.Builder
		now := [2]int{}
		for range 60 {
			k := r.IntN(3)
			switch r.IntN(5) {
			case 0, 1:
				x := row{k, now[0] + r.IntN(4), 0}
				x.x = x.ts + r.IntN(8)
				as = append(as, x)
				fmt.Fprintf(&s, "a k%d|%d|%d\n", x.k, x.ts, x.x)
			case 2, 3:
				x := row{k, now[1] + r.IntN(4), r.IntN(100)}
				bs = append(bs, x)
				fmt.Fprintf(&s, "b k%d|%d|%d\n", x.k, x.ts, x.x)
			default:
				side := r.IntN(2)
				now[side] += r.IntN(6)
				fmt.Fprintf(&s, "%s wm %d\nstep\n", [2]string{"a", "b"}[side], now[side])
			}
		}
		var want []string
		for _, a := range as {
			for _, b := range bs {
				if a.k == b.k && b.ts >= a.ts && b.ts <= a.x {
					want = append(want, fmt.Sprintf("k%d|%d|%d|k%d|%d|%d", a.k, a.ts, a.x, b.k, b.ts, b.x))
				}
			}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: auctionsAndBids, Node: bidsOf, Script: s.String() + "end", Want: strings.Join(want, "\n")})
		})
	}
}

// What bounds a side, and what does not.
func TestJoinRetain(t *testing.T) {
	a := optest.Source(in("a", "k STRING, ts TIMESTAMP(3) ROWTIME, p TIMESTAMP(3)"))
	b := optest.Source(in("b", "k STRING, ts TIMESTAMP(3) ROWTIME, p TIMESTAMP(3)"))
	day, err := expr.Interval("1", "DAY")
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) expr.Expr {
		if i < 3 {
			return col(a, i)
		}
		return expr.NewCol(i, b.Base().Schema.Fields[i-3])
	}
	for _, c := range []struct {
		op   string
		l, r expr.Expr
		want string
	}{
		{">=", at(4), at(1), "right 1 by 1 +0"},
		{">", at(4), at(1), "right 1 by 1 +0"},
		{"<=", at(4), at(2), "left 2 by 1 +0"},
		{"<", at(1), at(5), "right 2 by 1 +0"},
		{"<=", at(5), at(2), ""}, // neither is a time attribute
		{">=", ex(expr.Arith("+", at(2), day)), at(4), "left 2 by 1 +86400000000"},
		{">=", at(2), ex(expr.Arith("-", at(4), day)), "left 2 by 1 +86400000000"},
		{"=", at(4), at(1), ""},
	} {
		n := operators.NewJoin(operators.Inner, a, b, []int{0}, []int{0}, nil, ex(expr.Compare(c.op, c.l, c.r)))
		n.Retain()
		got := ""
		for i, k := range n.Keep {
			if k != nil {
				got = fmt.Sprintf("%s %d by %d +%d", [2]string{"left", "right"}[i], k.Col, k.By, k.Add)
			}
		}
		if got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.l, c.op, c.r, got, c.want)
		}
	}
	outer := operators.NewJoin(operators.Left, a, b, []int{0}, []int{0}, nil, ex(expr.Compare(">=", at(4), at(1))))
	outer.Retain()
	updating := operators.NewJoin(operators.Inner, optest.Source(changes("a", "k STRING, ts TIMESTAMP(3) ROWTIME, p TIMESTAMP(3)")), b, []int{0}, []int{0}, nil, ex(expr.Compare(">=", at(4), at(1))))
	updating.Retain()
	if outer.Keep[1] != nil || updating.Keep[1] != nil {
		t.Error("an outer join or one of updates drops rows")
	}
}
