package engine

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine/internal/govalue"
)

// Change is one row that a table gains or loses. Kind is connectors.Insert,
// UpdateBefore, UpdateAfter or Delete; -U comes before the +U of the same key.
type Change[T any] struct {
	Kind connectors.Kind
	Row  T
}

// Delivery is all that one epoch does to a table, never empty. Lineage and Epoch
// name it: epochs of a lineage grow, and a delivery that is repeated after a crash
// has the same name and the same changes.
type Delivery[T any] struct {
	Table   string
	Lineage string // of the job's state, 32 hexadecimal digits; without a state directory a new one each start
	Epoch   uint64
	Changes []Change[T] // in the order of the job's steps; the sink's to keep
}

// RegisterSink gives the pipelines that e compiles from now on a connector whose
// rows go to the Go function write, as values of the struct T:
//
//	engine.RegisterSink(e, "prices", func(ctx context.Context, d engine.Delivery[Price]) error { … })
//	CREATE TABLE prices (city STRING, price DOUBLE) WITH ('connector' = 'prices')
//
// Columns go with fields as RegisterSource says; int64, float64 and string hold
// what narrower columns have too. NULL needs a pointer, slice or map: a NULL for
// another field ends the job before the epoch is decided.
//
// A table without PRIMARY KEY gets every change, old rows in full. With one it gets
// the last row of each key in a step, as an Insert, and for a key that goes a
// Delete with the key's fields alone.
//
// write is called once for each decided epoch that has rows, in order, one call at
// a time for all tables of a job. With a state directory every epoch comes at least
// once, and again only when the process died, or write returned an error, before
// its success was noted: who keeps the Epoch with the rows, in one transaction, and
// skips what is not above it, has each exactly once. Without a state directory
// every step is an epoch, unless another sink needs longer ones, and comes at most
// once. After an error the job recovers,
// or fails without a state directory; after a panic, or a *connectors.Permanent,
// it fails. write must return soon when ctx is done.
func RegisterSink[T any](e *Engine, name string, write func(ctx context.Context, d Delivery[T]) error) error {
	t := reflect.TypeFor[T]()
	if write == nil || t.Kind() != reflect.Struct {
		return fmt.Errorf("register sink %q: it needs a function of a Delivery of a struct, not of %s", name, t)
	}
	return e.register(&connectors.Connector{Name: name, Doc: "takes rows by a function of the program",
		Sink: func(def *connectors.TableDef) (connectors.Sink, error) {
			cols, err := columnsOf(t, def)
			if err != nil {
				return nil, err
			}
			s := &goSink[T]{name: name, def: def, write: write, index: cols, gets: make([]govalue.Getter, len(cols))}
			for c, f := range def.Schema.Fields {
				if s.gets[c], err = govalue.Get(t.FieldByIndex(cols[c]).Type, f.Type); err != nil {
					return nil, badColumn(f.Name, err)
				}
			}
			return s, nil
		}})
}

// goSink is a table that a Go function takes: a follower, told after the decision.
type goSink[T any] struct {
	name    string
	def     *connectors.TableDef
	write   func(context.Context, Delivery[T]) error
	index   [][]int // by column: the field
	gets    []govalue.Getter
	lineage [16]byte
	early   sync.Mutex // guards writers while workers ask for theirs
	writers []*goWriter
	owed    atomic.Bool // an epoch with rows was sealed that is not delivered

	made    []Change[T] // of the epoch that was prepared last
	madeFor connectors.EpochID
}

func (s *goSink[T]) Info() connectors.SinkInfo {
	i := connectors.SinkInfo{Identity: "go/" + s.name + "/" + s.def.Name, Accepts: connectors.Retracts, Follower: s}
	if len(s.def.PrimaryKey) > 0 {
		i.Accepts = connectors.Upserts
	}
	return i
}

func (s *goSink[T]) SetLineage(l [16]byte) { s.lineage = l }

// Open forgets what a failed incarnation pushed: it is read again.
func (s *goSink[T]) Open(context.Context) error {
	s.writers, s.made, s.madeFor = nil, nil, connectors.EpochID{}
	s.owed.Store(false)
	return nil
}

func (s *goSink[T]) Close() error                                 { return nil }
func (s *goSink[T]) Sweep(context.Context, [16]byte, int64) error { return nil }

func (s *goSink[T]) Writer(w int) (connectors.Writer, error) {
	s.early.Lock()
	defer s.early.Unlock()
	for len(s.writers) <= w {
		s.writers = append(s.writers, &goWriter{owed: &s.owed, rows: goRows{b: batch.New(s.def.Schema, 0)}})
	}
	return s.writers[w], nil
}

// goRows are changes on their way to a function; each row stands there as often
// as it counts.
type goRows struct {
	b     *batch.Batch
	kinds []byte
}

type goWriter struct {
	owed *atomic.Bool // the sink's
	rows goRows
}

// maxOwed is about how many bytes a worker may gather behind an epoch that the
// function still works at.
const maxOwed = 16 << 20

func (w *goWriter) Room() bool {
	if !w.owed.Load() {
		return true
	}
	bytes := 0
	for c := range w.rows.b.Cols {
		bytes += len(w.rows.b.Cols[c].Data) + 8*w.rows.b.N
	}
	return bytes < maxOwed
}

func (w *goWriter) Push(x connectors.Changes) error {
	x.B.Each(func(i int) {
		kind := connectors.Insert
		n := x.B.Weight(i)
		if x.Kinds != nil {
			kind = x.Kinds[i]
		} else if n < 0 {
			kind = connectors.Delete
		}
		for range max(n, -n) {
			for c := range w.rows.b.Cols {
				w.rows.b.Cols[c].AppendFrom(&x.B.Cols[c], i)
			}
			w.rows.b.N++
			w.rows.kinds = append(w.rows.kinds, byte(kind))
		}
	})
	return nil
}

// Seal takes the workers' rows.
func (s *goSink[T]) Seal() (connectors.Sealed, error) {
	all := goRows{b: batch.New(s.def.Schema, 0)}
	for _, w := range s.writers {
		if all.b.N == 0 {
			all, w.rows = w.rows, all // the buffers go with the epoch
			continue
		}
		all.b.Append(w.rows.b)
		all.kinds = append(all.kinds, w.rows.kinds...)
		w.rows.b.Reset()
		w.rows.kinds = w.rows.kinds[:0]
	}
	if all.b.N > 0 {
		s.owed.Store(true)
	}
	return &goSealed[T]{s, all}, nil
}

type goSealed[T any] struct {
	sink *goSink[T]
	rows goRows
}

func (e *goSealed[T]) Rows() int64 { return int64(e.rows.b.N) }

// Prepare makes Go values already here: what does not go into them must come out
// before the decision, or no restart could get past it.
func (e *goSealed[T]) Prepare(_ context.Context, id connectors.EpochID) (staged []byte, err error) {
	s := e.sink
	if s.made, err = s.changes(e.rows); err != nil {
		return nil, &connectors.Permanent{Err: err}
	}
	s.madeFor = id
	staged = binary.AppendUvarint(nil, uint64(e.rows.b.N))
	staged = append(staged, e.rows.kinds...)
	for c := range e.rows.b.Cols {
		staged = batch.AppendCol(staged, &e.rows.b.Cols[c], nil, e.rows.b.N)
	}
	return staged, nil
}

// unstage reads back what Prepare staged.
func (s *goSink[T]) unstage(staged []byte) (r goRows, err error) {
	n, at := binary.Uvarint(staged)
	if at <= 0 || n > uint64(len(staged)-at) {
		return r, batch.ErrCorrupt
	}
	r = goRows{b: batch.New(s.def.Schema, 0), kinds: staged[at : at+int(n)]}
	rest := staged[at+int(n):]
	r.b.N = int(n)
	for c, f := range s.def.Schema.Fields {
		if r.b.Cols[c], rest, err = batch.ReadCol(rest, f.Type, int(n)); err != nil {
			return r, err
		}
	}
	return r, nil
}

// changes makes Go values of rows.
func (s *goSink[T]) changes(r goRows) ([]Change[T], error) {
	out := make([]Change[T], r.b.N)
	keyOnly := map[int]bool{}
	for _, c := range s.def.PrimaryKey {
		keyOnly[c] = true
	}
	for i := range out {
		out[i].Kind = connectors.Kind(r.kinds[i])
		row := reflect.ValueOf(&out[i].Row).Elem()
		for c, get := range s.gets {
			if len(keyOnly) > 0 && out[i].Kind == connectors.Delete && !keyOnly[c] {
				continue
			}
			if err := get(&r.b.Cols[c], i, row.FieldByIndex(s.index[c])); err != nil {
				return nil, fmt.Errorf("column %q for %T: %w", s.def.Schema.Fields[c].Name, out[i].Row, err)
			}
		}
	}
	return out, nil
}

// Deliver hands a decided epoch to the function.
func (s *goSink[T]) Deliver(ctx context.Context, id connectors.EpochID, staged []byte) (err error) {
	made := s.made
	if s.madeFor.Number != id.Number || s.madeFor.Incarnation != id.Incarnation { // of an incarnation before
		r, err := s.unstage(staged)
		if err != nil {
			return err
		}
		if made, err = s.changes(r); err != nil {
			return &connectors.Permanent{Err: err}
		}
	}
	s.made, s.madeFor = nil, connectors.EpochID{}
	defer s.owed.Store(false)
	defer func() {
		if v := recover(); v != nil {
			err = &connectors.Permanent{Err: panicked(fmt.Sprintf("sink %q", s.name), v)}
		}
	}()
	return s.write(ctx, Delivery[T]{Table: s.def.Name, Lineage: hex.EncodeToString(s.lineage[:]), Epoch: id.Number, Changes: made})
}
