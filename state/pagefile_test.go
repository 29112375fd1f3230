package state

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/streamd/streamd/batch"
)

// pagesIn returns the files of pages of a job's base.
func pagesIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "base", "*"+pageExt))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// epochOf writes rows k → v as one epoch and applies it.
func epochOf(t *testing.T, s *Store, w *Worker, tab *Table, rows map[int64]int64) {
	t.Helper()
	for k, v := range rows {
		key := []batch.Vec{ints(k)}
		h := batch.HashRow(key, 0)
		id, _ := tab.Rows1(key, 0, h, h)
		p, slot := tab.At(id)
		p.Cols[1].I[slot] = v
		tab.Touch(id)
	}
	e, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Packed(w.Pack()); err != nil {
		t.Fatal(err)
	}
	id, err := e.Prepare(Silent)
	if err != nil {
		t.Fatal(err)
	}
	s.Decided(id, 0)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
}

func openRows(t *testing.T, dir string) (*Store, *Worker, *Table) {
	t.Helper()
	s, err := openLocal(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	w := s.Worker(0, 1)
	tab := w.Table(counter)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	s.Loaded()
	return s, w, tab
}

func wantRows(t *testing.T, tab *Table, rows map[int64]int64) {
	t.Helper()
	if tab.Len() != len(rows) {
		t.Fatalf("%d rows, not %d", tab.Len(), len(rows))
	}
	for k, v := range rows {
		if got, ok := get(tab, k); !ok || got != v {
			t.Fatalf("key %d: %d, not %d", k, got, v)
		}
	}
}

// TestPageFilesStayFew holds the number of files to be bounded, both where the same
// rows change and where rows only come, and what is listed of each to be right.
func TestPageFilesStayFew(t *testing.T) {
	for name, key := range map[string]func(epoch, i int64) int64{
		"the same rows": func(_, i int64) int64 { return i },
		"new rows":      func(epoch, i int64) int64 { return epoch<<20 | i<<10 },
		"new pages": func(epoch, i int64) int64 { // each epoch has a shard of its own: no file gets sparse
			for k := epoch<<20 | i<<10; ; k++ {
				if int64(batch.ShardOf(batch.HashRow([]batch.Vec{ints(k)}, 0))) == epoch {
					return k
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := memDir(t)
			s, w, tab := openRows(t, dir)
			all := map[int64]int64{}
			for epoch := range int64(3 * maxPageFiles) {
				rows := map[int64]int64{}
				for i := range int64(40) {
					rows[key(epoch, i)] = epoch
					all[key(epoch, i)] = epoch
				}
				epochOf(t, s, w, tab, rows)
				if n := len(pagesIn(t, dir)); n > 2*maxPageFiles || n != len(s.base.pages.by) {
					t.Fatalf("%d files of pages", n)
				}
				for gen, f := range s.base.pages.by {
					if f.live < 0 || f.live > f.size {
						t.Fatalf("file %d: %d of %d bytes are listed", gen, f.live, f.size)
					}
				}
			}
			counted := map[uint64]int64{}
			for gen, f := range s.base.pages.by {
				counted[gen] = f.live
			}
			if err := s.base.sweep(); err != nil { // counts anew
				t.Fatal(err)
			}
			for gen, f := range s.base.pages.by {
				if counted[gen] != f.live {
					t.Errorf("file %d: %d bytes are listed, counted were %d", gen, f.live, counted[gen])
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, _, tab = openRows(t, dir)
			wantRows(t, tab, all)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestOldBase opens a base whose pages are in Badger.
func TestOldBase(t *testing.T) {
	dir := memDir(t)
	s, w, tab := openRows(t, dir)
	rows := map[int64]int64{}
	for k := range int64(3000) {
		rows[k] = k * k
	}
	epochOf(t, s, w, tab, rows)
	age(t, s.base)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range pagesIn(t, dir) {
		if err := os.Remove(n); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s, w, tab = openRows(t, dir)
		wantRows(t, tab, rows)
		if !s.base.root.PageFiles || len(pagesIn(t, dir)) == 0 {
			t.Fatal("the pages were not moved")
		}
		if err := s.base.db.View(func(txn *badger.Txn) error {
			it := txn.NewIterator(badger.DefaultIteratorOptions)
			defer it.Close()
			if it.Seek([]byte{blobPage}); it.ValidForPrefix([]byte{blobPage}) {
				t.Error("Badger still has a page")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		rows[7]++
		epochOf(t, s, w, tab, map[int64]int64{7: rows[7]})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// age gives a base the layout of a release that kept pages in Badger.
func age(t *testing.T, b *base) {
	t.Helper()
	wb := b.db.NewWriteBatch()
	put := func(at, v []byte) blobRef {
		r, err := putBlob(wb, at, b.gen, slices.Clone(v))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	root := b.root
	root.PageFiles = false
	for _, tab := range root.Tables {
		var refs []byte
		for s := range tab.shards {
			m, err := b.manifest(tab, uint8(s))
			if err != nil {
				t.Fatal(err)
			}
			if tab.shards[s].Gen == 0 {
				refs = appendRef(refs, blobRef{})
				continue
			}
			man := binary.BigEndian.AppendUint64(nil, m.seq)
			for _, p := range m.pages {
				v, err := b.pages.read(nil, p)
				if err != nil {
					t.Fatal(err)
				}
				man = appendRef(binary.BigEndian.AppendUint32(man, p.page), put(place(blobPage, tab.ID, uint8(s), p.page), v))
			}
			refs = appendRef(refs, put(place(blobManifest, tab.ID, uint8(s), 0), man))
		}
		tab.Root = put(place(blobTable, tab.ID, 0, 0), refs)
	}
	js, err := json.Marshal(&root)
	if err != nil {
		t.Fatal(err)
	}
	ref := put(place(blobState, 0, 0, 0), js)
	if err := wb.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(keyApplied), appendRef(nil, ref)) }); err != nil {
		t.Fatal(err)
	}
}
