package invariants

import (
	"slices"
	"testing"
)

func TestMangle(t *testing.T) {
	s := make([]int, 2, 4)
	kept := s[:4]
	Mangle(s, -1)
	want := []int{0, 0, 0, 0}
	if Enabled {
		want = []int{-1, -1, -1, -1}
	}
	if !slices.Equal(kept, want) {
		t.Fatalf("after Mangle: %v, want %v (enabled: %v)", kept, want, Enabled)
	}
}
