package operators_test

import (
	"fmt"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/state"
)

type nodes = []operators.Node

func TestAggregate(t *testing.T) {
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"null keys and values (A3, A4)", optest.Case{In: []optest.Input{in("t", "k STRING, v INT")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], []int{0}, agg(in[0], "COUNT", false, -1), agg(in[0], "COUNT", false, -1, 1), agg(in[0], "COUNT", true, -1, 1),
					agg(in[0], "SUM", false, -1, 1), agg(in[0], "AVG", false, -1, 1), agg(in[0], "MAX", false, -1, 1))
			},
			Script: `
				t NULL | NULL
				t +2 | NULL | NULL
				t a | 1
				step
				t a | 4
				t +2 | a | 2
				end`,
			Want: `
				NULL | 3 | 0 | 0 | NULL | NULL | NULL
				a | 4 | 4 | 3 | 9 | 2 | 4`}},
		{"empties and returns (A2, A5)", optest.Case{In: []optest.Input{changes("t", "v INT")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], nil, agg(in[0], "COUNT", false, -1), agg(in[0], "SUM", false, -1, 0), agg(in[0], "MIN", false, -1, 0), agg(in[0], "MAX", false, -1, 0))
			},
			Script: `
				t 5
				t NULL
				step
				t -1 | 5
				step
				t -1 | NULL
				step
				t +3 | 7
				t 9
				end`,
			Steps: []string{"2 | 5 | 5 | 5", "-1 | 2 | 5 | 5 | 5\n1 | NULL | NULL | NULL", "-1 | 1 | NULL | NULL | NULL", "4 | 30 | 7 | 9"},
			Want:  "4 | 30 | 7 | 9"}},
		{"no rows (A1)", optest.Case{In: []optest.Input{in("t", "v INT")},
			Node:   func(in nodes) operators.Node { return groupBy(in[0], nil, agg(in[0], "COUNT", false, -1)) },
			Script: `end`}},
		{"one pair a step", optest.Case{In: []optest.Input{in("t", "k INT, v BIGINT")},
			Node: func(in nodes) operators.Node { return groupBy(in[0], []int{0}, agg(in[0], "SUM", false, -1, 1)) },
			Script: `
				t 1 | 10
				t 1 | 20
				t 2 | 5
				step
				t 1 | 1
				t 1 | -1
				t 2 | 1`,
			Steps: []string{"1 | 30\n2 | 5", "-1 | 2 | 5\n+1 | 2 | 6"},
			Want:  "1 | 30\n2 | 6"}},
		{"distinct with filters (A15)", optest.Case{In: []optest.Input{changes("t", "v INT, f BOOLEAN, g BOOLEAN")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], nil, agg(in[0], "COUNT", true, 1, 0), agg(in[0], "SUM", true, 2, 0), agg(in[0], "COUNT", false, 2))
			},
			Script: `
				t 1 | true | true
				t 1 | true | false
				t 2 | NULL | true
				step
				t -1 | 1 | true | true
				step
				t -1 | 1 | true | false
				t 3 | false | true
				end`,
			Steps: []string{"1 | 3 | 2", "-1 | 1 | 3 | 2\n1 | 2 | 1", "-1 | 1 | 2 | 1\n0 | 5 | 2"},
			Want:  "0 | 5 | 2"}},
		{"sums out of range (A8, A9)", optest.Case{In: []optest.Input{changes("t", "k INT, v BIGINT, d DECIMAL(38, 0)")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], []int{0}, agg(in[0], "SUM", false, -1, 1), agg(in[0], "SUM", false, -1, 2))
			},
			Script: `
				t 1 | 9223372036854775807 | 99999999999999999999999999999999999999
				t 2 | 1 | 1
				step
				t 1 | 1 | 1
				step
				t -1 | 1 | 1 | 1
				t +3 | 2 | 1 | 99999999999999999999999999999999999999
				end`,
			Steps:  []string{"1 | 9223372036854775807 | 99999999999999999999999999999999999999\n2 | 1 | 1", "-1 | 1 | 9223372036854775807 | 99999999999999999999999999999999999999"},
			Want:   "1 | 9223372036854775807 | 99999999999999999999999999999999999999\n2 | 4 | NULL",
			Reject: map[operators.Reason]int64{operators.Failed: 1}}},
		{"averages (A6, A7)", optest.Case{In: []optest.Input{in("t", "v INT, d DECIMAL(10, 2), w DECIMAL(30, 2)")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], nil, agg(in[0], "AVG", false, -1, 0), agg(in[0], "AVG", false, -1, 1), agg(in[0], "AVG", false, -1, 2))
			},
			Script: `
				t -1 | 1.01 | -1.01
				t -2 | 2.02 | -2.02
				t NULL | 4.04 | -4.04
				end`,
			Want: "-1 | 2.356667 | -2.356667"}},
		{"floats (A10, A23)", optest.Case{In: []optest.Input{changes("t", "k INT, v DOUBLE")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], []int{0}, agg(in[0], "SUM", false, -1, 1), agg(in[0], "MAX", false, -1, 1), agg(in[0], "MIN", false, -1, 1))
			},
			Script: `
				t 1 | 0.1
				t 1 | 0.2
				t 2 | 1
				t 2 | NaN
				t 2 | 3
				t 3 | Infinity
				t 3 | NaN
				t 4 | NaN
				step
				t -1 | 1 | 0.2
				t -1 | 2 | 3
				t -1 | 3 | NaN
				end`,
			Want: "1 | 0.1 | 0.1 | 0.1\n2 | NaN | 1 | 1\n3 | Infinity | Infinity | Infinity\n4 | NaN | NaN | NaN"}},
		{"keys NaN and zeros (A22)", optest.Case{In: []optest.Input{in("t", "k DOUBLE")},
			Node:   func(in nodes) operators.Node { return groupBy(in[0], []int{0}, agg(in[0], "COUNT", false, -1)) },
			Script: "t NaN\nt NaN\nt 0\nt -0\nend", Ordered: true,
			Want: "NaN | 2\n0 | 2"}},
		{"min and max of strings", optest.Case{In: []optest.Input{in("t", "k INT, s STRING")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], []int{0}, agg(in[0], "MIN", false, -1, 1), agg(in[0], "MAX", false, -1, 1))
			},
			Script: "t 1 | m\nt 1 | zebra\nstep\nt 1 | a\nt 1 | NULL\nt 2 | NULL\nend",
			Want:   "1 | a | zebra\n2 | NULL | NULL"}},
		{"retracted extremes", optest.Case{In: []optest.Input{changes("t", "k INT, s STRING")},
			Node: func(in nodes) operators.Node {
				return groupBy(in[0], []int{0}, agg(in[0], "MIN", false, -1, 1), agg(in[0], "MAX", true, -1, 1))
			},
			Script: `
				t 1 | m
				t +2 | 1 | b
				t 1 | z
				step
				t -1 | 1 | z
				t -1 | 1 | b
				step
				t -1 | 1 | b
				t 1 | c`,
			Steps: []string{"1 | b | z", "-1 | 1 | b | z\n1 | b | m", "-1 | 1 | b | m\n1 | c | m"},
			Want:  "1 | c | m"}},
		{"distinct rows stay append", optest.Case{In: []optest.Input{in("t", "a INT, b STRING")},
			Node:   func(in nodes) operators.Node { return groupBy(in[0], []int{0, 1}) },
			Script: "t 1 | x\nt 1 | NULL\nstep\nt 1 | x\nt 1 | NULL\nt 2 | x\nend",
			Want:   "1 | x\n1 | NULL\n2 | x"}},
		{"distinct rows of changes", optest.Case{In: []optest.Input{changes("t", "a INT")},
			Node:   func(in nodes) operators.Node { return groupBy(in[0], []int{0}) },
			Script: "t +2 | 1\nt 2\nstep\nt -1 | 1\nt -1 | 2\nend", Want: "1"}},
		{"group of groups (A20)", optest.Case{In: []optest.Input{in("t", "k STRING")},
			Node: func(in nodes) operators.Node {
				a := groupBy(in[0], []int{0}, agg(in[0], "COUNT", false, -1))
				return groupBy(a, []int{1}, agg(a, "COUNT", false, -1))
			},
			Script: "t a\nt b\nstep\nt a\nend", Want: "1 | 1\n2 | 1"}},
		{"bad retractions", optest.Case{In: []optest.Input{changes("t", "k INT, v INT")},
			Node: func(in nodes) operators.Node { return groupBy(in[0], []int{0}, agg(in[0], "COUNT", false, -1)) },
			Script: `
				t -1 | 1 | 5
				step
				t 1 | 5
				end`, Broken: true, Want: "1 | 1", Reject: map[operators.Reason]int64{operators.BadRetraction: 1}}},
		{"time to live (A16, A21)", optest.Case{In: []optest.Input{in("t", "k STRING, v INT")},
			Node: func(in nodes) operators.Node {
				a := groupBy(in[0], []int{0}, agg(in[0], "SUM", false, -1, 1))
				a.SetTTL(300_000)
				return a
			},
			Script: `
				t a | 5
				t b | 1
				step
				now 0.299
				t b | 0
				step
				now 0.9
				t a | 3
				end`,
			Steps: []string{"a | 5\nb | 1", "", "a | 3"}, Broken: true,
			Want: "a | 5\nb | 1\na | 3"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

// With a time to live an unchanged result is emitted again.
func TestAggregateKeepsDownstreamAlive(t *testing.T) {
	for _, ttl := range []int64{0, 1e6} {
		src := optest.Source(in("t", "k INT, v INT"))
		a := groupBy(src, []int{0}, agg(src, "MAX", false, -1, 1))
		a.SetTTL(ttl)
		op := open(t, a)
		n := 0
		count := func(b *batch.Batch) error { n += b.Live(); return nil }
		for range 2 {
			if err := op.Push(0, optest.Parse(src.Base().Schema, "1 | 5"), count); err != nil {
				t.Fatal(err)
			}
			if err := op.EndStep([]operators.WM{0}, count); err != nil {
				t.Fatal(err)
			}
		}
		if want := map[int64]int{0: 1, 1e6: 3}[ttl]; n != want {
			t.Errorf("ttl %d: %d rows, want %d", ttl, n, want)
		}
	}
}

// open makes an operator on a worker of its own that rejects nothing.
func open(t testing.TB, n operators.Node) operators.Operator {
	n.Base().Ident = "op"
	op, err := n.New(&operators.Env{Workers: 1, Now: func() int64 { return 0 }, Prev: func(int) operators.WM { return operators.WMStart },
		State: state.NewMem(0, 1), Reject: func(r operators.Reject) error { return fmt.Errorf("rejected %s %v", r.Reason, r.Rows) }})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestAggregatePlan(t *testing.T) {
	src := optest.Source(in("t", "k INT, v INT"))
	a := groupBy(src, []int{0}, agg(src, "SUM", false, -1, 1))
	if got := a.Op() + " " + a.Detail(); got != "aggregate by k compute SUM(v)" {
		t.Error(got)
	}
	if a.Mode != operators.Upsert || len(a.Keys) != 1 || a.State != "unbounded" {
		t.Errorf("%v %v %s", a.Mode, a.Keys, a.State)
	}
	a.SetTTL(5)
	if a.State != "bounded(ttl)" {
		t.Error(a.State)
	}
	if g := groupBy(src, nil, agg(src, "SUM", false, -1, 1)); g.State != "bounded(one group)" || g.Place(0).Kind != operators.One {
		t.Errorf("global: %s %v", g.State, g.Place(0))
	}
	if d := groupBy(src, []int{0, 1}); d.Mode != operators.Append {
		t.Errorf("distinct: %v", d.Mode)
	}
}

// Millions of rows into few and many groups: ns/op is a row.
func BenchmarkAggregate(b *testing.B) {
	for _, groups := range []int64{1000, 1_000_000} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			src := optest.Source(in("t", "k BIGINT, v BIGINT"))
			op := open(b, groupBy(src, []int{0}, agg(src, "COUNT", false, -1)))
			benchPush(b, op, src.Base().Schema, 64, func(i int) []int64 {
				return []int64{int64(uint64(i)*0x9e3779b97f4a7c15>>20) % groups, 1}
			}, func(int) operators.WM { return 0 })
		})
	}
}

// benchPush pushes b.N generated rows in batches of 1,024, ending a step after
// every steps batches.
func benchPush(b *testing.B, op operators.Operator, s *batch.Schema, steps int, row func(i int) []int64, wm func(i int) operators.WM) {
	bt := batch.New(s, 1024)
	none := func(*batch.Batch) error { return nil }
	b.ResetTimer()
	for i, k := 0, 0; i < b.N; k++ {
		b.StopTimer()
		bt.Reset()
		for ; bt.N < 1024; i++ {
			for c, x := range row(i) {
				bt.Cols[c].AppendInt(x)
			}
			bt.N++
		}
		b.StartTimer()
		if err := op.Push(0, bt, none); err != nil {
			b.Fatal(err)
		}
		if k%steps == steps-1 {
			if err := op.EndStep([]operators.WM{wm(i)}, none); err != nil {
				b.Fatal(err)
			}
		}
	}
}
