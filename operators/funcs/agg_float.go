package funcs

import (
	"math"

	"github.com/streamd/streamd/batch"
)

// floatSum keeps n, a compensated sum (s + c), and how many NaN, +Inf and -Inf
// there are, so that taking one back leaves no trace.
//
// Example (Neumaier): 0.1 + 0.2 gives s = 0.30000000000000004, c = -2.8e-17;
// taking 0.2 back gives s + c = 0.1.
type floatSum struct{ sum }

func (floatSum) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	for _, i := range sel {
		if x.IsNull(int(i)) {
			continue
		}
		c, s := p[ids[i]>>batch.PageBits].Cols[at:at+6], ids[i]&batch.SlotMask
		wt, v := weight(w, i), x.F[i]
		c[0].I[s] += wt
		switch {
		case v-v == 0:
			addFloat(c, s, v*float64(wt))
			if c[0].I[s] == 0 {
				c[1].F[s], c[2].F[s] = 0, 0
			}
		case v != v:
			c[3].I[s] += wt
		case v > 0:
			c[4].I[s] += wt
		default:
			c[5].I[s] += wt
		}
	}
}

// addFloat adds x to the compensated pair in columns 1 and 2.
func addFloat(c []batch.Vec, s batch.RowID, x float64) {
	sum := c[1].F[s]
	t := sum + x
	if math.Abs(sum) >= math.Abs(x) {
		c[2].F[s] += (sum - t) + x
	} else {
		c[2].F[s] += (x - t) + sum
	}
	c[1].F[s] = t
}

func (floatSum) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		d, ds := dst[dids[k]>>batch.PageBits].Cols[dat:dat+6], dids[k]&batch.SlotMask
		c, s := src[sid>>batch.PageBits].Cols[sat:sat+6], sid&batch.SlotMask
		d[0].I[ds] += c[0].I[s]
		addFloat(d, ds, c[1].F[s])
		addFloat(d, ds, c[2].F[s])
		for j := 3; j < 6; j++ {
			d[j].I[ds] += c[j].I[s]
		}
	}
}

func (a floatSum) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		c, s := p[id>>batch.PageBits].Cols[at:at+6], id&batch.SlotMask
		n := c[0].I[s]
		if n == 0 {
			if a.zero {
				out.AppendFloat(0)
			} else {
				out.AppendNull()
			}
			continue
		}
		v := c[1].F[s]
		if v-v == 0 { // a sum beyond the largest double stays infinite
			v += c[2].F[s]
		}
		nan, inf, ninf := c[3].I[s] > 0, c[4].I[s] > 0, c[5].I[s] > 0
		switch {
		case nan || inf && ninf:
			v = math.NaN()
		case inf:
			v = math.Inf(1)
		case ninf:
			v = math.Inf(-1)
		}
		if a.avg {
			v /= float64(n)
		}
		if a.out.SQL == batch.Float32 {
			v = float64(float32(v))
		}
		out.AppendFloat(v)
	}
}
