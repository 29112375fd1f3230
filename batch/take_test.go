package batch

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		v := drawVec(t, typ, rapid.IntRange(0, 70).Draw(t, "rows"))
		null := NewVec(typ, 1)
		null.AppendNull()
		all := values(&v, v.Len())
		idx := rapid.SliceOf(rapid.Int32Range(-1, int32(v.Len())-1)).Draw(t, "idx")
		var want []string
		for _, i := range idx {
			if i < 0 {
				want = append(want, value(&null, 0))
			} else {
				want = append(want, all[i])
			}
		}
		out := v.Take(idx)
		if got := values(&out, len(want)); !slices.Equal(got, want) || out.Len() != len(want) {
			t.Fatalf("%s: got %q, want %q", typ, got, want)
		}
		// It can be appended to others, which copies what is shared.
		to := NewVec(typ, 0)
		to.AppendRows(&out, nil, len(idx))
		if got := values(&to, len(want)); !slices.Equal(got, want) {
			t.Fatalf("%s: copied %q, want %q", typ, got, want)
		}
	})
}
