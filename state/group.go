package state

import "github.com/streamd/streamd/batch"

// Group is a set of rows with equal first key columns, inside one derived index.
// 0 is no group. A group is good until its last row is removed.
type Group uint32

// groups finds the group of a key prefix. The columns that place the table's
// rows must be among the prefix, so that a group lies within one shard.
type groups struct {
	t      *Table
	prefix int
	shards [batch.Shards]index
	recs   []groupRec
	free   []Group
}

type groupRec struct {
	head, tail batch.RowID // Multi: ends of the chain; Ordered: head is the root
	n          uint32
}

func newGroups(t *Table, prefix int) groups {
	if prefix > len(t.Spec.Key) {
		panic("BUG: group by more than the key of " + t.Spec.Name())
	}
	return groups{t: t, prefix: prefix, recs: make([]groupRec, 1)}
}

// Group returns the group whose first key columns are row i of key; place and
// hash are the placement hash and HashRow of those columns.
func (g *groups) Group(key []batch.Vec, i int, place, hash uint64) Group {
	x := &g.shards[batch.ShardOf(place)]
	if x.n == 0 {
		return 0
	}
	key = key[:g.prefix]
	mask, hi := len(x.e)-1, uint32(hash>>32)
	for p := int(hi >> x.shift); ; p = (p + 1) & mask {
		e := x.e[p]
		if e == 0 {
			return 0
		}
		if uint32(e>>32) == hi {
			if pg, slot := g.t.At(g.recs[uint32(e)].head); batch.EqualRows(key, i, pg.Cols, slot) {
				return Group(e)
			}
		}
	}
}

// Groups is Group for every selected row of a batch. As in Table.Rows, a block's
// tags are looked for first, then its groups, then the keys: cache misses overlap.
func (g *groups) Groups(key []batch.Vec, place, hash []uint64, sel []int32, n int, out []Group) {
	if sel != nil {
		n = len(sel)
	}
	fast := g.prefix == 1 && g.t.fast > 0 && !g.t.nullK && key[0].Null == nil
	var e [block]uint64
	var head [block]batch.RowID
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		for j := from; j < to; j++ {
			i := at(sel, j)
			e[j-from] = g.shards[shardAt(place, i)].tag(hash[i])
		}
		for j, x := range e[:to-from] {
			head[j] = g.recs[uint32(x)].head
		}
		for j := from; j < to; j++ {
			i, x := at(sel, j), e[j-from]
			switch h := head[j-from]; {
			case x == 0:
				out[i] = 0
			case fast && g.t.k0[h>>batch.PageBits][h&batch.SlotMask] == key[0].I[i]:
				out[i] = Group(x)
			default:
				pl := uint64(0)
				if place != nil {
					pl = place[i]
				}
				out[i] = g.Group(key, i, pl, hash[i])
			}
		}
	}
}

// Count returns the number of rows in a group.
func (g *groups) Count(of Group) int { return int(g.recs[of].n) }

// hashOf is the hash of a stored row's group.
func (g *groups) hashOf(id batch.RowID) uint64 {
	p, slot := g.t.At(id)
	return batch.HashRow(p.Cols[:g.prefix], slot)
}

// join returns the group row id belongs to, a new one if it is the first of it,
// and counts the row. hash is hashOf(id); of is the group if the caller knows it,
// else 0.
func (g *groups) join(id batch.RowID, of Group, hash uint64) Group {
	p, slot := g.t.At(id)
	if of == 0 {
		of = g.Group(p.Cols, slot, uint64(p.Shard), hash)
	}
	if of == 0 {
		if n := len(g.free); n > 0 {
			of, g.free = g.free[n-1], g.free[:n-1]
		} else {
			of = Group(len(g.recs))
			g.recs = append(g.recs, groupRec{})
		}
		g.shards[p.Shard].add(hash, uint32(of))
	}
	g.recs[of].n++
	return of
}

// leave uncounts row id of group of and drops the group when it was the last.
func (g *groups) leave(of Group, id batch.RowID) {
	r := &g.recs[of]
	if r.n--; r.n > 0 {
		return
	}
	p, slot := g.t.At(id)
	if !g.shards[p.Shard].remove(batch.HashRow(p.Cols[:g.prefix], slot), uint32(of)) {
		panic("BUG: a group of " + g.t.Spec.Name() + " is not in its index")
	}
	*r = groupRec{}
	g.free = append(g.free, of)
}

func (g *groups) reset() {
	for s := range g.shards {
		g.shards[s].reset()
	}
	g.recs, g.free = g.recs[:1], g.free[:0]
}

// byRow is a value for each row of a table, in arrays by page: no pointers.
type byRow[T any] struct {
	t     *Table
	pages [][]T
}

// at returns the value of a row that was entered.
func (b *byRow[T]) at(id batch.RowID) *T {
	return &b.pages[id>>batch.PageBits][id&batch.SlotMask]
}

// get is at for any row: zero if it never was.
func (b *byRow[T]) get(id batch.RowID) (v T) {
	if pg, slot := int(id>>batch.PageBits), int(id&batch.SlotMask); pg < len(b.pages) && slot < len(b.pages[pg]) {
		v = b.pages[pg][slot]
	}
	return v
}

// enter is at for a row that may be new: its page's array gets the room that the
// page has. What at returned before is not good any more.
func (b *byRow[T]) enter(id batch.RowID) *T {
	pg, slot := int(id>>batch.PageBits), int(id&batch.SlotMask)
	if pg >= len(b.pages) {
		b.pages = append(b.pages, make([][]T, pg+1-len(b.pages))...)
	}
	if slot >= len(b.pages[pg]) {
		b.pages[pg] = extend(b.pages[pg], max(b.t.meta[pg].room, slot+1))
	}
	return &b.pages[pg][slot]
}

func (b *byRow[T]) reset() {
	for _, p := range b.pages {
		clear(p)
	}
}
