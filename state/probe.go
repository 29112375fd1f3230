package state

import "github.com/streamd/streamd/batch"

// Rows finds or inserts the key of every selected row (sel nil: all n) and sets
// ids[i] for row i. key has the table's key columns; place and hash, by row, are
// the placement hash (nil: everything in shard 0) and HashRows of key. Rows of
// equal keys get the same id.
//
// fresh lists the rows whose key was inserted, in order; their value columns are
// zero and not null. It is good until the next Rows. Inserted rows count as
// changed; for the others call Touch.
func (t *Table) Rows(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID) (fresh []int32) {
	t.fresh = t.fresh[:0]
	t.probe(key, place, hash, sel, n, ids, true)
	return t.fresh
}

// Find is Rows that inserts nothing: ids[i] is 0 where the key is absent.
func (t *Table) Find(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID) {
	t.probe(key, place, hash, sel, n, ids, false)
}

// Rows1 finds or inserts the key in row i of key, whose hash is HashRow's.
func (t *Table) Rows1(key []batch.Vec, i int, place, hash uint64) (id batch.RowID, fresh bool) {
	s := batch.ShardOf(place)
	if id := t.find(key, i, s, hash); id != 0 {
		return id, false
	}
	return t.insert(key, i, s, hash), true
}

// Find1 returns the row of the key in row i of key, 0 where it is absent.
func (t *Table) Find1(key []batch.Vec, i int, place, hash uint64) batch.RowID {
	return t.find(key, i, batch.ShardOf(place), hash)
}

func (t *Table) find(key []batch.Vec, i int, s uint8, hash uint64) batch.RowID {
	x := &t.shards[s].index
	if x.n == 0 {
		return 0
	}
	mask := len(x.e) - 1
	hi := uint32(hash >> 32)
	for p := int(hi >> x.shift); ; p = (p + 1) & mask {
		e := x.e[p]
		if e == 0 {
			return 0
		}
		if uint32(e>>32) == hi {
			if pg, slot := t.At(batch.RowID(e)); batch.EqualRows(key, i, pg.Cols, slot) {
				return batch.RowID(e)
			}
		}
	}
}

func (t *Table) probe(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID, add bool) {
	if sel != nil {
		n = len(sel)
	}
	fast := t.fast
	if t.nullK {
		fast = 0
	}
	for c := range key {
		if key[c].Null != nil {
			fast = 0
		}
	}
	switch fast {
	case 1:
		t.probe1(key, place, hash, sel, n, ids, add)
	case 2:
		t.probe2(key, place, hash, sel, n, ids, add)
	default:
		t.probeAny(key, place, hash, sel, n, ids, add)
	}
}

func at(sel []int32, j int) int {
	if sel == nil {
		return j
	}
	return int(sel[j])
}

func shardAt(place []uint64, i int) uint8 {
	if place == nil {
		return 0
	}
	return batch.ShardOf(place[i])
}

// Lookups in blocks look for tags in the index for block rows before they compare
// keys: the cache misses of a block overlap, and where a tag of 32 bits fits the
// key does nearly always.
const block = 64

// tags sets e[j-from] to the first entry whose tag fits row j's hash, or to 0.
func (t *Table) tags(place, hash []uint64, sel []int32, from, to int, e *[block]uint64) {
	for j := from; j < to; j++ {
		i := at(sel, j)
		x := &t.shards[shardAt(place, i)].index
		found := uint64(0)
		if x.n > 0 {
			hi := uint32(hash[i] >> 32)
			mask := len(x.e) - 1
			for p := int(hi >> x.shift); ; p = (p + 1) & mask {
				if found = x.e[p]; found == 0 || uint32(found>>32) == hi {
					break
				}
			}
		}
		e[j-from] = found
	}
}

// Fast path: one integer key.
func (t *Table) probe1(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID, add bool) {
	k := key[0].I
	var e [block]uint64
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		t.tags(place, hash, sel, from, to, &e)
		for j := from; j < to; j++ {
			i := at(sel, j)
			if x := e[j-from]; x != 0 && t.k0[uint32(x)>>batch.PageBits][x&batch.SlotMask] == k[i] {
				ids[i] = batch.RowID(x)
				continue
			}
			t.probeOne(key, i, place, hash[i], ids, add)
		}
	}
}

// Fast path: two integer keys.
func (t *Table) probe2(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID, add bool) {
	k, l := key[0].I, key[1].I
	var e [block]uint64
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		t.tags(place, hash, sel, from, to, &e)
		for j := from; j < to; j++ {
			i := at(sel, j)
			if x := e[j-from]; x != 0 {
				if pg, slot := uint32(x)>>batch.PageBits, x&batch.SlotMask; t.k0[pg][slot] == k[i] && t.k1[pg][slot] == l[i] {
					ids[i] = batch.RowID(x)
					continue
				}
			}
			t.probeOne(key, i, place, hash[i], ids, add)
		}
	}
}

// probeAny is for keys of any types. A row whose key is that of the row before it,
// told by the same integers and views, needs no look at the table.
func (t *Table) probeAny(key []batch.Vec, place, hash []uint64, sel []int32, n int, ids []batch.RowID, add bool) {
	var e [block]uint64
	last := -1
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		t.tags(place, hash, sel, from, to, &e)
		for j := from; j < to; j++ {
			i := at(sel, j)
			if last >= 0 && hash[i] == hash[last] && sameCells(key, i, last) && shardAt(place, i) == shardAt(place, last) {
				ids[i] = ids[last]
				continue
			}
			last = i
			if x := e[j-from]; x != 0 {
				if pg, slot := t.At(batch.RowID(x)); batch.EqualRows(key, i, pg.Cols, slot) {
					ids[i] = batch.RowID(x)
					continue
				}
			}
			t.probeOne(key, i, place, hash[i], ids, add)
		}
	}
}

// sameCells tells whether rows i and j of key are surely the same: equal integers,
// texts at the same place.
func sameCells(key []batch.Vec, i, j int) bool {
	for c := range key {
		v := &key[c]
		switch {
		case v.Null != nil:
			return false
		case v.Kind == batch.Int && v.I[i] == v.I[j]:
		case v.Kind == batch.Str && v.View[i] == v.View[j]:
		default:
			return false
		}
	}
	return true
}

// probeOne does row i alone: its key is new, or shares its tag with another, or
// came with this very block.
func (t *Table) probeOne(key []batch.Vec, i int, place []uint64, hash uint64, ids []batch.RowID, add bool) {
	s := shardAt(place, i)
	id := t.find(key, i, s, hash)
	if id == 0 && add {
		id = t.insert(key, i, s, hash)
		t.fresh = append(t.fresh, int32(i))
	}
	ids[i] = id
}
