package nexmark

import (
	"math"
	"math/bits"
)

// draws is a source of random numbers that are a function of a key.
type draws struct{ seed uint64 }

func (d draws) u64(key uint64) uint64 {
	x := (key + d.seed) * 0xa0761d6478bd642f
	hi, lo := bits.Mul64(x, x^0xe7037ed1a0b428db)
	return hi ^ lo
}

// below returns a number in [0, n).
func (d draws) below(key uint64, n uint32) uint32 { return below32(d.u64(key), n) }

// below32 maps the upper half of x to [0, n).
func below32(x uint64, n uint32) uint32 { return uint32(x >> 32 * uint64(n) >> 32) }

// A price is round(100 * 10^(6u)), u in [0, 1) in steps of 2^-20: the upper ten
// bits of u choose from one table, the lower ten from the other (1.6 ns; 58 ns
// with math.Pow).
var priceHigh, priceLow = func() (h, l [1024]float64) {
	for i := range h {
		h[i] = 100 * math.Pow(10, 6*float64(i)/1024)
		l[i] = math.Pow(10, 6*float64(i)/(1024*1024))
	}
	return h, l
}()

// price draws from the upper 20 bits of x.
func price(x uint64) int64 { return int64(priceHigh[x>>54]*priceLow[x>>44&1023] + 0.5) }

// Draws of one event: u64(number<<4 | one of these).
const (
	drawAuction = iota // hot in bits 0-15, which in 32-63
	drawBidder         // hot in bits 0-15, which in 32-63
	drawPrice          // bits 44-63; bits 0-31 for the channel
	drawExtra
	drawOwn // persons and auctions: drawOwn + position of the field
)

// pick draws ids: hot but in one of ratio cases, else low + [0, span).
func pick(out []int64, x []uint64, ratio, hot, low int64, span uint32) {
	for i, x := range x[:len(out)] {
		id := hot
		cold := low + int64(below32(x, span))
		if x&0xffff*uint64(ratio)>>16 == 0 {
			id = cold
		}
		out[i] = id
	}
}

// pickChannels draws one of the hot channels in half of the cases, else another.
// The choice is by mask: a branch would be mispredicted every other time.
func pickChannels(out []uint16, x []uint64) {
	for i, x := range x[:len(out)] {
		hot, cold := x>>1&3, hotChannels+x>>8&0xffffff*channels>>24
		out[i] = uint16(cold ^ (cold^hot)&-(x&1))
	}
}

// around returns the least length of an extra string that fills up to size, and
// how much longer it may be; the benchmark's sizes vary by a fifth.
func around(size int) (least, span int) {
	if size < 0 {
		return 0, 0
	}
	delta := (size + 2) / 5
	return size - delta, 2 * delta
}

// stretch returns a view of n bytes somewhere in a pool.
func stretch(x uint64, n int) uint64 {
	return uint64(below32(x, uint32(poolSize-n)))<<32 | uint64(n)
}
