//go:build invariants

package invariants

// Enabled tells that assertions are on.
const Enabled = true

// Mangle overwrites s, which is about to be reused, with x.
func Mangle[T any](s []T, x T) {
	s = s[:cap(s)]
	for i := range s {
		s[i] = x
	}
}
