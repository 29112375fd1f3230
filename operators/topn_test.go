package operators_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/state"
)

func TestTopN(t *testing.T) {
	rows := []optest.Input{in("t", "p STRING, id STRING, o INT")}
	updates := []optest.Input{changes("t", "p STRING, id STRING, o INT")}
	desc, asc := []operators.OrderKey{{Col: 2, Desc: true}}, []operators.OrderKey{{Col: 2}}
	last, first := true, false
	top := func(order []operators.OrderKey, from, to int64, rank bool) func(nodes) operators.Node {
		return func(in nodes) operators.Node { return operators.NewTopN(in[0], []int{0}, order, from, to, rank, "rn") }
	}
	for _, c := range []struct {
		name string
		c    optest.Case
	}{
		{"ties by arrival (R1)", optest.Case{In: rows, Ordered: true, Node: top(desc, 1, 2, true),
			Script: "t p|first|5\nt p|second|5\nstep\nt p|third|5\nend", Want: "p|first|5|1\np|second|5|2"}},
		{"equal rows arrive apart", optest.Case{In: rows, Ordered: true, Node: top(desc, 1, 2, false),
			Script: "t p|x|5\nt p|y|5\nstep\nt p|x|5\nend", Want: "p|x|5\np|y|5"}},
		{"equal rows arrive apart, updates", optest.Case{In: updates, Ordered: true, Node: top(desc, 1, 2, false),
			Script: "t p|x|5\nt p|y|5\nt p|x|5\nstep\nt -1|p|x|5\nend", Want: "p|y|5\np|x|5"}},
		{"NULL descending (R2)", optest.Case{In: rows, Node: top(desc, 1, 2, false), Script: "t p|a|NULL\nt p|b|5\nt p|c|3\nend", Want: "p|b|5\np|c|3"}},
		{"NULL ascending (R2)", optest.Case{In: rows, Node: top(asc, 1, 2, false), Script: "t p|a|NULL\nt p|b|5\nt p|c|3\nend", Want: "p|a|NULL\np|c|3"}},
		{"NULLS LAST", optest.Case{In: rows, Node: top([]operators.OrderKey{{Col: 2, NullsLast: &last}}, 1, 2, true),
			Script: "t p|a|NULL\nt p|b|5\nstep\nt p|c|3\nend", Want: "p|c|3|1\np|b|5|2"}},
		{"NULLS FIRST, descending", optest.Case{In: updates, Node: top([]operators.OrderKey{{Col: 2, Desc: true, NullsLast: &first}}, 1, 2, true),
			Script: "t p|b|5\nt p|c|3\nstep\nt p|a|NULL\nend", Want: "p|a|NULL|1\np|b|5|2"}},
		{"an update goes to the end of its ties (R3)", optest.Case{In: updates, Ordered: true, Node: top(desc, 1, 2, true),
			Script: "t p|1|5\nt p|2|5\nstep\nt -1|p|1|5\nt p|1|5\nend", Want: "p|2|5|1\np|1|5|2"}},
		{"a range of ranks (R4)", optest.Case{In: updates, Node: top(asc, 2, 3, true),
			Script: "t p|a|1\nt p|b|2\nt NULL|a|1\nt NULL|b|2\nstep\nt p|c|0\nt -1|NULL|a|1\nend", Want: "p|a|1|2\np|b|2|3"}},
		{"what was behind comes back", optest.Case{In: updates, Node: top(desc, 1, 1, false),
			Script: "t p|a|3\nt p|b|2\nt p|c|1\nstep\nt -1|p|a|3\nt -1|p|b|2\nend", Steps: []string{"p|a|3", "-1|p|a|3\np|c|1"}, Want: "p|c|1"}},
		{"no rank, multiset difference only", optest.Case{In: rows, Node: top(desc, 1, 2, false),
			Script: "t p|a|5\nt p|b|3\nstep\nt p|c|4\nstep\nt p|d|1\nend", Steps: []string{"p|a|5\np|b|3", "-1|p|b|3\np|c|4", ""}, Want: "p|a|5\np|c|4"}},
		{"weights", optest.Case{In: updates, Node: top(desc, 1, 3, false), Script: "t +2|p|a|5\nt +2|p|b|3\nstep\nt -1|p|a|5\nend", Want: "p|a|5\n+2|p|b|3"}},
		{"never there", optest.Case{In: updates, Broken: true, Node: top(desc, 1, 3, false), Script: "t -1|p|a|5\nstep\nt p|a|5\nend", Want: "p|a|5",
			Reject: map[operators.Reason]int64{operators.BadRetraction: 1}}},
		{"limit and offset (R18)", optest.Case{In: rows, Ordered: true, Node: func(in nodes) operators.Node {
			return operators.NewTopN(in[0], nil, nil, 2, 3, false, "")
		}, Script: "t p|a|1\nt p|b|5\nstep\nt p|c|3\nt p|d|0\nend", Want: "p|b|5\np|c|3"}},
		{"limit of updates (R18)", optest.Case{In: updates, Ordered: true, Node: func(in nodes) operators.Node {
			return operators.NewTopN(in[0], nil, nil, 1, 2, false, "")
		}, Script: "t p|a|1\nt p|b|5\nt p|c|3\nstep\nt -1|p|a|1\nend", Want: "p|b|5\np|c|3"}},
	} {
		t.Run(c.name, func(t *testing.T) { optest.Run(t, c.c) })
	}
}

func TestTopNPlan(t *testing.T) {
	src := optest.Source(optest.Input{Name: "t", Schema: "p INT, id INT, o INT", Mode: operators.Upsert, Keys: [][]int{{1}}})
	order := []operators.OrderKey{{Col: 2, Desc: true}}
	if n := operators.NewTopN(src, []int{0}, order, 1, 3, true, "rn"); fmt.Sprint(n.Keys) != "[[0 3]]" || n.Mode != operators.Upsert || n.Detail() != "rows 1 to 3 by p order o DESC" {
		t.Errorf("%v %v %q", n.Keys, n.Mode, n.Detail())
	}
	if n := operators.NewTopN(src, []int{0}, order, 1, 1, false, ""); fmt.Sprint(n.Keys) != "[[0] [1]]" {
		t.Error(n.Keys)
	}
	if n := operators.NewTopN(optest.Source(in("t", "a INT")), nil, nil, 1, 5, false, ""); n.Mode != operators.Append || n.State != "bounded(5 rows)" || n.Op() != "limit" {
		t.Errorf("%v %s %s", n.Mode, n.State, n.Op())
	}
}

// Random changes with different orders against sorting what is left.
func TestTopNAgreesWithSort(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var s strings.Builder
		live := map[string][]int{}
		for id := range 40 {
			p := []string{"a", "b", "NULL"}[r.IntN(3)]
			switch x := r.IntN(8); {
			case x == 0:
				s.WriteString("step\n")
			case x < 4 && len(live[p]) > 0 && seed%2 == 0:
				k := r.IntN(len(live[p]))
				fmt.Fprintf(&s, "t -1|%s|%d\n", p, live[p][k])
				live[p] = append(live[p][:k:k], live[p][k+1:]...)
			default:
				o := r.IntN(10)*100 + id // no ties
				fmt.Fprintf(&s, "t %s|%d\n", p, o)
				live[p] = append(live[p], o)
			}
		}
		from, to := 1+r.IntN(2), 2+r.IntN(3)
		var want []string
		for p, v := range live {
			slices.Sort(v)
			slices.Reverse(v)
			for k, o := range v {
				if k+1 >= from && k+1 <= to {
					want = append(want, p+"|"+strconv.Itoa(o)+"|"+strconv.Itoa(k+1))
				}
			}
		}
		input := in("t", "p STRING, o INT")
		if seed%2 == 0 {
			input = changes("t", "p STRING, o INT")
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{input}, Script: s.String() + "end", Want: strings.Join(want, "\n"),
				Node: func(in nodes) operators.Node {
					return operators.NewTopN(in[0], []int{0}, []operators.OrderKey{{Col: 1, Desc: true}}, int64(from), int64(to), true, "rn")
				}})
		})
	}
}

// An expired row stays where it was shown, and what moves up because of it is not
// told: a step's changes are those to what is left when it begins.
func TestTopNTTL(t *testing.T) {
	for _, input := range []optest.Input{in("t", "p STRING, id STRING, o INT"), changes("t", "p STRING, id STRING, o INT")} {
		optest.Run(t, optest.Case{In: []optest.Input{input}, Broken: true,
			Node: func(in nodes) operators.Node {
				n := operators.NewTopN(in[0], []int{0}, []operators.OrderKey{{Col: 2, Desc: true}}, 1, 2, false, "")
				n.SetTTL(1_000_000)
				return n
			},
			Script: "t p|a|5\nt p|b|4\nstep\nnow 0.5\nt p|c|3\nstep\nnow 1\nt p|d|2\nend",
			Steps:  []string{"p|a|5\np|b|4", "", "p|d|2"}, Want: "p|a|5\np|b|4\np|d|2"})
	}
}

// Where only some rows of a full partition have expired, a row that would have stood
// behind the last of them counts again.
func TestTopNTTLMakesRoom(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "p STRING, id STRING, o INT")}, Broken: true,
		Node: func(in nodes) operators.Node {
			n := operators.NewTopN(in[0], []int{0}, []operators.OrderKey{{Col: 2, Desc: true}}, 1, 2, false, "")
			n.SetTTL(1_000_000)
			return n
		},
		Script: "t p|a|5\nstep\nnow 0.5\nt p|b|4\nt p|c|3\nstep\nnow 1\nt p|d|2\nend",
		Steps:  []string{"p|a|5", "p|b|4", "p|d|2"}, Want: "p|a|5\np|b|4\np|d|2"})
}

// The ranks of a window are those of its columns as a partition (W24).
func TestTopNOfWindows(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "ws TIMESTAMP(3), we TIMESTAMP(3), id STRING, v INT")}, Ordered: true,
		Node: func(in nodes) operators.Node {
			return operators.NewTopN(in[0], []int{0, 1}, []operators.OrderKey{{Col: 3, Desc: true}}, 1, 2, true, "rn")
		},
		Script: "t 0|10|a|1\nt 0|10|b|5\nstep\nt 0|10|c|5\nt 10|20|a|1\nend", Want: "0|10|b|5|1\n0|10|c|5|2\n10|20|a|1|1"})
}

// Rows with few values, so that most are tied and many are equal, against a list
// that is sorted after each change: stable, a deletion takes the oldest equal row.
func TestTopNAgreesWithList(t *testing.T) {
	type row struct {
		p, id, o string
	}
	for seed := range uint64(48) {
		r := rand.New(rand.NewPCG(seed, 5))
		deletes, rank, desc, limit := seed&1 != 0, seed&2 != 0, seed&4 != 0, seed%6 == 0
		list := map[string][]row{}
		var s strings.Builder
		for range 50 {
			x := row{"a", []string{"x", "y"}[r.IntN(2)], []string{"1", "2", "3", "NULL"}[r.IntN(4)]}
			if !limit {
				x.p = []string{"a", "b"}[r.IntN(2)]
			}
			if deletes && r.IntN(3) == 0 {
				if k := slices.Index(list[x.p], x); k >= 0 {
					fmt.Fprintf(&s, "t -1|%s|%s|%s\n", x.p, x.id, x.o)
					list[x.p] = slices.Delete(list[x.p], k, k+1)
					continue
				}
			}
			w := 1 + r.IntN(2)
			fmt.Fprintf(&s, "t %d|%s|%s|%s\n", w, x.p, x.id, x.o)
			for range w {
				list[x.p] = append(list[x.p], x)
			}
			if r.IntN(6) == 0 {
				s.WriteString("step\n")
			}
		}
		from := 1 + r.IntN(3)
		to := from + r.IntN(4)
		var want []string
		for _, p := range []string{"a", "b"} {
			v := slices.Clone(list[p])
			slices.SortStableFunc(v, func(a, b row) int {
				switch {
				case limit:
					return 0
				case desc:
					a, b = b, a
				}
				return strings.Compare(strings.Replace(a.o, "NULL", "", 1), strings.Replace(b.o, "NULL", "", 1))
			})
			for k := from - 1; k < min(to, len(v)); k++ {
				t := v[k].p + "|" + v[k].id + "|" + v[k].o
				if rank {
					t += "|" + strconv.Itoa(k+1)
				}
				want = append(want, t)
			}
		}
		input := in("t", "p STRING, id STRING, o INT")
		if deletes {
			input.Mode = operators.Retract
		}
		t.Run(fmt.Sprintf("%d/deletes=%v,rank=%v,desc=%v,limit=%v,%d-%d", seed, deletes, rank, desc, limit, from, to), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{input}, Ordered: true, Script: s.String() + "end", Want: strings.Join(want, "\n"),
				Node: func(in nodes) operators.Node {
					if limit {
						return operators.NewTopN(in[0], nil, nil, int64(from), int64(to), rank, "rn")
					}
					return operators.NewTopN(in[0], []int{0}, []operators.OrderKey{{Col: 2, Desc: desc}}, int64(from), int64(to), rank, "rn")
				}})
		})
	}
}

// A step emits the rows that changed and no others, and append input leaves no
// more rows behind than can be shown.
func TestTopNEmitsChanges(t *testing.T) {
	for _, rank := range []bool{false, true} {
		src := optest.Source(in("t", "p INT, id INT, o INT"))
		n := operators.NewTopN(src, []int{0}, []operators.OrderKey{{Col: 2, Desc: true}}, 1, 3, rank, "rn")
		n.Ident = "op"
		tables := state.NewMem(0, 1)
		op, err := n.New(&operators.Env{Workers: 1, Now: func() int64 { return 0 }, State: tables})
		if err != nil {
			t.Fatal(err)
		}
		for k, c := range []struct {
			rows         string
			bare, ranked int // rows emitted, -old and +new
		}{
			{"1|1|10\n1|2|20\n1|3|30\n1|4|5\n2|1|1", 4, 4},
			{"1|5|25", 2, 4}, // 30 25 20: two places change
			{"1|6|9", 0, 0},
			{"1|7|40\n1|8|50\n1|9|60", 6, 6},
		} {
			rows := 0
			out := func(b *batch.Batch) error { rows += b.Live(); return nil }
			if err := op.Push(0, optest.Parse(src.Base().Schema, c.rows), out); err != nil {
				t.Fatal(err)
			}
			if err := op.EndStep([]operators.WM{0}, out); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{false: c.bare, true: c.ranked}[rank]; rows != want {
				t.Errorf("rank=%v, step %d: %d rows emitted, want %d", rank, k+1, rows, want)
			}
		}
		if got := tables.Tables()[0].Len(); got != 4 {
			t.Errorf("rank=%v: %d rows kept", rank, got)
		}
	}
}

// Ten best rows a key out of few and many keys, with and without their rank.
func BenchmarkTopN(b *testing.B) {
	for _, keys := range []int64{1000, 100_000} {
		for _, rank := range []bool{false, true} {
			b.Run(fmt.Sprintf("keys=%d/rank=%v", keys, rank), func(b *testing.B) {
				src := optest.Source(in("t", "k BIGINT, price BIGINT, bidder BIGINT, ts BIGINT"))
				op := open(b, operators.NewTopN(src, []int{0}, []operators.OrderKey{{Col: 1, Desc: true}}, 1, 10, rank, "rn"))
				benchPush(b, op, src.Base().Schema, 64, func(i int) []int64 {
					x := uint64(i) * 0x9e3779b97f4a7c15
					return []int64{int64(x>>20) % keys, int64(x>>40) % 100_000, int64(x>>30) % 5000, int64(i)}
				}, func(int) operators.WM { return 0 })
			})
		}
	}
}
