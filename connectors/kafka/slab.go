package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// slabBytes is the size at which a slab is closed. A slab is the unit of hand-over from fetching to decoding, small
// enough to stay in a core's cache while it is decoded.
const slabBytes = 256 << 10

// keep says what of a record is copied besides its value.
type keep struct{ keys, times, headers bool }

// slab is a run of records of one partition in offset order, copied out of the client's memory, bytes back to back.
// Slices that nobody asked for stay empty.
type slab struct {
	values   []byte
	ends     []int32 // end of each record's value in values; ^end = the value is null
	offsets  []int64
	keys     []byte
	keyEnds  []int32
	times    []int64 // milliseconds since 1970
	timeType []int8
	headers  [][]kgo.RecordHeader
	epoch    int32 // leader epoch of all records
	next     int64 // where to go on after this slab: behind its last record and what control records follow
}

func (s *slab) bytes() int { return len(s.values) + len(s.keys) + 16*len(s.offsets) }

func (s *slab) reset() {
	s.values, s.ends, s.offsets = s.values[:0], s.ends[:0], s.offsets[:0]
	s.keys, s.keyEnds, s.times, s.timeType = s.keys[:0], s.keyEnds[:0], s.times[:0], s.timeType[:0]
	clear(s.headers)
	s.headers = s.headers[:0]
}

func (s *slab) add(r *kgo.Record, k keep) {
	s.values, s.ends = appendField(s.values, s.ends, r.Value)
	s.offsets = append(s.offsets, r.Offset)
	if k.keys {
		s.keys, s.keyEnds = appendField(s.keys, s.keyEnds, r.Key)
	}
	if k.times {
		s.times = append(s.times, r.Timestamp.UnixMilli())
		s.timeType = append(s.timeType, r.Attrs.TimestampType())
	}
	if k.headers {
		h := make([]kgo.RecordHeader, len(r.Headers))
		for i, x := range r.Headers {
			h[i] = kgo.RecordHeader{Key: x.Key, Value: append([]byte(nil), x.Value...)}
			if x.Value == nil {
				h[i].Value = nil
			}
		}
		s.headers = append(s.headers, h)
	}
	s.next = r.Offset + 1
}

func appendField(data []byte, ends []int32, b []byte) ([]byte, []int32) {
	data = append(data, b...)
	end := int32(len(data))
	if b == nil {
		end = ^end
	}
	return data, append(ends, end)
}

// field returns the i-th field; null fields are nil, empty ones are not.
func field(data []byte, ends []int32, i int) []byte {
	end, from := ends[i], int32(0)
	if end < 0 {
		return nil
	}
	if i > 0 {
		if from = ends[i-1]; from < 0 {
			from = ^from
		}
	}
	return data[from:end:end]
}
