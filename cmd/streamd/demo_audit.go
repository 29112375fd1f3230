package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Sizes of the demo's windows, as the pipeline has them.
const (
	windowSize  = 30 * time.Second
	windowSlide = 2 * time.Second
)

// surgeRow is a row of topic surge.
type surgeRow struct {
	Cell       string  `json:"cell"`
	AsOf       string  `json:"as_of"`
	Requests   int64   `json:"requests"`
	Drivers    int64   `json:"drivers"`
	Multiplier float64 `json:"multiplier"`
}

func (r *surgeRow) end() time.Time {
	t, _ := time.Parse("2006-01-02 15:04:05", r.AsOf)
	return t
}

// window is one window of one cell.
type window struct {
	cell string
	end  int64 // seconds since 1970
}

// auditor counts requests by itself, from the input topic, and compares.
type auditor struct {
	rides   map[window]int64 // by slide: end is the slide's first second
	results map[window]int64
	doubled int
	newest  int64 // end of the newest result
}

// audit checks every committed result of earlier runs against the ride
// requests in the broker, and says what it found.
func audit(ctx context.Context, addr string) (string, error) {
	a := &auditor{rides: map[window]int64{}, results: map[window]int64{}}
	n := 0
	err := readAll(ctx, addr, topicRides, func(v []byte) error {
		var r struct{ Cell, Ts string }
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		t, err := time.Parse(jsonTime, r.Ts)
		if err != nil {
			return err
		}
		n++
		a.rides[window{r.Cell, t.Truncate(windowSlide).Unix()}]++
		return nil
	})
	if err != nil {
		return "", err
	}
	if err := readAll(ctx, addr, topicSurge, func(v []byte) error {
		var r surgeRow
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		a.add(r)
		return nil
	}); err != nil {
		return "", err
	}
	lost, wrong := a.compare()
	return fmt.Sprintf("%d results checked against %d rides: %d lost, %d doubled, %d wrong", len(a.results)+a.doubled, n, lost, a.doubled, wrong), nil
}

func (a *auditor) add(r surgeRow) {
	w := window{r.Cell, r.end().Unix()}
	if _, ok := a.results[w]; ok {
		a.doubled++
	}
	a.results[w] = r.Requests
	a.newest = max(a.newest, w.end)
}

// compare counts windows up to the newest result that have none, and those whose
// count is not that of the input.
func (a *auditor) compare() (lost, wrong int) {
	slide, size := int64(windowSlide/time.Second), int64(windowSize/time.Second)
	want := map[window]int64{}
	for w, n := range a.rides {
		for end := w.end + slide; end <= w.end+size; end += slide {
			if end <= a.newest {
				want[window{w.cell, end}] += n
			}
		}
	}
	for w, n := range want {
		switch got, ok := a.results[w]; {
		case !ok:
			lost++
		case got != n:
			wrong++
		}
	}
	for w := range a.results {
		if _, ok := want[w]; !ok {
			wrong++
		}
	}
	return lost, wrong
}

// readAll reads the committed records that a topic holds now.
func readAll(ctx context.Context, addr, topic string, each func(value []byte) error) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := endOffsets(ctx, cl, topic)
	if err != nil {
		return err
	}
	left := map[int32]int64{}
	for p, end := range ends[topic] {
		if end > 0 {
			left[p] = end
		}
	}
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return err
		}
		fs.EachRecord(func(r *kgo.Record) {
			end, ok := left[r.Partition]
			if !ok || r.Offset >= end || err != nil {
				return
			}
			if !r.Attrs.IsControl() {
				err = each(r.Value)
			}
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
