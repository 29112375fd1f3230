package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

// recordOverhead is more than a record and its batch need besides key, value and headers.
const recordOverhead = 128

// arenaBytes is how much memory a writer takes at once for encoded rows.
const arenaBytes = 256 << 10

// TooLarge is a row that its topic does not take.
type TooLarge struct {
	Topic        string
	Bytes, Limit int
	Value        []byte
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("a row of %d bytes is larger than max.message.bytes = %d of topic %s; it begins with %.100q", e.Bytes, e.Limit, e.Topic, e.Value)
}

// rowWriter turns rows into records.
type rowWriter struct {
	t          *table
	key, value formats.Encoder // key may be nil
	time       int             // column of writable metadata, or -1
	zone       *time.Location
	headers    int
}

func newRowWriter(t *table) (*rowWriter, error) {
	w := &rowWriter{t: t, time: -1, headers: -1}
	var err error
	if w.value, err = t.valueFormat.Encoder(t.valueSpec(connectors.Want{})); err != nil {
		return nil, err
	}
	if t.keyFormat != nil {
		if w.key, err = t.keyFormat.Encoder(t.keySpec(t.keyCols)); err != nil {
			return nil, err
		}
	}
	for c, name := range t.def.Meta {
		if name == "" || t.def.Virtual[c] {
			continue
		}
		m, err := newMetaColumn(t.def, c)
		if err != nil {
			return nil, err
		}
		switch m.kind {
		case metaTime:
			w.time, w.zone = c, m.zone
		case metaHeaders:
			w.headers = c
		default:
			var errs optionErrors
			errs.add(connectors.AtTable, "", "declare it METADATA VIRTUAL", "column %q: metadata %q cannot be written", t.def.Schema.Fields[c].Name, name)
			return nil, errs.err()
		}
	}
	return w, nil
}

// writer is one worker's way into a sink.
type writer struct {
	s     *sink
	rows  *rowWriter
	turns turns
	arena []byte
	now   time.Time // of the rows being pushed

	refused func(connectors.Refusal) error
}

// OnRefused implements connectors.Refuser.
func (w *writer) OnRefused(f func(connectors.Refusal) error) { w.refused = f }

// refuse hands on a row that cannot be a record, or returns why.
func (w *writer) refuse(b *batch.Batch, i int, rec kgo.Record, err error) error {
	if w.refused == nil {
		return err
	}
	x := connectors.Refusal{B: b, Row: i, Err: err, Key: rec.Key, Value: rec.Value}
	for _, h := range rec.Headers {
		x.Headers = append(x.Headers, connectors.Header{Key: h.Key, Value: h.Value})
	}
	var large *TooLarge
	var bad *formats.Problem
	switch {
	case errors.As(err, &large):
		x.Code, x.Bytes, x.Limit = string(formats.TooLarge), large.Bytes, large.Limit-recordOverhead
	case errors.As(err, &bad):
		x.Code = string(bad.Code)
	}
	return w.refused(x)
}

// Writer implements connectors.Sink.
func (s *sink) Writer(w int) (connectors.Writer, error) {
	rows, err := newRowWriter(s.t)
	if err != nil {
		return nil, err
	}
	return &writer{s: s, rows: rows, turns: turns{partitions: s.partitions, next: int32(w) % s.partitions, how: s.t.opt.Partitioner}}, nil
}

// Room implements connectors.Writer.
func (w *writer) Room() bool { return w.s.room() }

// Push implements connectors.Writer.
func (w *writer) Push(rows connectors.Changes) error {
	b := rows.B
	live := b.Live()
	if live == 0 {
		return nil
	}
	w.turns.batch()
	w.now = time.Now() // once a batch, not once a record as the client would
	recs := make([]kgo.Record, 0, live)
	bytes := 0
	for k := range live {
		i := b.Row(k)
		weight := b.Weight(i)
		kind := connectors.Insert
		switch {
		case rows.Kinds != nil:
			kind = rows.Kinds[i]
		case weight < 0:
			kind = connectors.Delete
		}
		for range max(weight, -weight) {
			rec, err := w.record(b, i, kind)
			if err != nil {
				if err = w.refuse(b, i, rec, err); err != nil {
					return err
				}
				continue
			}
			bytes += len(rec.Key) + len(rec.Value) + recordOverhead
			recs = append(recs, rec)
		}
	}
	return w.s.deliver(recs, bytes)
}

// record encodes one row.
func (w *writer) record(b *batch.Batch, i int, kind connectors.Kind) (kgo.Record, error) {
	if cap(w.arena)-len(w.arena) < arenaBytes/16 {
		w.arena = make([]byte, 0, arenaBytes)
	}
	rec := kgo.Record{Topic: w.s.topic, Timestamp: w.now}
	var err error
	if w.rows.key != nil {
		if rec.Key, err = w.encode(w.rows.key, b, i, connectors.Insert); err != nil {
			return rec, err
		}
	}
	if !w.s.t.upsert || kind == connectors.Insert || kind == connectors.UpdateAfter {
		if rec.Value, err = w.encode(w.rows.value, b, i, kind); err != nil {
			return rec, err
		}
	}
	size := len(rec.Key) + len(rec.Value) + recordOverhead
	if c := w.rows.headers; c >= 0 && !b.Cols[c].IsNull(i) {
		rec.Headers = headersOf(&b.Cols[c], i)
		for _, h := range rec.Headers {
			size += len(h.Key) + len(h.Value) + 10
		}
	}
	if c := w.rows.time; c >= 0 && !b.Cols[c].IsNull(i) {
		rec.Timestamp = w.timestamp(b.Cols[c].I[i])
	}
	if size > w.s.maxBytes {
		return rec, &connectors.Permanent{Err: &TooLarge{Topic: w.s.topic, Bytes: size - recordOverhead, Limit: w.s.maxBytes, Value: rec.Value}}
	}
	if rec.Key != nil && w.turns.how == "default" {
		rec.Partition = keyPartition(rec.Key, w.s.partitions)
	} else {
		rec.Partition = w.turns.row()
	}
	return rec, nil
}

// encode appends to the arena, which the records keep alive.
func (w *writer) encode(e formats.Encoder, b *batch.Batch, i int, kind connectors.Kind) ([]byte, error) {
	from := len(w.arena)
	out, null, err := e.Append(w.arena, b, i, kind)
	if err != nil {
		return nil, &connectors.Permanent{Err: fmt.Errorf("topic %s: %w", w.s.topic, err)}
	}
	w.arena = out
	if null {
		return nil, nil
	}
	return out[from:len(out):len(out)], nil
}

// timestamp of a TIMESTAMP_LTZ, or of a TIMESTAMP in the session's zone.
func (w *writer) timestamp(micros int64) time.Time {
	t := time.UnixMicro(micros).UTC()
	if z := w.rows.zone; z != nil {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), z)
	}
	return t
}

func headersOf(v *batch.Vec, i int) []kgo.RecordHeader {
	from, to := v.Span(i)
	out := make([]kgo.RecordHeader, 0, to-from)
	for j := from; j < to; j++ {
		h := kgo.RecordHeader{Key: string(v.Child[0].Bytes(j))}
		if !v.Child[1].IsNull(j) {
			h.Value = append([]byte{}, v.Child[1].Bytes(j)...)
		}
		out = append(out, h)
	}
	return out
}
