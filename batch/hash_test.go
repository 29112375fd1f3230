package batch

import (
	"math"
	"strings"
	"testing"
)

// TestHashVector is the test vector of state format 1. A change of any number
// here is a new state format: old state would be looked for in the wrong shards.
func TestHashVector(t *testing.T) {
	one := func(typ Type, fill func(*Vec)) []Vec {
		v := NewVec(typ, 0)
		fill(&v)
		return []Vec{v}
	}
	str := func(s string) []Vec { return one(TypeString, func(v *Vec) { v.AppendString(s) }) }
	num := func(n int64) []Vec { return one(TypeBigInt, func(v *Vec) { v.AppendInt(n) }) }
	for i, c := range []struct {
		cols []Vec
		want uint64
	}{
		{nil, 0x0},
		{num(0), 0x5706664928bd3b03},
		{num(1), 0x37baae9ac7a041a2},
		{num(-1), 0xdc237f0ffe310e6},
		{num(1 << 40), 0xbee6a3642d3b7508},
		{str(""), 0x5706664928bd3b03},
		{str("a"), 0x3e719ff6ef79c7ef},
		{str("abcd"), 0xee6eafc93f0a02fd},
		{str("abcdefgh"), 0x178407eecc7205c2},
		{str("abcdefghi"), 0x1ddf6e7a239f0e2c},
		{str(strings.Repeat("xyz", 20)), 0x77db251b0757d6aa},
		{append(num(7), str("q")...), 0xfc9b7027b5b955a1},
		{one(TypeBigInt, func(v *Vec) { v.AppendNull() }), 0xd3df833060f1505},
		{one(TypeBool, func(v *Vec) { v.AppendBool(true) }), 0x37baae9ac7a041a2},
		{one(TypeDouble, func(v *Vec) { v.AppendFloat(1.5) }), 0xff311e00bbb490f3},
		{one(TypeDouble, func(v *Vec) { v.AppendFloat(math.NaN()) }), 0x92e500a1793ec435},
		{one(DecimalOf(30, 0), func(v *Vec) { v.AppendWide(Int128{1, 2}) }), 0x4dbbd38898c0569},
		{one(ArrayOf(TypeInt), func(v *Vec) { v.Child[0].AppendInt(1); v.Child[0].AppendInt(2); v.AppendList(0) }), 0x61d8aa3282c1fb31},
		{one(Type{SQL: RowType, Fields: []Field{{Name: "x", Type: TypeInt}}}, func(v *Vec) { v.Child[0].AppendInt(1) }), 0xb1d54a4301dbcf41},
	} {
		if got := HashRow(c.cols, 0); got != c.want {
			t.Errorf("entry %d: %#x, want %#x", i, got, c.want)
		}
	}
}

// TestHashSpreads checks that dense keys fill shards and index bits evenly.
func TestHashSpreads(t *testing.T) {
	v := NewVec(TypeBigInt, 0)
	const n = 1 << 16
	for i := range n {
		v.AppendInt(int64(i))
	}
	h := make([]uint64, n)
	HashRows([]Vec{v}, nil, n, h)
	var shards, high [Shards]int
	for _, x := range h {
		shards[ShardOf(x)]++
		high[x>>56]++
	}
	for i := range Shards {
		if want := n / Shards; shards[i] < want/2 || shards[i] > want*3/2 || high[i] < want/2 || high[i] > want*3/2 {
			t.Fatalf("shard %d has %d, index %d has %d of %d keys", i, shards[i], i, high[i], n)
		}
	}
}
