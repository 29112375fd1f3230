package batch

import (
	"fmt"
	"math"
	"strings"

	"pgregory.net/rapid"
)

// kinds are the types of random columns, one for every way a value is stored.
var kinds = []Type{
	TypeBool, TypeInt, TypeBigInt, TypeDouble, DecimalOf(10, 2), DecimalOf(30, 3), TypeString, TypeBytes, TypeTS3,
	{SQL: RowType, Fields: []Field{{Name: "x", Type: TypeInt}, {Name: "y", Type: ArrayOf(TypeString)}}},
	ArrayOf(TypeBigInt), ArrayOf(ArrayOf(TypeBool)), MapOf(TypeString, TypeDouble), MultisetOf(TypeInt),
	ArrayOf(Type{SQL: RowType, Fields: []Field{{Name: "x", Type: TypeInt}, {Name: "y", Type: TypeString}}}),
}

func drawType(t *rapid.T) Type { return rapid.SampledFrom(kinds).Draw(t, "type") }

// drawInto appends a random value of few different ones, so that equal rows come up.
func drawInto(t *rapid.T, v *Vec, typ Type) {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	n := rapid.SampledFrom([]int64{0, 1, -1, 2, 255, 256, -300, 1 << 20, 1 << 40, math.MinInt64, math.MaxInt64}).Draw(t, "n")
	switch v.Kind {
	case Bool:
		v.AppendBool(n&1 != 0)
	case Int:
		v.AppendInt(n)
	case Float:
		v.AppendFloat(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1.5, -2, math.NaN(), math.Inf(1), math.Inf(-1), 1e300}).Draw(t, "f"))
	case Wide:
		v.AppendWide(Int128{n >> 3, uint64(n) * 0x9e3779b97f4a7c15})
	case Str:
		v.AppendString(rapid.SampledFrom([]string{"", "a", "ab", "abcdefgh", "abcdefghi", "ä\n\"", strings.Repeat("z", 40)}).Draw(t, "s"))
	case Row:
		for c := range v.Child {
			drawInto(t, &v.Child[c], typ.Fields[c].Type)
		}
		v.keepNull(v.Child[0].Len())
	case List:
		from := v.Child[0].Len()
		for k := range rapid.IntRange(0, 3).Draw(t, "len") {
			switch typ.SQL {
			case Array:
				drawInto(t, &v.Child[0], typ.Fields[0].Type)
			case Map:
				v.Child[0].AppendString(fmt.Sprint("k", k))
				drawInto(t, &v.Child[1], typ.Fields[1].Type)
			default:
				v.Child[0].AppendInt(int64(k))
				v.Child[1].AppendInt(2)
			}
		}
		v.AppendList(from)
	}
}

func drawVec(t *rapid.T, typ Type, n int) Vec {
	v := NewVec(typ, 0)
	for range n {
		drawInto(t, &v, typ)
	}
	return v
}

// value is row i of v as a Go value that fmt prints unambiguously: an oracle for
// what equality as a key means.
func value(v *Vec, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	switch v.Kind {
	case Bool:
		return fmt.Sprint(v.B[i])
	case Int:
		return fmt.Sprint(v.I[i])
	case Float:
		if v.F[i] == 0 {
			return "0"
		}
		return fmt.Sprint(v.F[i])
	case Wide:
		return toBig(v.Wide128(i)).String()
	case Str:
		return fmt.Sprintf("%q", v.Bytes(i))
	case Row:
		s := "("
		for c := range v.Child {
			s += value(&v.Child[c], i) + ","
		}
		return s + ")"
	}
	s := "["
	from, to := v.Span(i)
	for j := from; j < to; j++ {
		for c := range v.Child {
			s += value(&v.Child[c], j) + ","
		}
		s += ";"
	}
	return s + "]"
}

func values(v *Vec, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = value(v, i)
	}
	return out
}

// selection draws increasing row numbers, or nil.
func selection(t *rapid.T, n int) []int32 {
	if rapid.Bool().Draw(t, "all") {
		return nil
	}
	sel := []int32{}
	for i := range n {
		if rapid.Bool().Draw(t, "in") {
			sel = append(sel, int32(i))
		}
	}
	return sel
}
