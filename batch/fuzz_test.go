package batch

import (
	"testing"

	"github.com/streamd/streamd/internal/fuzz"
)

// codecTypes are types of every kind of vector.
var codecTypes = []Type{TypeBool, TypeBigInt, TypeDouble, DecimalOf(38, 5), TypeString, ArrayOf(TypeString), MapOf(TypeString, TypeBigInt), MultisetOf(TypeInt),
	{SQL: RowType, Fields: []Field{{Name: "a", Type: TypeString}, {Name: "b", Type: ArrayOf(TypeBool)}}}}

// columns is a type, a number of rows, and a column.
var columns = fuzz.Target{Seeds: columnSeeds(), Check: func(t testing.TB, b []byte) {
	if len(b) < 2 {
		return
	}
	n := int(b[1])
	v, _, err := ReadCol(b[2:], codecTypes[int(b[0])%len(codecTypes)], n)
	if err != nil {
		return
	}
	if v.Len() != n {
		t.Errorf("%x: %d rows, want %d", b, v.Len(), n)
	}
	out := NewVec(codecTypes[int(b[0])%len(codecTypes)], 0)
	for i := range n { // every row can be looked at, and comes back
		out.AppendFrom(&v, i)
		HashRow([]Vec{v}, i)
	}
	again, rest, err := ReadCol(AppendCol(nil, &out, nil, n), codecTypes[int(b[0])%len(codecTypes)], n)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%x: written again it is %v, %d bytes left", b, err, len(rest))
	}
	for i := range n {
		if !EqualAt(&v, i, &again, i) {
			t.Errorf("%x: row %d comes back different", b, i)
		}
	}
}}

func columnSeeds() (out [][]byte) {
	for k, typ := range codecTypes {
		for _, n := range []int{0, 1, 3, 70} {
			v := NewVec(typ, 0)
			for i := range n {
				if i%3 == 1 {
					v.AppendNull()
				} else {
					appendSample(&v, i)
				}
			}
			out = append(out, AppendCol([]byte{byte(k), byte(n)}, &v, nil, n))
		}
	}
	return out
}

// appendSample adds a value that depends on i.
func appendSample(v *Vec, i int) {
	switch v.Kind {
	case Bool:
		v.AppendBool(i%2 == 0)
	case Int:
		v.AppendInt(int64(i) << (i % 60))
	case Float:
		v.AppendFloat(float64(i) / 3)
	case Wide:
		v.AppendWide(Int128{Hi: int64(i), Lo: uint64(i) << 40})
	case Str:
		v.AppendString("text"[:i%5])
	case Row:
		for c := range v.Child {
			appendSample(&v.Child[c], i)
		}
		v.keepNull(v.Len())
	case List:
		from := v.Child[0].Len()
		for j := range i % 3 {
			for c := range v.Child {
				appendSample(&v.Child[c], i+j)
			}
		}
		v.AppendList(from)
	}
}

func FuzzColumn(f *testing.F)     { columns.Fuzz(f) }
func TestFuzzColumn(t *testing.T) { columns.Loop(t) }
