package kafka

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

type metaKind uint8

const (
	metaTopic metaKind = iota
	metaPartition
	metaOffset
	metaTime
	metaTimeType
	metaHeaders
	metaEpoch
)

var metaKinds = map[string]metaKind{"topic": metaTopic, "partition": metaPartition, "offset": metaOffset, "timestamp": metaTime,
	"timestamp-type": metaTimeType, "headers": metaHeaders, "leader-epoch": metaEpoch}

// metaColumn fills a METADATA column.
type metaColumn struct {
	col  int
	kind metaKind
	zone *time.Location // metaTime into a TIMESTAMP without zone
}

func newMetaColumn(def *connectors.TableDef, c int) (metaColumn, error) {
	f := def.Schema.Fields[c]
	var errs optionErrors
	kind, ok := metaKinds[def.Meta[c]]
	m := metaColumn{col: c, kind: kind}
	if !ok {
		errs.add(connectors.AtTable, "", "one of: topic, partition, offset, timestamp, timestamp-type, headers, leader-epoch", "column %q: Kafka records have no metadata %q", f.Name, def.Meta[c])
		return m, errs.err()
	}
	want := ""
	switch kind {
	case metaTopic, metaTimeType:
		ok, want = f.Type.IsString(), "STRING"
	case metaPartition, metaEpoch:
		ok, want = f.Type.SQL == batch.Integer || f.Type.SQL == batch.BigInt, "INT"
	case metaOffset:
		ok, want = f.Type.SQL == batch.BigInt, "BIGINT"
	case metaTime:
		ok, want = f.Type.IsTimestamp(), "TIMESTAMP_LTZ(3) or TIMESTAMP(3)"
		if f.Type.SQL == batch.Timestamp {
			loc, err := time.LoadLocation(zoneName(def.Zone))
			if err != nil {
				errs.add(connectors.AtTable, "", "", "column %q: time zone %q: %v", f.Name, def.Zone, err)
			}
			m.zone = loc
		}
	case metaHeaders:
		ok = f.Type.SQL == batch.Map && f.Type.Fields[0].Type.IsString() && f.Type.Fields[1].Type.IsBytes()
		want = "MAP<STRING, BYTES>"
	}
	if !ok {
		errs.add(connectors.AtTable, "", "", "column %q: metadata %q is %s, not %s", f.Name, def.Meta[c], want, f.Type)
	}
	return m, errs.err()
}

func zoneName(z string) string {
	if z == "" || strings.EqualFold(z, "z") {
		return "UTC"
	}
	return z
}

var timeTypes = map[int8]string{-1: "NoTimestampType", 0: "CreateTime", 1: "LogAppendTime"}

func (m metaColumn) append(v *batch.Vec, buf *buffer, s *slab, i int) {
	switch m.kind {
	case metaTopic:
		v.AppendString(buf.topic)
	case metaPartition:
		v.AppendInt(int64(buf.partition))
	case metaOffset:
		v.AppendInt(s.offsets[i])
	case metaTime:
		ms := s.times[i]
		if m.zone != nil {
			_, east := time.UnixMilli(ms).In(m.zone).Zone()
			ms += int64(east) * 1000
		}
		v.AppendInt(ms * 1000)
	case metaTimeType:
		v.AppendString(timeTypes[s.timeType[i]])
	case metaHeaders:
		from := v.Child[0].Len()
		for _, h := range lastOfEach(s.headers[i]) {
			v.Child[0].AppendString(h.Key)
			if h.Value == nil {
				v.Child[1].AppendNull()
			} else {
				v.Child[1].AppendBytes(h.Value)
			}
		}
		v.AppendList(from)
	case metaEpoch:
		if s.epoch < 0 {
			v.AppendNull()
		} else {
			v.AppendInt(int64(s.epoch))
		}
	}
}

// lastOfEach keeps the last header of each key, as a map does, at the place of the first.
func lastOfEach(hs []kgo.RecordHeader) []kgo.RecordHeader {
	var out []kgo.RecordHeader
	at := map[string]int{}
	for _, h := range hs {
		if k, ok := at[h.Key]; ok {
			out[k].Value = h.Value
			continue
		}
		at[h.Key] = len(out)
		out = append(out, h)
	}
	return out
}
