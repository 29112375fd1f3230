package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/engine"
)

// limit is far more than any of these jobs needs.
const limit = 60 * time.Second

// open opens an engine with print that is closed at the end of the test.
func open(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	o.Connectors = append(o.Connectors, print.Connector())
	e, err := engine.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// start compiles a text and starts it.
func start(t *testing.T, e *engine.Engine, text string, o engine.JobOptions, job connectors.Job) *engine.Job {
	t.Helper()
	plan, ds := e.Compile("t.sql", text, engine.CompileOptions{Job: job})
	if plan == nil {
		t.Fatal(engine.Mistakes("t.sql", text, ds))
	}
	j, err := e.Start(context.Background(), "t", plan, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wait(t *testing.T, j *engine.Job) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := j.Wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		state, why := j.State()
		t.Fatalf("the job has not ended within %s: %s %s", limit, state, why)
	}
	return err
}

// output runs a text and returns what it prints, or why it does not run.
func output(t *testing.T, e *engine.Engine, text string) string {
	t.Helper()
	var out strings.Builder
	plan, ds := e.Compile("t.sql", text, engine.CompileOptions{Job: connectors.Job{Stdout: &out}})
	if plan == nil {
		return engine.Mistakes("t.sql", text, ds).Error()
	}
	j, err := e.Start(t.Context(), "t", plan, engine.JobOptions{Workers: 1})
	if err == nil {
		err = wait(t, j)
	}
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// final are the rows that printed changes leave behind, as insertions: where a source
// delivers in two parts, a result comes and changes.
func final(changes string) string {
	var rows []string
	for _, l := range strings.Split(changes, "\n") {
		if op, row, ok := strings.Cut(l, "["); ok && strings.HasPrefix(op, "-") {
			if i := slices.Index(rows, "+I["+row); i >= 0 {
				rows = slices.Delete(rows, i, i+1)
				continue
			}
		} else if op == "+U" {
			l = "+I[" + row
		}
		rows = append(rows, l)
	}
	return strings.Join(rows, " ")
}

func register1(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestEnginesDoNotSeeEachOther registers the same names with other meanings in two
// engines, and nothing in a third.
func TestEnginesDoNotSeeEachOther(t *testing.T) {
	var es []*engine.Engine
	for n := range 3 {
		e := open(t, engine.Options{})
		es = append(es, e)
		if n == 2 {
			continue
		}
		register1(t, engine.RegisterFunc(e, "which", func() int { return n }),
			engine.RegisterSource(e, "one", engine.Source[Tick]{Bounded: true, Read: func(_ context.Context, from string, emit func(Tick, string) error) error {
				return emit(Tick{int64(n)}, "")
			}}))
	}
	const text = `CREATE TABLE one (n BIGINT) WITH ('connector' = 'one'); SELECT n, which() FROM one`
	for n := range 2 {
		if got, want := output(t, es[n], text), fmt.Sprintf("+I[%d, %d]", n, n); got != want {
			t.Errorf("engine %d: %s, want %s", n, got, want)
		}
	}
	for _, c := range [][2]string{{"SELECT whicx(1)", "unknown function WHICX"}, {text, `unknown connector "one"`}} {
		if got := output(t, es[2], c[0]); !strings.Contains(got, c[1]) || strings.Contains(got, "WHICH?") {
			t.Errorf("the engine without functions: %s", got)
		}
	}
}

// TestNothingIsLeftRunning counts goroutines after jobs that ended in every way.
func TestNothingIsLeftRunning(t *testing.T) {
	once := func(end func(*engine.Job)) {
		e, err := engine.Open(t.Context(), engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		delivered := make(chan struct{})
		var first sync.Once
		var reading atomic.Int32
		register1(t, engine.RegisterSource(e, "rides", engine.Source[Ride]{Read: func(ctx context.Context, _ string, emit func(Ride, string) error) error {
			reading.Add(1)
			defer reading.Add(-1)
			if err := emit(Ride{City: "Lyon"}, "1"); err != nil {
				return err
			}
			<-ctx.Done()
			time.Sleep(200 * time.Millisecond) // its way to the end is long
			return nil
		}}), engine.RegisterFunc(e, "fare", func(km float64) float64 { return km }),
			engine.RegisterSink(e, "fares", func(context.Context, engine.Delivery[Fare]) error {
				first.Do(func() { close(delivered) })
				return nil
			}))
		j := start(t, e, fares, engine.JobOptions{Workers: 2, StateDir: t.TempDir()}, connectors.Job{})
		<-delivered
		end(j)
		if err := e.Close(); err != nil && !errors.Is(err, engine.ErrKilled) {
			t.Error(err)
		}
		if reading.Load() != 0 {
			t.Error("the source runs on")
		}
		if _, err := e.Start(t.Context(), "t", nil, engine.JobOptions{}); err == nil {
			t.Error("a closed engine starts a job")
		}
	}
	once(func(*engine.Job) {}) // what libraries start once in a process
	before := runtime.NumGoroutine()
	once(func(*engine.Job) {})
	once(func(j *engine.Job) { j.Stop(); _ = wait(t, j) })
	once(func(j *engine.Job) { j.Stop(engine.Drain); _ = wait(t, j) })
	once(func(j *engine.Job) {
		j.Stop(engine.Kill)
		if err := wait(t, j); !errors.Is(err, engine.ErrKilled) {
			t.Errorf("a killed job ended with %v", err)
		}
	})
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, there were %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

// TestNameIsFreeWhenWaitReturns starts one job after the other under one name.
func TestNameIsFreeWhenWaitReturns(t *testing.T) {
	e := open(t, engine.Options{})
	for range 200 {
		if err := wait(t, start(t, e, "SELECT 1", engine.JobOptions{Workers: 1}, connectors.Job{})); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlanRunsOnce refuses a plan a second time, and no plan.
func TestPlanRunsOnce(t *testing.T) {
	e := open(t, engine.Options{})
	plan, _ := e.Compile("t.sql", "SELECT 1", engine.CompileOptions{})
	j, err := e.Start(t.Context(), "a", plan, engine.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = wait(t, j)
	if _, err := e.Start(t.Context(), "b", plan, engine.JobOptions{}); err == nil {
		t.Error("a plan ran twice")
	}
	if _, err := e.Start(t.Context(), "b", nil, engine.JobOptions{}); err == nil {
		t.Error("no plan ran")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Start(ctx, "b", plan, engine.JobOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a job began under a context that had ended: %v", err)
	}
}

// TestCallbacksMayPanic runs a job whose callbacks all panic.
func TestCallbacksMayPanic(t *testing.T) {
	e := open(t, engine.Options{Events: engine.Events{
		State: func(*engine.Job, engine.JobState, string) { panic("state") },
		Epoch: func(*engine.Job, engine.EpochInfo) { panic("epoch") },
	}})
	if got := output(t, e, "SELECT 1"); got != "+I[1]" {
		t.Error(got)
	}
}

// numbers gives 0 to n-1, and fails once at each of some of them.
func numbers(n int, fails ...int) engine.Source[Tick] {
	return engine.Source[Tick]{Bounded: true, Read: func(_ context.Context, from string, emit func(Tick, string) error) error {
		at, _ := strconv.Atoi(from)
		for ; at < n; at++ {
			if len(fails) > 0 && at == fails[0] {
				fails = fails[1:]
				return errors.New("the line is down")
			}
			if err := emit(Tick{int64(at)}, strconv.Itoa(at+1)); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Count is how often a remainder came.
type Count struct{ Rest, N int64 }

// TestSourceIsReadAgain reads a source that fails again and again into a sink that
// fails too, over several starts of the job, of which some are killed.
func TestSourceIsReadAgain(t *testing.T) {
	const n = 200_000
	dir := t.TempDir()
	table, last := map[int64]int64{}, uint64(0)
	deliveries := 0
	var job *engine.Job
	var started chan struct{} // job is set
	deliver := func(_ context.Context, d engine.Delivery[Count]) error {
		if deliveries++; deliveries%8 == 5 && deliveries < 30 {
			return errors.New("no answer") // nothing is kept
		}
		if d.Epoch > last {
			for _, c := range d.Changes {
				switch c.Kind {
				case connectors.Insert, connectors.UpdateAfter:
					table[c.Row.Rest] += c.Row.N
				default:
					table[c.Row.Rest] -= c.Row.N
				}
			}
			last = d.Epoch
		}
		switch {
		case deliveries == 3:
			return errors.New("no answer")
		case deliveries%5 == 2 && deliveries < 30:
			<-started
			job.Stop(engine.Kill)
		}
		return nil
	}
	const text = `SET 'streamd.epoch.interval' = '10 ms'; SET 'table.exec.state.ttl' = '0 ms';
		CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers');
		CREATE TABLE counts (rest BIGINT, n BIGINT) WITH ('connector' = 'counts');
		INSERT INTO counts SELECT n % 7, COUNT(*) FROM numbers GROUP BY n % 7;`
	source := numbers(n, 10, 50_000, 100_000)
	for starts := 0; ; starts++ {
		e := open(t, engine.Options{})
		register1(t, engine.RegisterSource(e, "numbers", source), engine.RegisterSink(e, "counts", deliver))
		plan, ds := e.Compile("t.sql", text, engine.CompileOptions{})
		if plan == nil {
			t.Fatal(engine.Mistakes("t.sql", text, ds))
		}
		var err error
		started = make(chan struct{})
		if job, err = e.Start(context.Background(), "t", plan, engine.JobOptions{StateDir: dir, Workers: 1 + starts%2}); err != nil {
			t.Fatal(err)
		}
		close(started)
		if err = wait(t, job); err == nil {
			break
		}
		if !errors.Is(err, engine.ErrKilled) || starts > 50 {
			t.Fatal(err)
		}
	}
	for r := range int64(7) {
		want := int64(0)
		for x := range int64(n) {
			if x%7 == r {
				want++
			}
		}
		if table[r] != want {
			t.Errorf("rest %d: %d, want %d", r, table[r], want)
		}
	}
	if deliveries < 5 {
		t.Errorf("only %d deliveries: this tests little", deliveries)
	}
}

// TestDrain compares what Stop and Drain make of an open window of a job that keeps
// open windows at the end of its input.
func TestDrain(t *testing.T) {
	const text = `CREATE TABLE ticks (n BIGINT, ts AS TO_TIMESTAMP_LTZ(n, 0), WATERMARK FOR ts AS ts) WITH ('connector' = 'ticks');
		CREATE TABLE counts (rest BIGINT, n BIGINT) WITH ('connector' = 'counts');
		INSERT INTO counts SELECT 0, COUNT(*) FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;`
	for mode, want := range map[engine.StopMode][]Count{engine.Stop: nil, engine.Drain: {{0, 3}}} {
		var got []Count
		e := open(t, engine.Options{})
		register1(t, engine.RegisterSource(e, "ticks", engine.Source[Tick]{Read: func(ctx context.Context, _ string, emit func(Tick, string) error) error {
			for n := range int64(3) {
				if err := emit(Tick{n}, strconv.FormatInt(n+1, 10)); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return ctx.Err()
		}}), engine.RegisterSink(e, "counts", func(_ context.Context, d engine.Delivery[Count]) error {
			for _, c := range d.Changes {
				got = append(got, c.Row)
			}
			return nil
		}))
		j := start(t, e, text, engine.JobOptions{StateDir: t.TempDir(), AtEnd: engine.AtEndStop, Workers: 2}, connectors.Job{})
		for end := time.Now().Add(limit); j.Stats().RowsIn < 3 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		j.Stop(mode)
		if err := wait(t, j); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("mode %d: %v %v, want %v", mode, got, err, want)
		}
		if s, _ := j.State(); (s == engine.Finished) != (mode == engine.Drain) {
			t.Errorf("mode %d: %s", mode, s)
		}
	}
}

// TestKillWhileDelivering kills jobs whose sink waits for ever.
func TestKillWhileDelivering(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		e := open(t, engine.Options{})
		waits := make(chan struct{})
		register1(t, engine.RegisterSource(e, "numbers", numbers(10)),
			engine.RegisterSink(e, "counts", func(ctx context.Context, _ engine.Delivery[Count]) error {
				close(waits)
				<-ctx.Done()
				return ctx.Err()
			}))
		j := start(t, e, `CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers'); CREATE TABLE counts (rest BIGINT, n BIGINT) WITH ('connector' = 'counts');
			INSERT INTO counts SELECT n, n FROM numbers;`, engine.JobOptions{StateDir: dir}, connectors.Job{})
		<-waits
		j.Stop(engine.Kill)
		if err := wait(t, j); !errors.Is(err, engine.ErrKilled) {
			t.Errorf("a killed job ended with %v", err)
		}
	}
}
