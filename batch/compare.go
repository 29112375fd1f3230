package batch

import (
	"bytes"
	"cmp"
)

// Compare orders row i of a before, with or after row j of b, which have the
// same type: -1, 0, 1. NULL is the smallest value, NaN the largest number,
// strings go by bytes.
func Compare(a *Vec, i int, b *Vec, j int) int {
	an, bn := a.IsNull(i), b.IsNull(j)
	if an || bn {
		switch {
		case an && bn:
			return 0
		case an:
			return -1
		}
		return 1
	}
	switch a.Kind {
	case Bool:
		return cmp.Compare(b2i(a.B[i]), b2i(b.B[j]))
	case Int:
		return cmp.Compare(a.I[i], b.I[j])
	case Float:
		return CompareFloat(a.F[i], b.F[j])
	case Wide:
		return a.Wide128(i).Cmp(b.Wide128(j))
	case Str:
		return bytes.Compare(a.Bytes(i), b.Bytes(j))
	case Row:
		for c := range a.Child {
			if r := Compare(&a.Child[c], i, &b.Child[c], j); r != 0 {
				return r
			}
		}
		return 0
	}
	af, at := a.Span(i)
	bf, bt := b.Span(j)
	for af < at && bf < bt {
		for c := range a.Child {
			if r := Compare(&a.Child[c], af, &b.Child[c], bf); r != 0 {
				return r
			}
		}
		af, bf = af+1, bf+1
	}
	return cmp.Compare(at-af, bt-bf)
}

// CompareFloat orders doubles: -0 equals 0, NaN equals NaN and is the largest.
func CompareFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	case x != x && y != y:
		return 0
	case x != x:
		return 1
	}
	return -1
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// EqualAt tells whether two values are the same as keys: NULL equals NULL, NaN
// equals NaN.
func EqualAt(a *Vec, i int, b *Vec, j int) bool {
	if a.Null == nil && b.Null == nil {
		switch a.Kind {
		case Int:
			return a.I[i] == b.I[j]
		case Str:
			return bytes.Equal(a.Bytes(i), b.Bytes(j))
		}
	}
	return Compare(a, i, b, j) == 0
}

// EqualRows tells whether row i of a and row j of b are the same in all columns.
func EqualRows(a []Vec, i int, b []Vec, j int) bool {
	for c := range a {
		if !EqualAt(&a[c], i, &b[c], j) {
			return false
		}
	}
	return true
}
