package kafka

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// health knows whether the brokers answer fetches. kgo tries for ever and says nothing; its hooks tell.
type health struct {
	mu     sync.Mutex
	active bool // records are being fetched
	err    error
}

var errNoAnswer = errors.New("no fetch was answered yet")

// fetchKey is the API key of Fetch.
const fetchKey = 1

// begin says that an answer is waited for.
func (h *health) begin() {
	h.mu.Lock()
	h.active, h.err = true, errNoAnswer
	h.mu.Unlock()
}

// end says that nothing is fetched any more.
func (h *health) end() {
	h.mu.Lock()
	h.active, h.err = false, nil
	h.mu.Unlock()
}

func (h *health) note(err error) {
	h.mu.Lock()
	if h.active {
		h.err = err
	}
	h.mu.Unlock()
}

// OnBrokerRead notes an answer, or a connection that broke before it.
func (h *health) OnBrokerRead(m kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key != fetchKey {
		return
	}
	if err != nil {
		err = fmt.Errorf("fetch from %s:%d: %w", m.Host, m.Port, err)
	}
	h.note(err)
}

// OnBrokerConnect notes a broker that cannot be reached.
func (h *health) OnBrokerConnect(m kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		h.note(fmt.Errorf("connect to %s:%d: %w", m.Host, m.Port, err))
	}
}

// Health implements connectors.Healthy.
func (s *source) Health() error {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	if s.health.err == nil {
		return nil
	}
	return fmt.Errorf("table %s: %w", s.t.def.Name, s.health.err)
}
