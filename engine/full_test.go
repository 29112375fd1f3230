package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/state"
)

// cramped is a sink on a disk that may be full.
type cramped struct {
	connectors.Sink
	full *atomic.Bool
}

func (c *cramped) SetLineage(l [16]byte) { c.Sink.(connectors.Lineaged).SetLineage(l) }

func (c *cramped) Full() string {
	if c.full.Load() {
		return "DISK NEARLY FULL: the sink's"
	}
	return ""
}

// TestFullDiskPauses: a job waits, and says why, while the disk of its state or of
// a sink is nearly full: at its start, between steps, and with an epoch due. It
// loses nothing and counts right.
func TestFullDiskPauses(t *testing.T) {
	l := newLossy(rand.New(rand.NewPCG(7, 21)), t.TempDir(), 4000)
	write(t, l)
	var sink, disk atomic.Bool
	c := *file.Connector()
	made := c.Sink
	c.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
		s, err := made(d)
		return &cramped{s, &sink}, err
	}
	plan := l.plan(t, &c)
	plan.Settings.EpochInterval = 20 * time.Millisecond
	plan.Settings.StartTimeout = time.Millisecond // a full disk is waited for longer
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var steps atomic.Int64
	disk.Store(true)
	j, err := e.Start(t.Context(), "job", plan, JobOptions{Workers: 1, StateDir: t.TempDir(),
		free: func(string) (int64, error) {
			if disk.Load() {
				return 1 << 20, nil
			}
			return 1 << 40, nil
		},
		cut: func() int {
			switch steps.Add(1) { // in the middle of a step: before the next one the disk is full
			case 5:
				sink.Store(true)
			case 11:
				disk.Store(true)
			}
			return 100
		}})
	if err != nil {
		t.Fatal(err)
	}
	paused := func(s JobState, why string) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			got, said := j.State()
			waits := j.Stats().Waiting // the status line; it is told a moment after the state
			if got == s && strings.Contains(said, why) && !j.Ready() && (s != Running || strings.Contains(waits, why)) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s %q, the status line says %q, want %s %q", got, said, waits, s, why)
			}
		}
		if m := metric(t, j, "streamd_disk_paused"); m != 1 {
			t.Errorf("streamd_disk_paused is %v", m)
		}
	}
	paused(BackingOff, "DISK NEARLY FULL")
	disk.Store(false)
	paused(Running, "the sink's")
	if n := steps.Load(); n != 5 {
		t.Errorf("%d steps, then the sink's disk was full after 5", n)
	}
	sink.Store(false)
	paused(Running, "1 MiB free")
	if n := steps.Load(); n != 11 {
		t.Errorf("%d steps, then the state's disk was full after 11", n)
	}
	epoch := j.Stats().Epoch
	if len(l.read(t, "o")) >= len(l.rows) || j.Stats().Epoch != epoch {
		t.Error("the pause stops nothing")
	}
	disk.Store(false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := j.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	l.check(t, "after full disks")
	if s := j.Stats(); s.DeadLetters != int64(len(l.letters)) || s.HeldMicros == 0 || metric(t, j, "streamd_disk_paused") != 0 {
		t.Errorf("%d letters counted of %d, held %d µs", s.DeadLetters, len(l.letters), s.HeldMicros)
	}
}

// metric is the value of a gauge of a job without further labels.
func metric(t *testing.T, j *Job, name string) float64 {
	t.Helper()
	m := NewMetrics()
	m.jobs[j.Name] = j
	all, err := m.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			return f.Metric[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestDrainOnFullDisk: a job that is to drain while the disk of a sink is full waits no longer for it than other stops do.
func TestDrainOnFullDisk(t *testing.T) {
	l := newLossy(rand.New(rand.NewPCG(9, 21)), t.TempDir(), 500)
	write(t, l)
	var full atomic.Bool
	c := *file.Connector()
	made := c.Sink
	c.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
		s, err := made(d)
		return &cramped{s, &full}, err
	}
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	o := JobOptions{Workers: 1, StateDir: t.TempDir(), stepAtMost: 50 * time.Millisecond}
	j, err := e.Start(t.Context(), "job", l.plan(t, &c), o)
	if err != nil {
		t.Fatal(err)
	}
	j.Stop(Drain)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := j.Wait(ctx); !errors.Is(err, errNoDecision) || !strings.Contains(err.Error(), "DISK NEARLY FULL") {
		t.Fatalf("%v", err)
	}
	full.Store(false)
	if j, err = e.Start(t.Context(), "job", l.plan(t, &c), o); err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	l.check(t, "after a drain")
}

// TestStopOnFullDisk: a job that is asked to stop while the disk of its state is
// full does not begin an epoch there for ever: what is not decided is read again.
func TestStopOnFullDisk(t *testing.T) {
	l := newLossy(rand.New(rand.NewPCG(8, 21)), t.TempDir(), 500)
	write(t, l)
	dir := t.TempDir()
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := JobOptions{Workers: 1, StateDir: dir, free: func(string) (int64, error) { return 0, nil }}
	j, err := e.Start(t.Context(), "job", l.plan(t, file.Connector()), o)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(30 * time.Second)
	for s, _ := j.State(); s != BackingOff; s, _ = j.State() {
		if time.Now().After(end) {
			t.Fatalf("the job is %s", s)
		}
		time.Sleep(time.Millisecond)
	}
	j.Stop()
	if err := j.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "DISK NEARLY FULL") {
		t.Fatalf("%v", err)
	}
	o.free = nil
	if j, err = e.Start(t.Context(), "job", l.plan(t, file.Connector()), o); err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.check(t, "after a stop")
	if s, err := state.Open(dir, state.Options{Job: "job"}); err != nil {
		t.Error(err)
	} else {
		_ = s.Close()
	}
}
