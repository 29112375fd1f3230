package operators_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones also where the machine has no database of them

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

const sec = int64(1e6)

var allCols = operators.WinCols{Start: true, End: true}

// windowed builds a window aggregate over time column 0.
func windowed(n operators.Node, w windows.Spec, keys []int, calls ...operators.AggCall) operators.Node {
	f := aggFields(n, keys, calls)
	for _, c := range []string{"window_start", "window_end"} {
		f = append(f, batch.Field{Name: c, Type: batch.TypeTS3.With(true)})
	}
	return must(operators.NewWindowAggregate(n, w, keys, calls, allCols, f))
}

func tumble(size int64) windows.Spec { return windows.Spec{Kind: windows.Tumble, Size: size * sec} }

func hop(slide, size int64) windows.Spec {
	return windows.Spec{Kind: windows.Hop, Slide: slide * sec, Size: size * sec}
}

func cumulate(step, size int64) windows.Spec {
	return windows.Spec{Kind: windows.Cumulate, Slide: step * sec, Size: size * sec}
}

func TestWindowAggregate(t *testing.T) {
	timed := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT")}
	events := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT, $wm TIMESTAMP(3)")}
	updates := []optest.Input{changes("t", "ts TIMESTAMP(3) ROWTIME, k STRING, v INT")}
	count := func(w windows.Spec, keys ...int) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return windowed(in[0], w, keys, agg(in[0], "COUNT", false, -1)) }
	}
	late := func(n int64) map[operators.Reason]int64 { return map[operators.Reason]int64{operators.Late: n} }
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"late by a millisecond (W1)", optest.Case{In: timed, Node: count(tumble(10)),
			Script: "t 1|a|1\nt 9.999|a|1\nt wm 10\nstep\nt 9.998|a|1\nt 10|a|1\nend",
			Steps:  []string{"2 | 0 | 10"}, Want: "2 | 0 | 10\n1 | 10 | 20", Reject: late(1)}},
		{"not late before the end (W2)", optest.Case{In: timed, Node: count(tumble(10)),
			Script: "t 1|a|1\nt 9.9|a|1\nt wm 9.9\nstep\nt 2|a|1\nt 12|a|1\nt wm 12\nstep\nt 3|a|1\nt +2|4|a|1\nt 11|a|1\nend",
			Want:   "3 | 0 | 10\n2 | 10 | 20", Reject: late(3)}},
		{"keys, equal times, empty windows (W3)", optest.Case{In: timed, Node: count(tumble(10), 1),
			Script: "t 1|a|1\nt 1|NULL|1\nt +2|1|NULL|1\nt 35|a|1\nend",
			Want:   "a | 1 | 0 | 10\nNULL | 3 | 0 | 10\na | 1 | 30 | 40"}},
		{"updates (W4, W5)", optest.Case{In: updates, Node: count(tumble(10)),
			Script: "t 1|a|1\nstep\nt -1|1|a|1\nt 12|a|5\nt 3|a|7\nt wm 10\nstep\nt -1|3|a|7\nend", Broken: true,
			Want: "1 | 0 | 10\n1 | 10 | 20"}},
		{"an updated row leaves its window", optest.Case{In: updates, Node: count(tumble(10)),
			Script: "t 1|a|1\nstep\nt -1|1|a|1\nt 12|a|5\nend", Want: "1 | 10 | 20"}},
		{"hop, late into open windows (W7)", optest.Case{In: timed, Node: count(hop(5, 10)),
			Script: "t 1|a|1\nstep\nt 7|a|2\nt wm 7\nstep\nt 2|a|4\nend",
			Want:   "1 | -5 | 5\n3 | 0 | 10\n1 | 5 | 15"}},
		{"hop, slide does not divide (W9)", optest.Case{In: timed, Node: count(hop(4, 10)),
			Script: "t 1|a|1\nend", Want: "1 | -8 | 2\n1 | -4 | 6\n1 | 0 | 10"}},
		{"hop by key, panes merged", optest.Case{In: timed, AnyCuts: true, Node: func(in nodes) operators.Node {
			return windowed(in[0], hop(2, 4), []int{1}, agg(in[0], "SUM", false, -1, 2), agg(in[0], "MAX", false, -1, 2), agg(in[0], "AVG", false, -1, 2))
		}, Script: "t 0|a|1\nt 1|b|2\nt 2|a|3\nt 3|a|NULL\nt 5|b|7\nend",
			Want: "a | 1 | 1 | 1 | -2 | 2\nb | 2 | 2 | 2 | -2 | 2\na | 4 | 3 | 2 | 0 | 4\nb | 2 | 2 | 2 | 0 | 4\na | 3 | 3 | 3 | 2 | 6\nb | 7 | 7 | 7 | 2 | 6\nb | 7 | 7 | 7 | 4 | 8"}},
		{"hop of distinct values", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			return windowed(in[0], hop(5, 10), nil, agg(in[0], "COUNT", true, -1, 2))
		}, Script: "t 1|a|1\nt 6|a|1\nt 7|a|2\nt wm 7\nstep\nt 2|a|3\nend",
			Want: "1 | -5 | 5\n3 | 0 | 10\n2 | 5 | 15"}},
		{"tumble of distinct values", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			return windowed(in[0], tumble(10), []int{1}, agg(in[0], "COUNT", true, -1, 2), agg(in[0], "SUM", true, -1, 2))
		}, Script: "t 1|a|1\nt +2|6|a|1\nt 7|b|2\nstep\nt 2|a|3\nt 2|a|NULL\nt 12|a|3\nend",
			Want: "a | 2 | 4 | 0 | 10\nb | 1 | 2 | 0 | 10\na | 1 | 3 | 10 | 20"}},
		{"extremes of updates", optest.Case{In: updates, Node: func(in nodes) operators.Node {
			return windowed(in[0], hop(5, 10), nil, agg(in[0], "MAX", false, -1, 2), agg(in[0], "MIN", false, -1, 2))
		}, Script: "t 1|a|1\nt 6|a|5\nt 6|a|3\nstep\nt -1|6|a|5\nend",
			Want: "1 | 1 | -5 | 5\n3 | 1 | 0 | 10\n3 | 3 | 5 | 15"}},
		{"cumulate (W10)", optest.Case{In: timed, Node: count(cumulate(5, 15)),
			Script: "t 1|a|1\nt 7|a|1\nt 29|a|1\nend", Want: "1 | 0 | 5\n2 | 0 | 10\n2 | 0 | 15\n1 | 15 | 30"}},
		{"cumulate, late (W10)", optest.Case{In: timed, Node: count(cumulate(5, 15)),
			Script: "t 1|a|1\nstep\nt 7|a|1\nt wm 7\nstep\nt 2|a|1\nend", Want: "1 | 0 | 5\n3 | 0 | 10\n3 | 0 | 15"}},
		{"cumulate by key, offset", optest.Case{In: timed, AnyCuts: true, Node: func(in nodes) operators.Node {
			w := cumulate(5, 10)
			w.Offset = 2 * sec
			return windowed(in[0], w, []int{1}, agg(in[0], "SUM", false, -1, 2), agg(in[0], "MAX", false, -1, 2))
		}, Script: "t 1|a|1\nt 3|a|2\nt 3|NULL|7\nt 8|a|5\nt +2|9|a|1\nt 14|b|1\nend",
			Want: "a|1|1|-8|2\na|2|2|2|7\nNULL|7|7|2|7\na|9|5|2|12\nNULL|7|7|2|12\nb|1|1|12|17\nb|1|1|12|22"}},
		{"cumulate, updates", optest.Case{In: updates, Node: func(in nodes) operators.Node {
			return windowed(in[0], cumulate(5, 15), []int{1}, agg(in[0], "SUM", false, -1, 2))
		}, Script: "t 1|a|1\nt 2|b|1\nt wm 5\nstep\nt -1|1|a|1\nt 12|a|5\nt 6|b|2\nt wm 10\nstep\nt -1|6|b|2\nend",
			Want: "a|1|0|5\nb|1|0|5\nb|3|0|10\na|5|0|15\nb|1|0|15"}},
		{"cumulate of distinct values", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			return windowed(in[0], cumulate(5, 15), nil, agg(in[0], "COUNT", true, -1, 2))
		}, Script: "t 1|a|1\nt 6|a|1\nt 7|a|2\nt wm 7\nstep\nt 2|a|3\nend",
			Want: "1|0|5\n3|0|10\n3|0|15"}},
		{"cumulate, on-event: first open window", optest.Case{In: events, AnyCuts: true, Node: count(cumulate(5, 15), 1),
			Script: "t 1|a|1|-100\nt 7|b|1|1\nt 2|a|1|7\nt 11|b|1|7\nt 3|a|1|11\nt 16|b|1|11\nt 14|a|1|16\nend",
			Want:   "a|1|0|5\na|2|0|10\nb|1|0|10\na|3|0|15\nb|2|0|15\nb|1|15|20\nb|1|15|25\nb|1|15|30",
			Reject: late(1)}},
		{"cumulate, processing time", optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING")},
			Node:   count(windows.Spec{Kind: windows.Cumulate, Size: 3 * sec, Slide: sec, Proc: true}, 1),
			Script: "now 0.5\nt 0|a\nstep\nnow 1.5\nt 0|a\nstep\nnow 9\nend",
			Want:   "a|1|0|1\na|2|0|2\na|2|0|3"}},
		{"offset (W11)", optest.Case{In: timed, Node: count(windows.Spec{Kind: windows.Tumble, Size: 10 * sec, Offset: 2 * sec}),
			Script: "t 1|a|1\nt 3|a|1\nend", Want: "1 | -8 | 2\n1 | 2 | 12"}},
		{"on-event: a row's own watermark (W2)", optest.Case{In: events, AnyCuts: true, Node: count(tumble(10)),
			Script: "t 1|a|1|-100\nt 9.9|a|1|1\nt 2|a|1|9.9\nt 12|a|1|9.9\nt 3|a|1|12\nt 11|a|1|12\nend",
			Want:   "3 | 0 | 10\n2 | 10 | 20", Reject: late(1)}},
		{"on-event: first open window", optest.Case{In: events, AnyCuts: true, Node: count(hop(5, 10), 1),
			Script: "t 4|a|1|-100\nt 9.999|b|1|4\nt 6|a|1|10\nt 3|a|1|6\nend",
			Want:   "a | 1 | -5 | 5\na | 2 | 0 | 10\nb | 1 | 0 | 10\na | 1 | 5 | 15\nb | 1 | 5 | 15"}},
		{"on-event: first open window, distinct", optest.Case{In: events, AnyCuts: true, Node: func(in nodes) operators.Node {
			return windowed(in[0], hop(5, 10), []int{1}, agg(in[0], "COUNT", true, -1, 2))
		}, Script: "t 4|a|1|-100\nt 9.999|b|1|4\nt 6|a|2|10\nt 3|a|3|6\nend",
			Want: "a | 1 | -5 | 5\na | 2 | 0 | 10\nb | 1 | 0 | 10\na | 1 | 5 | 15\nb | 1 | 5 | 15"}},
		{"sum out of range", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			return windowed(in[0], tumble(10), []int{1}, agg(in[0], "SUM", false, -1, 2))
		}, Script: "t 1|a|2147483647\nt 1|a|1\nt 1|b|2\nend", Want: "b | 2 | 0 | 10", Reject: map[operators.Reason]int64{operators.Failed: 1}}},
		{"processing time (W28)", optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING")},
			Node:   count(windows.Spec{Kind: windows.Tumble, Size: sec, Proc: true}, 1),
			Script: "now 0.5\nt 0|a\nt 0|b\nstep\nnow 0.9\nt 0|a\nstep\nnow 1\nt 0|b\nend",
			Steps:  []string{"", "", "a | 2 | 0 | 1\nb | 1 | 0 | 1"}, Want: "a | 2 | 0 | 1\nb | 1 | 0 | 1"}},
		{"processing time, hop", optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) PROCTIME, k STRING")},
			Node:   count(windows.Spec{Kind: windows.Hop, Size: 2 * sec, Slide: sec, Proc: true}),
			Script: "now 0.5\nt 0|a\nstep\nnow 1.5\nt 0|a\nstep\nnow 9\nend",
			Want:   "1 | -1 | 1\n2 | 0 | 2\n1 | 1 | 3"}},
		{"window_time", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			return must(operators.NewWindowAggregate(in[0], tumble(10), nil, []operators.AggCall{agg(in[0], "COUNT", false, -1)}, operators.WinCols{End: true, Time: true},
				optest.Schema("n BIGINT, e TIMESTAMP(3), w TIMESTAMP(3) ROWTIME").Fields))
		}, Script: "t 1|a|1\nend", Want: "1 | 10 | 9.999"}},
		{"windows of windows", optest.Case{In: timed, Node: func(in nodes) operators.Node {
			w := must(operators.NewWindowAggregate(in[0], tumble(5), []int{1}, []operators.AggCall{agg(in[0], "COUNT", false, -1)}, operators.WinCols{Time: true},
				optest.Schema("k STRING, n BIGINT, w TIMESTAMP(3) ROWTIME").Fields))
			s := tumble(10)
			s.Col = 2
			return windowed(w, s, nil, agg(w, "SUM", false, -1, 1), agg(w, "COUNT", false, -1))
		}, Script: "t 1|a|1\nt 2|b|1\nt 6|a|1\nt wm 5\nstep\nt 7|a|1\nt 11|a|1\nend", Want: "4 | 3 | 0 | 10\n1 | 1 | 10 | 20"}},
		{"attached windows", optest.Case{In: []optest.Input{in("t", "s TIMESTAMP(3), e TIMESTAMP(3), k INT")}, Node: func(in nodes) operators.Node {
			return operators.NewAttachedAggregate(in[0], 0, 1, []int{2}, []operators.AggCall{agg(in[0], "COUNT", false, -1)},
				optest.Schema("k INT, n BIGINT, s TIMESTAMP(3), e TIMESTAMP(3)").Fields)
		}, Script: "t 0|10|1\nt 5|10|1\nt 0|10|1\nt wm 10\nstep\nt 0|10|1\nt 10|20|1\nend",
			Want: "1 | 2 | 0 | 10\n1 | 1 | 5 | 10\n1 | 1 | 10 | 20", Reject: late(1)}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// A window costs what its panes with rows cost, not what its panes are: two rows
// in 20,001 windows of 10,000 panes are done at once, not in minutes.
func TestWindowAggregateSparsePanes(t *testing.T) {
	var want strings.Builder
	for end := int64(1); end <= 10_000; end++ {
		n := 1
		if end > 5000 {
			n = 2
		}
		fmt.Fprintf(&want, "%d | %s | %s\n", n, ms(end-10_000), ms(end))
	}
	for end := int64(10_001); end <= 15_000; end++ {
		fmt.Fprintf(&want, "1 | %s | %s\n", ms(end-10_000), ms(end))
	}
	optest.Run(t, optest.Case{
		In: []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME")},
		Node: func(in nodes) operators.Node {
			w := windows.Spec{Kind: windows.Hop, Slide: sec / 1000, Size: 10 * sec}
			return windowed(in[0], w, nil, agg(in[0], "COUNT", false, -1))
		},
		Script: "t 0\nt 5\nend", Want: strings.TrimSuffix(want.String(), "\n"),
	})
}

// Windows that are over leave nothing behind.
func TestWindowAggregateForgets(t *testing.T) {
	for i, w := range []windows.Spec{tumble(10), hop(5, 10), cumulate(5, 15), tumble(10), hop(5, 10), cumulate(5, 15)} {
		apart := []int64{700, 13_000}[i/3] // panes with and without rows
		src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
		op := open(t, windowed(src, w, []int{1}, agg(src, "COUNT", false, -1)))
		b := batch.New(src.Base().Schema, 0)
		for i := range int64(100) {
			b.Cols[0].AppendInt(i * apart * 1000)
			b.Cols[1].AppendInt(i % 7)
			b.N++
		}
		none := func(*batch.Batch) error { return nil }
		if err := op.Push(0, b, none); err != nil {
			t.Fatal(err)
		}
		for _, wm := range []operators.WM{operators.WM(33 * sec), operators.WMEnd} {
			if err := op.EndStep([]operators.WM{wm}, none); err != nil {
				t.Fatal(err)
			}
		}
		if n := op.(operators.OpenGroups).Open(); n != 0 {
			t.Errorf("%s: %d groups are left", w.Kind, n)
		}
	}
}

// ms writes milliseconds as the scripts do: seconds with no zeros at the end.
func ms(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) }

// Facts W15, W17: windows follow the wall clock and fire at the instant of its end.
func TestWindowAggregateZones(t *testing.T) {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	day := batch.Days(2024, 11, 3) * 24 * 3600
	s := windows.Spec{Kind: windows.Tumble, Size: 3600 * sec, Zone: zone("America/Los_Angeles")}
	row := func(h float64) string { return fmt.Sprintf("t %f\n", float64(day)+h*3600) }
	win := func(n int, h float64, ends int64) string {
		return fmt.Sprintf("%d | %d | %d\n", n, day+int64(h*3600), ends)
	}
	// window_time is the instant of the end less a millisecond: shown by its own column.
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) ROWTIME")},
		Node: func(in nodes) operators.Node {
			return windowed(in[0], s, nil, agg(in[0], "COUNT", false, -1))
		},
		Script: row(8.5) + "step\n" + row(9.5) + fmt.Sprintf("t wm %d\nstep\n", day+9*3600+3599) + row(10.5) + fmt.Sprintf("t wm %d\nstep\nend", day+10*3600),
		Steps:  []string{"", "", win(2, 1, day+2*3600)},
		Want:   win(2, 1, day+2*3600) + win(1, 2, day+3*3600)})
}

// Where the wall clock skips an hour, windows that end in it are over at the same
// instant: all of them fire.
func TestWindowsThatEndTogether(t *testing.T) {
	z, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	day := batch.Days(2024, 3, 10) * 24 * 3600 // 02:00 local, 10:00Z, is followed by 03:00
	row := func(h float64) string { return fmt.Sprintf("t %f\n", float64(day)+h*3600) }
	win := func(n int, from, to float64) string {
		return fmt.Sprintf("%d | %d | %d\n", n, day+int64(from*3600), day+int64(to*3600))
	}
	for _, c := range []struct {
		w    windows.Spec
		want string
	}{
		{windows.Spec{Kind: windows.Hop, Size: 3600 * sec, Slide: 1800 * sec}, win(1, 1, 2) + win(1, 1.5, 2.5) + win(1, 2.5, 3.5) + win(1, 3, 4)},
		{windows.Spec{Kind: windows.Cumulate, Size: 4 * 3600 * sec, Slide: 1800 * sec}, win(1, 0, 2) + win(1, 0, 2.5) + win(1, 0, 3) + win(2, 0, 3.5) + win(2, 0, 4)},
	} {
		c.w.Zone = z
		optest.Run(t, optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP_LTZ(3) ROWTIME")},
			Node:   func(in nodes) operators.Node { return windowed(in[0], c.w, nil, agg(in[0], "COUNT", false, -1)) },
			Script: row(9.75) + row(10.25) + "end", Want: c.want})
	}
}

// The hot path: a count by one integer key. ns/op is a row.
func BenchmarkWindowCount(b *testing.B) {
	for _, w := range []windows.Spec{tumble(10), hop(2, 10)} {
		b.Run(w.Kind.String(), func(b *testing.B) {
			src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
			op := open(b, windowed(src, w, []int{1}, agg(src, "COUNT", false, -1)))
			benchPush(b, op, src.Base().Schema, 64, func(i int) []int64 {
				return []int64{int64(i) * 10, int64(uint64(i)*0x9e3779b97f4a7c15>>20) % 10_000}
			}, func(i int) operators.WM { return operators.WM(i*10 - 1000) })
		})
	}
}
