package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
)

// stopLimit is how long the decision of the last epoch may take after a signal.
const stopLimit = 30 * time.Second

// runFlags are the flags of `streamd run`.
type runFlags struct {
	state, name, kafka, listen, savepoint string
	format, logFormat, atEnd              string
	set                                   []string
	untilIdle, quiet, adopt               bool
	plain                                 bool // no status line: the demo draws its own
	workers                               int
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{Use: "run FILE", Short: "run a pipeline in the foreground", Args: nargs(1, 1), RunE: func(c *cobra.Command, args []string) error {
		if err := notEmpty(c, "state", "name", "kafka", "listen"); err != nil {
			return err
		}
		return a.run(args[0], f)
	}}
	fs := c.Flags()
	fs.StringVar(&f.state, "state", "", "`DIR` that keeps the state; without it a restart begins anew")
	fs.StringVar(&f.name, "name", "", "`NAME` of the job (default: FILE's base name)")
	fs.StringVar(&f.kafka, "kafka", "", "`HOST:PORT[,...]` of Kafka, where the file names no bootstrap servers")
	fs.StringArrayVar(&f.set, "set", nil, "`KEY=VALUE`, a setting that wins over SET in the file")
	fs.BoolVar(&f.untilIdle, "until-idle", false, "end when all that was there at the start is read")
	fs.StringVar(&f.atEnd, "at-end", "", "`MODE` at the end of input: drain fires open windows, stop keeps them in the state")
	fs.IntVar(&f.workers, "workers", 0, "number of workers, `N` goroutines (default: cores)")
	fs.StringVar(&f.listen, "listen", "", "`ADDR`, HOST:PORT, at which to serve /metrics, /healthz and /readyz")
	fs.StringVar(&f.format, "format", "text", "`FORM` of printed rows: text or json")
	fs.StringVar(&f.logFormat, "log-format", "text", "`FORM` of log lines: text or json")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no log lines and no status line, errors only")
	fs.BoolVar(&f.adopt, "adopt", false, "go on from this state where recovery refuses it; says what may come twice")
	fs.StringVar(&f.savepoint, "from-savepoint", "", "begin with a savepoint `FILE` (not supported yet)")
	_ = fs.MarkHidden("from-savepoint") // refused below; help does not offer it
	return c
}

// notEmpty refuses flags that were given without a value, as "$UNSET" in a
// script gives them: a run without its state would begin anew each time.
func notEmpty(c *cobra.Command, names ...string) error {
	for _, n := range names {
		if f := c.Flags().Lookup(n); f.Changed && f.Value.String() == "" {
			return exitf(exitUsage, "--%s is empty; give it a value or leave it out", n)
		}
	}
	return nil
}

// jobName is the default name of the job of a file; what a name cannot hold
// becomes '-'.
func jobName(file string) string {
	b := filepath.Base(file)
	b = notInName.ReplaceAllString(strings.TrimSuffix(b, filepath.Ext(b)), "-")
	return b[:min(len(b), 180)]
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

var nameOK = regexp.MustCompile(`^[A-Za-z0-9._-]{1,180}$`)

// check looks at the flags alone.
func (f *runFlags) check(file string) (engine.JobOptions, error) {
	o := engine.JobOptions{StateDir: f.state, Workers: f.workers, UntilIdle: f.untilIdle, Adopt: f.adopt}
	if f.savepoint != "" {
		return o, exitf(exitUsage, "--from-savepoint is not supported yet")
	}
	if err := oneOf("format", f.format, "text", "json"); err != nil {
		return o, err
	}
	if err := oneOf("log-format", f.logFormat, "text", "json"); err != nil {
		return o, err
	}
	switch f.atEnd {
	case "":
	case "drain":
		o.AtEnd = engine.AtEndDrain
	case "stop":
		o.AtEnd = engine.AtEndStop
	default:
		return o, exitf(exitUsage, "--at-end cannot be %q; it is drain or stop", f.atEnd)
	}
	if f.workers < 0 || f.workers > 256 {
		return o, exitf(exitUsage, "--workers cannot be %d; it is 1 to 256, or 0 for the number of cores", f.workers)
	}
	if f.adopt && f.state == "" {
		return o, exitf(exitUsage, "--adopt needs --state")
	}
	if f.name == "" {
		f.name = jobName(file)
	}
	if !nameOK.MatchString(f.name) {
		return o, exitf(exitUsage, "a job cannot be named %q; letters, digits, '.', '_' and '-' make a name (--name)", f.name)
	}
	return o, nil
}

// settings splits --set flags.
func settings(set []string) (kv []dsl.KV, err error) {
	for _, s := range set {
		k, v, ok := strings.Cut(s, "=")
		if k = strings.TrimSpace(k); !ok || k == "" {
			return nil, exitf(exitUsage, "--set %q has no value; write --set key=value", s)
		}
		kv = append(kv, dsl.KV{Key: k, Value: v})
	}
	return kv, nil
}

func (a *app) run(file string, f runFlags) error {
	text, err := readFile(file)
	if err != nil {
		return err
	}
	opts, err := f.check(file)
	if err != nil {
		return err
	}
	scr := &screen{w: a.stderr}
	r := &runner{app: a, flags: f, opts: opts, file: source.NewFile(file, text), scr: scr, out: &closable{w: a.stdout}, metrics: engine.NewMetrics()}
	if isTerminal(a.stdout) && isTerminal(a.stderr) {
		r.out.w = &beside{scr, a.stdout}
	}
	return r.run()
}

// runner is one `streamd run`.
type runner struct {
	app     *app
	flags   runFlags
	opts    engine.JobOptions
	file    *source.File
	scr     *screen
	out     *closable
	metrics *engine.Metrics
	job     atomic.Pointer[engine.Job]
	events  engine.Events
	env     func(string) (string, bool)
}

// note says a line to the user.
func (r *runner) note(s string) {
	switch {
	case r.flags.quiet:
	case r.flags.logFormat == "json":
		r.logger().Info(s)
	default:
		fmt.Fprintln(r.scr, "note: "+s)
	}
}

func (r *runner) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if r.flags.quiet {
		o.Level = slog.LevelError
	}
	if r.flags.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(r.scr, o))
	}
	return slog.New(slog.NewTextHandler(r.scr, o))
}

func (r *runner) run() error {
	tuneMemory()
	e, plan, err := r.compile()
	if err != nil {
		return err
	}
	defer e.Close()
	stop := &stopping{stop: make(chan struct{})}
	release := signals(stop.ask, func() { r.scr.abandon(); os.Exit(exitKilled) })
	defer release()
	if r.flags.listen != "" {
		addr, end, err := listen(r.flags.listen, r.metrics, r.job.Load)
		if err != nil {
			return err
		}
		defer end()
		r.note("listening on http://" + addr)
	}
	if r.flags.state == "" {
		r.note("no --state: nothing is kept, a restart begins anew")
	} else if err := os.MkdirAll(r.flags.state, 0o700); err != nil {
		return exitf(exitFailed, "--state cannot be %s: %w", r.flags.state, err) // the engine would try again and again
	}
	j, err := e.Start(context.Background(), r.flags.name, plan, r.opts)
	if err != nil {
		return &exit{exitFailed, err}
	}
	r.job.Store(j)
	r.out.onGone(func() { stop.ask("stdout was closed by its reader") })
	if f, ok := r.app.stdout.(*os.File); ok {
		go watchClosed(f, func() { stop.ask("stdout was closed by its reader") }, j.Done())
	}
	if !r.flags.quiet && !r.flags.plain && isTerminal(r.app.stderr) {
		go r.scr.follow(j, j.Done())
	}
	return r.wait(j, stop)
}

// stopping is the wish to end, said by a signal or a closed stdout.
type stopping struct {
	stop chan struct{}
	said atomic.Bool
	why  atomic.Pointer[string]
}

func (s *stopping) ask(why string) {
	if s.said.CompareAndSwap(false, true) {
		s.why.Store(&why)
		close(s.stop)
	}
}

// wait blocks until the job has ended; once asked to stop it has stopLimit to
// decide its last epoch.
func (r *runner) wait(j *engine.Job, stop *stopping) error {
	select {
	case <-j.Done():
	case <-stop.stop:
		r.note("stopping at the next epoch (" + *stop.why.Load() + "); a second signal ends the process at once")
		j.Stop()
		select {
		case <-j.Done():
		case <-time.After(stopLimit):
			r.scr.end()
			fmt.Fprintf(r.scr, "error: no epoch could be decided within %s of the signal; what was decided before is safe\n", stopLimit)
			os.Exit(exitFailed) // the job cannot be waited for
		}
	}
	err := j.Wait(context.Background())
	r.scr.end()
	if code := report(r.scr, r.file, err); code != exitOK {
		return &exit{code: code}
	}
	st := j.Stats()
	if s := unused(st); s != "" {
		r.note(s)
	}
	switch {
	case st.OpenGroups > 0 && r.flags.state == "" && !r.flags.plain:
		fmt.Fprintf(r.scr, "warning: %d open groups were not emitted, and there is no --state that keeps them\n", st.OpenGroups)
	case st.RowsIn == 0 && st.RowsOut == 0 && r.flags.state != "" && !stop.said.Load():
		r.note("no new rows: the state in " + r.flags.state + " has all that there is")
	}
	return nil
}

// unused says of the rows that were not used how many there were and why; "" =
// all were.
func unused(st engine.Stats) string {
	by := map[string]int64{}
	var all int64
	for k, n := range st.Rejected {
		reason, _, _ := strings.Cut(k, " ")
		by[reason] += n
		all += n
	}
	if all == 0 && st.DeadLetters == 0 {
		return ""
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		if by[reason] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", reason, by[reason]))
		}
	}
	s := fmt.Sprintf("%d rows were not used (%s)", all, strings.Join(parts, ", "))
	if st.DeadLetters > 0 {
		s += fmt.Sprintf("; %d dead letters were written", st.DeadLetters)
	}
	return s
}

// compile plans the file; diagnostics go to stderr.
func (r *runner) compile() (*engine.Engine, *engine.Plan, error) {
	kv, err := settings(r.flags.set)
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.Open(context.Background(), engine.Options{
		Connectors: catalog(), Logger: r.logger(), Events: r.metrics.Events(r.events)})
	if err != nil {
		return nil, nil, &exit{exitFailed, err}
	}
	plan, found := e.Compile(r.file.Name, r.file.Text, engine.CompileOptions{Set: kv, Env: r.env, Job: connectors.Job{
		Name: r.flags.name, Ephemeral: r.flags.state == "", Kafka: r.flags.kafka, UntilIdle: r.flags.untilIdle, Notice: r.note,
		Stdout: r.out, Stderr: r.scr, Format: r.flags.format}})
	ds := pointers(found)
	if r.flags.quiet {
		ds = errorsOnly(ds)
	}
	render(r.scr, map[string]*source.File{r.file.Name: r.file}, ds)
	if plan == nil || diag.HasErrors(ds) {
		return nil, nil, &exit{code: exitUsage}
	}
	if len(plan.Sinks) == 0 {
		return nil, nil, exitf(exitUsage, "%s has neither INSERT nor SELECT: there is nothing to run", r.file.Name)
	}
	if r.flags.untilIdle {
		for _, s := range plan.Sources() {
			if i := s.Spec.Source.Info(); i.Generator && !i.Bounded {
				return nil, nil, exitf(exitUsage, "--until-idle cannot end table %q: its generator has no end; give it 'number-of-rows'", s.Spec.Table)
			}
		}
	}
	return e, plan, nil
}

func errorsOnly(ds []*diag.Diagnostic) (out []*diag.Diagnostic) {
	for _, d := range ds {
		if d.Severity == diag.Error {
			out = append(out, d)
		}
	}
	return out
}
