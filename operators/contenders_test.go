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
	"github.com/streamd/streamd/operators/windows"
	"github.com/streamd/streamd/state"
)

// best joins rows (ts, v) with the MAX or MIN of the windows that end from their time
// to a window's size after it, both included, through Contenders.
func best(w windows.Spec, min bool) func(in nodes) operators.Node {
	f := map[bool]string{true: "MIN", false: "MAX"}[min]
	return func(in nodes) operators.Node {
		top := windowed(in[0], w, nil, agg(in[0], f, false, -1, 1))
		rows := operators.NewContenders(in[0], 1, 0, min, w, 0, w.Size)
		ts, end := col(in[0], 0), expr.NewCol(4, top.Base().Schema.Fields[2])
		start := expr.NewCol(3, top.Base().Schema.Fields[1])
		in2 := ex(expr.And(ex(expr.Compare(">=", ts, start)), ex(expr.Compare("<=", ts, end))))
		return operators.NewJoin(operators.Inner, rows, top, []int{1}, []int{0}, nil, in2)
	}
}

func TestContenders(t *testing.T) {
	timed := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, v INT")}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"ties, and a row at the very end of the window before", optest.Case{Node: best(tumble(10), false),
			Script: "t 1|5\nt 2|7\nt 3|7\nt 10|7\nt 11|6\nend",
			Want:   "2|7|7|0|10\n3|7|7|0|10\n10|7|7|0|10\n10|7|7|10|20"}},
		{"a row at the end that is outdone in its own window only", optest.Case{Node: best(tumble(10), false),
			Script: "t 11|9\nt 10|7\nt 2|7\nend",
			Want:   "11|9|9|10|20\n10|7|7|0|10\n2|7|7|0|10"}},
		{"a late row does not count, and meets the MAX that it equals", optest.Case{Node: best(tumble(10), false),
			Script: "t 1|5\nt wm 10\nstep\nt 2|9\nt 3|5\nt 4|4\nend",
			Want:   "1|5|5|0|10\n3|5|5|0|10", Reject: map[operators.Reason]int64{operators.Late: 3}}},
		{"MIN, NULLs, times before 1970", optest.Case{Node: best(tumble(10), true),
			Script: "t -3|5\nt -2|-7\nt -1|NULL\nt -1|-7\nt 0|-7\nend",
			Want:   "-2|-7|-7|-10|0\n-1|-7|-7|-10|0\n0|-7|-7|-10|0\n0|-7|-7|0|10"}},
		{"HOP whose slide does not divide its size", optest.Case{Node: best(hop(4, 6), false),
			Script: "t 1|5\nt 5|3\nt 6|3\nt 9|4\nend",
			Want:   "1|5|5|-4|2\n1|5|5|0|6\n9|4|4|4|10\n9|4|4|8|14"}},
	} {
		c.c.In = timed
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows, also late ones, against all rows with all windows.
func TestContendersAgreeWithNestedLoop(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 9))
		w := []windows.Spec{tumble(5), hop(2, 6), hop(4, 6)}[r.IntN(3)]
		min := r.IntN(2) == 0
		size, slide := w.Size/sec, w.Slide/sec
		if slide == 0 {
			slide = size
		}
		type row struct{ ts, v int64 }
		var rows []row
		var s strings.Builder
		tops := map[int64]int64{} // by end
		wm, late, now := int64(-1<<40), int64(0), int64(0)
		for range 60 {
			switch r.IntN(6) {
			case 0:
				fmt.Fprintf(&s, "t wm %d\nstep\n", now)
				wm = now
			default:
				now += int64(r.IntN(3))
				x := row{now - int64(r.IntN(2)*r.IntN(12)), int64(r.IntN(4))}
				rows = append(rows, x)
				fmt.Fprintf(&s, "t %d|%d\n", x.ts, x.v)
				counts := false
				for end := int64(-100); end < 1000; end++ {
					if (end-size)%slide != 0 || x.ts < end-size || x.ts >= end || end <= wm {
						continue
					}
					counts = true
					if top, ok := tops[end]; !ok || (x.v > top) != min && x.v != top {
						tops[end] = x.v
					}
				}
				in := false // a HOP with gaps is not tested here: every row is in a window
				for end := x.ts + 1; end <= x.ts+size; end++ {
					in = in || (end-size)%slide == 0
				}
				if in && !counts {
					late++
				}
			}
		}
		var want []string
		for _, x := range rows {
			for end, top := range tops {
				if x.v == top && x.ts >= end-size && x.ts <= end {
					want = append(want, fmt.Sprintf("%d|%d|%d|%d|%d", x.ts, x.v, top, end-size, end))
				}
			}
		}
		optest.Run(t, optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, v INT")}, Node: best(w, min),
			Script: s.String() + "end", Want: strings.Join(want, "\n"), Reject: map[operators.Reason]int64{operators.Late: late}})
	}
}

// What it is for: of n rows of a window in random order about ln n go on.
func TestContendersDrop(t *testing.T) {
	src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, v INT"))
	n := operators.NewContenders(src, 1, 0, false, tumble(10), 0, 10*sec)
	o, err := n.New(&operators.Env{Workers: 1, State: state.NewMem(0, 1), Prev: func(int) operators.WM { return operators.WMStart }})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	b := batch.New(n.Schema, 0)
	for i := range 5000 {
		b.Cols[0].AppendInt(int64(i) * sec / 1000)
		b.Cols[1].AppendInt(r.Int64N(1 << 40))
		b.AddWeight(1)
	}
	b.Cols[0].I[7] = 1 << 50 // a row far away
	kept := 0
	if err := o.Push(0, b, func(b *batch.Batch) error { kept += b.Live(); return nil }); err != nil {
		t.Fatal(err)
	}
	if kept < 1 || kept > 40 {
		t.Errorf("%d of 5000 rows of one window go on", kept)
	}
}
