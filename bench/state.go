package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/nexmark"
	"github.com/streamd/streamd/engine"
)

// stateBytes returns how many bytes of state a pipeline holds when it has read all
// events and no window is closed because the input ends.
func stateBytes(self, file string, env []string) int64 {
	text, err := os.ReadFile(file)
	check(err)
	open := filepath.Join(filepath.Dir(file), "open-"+filepath.Base(file))
	check(os.WriteFile(open, []byte(strings.ReplaceAll(string(text), "'connector' = 'nexmark'", "'connector' = 'nexmark', 'keep-alive' = 'true'")), 0o644))
	c := exec.Command(self, "-state-of", open)
	c.Env, c.Stderr = env, os.Stderr
	out, err := c.Output()
	check(err)
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	check(err)
	return n
}

// printState is the process of stateBytes: it waits until the job reads no more, and
// the engine has measured its state after that, which it does each second.
func printState(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	e, err := engine.Open(context.Background(), engine.Options{Connectors: []*connectors.Connector{nexmark.Connector(), blackhole.Connector()}})
	if err != nil {
		return err
	}
	plan, ds := e.Compile(file, string(text), engine.CompileOptions{Env: os.LookupEnv, Job: connectors.Job{Name: "state", Ephemeral: true, Notice: func(string) {}}})
	if plan == nil {
		return fmt.Errorf("%s: %s", file, ds[0].Message)
	}
	job, err := e.Start(context.Background(), "state", plan, engine.JobOptions{Workers: 1})
	if err != nil {
		return err
	}
	for rows, since := int64(-1), time.Now(); time.Since(since) < 3*time.Second; {
		select {
		case <-job.Done():
			return fmt.Errorf("the job has ended: %w", job.Wait(context.Background()))
		case <-time.After(50 * time.Millisecond):
		}
		if now := job.Stats().RowsIn; now != rows {
			rows, since = now, time.Now()
		}
	}
	fmt.Println(job.Stats().StateBytes)
	return nil
}
