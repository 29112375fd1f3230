package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// epoch is what is decided at once: the rows of all sinks, the positions of all
// splits and the state that changed, all between the same two steps.
type epoch struct {
	sealed   []connectors.Sealed // by sink
	staged   [][]byte            // by sink, after Prepare; nil = no rows
	tables   []tablePosition
	splits   []splitPosition
	chunks   []*state.Packed // by worker
	finished bool            // drained: the state is marked finished
	tally    tally           // of rows that were not used, up to this epoch
	rows     int64
	dirty    int64
	pause    time.Duration
	sealedAt time.Time
	first    int64 // when its first row was read, µs; 0 = none was
}

// tablePosition is a source table's saved watermark.
type tablePosition struct {
	Table string // identity of the scan
	WM    operators.WM
}

// splitPosition is where a split goes on.
type splitPosition struct {
	Table string
	Split string
	Pos   []byte
	WM    operators.WM
	Idle  bool
}

// committer decides epochs, one at a time, beside the running steps.
//
// The interval is the least distance between two decisions: an epoch is sealed
// after the first step with output when the last decision is an interval ago,
// at the latest an interval after the first change when only state or offsets
// changed. An epoch is sealed only when the one before it is decided, so rows
// of e+1 reach a producer only after e.
type committer struct {
	inc      *incarnation
	log      journal
	decider  connectors.Decider
	every    bool  // nothing durable: every step is decided
	interval int64 // µs

	touched bool // driver only: rows were read or emitted since the last seal
	output  bool
	first   int64 // when touched became true
	last    int64 // last seal

	work    chan *epoch
	changed chan struct{} // rouses the driver
	done    sync.WaitGroup
	cancel  context.CancelFunc
	mu      sync.Mutex
	busy    bool
	failed  error
}

func newCommitter(ctx context.Context, inc *incarnation, log journal, d connectors.Decider, every bool) *committer {
	ctx, cancel := context.WithCancel(ctx)
	c := &committer{inc: inc, log: log, decider: d, every: every, interval: inc.job.plan.Settings.EpochInterval.Microseconds(),
		last: math.MinInt64 / 2, work: make(chan *epoch, 1), changed: make(chan struct{}, 1), cancel: cancel}
	c.done.Go(func() {
		for ep := range c.work {
			// After a failure nothing more is prepared: it would follow from an epoch
			// that may or may not be on disk.
			err := c.err()
			if err == nil {
				if err = c.guarded(ctx, ep); err != nil {
					inc.job.stats.failed()
				}
			}
			c.mu.Lock()
			c.busy = false
			if err != nil && c.failed == nil {
				c.failed = err
			}
			c.mu.Unlock()
			select {
			case c.changed <- struct{}{}:
			default:
			}
		}
	})
	return c
}

func (c *committer) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *committer) inFlight() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

// stepped notes what a step did.
func (c *committer) stepped(now int64, read, out bool) {
	if (read || out) && !c.touched {
		c.touched, c.first = true, now
	}
	c.output = c.output || out
}

// due tells whether an epoch is to be sealed now.
func (c *committer) due(now int64) bool { return c.next(now) <= now }

// next is when the next epoch is due, as things are. While one is under way that
// is never: its end rouses the driver, and a time that has passed already would
// keep a driver without rows awake. After one that failed it is never, too: the
// driver may learn of the failure only in its next round.
func (c *committer) next(now int64) int64 {
	switch {
	case !c.touched, c.inFlight(), c.err() != nil:
		return math.MaxInt64
	case c.every:
		return now
	case c.output:
		return c.last + c.interval
	}
	return max(c.first, c.last) + c.interval
}

// blocked tells that no step may be taken, and why: every step is decided and the
// last one is not yet.
func (c *committer) blocked() (bool, string) {
	if c.every && c.inFlight() {
		return true, "rows of the last step are being delivered"
	}
	return false, ""
}

// seal ends the running epoch and hands it to the committer. All workers are quiet.
func (inc *incarnation) seal(now int64, finished bool) error {
	c := inc.com
	t0 := time.Now()
	ep := &epoch{finished: finished, sealedAt: t0, tally: inc.counts.now()}
	ep.tables, ep.splits = inc.places()
	for _, m := range inc.mem {
		p := m.Pack() // frees the slots of deleted rows, also where nothing is stored
		ep.dirty += int64(p.Rows())
		ep.chunks = append(ep.chunks, p)
	}
	for _, s := range inc.sinks {
		x, err := s.sink.Seal()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		ep.sealed = append(ep.sealed, x)
		ep.rows += x.Rows()
	}
	ep.pause = time.Since(t0)
	if c.touched {
		ep.first = c.first
	}
	c.touched, c.output, c.last = false, false, now
	inc.awaited = inc.opts.Pace != nil
	c.mu.Lock()
	c.busy = true
	c.mu.Unlock()
	c.work <- ep
	return nil
}

// places is where every split goes on after the last step.
func (inc *incarnation) places() (ts []tablePosition, ss []splitPosition) {
	for _, t := range inc.tables {
		id := t.node.node.Base().Ident
		ts = append(ts, tablePosition{id, t.wm})
		for _, s := range t.splits {
			p := s.from
			if s.reader != nil {
				p = s.reader.Position()
			}
			if p == nil {
				continue
			}
			ss = append(ss, splitPosition{Table: id, Split: s.spec.ID, Pos: p, WM: s.wm, Idle: s.idle})
		}
	}
	return ts, ss
}

// publish tells sources that show the outside how far the job has got. A job
// without a state does not: where it began anew would pass for progress.
func (inc *incarnation) publish(ss []splitPosition) {
	if inc.opts.StateDir == "" {
		return
	}
	for _, t := range inc.tables {
		p, ok := t.src.(connectors.Publishing)
		if !ok || !t.info.Publishes {
			continue
		}
		at := map[string][]byte{}
		for _, s := range ss {
			if s.Table == t.node.node.Base().Ident {
				at[s.Split] = s.Pos
			}
		}
		p.Publish(at)
	}
}

// guarded is commit with faults of streamd itself made errors.
func (c *committer) guarded(ctx context.Context, ep *epoch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	return c.commit(ctx, ep)
}

// commit prepares, decides and delivers one epoch.
func (c *committer) commit(ctx context.Context, ep *epoch) error {
	if err := c.awaitRoom(ctx); err != nil {
		return err
	}
	id, err := c.log.begin()
	if err != nil {
		return err
	}
	kafka := false
	ep.staged = make([][]byte, len(ep.sealed))
	for i, s := range ep.sealed {
		if s.Rows() == 0 {
			continue
		}
		end := c.inc.sinks[i]
		staged, err := s.Prepare(ctx, id)
		if err != nil {
			return fmt.Errorf("%s: %w", end.name, err)
		}
		if end.info.Follower != nil {
			ep.staged[i] = staged
		}
		kafka = kafka || c.decider != nil && (end.info.Decider != nil || end.info.Follower != nil)
	}
	fault.Point("C7")
	if id, err = c.log.prepare(ep, c.inc.names, kafka); err != nil {
		return fmt.Errorf("write the epoch's delta: %w", err)
	}
	fault.Point("prepared")
	markerAt, kind := int64(0), "silent"
	if kafka {
		kind = "kafka"
		if markerAt, err = c.decider.Decide(ctx, c.log.marker(id)); err != nil {
			return fmt.Errorf("commit the epoch's transaction: %w", err)
		}
	}
	bytes, err := c.log.decided(id, markerAt)
	if err != nil {
		return err
	}
	fault.Point("C12")
	for i, staged := range ep.staged {
		if staged == nil {
			continue
		}
		end := c.inc.sinks[i]
		fault.Point("C14")
		if err := end.info.Follower.Deliver(ctx, id, staged); err != nil {
			return fmt.Errorf("%s: %w", end.name, err)
		}
		if err := c.awaitRoom(ctx); err != nil {
			return err
		}
		if err := c.log.delivered(c.inc.names[i], id); err != nil {
			return err
		}
	}
	c.inc.publish(ep.splits)
	info := EpochInfo{Number: id.Number, Incarnation: id.Incarnation, Kind: kind, Rows: ep.rows, Dirty: ep.dirty, Bytes: bytes,
		PauseMicros: ep.pause.Microseconds(), TotalMicros: time.Since(ep.sealedAt).Microseconds()}
	c.inc.counts.settle(ep.tally)
	c.inc.job.stats.epoch(info, ep.tally, ep.first, c.inc.job.clock().UnixMicro())
	if f := c.inc.job.eng.opts.Events.Epoch; f != nil {
		c.inc.job.tell("Epoch", func() { f(c.inc.job, info) })
	}
	return nil
}

// awaitRoom waits until the disk of the state has room: what writes there must not
// meet its end.
func (c *committer) awaitRoom(ctx context.Context) error {
	for {
		ok, why := c.log.room()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", why, ctx.Err())
		case <-time.After(lookEvery * time.Microsecond):
		}
	}
}

// drain waits until the epoch under way is decided and delivered.
func (c *committer) drain(ctx context.Context) error {
	for c.inFlight() {
		c.inc.job.pause(c.inc.full())
		select {
		case <-c.changed:
		case <-time.After(lookEvery * time.Microsecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.inc.job.pause("")
	return c.err()
}

// stopLimit is how long the last epoch of a job that was asked to stop may take.
const stopLimit = 30 * time.Second

// stepLimit is how long the step may take that is under way when a job is asked to
// stop. It is less than who waits for the job is willing to wait.
func (o *JobOptions) stepLimit() time.Duration {
	if o.stepAtMost > 0 {
		return o.stepAtMost
	}
	return stopLimit - 2*time.Second
}

var errNoDecision = errors.New("no decision was possible within 30 s of the request to stop; what the last decided epoch does not hold will be read again")

// finish decides the last epoch.
func (inc *incarnation) finish(ctx context.Context, ended bool) error {
	c := inc.com
	if !ended || inc.job.stopping() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, stopLimit, errNoDecision)
		defer cancel()
	}
	if err := c.drain(ctx); err != nil {
		return cause(ctx, err)
	}
	if c.touched || ended && inc.drain && !inc.saved.finished {
		if err := inc.seal(inc.now, ended && inc.drain); err != nil {
			return err
		}
	}
	inc.job.stats.openGroups(inc.openGroups())
	return cause(ctx, c.drain(ctx))
}

// openGroups counts what operators hold that only a watermark would emit.
func (inc *incarnation) openGroups() (n int64) {
	for _, w := range inc.ws {
		for _, op := range w.ops {
			if o, ok := op.(operators.OpenGroups); ok {
				n += o.Open()
			}
		}
	}
	return n
}

func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &connectors.Permanent{Err: context.Cause(ctx)}
	}
	return err
}

// close ends the committer; an epoch under way is given up.
func (c *committer) close() {
	c.cancel()
	close(c.work)
	c.done.Wait()
}
