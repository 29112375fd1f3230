package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/examples/pipelines"
)

// demoFlags are the flags of `streamd demo`.
type demoFlags struct {
	state  string
	listen string
	rides  int
}

func (a *app) demoCmd() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{Use: "demo [NAME]", Short: "a live pipeline with everything it needs inside this process",
		Long: "demo starts a demo broker (Kafka-compatible, inside this process), writes ride requests and driver\npositions into it, runs the surge-pricing pipeline and shows what it writes. The only demo so far is\nsurge-pricing.\n\nWith --state, data and state stay in a directory: after Ctrl-C, or kill -9, the same command goes on\nexactly where it was, and checks every result it had written.",
		Args: nargs(0, 1), RunE: func(c *cobra.Command, args []string) error {
			if err := notEmpty(c, "state", "listen"); err != nil {
				return err
			}
			if len(args) == 1 && args[0] != demoName {
				return exitf(exitNotFound, "there is no demo %q; there is %s", args[0], demoName)
			}
			if f.rides < 1 || f.rides > 1_000_000 {
				return exitf(exitUsage, "--rides cannot be %d; it is 1 to 1000000 a second", f.rides)
			}
			return a.demo(f)
		}}
	c.Flags().StringVar(&f.state, "state", "", "`DIR` that keeps broker, data and state; without it all is gone at the end")
	c.Flags().StringVar(&f.listen, "listen", "", "`ADDR`, HOST:PORT, at which to serve /metrics, /healthz and /readyz")
	c.Flags().IntVar(&f.rides, "rides", 60, "`N` ride requests a second")
	return c
}

const demoName = "surge-pricing"

// demo runs broker, city, pipeline and table until it is asked to stop.
func (a *app) demo(f demoFlags) (err error) {
	dir := f.state
	if dir == "" {
		if dir, err = os.MkdirTemp("", "streamd-demo-"); err != nil {
			return &exit{exitFailed, err}
		}
		defer os.RemoveAll(dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return &exit{exitFailed, err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &exit{exitFailed, err}
	}
	unlock, err := lockDemo(dir)
	if err != nil {
		return err
	}
	defer unlock()
	file, err := demoFile(dir)
	if err != nil {
		return err
	}
	broker, err := startBroker(dir, f.state != "")
	if err != nil {
		return exitf(exitFailed, "the demo broker does not start: %w", err)
	}
	defer broker.close()

	live := isTerminal(a.stdout)
	r := &runner{app: a, file: file, metrics: engine.NewMetrics(), out: &closable{w: a.stdout}, scr: &screen{w: a.stderr}}
	r.flags = runFlags{name: demoName, kafka: broker.addr, listen: f.listen, format: "json", logFormat: "text", quiet: live, plain: true}
	if f.state != "" {
		r.flags.state = filepath.Join(dir, "job")
	}
	r.opts = engine.JobOptions{StateDir: r.flags.state}

	fmt.Fprintf(r.scr, "demo broker (Kafka-compatible, inside this process): %s\n", broker.addr)
	fmt.Fprintf(r.scr, "topics: %s, %s -> %s; other processes reach them with --kafka %s\n", topicRides, topicPings, topicSurge, broker.addr)
	fmt.Fprintf(r.scr, "pipeline: %s\n", file.Name)
	if f.state != "" {
		fmt.Fprintf(r.scr, "state: %s\n", dir)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	note := ""
	if broker.resumed {
		said, err := audit(ctx, broker.addr)
		if err != nil {
			return exitf(exitFailed, "cannot check what was written before: %w", err)
		}
		note = "resumed: " + said
		fmt.Fprintln(r.scr, note)
	}
	var city sync.WaitGroup
	fail := make(chan error, 2)
	city.Go(func() { fail <- generate(ctx, broker.addr, f.rides) })
	t := &table{out: r.out, live: live, broker: broker.addr, file: file.Name, note: note, state: f.state, job: r.job.Load}
	city.Go(func() { fail <- t.follow(ctx, broker.addr) })
	err = r.run()
	cancel()
	city.Wait()
	close(fail)
	for e := range fail {
		if e != nil && err == nil && !errors.Is(e, context.Canceled) {
			err = &exit{exitFailed, e}
		}
	}
	if live {
		fmt.Fprintln(r.scr) // behind the ^C
	}
	if err == nil && f.state != "" {
		fmt.Fprintf(r.scr, "stopped; `streamd demo --state %s` goes on from here\n", f.state)
	}
	return err
}

// demoFile writes the pipeline next to the state, so that it can be read and
// changed; a file that is there already is the user's.
func demoFile(dir string) (*source.File, error) {
	path := filepath.Join(dir, demoName+".sql")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		b = []byte(pipelines.SurgePricing)
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return nil, &exit{exitFailed, err}
	}
	return source.NewFile(path, string(b)), nil
}
