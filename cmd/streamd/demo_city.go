package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cells are the city's quarters.
var cells = []string{"airport", "castle", "docks", "fair", "harbour", "market", "museum", "north", "park", "stadium", "station", "west"}

const (
	fleet     = 1200            // drivers
	pingEvery = 3 * time.Second // of one driver
	tick      = 50 * time.Millisecond
	jsonTime  = "2006-01-02 15:04:05.000"
)

// mix is a hash of 64 bits: the city's only dice, so that ride n is always the same rider.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// hotCell is where an event ends at this time: for 20 seconds a third of all
// riders are there.
func hotCell(t time.Time) int { return int(mix(uint64(t.Unix()/20)) % uint64(len(cells))) }

// ride is ride request n at time t.
func ride(n int64, t time.Time) []byte {
	h := mix(uint64(n) + 1)
	cell := int(h>>8) % len(cells)
	if h%3 == 0 {
		cell = hotCell(t)
	}
	return fmt.Appendf(nil, `{"ride_id":"r%08d","cell":"%s","ts":"%s"}`, n, cells[cell], t.UTC().Format(jsonTime))
}

// ping is position n: drivers report in turn, stay in a cell for a minute and
// are free two thirds of the time.
func ping(n int64, t time.Time) []byte {
	driver := n % fleet
	h := mix(uint64(driver)<<32 + uint64(t.Unix()+driver)/60)
	return fmt.Appendf(nil, `{"driver_id":"d%04d","cell":"%s","free":%s,"ts":"%s"}`, driver, cells[int(h>>8)%len(cells)], strconv.FormatBool(h%3 != 0), t.UTC().Format(jsonTime))
}

// generate writes rides and pings as their time comes, going on with the
// numbers after those the broker holds.
func generate(ctx context.Context, addr string, rides int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ProducerLinger(5*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := endOffsets(ctx, cl, topicRides, topicPings)
	if err != nil {
		return err
	}
	streams := []struct {
		topic string
		next  int64
		every time.Duration // between two records
		make  func(int64, time.Time) []byte
		at    time.Time
	}{
		{topic: topicRides, next: sum(ends[topicRides]), every: time.Second / time.Duration(rides), make: ride},
		{topic: topicPings, next: sum(ends[topicPings]), every: pingEvery / fleet, make: ping},
	}
	for i := range streams {
		streams[i].at = time.Now()
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		now := time.Now()
		for i := range streams {
			for s := &streams[i]; !s.at.After(now); s.at = s.at.Add(s.every) {
				cl.Produce(ctx, &kgo.Record{Topic: s.topic, Value: s.make(s.next, s.at)}, nil)
				s.next++
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

func sum(m map[int32]int64) (n int64) {
	for _, x := range m {
		n += x
	}
	return n
}

// endOffsets asks where the partitions of topics end, by topic and partition.
func endOffsets(ctx context.Context, cl *kgo.Client, topics ...string) (map[string]map[int32]int64, error) {
	meta := kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t)
		meta.Topics = append(meta.Topics, rt)
	}
	m, err := meta.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = 1 // committed records only
	for _, t := range m.Topics {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = *t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = p.Partition, -1
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	l, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	ends := map[string]map[int32]int64{}
	for _, t := range l.Topics {
		ends[t.Topic] = map[int32]int64{}
		for _, p := range t.Partitions {
			ends[t.Topic][p.Partition] = p.Offset
		}
	}
	return ends, nil
}
