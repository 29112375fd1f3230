package state

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// apply merges decided deltas, in order, into the base. An error leaves the base
// as it was, on disk; the incarnation is over.
//
// The deltas are read twice: to check them whole and to learn where each has what,
// and then page by page of the base, so that a page is read and written once,
// however many deltas change it, and only one page at a time is in memory. Without
// deltas it only moves pages that are not in files, or in sparse ones.
func (b *base) apply(deltas []*Delta) error {
	a := &applying{b: b, gen: b.gen + 1, wb: b.db.NewWriteBatch(), shards: map[shardKey]*shardChange{}, named: map[string]*Def{},
		anew: b.pages.sparse(), gone: map[uint64]int64{}}
	a.out = pageWriter{p: b.pages, gen: a.gen}
	defer a.wb.Cancel()
	defer a.close()
	a.root = b.root
	a.root.Tables = slices.Clone(b.root.Tables)
	a.root.PageFiles = true
	a.root.Heads = maps.Clone(b.root.Heads)
	if a.root.Heads == nil {
		a.root.Heads = map[string]connectors.EpochID{}
	}
	for name, t := range b.tables {
		a.named[name] = t.Def
	}
	for _, d := range deltas {
		if err := a.add(d); err != nil {
			return err
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
	if err := b.remove(dead); err != nil {
		return err
	}
	if a.out.off > 0 {
		if err := b.pages.open(a.gen); err != nil {
			return err
		}
		b.pages.by[a.gen].live = int64(a.out.off)
	}
	for gen, n := range a.gone {
		if f := b.pages.by[gen]; f != nil {
			f.live -= n
		}
	}
	return b.pages.trim()
}

// applying is one apply on its way. What it makes is invisible until !applied.
type applying struct {
	b      *base
	gen    uint64
	wb     *badger.WriteBatch
	out    pageWriter
	buf    []byte           // a page of the base
	anew   map[uint64]bool  // files whose pages are written anew, changed or not
	gone   map[uint64]int64 // bytes of pages that are not listed any more, by file
	root   baseRoot
	named  map[string]*Def
	from   []source
	shards map[shardKey]*shardChange
	merge  merger
	old    []oldBlob
}

type oldBlob struct {
	place []byte
	ref   blobRef
}

type shardKey struct {
	table string
	shard uint8
}

// source is a delta and what knows its tables.
type source struct {
	r   *recordReader
	dec *stateDecoder
}

// shardChange is what the deltas change in a shard.
type shardChange struct {
	seq    uint64
	seqNew bool
	chunks []chunkAt
}

// table finds the table of a definition, or adds it.
func (a *applying) table(def *Def) (*baseTable, error) {
	for _, t := range a.root.Tables {
		if t.Def.Name == def.Name {
			return t, nil
		}
	}
	types, err := def.Types()
	if err != nil {
		return nil, err
	}
	t := &baseTable{ID: uint32(len(a.root.Tables)), Def: def, types: types}
	a.root.Tables = append(a.root.Tables, t)
	return t, nil
}

func (a *applying) change(def *Def, s uint8) *shardChange {
	k := shardKey{def.Name, s}
	if a.shards[k] == nil {
		a.shards[k] = &shardChange{}
	}
	return a.shards[k]
}

// add notes what a delta changes, and where it says so.
func (a *applying) add(d *Delta) error {
	dec := &stateDecoder{named: a.named, seq: func(q SeqMark) {
		m := a.change(q.Table, q.Shard)
		m.seq, m.seqNew = q.Seq, true
	}}
	n := int32(len(a.from))
	err := d.index(dec, func(def *Def, shard uint8, page uint32, at recordAt) {
		m := a.change(def, shard)
		m.chunks = append(m.chunks, chunkAt{page, n, at})
	})
	if err != nil {
		return err
	}
	for _, def := range dec.defs {
		if _, err := a.table(def); err != nil {
			return err
		}
	}
	r, err := openRecords(d.Path, secState)
	if err != nil {
		return err
	}
	a.from = append(a.from, source{r, dec})
	return nil
}

func (a *applying) close() {
	for _, s := range a.from {
		_ = s.r.f.Close()
	}
	a.out.close()
}

// shard writes the pages of a shard that changed, or whose files are sparse, and
// then its manifest. done is false where there is nothing to write. m may be nil.
func (a *applying) shard(t *baseTable, s uint8, m *shardChange) (ref blobRef, done bool, err error) {
	man, err := a.b.manifest(t, s)
	if err != nil {
		return ref, false, err
	}
	if m == nil {
		if !slices.ContainsFunc(man.pages, func(p pageRef) bool { return a.rewrites(p) }) {
			return ref, false, nil
		}
		m = &shardChange{}
	}
	if m.seqNew {
		man.seq = m.seq
	}
	// Stable: of two chunks of one page the later one has been noted later.
	slices.SortStableFunc(m.chunks, func(x, y chunkAt) int { return cmp.Compare(x.page, y.page) })
	var pages []pageRef
	for old, cs := man.pages, m.chunks; len(old)+len(cs) > 0; {
		if len(cs) == 0 || len(old) > 0 && old[0].page < cs[0].page {
			p, err := a.keep(t, s, old[0])
			if err != nil {
				return ref, false, err
			}
			pages, old = append(pages, p), old[1:]
			continue
		}
		n := 1
		for n < len(cs) && cs[n].page == cs[0].page {
			n++
		}
		var was *pageRef
		if len(old) > 0 && old[0].page == cs[0].page {
			was, old = &old[0], old[1:]
		}
		p, err := a.page(t, s, was, cs[:n])
		if err != nil {
			return ref, false, err
		}
		if p.len > 0 {
			pages = append(pages, p)
		}
		cs = cs[n:]
	}
	man.pages = pages
	at := place(blobManifest, t.ID, s, 0)
	if t.shards[s].Gen != 0 {
		a.old = append(a.old, oldBlob{at, t.shards[s]})
	}
	ref, err = putBlob(a.wb, at, a.gen, man.encode())
	return ref, true, err
}

// rewrites tells whether a page is written anew though nothing in it changed.
func (a *applying) rewrites(p pageRef) bool { return a.anew[p.gen] || !a.b.root.PageFiles }

// keep keeps an unchanged page where it is, or copies it.
func (a *applying) keep(t *baseTable, s uint8, p pageRef) (pageRef, error) {
	if !a.rewrites(p) {
		return p, nil
	}
	a.gone[p.gen] += int64(p.len)
	from := len(a.out.buf)
	var err error
	if a.out.buf, err = a.b.pageBytes(a.out.buf, t, s, p); err != nil {
		return p, err
	}
	return a.written(p.page, from)
}

// page lays chunks, all of one page, over what the base has of it. A page without
// rows has length 0.
func (a *applying) page(t *baseTable, s uint8, was *pageRef, chunks []chunkAt) (ref pageRef, err error) {
	num := chunks[0].page
	g := &a.merge
	g.reset(t.types)
	if was != nil {
		c, err := a.b.page(t, s, *was, &a.buf)
		if err == nil {
			err = g.lay(&c)
		}
		if err != nil {
			return ref, err
		}
		a.gone[was.gen] += int64(was.len)
	}
	for _, x := range chunks {
		src := a.from[x.from]
		rec, err := src.r.record(x.at)
		if err != nil {
			return ref, err
		}
		src.dec.chunk = func(c Chunk) error {
			if c.Table.Name != t.Def.Name || c.Shard != s || c.Page != num {
				return errCorrupt("a chunk of another page")
			}
			return g.lay(&c)
		}
		if err := src.dec.record(rec); err != nil {
			return ref, err
		}
	}
	c := g.rows()
	if len(c.Slots) == 0 {
		return ref, nil
	}
	from := len(a.out.buf)
	a.out.buf = appendRows(a.out.buf, c)
	return a.written(num, from)
}

// written is the reference to the page that ends the writer's buffer.
func (a *applying) written(page uint32, from int) (pageRef, error) {
	ref := a.out.ref(page, from)
	if len(a.out.buf) <= a.b.memory {
		return ref, nil
	}
	err := a.out.flush()
	fault.Point("C13-mid")
	return ref, err
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

// write writes pages, manifests, roots and the state, and returns its reference.
func (a *applying) write() (blobRef, error) {
	for i, t := range a.root.Tables {
		changed := *t
		touched := t.Root.Gen == 0
		for s := range t.shards {
			m := a.shards[shardKey{t.Def.Name, uint8(s)}]
			if m == nil && len(a.anew) == 0 && a.b.root.PageFiles {
				continue
			}
			ref, done, err := a.shard(t, uint8(s), m)
			if err != nil {
				return blobRef{}, err
			}
			if done {
				touched, changed.shards[s] = true, ref
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
	if err := a.wb.Flush(); err != nil {
		return blobRef{}, err
	}
	fault.Point("C13-mid")
	return ref, a.out.finish()
}
