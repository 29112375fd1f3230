package kafka

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reachAfter is how long a broker may be out of reach before it is said. A
// broker that restarts is back sooner, and the clients go on by themselves.
const reachAfter = 3 * time.Second

// reach says when a broker cannot be reached, once, and when it can be again.
// Clients try for ever: without it a job whose broker is down looks like one that
// has nothing to do. One reach serves all clients of a job, from any goroutine.
type reach struct {
	say func(string)
	now func() time.Time

	mu   sync.Mutex
	down map[string]outage // by host:port
}

type outage struct {
	since time.Time
	said  bool
}

func newReach(say func(string)) *reach {
	return &reach{say: say, now: time.Now, down: map[string]outage{}}
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (r *reach) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	addr := net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
	if line := r.tried(addr, err); line != "" {
		r.say(line)
	}
}

// tried notes one attempt and returns what is to be said of it.
func (r *reach) tried(addr string, err error) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, down := r.down[addr]
	switch {
	case err == nil:
		delete(r.down, addr)
		if o.said {
			return fmt.Sprintf("broker %s is reached again after %s", addr, r.now().Sub(o.since).Round(time.Second))
		}
	case !down:
		r.down[addr] = outage{since: r.now()}
	case !o.said && r.now().Sub(o.since) >= reachAfter:
		o.said = true
		r.down[addr] = o
		return fmt.Sprintf("broker %s cannot be reached: %v; still trying", addr, err)
	}
	return ""
}
