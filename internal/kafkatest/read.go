package kafkatest

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Committed returns all committed records of a topic, in offset order within each partition. It first waits until no
// transaction is open there: a real broker answers EndTxn before the transaction is visible.
func Committed(tb testing.TB, b *Broker, topic string) []*kgo.Record {
	tb.Helper()
	ctx := Deadline(tb)
	cl := b.Client(tb, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	defer cl.Close()
	adm := kadm.NewClient(cl)
	want := map[int32]int64{}
	Until(tb, "no open transaction in "+topic, func() bool {
		high, err1 := adm.ListEndOffsets(ctx, topic)
		stable, err2 := adm.ListCommittedOffsets(ctx, topic)
		if err := errors.Join(err1, err2, high.Error(), stable.Error()); err != nil {
			return false
		}
		open := false
		high.Each(func(h kadm.ListedOffset) {
			s, _ := stable.Lookup(topic, h.Partition)
			open = open || s.Offset < h.Offset
			want[h.Partition] = h.Offset
		})
		return !open
	})
	for p, end := range want {
		if end == 0 {
			delete(want, p)
		}
	}
	byPart := map[int32][]*kgo.Record{}
	for len(want) > 0 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			tb.Fatalf("read %s: not at the end of partitions %v", topic, want)
		}
		fs.EachRecord(func(r *kgo.Record) {
			end, open := want[r.Partition]
			if !open {
				return
			}
			if r.Offset < end && !r.Attrs.IsControl() {
				byPart[r.Partition] = append(byPart[r.Partition], r)
			}
			// The last record below the end may be one of a transaction that was aborted
			// between the two looks above, and is not shown: its marker, behind the end, is.
			if r.Offset >= end-1 {
				delete(want, r.Partition)
			}
		})
	}
	var out []*kgo.Record
	for p := int32(0); len(byPart) > 0; p++ {
		out = append(out, byPart[p]...)
		delete(byPart, p)
	}
	return out
}
