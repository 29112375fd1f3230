package state

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// apply merges decided deltas, in order, into the base. An error leaves the base
// as it was, on disk; the incarnation is over.
func (b *base) apply(deltas []*Delta) error {
	a := &applying{b: b, gen: b.gen + 1, wb: b.db.NewWriteBatch(), images: map[pageKey]*image{},
		mans: map[shardKey]*shardChange{}, named: map[string]*Def{}}
	defer func() { a.wb.Cancel() }()
	a.root = b.root
	a.root.Tables = slices.Clone(b.root.Tables)
	a.root.Heads = maps.Clone(b.root.Heads)
	if a.root.Heads == nil {
		a.root.Heads = map[string]connectors.EpochID{}
	}
	for name, t := range b.tables {
		a.named[name] = t.Def
	}
	for _, d := range deltas {
		dec := &stateDecoder{named: a.named, chunk: a.chunk, seq: a.seq}
		if err := d.state(dec); err != nil {
			return err
		}
		if a.failed != nil {
			return a.failed
		}
		a.header(d)
	}
	ref, err := a.write()
	if err != nil {
		return err
	}
	fault.Point("C13-written")
	if err := b.db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(keyApplied), appendRef(nil, ref)) }); err != nil {
		return err
	}
	fault.Point("C13-noted")
	if b.ref.Gen != 0 {
		a.old = append(a.old, oldBlob{place(blobState, 0, 0, 0), b.ref})
	}
	b.gen, b.ref, b.root = a.gen, ref, a.root
	for _, t := range b.root.Tables {
		b.tables[t.Def.Name] = t
	}
	var dead [][]byte
	for _, o := range a.old {
		for p := range o.ref.Parts {
			dead = append(dead, partKey(o.place, o.ref.Gen, p))
		}
	}
	private(b.dir)
	return b.remove(dead)
}

// applying is one apply on its way. What it makes is invisible until !applied.
type applying struct {
	b      *base
	gen    uint64
	wb     *badger.WriteBatch
	root   baseRoot
	named  map[string]*Def
	images map[pageKey]*image
	size   int
	mans   map[shardKey]*shardChange
	old    []oldBlob
	failed error
}

type oldBlob struct {
	place []byte
	ref   blobRef
}

type shardKey struct {
	table string
	shard uint8
}

type pageKey struct {
	shardKey
	page uint32
}

// shardChange is a manifest with its changes.
type shardChange struct {
	seq   uint64
	pages map[uint32]blobRef
}

// image is a page in memory: rows by slot, as a chunk whose rows all live.
type image struct {
	c     Chunk
	types []batch.Type
}

func (a *applying) shard(def *Def, s uint8) (*baseTable, *shardChange, error) {
	t := a.table(def)
	if t == nil {
		return nil, nil, errCorrupt("%s is stored with other columns", def.Name)
	}
	k := shardKey{def.Name, s}
	if m := a.mans[k]; m != nil {
		return t, m, nil
	}
	old, err := a.b.manifest(t, s)
	if err != nil {
		return nil, nil, err
	}
	m := &shardChange{seq: old.seq, pages: map[uint32]blobRef{}}
	for _, p := range old.pages {
		m.pages[p.page] = p.blobRef
	}
	a.mans[k] = m
	return t, m, nil
}

// table finds the table of a definition, or adds it.
func (a *applying) table(def *Def) *baseTable {
	for _, t := range a.root.Tables {
		if t.Def.Name == def.Name {
			return t
		}
	}
	types, err := def.Types()
	if err != nil {
		return nil
	}
	t := &baseTable{ID: uint32(len(a.root.Tables)), Def: def, types: types}
	a.root.Tables = append(a.root.Tables, t)
	return t
}

func (a *applying) chunk(c Chunk) error {
	t, m, err := a.shard(c.Table, c.Shard)
	if err != nil {
		return err
	}
	k := pageKey{shardKey{t.Def.Name, c.Shard}, c.Page}
	img := a.images[k]
	if img == nil {
		img = &image{c: Chunk{Table: t.Def, Shard: c.Shard, Page: c.Page}, types: t.types}
		if ref, ok := m.pages[c.Page]; ok {
			if img.c, err = a.b.page(t, c.Shard, pageRef{c.Page, ref}); err != nil {
				return err
			}
		}
		a.images[k] = img
	}
	a.size -= img.bytes()
	if err := img.merge(&c); err != nil {
		return err
	}
	if a.size += img.bytes(); a.size > a.b.memory {
		return a.spill()
	}
	return nil
}

func (a *applying) seq(q SeqMark) {
	_, m, err := a.shard(q.Table, q.Shard)
	if err != nil {
		a.failed = err
		return
	}
	m.seq = q.Seq
}

func (i *image) bytes() int {
	n := 64
	for c := range i.c.Cols {
		v := &i.c.Cols[c]
		n += width(v)*v.Len() + len(v.Data)
	}
	return n
}

// merge lays a chunk over the page: both lists of slots are increasing.
func (i *image) merge(c *Chunk) error {
	if c.live() > 0 && len(c.Cols) != len(i.types) {
		return errCorrupt("%s is stored with other columns", c.Table.Name)
	}
	var slots []int64
	cols := make([]batch.Vec, len(i.types))
	for k, t := range i.types {
		cols[k] = batch.NewVec(t, len(i.c.Slots)+len(c.Slots))
	}
	take := func(from []batch.Vec, row int, slot int64) {
		for k := range cols {
			cols[k].AppendFrom(&from[k], row)
		}
		slots = append(slots, slot)
	}
	x, y, row := 0, 0, 0
	for x < len(i.c.Slots) || y < len(c.Slots) {
		if y == len(c.Slots) || x < len(i.c.Slots) && i.c.Slots[x]>>1 < c.Slots[y]>>1 {
			take(i.c.Cols, x, i.c.Slots[x])
			x++
			continue
		}
		if x < len(i.c.Slots) && i.c.Slots[x]>>1 == c.Slots[y]>>1 {
			x++
		}
		if c.Slots[y]&1 != 0 {
			take(c.Cols, row, c.Slots[y])
			row++
		}
		y++
	}
	i.c.Slots, i.c.Cols = slots, cols
	return nil
}

func (a *applying) header(d *Delta) {
	r := &a.root
	r.Lineage, r.Applied, r.Mark = d.Lineage, d.ID, d.markAfter()
	r.MarkAt = max(r.MarkAt, d.MarkAt)
	r.Positions = mergePositions(r.Positions, d.Positions)
	for _, f := range d.Followers {
		if f.Rows {
			r.Heads[f.Name] = d.ID
		}
	}
	r.Finished = d.Finished
	if d.Tables != nil {
		r.Text = d.Tables
	}
}

// mergePositions lays changes over positions; the result is ordered by key.
func mergePositions(old, changes []KV) []KV {
	if len(changes) == 0 {
		return old
	}
	m := make(map[string][]byte, len(old)+len(changes))
	for _, p := range old {
		m[p.Key] = p.Val
	}
	for _, p := range changes {
		if m[p.Key] = p.Val; len(p.Val) == 0 {
			delete(m, p.Key)
		}
	}
	out := make([]KV, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, KV{k, m[k]})
	}
	return out
}

// spill writes the pages in memory and forgets them. They can be read back: what
// this generation wrote is found like anything else once the batch is flushed.
func (a *applying) spill() error {
	keys := slices.SortedFunc(maps.Keys(a.images), func(x, y pageKey) int {
		return cmp.Or(cmp.Compare(x.table, y.table), cmp.Compare(x.shard, y.shard), cmp.Compare(x.page, y.page))
	})
	for _, k := range keys {
		img := a.images[k]
		t, m, err := a.shard(img.c.Table, k.shard)
		if err != nil {
			return err
		}
		at := place(blobPage, t.ID, k.shard, k.page)
		// A blob that this apply itself wrote before is overwritten, and what its
		// new form no longer covers is swept at the next open.
		if was, ok := m.pages[k.page]; ok && was.Gen != a.gen {
			a.old = append(a.old, oldBlob{at, was})
		}
		if len(img.c.Slots) == 0 {
			delete(m.pages, k.page)
			continue
		}
		if m.pages[k.page], err = putBlob(a.wb, at, a.gen, appendRows(nil, &img.c)); err != nil {
			return err
		}
	}
	clear(a.images)
	a.size = 0
	err := a.wb.Flush()
	a.wb = a.b.db.NewWriteBatch()
	fault.Point("C13-mid")
	return err
}

// write writes pages, manifests, roots and the state, and returns its reference.
func (a *applying) write() (blobRef, error) {
	if err := a.spill(); err != nil {
		return blobRef{}, err
	}
	for i, t := range a.root.Tables {
		changed := *t
		touched := t.Root.Gen == 0
		for s := range t.shards {
			m := a.mans[shardKey{t.Def.Name, uint8(s)}]
			if m == nil {
				continue
			}
			touched = true
			at := place(blobManifest, t.ID, uint8(s), 0)
			if t.shards[s].Gen != 0 {
				a.old = append(a.old, oldBlob{at, t.shards[s]})
			}
			man := manifest{seq: m.seq}
			for _, p := range slices.Sorted(maps.Keys(m.pages)) {
				man.pages = append(man.pages, pageRef{p, m.pages[p]})
			}
			var err error
			if changed.shards[s], err = putBlob(a.wb, at, a.gen, man.encode()); err != nil {
				return blobRef{}, err
			}
		}
		if !touched {
			continue
		}
		at := place(blobTable, t.ID, 0, 0)
		if t.Root.Gen != 0 {
			a.old = append(a.old, oldBlob{at, t.Root})
		}
		var root []byte
		for _, r := range changed.shards {
			root = appendRef(root, r)
		}
		var err error
		if changed.Root, err = putBlob(a.wb, at, a.gen, root); err != nil {
			return blobRef{}, err
		}
		a.root.Tables[i] = &changed
	}
	js, err := json.Marshal(&a.root)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	ref, err := putBlob(a.wb, place(blobState, 0, 0, 0), a.gen, js)
	if err != nil {
		return blobRef{}, err
	}
	return ref, a.wb.Flush()
}
