package state

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// A delta file holds what one epoch changed:
//
//	magic
//	sections: type (1 byte), length (u32 BE), payload (<= 64 KiB), CRC32C of these
//	trailer:  'Z', length of all before (u64 BE), CRC32C of all before (u32 BE)
//
// The payloads of one type, put together, are a stream of records, each a uvarint
// length and as many bytes; where sections cut the stream means nothing. Types:
//
//	H  one record, the Header as JSON
//	P  positions that changed: uvarint length of the key, key, value
//	C  step cuts, opaque
//	S  changed keyed state (record.go)
//	O  rows for a follower: uvarint number of the follower in H, then the rows
//
// The order of types is free, so that rows can be written before the header is
// known.
const (
	magic      = "streamd-delta-1\n"
	maxSection = 64 << 10
	trailerLen = 13
)

const (
	secHeader   = 'H'
	secPosition = 'P'
	secCut      = 'C'
	secState    = 'S'
	secOutbox   = 'O'
	secEnd      = 'Z'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Kind says what decides an epoch.
type Kind string

const (
	Kafka  Kind = "kafka"  // its marker on the deciding cluster
	Silent Kind = "silent" // the rename of its delta, if prev is decided
)

// Header is what a delta says of its epoch.
type Header struct {
	Lineage     [16]byte
	Epoch       uint64
	Incarnation int64
	Kind        Kind
	Prev        connectors.EpochID // the epoch this one was computed from
	Mark        connectors.EpochID // the newest marker at or before Prev
	MarkAt      int64              // where a marker is known to stand; 0 = nowhere
	Followers   []Follower         `json:",omitempty"` // all the job has, by number
	Finished    []string           `json:",omitempty"`
	Tables      []Text             `json:",omitempty"` // when it changed
}

// Follower is a sink that is told of an epoch after the decision.
type Follower struct {
	Name string
	Rows bool               // this epoch has rows for it
	Prev connectors.EpochID // the newest epoch before this one that has rows for it
}

// Text is one stored operator of the pipeline.
type Text struct {
	Op, Layout string
	Version    int
	Text       string
}

// KV is a position: what a split goes on from, a watermark. An empty Val deletes.
type KV struct {
	Key string
	Val []byte
}

// Delta is a delta file that was read and found whole.
type Delta struct {
	Header
	ID        connectors.EpochID
	Path      string
	Size      int64
	Positions []KV
	Cuts      [][]byte
	mem       memRows // of an ephemeral store
}

// markAfter is the newest marker once the epoch is decided.
func (d *Delta) markAfter() connectors.EpochID {
	if d.Kind == Kafka {
		return d.ID
	}
	return d.Mark
}

func deltaName(e uint64, i int64) string { return fmt.Sprintf("%016d-%012d.delta", e, i) }

// deltaWriter writes one delta. A failed write is kept and returned by finish.
type deltaWriter struct {
	f     *os.File
	w     *bufio.Writer
	path  string // without .tmp
	crc   uint32
	n     uint64
	bufs  map[byte][]byte
	err   error
	dirty bool // a section has been written
}

func createDelta(path string) (*deltaWriter, error) {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	d := &deltaWriter{f: f, w: bufio.NewWriterSize(f, 256<<10), path: path, bufs: map[byte][]byte{}}
	d.write([]byte(magic))
	return d, nil
}

func (d *deltaWriter) write(b []byte) {
	if d.err == nil {
		_, d.err = d.w.Write(b)
	}
	d.crc = crc32.Update(d.crc, castagnoli, b)
	d.n += uint64(len(b))
}

// record adds one record, given in parts, to the stream of a type.
func (d *deltaWriter) record(typ byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := binary.AppendUvarint(d.bufs[typ], uint64(n))
	for _, p := range parts {
		b = append(b, p...)
		for len(b) >= maxSection {
			d.section(typ, b[:maxSection])
			b = append(b[:0], b[maxSection:]...)
		}
	}
	d.bufs[typ] = b
	return d.err
}

func (d *deltaWriter) section(typ byte, payload []byte) {
	var head [5]byte
	head[0] = typ
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	crc := crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, payload)
	d.write(head[:])
	d.write(payload)
	d.write(binary.BigEndian.AppendUint32(nil, crc))
	if !d.dirty {
		d.dirty = true
		if d.err == nil {
			d.err = d.w.Flush()
		}
		fault.Point("C8")
	}
}

// finish writes the header and makes the delta durable under its name. An error
// leaves a file whose fate is unknown: the incarnation is over.
func (d *deltaWriter) finish(h Header) (id connectors.EpochID, size int64, err error) {
	js, err := json.Marshal(h)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	_ = d.record(secHeader, js)
	for _, typ := range []byte{secHeader, secPosition, secCut, secState, secOutbox} {
		if b := d.bufs[typ]; len(b) > 0 {
			d.section(typ, b)
		}
	}
	id = connectors.EpochID{Number: h.Epoch, Incarnation: h.Incarnation, CRC: d.crc}
	end := binary.BigEndian.AppendUint64([]byte{secEnd}, d.n)
	d.write(binary.BigEndian.AppendUint32(end, d.crc))
	if d.err == nil {
		d.err = d.w.Flush()
	}
	if d.err == nil {
		d.err = d.f.Sync()
	}
	if err := d.f.Close(); d.err == nil {
		d.err = err
	}
	if d.err != nil {
		return id, 0, d.err
	}
	if err := os.Rename(d.path+".tmp", d.path); err != nil {
		return id, 0, err
	}
	fault.Point("C9")
	return id, int64(d.n), syncDir(filepath.Dir(d.path))
}

// readDelta reads and checks a whole delta; state and outboxes are left to
// records. An error is *corrupt, or of the file system.
func readDelta(path string) (*Delta, error) {
	d := &Delta{Path: path}
	headers := 0
	id, size, err := scanDelta(path, func(typ byte, rec []byte) error {
		switch typ {
		case secHeader:
			headers++
			if err := json.Unmarshal(rec, &d.Header); err != nil {
				return errCorrupt("header: %v", err)
			}
		case secPosition:
			n, k := binary.Uvarint(rec)
			if k <= 0 || n > uint64(len(rec)-k) {
				return errCorrupt("a position")
			}
			key := string(rec[k : k+int(n)])
			d.Positions = append(d.Positions, KV{key, bytes.Clone(rec[k+int(n):])})
		case secCut:
			d.Cuts = append(d.Cuts, bytes.Clone(rec))
		}
		return nil
	}, secHeader, secPosition, secCut)
	if err != nil {
		return nil, err
	}
	d.ID = connectors.EpochID{Number: d.Epoch, Incarnation: d.Incarnation, CRC: id}
	d.Size = size
	if headers != 1 || filepath.Base(path) != deltaName(d.Epoch, d.Incarnation) || d.Kind != Kafka && d.Kind != Silent {
		return nil, errCorrupt("the header does not belong to this file")
	}
	return d, nil
}

// state hands on the changed state of a delta.
func (d *Delta) state(dec *stateDecoder) error {
	dec.defs, dec.types = nil, nil
	_, _, err := scanDelta(d.Path, func(_ byte, rec []byte) error { return dec.record(rec) }, secState)
	return err
}

// Outbox hands on, in order, the rows the epoch has for a follower. rec is good
// until f returns.
func (d *Delta) Outbox(follower string, f func(rec []byte) error) error {
	for _, rec := range d.mem[follower] {
		if err := f(rec); err != nil {
			return err
		}
	}
	if d.Path == "" {
		return nil
	}
	_, _, err := scanDelta(d.Path, func(_ byte, rec []byte) error {
		n, k := binary.Uvarint(rec)
		if k <= 0 || n >= uint64(len(d.Followers)) {
			return errCorrupt("outbox of an unknown follower")
		}
		if d.Followers[n].Name != follower {
			return nil
		}
		return f(rec[k:])
	}, secOutbox)
	return err
}

// scanDelta checks a delta file section by section and hands on the records of
// the wanted types. No length is trusted before its checksum: sections are
// bounded, records are cut from payloads that have been verified. Whether the
// file is whole is known only at the end: f must not do what cannot be undone.
func scanDelta(path string, f func(typ byte, rec []byte) error, want ...byte) (crc uint32, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = file.Close() }()
	return scanFrom(file, f, want...)
}

// scanFrom is scanDelta of the bytes of a delta.
func scanFrom(r io.Reader, f func(typ byte, rec []byte) error, want ...byte) (crc uint32, size int64, err error) {
	return newDeltaScanner(r, f, want...).scan()
}

func newDeltaScanner(r io.Reader, f func(typ byte, rec []byte) error, want ...byte) *deltaScanner {
	return &deltaScanner{r: bufio.NewReaderSize(r, 256<<10), bufs: map[byte][]byte{}, cut: map[byte]recordAt{}, f: f, want: want}
}

func (s *deltaScanner) scan() (crc uint32, size int64, err error) {
	head := make([]byte, len(magic))
	if err := s.read(head, true); err != nil {
		return 0, 0, err
	}
	if string(head) != magic {
		return 0, 0, errCorrupt("not a delta file")
	}
	for {
		end, err := s.next()
		if err != nil {
			return 0, 0, err
		}
		if end {
			break
		}
	}
	for _, typ := range s.want {
		if len(s.bufs[typ]) > 0 {
			return 0, 0, errCorrupt("the stream %q is cut short", typ)
		}
	}
	return s.crc, int64(s.n) + trailerLen, nil
}

type deltaScanner struct {
	r       *bufio.Reader
	crc     uint32
	n       uint64
	payload [maxSection + 4]byte
	bufs    map[byte][]byte
	f       func(typ byte, rec []byte) error
	want    []byte
	section int64             // where the section being read begins
	cut     map[byte]recordAt // where the record at the front of bufs begins
	at      recordAt          // where the record begins that f is given
}

// read fills b; summed bytes count for the checksum of the file.
func (s *deltaScanner) read(b []byte, summed bool) error {
	if _, err := io.ReadFull(s.r, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errCorrupt("cut short after %d bytes", s.n)
		}
		return err
	}
	if summed {
		s.crc = crc32.Update(s.crc, castagnoli, b)
		s.n += uint64(len(b))
	}
	return nil
}

func (s *deltaScanner) next() (end bool, err error) {
	s.section = int64(s.n)
	var head [trailerLen]byte
	if err := s.read(head[:1], false); err != nil {
		return false, err
	}
	if head[0] == secEnd {
		if err := s.read(head[1:], false); err != nil {
			return false, err
		}
		if binary.BigEndian.Uint64(head[1:]) != s.n || binary.BigEndian.Uint32(head[9:]) != s.crc {
			return false, errCorrupt("the checksum of the file is wrong")
		}
		if _, err := s.r.ReadByte(); err != io.EOF {
			return false, errCorrupt("bytes behind the end")
		}
		return true, nil
	}
	s.crc, s.n = crc32.Update(s.crc, castagnoli, head[:1]), s.n+1
	if err := s.read(head[1:5], true); err != nil {
		return false, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxSection {
		return false, errCorrupt("a section of %d bytes", n)
	}
	p := s.payload[:n+4]
	if err := s.read(p, true); err != nil {
		return false, err
	}
	if crc32.Update(crc32.Checksum(head[:5], castagnoli), castagnoli, p[:n]) != binary.BigEndian.Uint32(p[n:]) {
		return false, errCorrupt("the checksum of a section is wrong")
	}
	if bytes.IndexByte(s.want, head[0]) < 0 {
		return false, nil
	}
	return false, s.records(head[0], p[:n])
}

// records cuts whole records off the stream of a type.
func (s *deltaScanner) records(typ byte, payload []byte) error {
	carried := len(s.bufs[typ])
	b := append(s.bufs[typ], payload...)
	rest := b
	for {
		if p := len(b) - len(rest); p == 0 && carried > 0 {
			s.at = s.cut[typ]
		} else {
			s.at = recordAt{s.section, p - carried}
		}
		n, k := binary.Uvarint(rest)
		if k < 0 {
			return errCorrupt("a record's length")
		}
		if k == 0 || n > uint64(len(rest)-k) {
			break
		}
		if err := s.f(typ, rest[k:k+int(n)]); err != nil {
			return err
		}
		rest = rest[k+int(n):]
	}
	s.bufs[typ], s.cut[typ] = append(b[:0], rest...), s.at
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}

// durable writes a file so that it is there whole or not at all.
func durable(path string, b []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func crcHex(b []byte) string { return fmt.Sprintf("crc32c %08x", crc32.Checksum(b, castagnoli)) }
