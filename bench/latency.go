package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latencyRows finds the highest even rate that the pipeline, its broker, its producer
// and its reader, which share the machine, sustain together, and measures latency at
// half of that. A burst only says where to search: its start counts, and its producer leaves
// the machine to the others while they catch up.
func latencyRows(bin, self, dir string, records int64) ([]limit, error) {
	b, err := startBroker(self, 1, 1)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	_, most, err := through(bin, dir, b, "burst", time.Second, math.Inf(1), records)
	if err != nil {
		return nil, fmt.Errorf("burst: %w", err)
	}
	full, err := sustained(2*float64(records)/most.Seconds(), func(rate float64) ([]float64, error) {
		took, _, err := through(bin, dir, b, fmt.Sprintf("even-%.0f", rate), time.Second, rate, int64(rate*12))
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, nil // ten times as long as it was sent for
		}
		return took, err
	})
	if err != nil {
		return nil, fmt.Errorf("full load: %w", err)
	}
	rate := full / 2
	var out []limit
	for _, every := range []time.Duration{100 * time.Millisecond, time.Second} {
		took, _, err := through(bin, dir, b, "half-"+every.String(), every, rate, int64(rate*20))
		if err != nil {
			return nil, fmt.Errorf("latency: %w", err)
		}
		took = took[len(took)/5:] // the first seconds are the warm-up
		slices.Sort(took)
		p50, p99 := took[len(took)/2], took[len(took)*99/100]
		out = append(out, limit{Name: fmt.Sprintf("latency p99, epochs of %s", every), Value: p99 / every.Seconds(), Unit: "intervals", Most: 2,
			Note: fmt.Sprintf("%.0f records/s, half of %.0f sustained, p50 %.0f ms, p99 %.0f ms", rate, full, p50*1000, p99*1000)})
	}
	return out, nil
}

// sustained halves its way to the highest rate below most at which the lag is
// bounded. run sends at a rate and returns how late each record came, by arrival;
// nothing where they did not come in time.
func sustained(most float64, run func(rate float64) ([]float64, error)) (float64, error) {
	low, high := 0.0, most
	for range 5 { // to 3 % of most, which is twice a burst
		rate := (low + high) / 2
		took, err := run(rate)
		if err != nil {
			return 0, err
		}
		if bounded(took) {
			low = rate
		} else {
			high = rate
		}
	}
	if low == 0 {
		return 0, fmt.Errorf("the lag grows at every rate down to %.0f records/s", high)
	}
	return low, nil
}

// bounded says whether the lag of an even rate stays: the median of the last quarter
// is no more than half a second above that of the second, since the first is the
// warm-up. Sent for 12 s, a rate 8 % too high adds that much.
func bounded(took []float64) bool {
	q := len(took) / 4
	return q > 0 && middle(took[3*q:]) <= middle(took[q:2*q])+0.5
}

func middle(took []float64) float64 {
	s := slices.Sorted(slices.Values(took))
	return s[len(s)/2]
}

// through sends n records at an even rate through a pipeline, exactly once, and
// returns how long each took from when it was due to be sent to a reader of committed
// records, in seconds by arrival, and how long all took. The topics go with the run.
func through(bin, dir string, b *broker, name string, every time.Duration, rate float64, n int64) ([]float64, time.Duration, error) {
	in, outTopic := "in-"+name, "out-"+name
	b.create(in)
	b.create(outTopic)
	defer func() { b.remove(in); b.remove(outTopic) }() // the broker keeps records in memory
	file, err := kafkaPipeline(dir, "latency")
	if err != nil {
		return nil, 0, err
	}
	c := exec.Command(bin, "run", file, "--name", outTopic, "--state", filepath.Join(dir, outTopic), "--listen", "127.0.0.1:0", "--set", "streamd.epoch.interval="+fmt.Sprintf("%d ms", every.Milliseconds()))
	c.Env = append(os.Environ(), "BROKER="+b.addr, "TOPIC="+in, "OUT="+outTopic)
	said, err := c.StderrPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := c.Start(); err != nil {
		return nil, 0, err
	}
	defer func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	addr, err := listening(said)
	if err == nil {
		err = ready(ctx, addr)
	}
	if err != nil {
		return nil, 0, err
	}
	sent, began := make([]atomic.Int64, n), time.Now()
	go produceAt(ctx, b.addr, in, rate, sent)
	took, err := collect(ctx, b.addr, outTopic, sent)
	return took, time.Since(began), err
}

// listening finds the address in what the pipeline says, and goes on to read it.
func listening(said io.Reader) (string, error) {
	r := bufio.NewReader(said)
	for {
		line, err := r.ReadString('\n')
		if _, addr, ok := strings.Cut(line, "listening on http://"); ok {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return strings.TrimSpace(addr), nil
		}
		if err != nil {
			return "", fmt.Errorf("the pipeline did not start: %s", line)
		}
	}
}

// produceAt appends len(sent) records at an even rate and notes when each was due: a
// producer that falls behind makes its records late, it does not hide that they are.
func produceAt(ctx context.Context, addr, topic string, rate float64, sent []atomic.Int64) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	check(err)
	defer cl.Close()
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	pad := strings.Repeat("x", 250)
	began := time.Now()
	for i := 0; i < len(sent); {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for due := int(min(time.Since(began).Seconds()*rate, float64(len(sent)))); i < due; i++ {
			r := &kgo.Record{Partition: int32(i % kafkaPartitions), Value: fmt.Appendf(nil, `{"id":%d,"pad":"%s"}`, i, pad)}
			sent[i].Store(began.Add(time.Duration(float64(i) / rate * 1e9)).UnixNano())
			cl.Produce(ctx, r, nil)
		}
	}
	_ = cl.Flush(ctx)
}

// collect reads the committed output until every record has come, in seconds from
// its append, by arrival.
func collect(ctx context.Context, addr, topic string, sent []atomic.Int64) ([]float64, error) {
	from := map[int32]kgo.Offset{}
	for p := range int32(kafkaPartitions) {
		from[p] = kgo.NewOffset().AtStart()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	var out []float64
	for len(out) < len(sent) {
		f := cl.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("%d of %d records came: %w", len(out), len(sent), err)
		}
		now := time.Now().UnixNano()
		f.EachRecord(func(r *kgo.Record) {
			id, _, _ := strings.Cut(strings.TrimPrefix(string(r.Value), `{"id":`), ",")
			i, err := strconv.Atoi(id)
			check(err)
			out = append(out, float64(now-sent[i].Load())/1e9)
		})
	}
	return out, nil
}

// ready waits until the pipeline at addr has opened its sources.
func ready(ctx context.Context, addr string) error {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			return err
		}
		if r, err := http.DefaultClient.Do(req); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
