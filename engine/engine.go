package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/operators/expr"
)

// Options configure an Engine. The zero value is usable but knows no connector.
type Options struct {
	Connectors []*connectors.Connector
	Logger     *slog.Logger     // nil: nothing is logged
	Events     Events           // callbacks; nil fields are skipped
	Clock      func() time.Time // nil: time.Now; tests pass a virtual clock

	// Replace lets a test put others in the place of connectors, those of Connectors
	// and those that are registered; nil = all are used as they are.
	Replace func(*connectors.Connector) *connectors.Connector
}

// Engine compiles pipelines and runs jobs. It has no global state: a program
// may hold several.
type Engine struct {
	opts  Options
	mu    sync.Mutex // of what follows
	conns map[string]*connectors.Connector
	funcs map[string]*expr.Func // of the program, by name in upper case
	jobs  map[string]*Job
	done  bool
}

// Open returns an Engine. It fails when two connectors have the same name.
func Open(_ context.Context, o Options) (*Engine, error) {
	e := &Engine{opts: o, conns: map[string]*connectors.Connector{}, funcs: map[string]*expr.Func{}, jobs: map[string]*Job{}}
	for _, c := range o.Connectors {
		if err := e.register(c); err != nil {
			return nil, err
		}
	}
	if e.opts.Logger == nil {
		e.opts.Logger = slog.New(slog.DiscardHandler)
	}
	if e.opts.Clock == nil {
		e.opts.Clock = time.Now
	}
	return e, nil
}

// register adds a connector.
func (e *Engine) register(c *connectors.Connector) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.Name == "":
		return errors.New("a connector has no name")
	case e.conns[c.Name] != nil:
		return fmt.Errorf("two connectors are named %q", c.Name)
	}
	if f := e.opts.Replace; f != nil {
		c = f(c)
	}
	e.conns[c.Name] = c
	return nil
}

// CompileOptions are what a pipeline's text is compiled with.
type CompileOptions struct {
	Set []dsl.KV                    // settings that win over SET in the text
	Job connectors.Job              // what connectors may see of the job to come; Start sets Name and Ephemeral, and nil writers discard
	Env func(string) (string, bool) // for ${NAME}; nil: the process's environment
}

// Compile checks and plans a pipeline's text. name is used in diagnostics. The
// plan is nil when a diagnostic is an error.
func (e *Engine) Compile(name, text string, o CompileOptions) (*Plan, []diag.Diagnostic) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Job.Notice == nil {
		o.Job.Notice = func(string) {}
	}
	if o.Job.Stdout == nil {
		o.Job.Stdout = io.Discard
	}
	if o.Job.Stderr == nil {
		o.Job.Stderr = io.Discard
	}
	e.mu.Lock()
	conns, funcs := maps.Clone(e.conns), maps.Clone(e.funcs)
	e.mu.Unlock()
	p, ds := dsl.Compile(name, text, dsl.Config{Connectors: conns, Funcs: funcs, Env: o.Env, Set: o.Set, Job: o.Job})
	if p == nil {
		return nil, ds
	}
	plan := &Plan{Plan: p}
	if no := plan.refuse(name, text); len(no) > 0 {
		return nil, append(ds, no...)
	}
	return plan, ds
}

// ErrClosed is returned by calls on a closed Engine.
var ErrClosed = errors.New("engine is closed")

// Start runs a plan as a job under a name that no running job of this engine has.
// It returns at once; the Events, and Job.State, tell how the job fares. When ctx
// is cancelled the job ends as by Stop; its values reach the program's sources and
// sinks. A plan runs once.
func (e *Engine) Start(ctx context.Context, name string, p *Plan, o JobOptions) (*Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errors.New("there is no plan: the text has errors")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Pace != nil && o.cut == nil {
		o.cut = o.Pace.cut
	}
	j := newJob(context.WithoutCancel(ctx), e, name, p, o)
	e.mu.Lock()
	if e.done {
		e.mu.Unlock()
		return nil, ErrClosed
	}
	if e.jobs[name] != nil {
		e.mu.Unlock()
		return nil, fmt.Errorf("a job named %q is running", name)
	}
	if p.taken.Swap(true) {
		e.mu.Unlock()
		return nil, errors.New("a plan runs once: compile the text again")
	}
	if p.Job != nil {
		p.Job.Name, p.Job.Ephemeral = name, o.StateDir == ""
	}
	e.jobs[name] = j
	e.mu.Unlock()
	heed := context.AfterFunc(ctx, func() { j.Stop() })
	go func() {
		defer close(j.done)
		j.run(j.alive)
		heed()
		j.kill(nil)
		e.mu.Lock()
		delete(e.jobs, name)
		e.mu.Unlock()
	}()
	return j, nil
}

// Close stops all jobs at an epoch and waits for them; nothing of the engine is
// left running then. It returns why jobs that it stopped have failed. Calls on a
// closed engine return ErrClosed.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.done = true
	jobs := slices.SortedFunc(maps.Values(e.jobs), func(a, b *Job) int { return strings.Compare(a.Name, b.Name) })
	e.mu.Unlock()
	for _, j := range jobs {
		j.Stop()
	}
	var errs []error
	for _, j := range jobs {
		errs = append(errs, j.Wait(context.Background()))
	}
	return errors.Join(errs...)
}
