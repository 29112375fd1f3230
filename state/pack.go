package state

import (
	"math/bits"

	"github.com/streamd/streamd/batch"
)

// Chunk is the changed rows of one page: a copy, which any goroutine may encode.
type Chunk struct {
	Table *Def
	Shard uint8
	Page  uint32 // number of the page in its shard
	// Slots holds slot<<1 | live for every changed row, increasing. Cols has one
	// row for each that is live, in that order; a row that is not live is deleted.
	Slots []int64
	Cols  []batch.Vec
}

// SeqMark is the arrival counter of a shard.
type SeqMark struct {
	Table *Def
	Shard uint8
	Seq   uint64
}

// Packed is what one worker changed since its last Pack.
type Packed struct {
	Chunks []Chunk
	Seqs   []SeqMark
}

// Empty tells that nothing changed.
func (p *Packed) Empty() bool { return p == nil || len(p.Chunks) == 0 && len(p.Seqs) == 0 }

// Rows counts the changed rows.
func (p *Packed) Rows() int {
	n := 0
	if p != nil {
		for i := range p.Chunks {
			n += len(p.Chunks[i].Slots)
		}
	}
	return n
}

// Pack copies the rows changed since the last Pack, marks them unchanged and
// frees the slots of deleted rows. The worker calls it between two steps. In a
// memory-only worker it copies nothing and returns nil.
//
// INVARIANT: a slot is free only after the Pack that carried its deletion.
func (w *Worker) Pack() *Packed {
	if w.store == nil && w.replay == nil {
		for _, t := range w.tables {
			if !t.Spec.Scratch {
				t.clean()
				t.recycle()
			}
		}
		return nil
	}
	p := &Packed{}
	for _, t := range w.tables {
		if t.Spec.Scratch {
			continue
		}
		if !t.Spec.Broadcast || w.ID == 0 {
			t.pack(p)
		} else {
			t.clean()
		}
		t.recycle()
	}
	return p
}

// Dirty tells whether something changed since the last Pack.
func (w *Worker) Dirty() bool {
	for _, t := range w.tables {
		if t.Spec.Scratch || t.Spec.Broadcast && w.ID != 0 {
			continue
		}
		for s := range t.shards {
			if t.shards[s].seqNew {
				return true
			}
		}
		for _, p := range t.Pages {
			if p.Dirty != ([batch.PageRows / 64]uint64{}) {
				return true
			}
		}
	}
	return false
}

// clean forgets what has changed.
func (t *Table) clean() {
	for s := range t.shards {
		t.shards[s].seqNew = false
	}
	for _, p := range t.Pages {
		clear(p.Dirty[:])
	}
}

func (t *Table) pack(out *Packed) {
	def := t.def()
	idx := make([]int32, 0, batch.PageRows)
	for s := range t.shards {
		sh := &t.shards[s]
		if sh.seqNew {
			out.Seqs = append(out.Seqs, SeqMark{def, uint8(s), sh.seq})
			sh.seqNew = false
		}
		for _, pg := range sh.pages {
			p := t.Pages[pg]
			n := 0
			for _, d := range p.Dirty {
				n += bits.OnesCount64(d)
			}
			if n == 0 {
				continue
			}
			c := Chunk{Table: def, Shard: p.Shard, Page: p.Num, Slots: make([]int64, 0, n)}
			idx = idx[:0]
			for w, d := range p.Dirty {
				for ; d != 0; d &= d - 1 {
					slot := w<<6 + bits.TrailingZeros64(d)
					live := int64(p.Live[w] >> (slot & 63) & 1)
					c.Slots = append(c.Slots, int64(slot)<<1|live)
					if live != 0 {
						idx = append(idx, int32(slot))
					}
				}
			}
			clear(p.Dirty[:])
			if len(idx) > 0 {
				c.Cols = copyRows(p.Cols, idx)
			}
			out.Chunks = append(out.Chunks, c)
		}
	}
}

// copyRows returns rows idx of cols in vectors of their own.
func copyRows(cols []batch.Vec, idx []int32) []batch.Vec {
	out := make([]batch.Vec, len(cols))
	for i := range cols {
		out[i] = blank(&cols[i], 0)
		out[i].AppendRows(&cols[i], idx, len(idx))
	}
	return out
}

func (t *Table) def() *Def {
	if t.disk == nil {
		t.disk = defOf(&t.Spec, t.Types)
	}
	return t.disk
}

// overlay puts a chunk's rows into the table's pages. The index does not know of
// them until reindex.
func (t *Table) overlay(c *Chunk) error {
	if len(c.Cols) != 0 && len(c.Cols) != len(t.Types) {
		return errCorrupt("a page of %s has %d columns, not %d", t.Spec.Name(), len(c.Cols), len(t.Types))
	}
	sh := &t.shards[c.Shard]
	for int(c.Page) >= len(sh.pages) {
		t.addPage(c.Shard)
	}
	pg := sh.pages[c.Page]
	p, m := t.Pages[pg], &t.meta[pg]
	row := 0
	for _, s := range c.Slots {
		slot, live := int(s>>1), s&1 != 0
		was := p.IsLive(slot)
		if slot >= m.room {
			if !live {
				continue
			}
			room := max(m.room, minRoom)
			for room <= slot {
				room *= 2
			}
			t.widen(pg, room)
		}
		w, bit := slot>>6, uint64(1)<<(slot&63)
		id := batch.RowID(pg<<batch.PageBits) | batch.RowID(slot)
		switch {
		case live:
			p.Live[w] |= bit
			for col := range c.Cols {
				t.put(p, id, col, slot, &c.Cols[col], row)
			}
			row++
			if !was {
				m.used++
				t.n++
			}
		case was:
			p.Live[w] &^= bit
			for col := range p.Cols {
				if a := t.arena[col]; a >= 0 {
					m.arena[a].dead += weight(&p.Cols[col], slot)
				}
				zero(&p.Cols[col], slot)
			}
			m.used--
			t.n--
		}
	}
	return nil
}

// reindex builds the index over the rows that overlay brought, page by page.
func (t *Table) reindex() error {
	nk := len(t.Spec.Key)
	var hash [batch.PageRows]uint64
	var idx []int32
	for s := range t.shards {
		sh := &t.shards[s]
		rows := 0
		for _, pg := range sh.pages {
			rows += t.meta[pg].used
		}
		if !t.Spec.Unindexed {
			sh.presize(rows)
		}
		for _, pg := range sh.pages {
			p := t.Pages[pg]
			idx = idx[:0]
			t.eachOf(pg, func(id batch.RowID) { idx = append(idx, int32(id&batch.SlotMask)) })
			if !t.Spec.Unindexed {
				batch.HashRows(p.Cols[:nk], idx, t.meta[pg].room, hash[:])
			}
			for _, slot := range idx {
				id := batch.RowID(pg<<batch.PageBits) | batch.RowID(slot)
				if !t.Spec.Unindexed {
					if t.find(p.Cols[:nk], int(slot), uint8(s), hash[slot]) != 0 {
						return errCorrupt("a key of %s is stored twice", t.Spec.Name())
					}
					sh.add(hash[slot], uint32(id))
				}
				if t.Spec.TTL > 0 {
					t.due.push(ttlEntry{p.Cols[len(t.Types)-1].I[slot], id})
				}
			}
			for c := range nk {
				t.nullK = t.nullK || p.Cols[c].Null != nil
			}
		}
	}
	return nil
}

// presize gives an empty index room for n entries at once: growing one while
// entries come in the order of another index is quadratic.
func (x *index) presize(n int) {
	if n == 0 || x.n > 0 {
		return
	}
	size, shift := minIndex, uint8(28)
	for n*10 > size*7 {
		size, shift = 2*size, shift-1
	}
	x.e, x.shift = make([]uint64, size), shift
}
