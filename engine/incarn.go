package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// incarnation is one run of a job, from a start or a recovery to an end or a
// fault. The driver (run) owns everything between steps; in a step each worker
// owns its own part.
type incarnation struct {
	job     *Job
	opts    JobOptions
	graph   *graph
	workers int
	ws      []*worker
	tables  []*tableSource
	sinks   []*sinkEnd
	boxes   []*operators.DeadLetters
	names   []string // of followers, by sink
	meeting *meeting
	mem     []*state.Worker // by worker
	saved   *restored
	com     *committer
	counts  *counts

	outbox  int   // bytes in a worker's outboxes of one exchange at which it meets the others
	drain   bool  // ended sources send the last watermark
	closed  bool  // Stop(Drain): no more is read
	drained bool  // the state was drained and the plan looks at the watermark: no row may enter
	now     int64 // the step's processing time, µs
	steps   int64
	rest    int64       // no step before this time: rows of a slow stream gather a little
	more    atomic.Bool // rows wait that need no wake-up
	rowsIn  atomic.Int64
	badIn   atomic.Int64 // records that gave no row
	// lettersOut counts dead letters: output as rows of sinks are.
	lettersOut atomic.Int64
	wake       chan struct{}
	polled     bool // some source cannot wake us
	awaited    bool // an epoch was handed over and Pace has not heard of its decision

	startStep []chan struct{} // by worker > 0
	stepDone  chan error
	stopped   sync.WaitGroup
}

// sinkEnd is a sink and what the engine knows of it. INSERTs into one table share
// it: an epoch of theirs is sealed once, or the second Seal would end an epoch
// that has not begun, and let rows of the next one into this one's transaction.
type sinkEnd struct {
	name string // for messages
	at   operators.Span
	sink connectors.Sink
	info connectors.SinkInfo
}

// newIncarnation lays the plan out and builds the workers over the restored
// state. Nothing is read yet.
func newIncarnation(job *Job, roots []operators.Node, saved *restored) (*incarnation, error) {
	inc := &incarnation{job: job, opts: job.opts, workers: job.opts.Workers, saved: saved, counts: job.counts,
		boxes: job.plan.letters(), outbox: outboxBytes, wake: make(chan struct{}, 1), stepDone: make(chan error, job.opts.Workers)}
	inc.counts.back()
	inc.graph = layOut(roots, inc.workers)
	inc.drain = job.drains()
	inc.meeting = newMeeting(inc.workers)
	inc.meeting.agree = inc.agree
	for _, x := range inc.graph.scans {
		scan := x.node.(*operators.Scan)
		t := &tableSource{node: x, scan: scan, src: scan.Spec.Source, info: scan.Spec.Source.Info(), wm: saved.tableWM(x)}
		if k, ok := t.src.(connectors.Waker); ok {
			k.SetWake(inc.rouse)
		} else {
			inc.polled = true
		}
		inc.tables = append(inc.tables, t)
	}
	for _, x := range inc.graph.sinks {
		n := x.node.(*operators.SinkNode)
		if !slices.ContainsFunc(inc.sinks, func(s *sinkEnd) bool { return s.sink == n.Spec.Sink }) {
			inc.sinks = append(inc.sinks, &sinkEnd{name: fmt.Sprintf("sink %q", n.Spec.Table), at: n.Spec.Span, sink: n.Spec.Sink, info: n.Spec.Sink.Info()})
		}
	}
	for _, x := range inc.boxes {
		inc.sinks = append(inc.sinks, &sinkEnd{name: fmt.Sprintf("the dead letters of table %q", x.Table), at: x.Span, sink: x.Sink, info: x.Sink.Info()})
	}
	return inc, nil
}

// build makes the workers; sinks are open by now.
func (inc *incarnation) build() error {
	for id := range inc.workers {
		w, err := newWorker(inc, id)
		if err != nil {
			return err
		}
		for _, x := range inc.graph.scans {
			w.wm[x.id][0] = inc.tables[x.scan].wm
		}
		inc.ws = append(inc.ws, w)
	}
	for _, w := range inc.ws {
		w.advance()
		w.settle()
	}
	inc.more.Store(true)
	for id := 1; id < inc.workers; id++ {
		start := make(chan struct{})
		inc.startStep = append(inc.startStep, start)
		w := inc.ws[id]
		inc.stopped.Go(func() {
			for range start {
				inc.stepDone <- w.step()
			}
		})
	}
	return nil
}

// env is what node x on worker w may touch.
func (inc *incarnation) env(w *worker, x *gnode) *operators.Env {
	return &operators.Env{
		Worker: w.id, Workers: inc.workers, State: inc.mem[w.id], Zone: inc.job.plan.Settings.Zone,
		Now:  func() int64 { return inc.now },
		Prev: func(in int) operators.WM { return w.prev[x.id][in] },
		Reject: func(r operators.Reject) error {
			return inc.reject(w, x, r)
		},
		Refused: func(r connectors.Refusal) error { return inc.refused(w, x, r) },
	}
}

// rouse is called by background goroutines when rows have arrived.
func (inc *incarnation) rouse() {
	inc.more.Store(true)
	select {
	case inc.wake <- struct{}{}:
	default:
	}
}

// end says how an incarnation came to its end without a fault.
type end uint8

const (
	endFinished end = iota // all sources have ended
	endStopped             // asked to stop
)

// run is the driver's loop: it decides between steps what is next.
func (inc *incarnation) run(ctx context.Context) (end, error) {
	poll := time.NewTimer(time.Hour)
	defer poll.Stop()
	inc.watched()
	for {
		if err := inc.com.err(); err != nil {
			return 0, err
		}
		asked := inc.opts.Pace.asked()
		if inc.awaited && !inc.com.inFlight() {
			inc.awaited = false
			if inc.opts.Pace.dies(true) {
				return 0, ErrDied
			}
			continue // a failure may have come since we looked
		}
		now := inc.job.clock().UnixMicro()
		full, room := inc.disks()
		if room && inc.com.due(now) {
			if err := inc.seal(now, false); err != nil {
				return 0, err
			}
		}
		if inc.discoverAt() <= now {
			if err := inc.between(ctx, now); err != nil {
				return 0, err
			}
		}
		if inc.job.killed() {
			return 0, ErrKilled
		}
		draining := inc.job.drain.Load()
		if draining && !inc.closed {
			inc.endInput()
		}
		ended := inc.steps > 0 && inc.ended()
		if ended && room || inc.job.stopping() && !draining {
			if err := inc.finish(ctx, ended); err != nil {
				return 0, err
			}
			if ended {
				return endFinished, nil
			}
			return endStopped, nil
		}
		timer := inc.timer()
		why, until := inc.held(), min(timer, inc.com.next(now), inc.discoverAt())
		if full != "" {
			why, until, timer = full, now+lookEvery, math.MaxInt64
		}
		if now < inc.rest && timer > now {
			until = min(until, inc.rest)
		} else if why == "" && (inc.more.Load() || timer <= now) {
			until = 0
		}
		if why != "" && draining && inc.job.late.Load() {
			return 0, &connectors.Permanent{Err: fmt.Errorf("%w\n%s", errNoDecision, why)}
		}
		if why != "" || until > 0 {
			inc.job.stats.waiting(why)
			if why == "" && until > now && !inc.com.inFlight() {
				inc.opts.Pace.idle(asked)
			}
			until = min(until, inc.job.stats.settle(inc, now))
			inc.wait(ctx, poll, now, until)
			if why != "" {
				inc.job.stats.pressure(inc.job.clock().UnixMicro() - now)
			}
			continue
		}
		if err := inc.step(now); err != nil {
			return 0, err
		}
		if inc.opts.Pace.dies(false) {
			return 0, ErrDied
		}
		if err := inc.between(ctx, now); err != nil {
			return 0, err
		}
	}
}

// step runs one step on all workers.
func (inc *incarnation) step(now int64) error {
	inc.more.Store(false)
	inc.now = max(inc.now, now)
	began := time.Now()
	before, bad := inc.rowsIn.Load(), inc.badIn.Load()
	out := inc.emitted()
	for _, c := range inc.startStep {
		c <- struct{}{}
	}
	err := inc.ws[0].step()
	for range inc.startStep {
		if e := <-inc.stepDone; e != nil && (err == nil || errors.Is(err, errStepAborted)) {
			err = e
		}
	}
	if err != nil {
		return err
	}
	for _, w := range inc.ws {
		w.settle()
	}
	for _, t := range inc.tables {
		t.settle(inc)
	}
	inc.steps++
	read := inc.rowsIn.Load() - before
	inc.com.stepped(now, read > 0 || inc.badIn.Load() > bad || inc.opts.Pace != nil, inc.emitted() != out)
	if read > 0 && read < readRows && inc.opts.cut == nil {
		inc.rest = now + min(5000, inc.com.interval/10)
	}
	inc.job.stats.step(inc, now, read, time.Since(began))
	inc.watched()
	fault.Point("C6")
	return nil
}

// watched shows tests where the job stands between two steps.
func (inc *incarnation) watched() {
	if f := inc.opts.watch; f != nil {
		f(inc)
	}
}

// emitted is how many rows have gone into sinks, dead letters among them.
func (inc *incarnation) emitted() (n int64) {
	n = inc.lettersOut.Load()
	for _, x := range inc.graph.sinks {
		for _, w := range inc.ws {
			n += w.rows[x.in[0].from.id]
		}
	}
	return n
}

// between does what may do I/O between steps: new splits, next files.
func (inc *incarnation) between(ctx context.Context, now int64) error {
	for _, t := range inc.tables {
		if t.discoverAt(inc) <= now {
			t.asked = now
			if err := inc.discover(ctx, t); err != nil {
				return err
			}
		}
	}
	return inc.openNext(ctx)
}

// discoverAt is when splits are to be listed next, also while nothing is read.
func (inc *incarnation) discoverAt() int64 {
	at := int64(math.MaxInt64)
	for _, t := range inc.tables {
		at = min(at, t.discoverAt(inc))
	}
	return at
}

// wait blocks until something may have changed, at the latest at time until (µs).
func (inc *incarnation) wait(ctx context.Context, t *time.Timer, now, until int64) {
	d := min(time.Duration(min(until-now, int64(time.Second/time.Microsecond)))*time.Microsecond, time.Second)
	if inc.polled {
		d = min(d, 5*time.Millisecond)
	}
	t.Reset(max(d, 0))
	select {
	case <-inc.wake:
	case <-inc.com.changed:
	case <-inc.job.stopCh:
	case <-ctx.Done():
	case <-t.C:
		if inc.polled {
			inc.more.Store(true)
		}
	}
}

// lookEvery is how often a full disk is looked at, µs.
const lookEvery = 200_000

// disks tells which disk is nearly full, and whether an epoch may be begun. Where the
// disk of the state is full none is begun, where that of a sink is no step: what is
// there already may go out as far as it fits. A job that is to stop tries all the same,
// for as long as it may.
func (inc *incarnation) disks() (full string, room bool) {
	full, room = inc.full(), true
	if !inc.job.stopping() {
		room, _ = inc.com.log.room()
	}
	inc.job.pause(full)
	return full, room
}

// full says which disk is nearly full, of the state or of a sink; "" = none is.
func (inc *incarnation) full() string {
	if ok, why := inc.com.log.room(); !ok {
		return why
	}
	for _, s := range inc.sinks {
		if d, ok := s.sink.(connectors.Spacious); ok {
			if why := d.Full(); why != "" {
				return why
			}
		}
	}
	return ""
}

// held says why no step may be taken now; "" = it may.
func (inc *incarnation) held() string {
	if held, why := inc.com.blocked(); held {
		return why
	}
	for _, x := range inc.graph.sinks {
		for _, w := range inc.ws {
			if r, ok := w.ops[x.id].(interface{ Room() bool }); ok && !r.Room() {
				return "sink " + x.node.(*operators.SinkNode).Spec.Table + " does not keep up"
			}
		}
	}
	for _, w := range inc.ws {
		for _, l := range w.letters {
			if !l.w.Room() {
				return "the dead letters of table " + l.box.Table + " do not keep up"
			}
		}
	}
	return ""
}

// timer is the earliest processing time at which an operator wants a step.
func (inc *incarnation) timer() int64 {
	t := int64(math.MaxInt64)
	for _, w := range inc.ws {
		t = min(t, w.due())
	}
	return t
}

// endInput makes the next step the last of every source. Rows that were fetched and
// not read stay where they are: the positions are those of what was read.
func (inc *incarnation) endInput() {
	inc.closed, inc.drain = true, true
	for _, t := range inc.tables {
		for _, s := range t.splits {
			s.done = true
		}
	}
	inc.more.Store(true)
}

// ended tells that every source has given its last row and the step that knew it is over.
func (inc *incarnation) ended() bool {
	for _, t := range inc.tables {
		if !t.ended {
			return false
		}
	}
	return true
}

// close ends the workers and readers; it may be called at any time between steps.
func (inc *incarnation) close() {
	for _, c := range inc.startStep {
		close(c)
	}
	inc.startStep = nil
	inc.stopped.Wait()
	for _, t := range inc.tables {
		for _, s := range t.splits {
			if s.reader != nil {
				_ = s.reader.Close()
			}
		}
	}
}
