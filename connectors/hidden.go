package connectors

import (
	"encoding/binary"

	"github.com/streamd/streamd/batch"
)

// Names of the hidden columns that a scan adds behind the table's own.
const (
	PosColumn = "$pos"
	RawColumn = "$raw"
)

// Origin is a record as it stood in its source, for a dead letter.
type Origin struct {
	Table   int    // Want.Table: which scan read it
	Topic   string // "" where the source has none; then Partition, Offset and Time mean nothing
	Part    int32
	Offset  int64
	Time    int64 // ms since 1970, -1 = none
	Key     []byte
	Value   []byte // nil = the record had no value
	Headers []Header
}

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte // nil = null
}

// Append writes o behind dst, in the form of the column $raw.
func (o *Origin) Append(dst []byte) []byte {
	bytes := func(b []byte) {
		if b == nil {
			dst = binary.AppendUvarint(dst, 0)
			return
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(b))+1), b...)
	}
	dst = binary.AppendUvarint(dst, uint64(o.Table))
	bytes([]byte(o.Topic))
	dst = binary.AppendVarint(dst, int64(o.Part))
	dst = binary.AppendVarint(dst, o.Offset)
	dst = binary.AppendVarint(dst, o.Time)
	bytes(o.Key)
	bytes(o.Value)
	dst = binary.AppendUvarint(dst, uint64(len(o.Headers)))
	for _, h := range o.Headers {
		bytes([]byte(h.Key))
		bytes(h.Value)
	}
	return dst
}

// ParseOrigin reads what Append wrote; its bytes share b's memory. ok is false for
// the empty text, which a source writes that keeps no records.
func ParseOrigin(b []byte) (o Origin, ok bool) {
	if len(b) == 0 {
		return o, false
	}
	number := func() uint64 {
		n, k := binary.Uvarint(b)
		b = b[max(k, 0):]
		return n
	}
	signed := func() int64 {
		n, k := binary.Varint(b)
		b = b[max(k, 0):]
		return n
	}
	bytes := func() []byte {
		n := number()
		if n == 0 {
			return nil
		}
		x := b[: n-1 : n-1]
		b = b[n-1:]
		return x
	}
	o.Table = int(number())
	o.Topic = string(bytes())
	o.Part, o.Offset, o.Time = int32(signed()), signed(), signed()
	o.Key, o.Value = bytes(), bytes()
	for n := number(); n > 0; n-- {
		o.Headers = append(o.Headers, Header{string(bytes()), bytes()})
	}
	return o, true
}

// Hidden fills the hidden columns of a batch: where a row came from and what it
// was before it was decoded.
type Hidden struct{ pos, raw int }

// HiddenOf finds the hidden columns of s that want asks for.
func HiddenOf(s *batch.Schema, want Want) Hidden {
	h := Hidden{-1, -1}
	if want.Pos {
		h.pos = s.Index(PosColumn)
	}
	if want.Raw {
		h.raw = s.Index(RawColumn)
	}
	return h
}

// WantsPos tells whether Append uses its pos.
func (h Hidden) WantsPos() bool { return h.pos >= 0 }

// WantsRaw tells whether Append uses its raw.
func (h Hidden) WantsRaw() bool { return h.raw >= 0 }

// Append adds the place of one row and its record, as Origin.Append writes it.
func (h Hidden) Append(b *batch.Batch, pos, raw []byte) {
	if h.pos >= 0 {
		b.Cols[h.pos].AppendBytes(pos)
	}
	if h.raw >= 0 {
		b.Cols[h.raw].AppendBytes(raw)
	}
}
