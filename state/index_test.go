package state

import (
	"testing"

	"pgregory.net/rapid"
)

// Homes are drawn from a few neighbouring places, the last and the first among
// them, so that runs are long, meet and wrap around.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		model := map[uint32]uint64{} // id -> hash
		homes := rapid.SampledFrom([][]uint64{{0xf, 0x0, 0x1}, {0x3, 0x4, 0x5, 0x6}, {0xe, 0xf}}).Draw(t, "homes")
		next := uint32(1)
		for range rapid.IntRange(1, 120).Draw(t, "ops") {
			if rapid.IntRange(0, 2).Draw(t, "op") > 0 || len(model) == 0 {
				h := rapid.SampledFrom(homes).Draw(t, "home")<<60 | rapid.Uint64Range(0, 3).Draw(t, "low")<<32
				x.add(h, next)
				model[next] = h
				next++
			} else {
				id := uint32(rapid.IntRange(1, int(next-1)).Draw(t, "id"))
				h, ok := model[id]
				if x.remove(h, id) != ok {
					t.Fatalf("remove of %d", id)
				}
				delete(model, id)
			}
			if x.n != len(model) || x.n*10 > len(x.e)*7 {
				t.Fatalf("%d entries in %d places, want %d", x.n, len(x.e), len(model))
			}
			for id := uint32(1); id < next; id++ {
				h, ok := model[id]
				if got := x.find(h, func(e uint32) bool { return e == id }); ok && got != id {
					t.Fatalf("entry %d is lost", id)
				}
			}
		}
	})
}
