package enginetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/streamd/streamd/connectors"
)

// feed stands in for a real one: it says of itself what that says, but has one
// split, never ends, and reads a log.
type feed struct {
	connectors.Source
	w  *world
	in *input
}

func (w *world) newSource(d *connectors.TableDef, s connectors.Source) *feed {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.inputs[d.Name]
	if in == nil {
		in = &input{}
		w.inputs[d.Name] = in
	}
	in.schema, in.key, in.changes = d.Schema, d.PrimaryKey, s.Info().Changes
	return &feed{s, w, in}
}

func (s *feed) Info() connectors.SourceInfo {
	i := s.Source.Info()
	return connectors.SourceInfo{Identity: i.Identity, Changes: i.Changes}
}

func (s *feed) SetWake(f func()) {
	s.w.mu.Lock()
	s.w.wakes = append(s.w.wakes, f)
	s.w.mu.Unlock()
}

func (s *feed) Splits(context.Context) ([]connectors.Split, error) {
	return []connectors.Split{{ID: "0"}}, nil
}

func (s *feed) Ends(context.Context, []connectors.Split) (map[string][]byte, error) {
	return nil, nil
}

func (s *feed) Check(context.Context, connectors.Split, []byte) error { return nil }

func (s *feed) Open(_ context.Context, _ connectors.Split, from, _ []byte, want connectors.Want) (connectors.Reader, error) {
	r := &reader{w: s.w, in: s.in, wm: math.MinInt64, want: want}
	if from != nil {
		r.at = int(binary.BigEndian.Uint64(from))
	}
	return r, nil
}

type reader struct {
	w  *world
	in *input
	at int // entries that were read
	wm int64

	want connectors.Want
}

// Read gives the rows of one statement at most.
func (r *reader) Read(d *connectors.Dst, most int) (more, done bool, err error) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for last := false; !last && most > 0 && r.at < len(r.in.log); most-- {
		e := &r.in.log[r.at]
		r.at++
		r.w.active.Add(1)
		last = e.last
		if e.b == nil {
			r.wm = max(r.wm, e.mark)
			break
		}
		for c := range r.in.schema.Fields {
			d.Batch.Cols[c].AppendFrom(&e.b.Cols[c], e.row)
		}
		o := connectors.Origin{Table: r.want.Table}
		connectors.HiddenOf(d.Batch.Schema, r.want).Append(d.Batch, fmt.Appendf(nil, "row %d", r.at), o.Append(nil))
		d.Batch.AddWeight(e.w)
	}
	return r.at < len(r.in.log), false, nil
}

// Mark implements connectors.Marking: while a statement is not read to its end,
// the watermark stays.
func (r *reader) Mark() (wm int64, held bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.wm, r.at > 0 && !r.in.log[r.at-1].last
}

func (r *reader) Position() []byte { return binary.BigEndian.AppendUint64(nil, uint64(r.at)) }
func (r *reader) Lag() int64       { return -1 }
func (r *reader) Close() error     { return nil }
