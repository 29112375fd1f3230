package batch

import (
	"math/big"
	"math/bits"
)

// Int128 is a signed 128-bit integer in two's complement.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Int128From widens x.
func Int128From(x int64) Int128 { return Int128{x >> 63, uint64(x)} }

// Add returns a+b, wrapping.
func (a Int128) Add(b Int128) Int128 {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), c)
	return Int128{int64(hi), lo}
}

// Sub returns a-b, wrapping.
func (a Int128) Sub(b Int128) Int128 {
	lo, c := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), c)
	return Int128{int64(hi), lo}
}

// Neg returns -a, wrapping at the least value.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Abs returns |a| as an unsigned pair.
func (a Int128) Abs() (hi, lo uint64) {
	if a.Hi < 0 {
		a = a.Neg()
	}
	return uint64(a.Hi), a.Lo
}

// Sign returns -1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	}
	return 1
}

// Cmp compares a and b.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi:
		return -1
	case a.Hi > b.Hi:
		return 1
	case a.Lo < b.Lo:
		return -1
	case a.Lo > b.Lo:
		return 1
	}
	return 0
}

// Int64 returns a as int64 and whether it fits.
func (a Int128) Int64() (int64, bool) {
	x := int64(a.Lo)
	return x, x>>63 == a.Hi
}

// MulInt64 returns x*y exactly.
func MulInt64(x, y int64) Int128 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	h := int64(hi)
	if x < 0 {
		h -= y
	}
	if y < 0 {
		h -= x
	}
	return Int128{h, lo}
}

// Mul returns a*b and whether it fits into 127 bits and sign.
func (a Int128) Mul(b Int128) (Int128, bool) {
	ah, al := a.Abs()
	bh, bl := b.Abs()
	if ah != 0 && bh != 0 {
		return Int128{}, false
	}
	hi, lo := bits.Mul64(al, bl)
	o1, c1 := bits.Mul64(ah, bl)
	o2, c2 := bits.Mul64(al, bh)
	if o1 != 0 || o2 != 0 {
		return Int128{}, false
	}
	hi, k := bits.Add64(hi, c1, 0)
	if k != 0 {
		return Int128{}, false
	}
	if hi, k = bits.Add64(hi, c2, 0); k != 0 || hi>>63 != 0 {
		return Int128{}, false
	}
	r := Int128{int64(hi), lo}
	if (a.Hi < 0) != (b.Hi < 0) {
		r = r.Neg()
	}
	return r, true
}

// QuoRem returns the quotient, truncated toward zero, and the remainder, which
// has the sign of a. b must not be zero.
func (a Int128) QuoRem(b Int128) (q, r Int128) {
	ah, al := a.Abs()
	bh, bl := b.Abs()
	var qh, ql, rh, rl uint64
	switch {
	case bh == 0:
		qh = ah / bl
		ql, rl = bits.Div64(ah%bl, al, bl)
	default:
		// The quotient is below 2^64: shift and subtract over the bits that remain.
		n := bits.LeadingZeros64(bh) - bits.LeadingZeros64(ah)
		rh, rl = ah, al
		for ; n >= 0; n-- {
			sh, sl := bh<<n|bl>>(64-n), bl<<n
			if n == 0 {
				sh, sl = bh, bl
			}
			if rh > sh || rh == sh && rl >= sl {
				var c uint64
				rl, c = bits.Sub64(rl, sl, 0)
				rh, _ = bits.Sub64(rh, sh, c)
				ql |= 1 << n
			}
		}
	}
	q, r = Int128{int64(qh), ql}, Int128{int64(rh), rl}
	if (a.Hi < 0) != (b.Hi < 0) {
		q = q.Neg()
	}
	if a.Hi < 0 {
		r = r.Neg()
	}
	return q, r
}

// Float64 returns the nearest double.
func (a Int128) Float64() float64 {
	h, l := a.Abs()
	f := float64(h)*(1<<64) + float64(l)
	if a.Hi < 0 {
		f = -f
	}
	return f
}

// Pow10 holds 10^0 … 10^38.
var Pow10 = func() (p [39]Int128) {
	p[0] = Int128{0, 1}
	for i := 1; i < len(p); i++ {
		p[i], _ = p[i-1].Mul(Int128{0, 10})
	}
	return p
}()

// AppendDecimal writes a with s digits after the point.
func AppendDecimal(dst []byte, a Int128, s int) []byte {
	if a.Hi < 0 {
		dst = append(dst, '-')
	}
	hi, lo := a.Abs()
	var buf [48]byte
	at := len(buf)
	for digits := 0; hi != 0 || lo != 0 || digits <= s; digits++ {
		if digits == s && s > 0 {
			at--
			buf[at] = '.'
		}
		var d uint64
		hi, d = hi/10, hi%10
		lo, d = bits.Div64(d, lo, 10)
		at--
		buf[at] = byte('0' + d)
	}
	return append(dst, buf[at:]...)
}

// Big returns a as a number of any size.
func (a Int128) Big() *big.Int {
	hi, lo := a.Abs()
	b := new(big.Int).SetUint64(hi)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(lo))
	if a.Hi < 0 {
		b.Neg(b)
	}
	return b
}

// Int128FromBig returns b; false = it takes more than 127 bits and a sign.
func Int128FromBig(b *big.Int) (Int128, bool) {
	if b.BitLen() > 127 {
		return Int128{}, false
	}
	a := new(big.Int).Abs(b)
	lo := new(big.Int).And(a, new(big.Int).SetUint64(^uint64(0))).Uint64()
	x := Int128{Hi: a.Rsh(a, 64).Int64(), Lo: lo}
	if b.Sign() < 0 {
		x = x.Neg()
	}
	return x, true
}
