package main

import (
	"errors"
	"maps"
	"os"
	"strconv"

	"github.com/streamd/streamd/bench/peers/flink"
	"github.com/streamd/streamd/dsl/ast"
)

// flinkRun measures Apache Flink: parallelism 1, object reuse, the settings of
// flink.Tuned, state on the heap, no checkpoints, as streamd runs here.
type flinkRun struct{ version string }

// flinkPeer returns nil where there is no Flink or none is wanted; why says it.
func flinkPeer(o *options) (f *flinkRun, why string) {
	if !o.wants("flink") {
		return nil, "flink: not asked for"
	}
	if _, err := flink.Command(); errors.Is(err, flink.ErrMissing) {
		return nil, "flink: skipped: " + err.Error()
	} else if err != nil {
		return nil, "flink: skipped: it cannot be fetched: " + err.Error()
	}
	return &flinkRun{flink.Version}, "flink: " + flink.Version + ", " + strconv.FormatInt(o.flinkEvents, 10) + " events, parallelism 1; cold: from the start of the process; warm: run " + strconv.Itoa(o.flinkWarm+1) + " in the same process"
}

// measure runs a query several times in one process, in o.flinkRuns processes.
func (f *flinkRun) measure(query, file string, o *options, r *result) {
	if f == nil {
		return
	}
	r.Flink = &peer{}
	var cold, warm []float64
	for range o.flinkRuns {
		c, w, err := f.once(query, file, o)
		if err != nil {
			r.Flink.Error = err.Error()
			return
		}
		cold, warm = append(cold, c), append(warm, w)
	}
	r.Flink.ColdPerCPUSecond = float64(o.flinkEvents) / median(cold)
	r.Flink.WarmPerCPUSecond = float64(o.flinkEvents) / median(warm)
	r.Flink.Ratio = r.PerCPUSecond / r.Flink.WarmPerCPUSecond
}

// once returns the CPU seconds of a process up to the end of its first run, and of its last run alone.
func (f *flinkRun) once(query, file string, o *options) (cold, warm float64, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	env := func(name string) string {
		return map[string]string{"EVENTS": strconv.FormatInt(o.flinkEvents, 10)}[name]
	}
	p, err := flink.Translate(query, string(text), env, func(*ast.CreateTable, bool) []flink.Option { return nil })
	if err != nil {
		return 0, 0, err
	}
	maps.Copy(p.Set, flink.Tuned)
	c, err := flink.Start()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var before float64
	for i := range 1 + max(o.flinkWarm, 1) {
		before = c.CPUSeconds
		if _, err = c.Run(p); err != nil {
			return 0, 0, err
		}
		if i == 0 {
			cold = c.CPUSeconds
		}
	}
	return cold, c.CPUSeconds - before, nil
}
