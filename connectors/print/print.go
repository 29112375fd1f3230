package print

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/streamd/streamd/connectors"
)

type options struct {
	Identifier string `opt:"print-identifier" default:""`
	Stderr     bool   `opt:"standard-error" default:"false"`
}

// Connector returns the connector 'print'.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name: "print", Doc: "prints rows with their changes",
		Keys: []connectors.OptionKey{
			{Key: "print-identifier", Doc: "text before each row, followed by '> '"},
			{Key: "standard-error", Default: "false", Doc: "print to stderr"},
			{Key: "sink.parallelism", Doc: "without effect", Ignored: true},
		},
		Sink: func(def *connectors.TableDef) (connectors.Sink, error) { return newSink(def) },
	}
}

// sink collects the lines of an epoch per worker and hands them to itself as
// the follower of stdout.
type sink struct {
	render  Renderer
	id      string
	out     io.Writer
	mu      *sync.Mutex // of all print sinks of the job: one epoch's lines stay together
	writers []*writer
	early   sync.Mutex  // guards writers while workers ask for theirs
	owed    atomic.Bool // an epoch with lines was sealed that is not written
}

func newSink(def *connectors.TableDef) (*sink, error) {
	var o options
	if def.Options != nil {
		if err := def.Options.Decode(&o); err != nil {
			return nil, err
		}
	}
	s := &sink{
		render: Renderer{Schema: def.Schema, Skip: def.Virtual, JSON: def.Job.Format == "json", Sink: def.Name, Stmt: def.Select, Identifier: o.Identifier},
		id:     "print/" + def.Name,
		out:    def.Job.Stdout,
		mu:     def.Job.Shared("print.mutex", func() any { return new(sync.Mutex) }).(*sync.Mutex),
	}
	if def.Select > 0 {
		s.render.Sink, s.id = "", fmt.Sprintf("select/%d", def.Select)
	}
	if o.Stderr {
		s.out = def.Job.Stderr
	}
	return s, nil
}

func (s *sink) Info() connectors.SinkInfo {
	return connectors.SinkInfo{Identity: s.id, Accepts: connectors.Retracts, Follower: s, Stdout: true, Durable: true}
}

// Open forgets what a failed incarnation pushed: it is read again.
func (s *sink) Open(context.Context) error {
	s.writers = nil
	s.owed.Store(false)
	return nil
}

func (s *sink) Close() error { return nil }

func (s *sink) Writer(w int) (connectors.Writer, error) {
	s.early.Lock()
	defer s.early.Unlock()
	for len(s.writers) <= w {
		s.writers = append(s.writers, &writer{render: &s.render, owed: &s.owed})
	}
	return s.writers[w], nil
}

type writer struct {
	render *Renderer
	owed   *atomic.Bool // the sink's
	lines  []byte
	rows   int64
}

// maxOwed is how many bytes a worker may gather behind lines that nobody takes: a
// pager that is not scrolled, a pipe whose reader is busy.
const maxOwed = 16 << 20

func (w *writer) Room() bool { return !w.owed.Load() || len(w.lines) < maxOwed }

func (w *writer) Push(x connectors.Changes) error {
	x.B.Each(func(i int) {
		kind := connectors.Insert
		if x.Kinds != nil {
			kind = x.Kinds[i]
		} else if x.B.Weight(i) < 0 {
			kind = connectors.Delete
		}
		n := x.B.Weight(i)
		for range max(n, -n) {
			w.lines = w.render.Append(w.lines, x.B, i, kind)
			w.rows++
		}
	})
	return nil
}

func (s *sink) Seal() (connectors.Sealed, error) {
	e := &sealed{}
	for _, w := range s.writers {
		e.rows += w.rows
		if e.lines == nil {
			// The buffer goes with the epoch; the next one starts afresh.
			e.lines, w.lines = w.lines, nil
		} else {
			e.lines = append(e.lines, w.lines...)
			w.lines = w.lines[:0]
		}
		w.rows = 0
	}
	if e.rows > 0 {
		s.owed.Store(true)
	}
	return e, nil
}

type sealed struct {
	lines []byte
	rows  int64
}

func (e *sealed) Rows() int64 { return e.rows }

func (e *sealed) Prepare(context.Context, connectors.EpochID) ([]byte, error) { return e.lines, nil }

// Deliver writes the lines of a decided epoch.
func (s *sink) Deliver(_ context.Context, _ connectors.EpochID, staged []byte) error {
	defer s.owed.Store(false)
	if len(staged) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.out.Write(staged); err != nil {
		return fmt.Errorf("print rows: %w", err)
	}
	return nil
}

// Sweep has nothing to remove: what was staged is in the epochs' deltas.
func (s *sink) Sweep(context.Context, [16]byte, int64) error { return nil }
