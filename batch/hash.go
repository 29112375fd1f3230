package batch

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The hash of a row is fixed in state format 1: it decides in which of 256
// shards a key lives (its low 8 bits), which worker owns it, and where it
// stands in a table's index (its high 32 bits). hash_test.go holds the test
// vector; a change needs a new state format.
const (
	hashSeed = 0x9e3779b97f4a7c15
	hashK1   = 0xbf58476d1ce4e5b9
	hashK2   = 0x94d049bb133111eb
	hashNull = 0xd6e8feb86659fd93
)

// mum multiplies to 128 bits and folds the halves.
func mum(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// mix adds one value to a running hash.
func mix(h, x uint64) uint64 { return mum(h^x^hashK2, hashK1) + bits.RotateLeft64(x, 32) }

// finish spreads the last value over all bits.
func finish(h uint64) uint64 { return mum(h^hashSeed, hashK2) }

// HashBytes hashes a string of bytes.
func HashBytes(b []byte) uint64 {
	h := uint64(len(b)) * hashK2
	for len(b) >= 8 {
		h = mum(h^binary.LittleEndian.Uint64(b)^hashK2, hashK1)
		b = b[8:]
	}
	if len(b) > 0 {
		var t uint64
		if len(b) >= 4 {
			t = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32
		} else {
			t = uint64(b[0]) | uint64(b[len(b)>>1])<<8 | uint64(b[len(b)-1])<<16
		}
		h = mum(h^t^hashSeed, hashK1)
	}
	return h
}

// FloatBits returns the bits by which a double is hashed and compared as a key:
// all NaN are one value and -0 is 0.
func FloatBits(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000001
	}
	if f == 0 {
		return 0
	}
	return math.Float64bits(f)
}

// HashRows hashes the columns cols of the selected rows (nil sel = all n) into
// h, which has n entries; entries of rows that are not selected are undefined.
// Rows that are equal as keys (NULL = NULL, NaN = NaN, -0 = 0) hash alike.
func HashRows(cols []Vec, sel []int32, n int, h []uint64) {
	h = h[:n]
	if len(cols) == 0 {
		for i := range h {
			h[i] = finish(hashSeed)
		}
		return
	}
	for c := range cols {
		hashCol(&cols[c], sel, h, c == 0)
	}
	if sel == nil {
		for i, x := range h {
			h[i] = finish(x)
		}
		return
	}
	for _, i := range sel {
		h[i] = finish(h[i])
	}
}

func hashCol(v *Vec, sel []int32, h []uint64, first bool) {
	if first {
		for i := range h {
			h[i] = hashSeed
		}
	}
	// Fast paths: integers and texts without nulls are the most frequent keys.
	switch {
	case v.Kind == Int && v.Null == nil && sel == nil:
		for i, x := range v.I[:len(h)] {
			h[i] = mix(h[i], uint64(x))
		}
	case v.Kind == Int && v.Null == nil:
		for _, i := range sel {
			h[i] = mix(h[i], uint64(v.I[i]))
		}
	case v.Kind == Str && v.Null == nil:
		hashTexts(v, sel, h)
	default:
		for j := range selected(sel, len(h)) {
			i := j
			if sel != nil {
				i = int(sel[j])
			}
			h[i] = mix(h[i], v.HashAt(i))
		}
	}
}

// hashTexts is hashCol of a Str column without nulls. Neighbours often share a
// view, of a text that a function made once or that stands in a dictionary.
func hashTexts(v *Vec, sel []int32, h []uint64) {
	view, hash := uint64(0), HashBytes(nil)
	for j := range selected(sel, len(h)) {
		i := j
		if sel != nil {
			i = int(sel[j])
		}
		if w := v.View[i]; w != view {
			view, hash = w, HashBytes(v.Bytes(i))
		}
		h[i] = mix(h[i], hash)
	}
}

// selected is how many rows sel selects of n.
func selected(sel []int32, n int) int {
	if sel == nil {
		return n
	}
	return len(sel)
}

// HashAt returns the hash input of row i: for scalars the value itself.
func (v *Vec) HashAt(i int) uint64 {
	if v.IsNull(i) {
		return hashNull
	}
	switch v.Kind {
	case Bool:
		if v.B[i] {
			return 1
		}
		return 0
	case Int:
		return uint64(v.I[i])
	case Float:
		return FloatBits(v.F[i])
	case Wide:
		return mix(v.Lo[i], uint64(v.Hi[i]))
	case Str:
		return HashBytes(v.Bytes(i))
	case Row:
		h := uint64(hashSeed)
		for c := range v.Child {
			h = mix(h, v.Child[c].HashAt(i))
		}
		return h
	}
	from, to := v.Span(i)
	h := uint64(to - from)
	for j := from; j < to; j++ {
		for c := range v.Child {
			h = mix(h, v.Child[c].HashAt(j))
		}
	}
	return h
}

// HashRow hashes row i of cols, as HashRows does.
func HashRow(cols []Vec, i int) uint64 {
	h := uint64(hashSeed)
	for c := range cols {
		h = mix(h, cols[c].HashAt(i))
	}
	return finish(h)
}

// Shards is the number of shards of a state table, fixed in state format 1.
const Shards = 256

// ShardOf returns the shard of a placement hash.
func ShardOf(h uint64) uint8 { return uint8(h) }
