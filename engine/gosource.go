package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine/internal/govalue"
)

// Source is a Go function that rows come from: values of the struct T.
type Source[T any] struct {
	// Read gives rows to emit, one after the other, from a position on: "" in a job
	// that has read nothing, else the one behind the last row of the last decided
	// epoch. next is the position behind the row, in words of your own (an offset, a
	// file and a line, a time); the same position must give the same rows again.
	// Where rows cannot be had again give "": after a fault Read starts with "".
	//
	// emit waits while the job has not taken earlier rows; the row may be reused once
	// it returns. Its error is a *RowError where the row does not fit the table: it
	// was left out, and Read may go on. Any other error says that the job ends: Read
	// must return soon then, as when ctx is done, for the job waits for it.
	//
	// nil ends a bounded source. After an error the job recovers, or fails without a
	// state directory; after a panic, or a *connectors.Permanent, it fails.
	Read func(ctx context.Context, from string, emit func(row T, next string) error) error

	// Bounded says that the table ends when Read returns nil. A job whose tables all
	// end, ends by itself.
	Bounded bool
}

// RegisterSource gives the pipelines that e compiles from now on a connector from
// which rows of type T come:
//
//	engine.RegisterSource(e, "bookings", engine.Source[Booking]{Read: read})
//	CREATE TABLE bookings (id BIGINT, city STRING, …) WITH ('connector' = 'bookings')
//
// Each column needs a field of T: the one with the tag `sql:"column"`, else the one
// of that name but for case and underscores. Go types go with SQL types as
// RegisterFunc lists them; beyond that a string, or a type with MarshalText, may be
// a DECIMAL, time.Time a DATE, TIMESTAMP (what its own clock shows) or
// TIMESTAMP_LTZ (the instant), time.Duration a TIME. Integers are checked against
// the column's range. A nil pointer, slice or map is NULL.
//
// Rows are read in one goroutine, in the order in which they are emitted. With a
// state directory each counts exactly once in state and output.
func RegisterSource[T any](e *Engine, name string, s Source[T]) error {
	if s.Read == nil || reflect.TypeFor[T]().Kind() != reflect.Struct {
		return fmt.Errorf("register source %q: it needs a Read function of a struct, not %s", name, reflect.TypeFor[T]())
	}
	read := func(ctx context.Context, from string, emit func(reflect.Value, string) error) error {
		return s.Read(ctx, from, func(row T, next string) error { return emit(reflect.ValueOf(&row).Elem(), next) })
	}
	return e.register(&connectors.Connector{Name: name, Doc: "rows of a function of the program",
		Source: func(def *connectors.TableDef) (connectors.Source, error) {
			cols, err := columnsOf(reflect.TypeFor[T](), def)
			if err != nil {
				return nil, err
			}
			src := &goSource{name: name, table: def.Name, schema: def.Schema, bounded: s.Bounded, index: cols, read: read, puts: make([]govalue.Putter, len(cols))}
			for c, f := range def.Schema.Fields {
				if src.puts[c], err = govalue.Put(reflect.TypeFor[T]().FieldByIndex(cols[c]).Type, f.Type); err != nil {
					return nil, badColumn(f.Name, err)
				}
			}
			return src, nil
		}})
}

// columnsOf finds the field of each column of a table that a program reads or writes.
func columnsOf(t reflect.Type, def *connectors.TableDef) ([][]int, error) {
	var names []string
	for c, f := range def.Schema.Fields {
		if c < len(def.Meta) && def.Meta[c] != "" {
			return nil, &connectors.OptionError{Where: connectors.AtTable, Msg: fmt.Sprintf("%s has no metadata, which column %q reads", t, f.Name), Hint: "make it a column like the others"}
		}
		names = append(names, f.Name)
	}
	if len(def.PartBy) > 0 {
		return nil, &connectors.OptionError{Where: connectors.AtTable, Msg: "PARTITIONED BY is not supported yet for a table of the program"}
	}
	index, err := govalue.Fields(t, names)
	if err != nil {
		return nil, &connectors.OptionError{Where: connectors.AtTable, Msg: err.Error(), Hint: "a field is the column of its tag `sql:\"…\"`, or of its own name but for case and underscores"}
	}
	return index, nil
}

func badColumn(name string, err error) error {
	return &connectors.OptionError{Where: connectors.AtTable, Msg: fmt.Sprintf("column %q: %v", name, err)}
}

// goSource is a table that is read by a Go function: one split.
type goSource struct {
	name, table string
	schema      *batch.Schema
	bounded     bool
	index       [][]int // by column: the field
	puts        []govalue.Putter
	read        func(ctx context.Context, from string, emit func(reflect.Value, string) error) error
	wake        func()
}

func (s *goSource) SetWake(f func()) { s.wake = f }

func (s *goSource) Info() connectors.SourceInfo {
	return connectors.SourceInfo{Identity: "go/" + s.name, Bounded: s.bounded, Generator: true}
}

func (s *goSource) Splits(context.Context) ([]connectors.Split, error) {
	return []connectors.Split{{ID: "0"}}, nil
}

func (s *goSource) Ends(context.Context, []connectors.Split) (map[string][]byte, error) {
	return nil, &connectors.Permanent{Err: fmt.Errorf("source %q has no end that could be asked for: make it Bounded, or run without UntilIdle", s.name)}
}

func (s *goSource) Check(context.Context, connectors.Split, []byte) error { return nil }
func (s *goSource) Close() error                                          { return nil }

// Open starts the function in a goroutine of its own.
func (s *goSource) Open(ctx context.Context, _ connectors.Split, from, _ []byte, want connectors.Want) (connectors.Reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &goReader{src: s, want: want, ctx: ctx, cancel: cancel, pos: from, taken: make(chan struct{}, 1), fill: newRun(s.schema), out: newRun(s.schema)}
	r.running.Go(func() {
		err := errors.New("the source ended its own goroutine") // by runtime.Goexit, as testing's FailNow does
		defer func() {
			r.mu.Lock()
			r.ended, r.err = true, err
			r.mu.Unlock()
			s.wake()
		}()
		err = r.call(string(from))
	})
	return r, nil
}

// goRun is rows that were emitted, and the position behind each.
type goRun struct {
	b    *batch.Batch
	next []string
}

func newRun(s *batch.Schema) *goRun { return &goRun{b: batch.New(s, 0)} }

// goReader hands over what the function emits. The function fills one run while
// the worker takes the other; the two change places when the worker's is empty.
type goReader struct {
	src     *goSource
	want    connectors.Want
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	taken   chan struct{} // the runs have changed places

	mu    sync.Mutex // of fill, ended, err
	fill  *goRun
	ended bool
	err   error

	out   *goRun  // the worker's
	at    int     // rows of out that were read
	first int     // those before the last Read
	pos   []byte  // behind the last row that was read
	rows  []int32 // scratch
}

// maxRun is how many rows may wait: as many as a worker reads at once.
const maxRun = readRows

// call runs the function.
func (r *goReader) call(from string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connectors.Permanent{Err: panicked(fmt.Sprintf("source %q", r.src.name), v)}
		}
	}()
	return r.src.read(r.ctx, from, r.emit)
}

// emit takes a row from the function.
func (r *goReader) emit(row reflect.Value, next string) error {
	r.mu.Lock()
	for len(r.fill.next) >= maxRun && r.ctx.Err() == nil {
		r.mu.Unlock()
		select {
		case <-r.taken:
		case <-r.ctx.Done():
		}
		r.mu.Lock()
	}
	defer r.mu.Unlock()
	if err := r.ctx.Err(); err != nil {
		return err
	}
	b := r.fill.b
	for c, put := range r.src.puts {
		if err := put(&b.Cols[c], row.FieldByIndex(r.src.index[c])); err != nil {
			r.fill.cut(len(r.fill.next), r.src.schema)
			return &RowError{Code: "SD6105", Msg: fmt.Sprintf("source %q: %v", r.src.name, err), Field: r.src.schema.Fields[c].Name, Table: r.src.table}
		}
	}
	b.N++
	r.fill.next = append(r.fill.next, next)
	if b.N == 1 {
		r.src.wake()
	}
	return nil
}

// cut drops what was appended behind row n: columns of different lengths, perhaps.
func (g *goRun) cut(n int, s *batch.Schema) {
	b := batch.New(s, n)
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	for c := range b.Cols {
		b.Cols[c].AppendRows(&g.b.Cols[c], all, n)
	}
	b.N = n
	g.b = b
}

func (r *goReader) Read(dst *connectors.Dst, limit int) (more, done bool, err error) {
	r.mu.Lock()
	if r.at == len(r.out.next) && len(r.fill.next) > 0 {
		r.out.b.Reset()
		r.out.next = r.out.next[:0]
		r.out, r.fill, r.at = r.fill, r.out, 0
		select {
		case r.taken <- struct{}{}:
		default:
		}
	}
	left := len(r.out.next) - r.at
	waiting := len(r.fill.next)
	ended, failed := r.ended, r.err
	r.mu.Unlock()
	n := min(left, limit)
	r.take(dst.Batch, n)
	last := ended && n == left && waiting == 0
	if last && failed != nil && n == 0 && r.ctx.Err() == nil {
		return false, false, failed
	}
	return left > n || waiting > 0 || last && failed != nil, last && failed == nil, nil
}

// take moves the next n rows to a reader's batch.
func (r *goReader) take(b *batch.Batch, n int) {
	r.rows = r.rows[:0]
	for i := range n {
		r.rows = append(r.rows, int32(r.at+i))
	}
	for c := range r.out.b.Cols {
		if r.want.Has(c) {
			b.Cols[c].AppendRows(&r.out.b.Cols[c], r.rows, n)
		}
	}
	r.first = r.at
	hidden := connectors.HiddenOf(b.Schema, r.want)
	for i := range n {
		if hidden.WantsPos() || r.want.Raw {
			hidden.Append(b, []byte(r.Place(i)), nil)
		}
		b.AddWeight(1)
	}
	connectors.Pad(b)
	if r.at += n; n > 0 {
		r.pos = append([]byte{}, r.out.next[r.at-1]...)
	}
}

// Place names the i-th row of those that were read last by the position behind it.
func (r *goReader) Place(i int) string { return r.src.name + "/" + r.out.next[r.first+i] }

func (r *goReader) Position() []byte { return r.pos }

func (r *goReader) Lag() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.fill.next) + len(r.out.next) - r.at)
}

// Close ends the function and waits for it.
func (r *goReader) Close() error {
	r.cancel()
	r.running.Wait()
	return nil
}
