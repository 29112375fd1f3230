package datagen

import (
	"encoding/hex"
	"math"
	"math/bits"
	"strconv"

	"github.com/streamd/streamd/batch"
)

// draw returns the k-th random number of a field for the row with this key.
func (f *field) draw(key uint64, k uint64) uint64 {
	x := (key ^ f.id<<48 ^ k*0x9e3779b97f4a7c15) * 0xa0761d6478bd642f
	hi, lo := bits.Mul64(x^f.id, x^0xe7037ed1a0b428db)
	x = hi ^ lo
	hi, lo = bits.Mul64(x^0x589965cc75374cc3, 0x1d8e4e27c47d124f)
	return hi ^ lo
}

// between maps x to [lo, hi].
func between(x uint64, lo, hi int64) int64 {
	n := uint64(hi) - uint64(lo)
	if n == math.MaxUint64 {
		return int64(x)
	}
	up, _ := bits.Mul64(x, n+1)
	return int64(uint64(lo) + up)
}

// unit maps x to [0, 1).
func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// append adds the value of row n to v, as number row; key stands for the row and,
// inside lists, the element. now is the time in microseconds since 1970.
func (f *field) append(v *batch.Vec, row int, n int64, key uint64, now int64) {
	if f.sequence {
		f.appendSequence(v, f.start+n)
		return
	}
	if f.nullRate > 0 && unit(f.draw(key, 1)) < f.nullRate {
		v.AppendNull()
		return
	}
	x := f.draw(key, 0)
	switch f.t.SQL {
	case batch.Boolean:
		v.AppendBool(x>>63 != 0)
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt, batch.IntervalMonth:
		v.AppendInt(between(x, f.lo, f.hi))
	case batch.IntervalDay:
		v.AppendInt(between(x, f.lo, f.hi) * 1000)
	case batch.Float32:
		v.AppendFloat(float64(float32(f.flo + unit(x)*(f.fhi-f.flo))))
	case batch.Float64:
		// Two halves: the distance may be beyond the range of a double.
		u := unit(x)
		v.AppendFloat(f.flo*(1-u) + f.fhi*u)
	case batch.Decimal:
		f.appendDecimal(v, x, key)
	case batch.Char, batch.Varchar:
		b := f.bytes(key)
		for i := range b {
			b[i] = "0123456789abcdef"[b[i]&15]
		}
		v.AppendBytes(b)
	case batch.Binary, batch.Varbinary:
		v.AppendBytes(f.bytes(key))
	case batch.Timestamp, batch.TimestampLTZ:
		past := int64(0)
		if f.maxPast > 0 {
			past = between(x, 0, f.maxPast.Microseconds())
		}
		v.AppendInt(batch.TruncTime(now-past, f.t.P))
	case batch.Date:
		v.AppendInt(batch.FloorDiv(now, batch.Day))
	case batch.Time:
		v.AppendInt(batch.TruncTime(now-batch.FloorDiv(now, batch.Day)*batch.Day, f.t.P))
	case batch.RowType:
		for c := range f.kids {
			f.kids[c].append(&v.Child[c], row, n, key, now)
		}
		if v.Null != nil && len(v.Null) < (row+64)>>6 {
			v.Null = append(v.Null, 0)
		}
	default:
		f.appendList(v, n, key, now)
	}
}

func (f *field) appendSequence(v *batch.Vec, x int64) {
	switch f.t.SQL {
	case batch.Float32, batch.Float64:
		v.AppendFloat(float64(x))
	case batch.Char, batch.Varchar:
		v.AppendString(strconv.FormatInt(x, 10))
	case batch.Decimal:
		d, _ := batch.Int128From(x).Mul(batch.Pow10[f.t.S])
		appendDecimal(v, d)
	default:
		v.AppendInt(x)
	}
}

func appendDecimal(v *batch.Vec, d batch.Int128) {
	if v.Kind == batch.Wide {
		v.AppendWide(d)
	} else {
		v.AppendInt(int64(d.Lo))
	}
}

func (f *field) appendDecimal(v *batch.Vec, x, key uint64) {
	d := batch.Int128From(between(x, f.lo, f.hi))
	if f.wide { // 18 digits, and as many more below them as the type has
		low, _ := batch.Pow10[f.t.P-18].Mul(d)
		more, _ := batch.Pow10[min(f.t.P-18, 18)].Int64()
		d = low.Add(batch.Int128From(between(f.draw(key, 2), 0, more-1)))
		if d.Cmp(batch.Pow10[f.t.P]) >= 0 {
			d = low
		}
	}
	appendDecimal(v, d)
}

// bytes draws as many bytes as the field is long.
func (f *field) bytes(key uint64) []byte {
	n := f.length
	if f.varLen && n > 0 {
		n = int(between(f.draw(key, 3), 1, int64(n)))
	}
	b := make([]byte, n+7)
	for i := 0; i < n; i += 8 {
		x := f.draw(key, uint64(16+i))
		for k := range 8 {
			if i+k < len(b) {
				b[i+k] = byte(x >> (8 * k))
			}
		}
	}
	return b[:n]
}

func (f *field) appendList(v *batch.Vec, n int64, key uint64, now int64) {
	from := v.Child[0].Len()
	seen := map[string]bool{}
	for i := range f.length {
		k := f.draw(key, uint64(100+i))
		f.kids[0].append(&v.Child[0], v.Child[0].Len(), n, k, now)
		if f.t.SQL == batch.Array {
			continue
		}
		last := v.Child[0].Len() - 1
		name := hex.EncodeToString(v.Child[0].AppendKey(nil, last))
		if seen[name] {
			cut(&v.Child[0], last) // a key comes once
			continue
		}
		seen[name] = true
		if f.t.SQL == batch.Map {
			f.kids[1].append(&v.Child[1], v.Child[1].Len(), n, k, now)
		} else {
			v.Child[1].AppendInt(between(f.draw(k, 4), 1, 10))
		}
	}
	v.AppendList(from)
}

// cut takes the last row of a scalar vector away.
func cut(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Bool:
		v.B = v.B[:n]
	case batch.Int:
		v.I = v.I[:n]
	case batch.Float:
		v.F = v.F[:n]
	case batch.Wide:
		v.Hi, v.Lo = v.Hi[:n], v.Lo[:n]
	case batch.Row:
		for c := range v.Child {
			cut(&v.Child[c], n)
		}
	default:
		v.View = v.View[:n]
	}
}
