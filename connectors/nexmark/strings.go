package nexmark

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/internal/invariants"
)

// lend points v to a pool that all batches share. The invariants build gives it a
// copy, because there a batch that is reset overwrites what it held.
func lend(v *batch.Vec, pool []byte) {
	if invariants.Enabled {
		v.Data = append(v.Data[:0], pool...)
		return
	}
	v.Data = pool
}

func (g *generator) arenaOf(l leaf) *arena {
	switch l {
	case personName:
		return &g.t.name
	case personEmail:
		return &g.t.email
	case personCard:
		return &g.t.cards
	case personCity:
		return &g.t.city
	case personState:
		return &g.t.state
	case auctionItem, auctionDescription:
		return &g.t.words
	case bidChannel:
		return &g.t.channel
	case bidURL:
		return &g.t.url
	}
	return &g.t.extra
}

// textOf returns the view of a string of person or auction event n.
func (g *generator) textOf(l leaf, n int64) uint64 {
	own := l - personID
	if l >= auctionID {
		own = l - auctionID
	}
	x := g.rnd.u64(uint64(n)<<4 | uint64(drawOwn+own))
	length := func(l leaf) int { return int(uint32(g.textOf(l, n))) }
	switch l {
	case personCard:
		groups := uint32(len(g.t.cards.data)/5 - 4)
		return uint64(5*below32(x, groups))<<32 | cardLen
	case auctionItem:
		return g.words(x, 20)
	case auctionDescription:
		return g.words(x, 100)
	case personExtra:
		used := 8 + length(personName) + length(personEmail) + cardLen + length(personCity) + length(personState)
		least, span := around(int(g.PersonSize) - used)
		return stretch(x, least+int(x&0xffff)*span>>16)
	case auctionExtra:
		used := 48 + length(auctionItem) + length(auctionDescription)
		least, span := around(int(g.AuctionSize) - used)
		return stretch(x, least+int(x&0xffff)*span>>16)
	}
	view := g.arenaOf(l).view
	return view[below32(x, uint32(len(view)))]
}

// words returns a view of 3 to limit-1 bytes of the pool of words, blanks at
// its ends cut.
func (g *generator) words(x uint64, limit int) uint64 {
	w := stretch(x, 3+int(x&0xffff)*(limit-3)>>16)
	from, n := w>>32, w&0xffffffff
	for n > 0 && g.t.words.data[from] == ' ' {
		from, n = from+1, n-1
	}
	for n > 0 && g.t.words.data[from+n-1] == ' ' {
		n--
	}
	return from<<32 | n
}
