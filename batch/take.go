package batch

// Take returns rows idx of v; index -1 gives NULL. Bytes and the elements of lists
// are shared with v: a value that is taken many times is not copied.
func (v *Vec) Take(idx []int32) Vec {
	out := Vec{Kind: v.Kind}
	switch v.Kind {
	case Bool:
		out.B = take(v.B, idx)
	case Int:
		out.I = take(v.I, idx)
	case Float:
		out.F = take(v.F, idx)
	case Wide:
		out.Hi, out.Lo = take(v.Hi, idx), take(v.Lo, idx)
	case Row:
		out.Child = make([]Vec, len(v.Child))
		for c := range v.Child {
			out.Child[c] = v.Child[c].Take(idx)
		}
	default:
		out.View, out.Data, out.Child = take(v.View, idx), v.Data, v.Child
	}
	for k, i := range idx {
		if i < 0 || v.IsNull(int(i)) {
			out.SetNull(k, len(idx))
		}
	}
	return out
}

func take[T any](src []T, idx []int32) []T {
	out := make([]T, len(idx))
	for k, i := range idx {
		if i >= 0 {
			out[k] = src[i]
		}
	}
	return out
}
