package engine

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSlowSinkHoldsTheJob: while a function works at one epoch, a job does not gather
// all that its sources have; what it has read is delivered in the end, each row once.
func TestSlowSinkHoldsTheJob(t *testing.T) {
	type line struct {
		N    int64
		Text string
	}
	const n = 1000 // of 64 KiB each: four times what may wait
	text := strings.Repeat("x", 64<<10)
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	goOn, got := make(chan struct{}), int64(0)
	if err := RegisterSource(e, "lines", Source[line]{Bounded: true, Read: func(_ context.Context, from string, emit func(line, string) error) error {
		at, _ := strconv.ParseInt(from, 10, 64)
		for ; at < n; at++ {
			if err := emit(line{at, text}, strconv.FormatInt(at+1, 10)); err != nil {
				return err
			}
		}
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if err := RegisterSink(e, "slow", func(_ context.Context, d Delivery[line]) error {
		<-goOn
		for _, c := range d.Changes {
			if c.Row.N != got {
				t.Errorf("row %d came as the %dth", c.Row.N, got)
			}
			got++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	p, ds := e.Compile("slow.sql", "SET 'streamd.epoch.interval' = '10 ms';\nCREATE TABLE lines (n BIGINT, text STRING) WITH ('connector' = 'lines');\n"+
		"CREATE TABLE slow (n BIGINT, text STRING) WITH ('connector' = 'slow');\nINSERT INTO slow SELECT n, text FROM lines;", CompileOptions{})
	if p == nil {
		t.Fatal(ds)
	}
	j, err := e.Start(t.Context(), "slow", p, JobOptions{Workers: 1, StateDir: t.TempDir(), cut: func() int { return 20 }})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); !strings.Contains(j.Stats().Waiting, "does not keep up"); time.Sleep(time.Millisecond) {
		if read := j.Stats().RowsIn; read == n || time.Now().After(end) {
			t.Errorf("%d rows were read while the sink was busy: %q", read, j.Stats().Waiting)
			break
		}
	}
	close(goOn)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := j.Wait(ctx); err != nil || got != n {
		t.Errorf("%d rows of %d: %v", got, n, err)
	}
}
