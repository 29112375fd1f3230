package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// recordAt is where a record begins in a delta file: its section, and how far into
// the section's payload.
type recordAt struct {
	section int64
	off     int
}

// chunkAt is where a delta has the changed rows of one page.
type chunkAt struct {
	page uint32
	from int32 // number of the delta
	at   recordAt
}

// index checks a delta whole and tells, in the order of the file, where its chunks
// are: dec.found is called with the place in the returned variable.
func (d *Delta) index(dec *stateDecoder, found func(def *Def, shard uint8, page uint32, at recordAt)) error {
	f, err := os.Open(d.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	s := newDeltaScanner(f, func(_ byte, rec []byte) error { return dec.record(rec) }, secState)
	dec.found = func(def *Def, shard uint8, page uint32) error { found(def, shard, page, s.at); return nil }
	_, _, err = s.scan()
	dec.found = nil
	return err
}

// recordReader reads single records of a stream of a delta that was found whole.
// What it reads it checks again: each section's checksum. Records that are asked
// for in the order of the file are read once through.
type recordReader struct {
	f       *os.File
	typ     byte
	section int64 // the one in payload; 0 = none
	end     int64 // where the next section begins
	payload []byte
	rec     []byte
	buf     [5 + maxSection + 4]byte
}

func openRecords(path string, typ byte) (*recordReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &recordReader{f: f, typ: typ}, nil
}

// load reads the section at an offset and returns its type.
func (r *recordReader) load(at int64) (byte, error) {
	r.section = 0
	k, err := r.f.ReadAt(r.buf[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if k < 5 {
		return 0, errCorrupt("cut short after %d bytes", at)
	}
	if r.buf[0] == secEnd {
		return secEnd, nil
	}
	n := int(binary.BigEndian.Uint32(r.buf[1:]))
	if n > maxSection || k < 5+n+4 {
		return 0, errCorrupt("a section of %d bytes", n)
	}
	if crc32.Checksum(r.buf[:5+n], castagnoli) != binary.BigEndian.Uint32(r.buf[5+n:]) {
		return 0, errCorrupt("the checksum of a section is wrong")
	}
	r.section, r.end, r.payload = at, at+int64(5+n+4), r.buf[5:5+n]
	return r.buf[0], nil
}

// record returns a record, good until the next call.
func (r *recordReader) record(at recordAt) ([]byte, error) {
	if r.section != at.section {
		if typ, err := r.load(at.section); err != nil {
			return nil, err
		} else if typ != r.typ {
			return nil, errCorrupt("a section of another type")
		}
	}
	if at.off > len(r.payload) {
		return nil, errCorrupt("a record behind its section")
	}
	b := r.payload[at.off:]
	for cut := false; ; cut = true {
		n, k := binary.Uvarint(b)
		if k < 0 {
			return nil, errCorrupt("a record's length")
		}
		if k > 0 && n <= uint64(len(b)-k) {
			return b[k : k+int(n)], nil
		}
		if !cut { // it goes on in the next section of its type, which takes the place of this one
			r.rec = append(r.rec[:0], b...)
		}
		for {
			typ, err := r.load(r.end)
			if err != nil {
				return nil, err
			}
			if typ == secEnd {
				return nil, errCorrupt("a record is cut short")
			}
			if typ == r.typ {
				break
			}
		}
		r.rec = append(r.rec, r.payload...)
		b = r.rec
	}
}
