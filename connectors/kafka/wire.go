package kafka

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What one fetch may bring, as bytes on the wire.
const (
	leastFetch = 64 << 10
	mostFetch  = 16 << 20

	partitionFetch = 1 << 20 // of one partition
)

// firstFetch is small, for nobody knows yet what its bytes will become. It is not smaller still because of kfake, which
// forgets to name the aborted transactions of a partition in whose middle a fetch is full: 4 MB are 4 full partitions.
func firstFetch(budget int) int32 { return int32(min(max(budget/16, 1<<20), 4<<20)) }

// wire sees how much larger records are than what comes over the network. A broker counts compressed bytes, so a fetch of
// 16 MB of records that compress well would be gigabytes in memory; limits follow the ratio instead.
type wire struct {
	compressed, plain atomic.Int64 // since the last look

	ratio float64 // belongs to the fetcher's loop, as limit does
	limit int32
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (w *wire) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	w.compressed.Add(int64(m.CompressedBytes))
	w.plain.Add(int64(m.UncompressedBytes))
}

// adapt returns the limit for a fetch that is to hold so many plain bytes, and whether it is new. A rise of the ratio
// counts at once, a fall little by little.
func (w *wire) adapt(plain int) (limit int32, changed bool) {
	c, p := w.compressed.Swap(0), w.plain.Swap(0)
	if c == 0 {
		return w.limit, false
	}
	now := max(1, float64(p)/float64(c))
	w.ratio = max(now, (3*w.ratio+now)/4)
	limit = int32(min(max(float64(plain)/w.ratio, leastFetch), mostFetch))
	if d := float64(limit) / float64(w.limit); d > 0.8 && d < 1.25 {
		return w.limit, false
	}
	w.limit = limit
	return limit, true
}
