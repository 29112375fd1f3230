package batch

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// toBig is the value of x by arithmetic that shares nothing with Int128.
func toBig(x Int128) *big.Int {
	b := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(x.Lo))
}

var two127 = new(big.Int).Lsh(big.NewInt(1), 127)

func fitsBig(b *big.Int) bool {
	return b.Cmp(two127) < 0 && b.Cmp(new(big.Int).Neg(two127)) >= 0
}

// wrapBig reduces b to 128 bits in two's complement.
func wrapBig(b *big.Int) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), 128)
	b = new(big.Int).Mod(b, m)
	if b.Cmp(two127) >= 0 {
		b.Sub(b, m)
	}
	return b
}

func drawInt128(t *rapid.T, name string) Int128 {
	x := Int128{rapid.Int64().Draw(t, name+".hi"), rapid.Uint64().Draw(t, name+".lo")}
	switch rapid.IntRange(0, 3).Draw(t, name+".size") {
	case 0:
		x = Int128From(rapid.Int64().Draw(t, name+".small"))
	case 1:
		x = Int128From(rapid.Int64Range(-3, 3).Draw(t, name+".tiny"))
	case 2:
		x = Pow10[rapid.IntRange(0, 38).Draw(t, name+".pow")]
		if rapid.Bool().Draw(t, name+".neg") {
			x = x.Neg()
		}
	}
	return x
}

func TestInt128AgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawInt128(t, "x"), drawInt128(t, "y")
		a, b := toBig(x), toBig(y)
		same := func(what string, got Int128, want *big.Int) {
			if toBig(got).Cmp(want) != 0 {
				t.Fatalf("%s of %v and %v: got %v, want %v", what, a, b, toBig(got), want)
			}
		}
		same("sum", x.Add(y), wrapBig(new(big.Int).Add(a, b)))
		same("difference", x.Sub(y), wrapBig(new(big.Int).Sub(a, b)))
		same("negation", x.Neg(), wrapBig(new(big.Int).Neg(a)))
		if got, want := x.Cmp(y), a.Cmp(b); got != want {
			t.Fatalf("compare %v %v: %d", a, b, got)
		}
		if x.Sign() != a.Sign() {
			t.Fatalf("sign of %v: %d", a, x.Sign())
		}
		if n, ok := x.Int64(); ok != a.IsInt64() || ok && n != a.Int64() {
			t.Fatalf("int64 of %v: %d, %v", a, n, ok)
		}
		p, ok := x.Mul(y)
		product := new(big.Int).Mul(a, b)
		// The least value may be refused: magnitudes have 127 bits.
		if fits := fitsBig(product); ok && !fits || !ok && fits && new(big.Int).Abs(product).Cmp(two127) != 0 && !isMin(x) && !isMin(y) {
			t.Fatalf("%v * %v: ok %v", a, b, ok)
		}
		if ok {
			same("product", p, product)
		}
		if b.Sign() != 0 && !isMin(x) && !isMin(y) {
			q, r := x.QuoRem(y)
			wq, wr := new(big.Int).QuoRem(a, b, new(big.Int))
			same("quotient", q, wq)
			same("remainder", r, wr)
		}
	})
}

func isMin(x Int128) bool { return x.Hi == -1<<63 && x.Lo == 0 }

func TestMulInt64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Int64().Draw(t, "x"), rapid.Int64().Draw(t, "y")
		if got, want := toBig(MulInt64(x, y)), new(big.Int).Mul(big.NewInt(x), big.NewInt(y)); got.Cmp(want) != 0 {
			t.Fatalf("%d * %d = %v, want %v", x, y, got, want)
		}
	})
}

func TestInt128Float(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawInt128(t, "x")
		want, _ := new(big.Float).SetInt(toBig(x)).Float64()
		got := x.Float64()
		// Two roundings may differ from one in the last digit.
		if diff := got - want; diff > 1e-15*abs(want) || -diff > 1e-15*abs(want) {
			t.Fatalf("%v is %g, want %g", toBig(x), got, want)
		}
	})
}

func abs(f float64) float64 {
	if f < 0 {
		return -f
	}
	return f
}

func TestAppendDecimal(t *testing.T) {
	for _, c := range []struct {
		x    Int128
		s    int
		want string
	}{
		{Int128{}, 0, "0"}, {Int128{}, 2, "0.00"}, {Int128From(5), 2, "0.05"}, {Int128From(-5), 2, "-0.05"}, {Int128From(-150), 2, "-1.50"},
		{Int128From(123), 0, "123"}, {Pow10[38], 0, "1" + zeros(38)}, {Pow10[38].Neg(), 38, "-1." + zeros(38)}, {Int128From(1), 18, "0." + zeros(17) + "1"},
	} {
		if got := string(AppendDecimal(nil, c.x, c.s)); got != c.want {
			t.Errorf("%v scale %d: %s, want %s", toBig(c.x), c.s, got, c.want)
		}
	}
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}

// All of 127 bits goes there and back; 38 digits need them.
func TestInt128Big(t *testing.T) {
	for _, bits := range []uint{0, 1, 63, 64, 126, 127, 128} {
		for _, less := range []int64{0, 1} {
			for _, sign := range []int64{1, -1} {
				b := new(big.Int).Lsh(big.NewInt(1), bits)
				b.Sub(b, big.NewInt(less)).Mul(b, big.NewInt(sign))
				x, ok := Int128FromBig(b)
				if fits := b.BitLen() <= 127; ok != fits {
					t.Errorf("%s: %v, want %v", b, ok, fits)
				} else if ok && (toBig(x).Cmp(b) != 0 || x.Big().Cmp(b) != 0) {
					t.Errorf("%s became %s, and %s by Big", b, toBig(x), x.Big())
				}
			}
		}
	}
}
