package kafka

import (
	"github.com/streamd/streamd/connectors"
)

// reader decodes one partition's slabs into batches. One worker owns it.
type reader struct {
	rows  *rowReader
	fetch *fetcher
	buf   *buffer
	at    position // behind everything Read has returned

	cur *slab
	i   int // next record of cur

	offsets []int64 // of the rows that the last Read returned
}

// load makes sure that cur has a record left; false when nothing has arrived.
func (r *reader) load() bool {
	for r.cur == nil || r.i == len(r.cur.offsets) {
		if r.cur != nil {
			r.at.offset, r.at.epoch = r.cur.next, r.cur.epoch
			r.cur.reset()
			slabs.Put(r.cur)
			r.cur = nil
		}
		s, bytes := r.buf.take()
		if s == nil {
			return false
		}
		r.fetch.taken(r.buf, bytes)
		r.cur, r.i = s, 0
	}
	return true
}

// Read implements connectors.Reader. Records without a row count against max, too.
func (r *reader) Read(dst *connectors.Dst, max int) (more, done bool, err error) {
	b := dst.Batch
	from, bad := b.N, len(dst.Bad)
	r.offsets = r.offsets[:0]
	for got := 0; got == 0 || got+r.rows.most <= max; got = b.N - from + len(dst.Bad) - bad {
		if !r.load() {
			break
		}
		r.rows.read(dst, r.buf, r.cur, r.i)
		for len(r.offsets) < b.N-from {
			r.offsets = append(r.offsets, r.cur.offsets[r.i])
		}
		r.at.offset, r.at.epoch = r.cur.offsets[r.i]+1, r.cur.epoch
		r.i++
	}
	connectors.Pad(b)
	if more = r.load(); more {
		return true, false, nil
	}
	r.buf.mu.Lock()
	defer r.buf.mu.Unlock()
	switch {
	case len(r.buf.slabs) > 0: // came since load looked
		return true, false, nil
	case r.buf.reached:
		r.at.offset = r.buf.next
		return false, true, nil
	}
	return false, false, r.buf.err
}

// Place implements connectors.Placer.
func (r *reader) Place(i int) string { return placeAt(r.buf, r.offsets[i]) }

// Position implements connectors.Reader.
func (r *reader) Position() []byte { return r.at.encode() }

// Lag implements connectors.Reader.
func (r *reader) Lag() int64 {
	r.buf.mu.Lock()
	defer r.buf.mu.Unlock()
	end := r.buf.stable
	if r.buf.until >= 0 {
		end = min(end, r.buf.until)
	}
	return max(0, end-r.at.offset)
}

// Close implements connectors.Reader.
func (r *reader) Close() error {
	r.fetch.remove(r.buf)
	return nil
}
