package main

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

//go:embed kafka/*.sql
var kafkaQueries embed.FS

const (
	kafkaTopic      = "bid"
	kafkaFewTopic   = "bid-few" // what the exactly-once rows read: their output has to stay in memory, too
	kafkaPartitions = 4
)

// kafkaRows measures pipelines over a broker in a process of its own, so that only
// the reading side's CPU counts: K, a bare poll loop of the client, then pipelines
// as a ratio of it.
func kafkaRows(bin, self, dir string, records int64, runs, workers int) ([]result, error) {
	few := max(records/2, 1)
	b, err := startBroker(self, records, few)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	fmt.Printf("\n%d bids as JSON on %d partitions, broker in another process\n", records, kafkaPartitions)
	fmt.Printf("%-12s %14s %8s %9s %9s\n", "kafka", "events/cpu s", "of K", "wall s", "peak MB")
	k := measure("K", records, runs, func() *exec.Cmd {
		return exec.Command(self, "-poll", b.addr, "-events", strconv.FormatInt(records, 10))
	})
	if k.Error != "" {
		return nil, fmt.Errorf("poll loop: %s", k.Error)
	}
	out := []result{k}
	showKafka(k, k)
	add := func(name, query string, events int64, env func() []string, args ...string) error {
		file, err := kafkaPipeline(dir, query)
		if err != nil {
			return err
		}
		r := measure(name, events, runs, func() *exec.Cmd {
			c := exec.Command(bin, slices.Concat([]string{"run", file, "--until-idle", "--workers", strconv.Itoa(workers), "-q"}, args)...)
			c.Env = append(append(os.Environ(), "BROKER="+b.addr), env()...)
			if i := slices.Index(args, "--state"); i >= 0 { // every run begins anew
				c.Args = append(c.Args, "--name", strings.TrimPrefix(c.Env[len(c.Env)-1], "OUT="))
				_ = os.RemoveAll(args[i+1])
			}
			return c
		})
		r.OfK = r.PerCPUSecond / k.PerCPUSecond
		showKafka(r, k)
		out = append(out, r)
		return nil
	}
	all := func() []string { return []string{"TOPIC=" + kafkaTopic} }
	for _, q := range []string{"tumble", "hop"} {
		if err := add("k-"+q, q, records, all); err != nil {
			return nil, err
		}
	}
	outs := 0
	for _, every := range []string{"1 s", "100 ms"} {
		err := add("k-q1-"+strings.ReplaceAll(every, " ", ""), "q1", few, func() []string {
			topic := "out" + strconv.Itoa(outs)
			if outs++; outs > 1 {
				b.remove("out" + strconv.Itoa(outs-2))
			}
			b.create(topic)
			return []string{"TOPIC=" + kafkaFewTopic, "OUT=" + topic}
		}, "--state", filepath.Join(dir, "state"), "--set", "streamd.epoch.interval="+every)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func kafkaPipeline(dir, q string) (string, error) {
	ddl, err := kafkaQueries.ReadFile("kafka/ddl.sql")
	if err != nil {
		return "", err
	}
	text, err := kafkaQueries.ReadFile("kafka/" + q + ".sql")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "kafka-"+q+".sql")
	return file, os.WriteFile(file, slices.Concat(ddl, []byte("\n"), text), 0o644)
}

func showKafka(r, k result) {
	if r.Error != "" {
		fmt.Printf("%-12s %s\n", r.Query, r.Error)
		return
	}
	fmt.Printf("%-12s %14.0f %8.3f %9.2f %9.0f\n", r.Query, r.PerCPUSecond, r.PerCPUSecond/k.PerCPUSecond, r.WallSeconds, r.PeakMB)
}

// broker is the other process.
type broker struct {
	addr string
	cmd  *exec.Cmd
	in   io.Closer
	adm  *kadm.Client
}

func startBroker(self string, records, few int64) (*broker, error) {
	c := exec.Command(self, "-broker", "-events", strconv.FormatInt(records, 10), "-few", strconv.FormatInt(few, 10))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	b := &broker{cmd: c, in: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.stop()
		return nil, fmt.Errorf("broker: %w", err)
	}
	b.addr = strings.TrimSpace(line)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.addr))
	if err != nil {
		b.stop()
		return nil, err
	}
	b.adm = kadm.NewClient(cl)
	return b, nil
}

func (b *broker) create(topic string) {
	_, err := b.adm.CreateTopic(context.Background(), kafkaPartitions, 1, nil, topic)
	check(err)
}

func (b *broker) remove(topic string) {
	_, err := b.adm.DeleteTopic(context.Background(), topic)
	check(err)
}

// stop ends the broker: it lives as long as its stdin.
func (b *broker) stop() {
	if b.adm != nil {
		b.adm.Close()
	}
	_ = b.in.Close()
	_ = b.cmd.Wait()
}

// serveBroker is the broker's process: it fills two topics, prints its address and
// ends with its stdin.
func serveBroker(records, few int64) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(kafkaPartitions, kafkaTopic, kafkaFewTopic))
	check(err)
	defer c.Close()
	addr := c.ListenAddrs()[0]
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	check(err)
	for topic, n := range map[string]int64{kafkaTopic: records, kafkaFewTopic: few} {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			r := &kgo.Record{Topic: topic, Partition: int32(i % kafkaPartitions), Value: bid(rng, i)}
			cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) { check(err) })
		}
		check(cl.Flush(context.Background()))
	}
	cl.Close()
	fmt.Println(addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// bid is the i-th bid: 330 bytes, a hundred to a millisecond of event time, half of
// them on the one auction that is hot.
func bid(rng *rand.Rand, i int64) []byte {
	auction := 1000 + i/50 - rng.Int64N(100)
	if rng.IntN(2) == 0 {
		auction = 1000 + i/5000*100
	}
	channels := [...]string{"Google", "Facebook", "Baidu", "Apple"}
	at := time.UnixMilli(1_767_225_600_000 + i/100).UTC().Format("2006-01-02 15:04:05.000")
	b := fmt.Appendf(nil, `{"auction":%d,"bidder":%d,"price":%d,"channel":"%s","url":"https://www.nexmark.com/%08x/%08x/item.htm?query=1","dateTime":"%s","extra":"`,
		max(auction, 1), 1000+rng.Int64N(1+i/50), 100+rng.Int64N(10_000_000), channels[rng.IntN(len(channels))], rng.Uint32(), rng.Uint32(), at)
	for len(b) < 328 {
		b = append(b, byte('a'+rng.IntN(26)))
	}
	return append(b, '"', '}')
}

// poll reads n records of all partitions and counts them and their bytes: K.
func poll(addr string, n int64) {
	from := map[int32]kgo.Offset{}
	for p := range int32(kafkaPartitions) {
		from[p] = kgo.NewOffset().AtStart()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{kafkaTopic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	check(err)
	defer cl.Close()
	var records, bytes int64
	for records < n {
		f := cl.PollFetches(context.Background())
		check(f.Err())
		f.EachRecord(func(r *kgo.Record) { records, bytes = records+1, bytes+int64(len(r.Value)) })
	}
	fmt.Println(records, "records,", bytes, "bytes")
}
