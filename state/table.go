package state

import (
	"math/bits"
	"slices"

	"github.com/streamd/streamd/batch"
)

// Table is keyed rows in memory: key columns, then value columns, in pages that
// belong to one shard each. One worker owns it.
//
// A row is known by its RowID as long as it lives and until the Pack after its
// deletion. Ids are this worker's; what save and restore keep is (shard, page
// number in the shard, slot), the order of Less and Each.
//
// INVARIANT: a page's free slots are taken in order, the lowest page first, so
// that a table that was stored and loaded goes on as if it had not been.
type Table struct {
	Spec  Spec
	Pages []*batch.Page // by page number of RowID; page 0 is empty
	Types []batch.Type  // of all columns of a page

	shards [batch.Shards]shard
	meta   []pageMeta // parallel to Pages
	k0, k1 [][]int64  // parallel to Pages: integer key columns, for the fast path
	arena  []int      // by column: index in pageMeta.arena, or -1
	arenas int
	filled []int // by arena: bytes in the last page that was filled
	fast   int   // integer key columns compared inline: 0 (no fast path), 1 or 2
	nullK  bool  // some key may hold a NULL
	n      int
	w      *Worker
	disk   *Def
	fresh  []int32
	sorted []int32
	pend   []uint32 // pages with deleted slots that wait for Pack
	now    int64    // step time, for TTL
	due    ttlHeap
}

type shard struct {
	index
	pages  []uint32 // by the page's number in the shard
	cur    int      // no page before pages[cur] has a free slot
	seq    uint64
	seqNew bool // seq has moved since the last pack
}

// pageMeta is what the table knows of a page beside its rows.
type pageMeta struct {
	room  int // rows the columns have room for
	used  int // live rows and those that wait for Pack
	hint  int // no free slot in words before this
	pend  [batch.PageRows / 64]uint64
	arena []arena
}

func newTable(w *Worker, spec Spec) *Table {
	t := &Table{Spec: spec, w: w}
	t.Types = append(append(t.Types, spec.Key...), spec.Val...)
	if spec.TTL > 0 {
		t.Types = append(t.Types, batch.TypeBigInt)
	}
	t.arena = make([]int, len(t.Types))
	for c, typ := range t.Types {
		v := batch.NewVec(typ, 0)
		t.arena[c] = -1
		if hasArena(&v) {
			t.arena[c] = t.arenas
			t.arenas++
		}
	}
	if n := len(spec.Key); n == 1 || n == 2 {
		t.fast = n
		for _, k := range spec.Key {
			if k.Kind() != batch.Int {
				t.fast = 0
			}
		}
	}
	t.filled = make([]int, t.arenas)
	t.Pages, t.meta = []*batch.Page{{}}, make([]pageMeta, 1)
	t.k0, t.k1 = make([][]int64, 1), make([][]int64, 1)
	return t
}

// At returns the page and slot of a row. Slices of the page's columns are good
// until the next Rows, which may give the page more room.
func (t *Table) At(id batch.RowID) (*batch.Page, int) {
	return t.Pages[id>>batch.PageBits], int(id & batch.SlotMask)
}

// Len returns the number of rows.
func (t *Table) Len() int { return t.n }

// Touch marks a row as changed: it is part of the next epoch. (Page.Touch does
// the same where the table has no TTL.)
func (t *Table) Touch(id batch.RowID) {
	p := t.Pages[id>>batch.PageBits]
	p.Touch(id & batch.SlotMask)
	if t.Spec.TTL > 0 {
		p.Cols[len(t.Types)-1].I[id&batch.SlotMask] = t.now
	}
}

// Seq returns the next arrival number of a shard: 1, 2, 3, … It is stored.
func (t *Table) Seq(s uint8) uint64 {
	sh := &t.shards[s]
	sh.seq++
	sh.seqNew = true
	return sh.seq
}

// order is where a row stands in (shard, page number, slot) order.
func (t *Table) order(id batch.RowID) uint64 {
	p := t.Pages[id>>batch.PageBits]
	return uint64(p.Shard)<<48 | uint64(p.Num)<<batch.PageBits | uint64(id&batch.SlotMask)
}

// Less orders rows by (shard, page number, slot): the order of Each, the same
// before and after a restore.
func (t *Table) Less(a, b batch.RowID) bool { return t.order(a) < t.order(b) }

// Each calls f for every row in the order of Less. f may delete the row.
func (t *Table) Each(f func(id batch.RowID)) {
	for s := range t.shards {
		for _, pg := range t.shards[s].pages {
			t.eachOf(pg, f)
		}
	}
}

func (t *Table) eachOf(pg uint32, f func(id batch.RowID)) {
	p := t.Pages[pg]
	for w, live := range p.Live {
		for ; live != 0; live &= live - 1 {
			f(batch.RowID(pg<<batch.PageBits) | batch.RowID(w<<6+bits.TrailingZeros64(live)))
		}
	}
}

// alloc takes the lowest free slot of a shard and makes it live.
func (t *Table) alloc(s uint8) batch.RowID {
	sh := &t.shards[s]
	for ; sh.cur < len(sh.pages); sh.cur++ {
		if t.meta[sh.pages[sh.cur]].used < batch.PageRows {
			break
		}
	}
	if sh.cur == len(sh.pages) {
		t.addPage(s)
	}
	pg := sh.pages[sh.cur]
	p, m := t.Pages[pg], &t.meta[pg]
	for {
		if u := ^(p.Live[m.hint] | m.pend[m.hint]); u != 0 {
			slot := m.hint<<6 + bits.TrailingZeros64(u)
			if slot >= m.room {
				t.widen(pg, t.wider(p, m))
			}
			p.Live[m.hint] |= u & -u
			p.Dirty[m.hint] |= u & -u
			m.used++
			t.n++
			return batch.RowID(pg<<batch.PageBits) | batch.RowID(slot)
		}
		m.hint++
	}
}

// wider is how much room a full page gets: twice what it has; where its shard has
// filled one before, half a page at once, and where it has filled more, all of it:
// what is copied once less is worth more than what lies fallow (NEXMark q20).
func (t *Table) wider(p *batch.Page, m *pageMeta) int {
	switch {
	case p.Num > 2:
		return batch.PageRows
	case p.Num > 0 && m.room < batch.PageRows/2:
		return batch.PageRows / 2
	}
	return max(minRoom, min(2*m.room, batch.PageRows))
}

// addPage gives shard s one page more, without room.
func (t *Table) addPage(s uint8) uint32 {
	sh := &t.shards[s]
	if n := len(sh.pages); n > 0 {
		for a, ar := range t.meta[sh.pages[n-1]].arena {
			t.filled[a] = ar.size - ar.dead
		}
	}
	pg := uint32(len(t.Pages))
	if pg >= 1<<(32-batch.PageBits) {
		panic("BUG: state table " + t.Spec.Name() + " has more than 4 billion rows on one worker")
	}
	p := &batch.Page{Shard: s, Num: uint32(len(sh.pages)), Cols: make([]batch.Vec, len(t.Types))}
	for c, typ := range t.Types {
		p.Cols[c] = batch.NewVec(typ, 0)
	}
	t.Pages = append(t.Pages, p)
	t.meta = append(t.meta, pageMeta{arena: make([]arena, t.arenas)})
	t.k0, t.k1 = append(t.k0, nil), append(t.k1, nil)
	sh.pages = append(sh.pages, pg)
	return pg
}

func (t *Table) widen(pg uint32, room int) {
	p := t.Pages[pg]
	for c := range p.Cols {
		widen(&p.Cols[c], room)
	}
	t.meta[pg].room = room
	t.keySlices(pg)
}

func (t *Table) keySlices(pg uint32) {
	if t.fast > 0 {
		t.k0[pg] = t.Pages[pg].Cols[0].I
	}
	if t.fast > 1 {
		t.k1[pg] = t.Pages[pg].Cols[1].I
	}
}

// ByShard returns rows sel of a batch shard by shard, those of one in their order. Rows
// that go into pages of strings are best written so: each shard's page, its columns and
// their arenas are then looked at once a batch (NEXMark q20). It is good until the next
// ByShard.
func (t *Table) ByShard(place []uint64, sel []int32) []int32 {
	if len(sel) < batch.Shards {
		return sel
	}
	var from [batch.Shards + 1]int32
	for _, i := range sel {
		from[int(shardAt(place, int(i)))+1]++
	}
	for s := range batch.Shards {
		from[s+1] += from[s]
	}
	t.sorted = slices.Grow(t.sorted[:0], len(sel))[:len(sel)]
	for _, i := range sel {
		s := shardAt(place, int(i))
		t.sorted[from[s]] = i
		from[s]++
	}
	return t.sorted
}

// Append adds a row for each selected row of a batch (sel nil: all n) to an
// unindexed table and sets ids[i] for row i; place is as for Rows. The key's
// columns are set, the values are zero.
func (t *Table) Append(key []batch.Vec, place []uint64, sel []int32, n int, ids []batch.RowID) {
	if !t.Spec.Unindexed {
		panic("BUG: Append to the indexed table " + t.Spec.Name())
	}
	m := n
	if sel != nil {
		m = len(sel)
	}
	for j := range m {
		i := at(sel, j)
		ids[i] = t.alloc(shardAt(place, i))
		t.watch(ids[i])
	}
	for c := range key {
		t.setCol(ids, sel, m, c, &key[c])
		t.nullK = t.nullK || key[c].Null != nil
	}
}

// Append1 adds one row to an unindexed table; place is its placement hash. Its columns
// are zero: the caller sets the key's too, by SetFrom where they may be NULL.
func (t *Table) Append1(place uint64) batch.RowID {
	if !t.Spec.Unindexed {
		panic("BUG: Append to the indexed table " + t.Spec.Name())
	}
	id := t.alloc(batch.ShardOf(place))
	t.watch(id)
	return id
}

// insert adds the key in row i of key, which is absent.
func (t *Table) insert(key []batch.Vec, i int, s uint8, hash uint64) batch.RowID {
	if t.Spec.Unindexed {
		panic("BUG: a key is looked for in the unindexed table " + t.Spec.Name())
	}
	id := t.alloc(s)
	t.shards[s].add(hash, uint32(id))
	p, slot := t.At(id)
	for c := range key {
		t.put(p, id, c, slot, &key[c], i)
		if key[c].IsNull(i) {
			t.nullK = true
		}
	}
	t.watch(id)
	return id
}

// watch enters a new row for expiry.
func (t *Table) watch(id batch.RowID) {
	if t.Spec.TTL > 0 {
		p, slot := t.At(id)
		p.Cols[len(t.Types)-1].I[slot] = t.now
		t.due.push(ttlEntry{t.now, id})
	}
}

// Delete removes a row. Its slot stays unused until the next Pack (Reset for a
// scratch table), so that an id seen within a step never becomes another row.
func (t *Table) Delete(id batch.RowID) {
	p, slot := t.At(id)
	if !p.IsLive(slot) {
		panic("BUG: Delete of a row that is not there in " + t.Spec.Name())
	}
	if !t.Spec.Unindexed && !t.shards[p.Shard].remove(batch.HashRow(p.Cols[:len(t.Spec.Key)], slot), uint32(id)) {
		panic("BUG: a row of " + t.Spec.Name() + " is not in its index")
	}
	pg := uint32(id >> batch.PageBits)
	m := &t.meta[pg]
	for c := range p.Cols {
		v := &p.Cols[c]
		if a := t.arena[c]; a >= 0 {
			m.arena[a].dead += weight(v, slot)
		}
		zero(v, slot)
	}
	w, bit := slot>>6, uint64(1)<<(slot&63)
	p.Live[w] &^= bit
	p.Dirty[w] |= bit
	if m.pend == ([batch.PageRows / 64]uint64{}) {
		t.pend = append(t.pend, pg)
	}
	m.pend[w] |= bit
	t.n--
}

// recycle makes the slots of deleted rows free.
func (t *Table) recycle() {
	for _, pg := range t.pend {
		p, m := t.Pages[pg], &t.meta[pg]
		for w := range m.pend {
			m.used -= bits.OnesCount64(m.pend[w])
		}
		clear(m.pend[:])
		m.hint = 0
		if sh := &t.shards[p.Shard]; int(p.Num) < sh.cur {
			sh.cur = int(p.Num)
		}
		if m.used == 0 && m.room > minRoom {
			t.shrink(pg)
		}
	}
	t.pend = t.pend[:0]
}

// shrink gives back the memory of a page without rows.
func (t *Table) shrink(pg uint32) {
	p, m := t.Pages[pg], &t.meta[pg]
	for c := range p.Cols {
		p.Cols[c] = blank(&p.Cols[c], 0)
	}
	m.room = 0
	clear(m.arena)
	t.keySlices(pg)
}

// Reset empties a scratch table and keeps its memory.
func (t *Table) Reset() {
	if !t.Spec.Scratch {
		panic("BUG: Reset of the stored table " + t.Spec.Name())
	}
	for s := range t.shards {
		sh := &t.shards[s]
		if len(sh.pages) == 0 {
			continue
		}
		sh.reset()
		sh.cur, sh.seq, sh.seqNew = 0, 0, false
		for _, pg := range sh.pages {
			p, m := t.Pages[pg], &t.meta[pg]
			if m.used == 0 {
				continue
			}
			for c := range p.Cols {
				wipe(&p.Cols[c])
			}
			clear(p.Live[:])
			clear(p.Dirty[:])
			clear(m.pend[:])
			clear(m.arena)
			m.used, m.hint = 0, 0
		}
	}
	t.pend, t.n, t.nullK, t.due = t.pend[:0], 0, false, t.due[:0]
}

// wipe makes all rows of v zero and empties its arenas, keeping memory.
func wipe(v *batch.Vec) {
	clear(v.B)
	clear(v.I)
	clear(v.F)
	clear(v.Hi)
	clear(v.Lo)
	clear(v.View)
	v.Data, v.Null = v.Data[:0], nil
	for c := range v.Child {
		if v.Kind == batch.List {
			v.Child[c].Reset()
		} else {
			wipe(&v.Child[c])
		}
	}
}

// Bytes estimates the memory the table holds.
func (t *Table) Bytes() int64 {
	n := 0
	for s := range t.shards {
		n += 8 * len(t.shards[s].e)
	}
	for pg, p := range t.Pages {
		for c := range p.Cols {
			n += width(&p.Cols[c]) * t.meta[pg].room
		}
		for _, a := range t.meta[pg].arena {
			n += a.size
		}
	}
	return int64(n)
}

func width(v *batch.Vec) int {
	switch v.Kind {
	case batch.Bool:
		return 1
	case batch.Wide:
		return 16
	case batch.Row:
		n := 0
		for c := range v.Child {
			n += width(&v.Child[c])
		}
		return n
	}
	return 8
}
