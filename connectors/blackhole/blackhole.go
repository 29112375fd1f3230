// Package blackhole is the sink that takes every row and keeps none.
//
//	CREATE TABLE nothing (a STRING) WITH ('connector' = 'blackhole');
package blackhole

import (
	"context"
	"sync"

	"github.com/streamd/streamd/connectors"
)

// Connector returns the connector 'blackhole'.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name: "blackhole", Doc: "takes rows and drops them",
		Sink: func(def *connectors.TableDef) (connectors.Sink, error) { return &sink{name: def.Name}, nil },
	}
}

type sink struct {
	name    string
	mu      sync.Mutex
	writers []*writer
}

func (s *sink) Info() connectors.SinkInfo {
	return connectors.SinkInfo{Identity: "blackhole/" + s.name, Accepts: connectors.Retracts, Raw: true}
}

func (s *sink) Open(context.Context) error { return nil }

func (s *sink) Close() error { return nil }

func (s *sink) Writer(w int) (connectors.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.writers) <= w {
		s.writers = append(s.writers, &writer{})
	}
	return s.writers[w], nil
}

// Seal returns how many rows the epoch had.
func (s *sink) Seal() (connectors.Sealed, error) {
	var n sealed
	for _, w := range s.writers {
		n += sealed(w.rows)
		w.rows = 0
	}
	return n, nil
}

type writer struct{ rows int64 }

func (w *writer) Room() bool { return true }

func (w *writer) Push(x connectors.Changes) error {
	if x.B.W == nil {
		w.rows += int64(x.B.Live())
		return nil
	}
	x.B.Each(func(i int) {
		n := x.B.W[i]
		w.rows += max(n, -n)
	})
	return nil
}

type sealed int64

func (n sealed) Rows() int64 { return int64(n) }

func (sealed) Prepare(context.Context, connectors.EpochID) ([]byte, error) { return nil, nil }
