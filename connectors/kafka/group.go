package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

// groupOffsets tells a consumer group how far a job has read, for the tools that show a group's lag. Nothing in streamd
// reads the offsets back but a first start in mode group-offsets: recovery goes by the job's own state.
//
// Only the newest positions count, so epochs that are decided while a commit is under way share the next one. A commit
// that fails is counted and said, and the job goes on.
type groupOffsets struct {
	cluster Cluster
	group   string
	say     func(string)

	apart   time.Duration // least time between two commits
	refresh time.Duration // an idle job commits all again: brokers forget the offsets of a group without members
	retry   time.Duration // when a commit that failed is tried again
	last    time.Duration // how long the last commit may take when the job ends

	failures atomic.Int64

	mu      sync.Mutex
	wanted  map[string]position // by split; not yet committed
	news    chan struct{}
	end     chan struct{} // closed by close
	done    chan struct{} // nil = nothing was ever published
	closed  bool
	silence time.Time // failures before this time are not said
}

func newGroupOffsets(t *table) *groupOffsets {
	g := &groupOffsets{cluster: t.props.cluster, group: t.props.group, apart: 100 * time.Millisecond, refresh: time.Hour, retry: 5 * time.Second, last: 3 * time.Second,
		wanted: map[string]position{}, news: make(chan struct{}, 1), end: make(chan struct{})}
	g.say = func(s string) { t.def.Job.Notice("table " + t.def.Name + ": " + s) }
	return g
}

// publish takes over where the splits go on. It never waits.
func (g *groupOffsets) publish(positions map[string][]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	for id, b := range positions {
		if p, err := decodePosition(b); err == nil {
			g.wanted[id] = p
		}
	}
	if g.done == nil {
		g.done = make(chan struct{})
		go g.run()
	}
	select {
	case g.news <- struct{}{}:
	default:
	}
}

// close commits what is left, for a moment, and ends.
func (g *groupOffsets) close() {
	g.mu.Lock()
	done, again := g.done, g.closed
	g.closed = true
	g.mu.Unlock()
	if again || done == nil {
		return
	}
	close(g.end)
	<-done
}

// run commits until the end. It owns the client and what is known to be committed.
func (g *groupOffsets) run() {
	defer close(g.done)
	var cl *kgo.Client
	defer func() {
		if cl != nil {
			cl.Close()
		}
	}()
	known := map[string]position{}
	refresh := time.NewTicker(g.refresh)
	defer refresh.Stop()
	var retry <-chan time.Time
	for ended := false; !ended; {
		patience := 10 * time.Second
		select {
		case <-retry:
		case <-g.end:
			ended, patience = true, g.last
		case <-refresh.C:
			g.again(known)
		case <-g.news:
		}
		if cl == nil {
			var err error
			if cl, err = g.cluster.client(); err != nil {
				g.failed(err)
				return // its options are wrong, as all other clients' are
			}
		}
		if retry = nil; !g.commit(cl, known, patience) {
			retry = time.After(g.retry)
		}
		select {
		case <-g.end:
		case <-time.After(g.apart):
		}
	}
}

// again wants everything committed once more.
func (g *groupOffsets) again(known map[string]position) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, p := range known {
		if _, newer := g.wanted[id]; !newer {
			g.wanted[id] = p
		}
		delete(known, id)
	}
}

// commit tells the group what changed. What fails stays wanted.
func (g *groupOffsets) commit(cl *kgo.Client, known map[string]position, patience time.Duration) bool {
	g.mu.Lock()
	fresh := map[string]position{}
	for id, p := range g.wanted {
		if known[id] != p {
			fresh[id] = p
		}
	}
	clear(g.wanted)
	g.mu.Unlock()
	if len(fresh) == 0 {
		return true
	}
	offsets := kadm.Offsets{}
	for id, p := range fresh {
		if topic, partition, err := parseSplit(id); err == nil {
			offsets.AddOffset(topic, partition, p.offset, p.epoch)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := kadm.NewClient(cl).CommitAllOffsets(ctx, g.group, offsets); err != nil {
		g.failed(err)
		g.mu.Lock()
		for id, p := range fresh {
			if _, newer := g.wanted[id]; !newer {
				g.wanted[id] = p
			}
		}
		g.mu.Unlock()
		return false
	}
	for id, p := range fresh {
		known[id] = p
	}
	return true
}

// failed counts, and says what went on for a while.
func (g *groupOffsets) failed(err error) {
	g.failures.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Now().Before(g.silence) {
		return
	}
	g.silence = time.Now().Add(time.Minute)
	advice := ""
	if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.IllegalGeneration) || errors.Is(err, kerr.RebalanceInProgress) {
		advice = "; another consumer is a member of it: give this job a 'properties.group.id' of its own"
	}
	g.say(fmt.Sprintf("group %s could not be told the offsets: %v%s; the job goes on, what shows its lag stands still", g.group, access(err), advice))
}

// Publish implements connectors.Publishing.
func (s *source) Publish(positions map[string][]byte) { s.group.publish(positions) }

// PublishFailures implements connectors.Publishing.
func (s *source) PublishFailures() int64 {
	if s.group == nil {
		return 0
	}
	return s.group.failures.Load()
}

var _ connectors.Publishing = (*source)(nil)
