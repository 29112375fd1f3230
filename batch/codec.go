package batch

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrCorrupt is returned when bytes do not decode as columns.
var ErrCorrupt = errors.New("corrupt column bytes")

// AppendCol encodes rows idx (nil = all n) of v. The form is fixed in state
// format 1: a null flag with a bitmap where it is set, then by kind
//
//	Bool       a byte a row
//	Int        width (0 1 2 4 8), base i64, then base-relative unsigned numbers
//	Float      8 bytes a row
//	Wide       16 bytes a row
//	Str        lengths as an Int column, then the bytes
//	Row        its children
//	List       lengths as an Int column, then its children
func AppendCol(dst []byte, v *Vec, idx []int32, n int) []byte {
	if idx != nil {
		n = len(idx)
	}
	at := func(k int) int {
		if idx != nil {
			return int(idx[k])
		}
		return k
	}
	dst = appendNulls(dst, v, n, at)
	switch v.Kind {
	case Bool:
		for k := range n {
			dst = append(dst, byte(b2i(v.B[at(k)])))
		}
	case Int:
		if idx == nil {
			return appendInts(dst, v.I[:n])
		}
		return appendInts(dst, gather(make([]int64, 0, n), v.I, idx))
	case Float:
		for k := range n {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.F[at(k)]))
		}
	case Wide:
		for k := range n {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Hi[at(k)]))
			dst = binary.LittleEndian.AppendUint64(dst, v.Lo[at(k)])
		}
	case Str:
		dst = appendInts(dst, lengths(v, n, at))
		for k := range n {
			dst = append(dst, v.Bytes(at(k))...)
		}
	case Row:
		for c := range v.Child {
			dst = AppendCol(dst, &v.Child[c], idx, n)
		}
	case List:
		dst = appendInts(dst, lengths(v, n, at))
		var el []int32
		for k := range n {
			for j, to := v.Span(at(k)); j < to; j++ {
				el = append(el, int32(j))
			}
		}
		if el == nil {
			el = []int32{}
		}
		for c := range v.Child {
			dst = AppendCol(dst, &v.Child[c], el, len(el))
		}
	}
	return dst
}

func lengths(v *Vec, n int, at func(int) int) []int64 {
	l := make([]int64, n)
	for k := range l {
		l[k] = int64(v.View[at(k)] & 0xffffffff)
	}
	return l
}

func appendNulls(dst []byte, v *Vec, n int, at func(int) int) []byte {
	any := false
	if v.Null != nil {
		for k := 0; k < n && !any; k++ {
			any = v.IsNull(at(k))
		}
	}
	if !any {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	from := len(dst)
	dst = append(dst, make([]byte, (n+7)/8)...)
	for k := range n {
		if v.IsNull(at(k)) {
			dst[from+k>>3] |= 1 << (k & 7)
		}
	}
	return dst
}

// maxSame is how many equal numbers may stand in no bytes at all. More take a byte
// each, so that what is read takes memory in proportion to what was written, also
// where a length of a list is wrong.
const maxSame = 1 << 16

func appendInts(dst []byte, x []int64) []byte {
	if len(x) == 0 {
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	lo, hi := x[0], x[0]
	for _, y := range x {
		lo, hi = min(lo, y), max(hi, y)
	}
	span := uint64(hi) - uint64(lo)
	w := byte(8)
	switch {
	case span == 0 && len(x) <= maxSame:
		w = 0
	case span < 1<<8:
		w = 1
	case span < 1<<16:
		w = 2
	case span < 1<<32:
		w = 4
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, w), uint64(lo))
	switch w {
	case 1:
		for _, y := range x {
			dst = append(dst, byte(y-lo))
		}
	case 2:
		for _, y := range x {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(y-lo))
		}
	case 4:
		for _, y := range x {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(y-lo))
		}
	case 8:
		for _, y := range x {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(y-lo))
		}
	}
	return dst
}

func readInts(src []byte, n int) ([]int64, []byte, error) {
	if len(src) < 9 {
		return nil, nil, ErrCorrupt
	}
	w, lo := int(src[0]), int64(binary.LittleEndian.Uint64(src[1:]))
	src = src[9:]
	if w > 8 || n < 0 || w == 0 && n > maxSame || w != 0 && len(src)/w < n {
		return nil, nil, ErrCorrupt
	}
	x := make([]int64, n)
	switch w {
	case 0:
		for i := range x {
			x[i] = lo
		}
	case 1:
		for i := range x {
			x[i] = lo + int64(src[i])
		}
	case 2:
		for i := range x {
			x[i] = lo + int64(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case 4:
		for i := range x {
			x[i] = lo + int64(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case 8:
		for i := range x {
			x[i] = lo + int64(binary.LittleEndian.Uint64(src[8*i:]))
		}
	default:
		return nil, nil, ErrCorrupt
	}
	return x, src[w*n:], nil
}

// ReadCol decodes n rows of a column of type t and returns what follows it.
// n must come from bytes whose checksum has been verified; a column that is cut
// short or malformed is ErrCorrupt. The vector shares no memory with src.
func ReadCol(src []byte, t Type, n int) (v Vec, rest []byte, err error) {
	v = Vec{Kind: t.Kind()}
	if len(src) < 1 || n < 0 {
		return v, nil, ErrCorrupt
	}
	flag := src[0]
	src = src[1:]
	if flag > 1 {
		return v, nil, ErrCorrupt
	}
	if flag == 1 {
		if len(src) < (n+7)/8 {
			return v, nil, ErrCorrupt
		}
		v.Null = readNulls(src, n)
		src = src[(n+7)/8:]
	}
	switch v.Kind {
	case Bool:
		if len(src) < n {
			return v, nil, ErrCorrupt
		}
		v.B = make([]bool, n)
		for i := range v.B {
			v.B[i] = src[i] != 0
		}
		return v, src[n:], nil
	case Int:
		v.I, rest, err = readInts(src, n)
		return v, rest, err
	case Float:
		if len(src)/8 < n {
			return v, nil, ErrCorrupt
		}
		v.F = make([]float64, n)
		for i := range v.F {
			v.F[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		}
		return v, src[8*n:], nil
	case Wide:
		if len(src)/16 < n {
			return v, nil, ErrCorrupt
		}
		v.Hi, v.Lo = make([]int64, n), make([]uint64, n)
		for i := range n {
			v.Hi[i] = int64(binary.LittleEndian.Uint64(src[16*i:]))
			v.Lo[i] = binary.LittleEndian.Uint64(src[16*i+8:])
		}
		return v, src[16*n:], nil
	case Row:
		v.Child = make([]Vec, len(t.Fields))
		for c := range v.Child {
			if v.Child[c], src, err = ReadCol(src, t.Fields[c].Type, n); err != nil {
				return v, nil, err
			}
		}
		return v, src, nil
	}
	total, src, err := readViews(&v, src, n)
	if err != nil {
		return v, nil, err
	}
	if v.Kind == Str {
		if len(src) < total {
			return v, nil, ErrCorrupt
		}
		v.Data = append([]byte(nil), src[:total]...)
		return v, src[total:], nil
	}
	types := t.Fields
	if t.SQL == Multiset {
		types = []Field{t.Fields[0], {Type: TypeBigInt}}
	}
	v.Child = make([]Vec, len(types))
	for c := range v.Child {
		if v.Child[c], src, err = ReadCol(src, types[c].Type, total); err != nil {
			return v, nil, err
		}
	}
	return v, src, nil
}

func readNulls(src []byte, n int) []uint64 {
	b := make([]uint64, (n+63)/64)
	for i := range n {
		b[i>>6] |= uint64(src[i>>3]>>(i&7)&1) << (i & 63)
	}
	return b
}

// readViews reads n lengths and lays the values back to back.
func readViews(v *Vec, src []byte, n int) (total int, rest []byte, err error) {
	l, rest, err := readInts(src, n)
	if err != nil {
		return 0, nil, err
	}
	v.View = make([]uint64, n)
	for i, x := range l {
		if x < 0 || x > math.MaxInt32 || total > math.MaxInt32 {
			return 0, nil, ErrCorrupt
		}
		v.View[i] = View(total, int(x))
		total += int(x)
	}
	return total, rest, nil
}
