package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// probeAfter is how long a partition that must reach an end may be silent before the broker is asked what is left.
const probeAfter = 500 * time.Millisecond

// fetcher fetches all partitions of one source with one client. What it holds is bounded by a budget: when that is used
// up it stops polling, and a partition that takes more than its share is paused so that it cannot starve the others.
type fetcher struct {
	cluster Cluster
	admin   *kgo.Client // belongs to the source
	budget  int
	wake    func()
	health  *health
	wire    wire
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}

	mu    sync.Mutex
	room  *sync.Cond
	cl    *kgo.Client
	held  int // bytes in all buffers
	parts map[string]map[int32]*buffer
}

func newFetcher(c Cluster, admin *kgo.Client, budget int, wake func(), h *health) *fetcher {
	f := &fetcher{cluster: c, admin: admin, health: h, budget: max(budget, 1<<20), wake: wake, done: make(chan struct{}), parts: map[string]map[int32]*buffer{}}
	if f.wake == nil {
		f.wake = func() {}
	}
	f.wire.limit = firstFetch(f.budget)
	f.room = sync.NewCond(&f.mu)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// add starts fetching a partition.
func (f *fetcher) add(b *buffer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parts[b.topic] == nil {
		f.parts[b.topic] = map[int32]*buffer{}
	}
	if f.parts[b.topic][b.partition] != nil {
		panic("BUG: " + b.split + " is read twice") // the client would go on where the first reader is
	}
	f.parts[b.topic][b.partition] = b
	b.moved = time.Now()
	at := kgo.NewOffset().At(b.next)
	if b.epoch >= 0 {
		at = at.WithEpoch(b.epoch)
	}
	assign := map[string]map[int32]kgo.Offset{b.topic: {b.partition: at}}
	if f.cl != nil {
		f.cl.AddConsumePartitions(assign)
		return nil
	}
	// kgo.WithPools, with every record recycled after the copy into a slab, was tried on
	// the k-tumble row of bench: no less user time, and more system time.
	cl, err := f.cluster.client(
		kgo.ConsumePartitions(assign),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // any other setting silently reads again, or skips
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),               // they move the position to the end of a transaction
		kgo.FetchMaxWait(100*time.Millisecond), // a resumed partition waits for the answer about the others
		kgo.FetchMaxBytes(f.wire.limit),
		kgo.FetchMaxPartitionBytes(partitionFetch),
		kgo.MaxDecompressBatchBytes(64<<20),
		kgo.WithHooks(f.health, &f.wire),
	)
	if err != nil {
		return fmt.Errorf("kafka consumer: %w", err)
	}
	f.cl = cl
	f.health.begin()
	go f.run(cl)
	return nil
}

// remove stops fetching a partition. The fetcher ends with its last one.
func (f *fetcher) remove(b *buffer) {
	f.mu.Lock()
	if f.parts[b.topic][b.partition] != b {
		f.mu.Unlock()
		return
	}
	delete(f.parts[b.topic], b.partition)
	if len(f.parts[b.topic]) == 0 {
		delete(f.parts, b.topic)
	}
	b.mu.Lock()
	f.held -= b.bytes
	b.bytes, b.slabs = 0, nil
	b.mu.Unlock()
	f.room.Signal()
	last := len(f.parts) == 0
	// The last one, too: until it is closed, a client assigns anew at a change of the
	// metadata what it was not told to forget, and fetches while its sessions end.
	if f.cl != nil {
		f.cl.RemoveConsumePartitions(map[string][]int32{b.topic: {b.partition}})
	}
	f.mu.Unlock()
	if last {
		f.close()
	}
}

// over tells that the fetcher was closed.
func (f *fetcher) over() bool { return f.ctx.Err() != nil }

func (f *fetcher) buffer(topic string, partition int32) *buffer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parts[topic][partition]
}

// share is the most that one partition may hold before it is paused. It is resumed at three quarters: kgo asks for it
// again only when the request about the other partitions is answered, and the worker must not run dry meanwhile.
func (f *fetcher) share() int { return f.budget / 2 }

// run polls until the fetcher is closed.
func (f *fetcher) run(cl *kgo.Client) {
	defer close(f.done)
	for {
		f.mu.Lock()
		for f.held >= f.budget && f.ctx.Err() == nil {
			f.room.Wait()
		}
		f.mu.Unlock()
		poll, cancel := context.WithTimeout(f.ctx, probeAfter)
		fetches := cl.PollFetches(poll)
		cancel()
		if f.ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		if limit, changed := f.wire.adapt(f.budget / 2); changed {
			cl.UpdateFetchMaxBytes(limit, min(limit, partitionFetch))
		}
		news := false
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			b := f.buffer(p.Topic, p.Partition)
			if b == nil {
				return // an error of the poll itself, or removed meanwhile
			}
			got, bytes := b.add(p.Records, p.LastStableOffset)
			f.account(cl, b, bytes)
			if p.Err != nil && f.failed(b, p.Err) {
				got = true
			}
			news = news || got
		})
		if f.probe() || news {
			f.wake()
		}
	}
}

// account adds to what is held and pauses a partition that holds more than its share.
func (f *fetcher) account(cl *kgo.Client, b *buffer, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held += bytes
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes > f.share() && !b.paused {
		b.paused = true
		cl.PauseFetchPartitions(map[string][]int32{b.topic: {b.partition}})
	}
}

// taken gives back what a worker has taken.
func (f *fetcher) taken(b *buffer, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held -= bytes
	f.room.Signal()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paused && b.bytes <= f.share()*3/4 && f.cl != nil {
		b.paused = false
		f.cl.ResumeFetchPartitions(map[string][]int32{b.topic: {b.partition}})
	}
}

// failed notes an error of a partition. Errors that pass when the cluster recovers are not the reader's business: kgo
// goes on trying, and the lack of rows shows. It tells whether the reader has to act.
func (f *fetcher) failed(b *buffer, err error) bool {
	var loss *kgo.ErrDataLoss
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange), errors.As(err, &loss):
		ctx, cancel := context.WithTimeout(f.ctx, 10*time.Second)
		defer cancel()
		b.mu.Lock()
		next := b.next
		b.mu.Unlock()
		if at, berr := newOffsets(ctx, kadm.NewClient(f.admin), []string{b.topic}).bounds(b.topic, b.partition); berr == nil && (next < at.start || next > at.end) {
			// Recovery asks again and applies scan.on-data-loss.
			err = fmt.Errorf("%s: offset %d is gone, the log holds %d to %d", b.split, next, at.start, at.end)
		}
	case kerr.IsRetriable(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return false
	}
	b.fail(fmt.Errorf("read %s: %w", b.split, permanent(err)))
	return true
}

// probe looks after partitions that have an end and are silent before it: compaction may have removed all that stood
// there. It tells whether one of them has ended.
func (f *fetcher) probe() bool {
	f.mu.Lock()
	var quiet []*buffer
	for _, ps := range f.parts {
		for _, b := range ps {
			b.mu.Lock()
			if b.until >= 0 && !b.reached && b.err == nil && !b.paused && time.Since(b.moved) > probeAfter {
				quiet = append(quiet, b)
			}
			b.mu.Unlock()
		}
	}
	f.mu.Unlock()
	ended := false
	for _, b := range quiet {
		ctx, cancel := context.WithTimeout(f.ctx, 5*time.Second)
		b.mu.Lock()
		next := b.next
		b.mu.Unlock()
		got, err := fetchRaw(ctx, f.admin, b.topic, b.partition, next, 0)
		cancel()
		b.mu.Lock()
		b.moved = time.Now()
		if err == nil && b.next == next && len(got.records) == 0 && got.stable >= b.until {
			b.next = max(b.next, b.until)
			b.reached, ended = true, true
		}
		b.mu.Unlock()
	}
	return ended
}

func (f *fetcher) close() {
	f.cancel()
	f.mu.Lock()
	cl := f.cl
	f.cl = nil
	f.room.Broadcast()
	f.mu.Unlock()
	if cl != nil {
		<-f.done
		cl.Close()
		f.health.end()
	}
}
