package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// Best says that of an inner join's pairs only the first of each join key is wanted,
// in an order of columns of one side: what a top 1 above the join shows, or may show
// when the top 1 has fewer partitions than the join has keys.
//
// Both sides only grow, so a pair that is not first when it comes never will be. Let
// Side be bids, the other auctions: a bid that a better or equal one has outdone at
// its auction need not be kept, for no auction to come can make it the first; nor one
// that has found an auction, for its later pairs are behind that one.
//
// Example, by price: auction 1 comes, then bids on it of 5, 3 and 7. (1, 5) and
// (1, 7) are emitted, no bid is stored. A bid of 4 on auction 2, unknown as yet, is.
type Best struct {
	Side  int
	Order []OrderKey // columns of Side, integers inside
}

// SetBest asks for the best pairs only; see Best. The join must be an inner one of
// inputs that only grow, without a time to live, and its condition must not fail.
func (n *Join) SetBest(b *Best) { n.Best = b }

// bestText is SetBest's part of EXPLAIN's line.
func (n *Join) bestText() string {
	if n.Best == nil {
		return ""
	}
	t := " best by"
	for i, o := range n.Best.Order {
		t += map[bool]string{true: " ", false: ", "}[i == 0] + o.text(n.In[n.Best.Side].Base().Schema)
	}
	return t
}

// bests knows the order columns of the best pair of each join key, by the key's group
// on the side that is not ordered. Each column is two numbers: where NULL stands
// against values, and the value so that less is better. It is derived, and empty
// after a restore: then more is emitted and stored than must be, as at the start.
type bests struct {
	*Best
	at   []int         // by order key: column of the pair
	key  []int64       // by group: 2 × len(Order) numbers
	who  []int32       // by group: 1 + the best pair of the product at hand
	won  []state.Group // groups in who
	got  []state.Group // by pair
	cand []int64       // one row's numbers
	hit  []bool        // by row of Side: it has found a partner
	sel  []int32
}

// unset is where a group without a pair stands: behind all.
const unset = 2

func newBests(n *Join) *bests {
	if n.Best == nil {
		return nil
	}
	o := &bests{Best: n.Best, cand: make([]int64, 2*len(n.Best.Order))}
	for _, k := range n.Best.Order {
		c := k.Col
		if n.Best.Side == 1 {
			c += len(n.In[0].Base().Schema.Fields)
		}
		o.at = append(o.at, c)
	}
	return o
}

// better tells whether row i, whose order column k is column at[k], is better than the
// best of a group; cand then has its numbers.
func (o *bests) better(cols []batch.Vec, at func(k int) int, i int, g state.Group) bool {
	from := int(g) * len(o.cand)
	for len(o.key) < from+len(o.cand) {
		o.key = append(o.key, unset)
	}
	was, diff := o.key[from:from+len(o.cand)], 0
	for k, by := range o.Order {
		v := &cols[at(k)]
		null, x := int64(0), int64(0)
		if v.IsNull(i) {
			null = -1
			if last := by.Desc; by.NullsLast != nil && *by.NullsLast || by.NullsLast == nil && last {
				null = 1
			}
		} else if x = v.I[i]; by.Desc {
			x = ^x
		}
		o.cand[2*k], o.cand[2*k+1] = null, x
		if diff == 0 {
			diff = order(null, was[2*k])
		}
		if diff == 0 {
			diff = order(x, was[2*k+1])
		}
	}
	return diff < 0
}

func order(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// forget is told that a group is about to end: another may take its number.
func (o *bests) forget(g state.Group) {
	for k := int(g) * len(o.cand); k < min(len(o.key), (int(g)+1)*len(o.cand)); k++ {
		o.key[k] = unset
	}
}

// open returns those of rows sel of b, a batch of Side, that are not outdone in their
// groups.
func (o *bests) open(b *batch.Batch, sel []int32, groups []state.Group) []int32 {
	at := func(k int) int { return o.Order[k].Col }
	o.sel = o.sel[:0]
	for _, i := range sel {
		if groups[i] == 0 || o.better(b.Cols, at, int(i), groups[i]) {
			o.sel = append(o.sel, i)
		}
	}
	return o.sel
}

// pushBest is Push for rows of the ordered side: product first, then store what may
// still become the best.
func (o *join) pushBest(b *batch.Batch, sel []int32, out Emit) error {
	x := o.best
	mine, other := o.sides[x.Side], o.sides[1-x.Side]
	groups := o.groupsOf(other, mine, b, sel)
	if sel = x.open(b, sel, groups); len(sel) == 0 {
		return nil
	}
	if cap(x.hit) < b.N {
		x.hit = make([]bool, b.N, 2*b.N)
	}
	x.hit = x.hit[:b.N]
	for _, i := range sel {
		x.hit[i] = false
	}
	if err := o.pairs(x.Side, b, sel, groups, nil, out); err != nil {
		return err
	}
	keep := sel[:0]
	for _, i := range sel {
		if !x.hit[i] {
			keep = append(keep, i)
		}
	}
	if keep = x.open(b, keep, groups); len(keep) > 0 {
		o.store(x.Side, b, keep)
	}
	return nil
}

// winners narrows a product to the best pair of each group, where it is better than
// the best before.
func (o *join) winners(in int, ids []batch.RowID, p *batch.Batch) {
	x := o.best
	at := func(k int) int { return x.at[k] }
	x.got = append(x.got[:0], make([]state.Group, p.N)...)
	p.Each(func(k int) {
		var g state.Group
		i := o.rows[k]
		if in == x.Side {
			g, x.hit[i] = o.groups[i], true
		} else {
			g = o.sides[in].idx.GroupOf(ids[i])
		}
		if !x.better(p.Cols, at, k, g) {
			return
		}
		copy(x.key[int(g)*len(x.cand):], x.cand)
		for len(x.who) <= int(g) {
			x.who = append(x.who, 0)
		}
		if x.who[g] == 0 {
			x.won = append(x.won, g)
		}
		x.who[g], x.got[k] = int32(k)+1, g
	})
	o.shown = o.shown[:0]
	p.Each(func(k int) {
		if g := x.got[k]; g != 0 && x.who[g] == int32(k)+1 {
			o.shown = append(o.shown, int32(k))
		}
	})
	p.Sel = o.shown
	for _, g := range x.won {
		x.who[g] = 0
	}
	x.won = x.won[:0]
}
