package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// sink stands in for a real one: it takes the changes that one takes, and hands
// the rows of a decided epoch to the world.
type sink struct {
	connectors.Sink
	w    *world
	out  *output
	mu   sync.Mutex
	rows []*row // of the running epoch
}

func (w *world) newSink(d *connectors.TableDef, s connectors.Sink) *sink {
	name := d.Name
	if d.Select > 0 {
		name = fmt.Sprintf("SELECT %d", d.Select)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.outputs[name]
	if o == nil {
		o = &output{rows: map[string]*row{}, shown: map[string]*row{}, seen: map[connectors.EpochID]bool{}}
		w.outputs[name] = o
	}
	o.schema, o.key, o.upsert = d.Schema, d.PrimaryKey, s.Info().Accepts == connectors.Upserts
	return &sink{Sink: s, w: w, out: o}
}

func (s *sink) Info() connectors.SinkInfo {
	i := s.Sink.Info()
	return connectors.SinkInfo{Identity: i.Identity, Accepts: i.Accepts, Follower: s, Durable: true}
}

func (s *sink) Open(context.Context) error                   { s.rows = nil; return nil }
func (s *sink) Writer(int) (connectors.Writer, error)        { return s, nil }
func (s *sink) Room() bool                                   { return true }
func (s *sink) Sweep(context.Context, [16]byte, int64) error { return nil }

func (s *sink) Push(c connectors.Changes) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.B.Each(func(i int) {
		s.rows = append(s.rows, rowOf(c.B, i, s.out.schema))
	})
	s.w.active.Add(1)
	return nil
}

func rowOf(b *batch.Batch, i int, s *batch.Schema) *row {
	r := &row{N: b.Weight(i)}
	for c := range s.Fields {
		r.Keys = append(r.Keys, b.Cols[c].AppendKey(nil, i))
		r.Texts = append(r.Texts, text(&b.Cols[c], i, s.Fields[c].Type))
	}
	return r
}

// text writes a value as it would be written in VALUES.
func text(v *batch.Vec, i int, t batch.Type) string {
	b := v.AppendText(nil, i, t)
	switch {
	case v.IsNull(i):
		return "NULL"
	case t.IsTimestamp():
		return "'" + string(bytes.Replace(b, []byte{'T'}, []byte{' '}, 1)) + "'"
	case t.SQL == batch.Date, t.SQL == batch.Time:
		return "'" + string(b) + "'"
	case t.IsString():
		return "'" + string(bytes.ReplaceAll(b, []byte{'\''}, []byte("''"))) + "'"
	}
	return string(b)
}

// Seal implements connectors.Sink.
func (s *sink) Seal() (connectors.Sealed, error) {
	x := sealed(s.rows)
	s.rows = nil
	return x, nil
}

type sealed []*row

func (s sealed) Rows() int64 { return int64(len(s)) }

func (s sealed) Prepare(context.Context, connectors.EpochID) ([]byte, error) { return json.Marshal(s) }

// Deliver implements connectors.Follower. What was delivered before changes nothing.
func (s *sink) Deliver(_ context.Context, id connectors.EpochID, staged []byte) error {
	var rows []*row
	if err := json.Unmarshal(staged, &rows); err != nil {
		return err
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if !s.out.seen[id] {
		s.out.seen[id] = true
		s.out.apply(rows)
	}
	return nil
}
