package simtest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// World is what survives the crashes of a simulated job: its inputs, and what
// was delivered to its sinks.
type World struct {
	Tables map[string]*Table
	mu     sync.Mutex
	seen   map[string]bool // sink and epoch
	out    map[string]Bag  // by sink
	last   map[string]uint64
	Faults []string // what must never happen
}

// NewWorld returns a world over the tables.
func NewWorld(t map[string]*Table) *World {
	return &World{Tables: t, seen: map[string]bool{}, out: map[string]Bag{}, last: map[string]uint64{}}
}

// Out returns what a sink holds: the sum of all that was delivered to it.
func (w *World) Out(sink string) Bag {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := Bag{}
	for k, n := range w.out[sink] {
		if n != 0 {
			b[k] = n
		}
	}
	return b
}

// Connector is 'sim': it reads the table, and writes the sink, that option 'name' says.
func (w *World) Connector() *connectors.Connector {
	name := func(d *connectors.TableDef) string { s, _ := d.Options.Get("name"); return s }
	return &connectors.Connector{Name: "sim", Keys: []connectors.OptionKey{{Key: "name"}},
		Source: func(d *connectors.TableDef) (connectors.Source, error) {
			t := w.Tables[name(d)]
			if t == nil {
				return nil, fmt.Errorf("no table %q", name(d))
			}
			return &source{t: t}, nil
		},
		Sink: func(d *connectors.TableDef) (connectors.Sink, error) {
			return &sink{w: w, name: name(d), schema: d.Schema}, nil
		}}
}

type source struct{ t *Table }

func (s *source) Info() connectors.SourceInfo {
	i := connectors.SourceInfo{Identity: "sim:" + s.t.Name, Bounded: true}
	if s.t.Updates {
		i.Changes = connectors.Retracts
	}
	return i
}
func (s *source) Splits(context.Context) (out []connectors.Split, err error) {
	for i := range max(1, s.t.Splits) {
		out = append(out, connectors.Split{ID: strconv.Itoa(i)})
	}
	return out, nil
}
func (s *source) Ends(context.Context, []connectors.Split) (map[string][]byte, error) {
	return nil, nil
}
func (s *source) Check(context.Context, connectors.Split, []byte) error { return nil }
func (s *source) Close() error                                          { return nil }
func (s *source) SetWake(func())                                        {}
func (s *source) Open(_ context.Context, x connectors.Split, from, _ []byte, _ connectors.Want) (connectors.Reader, error) {
	n, err := strconv.Atoi(x.ID)
	if err != nil {
		return nil, err
	}
	r := &reader{events: s.t.split(n)}
	if from != nil {
		r.at = Rows(from)
	}
	return r, nil
}

// Rows is how many rows of a split lie before a position.
func Rows(pos []byte) int { return int(binary.BigEndian.Uint64(pos)) }

type reader struct {
	events []Event
	at     int
}

func (r *reader) Read(d *connectors.Dst, max int) (more, done bool, err error) {
	b := d.Batch
	for ; max > 0 && r.at < len(r.events); max-- {
		e := r.events[r.at]
		r.at++
		b.Cols[0].AppendInt(e.ID)
		appendVal(&b.Cols[1], e.K)
		appendVal(&b.Cols[2], e.V)
		b.Cols[3].AppendInt(e.TS * 1000)
		b.AddWeight(e.W)
	}
	done = r.at == len(r.events)
	return !done, done, nil
}

func appendVal(v *batch.Vec, x Val) {
	if x == nil {
		v.AppendNull()
		return
	}
	v.AppendInt(*x)
}
func (r *reader) Position() []byte { return binary.BigEndian.AppendUint64(nil, uint64(r.at)) }
func (r *reader) Lag() int64       { return int64(len(r.events) - r.at) }
func (r *reader) Close() error     { return nil }

// sink sums rows and delivers each epoch once. It forgets what was pushed when
// an incarnation begins.
type sink struct {
	w      *World
	name   string
	schema *batch.Schema
	mu     sync.Mutex
	rows   Bag
	n      int64
}

func (s *sink) Info() connectors.SinkInfo {
	return connectors.SinkInfo{Identity: "sim:" + s.name, Accepts: connectors.Retracts, Follower: s, Durable: true}
}
func (s *sink) Open(context.Context) error                   { s.rows, s.n = Bag{}, 0; return nil }
func (s *sink) Writer(int) (connectors.Writer, error)        { return s, nil }
func (s *sink) Close() error                                 { return nil }
func (s *sink) Room() bool                                   { return true }
func (s *sink) Sweep(context.Context, [16]byte, int64) error { return nil }

func (s *sink) Push(c connectors.Changes) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.B.Each(func(i int) {
		row := make(Row, len(c.B.Cols))
		for k := range row {
			if !c.B.Cols[k].IsNull(i) {
				row[k] = V(c.B.Cols[k].I[i])
			}
		}
		w := c.B.Weight(i)
		s.rows[row.Text()] += w
		s.n += max(w, -w)
	})
	return nil
}

// Seal implements connectors.Sink.
func (s *sink) Seal() (connectors.Sealed, error) {
	x := &sealed{rows: s.rows, n: s.n}
	s.rows, s.n = Bag{}, 0
	return x, nil
}

type sealed struct {
	rows Bag
	n    int64
}

func (s *sealed) Rows() int64 { return s.n }
func (s *sealed) Prepare(context.Context, connectors.EpochID) ([]byte, error) {
	return json.Marshal(s.rows)
}

// Deliver implements connectors.Follower: what was delivered before changes
// nothing, and epochs come in order.
func (s *sink) Deliver(_ context.Context, id connectors.EpochID, staged []byte) error {
	var rows Bag
	if err := json.Unmarshal(staged, &rows); err != nil {
		return err
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	key := fmt.Sprintf("%s %d-%d-%d", s.name, id.Number, id.Incarnation, id.CRC)
	if s.w.seen[key] {
		return nil
	}
	if id.Number <= s.w.last[s.name] {
		s.w.Faults = append(s.w.Faults, fmt.Sprintf("sink %s: epoch %d after %d", s.name, id.Number, s.w.last[s.name]))
	}
	s.w.seen[key], s.w.last[s.name] = true, id.Number
	if s.w.out[s.name] == nil {
		s.w.out[s.name] = Bag{}
	}
	for k, n := range rows {
		s.w.out[s.name][k] += n
	}
	return nil
}

// Diff explains how got differs from want; "" = not at all.
func Diff(got, want Bag) string {
	var s []string
	for k, n := range want {
		if got[k] != n {
			s = append(s, fmt.Sprintf("  %s: got %d, want %d", k, got[k], n))
		}
	}
	for k, n := range got {
		if _, ok := want[k]; !ok {
			s = append(s, fmt.Sprintf("  %s: got %d, want none", k, n))
		}
	}
	return strings.Join(s[:min(len(s), 20)], "\n")
}

// Pipeline is the text that runs q over the tables into sink "out".
func Pipeline(q Query, dress bool, t map[string]*Table) string {
	var b strings.Builder
	b.WriteString("SET 'table.exec.state.ttl' = '0 ms';\n")
	b.WriteString("SET 'streamd.join.retention' = 'off';\n") // with it late rows may miss a partner
	for _, n := range []string{"a", "b", "c"} {
		b.WriteString(t[n].DDL())
	}
	var cols []string
	for _, c := range q.cols() {
		cols = append(cols, c+" BIGINT")
	}
	fmt.Fprintf(&b, "CREATE TABLE o (%s) WITH ('connector' = 'sim', 'name' = 'out');\nINSERT INTO o %s;\n", strings.Join(cols, ", "), undress(q, dress))
	return b.String()
}
