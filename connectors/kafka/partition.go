package kafka

import "encoding/binary"

// murmur2 is the 32-bit MurmurHash2 with the seed of Kafka's Java client, so that a key's records stand in the same
// partition whoever writes them.
func murmur2(data []byte) uint32 {
	const m, r = 0x5bd1e995, 24
	h := uint32(0x9747b28c) ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data)
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(data[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// keyPartition is the Java client's default: the hash without its sign bit, modulo the number of partitions.
func keyPartition(key []byte, partitions int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % partitions
}

// turns chooses partitions for records without a key.
type turns struct {
	partitions int32
	next       int32
	how        string // default: a batch each, round-robin: a row each, fixed: always the same
}

// batch begins a batch of rows.
func (t *turns) batch() {
	if t.how == "default" {
		t.next = (t.next + 1) % t.partitions
	}
}

// row returns the partition of the next row.
func (t *turns) row() int32 {
	p := t.next
	if t.how == "round-robin" {
		t.next = (t.next + 1) % t.partitions
	}
	return p
}
