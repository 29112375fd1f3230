package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFetchLimitFollowsCompression(t *testing.T) {
	w := wire{limit: firstFetch(64 << 20)}
	seen := func(compressed, plain int) int32 {
		w.OnFetchBatchRead(kgo.BrokerMetadata{}, "", 0, kgo.FetchBatchMetrics{CompressedBytes: compressed, UncompressedBytes: plain})
		limit, _ := w.adapt(16 << 20)
		return limit
	}
	if got := seen(1000, 1000); got != 16<<20 {
		t.Errorf("without compression %d", got)
	}
	if got := seen(1000, 4000); got != 4<<20 {
		t.Errorf("ratio 4: %d", got)
	}
	if got := seen(1000, 100_000_000); got != leastFetch {
		t.Errorf("a bomb: %d", got)
	}
	if limit, changed := w.adapt(16 << 20); changed || limit != leastFetch {
		t.Errorf("nothing came: %d, %v", limit, changed)
	}
	for range 100 {
		seen(1000, 4000)
	}
	if got := seen(1000, 4000); got < 3<<20 || got > 4<<20 {
		t.Errorf("long after the bomb: %d", got)
	}
}
