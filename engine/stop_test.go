package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
)

// doubling is a pipeline that makes 2^n rows of one in a single step.
func doubling(n int) string {
	var s strings.Builder
	s.WriteString("CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');\nCREATE VIEW v0 AS SELECT a FROM (VALUES (1)) AS t (a);\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&s, "CREATE VIEW v%d AS SELECT a FROM v%d UNION ALL SELECT a FROM v%d;\n", i, i-1, i-1)
	}
	fmt.Fprintf(&s, "INSERT INTO o SELECT a FROM v%d;\n", n)
	return s.String()
}

// TestStopBreaksOffAnEndlessStep: a step that makes 2^39 rows ends soon after the time that a stop gives it, and at once
// when the job is killed.
func TestStopBreaksOffAnEndlessStep(t *testing.T) {
	for _, c := range []struct {
		workers int
		mode    StopMode
		atMost  time.Duration // 0 = what a stop gives
		want    error
	}{{1, Stop, 50 * time.Millisecond, errStepTooLong}, {3, Stop, 50 * time.Millisecond, errStepTooLong}, {1, Kill, 0, ErrKilled}, {3, Kill, 0, ErrKilled}} {
		e, err := Open(t.Context(), Options{Connectors: []*connectors.Connector{blackhole.Connector()}})
		if err != nil {
			t.Fatal(err)
		}
		started := make(chan *Job, 1)
		var once sync.Once
		stopping := func() int { // in the midst of the first step
			once.Do(func() { (<-started).Stop(c.mode) })
			return 1
		}
		p, ds := e.Compile("doubling.sql", doubling(39), CompileOptions{})
		if p == nil {
			t.Fatal(ds)
		}
		j, err := e.Start(t.Context(), "doubling", p, JobOptions{Workers: c.workers, stepAtMost: c.atMost, cut: stopping})
		if err != nil {
			t.Fatal(err)
		}
		started <- j
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := j.Wait(ctx); !errors.Is(err, c.want) {
			t.Fatalf("%+v: %v", c, err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTooLargeIsNoFaultOfOurs: what a vector cannot hold is told as the size of the data; any other panic is a fault.
func TestTooLargeIsNoFaultOfOurs(t *testing.T) {
	caught := func(f func()) (err error) {
		defer func() { err = recovered(recover()) }()
		f()
		return nil
	}
	var large *connectors.Permanent
	if err := caught(func() { batch.View(1<<31, 1) }); !errors.As(err, &large) || large.Code != "SD6010" || !strings.Contains(err.Error(), "2 GiB") {
		t.Errorf("%v", err)
	}
	var bug *BugError
	if err := caught(func() { panic("BUG: x") }); !errors.As(err, &bug) {
		t.Errorf("%v", err)
	}
}
