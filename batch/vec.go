package batch

import (
	"math"
	"slices"
)

// Vec is one column. Kind decides which slices hold the data; the others are
// nil. Rows are numbered from 0; every slice in use has at least Len rows.
//
// A Vec is a header: copying it shares the slices. Whoever made the slices may
// write them until the batch is handed on; everybody else only reads.
type Vec struct {
	Kind  Kind
	I     []int64   // Int
	F     []float64 // Float
	B     []bool    // Bool
	Hi    []int64   // Wide, upper half
	Lo    []uint64  // Wide, lower half
	Data  []byte    // Str: the arena the views point into
	View  []uint64  // Str, List: offset<<32 | length, into Data or into every Child
	Child []Vec     // Row: a field each, as many rows as the Vec; List: elements
	Null  []uint64  // bit i set = row i is null; nil = no row is; else at least (Len+63)/64 words
}

// NewVec returns an empty vector for values of type t with room for n rows.
func NewVec(t Type, n int) Vec {
	v := Vec{Kind: t.Kind()}
	switch v.Kind {
	case Bool:
		v.B = make([]bool, 0, n)
	case Int:
		v.I = make([]int64, 0, n)
	case Float:
		v.F = make([]float64, 0, n)
	case Wide:
		v.Hi, v.Lo = make([]int64, 0, n), make([]uint64, 0, n)
	case Str:
		v.View = make([]uint64, 0, n)
	case Row:
		v.Child = make([]Vec, len(t.Fields))
		for i, f := range t.Fields {
			v.Child[i] = NewVec(f.Type, n)
		}
	case List:
		v.View = make([]uint64, 0, n)
		v.Child = make([]Vec, len(t.Fields))
		for i, f := range t.Fields {
			v.Child[i] = NewVec(f.Type, n)
		}
		if t.SQL == Multiset {
			v.Child = append(v.Child, NewVec(TypeBigInt, n))
		}
	}
	return v
}

// NewVecs returns one empty vector for each field of s.
func NewVecs(s *Schema, n int) []Vec {
	c := make([]Vec, len(s.Fields))
	for i, f := range s.Fields {
		c[i] = NewVec(f.Type, n)
	}
	return c
}

// Len returns the number of rows.
func (v *Vec) Len() int {
	switch v.Kind {
	case Bool:
		return len(v.B)
	case Int:
		return len(v.I)
	case Float:
		return len(v.F)
	case Wide:
		return len(v.Lo)
	case Row:
		return v.Child[0].Len()
	}
	return len(v.View)
}

// Reset empties the vector and keeps its memory. The invariants build overwrites it first.
func (v *Vec) Reset() {
	v.mangle()
	v.I, v.F, v.B, v.Hi, v.Lo = v.I[:0], v.F[:0], v.B[:0], v.Hi[:0], v.Lo[:0]
	v.Data, v.View, v.Null = v.Data[:0], v.View[:0], nil
	for i := range v.Child {
		v.Child[i].Reset()
	}
}

// Resize sets the length to n rows; new rows hold arbitrary values and are not
// null. It is for kernels that write every row they own. Str rows become empty
// views; nested kinds cannot be resized.
func (v *Vec) Resize(n int) {
	switch v.Kind {
	case Bool:
		v.B = grow(v.B, n)
	case Int:
		v.I = grow(v.I, n)
	case Float:
		v.F = grow(v.F, n)
	case Wide:
		v.Hi, v.Lo = grow(v.Hi, n), grow(v.Lo, n)
	case Str:
		v.View = grow(v.View, n)
		clear(v.View)
		v.Data = v.Data[:0]
	default:
		panic("BUG: Resize of a nested vector")
	}
	v.Null = nil
}

func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, max(n, 2*cap(s)))
}

// IsNull tells whether row i is null.
func (v *Vec) IsNull(i int) bool { return v.Null != nil && v.Null[i>>6]>>(i&63)&1 != 0 }

// SetNull marks row i of a vector of n rows as null.
func (v *Vec) SetNull(i, n int) {
	w := (n + 63) >> 6
	if len(v.Null) < w {
		v.Null = append(v.Null, make([]uint64, w-len(v.Null))...)
	}
	v.Null[i>>6] |= 1 << (i & 63)
}

// Bytes returns the bytes of row i of a Str vector, inside the arena.
func (v *Vec) Bytes(i int) []byte {
	w := v.View[i]
	o := w >> 32
	return v.Data[o : o+w&0xffffffff : o+w&0xffffffff]
}

// Wide128 returns row i of a Wide vector.
func (v *Vec) Wide128(i int) Int128 { return Int128{v.Hi[i], v.Lo[i]} }

// Span returns where row i of a List vector begins and ends in its children.
func (v *Vec) Span(i int) (from, to int) {
	w := v.View[i]
	return int(w >> 32), int(w>>32) + int(w&0xffffffff)
}

// TooLarge is what a vector panics with when its texts, or the elements of its
// lists, are more than its 32-bit offsets can tell apart and the codec reads back:
// else the rows behind would get bytes of others. No text of a table reaches it alone; thousands of large ones
// in one batch, or in one page of a state table, may. Who runs operators recovers it.
type TooLarge struct{}

func (TooLarge) Error() string {
	return "the texts or lists that one column has in a batch, or in 1,024 rows of state, take more than 2 GiB\n" +
		"shorten them in the query, for example LEFT(s, 1000), or aggregate fewer of them"
}

// tooLarge is boxed once, so that the check for it stays small enough to inline.
var tooLarge any = TooLarge{}

// View says where a row of a Str or List vector is: n bytes or elements from position at.
func View(at, n int) uint64 {
	if uint64(at)|uint64(n) > math.MaxInt32 {
		panic(tooLarge)
	}
	return uint64(at)<<32 | uint64(n)
}

// PutBytes stores b in the arena of a Str vector and points row i, which exists, to it.
func (v *Vec) PutBytes(i int, b []byte) {
	v.View[i] = View(len(v.Data), len(b))
	v.Data = append(v.Data, b...)
}

// AppendBytes adds a row to a Str vector.
func (v *Vec) AppendBytes(b []byte) {
	v.View = append(v.View, View(len(v.Data), len(b)))
	v.Data = append(v.Data, b...)
	v.keepNull(len(v.View))
}

// AppendString adds a row to a Str vector.
func (v *Vec) AppendString(s string) {
	v.View = append(v.View, View(len(v.Data), len(s)))
	v.Data = append(v.Data, s...)
	v.keepNull(len(v.View))
}

// AppendInt adds a row to an Int vector.
func (v *Vec) AppendInt(x int64) { v.I = append(v.I, x); v.keepNull(len(v.I)) }

// AppendFloat adds a row to a Float vector.
func (v *Vec) AppendFloat(x float64) { v.F = append(v.F, x); v.keepNull(len(v.F)) }

// AppendBool adds a row to a Bool vector.
func (v *Vec) AppendBool(x bool) { v.B = append(v.B, x); v.keepNull(len(v.B)) }

// AppendWide adds a row to a Wide vector.
func (v *Vec) AppendWide(x Int128) {
	v.Hi, v.Lo = append(v.Hi, x.Hi), append(v.Lo, x.Lo)
	v.keepNull(len(v.Lo))
}

// AppendList ends a List row whose elements, from position from on, have been
// appended to the children.
func (v *Vec) AppendList(from int) {
	v.View = append(v.View, View(from, v.Child[0].Len()-from))
	v.keepNull(len(v.View))
}

// AppendRow ends a Row row whose fields have been appended to the children.
func (v *Vec) AppendRow() { v.keepNull(v.Child[0].Len()) }

// keepNull keeps the bitmap long enough for n rows.
func (v *Vec) keepNull(n int) {
	if v.Null != nil && len(v.Null) < (n+63)>>6 {
		v.Null = append(v.Null, 0)
	}
}

// AppendNull adds a null row.
func (v *Vec) AppendNull() {
	switch v.Kind {
	case Bool:
		v.B = append(v.B, false)
	case Int:
		v.I = append(v.I, 0)
	case Float:
		v.F = append(v.F, 0)
	case Wide:
		v.Hi, v.Lo = append(v.Hi, 0), append(v.Lo, 0)
	case Row:
		for i := range v.Child {
			v.Child[i].AppendNull()
		}
	default:
		v.View = append(v.View, 0)
	}
	n := v.Len()
	v.SetNull(n-1, n)
}

// AppendFrom adds row i of src, which has the same shape; bytes are copied.
func (v *Vec) AppendFrom(src *Vec, i int) {
	if src.IsNull(i) {
		v.AppendNull()
		return
	}
	switch v.Kind {
	case Bool:
		v.AppendBool(src.B[i])
	case Int:
		v.AppendInt(src.I[i])
	case Float:
		v.AppendFloat(src.F[i])
	case Wide:
		v.AppendWide(Int128{src.Hi[i], src.Lo[i]})
	case Str:
		v.AppendBytes(src.Bytes(i))
	case Row:
		for c := range v.Child {
			v.Child[c].AppendFrom(&src.Child[c], i)
		}
		v.keepNull(v.Child[0].Len())
	case List:
		from, to := src.Span(i)
		at := v.Child[0].Len()
		for j := from; j < to; j++ {
			for c := range v.Child {
				v.Child[c].AppendFrom(&src.Child[c], j)
			}
		}
		v.AppendList(at)
	}
}

// AppendRows adds rows idx of src in order; nil idx means all n rows of src.
// Bytes are copied into v's own arena.
func (v *Vec) AppendRows(src *Vec, idx []int32, n int) {
	if idx == nil {
		v.appendAll(src, n)
		return
	}
	at := v.Len()
	switch v.Kind {
	case Bool:
		v.B = gather(v.B, src.B, idx)
	case Int:
		v.I = gather(v.I, src.I, idx)
	case Float:
		v.F = gather(v.F, src.F, idx)
	case Wide:
		v.Hi, v.Lo = gather(v.Hi, src.Hi, idx), gather(v.Lo, src.Lo, idx)
	case Str:
		for _, i := range idx {
			w := src.View[i]
			o, l := w>>32, w&0xffffffff
			v.View = append(v.View, View(len(v.Data), int(l)))
			v.Data = append(v.Data, src.Data[o:o+l]...)
		}
	default:
		for _, i := range idx {
			v.AppendFrom(src, int(i))
		}
		return
	}
	v.Null = growNull(v.Null, at+len(idx))
	if src.Null != nil {
		for k, i := range idx {
			if src.Null[i>>6]>>(i&63)&1 != 0 {
				v.SetNull(at+k, at+len(idx))
			}
		}
	}
}

func (v *Vec) appendAll(src *Vec, n int) {
	at := v.Len()
	switch v.Kind {
	case Bool:
		v.B = append(v.B, src.B[:n]...)
	case Int:
		v.I = append(v.I, src.I[:n]...)
	case Float:
		v.F = append(v.F, src.F[:n]...)
	case Wide:
		v.Hi, v.Lo = append(v.Hi, src.Hi[:n]...), append(v.Lo, src.Lo[:n]...)
	case Str:
		for _, w := range src.View[:n] {
			o, l := w>>32, w&0xffffffff
			v.View = append(v.View, View(len(v.Data), int(l)))
			v.Data = append(v.Data, src.Data[o:o+l]...)
		}
	default:
		for i := range n {
			v.AppendFrom(src, i)
		}
		return
	}
	v.Null = growNull(v.Null, at+n)
	if src.Null != nil {
		for i := range n {
			if src.Null[i>>6]>>(i&63)&1 != 0 {
				v.SetNull(at+i, at+n)
			}
		}
	}
}

func growNull(b []uint64, n int) []uint64 {
	for b != nil && len(b) < (n+63)>>6 {
		b = append(b, 0)
	}
	return b
}

func gather[T any](dst, src []T, idx []int32) []T {
	at := len(dst)
	dst = slices.Grow(dst, len(idx))[:at+len(idx)]
	out := dst[at:]
	for k, i := range idx {
		out[k] = src[i]
	}
	return dst
}
