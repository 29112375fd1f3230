package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

func TestDedup(t *testing.T) {
	timed := []optest.Input{in("t", "k STRING, v INT, ts TIMESTAMP(3) ROWTIME")}
	events := []optest.Input{in("t", "k STRING, v INT, ts TIMESTAMP(3) ROWTIME, $wm TIMESTAMP(3)")}
	proc := []optest.Input{in("t", "k STRING, v INT, ts TIMESTAMP(3) PROCTIME")}
	dedup := func(last bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return operators.NewDedup(in[0], []int{0}, 2, last) }
	}
	late := func(n int64) map[operators.Reason]int64 { return map[operators.Reason]int64{operators.Late: n} }
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"keep first (R5)", optest.Case{In: timed, Node: dedup(false), AnyCuts: true,
			Script: "t a|3|2\nt a|1|1\nt a|2|3\nt NULL|9|5\nstep\nt a|4|3\nt NULL|8|4\nend", Want: "a|1|1\nNULL|8|4"}},
		{"keep first, late keys (R6)", optest.Case{In: timed, Node: dedup(false),
			Script: "t a|1|10\nt wm 10.001\nstep\nt b|1|5\nt c|1|9.999\nt d|1|10\nstep\nt b|2|31\nend",
			Want:   "a|1|10\nd|1|10\nb|2|31", Reject: late(2)}},
		{"keep first, decided for good", optest.Case{In: timed, Node: dedup(false),
			Script: "t a|1|10\nt wm 20\nstep\nt a|2|25\nt a|3|21\nend", Want: "a|1|10"}},
		{"keep first, ties by arrival (R7)", optest.Case{In: timed, Ordered: true, Node: dedup(false),
			Script: "t a|1|10\nt a|3|7\nstep\nt a|2|7\nend", Want: "a|3|7"}},
		{"keep first, on-event", optest.Case{In: events, AnyCuts: true, Ordered: true, Node: dedup(false),
			Script: "t a|1|10|-100\nt b|1|20|10.001\nt a|2|15|20.001\nt c|1|20|20.001\nt d|1|19.999|20.001\nt c|2|30|20.001\nend",
			Want:   "a|1|10\nb|1|20\nc|1|20", Reject: late(2)}},
		{"keep last (R8)", optest.Case{In: timed, Ordered: true, Node: dedup(true),
			Script: "t a|1|2\nt a|2|3\nstep\nt a|4|3\nt a|5|1\nt NULL|1|1\nend", Steps: []string{"a|2|3", "-1|a|2|3\na|4|3\nNULL|1|1"}, Want: "a|4|3\nNULL|1|1"}},
		{"keep first by arrival", optest.Case{In: proc, Ordered: true, Node: dedup(false),
			Script: "t a|1|0\nt a|2|0\nstep\nt a|3|0\nt b|1|0\nend", Want: "a|1|0\nb|1|0"}},
		{"keep last by arrival", optest.Case{In: proc, Ordered: true, Node: dedup(true),
			Script: "t a|1|0\nt a|2|0\nstep\nt a|3|0\nt b|1|0\nend", Want: "a|3|0\nb|1|0"}},
		{"updates (R9)", optest.Case{In: []optest.Input{changes("t", "k STRING, v INT, ts TIMESTAMP(3) ROWTIME")}, Node: dedup(true),
			Script: "t a|1|1\nt a|2|3\nstep\nt -1|a|2|3\nend", Want: "a|1|1"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
	src := optest.Source(timed[0])
	if n := operators.NewDedup(src, []int{0}, 2, false).Base(); n.Mode != operators.Append || !n.UsesWM {
		t.Errorf("keep first: %v", n.Mode)
	}
	if n := operators.NewDedup(src, []int{0}, 2, true).Base(); n.Mode != operators.Upsert || n.UsesWM {
		t.Errorf("keep last: %v", n.Mode)
	}
}

// A row that waits for the watermark, or that is shown, is gone exactly its time to
// live after it was written; nothing tells so.
func TestDedupTTL(t *testing.T) {
	timed := []optest.Input{in("t", "k STRING, v STRING, ts TIMESTAMP(3) ROWTIME")}
	dedup := func(last bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node {
			n := operators.NewDedup(in[0], []int{0}, 2, last).(*operators.Dedup)
			n.SetTTL(1_000_000)
			return n
		}
	}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"keep first, waiting", optest.Case{In: timed, Node: dedup(false),
			Script: "t a|1|10\nt b|1|10\nstep\nnow 0.999\nt b|2|9\nstep\nnow 1\nt wm 20\nstep\nt a|2|22\nt b|3|23\nend", Want: "a|2|22\nb|2|9"}},
		{"keep first, emitted", optest.Case{In: timed, Node: dedup(false),
			Script: "t a|1|10\nt wm 11\nstep\nnow 0.5\nt a|2|12\nt wm 13\nstep\nnow 1\nt a|3|14\nend", Want: "a|1|10\na|3|14"}},
		{"keep last", optest.Case{In: timed, Node: dedup(true),
			Script: "t a|1|10\nstep\nnow 0.999\nt a|2|11\nstep\nnow 1.5\nt a|0|9\nstep\nnow 1.999\nt a|3|8\nend",
			Steps:  []string{"a|1|10", "-1|a|1|10\na|2|11", "", "a|3|8"}, Want: "a|2|11\na|3|8"}},
	} {
		c.c.Broken = true // two rows of a key
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// Random rows against a loop over all of them. The watermark is the greatest time
// so far less a delay, known row by row; of the rows in time the first of the
// smallest time, or the last of the greatest, is what stays.
func TestDedupAgreesWithLoop(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 3))
		last, delay := seed%2 == 0, 1+r.IntN(6)
		type best struct {
			row     string
			ts      int
			decided bool
		}
		keys := map[string]*best{}
		var order []string
		var s strings.Builder
		wm, late := -1000, int64(0)
		for i := range 60 {
			k, ts := []string{"a", "b", "c", "NULL"}[r.IntN(4)], i/4+r.IntN(8)
			row := fmt.Sprintf("%s|text %d|%d", k, i, ts)
			fmt.Fprintf(&s, "t %s|%d\n", row, wm)
			b := keys[k]
			switch {
			case last:
				if b == nil || ts >= b.ts {
					keys[k] = &best{row: row, ts: ts}
				}
			case ts < wm:
				late++
			default:
				if b != nil && b.ts < wm {
					b.decided = true
				}
				if b == nil || !b.decided && ts < b.ts {
					keys[k] = &best{row: row, ts: ts}
				}
			}
			if b == nil && keys[k] != nil {
				order = append(order, k)
			}
			wm = max(wm, ts-delay)
			if r.IntN(6) == 0 {
				fmt.Fprintf(&s, "t wm %d\nstep\n", wm)
			}
		}
		var want []string
		for _, k := range order {
			want = append(want, keys[k].row)
		}
		reject := map[operators.Reason]int64{}
		if late > 0 {
			reject[operators.Late] = late
		}
		t.Run(fmt.Sprintf("last=%v/%d", last, seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{in("t", "k STRING, v STRING, ts TIMESTAMP(0) ROWTIME, $wm TIMESTAMP(3)")}, AnyCuts: true, Ordered: true,
				Node:   func(in nodes) operators.Node { return operators.NewDedup(in[0], []int{0}, 2, last) },
				Script: s.String() + "end", Want: strings.Join(want, "\n"), Reject: reject})
		})
	}
}

// The last row by two integers: most rows bring a key of their own.
func BenchmarkDedup(b *testing.B) {
	for _, last := range []bool{true, false} {
		b.Run(fmt.Sprintf("last=%v", last), func(b *testing.B) {
			src := optest.Source(in("t", "a BIGINT, b BIGINT, price BIGINT, ts TIMESTAMP(3) ROWTIME"))
			op := open(b, operators.NewDedup(src, []int{0, 1}, 3, last))
			benchPush(b, op, src.Base().Schema, 64, func(i int) []int64 {
				x := uint64(i) * 0x9e3779b97f4a7c15
				return []int64{int64(x>>20) % 1000, int64(x>>40) % 1000, int64(x >> 50), int64(i) * 1000}
			}, func(i int) operators.WM { return operators.WM(i * 1000) })
		})
	}
}
