package file

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

const (
	slabSize   = 256 << 10
	slabsAhead = 4
	maxLine    = 16 << 20
)

// slab is a stretch of a file on its way to the worker: whole lines, or what the
// file ends with.
type slab struct {
	data  []byte
	long  bool // data is a stretch of a line that is too long
	rest  bool // data is a last line without line feed
	done  bool // nothing follows
	err   error
	empty int64 // line feeds to pass over before data: of a line that was taken cut
}

// fetcher reads a file in the background and cuts it at line feeds.
type fetcher struct {
	path    string
	slabs   chan slab
	wake    func()
	monitor time.Duration // 0: end at the end of the file
	until   int64         // end there; -1 = nowhere
	offset  int64         // of the next byte to read
	tail    uint32        // CRC of the last edge bytes before offset, as of a restored position
	cut     bool
	size    atomic.Int64
	stop    chan struct{}
	gone    sync.WaitGroup

	carry []byte // the beginning of a line
	last  []byte // up to edge bytes before offset, to see that a file that grew is the same
}

func (f *fetcher) start() {
	f.stop = make(chan struct{})
	f.gone.Go(func() {
		if err := f.run(); err != nil {
			f.send(slab{err: err})
		}
	})
}

func (f *fetcher) close() {
	close(f.stop)
	f.gone.Wait()
}

// send hands a slab over; false: the reader was closed.
func (f *fetcher) send(s slab) bool {
	select {
	case f.slabs <- s:
		if f.wake != nil {
			f.wake()
		}
		return true
	case <-f.stop:
		return false
	}
}

// run reads to the end of the file, and from there on again each time it has
// grown, until the split ends.
func (f *fetcher) run() error {
	for {
		ok, err := f.pass()
		if !ok || err != nil {
			return err
		}
		if f.monitor == 0 || f.until >= 0 && f.offset >= f.until {
			f.send(slab{data: f.carry, rest: true, done: true})
			return nil
		}
		if !f.sleep() {
			return nil
		}
	}
}

// sleep waits until the file is longer than what was read.
func (f *fetcher) sleep() bool {
	t := time.NewTicker(f.monitor)
	defer t.Stop()
	for {
		select {
		case <-f.stop:
			return false
		case <-t.C:
			// A file that was removed has no more lines; one that shrank is
			// looked at by pass.
			if st, err := os.Stat(f.path); err == nil && st.Size() != f.offset {
				return true
			}
		}
	}
}

// pass reads what the file has beyond offset; false: the reader was closed.
func (f *fetcher) pass() (bool, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", f.path, err)
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", f.path, err)
	}
	if st.Size() < f.offset {
		return false, changed(f.path, fmt.Sprintf("it has %d bytes, %d were read", st.Size(), f.offset))
	}
	if len(f.last) > 0 && st.Size() > f.offset {
		now := make([]byte, len(f.last))
		if _, err := in.ReadAt(now, f.offset-int64(len(now))); err != nil {
			return false, fmt.Errorf("read %s again: %w", f.path, err)
		}
		if !bytes.Equal(now, f.last) {
			return false, changed(f.path, fmt.Sprintf("its first %d bytes, which were read, are not what they were", f.offset))
		}
	}
	for {
		buf := make([]byte, len(f.carry)+slabSize)
		n := copy(buf, f.carry)
		room := buf[n:]
		if f.until >= 0 {
			room = room[:min(int64(len(room)), max(f.until-f.offset, 0))]
		}
		k, err := in.ReadAt(room, f.offset)
		if err != nil && err != io.EOF {
			return false, fmt.Errorf("read %s: %w", f.path, err)
		}
		f.offset += int64(k)
		f.size.Store(max(f.size.Load(), f.offset))
		f.remember(room[:k])
		if !f.cutLines(buf[:n+k], k) {
			return false, nil
		}
		if k < len(room) || len(room) == 0 {
			return true, nil
		}
	}
}

// remember keeps the last edge bytes before offset.
func (f *fetcher) remember(b []byte) {
	if f.monitor == 0 {
		return
	}
	if len(b) >= edge {
		f.last = append(f.last[:0], b[len(b)-edge:]...)
		return
	}
	f.last = append(f.last, b...)
	if extra := len(f.last) - edge; extra > 0 {
		f.last = append(f.last[:0], f.last[extra:]...)
	}
}

// cutLines sends the whole lines of buf, whose last k bytes are new, and keeps
// the beginning of the next.
func (f *fetcher) cutLines(buf []byte, k int) bool {
	if f.cut && len(buf) > 0 {
		// The line before was taken without its line feed, which is here.
		f.cut = false
		if !f.send(slab{empty: 1}) {
			return false
		}
		buf = buf[1:]
		k = min(k, len(buf))
	}
	end := bytes.LastIndexByte(buf[len(buf)-k:], '\n')
	if end < 0 {
		f.carry = buf
		if len(buf) > maxLine {
			// The line is given up: it is reported once and passed over in pieces.
			f.carry = nil
			return f.send(slab{data: buf, long: true})
		}
		return true
	}
	end += len(buf) - k + 1
	f.carry = append([]byte(nil), buf[end:]...)
	return f.send(slab{data: buf[:end:end]})
}

// reader decodes the lines of one file.
type reader struct {
	path      string
	def       *connectors.TableDef
	want      connectors.Want
	dec       formats.Decoder
	wake      func()
	drain     bool
	slabs     chan slab
	fetch     *fetcher
	now       slab
	pos       position
	head      []byte // the first edge bytes
	tail      []byte // at least the last edge bytes before pos.Offset
	done      bool
	lines     []int64 // of the rows that the last Read returned
	fixed     []batch.Vec
	fixedCols []int
	raw       []byte // of the line at hand: the column $raw
}

// restore reads again what pos remembers, to go on with its CRCs.
func (r *reader) restore(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	r.head, r.tail, err = verify(f, r.pos)
	return err
}

func (r *reader) Position() []byte {
	p := r.pos
	p.Size = max(p.Size, p.Offset)
	p.Head = crc32.Checksum(r.head, castagnoli)
	p.Tail = crc32.Checksum(r.tail[max(0, len(r.tail)-edge):], castagnoli)
	return p.encode()
}

func (r *reader) Lag() int64 { return -1 }

func (r *reader) Close() error {
	r.fetch.close()
	return nil
}

// pass notes that b was read.
func (r *reader) pass(b []byte) {
	r.pos.Offset += int64(len(b))
	if room := edge - len(r.head); room > 0 {
		r.head = append(r.head, b[:min(room, len(b))]...)
	}
	if len(b) > edge {
		b = b[len(b)-edge:]
	}
	if len(r.tail)+len(b) > 4*edge {
		r.tail = append(r.tail[:0], r.tail[max(0, len(r.tail)-edge):]...)
	}
	r.tail = append(r.tail, b...)
}

func (r *reader) Read(dst *connectors.Dst, limit int) (more, done bool, err error) {
	hidden := connectors.HiddenOf(dst.Batch.Schema, r.want)
	before := dst.Batch.N
	// What the fetcher has seen by now, not by the time of Position: a position
	// changes by a Read alone.
	defer func() { r.pos.Size = r.fetch.size.Load() }()
	r.lines = r.lines[:0]
	for dst.Batch.N-before < limit && !r.done {
		if len(r.now.data) == 0 && !r.now.done {
			select {
			case r.now = <-r.slabs:
			default:
				connectors.Pad(dst.Batch)
				return false, false, nil
			}
			if r.now.err != nil {
				return false, false, r.now.err
			}
			if r.now.empty > 0 {
				r.pass([]byte("\n"))
				r.pos.Cut = false
				r.now = slab{}
				continue
			}
			if r.now.long {
				r.tooLong(dst)
				continue
			}
		}
		r.next(dst, hidden)
	}
	connectors.Pad(dst.Batch)
	return !r.done && (len(r.now.data) > 0 || r.now.done || len(r.slabs) > 0), r.done, nil
}

// next takes one line of the current slab.
func (r *reader) next(dst *connectors.Dst, hidden connectors.Hidden) {
	if r.now.rest {
		if line := r.now.data; len(line) > 0 && r.drain && !r.pos.Long {
			r.pos.Line++
			r.row(dst, hidden, line)
			r.pass(line)
			r.pos.Cut = true
		}
		r.now.data = nil
		r.done = r.now.done
		return
	}
	end := bytes.IndexByte(r.now.data, '\n')
	line := r.now.data[:end]
	r.pos.Line++
	if r.pos.Long {
		r.pos.Long = false // the end of a line that was reported
	} else {
		r.row(dst, hidden, line)
	}
	r.pass(r.now.data[:end+1])
	r.now.data = r.now.data[end+1:]
}

// tooLong reports a line of which only the beginning was kept.
func (r *reader) tooLong(dst *connectors.Dst) {
	if !r.pos.Long {
		p := formats.Problem{Code: formats.TooLong, Msg: fmt.Sprintf("line %d has more than %d bytes", r.pos.Line+1, maxLine)}
		r.bad(dst, p, r.pos.Line+1, r.now.data)
	}
	r.pos.Long = true
	r.pass(r.now.data)
	r.now = slab{}
}

// bad notes a problem of a line.
func (r *reader) bad(dst *connectors.Dst, p formats.Problem, line int64, text []byte) {
	x := p.Bad(r.place(line), text, dst.Batch.N)
	if r.want.Raw {
		x.Origin = connectors.Origin{Table: r.want.Table, Value: bytes.Clone(text)}
	}
	dst.Bad = append(dst.Bad, x)
}

func (r *reader) place(line int64) string { return r.path + ":" + strconv.FormatInt(line, 10) }

// Place implements connectors.Placer.
func (r *reader) Place(i int) string { return r.place(r.lines[i]) }

// row decodes one line, whose number pos.Line is.
func (r *reader) row(dst *connectors.Dst, hidden connectors.Hidden, line []byte) {
	b := dst.Batch
	n, bad := r.dec.Decode(b, line)
	for _, p := range bad {
		r.bad(dst, p, r.pos.Line, line)
	}
	if n == 0 {
		return
	}
	weights := r.dec.Weights()
	for i := range n {
		w := int64(1)
		if weights != nil {
			w = weights[i]
		}
		for _, c := range r.fixedCols {
			if r.want.Has(c) {
				b.Cols[c].AppendFrom(&r.fixed[c], 0)
			}
		}
		var pos []byte
		if hidden.WantsPos() {
			pos = []byte(r.place(r.pos.Line))
		}
		if hidden.WantsRaw() {
			o := connectors.Origin{Table: r.want.Table, Value: line}
			r.raw = o.Append(r.raw[:0])
		}
		hidden.Append(b, pos, r.raw)
		r.lines = append(r.lines, r.pos.Line)
		b.AddWeight(w)
	}
}

// gone is the reader of a file that is no more and was read to its end.
type gone []byte

func (g gone) Read(*connectors.Dst, int) (more, done bool, err error) { return false, true, nil }
func (g gone) Position() []byte                                       { return g }
func (g gone) Lag() int64                                             { return 0 }
func (g gone) Close() error                                           { return nil }
