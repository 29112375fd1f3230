package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/engine"
)

// stuck is how long a job may take to work off one statement: far more than any
// needs, so that a job that hangs fails its test.
const stuck = 60 * time.Second

// Options say how a pipeline is run under test.
type Options struct {
	Connectors []*connectors.Connector    // those that the text names; their tables are never opened
	Register   func(*engine.Engine) error // registers the program's functions, and its sources and sinks, which are never called
	Set        []dsl.KV                   // settings that win over SET in the text
	Env        func(string) (string, bool)
	Kafka      string   // default of properties.bootstrap.servers; nobody dials it
	Rows       int      // most rows a worker takes in a step; 0 = as many as there are
	Workers    []int    // of the job, and in turn of its successors after a crash; nil = 1
	StateDir   string   // where the state is kept; without it a crash loses everything
	CrashEach  bool     // the job dies after every step: first before it is decided, then again after it
	Views      []string // views that are wanted beside the sinks
}

// Pipeline is a job under test. It is used from one goroutine.
type Pipeline struct {
	opts     Options
	name     string
	text     string // the pipeline's, and a SELECT for each view
	views    map[string]string
	world    *world
	eng      *engine.Engine
	job      *engine.Job
	file     *ast.File
	settings dsl.Settings
	starts   int
	failed   error // what ended the job; nothing goes on after it

	idle chan uint64 // what the running job has worked off
	die  atomic.Bool // at the next step
	turn bool        // the job's goroutine only: the step died before its decision
	seen int64       // the job's goroutine only: world.active at the last death
}

// Open starts a pipeline. What is wrong with its text comes as diagnostics, and no
// pipeline then; err says that the job could not be run.
func Open(name, text string, o Options) (*Pipeline, []diag.Diagnostic, error) {
	p := &Pipeline{opts: o, name: name, text: text, world: newWorld(), views: map[string]string{}}
	if len(p.opts.Workers) == 0 {
		p.opts.Workers = []int{1}
	}
	plan, ds, err := p.compile()
	if plan == nil {
		return nil, ds, err
	}
	p.file, p.settings = plan.File, plan.Settings
	p.look()
	if ds, err = p.start(); err != nil || p.job == nil {
		return nil, ds, err
	}
	return p, ds, p.settle()
}

// look adds a SELECT for each view that is wanted.
func (p *Pipeline) look() {
	selects := 0
	for name := range p.world.outputs {
		if strings.HasPrefix(name, "SELECT ") {
			selects++
		}
	}
	for _, v := range p.opts.Views {
		if p.world.outputs[v] == nil && p.views[v] == "" && slices.Contains(p.Views(), v) {
			selects++
			p.views[v] = fmt.Sprintf("SELECT %d", selects)
			p.text += "\n;\nSELECT * FROM " + ast.QuoteName(v) + ";"
		}
	}
}

// Views lists the views of the pipeline's text.
func (p *Pipeline) Views() (names []string) {
	for _, s := range p.file.Stmts {
		if v, ok := s.(*ast.CreateView); ok {
			names = append(names, v.Name.Last().String())
		}
	}
	return names
}

// compile plans the text anew: a plan runs once.
func (p *Pipeline) compile() (*engine.Plan, []diag.Diagnostic, error) {
	p.world.forget()
	e, err := engine.Open(context.Background(), engine.Options{Connectors: p.opts.Connectors, Replace: p.world.replace, Clock: p.world.clock})
	if err == nil && p.opts.Register != nil {
		err = p.opts.Register(e)
	}
	if err != nil {
		return nil, nil, err
	}
	plan, ds := e.Compile(p.name, p.text, engine.CompileOptions{Set: p.opts.Set, Env: p.opts.Env,
		Job: connectors.Job{Name: "test", Ephemeral: p.opts.StateDir == "", Kafka: p.opts.Kafka, Stdout: io.Discard, Stderr: io.Discard, Format: "text"}})
	p.eng = e
	return plan, ds, nil
}

// start begins the next incarnation.
func (p *Pipeline) start() ([]diag.Diagnostic, error) {
	plan, ds, err := p.compile()
	if plan == nil || err != nil {
		return ds, err
	}
	idle := make(chan uint64, 1)
	workers := p.opts.Workers[p.starts%len(p.opts.Workers)]
	p.starts++
	job, err := p.eng.Start(context.Background(), "test", plan, engine.JobOptions{StateDir: p.opts.StateDir, Workers: workers, Pace: &engine.Pace{
		Rows: p.opts.Rows, Asked: p.world.asked.Load, Dies: p.dies,
		Idle: func(asked uint64) {
			select { // the newest word counts
			case <-idle:
			default:
			}
			idle <- asked // the job is the only writer
		}}})
	if err != nil {
		return ds, err
	}
	p.job, p.idle = job, idle
	return ds, nil
}

// dies decides between two steps whether the job crashes there.
func (p *Pipeline) dies(decided bool) bool {
	if p.die.Swap(false) {
		return true
	}
	now := p.world.active.Load()
	if !p.opts.CrashEach || now == p.seen {
		return false // a step that read and wrote nothing is not worth a crash
	}
	if !decided {
		p.turn = !p.turn
		if !p.turn {
			return false // it died here the last time; now it may be decided
		}
	}
	p.seen = now
	return true
}

// settle waits until the job has worked off everything, and starts it again where
// it has crashed.
func (p *Pipeline) settle() error {
	if p.failed != nil {
		return p.failed
	}
	want := p.world.asked.Add(1)
	p.world.rouse()
	limit := time.NewTimer(stuck)
	defer limit.Stop()
	for {
		select {
		case got := <-p.idle:
			if got >= want {
				return nil
			}
		case <-p.job.Done():
			err := p.job.Wait(context.Background())
			if err == nil {
				return nil // it reads nothing, and has ended
			}
			if !errors.Is(err, engine.ErrDied) {
				p.failed = err
				return err
			}
			if _, err := p.start(); err != nil {
				p.failed = err
				return err
			}
		case <-limit.C:
			state, why := p.job.State()
			p.failed = fmt.Errorf("the job did not come to rest within %s: %s %s", stuck, state, why)
			return p.failed
		}
	}
}

// Crash ends the job as the death of its process would, and starts it again.
func (p *Pipeline) Crash() error {
	p.die.Store(true)
	return p.settle()
}

// push gives rows to a table.
func (p *Pipeline) push(in *input, b *batch.Batch, weight int64) error {
	if p.failed == nil {
		p.world.push(in, b, weight)
	}
	return p.settle()
}

// watermark moves a table's watermark.
func (p *Pipeline) watermark(in *input, us int64) error {
	if p.failed == nil {
		p.world.mark(in, us)
	}
	return p.settle()
}

// clock sets the time. It never goes back.
func (p *Pipeline) clock(us int64) error {
	p.world.now.Store(max(us, p.world.now.Load()))
	return p.settle()
}

// output finds a sink or a view that is looked at.
func (p *Pipeline) output(name string) *output {
	if s := p.views[name]; s != "" {
		name = s
	}
	return p.world.outputs[name]
}

// Close ends the job.
func (p *Pipeline) Close() error {
	p.job.Stop()
	if p.failed == nil {
		return p.job.Wait(context.Background())
	}
	return nil // it was told, and a job that hangs must not hang its test
}
