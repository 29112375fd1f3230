package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

const (
	stagedDir = ".staged"
	flushAt   = 256 << 10 // a worker hands a partition's bytes over
	spillAt   = 4 << 20   // an epoch's partition goes from memory to a file
)

// sink writes one file an epoch and partition value. Its life, by epoch:
//
//	Push     encoded lines, by worker and partition
//	Seal     the epoch's parts: all workers' lines, per partition
//	Prepare  .staged/<lineage>-<epoch>-<incarnation>-<n>, durable
//	Deliver  [k=v/]part-<lineage>-<epoch>-<incarnation>-<n>.<ext>
type sink struct {
	*options
	def     *connectors.TableDef
	lineage [16]byte
	numbers *numbering
	mu      sync.Mutex // guards writers and parts
	writers []*writer
	parts   map[string]*part // of the running epoch, by partition path
	disk    disk
}

// part is what one epoch writes into one partition.
type part struct {
	dir   string // "" or "k=v/k2=v2"
	rows  int64
	mem   []byte
	spill *os.File // what came before mem; has no name, so nothing to clean up after a crash
	spilt int64    // bytes in spill
}

func newSink(def *connectors.TableDef) (*sink, error) {
	o, err := decodeOptions(def)
	if err != nil {
		return nil, err
	}
	if o.Monitor != nil && def.Options != nil {
		o.monitor = 0 // of the same table as a source
	}
	if _, err := o.format.Encoder(sinkSpec(o, def)); err != nil {
		return nil, err
	}
	for _, c := range def.PartBy {
		if f := def.Schema.Fields[c]; f.Type.Kind() == batch.Row || f.Type.Kind() == batch.List || f.Type.IsBytes() {
			return nil, &connectors.OptionError{Where: connectors.AtTable, Key: "path", Msg: fmt.Sprintf("column %q of type %s cannot be a partition", f.Name, f.Type)}
		}
	}
	s := &sink{options: o, def: def, parts: map[string]*part{}, numbers: &numbering{}, disk: disk{free: freeBytes}}
	if def.Job != nil {
		s.numbers = def.Job.Shared("file/numbers", func() any { return s.numbers }).(*numbering)
	}
	return s, nil
}

// numbering counts the parts of an epoch over all file sinks of a job: tables may
// write into one directory, by one path or by several.
type numbering struct {
	mu   sync.Mutex
	of   connectors.EpochID
	next int
}

func (n *numbering) take(id connectors.EpochID) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of != id {
		n.of, n.next = id, 0
	}
	n.next++
	return n.next - 1
}

// sinkSpec is spec without the columns that are not written.
func sinkSpec(o *options, def *connectors.TableDef) *formats.Spec {
	s := o.spec(def, connectors.Want{})
	var fields []batch.Field
	var cols []int
	for i, c := range s.Cols {
		if c >= len(def.Virtual) || !def.Virtual[c] {
			fields, cols = append(fields, s.Fields[i]), append(cols, c)
		}
	}
	s.Fields, s.Cols = fields, cols
	return s
}

// SetLineage implements connectors.Lineaged.
func (s *sink) SetLineage(l [16]byte) { s.lineage = l }

func (s *sink) Info() connectors.SinkInfo {
	return connectors.SinkInfo{Identity: "filesystem/" + s.Path, Accepts: s.format.Accepts, Follower: s, Durable: true}
}

// Open also forgets what a failed incarnation pushed: it is read again.
func (s *sink) Open(context.Context) error {
	if err := s.Close(); err != nil {
		return err
	}
	// Durably: a staging directory that a power loss takes away would take decided
	// rows with it.
	err := makeDirs("", filepath.Join(s.Path, stagedDir))
	if err == nil {
		err = syncDir(s.Path)
	}
	if st, e := os.Stat(s.Path); err != nil && e == nil && !st.IsDir() {
		return &connectors.Permanent{Err: fmt.Errorf("path %s of table %q is a file%s: a sink's path is a directory, in which it makes files", s.Path, s.def.Name, absolute(s.Path))}
	}
	if err != nil {
		return &connectors.Permanent{Err: fmt.Errorf("make the directory of table %q: %w", s.def.Name, err)}
	}
	return nil
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		p.close()
	}
	s.parts = map[string]*part{}
	s.writers = nil
	s.disk.mu.Lock()
	s.disk.held = 0
	s.disk.mu.Unlock()
	return nil
}

// Full implements connectors.Spacious.
func (s *sink) Full() string { return s.disk.full(s.Path) }

func (p *part) close() {
	if p.spill != nil {
		_ = p.spill.Close()
		p.spill = nil
	}
}

func (s *sink) Writer(w int) (connectors.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.writers) <= w {
		enc, err := s.format.Encoder(sinkSpec(s.options, s.def))
		if err != nil {
			return nil, err
		}
		s.writers = append(s.writers, &writer{sink: s, enc: enc, open: map[string]*lines{}})
	}
	return s.writers[w], nil
}

// writer encodes the rows of one worker.
type writer struct {
	sink *sink
	enc  formats.Encoder
	open map[string]*lines // by partition path
	dir  []byte
	text []byte

	refused func(connectors.Refusal) error
}

// OnRefused implements connectors.Refuser.
func (w *writer) OnRefused(f func(connectors.Refusal) error) { w.refused = f }

// refuse hands on a row that cannot be written, or returns why.
func (w *writer) refuse(b *batch.Batch, i int, err error) error {
	if w.refused == nil {
		return err
	}
	x := connectors.Refusal{B: b, Row: i, Err: err}
	if bad := (*formats.Problem)(nil); errors.As(err, &bad) {
		x.Code = string(bad.Code)
	}
	return w.refused(x)
}

// lines are rows that the sink does not have yet.
type lines struct {
	rows int64
	b    []byte
}

func (w *writer) Room() bool { return true }

func (w *writer) Push(x connectors.Changes) error {
	var err error
	x.B.Each(func(i int) {
		if err != nil {
			return
		}
		kind := connectors.Insert
		if x.Kinds != nil {
			kind = x.Kinds[i]
		} else if x.B.Weight(i) < 0 {
			kind = connectors.Delete
		}
		w.partition(x.B, i)
		l := w.open[string(w.dir)]
		if l == nil {
			l = &lines{}
			w.open[string(w.dir)] = l
		}
		n := x.B.Weight(i)
		for range max(n, -n) {
			before := len(l.b)
			if l.b, _, err = w.enc.Append(l.b, x.B, i, kind); err != nil {
				l.b = l.b[:before]
				if err = w.refuse(x.B, i, fmt.Errorf("write a row of table %q: %w", w.sink.def.Name, err)); err != nil {
					return
				}
				continue
			}
			l.b = append(l.b, '\n')
			l.rows++
		}
		if len(l.b) >= flushAt {
			err = w.flush(string(w.dir), l)
		}
	})
	return err
}

// partition sets w.dir to the partition's path of row i.
func (w *writer) partition(b *batch.Batch, i int) {
	w.dir = w.dir[:0]
	for k, c := range w.sink.def.PartBy {
		f, v := w.sink.def.Schema.Fields[c], &b.Cols[c]
		if k > 0 {
			w.dir = append(w.dir, '/')
		}
		w.dir = append(append(w.dir, escapePart(f.Name)...), '=')
		switch {
		case v.IsNull(i):
			w.text = w.text[:0]
		case f.Type.IsString():
			w.text = append(w.text[:0], v.Bytes(i)...)
		case f.Type.SQL == batch.Timestamp:
			w.text = batch.AppendTimestamp(w.text[:0], v.I[i], ' ')
		case f.Type.SQL == batch.TimestampLTZ:
			w.text = append(batch.AppendTimestamp(w.text[:0], v.I[i], ' '), 'Z')
		default:
			w.text = v.AppendText(w.text[:0], i, f.Type)
		}
		if len(w.text) == 0 {
			w.dir = append(w.dir, w.sink.DefaultPart...)
		} else {
			w.dir = append(w.dir, escapePart(string(w.text))...)
		}
	}
}

// flush hands lines to the epoch's part.
func (w *writer) flush(dir string, l *lines) error {
	s := w.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[dir]
	if p == nil {
		p = &part{dir: dir}
		s.parts[dir] = p
	}
	p.rows += l.rows
	p.mem = append(p.mem, l.b...)
	s.disk.hold(int64(len(l.b)))
	l.rows, l.b = 0, l.b[:0]
	if len(p.mem) < spillAt || !s.disk.spills(s.Path) {
		return nil
	}
	if err := p.spillTo(filepath.Join(s.Path, stagedDir)); err != nil && !noSpace(err) {
		return fmt.Errorf("spill rows of table %q: %w", s.def.Name, err)
	}
	return nil
}

// spillTo moves the part's lines to its spill. On a full disk they stay in memory:
// what a step brings is bounded, and none comes before there is room.
func (p *part) spillTo(dir string) error {
	if p.spill == nil {
		f, err := os.CreateTemp(dir, "spill-")
		if err != nil {
			return err
		}
		_ = os.Remove(f.Name())
		p.spill = f
	}
	if n, err := p.spill.WriteAt(p.mem, p.spilt); err != nil {
		if n > 0 {
			_ = p.spill.Truncate(p.spilt) // gives the room back; the next write begins there again
		}
		return err
	}
	p.spilt += int64(len(p.mem))
	p.mem = p.mem[:0]
	return nil
}

// Seal takes the epoch's parts, in the order of their partitions.
func (s *sink) Seal() (connectors.Sealed, error) {
	for _, w := range s.writers {
		// Lines of one partition from several workers have no order between them;
		// workers follow each other here.
		for _, dir := range sortedKeys(w.open) {
			if l := w.open[dir]; l.rows > 0 {
				if err := w.flush(dir, l); err != nil {
					return nil, err
				}
			} else {
				delete(w.open, dir) // a partition that was idle for an epoch
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &sealed{sink: s}
	for _, dir := range sortedKeys(s.parts) {
		e.parts = append(e.parts, s.parts[dir])
		e.rows += s.parts[dir].rows
	}
	s.parts = map[string]*part{}
	return e, nil
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

type sealed struct {
	sink  *sink
	parts []*part
	rows  int64
}

func (e *sealed) Rows() int64 { return e.rows }

// Prepare writes the parts under their staged names, durably, and returns the list.
func (e *sealed) Prepare(ctx context.Context, id connectors.EpochID) ([]byte, error) {
	if len(e.parts) == 0 {
		return nil, nil
	}
	s := e.sink
	dir := filepath.Join(s.Path, stagedDir)
	var list []entry
	for _, p := range e.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%s-%d-%d-%d", hex.EncodeToString(s.lineage[:4]), id.Number, id.Incarnation, s.numbers.take(id))
		var x entry
		err := patiently(ctx, func() (err error) {
			if err = s.disk.fits(dir, int64(len(p.mem))+p.spilt); err != nil {
				return err
			}
			if x, err = p.stage(filepath.Join(dir, name)); noSpace(err) {
				_ = os.Remove(filepath.Join(dir, name)) // what is there is of no use, and takes room
			}
			return err
		})
		s.disk.hold(-int64(len(p.mem)) - p.spilt)
		p.close()
		if err != nil {
			return nil, fmt.Errorf("stage rows of table %q: %w", s.def.Name, err)
		}
		x.staged, x.target = name, strings.TrimPrefix(p.dir+"/part-"+name+"."+s.format.Ext, "/")
		list = append(list, x)
	}
	if err := syncDir(dir); err != nil {
		return nil, fmt.Errorf("stage rows of table %q: %w", s.def.Name, err)
	}
	return encodeEntries(list), nil
}

// stage writes the part to path. A file of this name can only be left of the
// same epoch of the same incarnation, which did not get to its end.
func (p *part) stage(path string) (x entry, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return x, err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	sum := newSum(f)
	if p.spill != nil {
		if _, err = p.spill.Seek(0, io.SeekStart); err != nil {
			return x, err
		}
		if _, err = io.CopyN(sum, p.spill, p.spilt); err != nil {
			return x, err
		}
	}
	if _, err = sum.Write(p.mem); err != nil {
		return x, err
	}
	x.crc, x.size = sum.crc, sum.n
	return x, f.Sync()
}
