//go:build invariants

package batch

import "math"

// Garbage that no operator can take for a value: views point outside every
// arena, so whoever kept one panics.
const (
	badInt  = -0x5a5a5a5a5a5a5a5a
	badView = 0x7a7a7a7a<<32 | 0x7a7a7a7a
	badByte = 0xa5
)

// mangle overwrites what the vector holds: whoever kept a reference to it beyond
// the call in which it got the batch reads garbage. Weights and hashes of a batch
// are left, because Reset does not use their memory again and it may be the
// operator's own.
func (v *Vec) mangle() {
	fill(v.I, badInt)
	fill(v.F, math.Inf(-1))
	for i := range v.B {
		v.B[i] = !v.B[i]
	}
	fill(v.Hi, badInt)
	fill(v.Lo, badView)
	fill(v.Data, badByte)
	fill(v.View, badView)
}

func fill[T any](s []T, x T) {
	for i := range s {
		s[i] = x
	}
}
