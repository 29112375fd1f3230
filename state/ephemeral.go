package state

import (
	"bytes"

	"github.com/streamd/streamd/connectors"
)

// Ephemeral returns the store of a job without a state directory: tables are in
// memory only, epochs have numbers but no files, and rows for followers stay in
// memory until they are delivered. It is ready as it is, without Recover.
func Ephemeral(incarnation int64) *Store {
	s := &Store{incarnation: incarnation, next: 1, recovered: true, heads: map[string]connectors.EpochID{},
		done: map[string]connectors.EpochID{}, failed: make(chan struct{})}
	s.meta.Lineage = newLineage()
	return s
}

// IsEphemeral tells a store without a directory.
func (s *Store) IsEphemeral() bool { return s.base == nil }

// memRows keeps what an ephemeral epoch has for each follower.
type memRows map[string][][]byte

func (m memRows) add(follower string, rec []byte) {
	m[follower] = append(m[follower], bytes.Clone(rec))
}

// forget drops the epochs that all followers have. s.mu is held.
func (s *Store) forget() {
	keep := s.deltas[:0]
	for _, d := range s.deltas {
		if s.wanted(d) {
			keep = append(keep, d)
		}
	}
	clear(s.deltas[len(keep):])
	s.deltas = keep
}
