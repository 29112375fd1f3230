package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/engine"
)

//go:embed state/*.sql
var stateQueries embed.FS

// probed is what one run of a pipeline with a state directory tells of its state.
type probed struct {
	Rows       int64   // read
	Epochs     int64   // decided
	Dirty      int64   // state rows written by all epochs
	Pause      float64 // s: how long the workers stood still, all epochs together
	Longest    float64 // s: the longest pause of one epoch
	StateBytes int64
}

// probe runs a pipeline inside this process, for numbers that only the engine's
// callbacks tell.
func probe(file, dir string, workers int) (p probed, err error) {
	ctx := context.Background()
	text, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	var mu sync.Mutex
	e, err := engine.Open(ctx, engine.Options{Connectors: []*connectors.Connector{datagen.Connector(), blackhole.Connector()}, Events: engine.Events{
		Epoch: func(_ *engine.Job, i engine.EpochInfo) {
			mu.Lock()
			defer mu.Unlock()
			pause := float64(i.PauseMicros) / 1e6
			p.Epochs, p.Dirty, p.Pause, p.Longest = p.Epochs+1, p.Dirty+i.Dirty, p.Pause+pause, max(p.Longest, pause)
		},
	}})
	if err != nil {
		return p, err
	}
	defer e.Close()
	plan, ds := e.Compile(filepath.Base(file), string(text), engine.CompileOptions{Job: connectors.Job{Name: "probe", Stdout: io.Discard, Stderr: io.Discard}})
	if plan == nil {
		return p, fmt.Errorf("%s: %v", file, ds)
	}
	job, err := e.Start(ctx, "probe", plan, engine.JobOptions{Workers: workers, StateDir: dir, AtEnd: engine.AtEndStop})
	if err != nil {
		return p, err
	}
	if err := job.Wait(ctx); err != nil {
		return p, err
	}
	mu.Lock()
	defer mu.Unlock()
	s := job.Stats()
	p.Rows, p.StateBytes = s.RowsIn, s.StateBytes
	return p, nil
}

// printProbe is the child's side of probing: JSON on stdout.
func printProbe(file, dir string, workers int) {
	p, err := probe(file, dir, workers)
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(p))
}

// probeChild probes in a process of its own, so that each begins with an empty heap.
func probeChild(self, file, dir string, workers int, env ...string) (p probed, err error) {
	c := exec.Command(self, "-probe", file, "-state", dir, "-workers", strconv.Itoa(workers))
	c.Env, c.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := c.Output()
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(out, &p)
}

// stateRun runs the pipelines whose state has many keys.
type stateRun struct {
	self, at string
	keys     int64
	o        *options
	files    map[string]string
	env      []string
}

func newStateRun(self, dir string, keys int64, o *options) (*stateRun, error) {
	s := &stateRun{self: self, at: filepath.Join(dir, "probed"), keys: keys, o: o, files: map[string]string{},
		env: []string{"KEYS=" + strconv.FormatInt(keys, 10), "ROWS=" + strconv.FormatInt(4*keys, 10)}}
	for _, q := range []string{"keys", "updates"} {
		text, err := stateQueries.ReadFile("state/" + q + ".sql")
		if err != nil {
			return nil, err
		}
		s.files[q] = filepath.Join(dir, "state-"+q+".sql")
		if err := os.WriteFile(s.files[q], text, 0o644); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// probe fills the state anew, each key once.
func (s *stateRun) probe() (probed, error) {
	if err := os.RemoveAll(s.at); err != nil {
		return probed{}, err
	}
	return probeChild(s.self, s.files["keys"], s.at, s.o.workers, s.env...)
}

func (s *stateRun) named(what string) string {
	return fmt.Sprintf("%s, %g M keys", what, float64(s.keys)/1e6)
}

// memory compares peak memory with the bytes of live state.
func (s *stateRun) memory(bin string, live int64) (out []limit, err error) {
	for _, q := range []struct{ file, times string }{{"keys", " once"}, {"updates", " four times"}} {
		r := measure("memory", s.keys, s.o.runs, func() *exec.Cmd {
			_ = os.RemoveAll(s.at)
			c := exec.Command(bin, "run", s.files[q.file], "--workers", strconv.Itoa(s.o.workers), "--state", s.at, "--at-end", "stop", "-q")
			c.Env = append(os.Environ(), s.env...)
			return c
		})
		if r.Error != "" {
			return nil, fmt.Errorf("%s: %s", q.file, r.Error)
		}
		out = append(out, limit{Name: s.named("peak memory") + q.times, Value: r.PeakMB * (1 << 20) / float64(live), Unit: "of live state", Most: 2,
			Note: fmt.Sprintf("%.0f MB of %.0f", r.PeakMB, float64(live)/(1<<20))})
	}
	return out, nil
}

// stateRows measures what durable state costs: the pause of an epoch for each row
// it writes, recovery, memory, and the CPU that shorter epochs take.
func stateRows(bin, self, dir string, keys int64, o *options) ([]limit, error) {
	s, err := newStateRun(self, dir, keys, o)
	if err != nil {
		return nil, err
	}
	var pause, rate []float64
	var full probed
	for range o.runs {
		p, err := s.probe()
		if err != nil {
			return nil, err
		}
		// All that a process does whose state has everything already, its start and end included.
		again := measure("recovery", keys, 1, func() *exec.Cmd {
			c := exec.Command(bin, "run", s.files["keys"], "--name", "probe", "--workers", strconv.Itoa(o.workers), "--state", s.at, "--at-end", "stop", "-q")
			c.Env = append(os.Environ(), s.env...)
			return c
		})
		if again.Error != "" {
			return nil, fmt.Errorf("recovery: %s", again.Error)
		}
		full = p
		pause = append(pause, p.Pause/float64(p.Dirty)*1e9)
		rate = append(rate, float64(keys)/again.WallSeconds/1e6)
	}
	out := []limit{
		{Name: s.named("epoch's pause"), Value: median(pause), Unit: "ns a dirty row", Most: 100},
		{Name: s.named("recovery"), Value: median(rate), Unit: "M rows/s", Least: 4},
	}
	memory, err := s.memory(bin, full.StateBytes)
	if err != nil {
		return nil, err
	}
	costs, err := epochCosts(bin, dir, o)
	return append(append(out, memory...), costs...), err
}

// epochCosts compares a run without a state directory with one that takes epochs.
// The bound is on throughput; what other cores do meanwhile shows as CPU.
func epochCosts(bin, dir string, o *options) (out []limit, err error) {
	at := filepath.Join(dir, "epochs")
	for _, c := range []struct{ query, every string }{{"q1", "100 ms"}, {"q5inner", "100 ms"}, {"group1m", "1 s"}} {
		file, err := pipeline(dir, c.query)
		if err != nil {
			return nil, err
		}
		run := queryRun(bin, file, o.events, o.workers)
		both := inTurn(c.query, o.events, o.runs, run, func() *exec.Cmd {
			_ = os.RemoveAll(at)
			x := run()
			x.Args = append(x.Args, "--state", at, "--set", "streamd.epoch.interval="+c.every)
			return x
		})
		bare, kept := both[0], both[1]
		if msg := bare.Error + kept.Error; msg != "" {
			return nil, fmt.Errorf("%s: %s", c.query, msg)
		}
		name := "epochs of " + strings.ReplaceAll(c.every, " ", "") + ", " + c.query
		out = append(out, limit{Name: name + ", time", Value: 100 * (kept.WallSeconds/bare.WallSeconds - 1), Unit: "% more", Most: 10},
			limit{Name: name + ", CPU", Value: 100 * (kept.CPUSeconds/bare.CPUSeconds - 1), Unit: "% more"})
	}
	return out, nil
}
