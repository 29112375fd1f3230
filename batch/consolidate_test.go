package batch

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

func TestConsolidateAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		types := []Type{drawType(t), drawType(t)}
		b := New(NewSchema(Field{Name: "a", Type: types[0]}, Field{Name: "b", Type: types[1]}), 0)
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			if b.N > 0 && rapid.Bool().Draw(t, "again") {
				i := rapid.IntRange(0, b.N-1).Draw(t, "which")
				for c := range b.Cols {
					v := &b.Cols[c]
					cp := NewVec(types[c], 1)
					cp.AppendFrom(v, i)
					v.AppendFrom(&cp, 0)
				}
			} else {
				for c := range b.Cols {
					drawInto(t, &b.Cols[c], types[c])
				}
			}
			b.AddWeight(rapid.SampledFrom([]int64{1, 1, 1, -1, -2, 0}).Draw(t, "w"))
		}
		b.Sel = selection(t, b.N)
		name := func(b *Batch, i int) string { return value(&b.Cols[0], i) + "|" + value(&b.Cols[1], i) }
		want := map[string]int64{}
		var order []string
		b.Each(func(i int) {
			k := name(b, i)
			if _, ok := want[k]; !ok {
				order = append(order, k)
			}
			want[k] += b.Weight(i)
		})
		maps.DeleteFunc(want, func(_ string, w int64) bool { return w == 0 })
		got := map[string]int64{}
		at := 0
		out := Consolidate(b)
		out.Each(func(i int) {
			k := name(out, i)
			if _, double := got[k]; double {
				t.Fatalf("%s is there twice", k)
			}
			got[k] = out.Weight(i)
			for at < len(order) && order[at] != k {
				at++
			}
			if at == len(order) {
				t.Fatalf("%s is not at the place of its first appearance", k)
			}
		})
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
