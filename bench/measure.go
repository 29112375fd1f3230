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
	var cpu, wall, peak []float64
	for i := range runs + 1 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		c := cmd()
		var said strings.Builder
		c.Stderr, c.Stdout = &said, io.Discard
		t0 := time.Now()
		err := c.Start()
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = c.Process.Kill() })
			err = c.Wait()
			stop()
		}
		cancel()
		if err != nil {
			return result{Query: name, Events: events, Error: firstLine(said.String(), err)}
		}
		if i == 0 {
			continue
		}
		wall = append(wall, time.Since(t0).Seconds())
		cpu = append(cpu, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
		if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = append(peak, float64(u.Maxrss)/1024)
		}
	}
	r := result{Query: name, Events: events, CPUSeconds: median(cpu), WallSeconds: median(wall), PeakMB: median(peak)}
	r.PerCPUSecond = float64(events) / r.CPUSeconds
	return r
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
