package kafka

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// DeciderConfig says whose epochs are decided where.
type DeciderConfig struct {
	Cluster       Cluster
	Instance, Job string
	Compression   string               // compression.type of all sinks; "" = none
	Ephemeral     bool                 // no state: no control topic, no claim, no marker
	Interval      func() time.Duration // epoch interval, asked when a producer is made; nil = 1 s
	Notice        func(string)         // may be nil
}

// Decider decides epochs by transactions: rows and marker of an epoch are committed together or not at all.
type Decider struct {
	cfg     DeciderConfig
	topic   string
	name    string               // begins the nonces of this value's claims
	settle  func(*DeciderConfig) // may be nil; fills in at the first use what a plan learns only at its end
	settled sync.Once
	sized   sync.Map // topic -> max.message.bytes as int32, told by sinks before they produce

	mu     sync.Mutex
	cur    *session // this incarnation's; nil before its first use
	closed bool
}

var _ connectors.Decider = (*Decider)(nil)

// NewDecider returns a decider; it connects at its first use.
func NewDecider(cfg DeciderConfig) *Decider {
	if cfg.Interval == nil {
		cfg.Interval = func() time.Duration { return time.Second }
	}
	if cfg.Notice == nil {
		cfg.Notice = func(string) {}
	}
	return &Decider{cfg: cfg, name: nonce()}
}

// ready fixes the job's names; every use of the cluster begins with it.
func (d *Decider) ready() {
	d.settled.Do(func() {
		if d.settle != nil {
			d.settle(&d.cfg)
		}
		d.topic = ControlTopic(d.cfg.Instance, d.cfg.Job)
	})
}

func nonce() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// session returns this incarnation's producer and makes it at the first call.
func (d *Decider) session() (*session, error) {
	d.ready()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("the job has ended")
	}
	if d.cur == nil {
		s, err := newSession(&d.cfg, d.batchBytes)
		if err != nil {
			return nil, err
		}
		d.cur = s
	}
	return d.cur, nil
}

// batchBytes bounds a batch by what its topic takes, so that no row that the sink let pass is too large for the client.
func (d *Decider) batchBytes(topic string) int32 {
	if n, ok := d.sized.Load(topic); ok {
		return n.(int32)
	}
	return 1_000_000
}

// Decide flushes what the sinks produced and commits it together with the marker.
func (d *Decider) Decide(ctx context.Context, m connectors.Marker) (markerAt int64, err error) {
	d.ready()
	if m.IsZero() != d.cfg.Ephemeral {
		panic("BUG: a marker is written exactly if the job has a state")
	}
	s, err := d.session()
	if err != nil {
		return 0, err
	}
	if !m.IsZero() && m.ID.Incarnation != s.claim.Load() {
		// The background of an incarnation that is over: its rows are in another session.
		return 0, fmt.Errorf("epoch %d belongs to incarnation %d, which is over", m.ID.Number, m.ID.Incarnation)
	}
	if err := s.flush(ctx); err != nil {
		s.abort()
		return 0, err
	}
	fault.Point("C7-flushed")
	if !m.IsZero() {
		if markerAt, err = s.mark(ctx, d.topic, m); err != nil {
			s.abort()
			return 0, err
		}
		fault.Point("C10")
	}
	if _, open := s.open(); open {
		if err := s.commit(ctx); err != nil {
			return 0, err
		}
	}
	fault.Point("C11-answered")
	s.gate.decided()
	return markerAt, nil
}

// Renew closes the producer of a failed incarnation; the next use makes a new one.
func (d *Decider) Renew() error {
	d.leave(errors.New("the incarnation is over"), true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cur = nil
	return nil
}

// Kill ends the incarnation as kill -9 would: an open transaction stays open at the broker. For tests.
func (d *Decider) Kill() { d.leave(errors.New("killed"), false) }

// Close ends the decider; an open transaction is aborted.
func (d *Decider) Close() error {
	d.leave(errors.New("the job has ended"), true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

func (d *Decider) leave(why error, abort bool) {
	d.mu.Lock()
	s := d.cur
	d.mu.Unlock()
	if s == nil {
		return
	}
	_ = s.fail(why)
	if abort {
		s.abort()
	}
	s.end()
	s.cl.Close()
}
