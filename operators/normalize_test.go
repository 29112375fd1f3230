package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

// Fact S1.
func TestNormalize(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{{Name: "t", Schema: "k STRING, v INT", Mode: operators.Upsert}}, Ordered: true, Broken: true,
		Node:   func(in nodes) operators.Node { return operators.NewNormalize(in[0], []int{0}) },
		Script: "t a|1\nstep\nt a|1\nstep\nt a|2\nt b|5\nstep\nt -1|a|NULL\nt -1|zz|NULL\nt b|NULL\nstep\nt c|1\nt -1|c|NULL\nt c|3\nend",
		Steps:  []string{"a|1", "", "-1|a|1\na|2\nb|5", "-1|a|2\n-1|b|5\nb|NULL", "c|3"},
		Want:   "b|NULL\nc|3"})
}

// An expired key is unknown: a deletion of it says nothing, a new row takes nothing
// away.
func TestNormalizeTTL(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{{Name: "t", Schema: "k STRING, v INT", Mode: operators.Upsert}}, Ordered: true, Broken: true,
		Node: func(in nodes) operators.Node {
			n := operators.NewNormalize(in[0], []int{0})
			n.SetTTL(1_000_000)
			return n
		},
		Script: "t a|1\nt b|1\nt c|1\nstep\nnow 0.999\nt a|2\nstep\nnow 1\nt -1|b|NULL\nt c|2\nt -1|a|NULL\nend",
		Steps:  []string{"a|1\nb|1\nc|1", "-1|a|1\na|2", "c|2\n-1|a|2"}, Want: "b|1\nc|1\nc|2"})
}

// With a time to live a row that comes again is emitted again, taken away and
// added: it keeps the state downstream alive.
func TestNormalizeKeepsAlive(t *testing.T) {
	for _, ttl := range []int64{0, 1_000_000} {
		src := optest.Source(optest.Input{Name: "t", Schema: "k STRING, v INT", Mode: operators.Upsert})
		n := operators.NewNormalize(src, []int{0})
		n.SetTTL(ttl)
		op := open(t, n)
		var got []string
		out := func(b *batch.Batch) error {
			b.Each(func(i int) { got = append(got, fmt.Sprintf("%+d %s", b.Weight(i), optest.Text(b, i))) })
			return nil
		}
		for range 2 {
			if err := op.Push(0, optest.Parse(src.Base().Schema, "a|1"), out); err != nil {
				t.Fatal(err)
			}
			if err := op.EndStep([]operators.WM{0}, out); err != nil {
				t.Fatal(err)
			}
		}
		want := "+1 a | 1"
		if ttl > 0 {
			want = "+1 a | 1, -1 a | 1, +1 a | 1"
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("ttl %d: %s", ttl, s)
		}
	}
}

// Random upserts and deletes against a map.
func TestNormalizeAgreesWithMap(t *testing.T) {
	for seed := range uint64(8) {
		script, table := randomUpserts(rand.New(rand.NewPCG(seed, 4)), 5, 80)
		optest.Run(t, optest.Case{In: []optest.Input{{Name: "t", Schema: "k INT, v STRING", Mode: operators.Upsert}}, Ordered: true,
			Node:   func(in nodes) operators.Node { return operators.NewNormalize(in[0], []int{0}) },
			Script: script + "end", Want: strings.Join(table, "\n")})
	}
}

// So many keys change in a step that their old rows fill several batches.
func TestNormalizeManyKeys(t *testing.T) {
	src := optest.Source(optest.Input{Name: "t", Schema: "k INT, v STRING", Mode: operators.Upsert})
	op := open(t, operators.NewNormalize(src, []int{0}))
	shows := map[string]int64{}
	out := func(b *batch.Batch) error {
		if b.Live() > batch.Chunk {
			t.Fatalf("%d rows at once", b.Live())
		}
		b.Each(func(i int) { shows[optest.Text(b, i)] += b.Weight(i) })
		return nil
	}
	script, table := randomUpserts(rand.New(rand.NewPCG(1, 4)), 20_000, 100_000)
	for step := range strings.SplitSeq(script, "step\n") {
		if err := op.Push(0, optest.Parse(src.Base().Schema, strings.ReplaceAll(step, "t ", "")), out); err != nil {
			t.Fatal(err)
		}
		if err := op.EndStep([]operators.WM{0}, out); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range table {
		shows[strings.ReplaceAll(row, "|", " | ")]--
	}
	for row, n := range shows {
		if n != 0 {
			t.Fatalf("%q: %+d", row, n)
		}
	}
}

// randomUpserts makes a script of upserts and deletes of rows "k|v" in about ten
// steps, and the rows that are left.
func randomUpserts(r *rand.Rand, keys, n int) (string, []string) {
	table := map[int]string{}
	var s strings.Builder
	for range n {
		switch k, x := r.IntN(keys), r.IntN(10); {
		case r.IntN(n/10) == 0:
			s.WriteString("step\n")
		case x < 3:
			fmt.Fprintf(&s, "t -1|%d|NULL\n", k)
			delete(table, k)
		default:
			table[k] = fmt.Sprint(r.IntN(4))
			fmt.Fprintf(&s, "t %d|%s\n", k, table[k])
		}
	}
	var rows []string
	for k := range keys {
		if v, ok := table[k]; ok {
			rows = append(rows, fmt.Sprintf("%d|%s", k, v))
		}
	}
	return s.String(), rows
}
