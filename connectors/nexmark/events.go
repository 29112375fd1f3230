package nexmark

import (
	"math/bits"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

const (
	firstID       = 1000 // of persons and auctions
	firstCategory = 10
	categories    = 5
	hotGroup      = 100 // the hot person or auction changes every so many
	inFlight      = 100 // auctions that cold bids go to
	activePeople  = 1000
	lead          = 10 // ids that are drawn before their event has come

	// chunk is how many events are computed at once: its draws, times and views
	// stay in the first-level cache (BenchmarkGenerator: 512 to 4096 are level).
	chunk = 1024
)

// generator makes events; it belongs to one reader.
type generator struct {
	*settings
	t     *texts
	cols  []column
	want  connectors.Want
	rnd   draws
	total int64   // events in an epoch, the least number with whole proportions
	delay float64 // microseconds of event time between events

	draw     [4][chunk]uint64
	needs    [4]bool
	needTime bool
	channel  [chunk]uint16 // which of texts.channel and texts.url
	time     [chunk]int64
	runs     []run
	special  [2][]int32 // rows that are persons, auctions
	zeros    []int64
	noViews  []uint64
}

// run is rows [from, to) of a chunk that are of one epoch.
type run struct {
	from, to int
	epoch    int64
}

func newGenerator(s *settings, cols []column, want connectors.Want) *generator {
	g := &generator{settings: s, t: loadTexts(), cols: cols, want: want, rnd: draws{uint64(s.Seed) * 0x9e3779b97f4a7c15},
		total: s.Persons + s.Auctions + s.Bids, delay: 1e6 / float64(s.FirstRate)}
	for c, col := range cols {
		for f, l := range col.fields {
			if !want.HasField(c, f) {
				continue
			}
			g.needTime = g.needTime || l.isTime()
			switch l {
			case bidAuction:
				g.needs[drawAuction] = true
			case bidBidder:
				g.needs[drawBidder] = true
			case bidPrice, bidChannel, bidURL:
				g.needs[drawPrice] = true
			case bidExtra:
				g.needs[drawExtra] = true
			}
		}
	}
	return g
}

// timeOf returns the event time of event n in microseconds, whole milliseconds.
func (g *generator) timeOf(n int64) int64 {
	return (g.baseMs + int64(float64(n)*g.delay)/1000) * 1000
}

// fill appends m <= chunk events first, first+stride, … to b, without counting them.
func (g *generator) fill(b *batch.Batch, first, stride int64, m int) {
	g.frame(first, stride, m)
	for c, col := range g.cols {
		v := &b.Cols[c]
		switch {
		case !g.want.Has(c):
			g.blank(v, b.N+m)
		case col.kind < 0:
			v.I = extend(v.I, m)
			g.fillType(v.I[b.N:])
		default:
			g.nulls(v, b.N, m, col.kind)
			for f, l := range col.fields {
				child := &v.Child[f]
				if !g.want.HasField(c, f) {
					g.blank(child, b.N+m)
				} else {
					g.fillLeaf(child, l, b.N, first, stride, m)
				}
				child.Null = v.Null
			}
		}
	}
}

// frame finds the epochs and types of the rows and makes the draws that are needed.
func (g *generator) frame(first, stride int64, m int) {
	g.runs, g.special[person], g.special[auction] = g.runs[:0], g.special[person][:0], g.special[auction][:0]
	epoch, off := first/g.total, first%g.total
	for i := 0; i < m; {
		// Rows i to i+n are of this epoch; persons and auctions come first in it.
		n := 1
		if stride < g.total {
			n = min(int((g.total-off+stride-1)/stride), m-i)
		}
		for k := 0; k < n && off < g.Persons+g.Auctions; k++ {
			kind := person
			if off >= g.Persons {
				kind = auction
			}
			g.special[kind] = append(g.special[kind], int32(i+k))
			off += stride
		}
		g.runs = append(g.runs, run{i, i + n, epoch})
		i += n
		next := first + int64(i)*stride
		epoch, off = next/g.total, next%g.total
	}
	for k, need := range g.needs {
		if need {
			key := uint64(first)<<4 | uint64(k)
			out := g.draw[k][:m]
			for i := range out {
				out[i] = g.rnd.u64(key)
				key += uint64(stride) << 4
			}
		}
	}
	if g.needs[drawPrice] {
		pickChannels(g.channel[:m], g.draw[drawPrice][:m])
	}
	if g.needTime {
		n := first
		out := g.time[:m]
		for i := range out {
			out[i] = g.timeOf(n)
			n += stride
		}
	}
}

func (g *generator) fillType(out []int64) {
	for i := range out {
		out[i] = bid
	}
	for kind, list := range g.special {
		for _, i := range list {
			out[i] = int64(kind)
		}
	}
}

// nulls marks, among rows [at, at+m), those that are of another kind.
func (g *generator) nulls(v *batch.Vec, at, m, kind int) {
	if kind == bid && len(g.special[person])+len(g.special[auction]) == 0 && v.Null == nil {
		return
	}
	words := (at + m + 63) >> 6
	for len(v.Null) < words {
		v.Null = append(v.Null, 0)
	}
	if kind == bid {
		for _, list := range g.special {
			for _, i := range list {
				r := at + int(i)
				v.Null[r>>6] |= 1 << (r & 63)
			}
		}
		return
	}
	for r := at; r < at+m; {
		n := min(64-r&63, at+m-r)
		v.Null[r>>6] |= (1<<n - 1) << (r & 63)
		r += n
	}
	for _, i := range g.special[kind] {
		r := at + int(i)
		v.Null[r>>6] &^= 1 << (r & 63)
	}
}

// blank gives a column that nobody reads n rows of zeros, which all such columns
// share: cut to their length, so that an append copies them.
func (g *generator) blank(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Int:
		if len(g.zeros) < n {
			g.zeros = make([]int64, n+chunk)
		}
		v.I = g.zeros[:n:n]
	case batch.Str:
		if len(g.noViews) < n {
			g.noViews = make([]uint64, n+chunk)
		}
		v.View = g.noViews[:n:n]
	default:
		for i := range v.Child {
			g.blank(&v.Child[i], n)
		}
	}
}

func extend[T any](s []T, n int) []T { return slices.Grow(s, n)[:len(s)+n] }

// fillLeaf computes one field of m events; rows of other kinds are 0.
func (g *generator) fillLeaf(v *batch.Vec, l leaf, at int, first, stride int64, m int) {
	if l >= bidAuction {
		g.fillBid(v, l, at, m)
		return
	}
	list := g.special[person]
	if l >= auctionID {
		list = g.special[auction]
	}
	if l.isText() {
		v.View = extend(v.View, m)
		lend(v, g.arenaOf(l).bytes())
		out := v.View[at:]
		clear(out)
		for _, i := range list {
			out[i] = g.textOf(l, first+int64(i)*stride)
		}
		return
	}
	v.I = extend(v.I, m)
	out := v.I[at:]
	clear(out)
	for _, i := range list {
		n := first + int64(i)*stride
		switch l {
		case personID:
			out[i] = n/g.total*g.Persons + n%g.total + firstID
		case personTime, auctionTime:
			out[i] = g.time[i]
		default:
			out[i] = g.auctionNumber(l, n)
		}
	}
}

// auctionNumber computes a numeric field of auction event n.
func (g *generator) auctionNumber(l leaf, n int64) int64 {
	x := g.rnd.u64(uint64(n)<<4 | uint64(drawOwn+l-auctionID))
	switch l {
	case auctionID:
		return n/g.total*g.Auctions + n%g.total - g.Persons + firstID
	case auctionInitialBid:
		return price(x)
	case auctionReserve:
		return g.auctionNumber(auctionInitialBid, n) + price(x)
	case auctionSeller:
		last := g.lastPerson(n / g.total)
		if x&0xffff*uint64(g.HotSellers)>>16 > 0 {
			return last/hotGroup*hotGroup + firstID
		}
		low, span := activeAt(last)
		return low + int64(below32(x, span)) + firstID
	case auctionCategory:
		return firstCategory + int64(below32(x, categories))
	}
	// expires: on average when inFlight more auctions have come.
	ts := g.timeOf(n)
	horizon := (g.timeOf(n+inFlight*g.total/g.Auctions) - ts) / 1000
	hi, _ := bits.Mul64(x, uint64(max(2*horizon, 1)))
	return ts + (1+int64(hi))*1000
}

// lastPerson returns the number of the newest person for the auctions and bids of an epoch.
func (g *generator) lastPerson(epoch int64) int64 { return max(epoch*g.Persons+g.Persons-1, 0) }

// activeAt returns the least number among the active persons and how many
// numbers, leads included, there are to draw from.
func activeAt(last int64) (low int64, span uint32) {
	active := min(last+1, activePeople)
	return last + 1 - active, uint32(active + lead)
}

// fillBid computes one field of bids. It computes it for all rows, which is
// faster than to branch, and then clears those that are no bids.
func (g *generator) fillBid(v *batch.Vec, l leaf, at, m int) {
	if l.isText() {
		v.View = extend(v.View, m)
		lend(v, g.arenaOf(l).bytes())
		out := v.View[at:]
		switch l {
		case bidChannel:
			for i, k := range g.channel[:m] {
				out[i] = g.t.channel.view[k]
			}
		case bidURL:
			for i, k := range g.channel[:m] {
				out[i] = g.t.url.view[k]
			}
		default:
			size, delta := around(int(g.BidSize) - 32)
			for i, x := range g.draw[drawExtra][:m] {
				n := size + int(x&0xffff)*delta>>16
				out[i] = stretch(x, n)
			}
		}
		for _, list := range g.special {
			for _, i := range list {
				out[i] = 0
			}
		}
		return
	}
	v.I = extend(v.I, m)
	out := v.I[at:]
	switch l {
	case bidAuction:
		for _, r := range g.runs {
			last := max(r.epoch*g.Auctions+g.Auctions-1, 0)
			low := max(last-inFlight, 0)
			pick(out[r.from:r.to], g.draw[drawAuction][r.from:r.to], g.HotAuctions, last/hotGroup*hotGroup+firstID, low+firstID, uint32(last-low+1+lead))
		}
	case bidBidder:
		for _, r := range g.runs {
			last := g.lastPerson(r.epoch)
			low, span := activeAt(last)
			// The second of its group, so that hot bidders are no hot sellers; the
			// first id is added twice, as the benchmark has always done.
			pick(out[r.from:r.to], g.draw[drawBidder][r.from:r.to], g.HotBidders, last/hotGroup*hotGroup+1+2*firstID, low+2*firstID, span)
		}
	case bidPrice:
		for i, x := range g.draw[drawPrice][:m] {
			out[i] = price(x)
		}
	case bidTime:
		copy(out, g.time[:m])
	}
	for _, list := range g.special {
		for _, i := range list {
			out[i] = 0
		}
	}
}
