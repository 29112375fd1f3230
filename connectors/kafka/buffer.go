package kafka

import (
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// buffer holds fetched records of one partition until a worker takes them.
type buffer struct {
	topic     string
	partition int32
	split     string
	keep      keep
	until     int64 // -1 = for ever

	mu      sync.Mutex
	slabs   []*slab // oldest first; the last one is being filled
	bytes   int
	next    int64 // next offset to take in
	epoch   int32
	stable  int64 // last stable offset known
	reached bool  // next has reached until
	paused  bool
	err     error
	moved   time.Time // when records or control records last came
}

// add takes in what was fetched and tells whether a worker has something to do now, and how many bytes came.
func (b *buffer) add(recs []*kgo.Record, stable int64) (news bool, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.bytes
	b.stable, b.moved = stable, time.Now()
	left := 0 // bytes of values to come
	for _, r := range recs {
		left += len(r.Value)
	}
	for _, r := range recs {
		if b.reached {
			break
		}
		if b.until >= 0 && r.Offset >= b.until {
			b.reached = true
			break
		}
		if r.Offset < b.next {
			continue
		}
		s := b.tail(r.LeaderEpoch)
		if len(s.values) == 0 { // at once, not by doubling
			s.values = slices.Grow(s.values, min(left, slabBytes))
		}
		left -= len(r.Value)
		if r.Attrs.IsControl() {
			s.next = r.Offset + 1
		} else {
			size := s.bytes()
			s.add(r, b.keep)
			b.bytes += s.bytes() - size
			news = true
		}
		b.next = r.Offset + 1
		b.reached = b.until >= 0 && b.next >= b.until
	}
	return news || b.reached, b.bytes - before
}

// tail returns the slab to fill.
func (b *buffer) tail(epoch int32) *slab {
	if n := len(b.slabs); n > 0 {
		if s := b.slabs[n-1]; s.epoch == epoch && s.bytes() < slabBytes {
			return s
		}
	}
	b.epoch = epoch
	s := slabs.Get().(*slab)
	s.epoch, s.next = epoch, b.next
	b.slabs = append(b.slabs, s)
	return s
}

var slabs = sync.Pool{New: func() any { return new(slab) }}

// take hands over the oldest slab, nil if there is none.
func (b *buffer) take() (s *slab, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.slabs) == 0 {
		return nil, 0
	}
	s = b.slabs[0]
	b.slabs[0] = nil
	b.slabs = b.slabs[1:]
	b.bytes -= s.bytes()
	return s, s.bytes()
}

func (b *buffer) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}
