package state

import (
	"cmp"

	"github.com/streamd/streamd/batch"
)

// By is one column of an order: NULL is the smallest value, so it comes first
// ascending and last descending.
type By struct {
	Col  int // of the page
	Desc bool
}

// Ordered groups a table's rows by the first columns of the key and orders each
// group by other columns: top-N, OVER, sessions, versions. Ties go by the seq
// column, then by the order of Less.
//
// Each group is a treap: a search tree by order that is a heap by a number mixed
// from the row id, hence balanced, with subtree counts. Links live in arrays by
// page, without pointers. The shape of the tree never shows.
//
// Example: group p holds rows 5 (o=10), 6 (o=20), 7 (o=20, later seq).
// First = 5, Last = 7, Rank(6) = 1, Select(g, 2) = 7, Next(6) = 7;
// Search(g, func(id) bool { return o(id) >= 20 }) = 6.
//
// A row's order columns must not change while it is in: Remove, write, Insert.
type Ordered struct {
	groups
	by    []By
	seq   int
	nodes byRow[node]
}

type node struct {
	l, r, up batch.RowID
	n        uint32 // rows in this subtree; 0 = not in the index
	g        Group
}

// NewOrdered groups the rows of t by their first prefix key columns and orders
// them by `by`, then by the BIGINT column seq (-1: none).
func NewOrdered(t *Table, prefix int, by []By, seq int) *Ordered {
	o := &Ordered{groups: newGroups(t, prefix), by: by, seq: seq, nodes: byRow[node]{t: t}}
	t.Each(o.Insert)
	return o
}

// Compare orders two rows of the table as the index does: -1, 0, 1; 0 only for
// the same row.
func (o *Ordered) Compare(a, b batch.RowID) int {
	if r := o.CompareBy(a, b); r != 0 {
		return r
	}
	p, i := o.t.At(a)
	q, j := o.t.At(b)
	if o.seq >= 0 {
		if r := cmp.Compare(p.Cols[o.seq].I[i], q.Cols[o.seq].I[j]); r != 0 {
			return r
		}
	}
	return cmp.Compare(o.t.order(a), o.t.order(b))
}

// CompareBy orders two rows by the order columns alone: 0 = peers.
func (o *Ordered) CompareBy(a, b batch.RowID) int {
	p, i := o.t.At(a)
	q, j := o.t.At(b)
	for _, c := range o.by {
		if r := batch.Compare(&p.Cols[c.Col], i, &q.Cols[c.Col], j); r != 0 {
			if c.Desc {
				return -r
			}
			return r
		}
	}
	return 0
}

// prio mixes a row id: the bijection makes priorities distinct.
func prio(id batch.RowID) uint32 {
	x := uint32(id)
	x = (x ^ x>>16) * 0x85ebca6b
	x = (x ^ x>>13) * 0xc2b2ae35
	return x ^ x>>16
}

func (o *Ordered) size(id batch.RowID) uint32 {
	if id == 0 {
		return 0
	}
	return o.nodes.at(id).n
}

func (o *Ordered) count(id batch.RowID) {
	x := *o.nodes.at(id)
	o.nodes.at(id).n = 1 + o.size(x.l) + o.size(x.r)
}

// Insert adds a row whose order columns are set.
func (o *Ordered) Insert(id batch.RowID) { o.InsertAt(id, 0, o.hashOf(id)) }

// InsertAt is Insert where the hash of the group's columns is known, and perhaps
// the group (else 0).
func (o *Ordered) InsertAt(id batch.RowID, of Group, hash uint64) {
	self := o.nodes.enter(id)
	if self.n != 0 {
		panic("BUG: row inserted twice in an index of " + o.t.Spec.Name())
	}
	g := o.join(id, of, hash)
	up, left := batch.RowID(0), false
	for at := o.recs[g].head; at != 0; {
		x := o.nodes.at(at)
		x.n++
		up, left = at, o.Compare(id, at) < 0
		if left {
			at = x.l
		} else {
			at = x.r
		}
	}
	*self = node{up: up, n: 1, g: g}
	switch {
	case up == 0:
		o.recs[g].head = id
	case left:
		o.nodes.at(up).l = id
	default:
		o.nodes.at(up).r = id
	}
	for ; up != 0 && prio(up) < prio(id); up = self.up {
		o.raise(id)
	}
}

// raise rotates id above its parent.
func (o *Ordered) raise(id batch.RowID) {
	x := *o.nodes.at(id)
	up := x.up
	y := *o.nodes.at(up)
	var moved batch.RowID
	if y.l == id {
		moved, y.l, x.r = x.r, x.r, up
	} else {
		moved, y.r, x.l = x.l, x.l, up
	}
	if moved != 0 {
		o.nodes.at(moved).up = up
	}
	x.up, y.up = y.up, id
	*o.nodes.at(id), *o.nodes.at(up) = x, y
	o.swap(x.up, x.g, up, id)
	o.count(up)
	o.count(id)
}

// swap makes now the child of up (0: the root) that was was.
func (o *Ordered) swap(up batch.RowID, g Group, was, now batch.RowID) {
	if up == 0 {
		o.recs[g].head = now
		return
	}
	if x := o.nodes.at(up); x.l == was {
		x.l = now
	} else {
		x.r = now
	}
}

// Remove takes a row out: before its order columns change and before Delete.
func (o *Ordered) Remove(id batch.RowID) {
	if o.nodes.at(id).n == 0 {
		panic("BUG: row removed that is not in an index of " + o.t.Spec.Name())
	}
	for {
		x := *o.nodes.at(id)
		if x.l == 0 || x.r == 0 {
			break
		}
		if prio(x.l) > prio(x.r) {
			o.raise(x.l)
		} else {
			o.raise(x.r)
		}
	}
	x := *o.nodes.at(id)
	child := x.l | x.r
	if child != 0 {
		o.nodes.at(child).up = x.up
	}
	o.swap(x.up, x.g, id, child)
	for up := x.up; up != 0; up = o.nodes.at(up).up {
		o.nodes.at(up).n--
	}
	*o.nodes.at(id) = node{}
	o.leave(x.g, id)
}

// Has tells whether a row is in the index.
func (o *Ordered) Has(id batch.RowID) bool { return o.nodes.get(id).n != 0 }

// GroupOf returns the group of a row.
func (o *Ordered) GroupOf(id batch.RowID) Group { return o.nodes.get(id).g }

// First returns the first row of a group, 0 if there is none.
func (o *Ordered) First(g Group) batch.RowID { return o.leftmost(o.recs[g].head) }

// Last returns the last row of a group, 0 if there is none.
func (o *Ordered) Last(g Group) batch.RowID { return o.rightmost(o.recs[g].head) }

func (o *Ordered) leftmost(id batch.RowID) (last batch.RowID) {
	for ; id != 0; id = o.nodes.at(id).l {
		last = id
	}
	return last
}

func (o *Ordered) rightmost(id batch.RowID) (last batch.RowID) {
	for ; id != 0; id = o.nodes.at(id).r {
		last = id
	}
	return last
}

// Next returns the row after id in its group, 0 at the end.
func (o *Ordered) Next(id batch.RowID) batch.RowID {
	if r := o.nodes.at(id).r; r != 0 {
		return o.leftmost(r)
	}
	for {
		up := o.nodes.at(id).up
		if up == 0 || o.nodes.at(up).l == id {
			return up
		}
		id = up
	}
}

// Prev returns the row before id in its group, 0 at the beginning.
func (o *Ordered) Prev(id batch.RowID) batch.RowID {
	if l := o.nodes.at(id).l; l != 0 {
		return o.rightmost(l)
	}
	for {
		up := o.nodes.at(id).up
		if up == 0 || o.nodes.at(up).r == id {
			return up
		}
		id = up
	}
}

// Rank returns how many rows of its group stand before id.
func (o *Ordered) Rank(id batch.RowID) int {
	n := o.size(o.nodes.at(id).l)
	for up := o.nodes.at(id).up; up != 0; up = o.nodes.at(id).up {
		if x := o.nodes.at(up); x.r == id {
			n += 1 + o.size(x.l)
		}
		id = up
	}
	return int(n)
}

// Select returns the row of a group with k rows before it, 0 if there is none.
func (o *Ordered) Select(g Group, k int) batch.RowID {
	id := o.recs[g].head
	for id != 0 {
		x := *o.nodes.at(id)
		before := int(o.size(x.l))
		switch {
		case k < before:
			id = x.l
		case k == before:
			return id
		default:
			k, id = k-before-1, x.r
		}
	}
	return 0
}

// Search returns the first row of a group for which f holds, 0 if there is none;
// f must hold for every row after one for which it does.
func (o *Ordered) Search(g Group, f func(id batch.RowID) bool) (found batch.RowID) {
	for id := o.recs[g].head; id != 0; {
		if f(id) {
			found, id = id, o.nodes.at(id).l
		} else {
			id = o.nodes.at(id).r
		}
	}
	return found
}

// Reset empties the index, with its scratch table.
func (o *Ordered) Reset() {
	o.reset()
	o.nodes.reset()
}
