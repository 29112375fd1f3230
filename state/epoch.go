package state

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"sync"

	"github.com/streamd/streamd/connectors"
)

// Epoch is an epoch being written: rows for followers as they come, then what the
// workers packed, then Prepare. Its methods may be called from any goroutine.
type Epoch struct {
	Number uint64
	s      *Store
	mu     sync.Mutex
	w      *deltaWriter
	enc    stateEncoder
	rows   []bool // by follower
	names  []string
	final  []string
	texts  []Text
	pos    []KV
	cuts   [][]byte
	mem    memRows // of an ephemeral store, which has no w
}

// Begin starts the next epoch. There is one at a time.
func (s *Store) Begin() (*Epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	e := &Epoch{Number: s.next, s: s, names: slices.Clone(s.followers), rows: make([]bool, len(s.followers))}
	if s.IsEphemeral() {
		e.mem = memRows{}
		s.next++
		return e, nil
	}
	w, err := createDelta(filepath.Join(s.dir, "delta", deltaName(e.Number, s.incarnation)))
	if err != nil {
		return nil, notWritten(err)
	}
	s.next++
	e.w = w
	e.enc = stateEncoder{ids: map[string]uint64{}, out: func(rec []byte) error { return w.record(secState, rec) }}
	return e, nil
}

// Outbox adds rows, in any form, for a follower that Followers named.
func (e *Epoch) Outbox(follower string, rec []byte) error {
	n := slices.Index(e.names, follower)
	if n < 0 {
		panic("BUG: rows for unknown follower " + follower)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rows[n] = true
	if e.mem != nil {
		e.mem.add(follower, rec)
		return nil
	}
	return notWritten(e.w.record(secOutbox, binary.AppendUvarint(nil, uint64(n)), rec))
}

// Position sets what a split goes on from; an empty val forgets the key. Keys
// that are not set stay as they were.
func (e *Epoch) Position(key string, val []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mem != nil {
		return nil
	}
	e.pos = append(e.pos, KV{key, bytes.Clone(val)})
	head := append(binary.AppendUvarint(nil, uint64(len(key))), key...)
	return notWritten(e.w.record(secPosition, head, val))
}

// Cut adds a step cut.
func (e *Epoch) Cut(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mem != nil {
		return nil
	}
	e.cuts = append(e.cuts, bytes.Clone(b))
	return notWritten(e.w.record(secCut, b))
}

// Packed adds what a worker packed: encoding happens here, in the caller's
// goroutine, which need not be the worker's. It frees the rows in p as it goes.
func (e *Epoch) Packed(p *Packed) error {
	if p.Empty() || e.mem != nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return notWritten(e.enc.packed(p))
}

// Finished sets the list of what has ended; Texts the list of operators.
func (e *Epoch) Finished(names []string) { e.final = names }

// Texts sets the list of operators, when it has changed.
func (e *Epoch) Texts(t []Text) { e.texts = t }

// Prepare makes the epoch durable and returns its id. A Silent epoch is decided
// by this if the one before it is; a Kafka epoch by its marker. After an error the
// incarnation is over.
func (e *Epoch) Prepare(kind Kind) (connectors.EpochID, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.s
	s.mu.Lock()
	h := Header{Lineage: s.meta.Lineage, Epoch: e.Number, Incarnation: s.incarnation, Kind: kind,
		Prev: s.prev, Mark: s.mark, MarkAt: s.markAt, Finished: e.final, Tables: e.texts}
	for i, n := range e.names {
		h.Followers = append(h.Followers, Follower{n, e.rows[i], s.heads[n]})
	}
	s.mu.Unlock()
	d := &Delta{Header: h, Positions: e.pos, Cuts: e.cuts, mem: e.mem,
		ID: connectors.EpochID{Number: h.Epoch, Incarnation: h.Incarnation}}
	if e.mem == nil {
		var err error
		if d.ID, d.Size, err = e.w.finish(h); err != nil {
			return d.ID, notWritten(err)
		}
		d.Path = e.w.path
	}
	id := d.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deltas = append(s.deltas, d)
	s.prepared = append(s.prepared, d)
	s.prev, s.mark = id, d.markAfter()
	for _, f := range h.Followers {
		if f.Rows {
			s.heads[f.Name] = id
		}
	}
	return id, nil
}

// Decided says that the oldest prepared epoch, which must be id, was decided; at
// is where its marker stands, 0 for a silent one. It returns the delta, whose
// outboxes followers are told of.
func (s *Store) Decided(id connectors.EpochID, at int64) *Delta {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.prepared) == 0 || s.prepared[0].ID != id {
		panic("BUG: epoch " + formatID(id) + " decided out of order")
	}
	d := s.prepared[0]
	s.prepared = s.prepared[1:]
	s.markAt = max(s.markAt, at)
	if s.IsEphemeral() {
		s.forget()
		return d
	}
	s.queue = append(s.queue, d)
	s.wake.Broadcast()
	return d
}

// Followers names the sinks outside the deciding cluster, after Recover and before
// the first Begin, and reads how far each has confirmed.
func (s *Store) Followers(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers, s.named = names, true
	if s.IsEphemeral() {
		return nil
	}
	for _, n := range names {
		id, err := s.base.head(n)
		if err != nil {
			return corruptIn("", err)
		}
		if a := s.meta.Adopted; id.Number > s.prev.Number && (a == nil || id.Number > a.As.Number) {
			// What was delivered was decided, and its delta was durable before: it has been taken away. Without this look
			// its input would be read again, and its rows delivered twice.
			return refuse(Corrupt, []connectors.EpochID{id, s.prev}, "epoch %s was delivered to %s, but the state ends at %s: a file in delta/ is missing",
				formatID(id), n, formatID(s.prev))
		}
		s.done[n] = id
	}
	return nil
}

// Owed returns the followers, other than those Followers named, that have not
// confirmed all decided rows of theirs.
func (s *Store) Owed() (names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deltas {
		for _, f := range d.Followers {
			if !f.Rows || slices.Contains(s.followers, f.Name) || slices.Contains(names, f.Name) || slices.Contains(s.prepared, d) {
				continue
			}
			head, err := s.base.head(f.Name)
			if err != nil {
				return nil, corruptIn("", err)
			}
			if d.ID.Number > head.Number {
				names = append(names, f.Name)
			}
		}
	}
	return names, nil
}

// Undelivered returns, in order, the decided epochs with rows for a follower that
// it has not confirmed.
func (s *Store) Undelivered(follower string) []*Delta {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Delta
	for _, d := range s.deltas {
		for _, f := range d.Followers {
			if f.Name == follower && f.Rows && d.ID.Number > s.done[follower].Number && !slices.Contains(s.prepared, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// Delivered records, durably, that a follower has everything up to epoch id.
func (s *Store) Delivered(follower string, id connectors.EpochID) error {
	if s.IsEphemeral() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.done[follower] = id
		s.forget()
		return nil
	}
	if err := s.base.setHead(follower, id); err != nil {
		return notWritten(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[follower] = id
	return s.trim()
}

// Head returns the last epoch a follower has confirmed.
func (s *Store) Head(follower string) connectors.EpochID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[follower]
}
