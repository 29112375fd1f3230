package kafka

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// position is where to go on in a partition. The topic's UUID tells a topic that was deleted and created again, the
// leader epoch lets the broker tell where a log was cut off.
type position struct {
	topic  [16]byte
	offset int64 // next to read
	epoch  int32 // leader epoch of the record before it; -1 = not known
}

const positionVersion = 1

// encode writes: version (1 byte), UUID (16), offset (8, big endian), leader epoch (4).
func (p position) encode() []byte {
	b := append(make([]byte, 0, 29), positionVersion)
	b = append(b, p.topic[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
	return binary.BigEndian.AppendUint32(b, uint32(p.epoch))
}

func decodePosition(b []byte) (p position, err error) {
	if len(b) != 29 || b[0] != positionVersion {
		return p, fmt.Errorf("%x is no position in a Kafka partition", b)
	}
	copy(p.topic[:], b[1:])
	p.offset = int64(binary.BigEndian.Uint64(b[17:]))
	p.epoch = int32(binary.BigEndian.Uint32(b[25:]))
	if p.offset < 0 || p.epoch < -1 {
		return p, fmt.Errorf("%x is no position in a Kafka partition", b)
	}
	return p, nil
}

// splitID names a partition: "topic/3". Topic names hold no slash.
func splitID(topic string, partition int32) string {
	return topic + "/" + strconv.Itoa(int(partition))
}

func parseSplit(id string) (topic string, partition int32, err error) {
	i := strings.LastIndexByte(id, '/')
	if i > 0 {
		if n, err := strconv.ParseInt(id[i+1:], 10, 32); err == nil && n >= 0 {
			return id[:i], int32(n), nil
		}
	}
	return "", 0, fmt.Errorf("%q is no Kafka partition", id)
}
