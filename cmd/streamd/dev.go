package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
)

// devTick is how often the file is looked at and the picture drawn: at once to a person.
const devTick = 250 * time.Millisecond

func (a *app) devCmd() *cobra.Command {
	var kafka string
	var set []string
	var sinks bool
	c := &cobra.Command{Use: "dev FILE", Short: "run a pipeline again at every save, and show its results",
		Long: `dev runs a pipeline and shows what it would write: a live table of each result on a terminal, the changes as lines
elsewhere. At every save of the file it begins anew, from where its sources begin. Nothing is written and no state is
kept, unless --sinks says that the sinks are to be written, too.`,
		Args: nargs(1, 1), RunE: func(_ *cobra.Command, args []string) error {
			kv, err := settings(set)
			if err != nil {
				return err
			}
			if _, err := readFile(args[0]); err != nil {
				return err
			}
			d := &dev{app: a, file: args[0], kafka: kafka, set: kv, sinks: sinks, live: isTerminal(a.stdout), stop: make(chan struct{})}
			stop := sync.OnceFunc(func() { close(d.stop) })
			release := signals(func(string) { stop() }, func() { os.Exit(exitKilled) })
			defer release()
			d.lines = &closable{w: a.stdout}
			d.lines.onGone(stop)
			return d.loop()
		}}
	c.Flags().StringVar(&kafka, "kafka", "", "`HOST:PORT[,...]` of Kafka, where the file names no bootstrap servers")
	c.Flags().StringArrayVar(&set, "set", nil, "`KEY=VALUE`, a setting that wins over SET in the file")
	c.Flags().BoolVar(&sinks, "sinks", false, "write the sinks, too")
	return c
}

// dev is one `streamd dev`. All but the views is used by its own goroutine.
type dev struct {
	*app
	file, kafka string
	set         []dsl.KV
	sinks, live bool
	stop        chan struct{}
	lines       *closable // stdout, where it is no terminal

	eng     *engine.Engine
	job     *engine.Job
	shown   *devViews
	problem string // why nothing runs, as it is shown
	told    bool   // of the job's end
	drawn   bool
}

// loop runs what the file holds, until a signal comes.
func (d *dev) loop() error {
	for {
		text, err := readFile(d.file)
		if err != nil {
			return err // it was there a moment ago
		}
		if err := d.start(source.NewFile(d.file, text)); err != nil {
			return err
		}
		again := d.watch(text)
		d.end()
		if !again {
			return nil
		}
	}
}

// start compiles a text and starts its job, or notes why there is none.
func (d *dev) start(f *source.File) error {
	d.shown, d.problem, d.told, d.job = &devViews{}, "", false, nil
	out := io.Discard
	if !d.live {
		out = d.lines
	}
	e, err := engine.Open(context.Background(), engine.Options{Connectors: d.shown.instead(catalog(), out, d.sinks)})
	if err != nil {
		return &exit{exitFailed, err}
	}
	d.eng = e
	plan, ds := e.Compile(f.Name, f.Text, engine.CompileOptions{Set: d.set, Job: connectors.Job{Name: jobName(d.file), Ephemeral: true,
		Kafka: d.kafka, Notice: func(string) {}, Stdout: io.Discard, Stderr: io.Discard, Format: "text"}})
	var said bytes.Buffer
	render(&said, map[string]*source.File{f.Name: f}, errorsOnly(pointers(ds)))
	switch {
	case plan == nil:
		d.problem = said.String()
	case len(plan.Sinks) == 0:
		d.problem = "there is neither INSERT nor SELECT: nothing to run\n"
	default:
		if d.job, err = e.Start(context.Background(), jobName(d.file), plan, engine.JobOptions{}); err != nil {
			return &exit{exitFailed, err}
		}
	}
	d.say(d.problem)
	return nil
}

// say tells of a problem where there is no picture to show it in.
func (d *dev) say(s string) {
	if s != "" && !d.live {
		fmt.Fprint(d.stderr, s)
	}
}

// watch shows results until the file holds another text, or a signal comes.
func (d *dev) watch(text string) (again bool) {
	t := time.NewTicker(devTick)
	defer t.Stop()
	for {
		d.look(text)
		if d.live {
			wide, high := size(d.stdout)
			d.draw(wide, high)
		}
		select {
		case <-d.stop:
			return false
		case <-t.C:
			// An editor may take the file away for a moment while it saves.
			if b, err := readMost(d.file, dsl.MaxFileBytes+1); err == nil && string(b) != text {
				return true
			}
		}
	}
}

// look finds out whether the job has ended by itself.
func (d *dev) look(text string) {
	if d.job == nil || d.told {
		return
	}
	select {
	case <-d.job.Done():
	default:
		return
	}
	d.told = true
	if x, _ := explainEnd(source.NewFile(d.file, text), d.job.Wait(context.Background())); x != nil {
		var b strings.Builder
		_ = diag.Render(&b, source.NewFile(d.file, text), x)
		d.problem = b.String()
		d.say(d.problem)
	}
}

// end stops the job.
func (d *dev) end() {
	if d.job != nil {
		d.job.Stop()
		select {
		case <-d.job.Done():
		case <-time.After(stopLimit): // it hangs in something outside; the next one has nothing to do with it
			return
		}
	}
	_ = d.eng.Close()
}

// draw paints the results over the last picture.
func (d *dev) draw(wide, high int) {
	var b strings.Builder
	if !d.drawn {
		b.WriteString("\x1b[2J")
		d.drawn = true
	}
	b.WriteString("\x1b[H")
	left := high - 1
	line := func(style, s string) {
		if left > 0 {
			left--
			fmt.Fprintf(&b, "%s%s\x1b[0m\x1b[K\n", style, clip(s, wide))
		}
	}
	head := "streamd dev " + d.file
	if d.job != nil {
		state, why := d.job.State()
		head += fmt.Sprintf(" · %s%s · %d rows read", state, ifSet(": ", why, ""), d.job.Stats().RowsIn)
	}
	if !d.sinks {
		head += " · nothing is written (--sinks)"
	}
	line("\x1b[1m", head)
	for _, l := range strings.Split(strings.TrimSuffix(d.problem, "\n"), "\n") {
		line("\x1b[31m", l)
	}
	views := d.shown.all()
	for i, v := range views {
		if left < 3 {
			break
		}
		title, lines := v.table(left/(len(views)-i) - 3)
		line("\x1b[1m", title)
		for k, l := range lines {
			style := ""
			if k == 0 {
				style = "\x1b[4m"
			}
			line(style, l)
		}
		line("", "")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(d.stdout, b.String())
}
