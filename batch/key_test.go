package batch

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestEqualityAgrees checks that equality, order, hash and canonical bytes say
// the same about any two values.
func TestEqualityAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		a, b := drawVec(t, typ, 3), drawVec(t, typ, 3)
		for i := range 3 {
			for j := range 3 {
				same := value(&a, i) == value(&b, j)
				if got := EqualAt(&a, i, &b, j); got != same {
					t.Fatalf("EqualAt(%s, %s) = %v", value(&a, i), value(&b, j), got)
				}
				c := Compare(&a, i, &b, j)
				if (c == 0) != same || Compare(&b, j, &a, i) != -c {
					t.Fatalf("Compare(%s, %s) = %d", value(&a, i), value(&b, j), c)
				}
				ka, kb := a.AppendKey(nil, i), b.AppendKey(nil, j)
				if bytes.Equal(ka, kb) != same {
					t.Fatalf("keys of %s and %s: %x %x", value(&a, i), value(&b, j), ka, kb)
				}
				if !same && (bytes.HasPrefix(ka, kb) || bytes.HasPrefix(kb, ka)) {
					t.Fatalf("the key of one of %s and %s begins the other's", value(&a, i), value(&b, j))
				}
				ha, hb := HashRow([]Vec{a}, i), HashRow([]Vec{b}, j)
				if same && ha != hb {
					t.Fatalf("equal values %s hash differently", value(&a, i))
				}
			}
		}
		sel := selection(t, 3)
		h := make([]uint64, 3)
		HashRows([]Vec{a, b}, sel, 3, h)
		for i := range 3 {
			in := sel == nil
			for _, s := range sel {
				in = in || int(s) == i
			}
			if in && h[i] != HashRow([]Vec{a, b}, i) {
				t.Fatalf("HashRows and HashRow differ in row %d", i)
			}
		}
	})
}

// TestHashOfSharedViews checks texts that several rows share, as functions and
// dictionaries make them.
func TestHashOfSharedViews(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 20
		v := drawVec(t, TypeString, n)
		if rapid.Bool().Draw(t, "no nulls") {
			v.Null = nil
		}
		for i := 1; i < n; i++ {
			if rapid.IntRange(0, 2).Draw(t, "shared") > 0 {
				v.View[i] = v.View[rapid.IntRange(0, i-1).Draw(t, "with")]
			}
		}
		k := drawVec(t, TypeBigInt, n)
		sel := selection(t, n)
		h := make([]uint64, n)
		HashRows([]Vec{v, k}, sel, n, h)
		if sel == nil {
			for i := range int32(n) {
				sel = append(sel, i)
			}
		}
		for _, i := range sel {
			if want := HashRow([]Vec{v, k}, int(i)); h[i] != want {
				t.Fatalf("row %d, %q: %#x, want %#x", i, v.Bytes(int(i)), h[i], want)
			}
		}
	})
}

func TestCompareOrder(t *testing.T) {
	v := NewVec(TypeDouble, 0)
	for _, f := range []float64{math.Inf(-1), -1, math.Copysign(0, -1), 1, math.Inf(1), math.NaN()} {
		v.AppendFloat(f)
	}
	v.AppendNull()
	n := v.Len()
	order := []int{n - 1, 0, 1, 2, 3, 4, 5} // NULL is least, NaN greatest
	for a := range order {
		for b := range order {
			want := 0
			if a < b {
				want = -1
			} else if a > b {
				want = 1
			}
			if got := Compare(&v, order[a], &v, order[b]); got != want {
				t.Errorf("place %d against %d: %d", a, b, got)
			}
		}
	}
}
