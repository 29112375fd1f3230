package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// AtEnd says what becomes of open windows when the sources have ended.
type AtEnd uint8

const (
	AtEndDefault AtEnd = iota // drain; stop with a state directory and UntilIdle over an unbounded source
	AtEndDrain                // the last watermark is sent: open windows fire
	AtEndStop                 // open windows stay in the state
)

// JobOptions say how a plan is run.
type JobOptions struct {
	StateDir  string // "" = ephemeral: nothing survives the process
	Workers   int    // 0 = cores
	UntilIdle bool   // unbounded sources end at what they hold at the start
	AtEnd     AtEnd
	Adopt     bool // begin a new lineage where recovery would refuse

	// Pace lets a test drive the job step by step; nil = the job runs by itself.
	Pace *Pace

	free       func(dir string) (int64, error) // tests: room on the disk of StateDir
	stepAtMost time.Duration                   // tests: instead of what stepLimit says
	cut        func() int                      // tests: how many rows a worker takes from a source in a step
	// tests: called while all workers are quiet, once the splits are open (steps is
	// 0) and after each step, before it can be sealed
	watch func(*incarnation)
}

// JobState is where a job is in its life.
type JobState int32

const (
	Starting   JobState = iota // built, nothing recovered yet
	Recovering                 // reading state, claiming, opening sources
	Running                    // steps are taken
	BackingOff                 // a fault ended an incarnation; the next one waits
	Finished                   // all sources ended and everything is decided
	Stopped                    // asked to stop; everything is decided
	Failed                     // an error that a repeat cannot mend
	Refused                    // recovery refused to go on; the files are as they were
)

var jobStates = [...]string{"starting", "recovering", "running", "backing off", "finished", "stopped", "failed", "refused"}

func (s JobState) String() string { return jobStates[s] }

// legal lists the changes of state a job may make.
var legal = map[JobState][]JobState{
	Starting:   {Recovering},
	Recovering: {Running, BackingOff, Failed, Refused, Stopped, Finished},
	Running:    {BackingOff, Finished, Stopped, Failed, Refused},
	BackingOff: {Recovering, Stopped, Failed},
}

// Job is a running pipeline. Its methods may be called from any goroutine.
type Job struct {
	Name    string
	eng     *Engine
	plan    *Plan
	opts    JobOptions
	clock   func() time.Time
	counts  *counts
	stats   *stats
	state   atomic.Int32
	why     atomic.Pointer[string] // why it is not running
	stopCh  chan struct{}
	stop    sync.Once
	drain   atomic.Bool     // Stop(Drain)
	alive   context.Context // until Stop(Kill)
	kill    context.CancelCauseFunc
	late    atomic.Bool // killed, or a stop waits in vain: workers leave their step
	started time.Time
	done    chan struct{}
	err     error // set before done is closed
	ready   atomic.Bool
	settled atomic.Bool            // a recovery has found, or adopted, its state: a later one that refuses is news to the user
	looked  bool                   // run's own: before is known
	before  connectors.Claim       // the newest claim when this process first looked
	claim   connectors.Claim       // this process's last
	paused  atomic.Pointer[string] // which disk is nearly full; "" or nil = none is
	ran     atomic.Bool            // it was ready once: the sources, and a deciding cluster, have answered
}

func newJob(ctx context.Context, e *Engine, name string, p *Plan, o JobOptions) *Job {
	j := &Job{Name: name, eng: e, plan: p, opts: o, clock: e.opts.Clock, counts: newCounts(), stats: &stats{},
		stopCh: make(chan struct{}), done: make(chan struct{}), started: time.Now()}
	j.alive, j.kill = context.WithCancelCause(ctx)
	return j
}

// State returns where the job is in its life, and why, where there is a reason.
func (j *Job) State() (JobState, string) {
	why := ""
	if p := j.why.Load(); p != nil {
		why = *p
	}
	s := JobState(j.state.Load())
	if s == Running && why == "" {
		why = j.full()
	}
	if s == Running && why == "" {
		if err := j.health(); err != nil {
			why = err.Error()
		}
	}
	return s, why
}

// pause notes that the job waits for room on a disk, and tells of it once.
func (j *Job) pause(why string) {
	was := j.full()
	if why == "" && was == "" {
		return
	}
	j.paused.Store(&why)
	switch {
	case was == "":
		j.eng.opts.Logger.Warn("paused", "job", j.Name, "reason", why)
	case why == "":
		j.eng.opts.Logger.Info("there is room again", "job", j.Name)
	}
}

func (j *Job) full() string {
	if p := j.paused.Load(); p != nil {
		return *p
	}
	return ""
}

// health tells of the first source that gets no answer.
func (j *Job) health() error {
	for _, s := range j.plan.Sources() {
		if h, ok := s.Spec.Source.(connectors.Healthy); ok {
			if err := h.Health(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *Job) become(s JobState, why string) {
	old := JobState(j.state.Load())
	if old != s {
		ok := false
		for _, t := range legal[old] {
			ok = ok || t == s
		}
		if !ok {
			panic(fmt.Sprintf("BUG: job %s: %s -> %s", j.Name, old, s))
		}
	}
	j.why.Store(&why)
	j.state.Store(int32(s))
	if f := j.eng.opts.Events.State; f != nil {
		j.tell("State", func() { f(j, s, why) })
	}
}

// tell calls one of the Events. A panic in it is logged and changes nothing: what
// has happened has happened, whether it could be told or not.
func (j *Job) tell(name string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			err := panicked("callback "+name, r)
			j.eng.opts.Logger.Error("a callback of the program panicked", "job", j.Name, "error", err, "stack", string(err.Stack))
		}
	}()
	f()
}

// notice says a line to the user.
func (j *Job) notice(s string) {
	if j.plan.Job != nil && j.plan.Job.Notice != nil {
		j.plan.Job.Notice(s)
		return
	}
	j.eng.opts.Logger.Warn(s, "job", j.Name)
}

// StopMode says how a job is to end.
type StopMode uint8

const (
	Stop  StopMode = iota // finish the step and decide an epoch; open windows stay in the state
	Drain                 // read no more and send the last watermark, so that open windows fire; the state is finished then
	Kill                  // at once, as a crash would: what is not decided is given up
)

// ErrKilled is how a job ends that was killed.
var ErrKilled = errors.New("the job was killed")

// Stop asks the job to end and returns at once; Wait waits. No mode is Stop. A job
// may be asked again: a later Kill counts, and where no epoch can be decided within
// 30 s the job fails by itself. The job waits for functions of the program that
// are running; their context is cancelled. A step that goes on for long, since a few
// rows make billions in it, is broken off after a while: nothing of it is decided,
// and the job fails.
func (j *Job) Stop(mode ...StopMode) {
	for _, m := range mode {
		switch m {
		case Drain:
			j.drain.Store(true)
		case Kill:
			j.kill(ErrKilled)
			j.late.Store(true)
		}
	}
	j.stop.Do(func() {
		close(j.stopCh)
		go func() {
			select {
			case <-j.done:
			case <-time.After(j.opts.stepLimit()):
				j.late.Store(true)
			}
		}()
	})
}

func (j *Job) killed() bool { return j.alive.Err() != nil }

// errStepTooLong breaks a step off.
var errStepTooLong = &connectors.Permanent{Err: errors.New("the step under way could not be finished in time after the stop; what was decided before is safe\n" +
	"a few rows make very many in this pipeline: look for joins in which each row meets many others, and for views that name another several times")}

func (j *Job) stopping() bool {
	select {
	case <-j.stopCh:
		return true
	default:
		return false
	}
}

// Wait blocks until the job has ended and returns why it failed, or nil.
func (j *Job) Wait(ctx context.Context) error {
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the job has ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// Ready tells whether the job has recovered, its sources answer and its disks have room.
func (j *Job) Ready() bool { return j.ready.Load() && j.full() == "" && j.health() == nil }

// Stats returns a snapshot of what the job has done.
func (j *Job) Stats() Stats {
	s := j.stats.snapshot()
	s.Unpublished = map[string]int64{}
	for _, x := range j.plan.Sources() {
		if p, ok := x.Spec.Source.(connectors.Publishing); ok && x.Spec.Source.Info().Publishes {
			s.Unpublished[x.Spec.Table] += p.PublishFailures()
		}
	}
	return s
}

// drains tells whether ended sources send the last watermark.
func (j *Job) drains() bool {
	switch j.opts.AtEnd {
	case AtEndDrain:
		return true
	case AtEndStop:
		return false
	}
	return !(j.opts.StateDir != "" && j.opts.UntilIdle && j.cuts())
}

// cuts tells whether UntilIdle bounds a source that would not end by itself.
func (j *Job) cuts() bool {
	for _, s := range j.plan.Sources() {
		if !s.Spec.Source.Info().Bounded {
			return true
		}
	}
	return false
}

// run lives through incarnations until the job ends.
func (j *Job) run(ctx context.Context) {
	defer j.release()
	const first, longest = 100 * time.Millisecond, 30 * time.Second
	wait := first
	var told complaint
	for {
		j.become(Recovering, "")
		began := time.Now()
		e, err := j.live(ctx)
		j.ready.Store(false)
		if err != nil && j.killed() {
			err = &connectors.Permanent{Err: ErrKilled}
		}
		verdict := j.judge(err)
		if diskFull(err) && verdict != Failed {
			j.pause(firstLine(err))
			verdict, wait = BackingOff, time.Second
		} else {
			j.paused.Store(nil)
		}
		left := j.plan.Settings.StartTimeout - time.Since(j.started)
		if verdict == BackingOff && !j.ran.Load() && left <= 0 && j.full() == "" {
			verdict = Failed // nothing has ever worked: waiting for ever would hide why
		}
		switch verdict {
		case Finished:
			if e == endStopped {
				verdict = Stopped
			}
			j.become(verdict, "")
			return
		case Failed, Refused:
			j.err = err
			j.become(verdict, err.Error())
			return
		}
		if time.Since(began) > longest {
			wait = first
		}
		if !j.ran.Load() && j.full() == "" {
			wait = min(wait, time.Second, max(left, 0))
		}
		j.stats.restarts.Add(1)
		j.eng.opts.Logger.Log(ctx, told.level(err), "recovering from a fault", "job", j.Name, "error", err, "wait", wait)
		j.become(BackingOff, err.Error())
		select {
		case <-time.After(wait):
		case <-j.stopCh:
			j.err = fmt.Errorf("stopped while recovering: %w", err)
			if j.killed() {
				j.err = ErrKilled
			}
			j.become(Failed, j.err.Error())
			return
		}
		wait = min(2*wait, longest)
	}
}

// release closes the plan's sources, sinks and deciders. What they wrote is
// decided or given up by then, so an error here costs nobody a row. A refused job
// leaves its decider alone: to close one aborts its transaction, and a fenced
// incarnation has no word in its successor's.
func (j *Job) release() {
	var all []io.Closer
	for _, s := range j.plan.Sources() {
		all = append(all, s.Spec.Source)
	}
	for _, s := range j.plan.outputs() {
		all = append(all, s)
	}
	if s, _ := j.State(); s != Refused {
		for _, d := range j.plan.deciders() {
			all = append(all, d)
		}
	}
	for _, c := range all {
		if err := c.Close(); err != nil {
			j.eng.opts.Logger.Warn("close a table", "job", j.Name, "error", err)
		}
	}
}

// judge says what an incarnation's error means for the job; BackingOff = try again.
func (j *Job) judge(err error) JobState {
	var perm *connectors.Permanent
	var row *RowError
	var bug *BugError
	var plan *operators.PlanError
	var access *connectors.Access
	switch {
	case err == nil:
		return Finished
	case isRefused(err):
		return Refused
	case errors.As(err, &perm), errors.As(err, &row), errors.As(err, &bug), errors.As(err, &plan):
		return Failed
	case errors.As(err, &access) && !access.Maybe && !j.ran.Load():
		return Failed // it never worked with these options
	case j.opts.StateDir == "" && j.ran.Load():
		return Failed // nothing to recover from
	}
	return BackingOff
}

// diskFull tells whether a start or an incarnation failed for lack of room, for
// which a job waits as long as it takes.
func diskFull(err error) bool {
	var r *connectors.Refused
	return errors.As(err, &r) && r.Code == state.NoRoom || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// complaint tells a fault that goes on from a new one, so that a broker that is
// away does not fill the log.
type complaint struct {
	said string
	at   time.Time
}

// againAfter is when a fault that goes on is told once more.
const againAfter = time.Minute

// level is Warn for what was not said lately, else Debug.
func (c *complaint) level(err error) slog.Level {
	if s := err.Error(); s != c.said || time.Since(c.at) >= againAfter {
		c.said, c.at = s, time.Now()
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
