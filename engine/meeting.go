package engine

import (
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/streamd/streamd/batch"
)

// errStepAborted ends a step on all workers when one of them failed.
var errStepAborted = errors.New("step aborted")

// box holds the rows of one exchange on their way to one worker.
type box struct {
	batches []*batch.Batch
	bytes   int
}

// delivery is a box that has arrived.
type delivery struct {
	edge *edge
	box  *box
}

// post is what a worker brings to a meeting.
type post struct {
	done   bool         // with its part of the stage; false: in the midst of an Emit
	accept []bool       // by exchange: a push may enter now
	boxes  [][]*box     // by exchange and target; nil = empty
	state  []splitState // by scan
}

// meeting is where the workers of a step swap outboxes. All come; the last one
// moves the boxes; all leave with what is theirs.
//
// A worker meets when it is done with its part of the stage, or inside Emit
// when an outbox is full. Rows for an operator that is on the receiver's stack
// are not accepted and stay with the sender, who meets again. This cannot
// deadlock: whoever waits for a receiver waits for an operator of a deeper
// stage, and the deepest one is always accepted.
type meeting struct {
	mu      sync.Mutex
	cond    *sync.Cond
	n       int
	arrived int
	gen     int
	posts   []post
	inbox   [][]delivery
	quiet   bool
	agree   func([]post) // called by the last to arrive when a stage is complete
	err     error
}

func newMeeting(n int) *meeting {
	m := &meeting{n: n, posts: make([]post, n), inbox: make([][]delivery, n)}
	m.cond = sync.NewCond(&m.mu)
	return m
}

// meet blocks until all workers have come. quiet tells that every worker was
// done and no row was under way: the stage is complete.
func (m *meeting) meet(worker int, p post, exch []*edge) (in []delivery, quiet bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, false, errStepAborted
	}
	m.posts[worker] = p
	m.arrived++
	gen := m.gen
	if m.arrived == m.n {
		m.swap(exch)
		m.arrived = 0
		m.gen++
		m.cond.Broadcast()
	}
	for m.gen == gen && m.err == nil {
		m.cond.Wait()
	}
	if m.gen == gen {
		return nil, false, errStepAborted
	}
	in, m.inbox[worker] = m.inbox[worker], nil
	return in, m.quiet, nil
}

func (m *meeting) swap(exch []*edge) {
	quiet := true
	for from := range m.posts {
		quiet = quiet && m.posts[from].done
		for x, e := range exch {
			for to, b := range m.posts[from].boxes[x] {
				if b == nil || len(b.batches) == 0 {
					continue
				}
				quiet = false
				if m.posts[to].accept[x] {
					m.inbox[to] = append(m.inbox[to], delivery{e, b})
					m.posts[from].boxes[x][to] = nil
				}
			}
		}
	}
	// Deepest stage first: while a box is being pushed, none for a deeper stage
	// may wait behind it (a sender to that one could then wait in a circle).
	for to := range m.inbox {
		slices.SortStableFunc(m.inbox[to], func(a, b delivery) int { return cmp.Compare(b.edge.to.stage, a.edge.to.stage) })
	}
	m.quiet = quiet
	if quiet && m.agree != nil {
		m.agree(m.posts)
	}
}

// abort lets everybody leave with errStepAborted.
func (m *meeting) abort(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
	m.cond.Broadcast()
}
