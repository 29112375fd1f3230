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

// near builds an interval join of inputs ts, k, v on k; lo <= r.ts - l.ts <= hi in
// seconds; residual l.v < r.v where asked.
func near(kind operators.JoinKind, in nodes, lo, hi float64, safe, residual bool) *operators.IntervalJoin {
	var cond expr.Expr
	if residual {
		cond = ex(expr.Compare("<", col(in[0], 2), expr.NewCol(5, in[1].Base().Schema.Fields[2])))
	}
	w := operators.Interval{Lo: int64(lo * float64(sec)), Hi: int64(hi * float64(sec))}
	n, err := operators.NewIntervalJoin(kind, in[0], in[1], w, []int{1}, []int{1}, []bool{safe}, cond)
	if err != nil {
		panic(err)
	}
	return n
}

const nearSchema = "ts TIMESTAMP(3) ROWTIME, k STRING, v INT"

func TestIntervalJoin(t *testing.T) {
	both := []optest.Input{in("l", nearSchema), in("r", nearSchema)}
	join := func(kind operators.JoinKind, lo, hi float64) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return near(kind, in, lo, hi, false, false) }
	}
	const none = "|NULL|NULL|NULL"
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"bounds are inclusive (J13)", optest.Case{In: both, Node: join(operators.Left, 0, 5), AnyCuts: true,
			Script: "l 1|a|1\nr 6|a|2\nr 6.001|a|3\nr 0.999|a|4\nr 1|b|5\nend", Want: "1|a|1|6|a|2"}},
		{"late rows meet what is kept, or are padded at once (J14)", optest.Case{In: both, Node: join(operators.Left, 0, 5),
			Script: "r 12|a|9\nl wm 10\nr wm 10\nstep\nl 8|a|1\nl 1|a|2\nstep\nend",
			Steps:  []string{"", "8|a|1|12|a|9\n1|a|2" + none}, Want: "8|a|1|12|a|9\n1|a|2" + none}},
		{"equal times (J15)", optest.Case{In: both, Node: join(operators.Full, 0, 0), AnyCuts: true,
			Script: "l 1|a|1\nr 1|a|2\nr 2|a|3\nl 3|a|4\nend", Want: "1|a|1|1|a|2\nNULL|NULL|NULL|2|a|3\n3|a|4" + none}},
		{"padding waits for the bound", optest.Case{In: both, Node: join(operators.Full, -2, 5),
			Script: "l 10|a|1\nr 10|b|2\nl wm 50\nr wm 12\nstep\nr wm 12.001\nstep\nr wm 15\nstep\nr wm 15.001\nstep\nend",
			Steps:  []string{"", "NULL|NULL|NULL|10|b|2", "", "10|a|1" + none}, Want: "NULL|NULL|NULL|10|b|2\n10|a|1" + none}},
		{"a row at the bound still meets", optest.Case{In: both, Node: join(operators.Inner, -2, 5),
			Script: "l 10|a|1\nr 10|b|2\nl wm 15\nr wm 15\nstep\nr 15|a|3\nl 12|b|4\nend", Want: "10|a|1|15|a|3"}},
		{"NULL keys", optest.Case{In: both, Node: join(operators.Full, 0, 5), Script: "l 1|NULL|1\nr 2|NULL|2\nstep\nend",
			Steps: []string{"1|NULL|1" + none + "\nNULL|NULL|NULL|2|NULL|2"}, Want: "1|NULL|1" + none + "\nNULL|NULL|NULL|2|NULL|2"}},
		{"NULL keys of an inner join", optest.Case{In: both, Node: join(operators.Inner, 0, 5), Script: "l 1|NULL|1\nr 2|NULL|2\nl 1|a|1\nr 1|a|1\nend", Want: "1|a|1|1|a|1"}},
		{"NULL times (W6)", optest.Case{In: both, Node: join(operators.Full, 0, 5), Script: "l NULL|a|1\nr 2|a|2\nend",
			Want: "NULL|NULL|NULL|2|a|2", Reject: map[operators.Reason]int64{operators.Failed: 1}}},
		{"a condition decides who is padded", optest.Case{In: both, AnyCuts: true, Node: func(in nodes) operators.Node { return near(operators.Full, in, -5, 5, true, true) },
			Script: "l 1|a|1\nl +2|1|a|9\nr +3|2|a|5\nr 2|NULL|1\nl 3|NULL|0\nend", Want: "+3|1|a|1|2|a|5\n+2|1|a|9" + none + "\n3|NULL|0|2|NULL|1"}},
		{"no interval at all", optest.Case{In: both, Node: join(operators.Left, 5, -5), AnyCuts: true, Script: "l 1|a|1\nr 1|a|2\nend", Want: "1|a|1" + none}},
		{"hidden columns end here", optest.Case{In: []optest.Input{in("l", nearSchema+", $pos BIGINT"), in("r", nearSchema+", $wm BIGINT")}, AnyCuts: true, Node: join(operators.Inner, 0, 5),
			Script: "l 1|a|1|77\nr 2|a|2|0\nend", Want: "1|a|1|2|a|2"}},
		// r@12 is gone for a row at 12.001, although the step is not over.
		{"on-event: a row's own watermark", optest.Case{In: []optest.Input{in("l", nearSchema+", $wm TIMESTAMP(3)"), in("r", nearSchema)}, Ordered: true, Node: join(operators.Left, 0, 5),
			Script: "r 12|a|9\nl wm 0\nr wm 100\nstep\nl 8|a|1|10\nl 9|a|2|12\nl 7|a|3|12.001\nend", Want: "8|a|1|12|a|9\n9|a|2|12|a|9\n7|a|3" + none}},
		{"processing time", optest.Case{In: []optest.Input{in("l", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING, v INT"), in("r", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING, v INT")},
			Node:   join(operators.Left, -1, 2),
			Script: "now 1\nl 1|a|1\nstep\nnow 3\nr 3|a|2\nl 3|b|3\nstep\nnow 3.5\nl 3.5|a|4\nr 3.5|b|5\nstep\nnow 6\nl 6|c|6\nstep\nnow 8\nstep\nnow 8.000001\nend",
			Want:   "1|a|1|3|a|2\n3|b|3|3.5|b|5\n3.5|a|4|3|a|2\n6|c|6" + none}},
		{"a window waits for what the interval holds back (W32)", optest.Case{In: both, Node: func(in nodes) operators.Node {
			j := near(operators.Inner, in, 0, 20, false, false)
			return windowed(j, tumble(10), nil, agg(j, "COUNT", false, -1))
		}, Script: "l 1|a|1\nr 2|a|1\nl wm 19\nr wm 19\nstep\nr 19|a|1\nr 3|a|1\nl wm 29.999\nr wm 29.999\nstep\nl wm 30\nr wm 30\nstep\nend",
			Steps: []string{"", "", "3|0|10"}, Want: "3|0|10"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

func TestIntervalJoinPlan(t *testing.T) {
	l, r := optest.Source(in("l", nearSchema)), optest.Source(in("r", nearSchema))
	n := near(operators.Full, nodes{l, r}, -2, 5, false, true)
	if got, want := n.Op()+" "+n.Detail(), "interval join full on k = k AND (v < v) where right ts - left ts is -2s to 5s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n.State != "bounded(watermark)" || n.Mode != operators.Append || n.Schema.Fields[0].Time != batch.Rowtime || n.Schema.Fields[3].Time != batch.Rowtime {
		t.Errorf("%s %v %v", n.State, n.Mode, n.Schema)
	}
	for _, c := range [][2]operators.WM{{operators.WMStart, operators.WMStart}, {operators.WMStart + 7, operators.WMStart}, {operators.WMEnd, operators.WMEnd}, {operators.WM(9 * sec), operators.WM(4 * sec)}} {
		if got := n.OutWM([]operators.WM{c[0], operators.WMEnd}); got != c[1] {
			t.Errorf("watermark %d becomes %d, want %d", c[0], got, c[1])
		}
	}
	if got := near(operators.Inner, nodes{l, r}, -7, -5, false, false).OutWM([]operators.WM{operators.WM(9 * sec), operators.WM(10 * sec)}); got != operators.WM(2*sec) {
		t.Errorf("watermark %d", got)
	}
	up := optest.Source(changes("r", nearSchema))
	_, err := operators.NewIntervalJoin(operators.Inner, l, up, operators.Interval{}, []int{1}, []int{1}, nil, nil)
	if pe, ok := err.(*operators.PlanError); !ok || pe.Code != operators.CodeUpdates {
		t.Errorf("updates: %v", err)
	}
}

// What has gone takes no memory, and no row is padded twice.
func TestIntervalJoinForgets(t *testing.T) {
	l, r := optest.Source(in("l", "ts TIMESTAMP(3) ROWTIME, k INT, v INT")), optest.Source(in("r", "ts TIMESTAMP(3) ROWTIME, k INT, v INT"))
	n := near(operators.Full, nodes{l, r}, -1, 1, false, false)
	n.Base().Ident = "op"
	prev := operators.WMStart
	w := state.NewMem(0, 1)
	op, err := n.New(&operators.Env{Workers: 1, Now: func() int64 { return 0 }, Prev: func(int) operators.WM { return prev }, State: w})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	count := func(b *batch.Batch) error { rows += b.Live(); return nil }
	for step := range int64(100) {
		for in := range 2 {
			b := batch.New(l.Base().Schema, 100)
			for i := range int64(100) {
				for c, x := range []int64{(step*10 + i/10) * sec, 2*i + int64(in), 0} { // no key is on both sides
					b.Cols[c].AppendInt(x)
				}
				b.N++
			}
			if err := op.Push(in, b, count); err != nil {
				t.Fatal(err)
			}
		}
		prev = operators.WM((step*10 + 9) * sec)
		if err := op.EndStep([]operators.WM{prev, prev}, count); err != nil {
			t.Fatal(err)
		}
		// Rows of the last two seconds, ten a second and side, may still meet some.
		if got := op.(operators.OpenGroups).Open(); got != 2*20 || rows != int(step)*200+160 {
			t.Fatalf("step %d: %d rows kept, %d padded", step, got, rows)
		}
	}
}

// A key with many matches is joined in chunks.
func TestIntervalJoinOfManyMatches(t *testing.T) {
	schema := "ts TIMESTAMP(3) ROWTIME, k INT, v INT"
	for _, kind := range joinKinds {
		l, r := optest.Source(in("l", schema)), optest.Source(in("r", schema))
		op := open(t, near(kind, nodes{l, r}, -1, 1, false, false))
		rows := 0
		count := func(b *batch.Batch) error {
			if rows += b.Live(); b.Live() > batch.Chunk {
				t.Fatalf("%d rows at once", b.Live())
			}
			return nil
		}
		for in := range 2 {
			b := batch.New(l.Base().Schema, 1000)
			for i := range int64(1000) {
				for c, x := range []int64{sec, 7, i} {
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
		if rows != 1000*1000 {
			t.Errorf("%v: %d rows", kind, rows)
		}
	}
}

// nearRow is a row of the oracle: when it came, and until which watermark it is kept.
type nearRow struct {
	ts, until, step, wm int
	k                   string
	v, w                int
	met                 bool
}

func (x *nearRow) text() string {
	if x == nil {
		return "NULL|NULL|NULL"
	}
	return fmt.Sprintf("%d|%s|%d", x.ts, x.k, x.v)
}

// meets is the oracle's word on rows near each other: the one of the earlier step is
// kept when the other comes; of one step, one of them is kept.
func (x *nearRow) meets(y *nearRow) bool {
	switch {
	case x.step < y.step:
		return x.until >= y.wm
	case x.step > y.step:
		return y.until >= x.wm
	}
	return x.until >= x.wm || y.until >= y.wm
}

// Random rows, late ones among them, against a nested loop over all pairs.
func TestIntervalJoinAgreesWithNestedLoop(t *testing.T) {
	for seed := range uint64(64) {
		r := rand.New(rand.NewPCG(seed, 21))
		kind, residual, safe := joinKinds[seed%4], seed&4 != 0, seed&8 != 0
		lo, hi := r.IntN(8)-5, 0
		hi = lo + r.IntN(6)
		near0 := func(a, b *nearRow) bool {
			return a.k == b.k && (safe || a.k != "NULL") && b.ts-a.ts >= lo && b.ts-a.ts <= hi
		}
		var s strings.Builder
		var rows [2][]*nearRow
		wm, prev, step := [2]int{-100, -100}, -100, 0
		for range 80 {
			side := r.IntN(2)
			switch name := []string{"l", "r"}[side]; r.IntN(8) {
			case 0:
				wm[side] = max(wm[side]+r.IntN(4), 0)
				fmt.Fprintf(&s, "%s wm %d\n", name, wm[side])
			case 1:
				s.WriteString("step\n")
				prev, step = min(wm[0], wm[1]), step+1
			default:
				x := &nearRow{ts: max(wm[side], 0) + r.IntN(12) - 6, k: []string{"a", "b", "NULL"}[r.IntN(3)], v: r.IntN(4), w: 1 + r.IntN(2), step: step, wm: prev}
				x.until = x.ts + []int{hi, -lo}[side]
				// Two rows of one step, one of them gone when it comes: cuts between them tell.
				cut := false
				for _, y := range rows[1-side] {
					a, b := x, y
					if side == 1 {
						a, b = y, x
					}
					cut = cut || y.step == step && near0(a, b) && (x.until < prev) != (y.until < prev)
				}
				if cut {
					continue
				}
				rows[side] = append(rows[side], x)
				fmt.Fprintf(&s, "%s +%d|%s\n", name, x.w, x.text())
			}
		}
		var want []string
		add := func(w int, a, b *nearRow) { want = append(want, fmt.Sprintf("+%d|%s|%s", w, a.text(), b.text())) }
		for _, a := range rows[0] {
			for _, b := range rows[1] {
				if near0(a, b) && a.meets(b) && (!residual || a.v < b.v) {
					a.met, b.met = true, true
					add(a.w*b.w, a, b)
				}
			}
			if !a.met && (kind == operators.Left || kind == operators.Full) {
				add(a.w, a, nil)
			}
		}
		for _, b := range rows[1] {
			if !b.met && (kind == operators.Right || kind == operators.Full) {
				add(b.w, nil, b)
			}
		}
		t.Run(fmt.Sprintf("%v/residual=%v,safe=%v/%d", kind, residual, safe, seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{in("l", nearSchema), in("r", nearSchema)}, Script: s.String() + "end", Want: strings.Join(want, "\n"),
				Node: func(in nodes) operators.Node { return near(kind, in, float64(lo), float64(hi), safe, residual) }})
		})
	}
}

// The hot path of an interval of 100 ms by one integer key. ns/op is a row.
func BenchmarkIntervalJoin(b *testing.B) {
	schema := "ts TIMESTAMP(3) ROWTIME, k BIGINT, v BIGINT"
	l, r := optest.Source(in("l", schema)), optest.Source(in("r", schema))
	op := open(b, near(operators.Inner, nodes{l, r}, -0.1, 0, false, false))
	bt := [2]*batch.Batch{batch.New(l.Base().Schema, 1024), batch.New(l.Base().Schema, 1024)}
	none := func(*batch.Batch) error { return nil }
	b.ResetTimer()
	for i := 0; i < b.N; {
		b.StopTimer()
		for in, x := range bt {
			x.Reset()
			for ; x.N < 1024; i++ {
				for c, v := range []int64{int64(i) / 10 * 1000, int64(uint64(i/2)*0x9e3779b97f4a7c15>>20) % 10_000, int64(in)} {
					x.Cols[c].AppendInt(v)
				}
				x.N++
			}
		}
		b.StartTimer()
		for in, x := range bt {
			if err := op.Push(in, x, none); err != nil {
				b.Fatal(err)
			}
		}
		wm := operators.WM(i/10*1000 - 1000)
		if err := op.EndStep([]operators.WM{wm, wm}, none); err != nil {
			b.Fatal(err)
		}
	}
}
