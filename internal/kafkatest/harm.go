package kafkatest

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
)

// Harm damages requests on their way to the broker, as a failing network would. Give its Dial to a client.
type Harm struct {
	mu   sync.Mutex
	plan map[int16][]Damage
	held []func()
}

// Damage is what happens to one request.
type Damage int

const (
	// LoseAnswer lets the broker have the request and cuts the connection before the answer.
	LoseAnswer Damage = iota
	// Delay cuts the connection and keeps the request until Deliver.
	Delay
)

// Next damages the next request with this Kafka API key that has no damage planned yet.
func (h *Harm) Next(key int16, d Damage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.plan == nil {
		h.plan = map[int16][]Damage{}
	}
	h.plan[key] = append(h.plan[key], d)
}

// Deliver sends what was delayed, each request on its old connection.
func (h *Harm) Deliver() int {
	h.mu.Lock()
	held := h.held
	h.held = nil
	h.mu.Unlock()
	for _, send := range held {
		send()
	}
	return len(held)
}

// Dial has the form that kgo.Dialer takes.
func (h *Harm) Dial(ctx context.Context, network, host string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	return &harmedConn{Conn: c, harm: h, cut: make(chan struct{})}, nil
}

// harmedConn looks at each request it writes. A Write of the client holds exactly one request.
type harmedConn struct {
	net.Conn
	harm *Harm
	once sync.Once
	cut  chan struct{}
}

func (c *harmedConn) Write(b []byte) (int, error) {
	if len(b) < 6 {
		return c.Conn.Write(b)
	}
	key := int16(binary.BigEndian.Uint16(b[4:]))
	h := c.harm
	h.mu.Lock()
	plan := h.plan[key]
	if len(plan) == 0 {
		h.mu.Unlock()
		return c.Conn.Write(b)
	}
	h.plan[key] = plan[1:]
	defer c.once.Do(func() { close(c.cut) })
	if plan[0] == Delay {
		late := append([]byte(nil), b...)
		h.held = append(h.held, func() {
			c.Conn.Write(late)
			answer := make([]byte, 4)
			c.Conn.Read(answer) // the broker is done with it
			c.Conn.Close()
		})
		h.mu.Unlock()
		return len(b), nil
	}
	h.mu.Unlock()
	n, err := c.Conn.Write(b)
	answer := make([]byte, 4)
	c.Conn.Read(answer) // the broker has acted; its answer stops here
	return n, err
}

func (c *harmedConn) Read(b []byte) (int, error) {
	select {
	case <-c.cut:
		return 0, net.ErrClosed
	default:
	}
	n, err := c.Conn.Read(b)
	select {
	case <-c.cut:
		return 0, net.ErrClosed
	default:
	}
	return n, err
}

func (c *harmedConn) Close() error {
	select {
	case <-c.cut:
		return nil // a delayed request may still need the connection
	default:
		return c.Conn.Close()
	}
}
