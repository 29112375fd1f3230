package state

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// pageFiles holds the pages of the base: one plain file for each apply that wrote
// any, <generation>.pages, written once, read by offset, and unlinked when no page in
// it is listed any more. The manifests say where a page is, and its checksum.
//
// Pages are not Badger's because it maps its tables into memory, and every page
// read or written then counts as memory of the process until the table is gone.
type pageFiles struct {
	dir  string
	by   map[uint64]*pageFile
	dead []uint64 // unlisted since the last apply
}

// pageFile is a file of pages; live says how many of its bytes are listed.
type pageFile struct {
	f          *os.File
	size, live int64
}

// pageRef finds and checks a page. In a base whose pages are still Badger's, off
// is how many parts its value has, and len is 0.
type pageRef struct {
	page     uint32
	gen      uint64
	off      uint64
	len, crc uint32
}

const pageExt = ".pages"

func (p *pageFiles) name(gen uint64) string {
	return filepath.Join(p.dir, fmt.Sprintf("%016d%s", gen, pageExt))
}

func openPages(dir string) (*pageFiles, error) {
	p := &pageFiles{dir: dir, by: map[uint64]*pageFile{}}
	names, _ := filepath.Glob(filepath.Join(dir, "*"+pageExt))
	for _, n := range names {
		gen, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(n), pageExt), 10, 64)
		if err != nil || p.name(gen) != n {
			continue
		}
		if err := p.open(gen); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *pageFiles) open(gen uint64) error {
	f, err := os.Open(p.name(gen))
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	p.by[gen] = &pageFile{f: f, size: st.Size()}
	return nil
}

func (p *pageFiles) close() {
	for _, f := range p.by {
		_ = f.f.Close()
	}
}

// list counts a page that a manifest lists.
func (p *pageFiles) list(r pageRef) error {
	f := p.by[r.gen]
	if f == nil {
		return errCorrupt("base/%s is missing", filepath.Base(p.name(r.gen)))
	}
	if r.off+uint64(r.len) < r.off || r.off+uint64(r.len) > uint64(f.size) {
		return errCorrupt("base/%s is cut short", filepath.Base(p.name(r.gen)))
	}
	f.live += int64(r.len)
	return nil
}

// read appends a listed page to b.
func (p *pageFiles) read(b []byte, r pageRef) ([]byte, error) {
	from := len(b)
	b = slices.Grow(b, int(r.len))[:from+int(r.len)]
	if _, err := p.by[r.gen].f.ReadAt(b[from:], int64(r.off)); err != nil {
		return nil, errCorrupt("base/%s: %v", filepath.Base(p.name(r.gen)), err)
	}
	if crc32.Checksum(b[from:], castagnoli) != r.crc {
		return nil, errCorrupt("base/%s: the checksum of a page is wrong", filepath.Base(p.name(r.gen)))
	}
	return b, nil
}

// maxPageFiles is how many files there are before small ones are put together.
const maxPageFiles = 32

// sparse returns the files whose pages the next apply writes anew: those of which
// less than half is listed, and, when there are many, the smaller half of them.
func (p *pageFiles) sparse() map[uint64]bool {
	out := map[uint64]bool{}
	var rest []uint64
	for gen, f := range p.by {
		switch {
		case f.live == 0: // nothing to write anew
		case f.live*2 < f.size:
			out[gen] = true
		default:
			rest = append(rest, gen)
		}
	}
	if len(rest) >= maxPageFiles {
		slices.SortFunc(rest, func(x, y uint64) int { return int(p.by[x].live - p.by[y].live) })
		for _, gen := range rest[:len(rest)/2] {
			out[gen] = true
		}
	}
	return out
}

// trim unlinks what was unlisted by the apply before the last one. (A base that has
// lost its newest write is the one before, and the deltas that are kept mend it.)
func (p *pageFiles) trim() error {
	for _, gen := range p.dead {
		if err := p.unlink(gen); err != nil {
			return err
		}
	}
	p.dead = p.dead[:0]
	for gen, f := range p.by {
		if f.live == 0 {
			p.dead = append(p.dead, gen)
		}
	}
	return nil
}

func (p *pageFiles) unlink(gen uint64) error {
	_ = p.by[gen].f.Close()
	delete(p.by, gen)
	return notWritten(os.Remove(p.name(gen)))
}

// sweep unlinks files without a listed page, which an unfinished apply left.
func (p *pageFiles) sweep() error {
	for gen, f := range p.by {
		if f.live == 0 {
			if err := p.unlink(gen); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageWriter writes the pages of one apply, durable once finish has returned.
type pageWriter struct {
	p   *pageFiles
	gen uint64
	f   *os.File // nil until the first write
	off uint64   // where buf goes
	buf []byte
}

// ref makes a reference to the last bytes of buf, from a position on.
func (w *pageWriter) ref(page uint32, from int) pageRef {
	b := w.buf[from:]
	return pageRef{page, w.gen, w.off + uint64(from), uint32(len(b)), crc32.Checksum(b, castagnoli)}
}

func (w *pageWriter) flush() (err error) {
	if len(w.buf) == 0 {
		return nil
	}
	if w.f == nil {
		if w.f, err = os.OpenFile(w.p.name(w.gen), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return err
		}
	}
	if _, err := w.f.Write(w.buf); err != nil {
		return err
	}
	w.off += uint64(len(w.buf))
	w.buf = w.buf[:0]
	return nil
}

func (w *pageWriter) finish() error {
	if err := w.flush(); err != nil || w.f == nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	return syncDir(w.p.dir)
}

func (w *pageWriter) close() {
	if w.f != nil {
		_ = w.f.Close()
	}
}
