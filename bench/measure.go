package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// measure runs a command once to warm up and then runs times, and takes medians.
func measure(name string, events int64, runs int, cmd func() *exec.Cmd) result {
	return inTurn(name, events, runs, cmd)[0]
}

// inTurn measures commands that are compared: each runs once in every round, so that
// a machine that is slow for a while is slow for all of them.
func inTurn(name string, events int64, runs int, cmds ...func() *exec.Cmd) []result {
	took := make([]samples, len(cmds))
	out := make([]result, len(cmds))
	for round := range runs + 1 {
		for i, cmd := range cmds {
			if out[i].Error == "" {
				out[i].Error = took[i].run(cmd(), round > 0)
			}
		}
	}
	for i, t := range took {
		if out[i].Query, out[i].Events = name, events; out[i].Error == "" {
			out[i].CPUSeconds, out[i].WallSeconds, out[i].PeakMB = median(t.cpu), median(t.wall), median(t.peak)
			out[i].PerCPUSecond = float64(events) / out[i].CPUSeconds
		}
	}
	return out
}

// samples are the runs of one command: seconds of CPU and by the clock, peak MB.
type samples struct{ cpu, wall, peak []float64 }

// run runs a command, at most ten minutes, and returns what went wrong.
func (s *samples) run(c *exec.Cmd, counts bool) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var said strings.Builder
	c.Stderr, c.Stdout = &said, io.Discard
	t0 := time.Now()
	err := c.Start()
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = c.Process.Kill() })
		err = c.Wait()
		stop()
	}
	if err != nil {
		return firstLine(said.String(), err)
	}
	if !counts {
		return ""
	}
	s.wall = append(s.wall, time.Since(t0).Seconds())
	s.cpu = append(s.cpu, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = append(s.peak, float64(u.Maxrss)/1024)
	}
	return ""
}

func firstLine(said string, err error) string {
	if i := strings.IndexByte(said, '\n'); i > 0 {
		said = said[:i]
	}
	if said == "" {
		return err.Error()
	}
	return said
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[len(x)/2]
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for _, l := range strings.Split(string(b), "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
