package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

// Rows that are merged before an exchange count as often as they came, late ones are
// rejected one by one, and what the aggregation tells apart stays apart: the same as
// a loop over all rows and windows gives.
func TestCombinedWindows(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		w := []windows.Spec{tumble(4), hop(2, 4), hop(3, 4), cumulate(2, 4)}[r.IntN(4)]
		type group struct {
			end, k int64
		}
		n, sum, start := map[group]int64{}, map[group]int64{}, map[int64]int64{}
		var script strings.Builder
		wm, late := int64(-100), int64(0)
		for range 1 + r.IntN(4) {
			for range r.IntN(60) {
				ts, k, v := wm+int64(r.IntN(9))-3, int64(r.IntN(3)), int64(r.IntN(2))
				if wm < 0 {
					ts = int64(r.IntN(6))
				}
				fmt.Fprintf(&script, "t %d|%d|%d\n", ts, k, v)
				pane := w.Floor(ts*sec, w.Pane())
				if w.LastEnd(pane) <= wm*sec {
					late++
					continue
				}
				for _, end := range ends(w, ts*sec) {
					if end > wm*sec {
						n[group{end, k}]++
						sum[group{end, k}] += v
						start[end] = w.Start(end)
					}
				}
			}
			wm = max(wm, 0) + int64(r.IntN(4))
			fmt.Fprintf(&script, "t wm %d\nstep\n", wm)
		}
		var want strings.Builder
		for g, n := range n {
			fmt.Fprintf(&want, "%d|%d|%d|%d|%d\n", g.k, n, sum[g], start[g.end]/sec, g.end/sec)
		}
		optest.Run(t, optest.Case{In: []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT, v INT")},
			Node: func(in nodes) operators.Node {
				return windowed(in[0], w, []int{1}, agg(in[0], "COUNT", false, -1), agg(in[0], "SUM", false, -1, 2))
			}, Script: script.String() + "end", Want: want.String(), Reject: map[operators.Reason]int64{operators.Late: late}})
	}
}

// ends lists the ends of the windows that hold an instant, found by trying.
func ends(w windows.Spec, ts int64) (out []int64) {
	for end := ts - ts%sec - 20*sec; end <= ts+20*sec; end += sec {
		switch w.Kind {
		case windows.Hop:
			if mod(end-w.Size, w.Slide) == 0 && end-w.Size <= ts && ts < end {
				out = append(out, end)
			}
		case windows.Cumulate:
			from := end - sec - mod(end-sec, w.Size)
			if mod(end, w.Slide) == 0 && from <= ts && ts < end {
				out = append(out, end)
			}
		default:
			if mod(end, w.Size) == 0 && end-w.Size <= ts && ts < end {
				out = append(out, end)
			}
		}
	}
	return out
}

func mod(a, b int64) int64 { return (a%b + b) % b }

// combined returns what a window aggregate's senders do with rows.
func combined(t *testing.T, n operators.Node, wm operators.WM) func(*batch.Batch) *batch.Batch {
	t.Helper()
	return n.(operators.Combining).Combine(&operators.Env{Prev: func(int) operators.WM { return wm }})
}

// rowsOf are n rows (time, key), keys in turn.
func rowsOf(n, keys int64) *batch.Batch {
	b := batch.New(optest.Schema("ts TIMESTAMP(3) ROWTIME, k BIGINT"), int(n))
	for i := range n {
		b.Cols[0].AppendInt(i * sec / 1000)
		b.Cols[1].AppendInt(i % keys)
		b.N++
	}
	return b
}

// A group goes out once a batch, as its first row, with all weights.
func TestCombineMakesRowsFewer(t *testing.T) {
	src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
	f := combined(t, windowed(src, tumble(2), []int{1}, agg(src, "COUNT", false, -1)), operators.WMStart)
	b := rowsOf(4000, 50) // two panes of 2,000 rows
	b.W = make([]int64, b.N)
	for i := range b.W {
		b.W[i] = 1 + int64(i%2)
	}
	got := f(b)
	// Two groups in one slot may drive each other out.
	if n := got.Live(); n < 100 || n > 200 {
		t.Errorf("%d rows are left of 4000 in 100 groups", n)
	}
	sum := map[[2]int64]int64{}
	got.Each(func(i int) { sum[[2]int64{got.Cols[0].I[i] / (2 * sec), got.Cols[1].I[i]}] += got.Weight(i) })
	for g, n := range sum {
		if want := 40 + 40*(g[1]%2); n != want {
			t.Errorf("group %v has weight %d, want %d", g, n, want)
		}
	}
	if len(sum) != 100 {
		t.Errorf("%d groups, want 100", len(sum))
	}
}

// More panes than there is room for: of one key, they all meet in some slot.
func TestCombineKeepsPanesApart(t *testing.T) {
	src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
	w := windows.Spec{Kind: windows.Tumble, Size: 4 * sec / 1000}
	got := combined(t, windowed(src, w, []int{1}, agg(src, "COUNT", false, -1)), operators.WMStart)(rowsOf(16_000, 1))
	n := 0
	got.Each(func(i int) {
		if n++; got.Weight(i) != 4 {
			t.Fatalf("row %d has weight %d, want 4", i, got.Weight(i))
		}
	})
	if n != 4000 {
		t.Errorf("%d rows, want one of each of 4000 panes", n)
	}
}

// Where nothing is merged the rows go as they are, and are not looked at for a while.
func TestCombineRests(t *testing.T) {
	src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
	f := combined(t, windowed(src, tumble(10), []int{1}, agg(src, "COUNT", false, -1)), operators.WMStart)
	apart, same := rowsOf(1000, 1000), rowsOf(1000, 1)
	if f(apart) != apart {
		t.Error("rows of 1000 groups were copied")
	}
	rests := 0
	for f(same) == same {
		if rests++; rests > 1000 {
			t.Fatal("it rests for ever")
		}
	}
	if rests == 0 {
		t.Error("it does not rest")
	}
}

// Late rows are not merged: each is one in the count of late rows.
func TestCombineKeepsLateRows(t *testing.T) {
	src := optest.Source(in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT"))
	f := combined(t, windowed(src, tumble(1), []int{1}, agg(src, "COUNT", false, -1)), operators.WM(sec))
	got := f(rowsOf(5000, 1)) // a thousand of them before the watermark
	if n := got.Live(); n != 1000+4 {
		t.Errorf("%d rows, want 1000 late ones and 4 merged", n)
	}
}

// Who needs every row by itself gets it.
func TestCombineLeavesRowsAlone(t *testing.T) {
	plain := []optest.Input{in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT, d DOUBLE"), in("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT, d DOUBLE, $wm TIMESTAMP(3)"),
		changes("t", "ts TIMESTAMP(3) ROWTIME, k BIGINT, d DOUBLE")}
	for _, c := range []struct {
		name string
		in   optest.Input
		w    windows.Spec
		call string
		arg  int
		want bool
	}{
		{"a sum", plain[0], hop(5, 10), "SUM", 1, true},
		{"doubles", plain[0], hop(5, 10), "SUM", 2, false},
		{"the first value", plain[0], hop(5, 10), "FIRST_VALUE", 1, false},
		{"on-event", plain[1], hop(5, 10), "SUM", 1, false},
		{"updates", plain[2], hop(5, 10), "SUM", 1, false},
		{"sessions", plain[0], windows.Spec{Kind: windows.Session, Size: sec, Keys: []int{1}}, "SUM", 1, false},
	} {
		src := optest.Source(c.in)
		if got := combined(t, windowed(src, c.w, []int{1}, agg(src, c.call, false, -1, c.arg)), operators.WMStart) != nil; got != c.want {
			t.Errorf("%s: combined %v, want %v", c.name, got, c.want)
		}
	}
}
