package connectors

import "github.com/streamd/streamd/batch"

// Pad appends zero values to every column that has fewer rows than b. Readers
// leave columns that nobody wants alone and call it once at the end of a Read.
func Pad(b *batch.Batch) {
	for i := range b.Cols {
		pad(&b.Cols[i], b.N)
	}
}

func pad(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Bool:
		v.B = zeros(v.B, n)
	case batch.Int:
		v.I = zeros(v.I, n)
	case batch.Float:
		v.F = zeros(v.F, n)
	case batch.Wide:
		v.Hi, v.Lo = zeros(v.Hi, n), zeros(v.Lo, n)
	case batch.Row:
		for i := range v.Child {
			pad(&v.Child[i], n)
		}
	default:
		v.View = zeros(v.View, n)
	}
	for v.Null != nil && len(v.Null) < (n+63)>>6 {
		v.Null = append(v.Null, 0)
	}
}

func zeros[T any](s []T, n int) []T {
	if len(s) >= n {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}
