package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// base holds decided state: a tree of blobs, each named by its place and the
// generation (one per apply) that wrote it, each known to its parent by generation
// and checksum:
//
//	!applied -> state -> root of each table -> manifest of each shard -> pages
//
// Pages are in plain files (pageFiles), all else in Badger.
//
// An apply writes new blobs beside the old ones and then sets !applied in one
// transaction; only after that it deletes what is no longer listed. So the base is
// always exactly one epoch, whatever a crash leaves, and a value that Badger lost
// or brought back cannot pass for the current one.
//
// Values are cut into parts under Badger's value threshold: nothing reaches the
// value log, whose garbage collection has brought deleted keys back.
type base struct {
	db     *badger.DB
	pages  *pageFiles
	dir    string
	memory int // how many bytes of encoded pages an apply holds, or one page more
	gen    uint64
	root   baseRoot
	ref    blobRef // of root
	tables map[string]*baseTable
}

// baseRoot is the blob `state`, as JSON.
type baseRoot struct {
	Lineage   [16]byte
	Applied   connectors.EpochID // A
	Mark      connectors.EpochID // newest marker at or before A
	MarkAt    int64
	Positions []KV // by key
	Heads     map[string]connectors.EpochID
	Finished  []string
	Text      []Text
	Tables    []*baseTable // by ID
	PageFiles bool         // pages are in files; a base of an older release has them in Badger
}

type baseTable struct {
	ID     uint32
	Def    *Def
	Root   blobRef
	shards [batch.Shards]blobRef
	types  []batch.Type
}

// blobRef finds and checks a blob. Gen 0 is none.
type blobRef struct {
	Gen   uint64
	Parts uint32
	CRC   uint32
}

const (
	maxPart    = 60 << 10
	keyApplied = "!applied"
	keyHead    = "!head/"
	// maxMemTable is what Badger's memTable was when pages were in it.
	maxMemTable = 16 << 20
)

// Places of blobs: the first byte of their keys.
const (
	blobState    = 's'
	blobTable    = 't' // table
	blobManifest = 'm' // table, shard
	blobPage     = 'p' // table, shard, page; only where pages are not in files
)

func place(kind byte, table uint32, shard uint8, page uint32) []byte {
	b := []byte{kind}
	if kind == blobState {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, table)
	if kind == blobTable {
		return b
	}
	b = append(b, shard)
	if kind == blobManifest {
		return b
	}
	return binary.BigEndian.AppendUint32(b, page)
}

func partKey(place []byte, gen uint64, part uint32) []byte {
	b := append([]byte(nil), place...)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, gen), part)
}

func openBase(dir string, memTable int64) (b *base, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Badger cannot open what a kill left at length zero, nor a log that is longer
	// than memTable lets one grow. Such a log it writes out when it is closed.
	longest := memTable
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, n := range names {
			st, err := os.Stat(n)
			if err == nil && st.Size() == 0 {
				if err := os.Remove(n); err != nil {
					return nil, err
				}
			} else if err == nil && pattern == "*.mem" {
				longest = max(longest, min(st.Size()/2, maxMemTable))
			}
		}
	}
	opt := badger.DefaultOptions(dir).WithLogger(nil).WithMetricsEnabled(false).
		WithSyncWrites(true).WithDetectConflicts(false).WithNumVersionsToKeep(1).
		WithMemTableSize(memTable).WithNumMemtables(2).WithNumCompactors(2).
		WithValueThreshold(min(1<<20, memTable/10)).WithValueLogFileSize(max(memTable, 1<<20)).
		WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0).
		WithChecksumVerificationMode(options.NoVerification)
	if err := verifyTables(dir, opt); err != nil {
		return nil, err
	}
	// Damaged files make Badger panic in places.
	defer func() {
		if r := recover(); r != nil {
			b, err = nil, errCorrupt("base: %v", r)
		}
	}()
	if longest > memTable {
		db, err := badger.Open(opt.WithMemTableSize(longest))
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			return nil, errCorrupt("base: %v", err)
		}
	}
	db, err := badger.Open(opt)
	if err != nil {
		return nil, errCorrupt("base: %v", err)
	}
	private(dir)
	b = &base{db: db, dir: dir, memory: 1 << 20, tables: map[string]*baseTable{}}
	if b.pages, err = openPages(dir); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := b.load(); err != nil {
		_ = b.close()
		return nil, err
	}
	return b, nil
}

// private takes from others the right to read Badger's files, which it makes as
// the umask says. (Its directory is closed to them anyway.)
func private(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, n := range names {
		_ = os.Chmod(n, 0o600)
	}
}

func (b *base) close() error {
	b.pages.close()
	return b.db.Close()
}

// load reads !applied, the state and the tables' roots, and removes what an
// unfinished apply left.
func (b *base) load() error {
	v, err := b.get([]byte(keyApplied))
	if err != nil || v == nil {
		if err != nil {
			return err
		}
		return b.sweep()
	}
	if b.ref, err = decodeRef(v); err != nil {
		return err
	}
	b.gen = b.ref.Gen
	js, err := b.blob(place(blobState, 0, 0, 0), b.ref)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(js, &b.root); err != nil {
		return errCorrupt("base: state: %v", err)
	}
	for i, t := range b.root.Tables {
		if t.Def == nil || t.ID != uint32(i) {
			return errCorrupt("base: table %d", i)
		}
		if t.types, err = t.Def.Types(); err != nil {
			return err
		}
		root, err := b.blob(place(blobTable, t.ID, 0, 0), t.Root)
		if err != nil {
			return err
		}
		if len(root) != batch.Shards*refLen {
			return errCorrupt("base: root of %s", t.Def.Name)
		}
		for s := range t.shards {
			if t.shards[s], err = decodeRef(root[s*refLen:][:refLen]); err != nil {
				return err
			}
		}
		b.tables[t.Def.Name] = t
	}
	if !b.root.PageFiles {
		return b.toFiles()
	}
	return b.sweep()
}

// toFiles moves the pages out of Badger; what an attempt that was killed left is
// swept before and after.
func (b *base) toFiles() error {
	if err := b.pages.sweep(); err != nil {
		return err
	}
	if err := b.apply(nil); err != nil {
		return err
	}
	return b.load()
}

// sweep deletes parts that no parent lists.
func (b *base) sweep() error {
	for _, f := range b.pages.by {
		f.live = 0
	}
	live := map[string]bool{}
	mark := func(place []byte, r blobRef) {
		for p := range r.Parts {
			live[string(partKey(place, r.Gen, p))] = true
		}
	}
	mark(place(blobState, 0, 0, 0), b.ref)
	for _, t := range b.root.Tables {
		mark(place(blobTable, t.ID, 0, 0), t.Root)
		for s := range t.shards {
			mark(place(blobManifest, t.ID, uint8(s), 0), t.shards[s])
			m, err := b.manifest(t, uint8(s))
			if err != nil {
				return err
			}
			for _, p := range m.pages {
				if err := b.pages.list(p); err != nil {
					return err
				}
			}
		}
	}
	if err := b.pages.sweep(); err != nil {
		return err
	}
	var dead [][]byte
	seen := 0
	err := b.db.View(func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.PrefetchValues = false
		it := txn.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			k := it.Item().KeyCopy(nil)
			if live[string(k)] {
				seen++
			} else if k[0] != '!' {
				dead = append(dead, k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if seen != len(live) {
		return errCorrupt("base: %d of %d values are missing", len(live)-seen, len(live))
	}
	return b.remove(dead)
}

func (b *base) remove(keys [][]byte) error {
	if len(keys) == 0 {
		return nil
	}
	wb := b.db.NewWriteBatch()
	defer wb.Cancel()
	for _, k := range keys {
		if err := wb.Delete(k); err != nil {
			return err
		}
	}
	return wb.Flush()
}

// get returns a copy of a value, nil where there is none.
func (b *base) get(key []byte) (v []byte, err error) {
	err = b.db.View(func(txn *badger.Txn) error {
		it, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		v, err = it.ValueCopy(nil)
		return err
	})
	return v, err
}

// blob reads and checks a blob.
func (b *base) blob(place []byte, r blobRef) ([]byte, error) {
	var out []byte
	err := b.db.View(func(txn *badger.Txn) error {
		for p := range r.Parts {
			it, err := txn.Get(partKey(place, r.Gen, p))
			if errors.Is(err, badger.ErrKeyNotFound) {
				return errCorrupt("base: a listed value is missing (%q)", place)
			}
			if err != nil {
				return err
			}
			if err := it.Value(func(v []byte) error { out = append(out, v...); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(out, castagnoli) != r.CRC {
		return nil, errCorrupt("base: the checksum of a value is wrong (%q)", place)
	}
	return out, nil
}

// putBlob writes a blob of generation gen.
func putBlob(wb *badger.WriteBatch, place []byte, gen uint64, v []byte) (blobRef, error) {
	r := blobRef{Gen: gen, CRC: crc32.Checksum(v, castagnoli)}
	for first := true; first || len(v) > 0; first = false {
		n := min(len(v), maxPart)
		if err := wb.Set(partKey(place, gen, r.Parts), v[:n:n]); err != nil {
			return r, err
		}
		v = v[n:]
		r.Parts++
	}
	return r, nil
}

const refLen = 16

func appendRef(b []byte, r blobRef) []byte {
	b = binary.BigEndian.AppendUint64(b, r.Gen)
	b = binary.BigEndian.AppendUint32(b, r.Parts)
	return binary.BigEndian.AppendUint32(b, r.CRC)
}

func decodeRef(b []byte) (blobRef, error) {
	if len(b) != refLen {
		return blobRef{}, errCorrupt("base: a reference of %d bytes", len(b))
	}
	return blobRef{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])}, nil
}

// manifest lists the pages of a shard that have rows, by number.
type manifest struct {
	seq   uint64
	pages []pageRef
}

func (b *base) manifest(t *baseTable, s uint8) (m manifest, err error) {
	ref := t.shards[s]
	if ref.Gen == 0 {
		return m, nil
	}
	v, err := b.blob(place(blobManifest, t.ID, s, 0), ref)
	if err != nil {
		return m, err
	}
	if !b.root.PageFiles {
		return decodeOldManifest(v)
	}
	return decodeManifest(v)
}

// decodeOldManifest reads a manifest of a base whose pages are in Badger.
func decodeOldManifest(v []byte) (m manifest, err error) {
	if len(v) < 8 || (len(v)-8)%(4+refLen) != 0 {
		return m, errCorrupt("base: manifest of %d bytes", len(v))
	}
	m.seq = binary.BigEndian.Uint64(v)
	for v = v[8:]; len(v) > 0; v = v[4+refLen:] {
		r, err := decodeRef(v[4 : 4+refLen])
		if err != nil {
			return m, err
		}
		m.pages = append(m.pages, pageRef{page: binary.BigEndian.Uint32(v), gen: r.Gen, off: uint64(r.Parts), crc: r.CRC})
	}
	return m, nil
}

const pageRefLen = 28

func decodeManifest(v []byte) (m manifest, err error) {
	if len(v) < 8 || (len(v)-8)%pageRefLen != 0 {
		return m, errCorrupt("base: manifest of %d bytes", len(v))
	}
	m.seq = binary.BigEndian.Uint64(v)
	for v = v[8:]; len(v) > 0; v = v[pageRefLen:] {
		m.pages = append(m.pages, pageRef{page: binary.BigEndian.Uint32(v), gen: binary.BigEndian.Uint64(v[4:]),
			off: binary.BigEndian.Uint64(v[12:]), len: binary.BigEndian.Uint32(v[20:]), crc: binary.BigEndian.Uint32(v[24:])})
	}
	return m, nil
}

func (m *manifest) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, m.seq)
	for _, p := range m.pages {
		b = binary.BigEndian.AppendUint32(b, p.page)
		b = binary.BigEndian.AppendUint64(b, p.gen)
		b = binary.BigEndian.AppendUint64(b, p.off)
		b = binary.BigEndian.AppendUint32(b, p.len)
		b = binary.BigEndian.AppendUint32(b, p.crc)
	}
	return b
}

// pageBytes appends a page as it is stored to dst.
func (b *base) pageBytes(dst []byte, t *baseTable, s uint8, p pageRef) ([]byte, error) {
	if b.root.PageFiles {
		return b.pages.read(dst, p)
	}
	v, err := b.blob(place(blobPage, t.ID, s, p.page), blobRef{p.gen, uint32(p.off), p.crc})
	return append(dst, v...), err
}

// page reads a page, with a buffer that the caller keeps for the next one.
func (b *base) page(t *baseTable, s uint8, p pageRef, buf *[]byte) (c Chunk, err error) {
	c = Chunk{Table: t.Def, Shard: s, Page: p.page}
	if *buf, err = b.pageBytes((*buf)[:0], t, s, p); err == nil {
		err = readRows(*buf, t.types, &c)
	}
	return c, err
}

// head returns how far a follower has confirmed.
func (b *base) head(name string) (id connectors.EpochID, err error) {
	v, err := b.get([]byte(keyHead + name))
	if err != nil || v == nil {
		return id, err
	}
	if len(v) < 4 || crc32.Checksum(v[4:], castagnoli) != binary.BigEndian.Uint32(v) || json.Unmarshal(v[4:], &id) != nil {
		return id, errCorrupt("base: head of %s", name)
	}
	return id, nil
}

func (b *base) setHead(name string, id connectors.EpochID) error {
	js, err := json.Marshal(id)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	v := append(binary.BigEndian.AppendUint32(nil, crc32.Checksum(js, castagnoli)), js...)
	return b.db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(keyHead+name), v) })
}
