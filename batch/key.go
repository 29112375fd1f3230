package batch

import (
	"encoding/binary"
)

// AppendKey writes row i of v as canonical bytes: two values are equal as keys
// exactly when their bytes are. The bytes say where they end, so columns can
// stand one behind the other.
func (v *Vec) AppendKey(dst []byte, i int) []byte {
	if v.IsNull(i) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch v.Kind {
	case Bool:
		return append(dst, byte(b2i(v.B[i])))
	case Int:
		return binary.BigEndian.AppendUint64(dst, uint64(v.I[i])^1<<63)
	case Float:
		return binary.BigEndian.AppendUint64(dst, FloatBits(v.F[i]))
	case Wide:
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Hi[i])^1<<63)
		return binary.BigEndian.AppendUint64(dst, v.Lo[i])
	case Str:
		b := v.Bytes(i)
		return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	case Row:
		for c := range v.Child {
			dst = v.Child[c].AppendKey(dst, i)
		}
		return dst
	}
	from, to := v.Span(i)
	dst = binary.AppendUvarint(dst, uint64(to-from))
	for j := from; j < to; j++ {
		for c := range v.Child {
			dst = v.Child[c].AppendKey(dst, j)
		}
	}
	return dst
}

// AppendKey writes row i of all cols as canonical bytes.
func AppendKey(dst []byte, cols []Vec, i int) []byte {
	for c := range cols {
		dst = cols[c].AppendKey(dst, i)
	}
	return dst
}
