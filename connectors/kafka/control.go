package kafka

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

// The control topic of a job has one partition and two keys: the job's name holds markers, one for each decided epoch;
// the name with claimSuffix holds claims, one for each start. Values are JSON, to be read with any console consumer.
const claimSuffix = "/claim"

// controlPrefix begins the names of control topics.
const controlPrefix = "__streamd."

// ControlTopic names the control topic of a job.
func ControlTopic(instance, job string) string { return controlPrefix + instance + "." + job }

// controlConfigs are what the control topic must be configured as: a marker that retention removes is a decided epoch
// that nobody knows of, and an unclean election undoes decisions.
var controlConfigs = [][2]string{
	{"cleanup.policy", "compact"},
	{"retention.ms", "-1"},
	{"retention.bytes", "-1"},
	{"unclean.leader.election.enable", "false"},
}

// ensureControl creates the control topic or checks the existing one, and returns its UUID.
func ensureControl(ctx context.Context, cl *kgo.Client, topic string, notice func(string)) ([16]byte, error) {
	adm := kadm.NewClient(cl)
	t, ok, err := lookUp(ctx, cl, topic)
	if err == nil && !ok {
		if err := createControl(ctx, adm, topic); err != nil {
			return t.id, fmt.Errorf("create control topic %s: %w", topic, permanent(err))
		}
		t, err = appeared(ctx, cl, topic)
	}
	if err != nil {
		return t.id, fmt.Errorf("control topic: %w", err)
	}
	return t.id, checkControl(ctx, adm, topic, t, notice)
}

// appeared waits until a topic that was created a moment ago is known to the broker that answers.
func appeared(ctx context.Context, cl *kgo.Client, topic string) (topicInfo, error) {
	for {
		t, ok, err := lookUp(ctx, cl, topic)
		if ok && t.partitions > 0 || err != nil && !kerr.IsRetriable(err) {
			return t, err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return t, err
		}
	}
}

func createControl(ctx context.Context, adm *kadm.Client, topic string) error {
	brokers, err := adm.ListBrokers(ctx)
	if err != nil {
		return err
	}
	cfg := map[string]*string{
		// Small segments: only closed ones are compacted, and a start reads what is not.
		"segment.ms":                kadm.StringPtr("3600000"),
		"segment.bytes":             kadm.StringPtr("16777216"),
		"min.cleanable.dirty.ratio": kadm.StringPtr("0.1"),
	}
	for _, c := range controlConfigs {
		cfg[c[0]] = kadm.StringPtr(c[1])
	}
	replicas := int16(min(3, len(brokers)))
	if replicas == 3 {
		cfg["min.insync.replicas"] = kadm.StringPtr("2")
	}
	_, err = adm.CreateTopic(ctx, 1, replicas, cfg, topic)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}

func checkControl(ctx context.Context, adm *kadm.Client, topic string, t topicInfo, notice func(string)) error {
	refuse := func(why, advice string) error {
		return connectors.Refuse(connectors.CodeControlUnfit, advice, "topic %s %s", topic, why)
	}
	if t.partitions != 1 {
		return refuse(fmt.Sprintf("has %d partitions, it must have 1", t.partitions), "take another job name or instance")
	}
	described, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return fmt.Errorf("configuration of control topic %s: %w", topic, permanent(err))
	}
	rc, err := described.On(topic, nil)
	if err == nil {
		err = rc.Err
	}
	if err != nil {
		return fmt.Errorf("configuration of control topic %s: %w", topic, permanent(err))
	}
	have := map[string]string{}
	for _, c := range rc.Configs {
		have[c.Key] = c.MaybeValue()
	}
	for _, c := range controlConfigs {
		if v, ok := have[c[0]]; ok && v != c[1] {
			return refuse(fmt.Sprintf("has %s=%s, it must be %s", c[0], v, c[1]),
				fmt.Sprintf("kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%s", topic, c[0], c[1]))
		}
	}
	if t.brokers < 3 {
		return nil
	}
	if t.replicas < 3 {
		notice(fmt.Sprintf("control topic %s has %d replicas on a cluster of %d brokers; 3 would survive the loss of a broker", topic, t.replicas, t.brokers))
	} else if isr, err := strconv.Atoi(have["min.insync.replicas"]); err == nil && isr < 2 {
		notice(fmt.Sprintf("control topic %s has min.insync.replicas=%d; with 2 a decided epoch survives the loss of a broker", topic, isr))
	}
	return nil
}

// markerJSON and claimJSON are the values in the control topic.
type markerJSON struct {
	Lineage     string `json:"lineage"` // 32 hex digits
	Epoch       uint64 `json:"epoch"`
	Incarnation int64  `json:"incarnation"`
	CRC         string `json:"crc"` // 8 hex digits
}

type claimJSON struct {
	Nonce string `json:"nonce"`
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Time  string `json:"time"` // RFC 3339, for people
}

func encodeMarker(m connectors.Marker) []byte {
	b, err := json.Marshal(markerJSON{hex.EncodeToString(m.Lineage[:]), m.ID.Number, m.ID.Incarnation, fmt.Sprintf("%08x", m.ID.CRC)})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

func decodeMarker(b []byte) (m connectors.Marker, err error) {
	var j markerJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return m, err
	}
	lin, err := hex.DecodeString(j.Lineage)
	if err != nil || len(lin) != len(m.Lineage) {
		return m, fmt.Errorf("lineage %q", j.Lineage)
	}
	crc, err := strconv.ParseUint(j.CRC, 16, 32)
	if err != nil {
		return m, fmt.Errorf("crc %q", j.CRC)
	}
	copy(m.Lineage[:], lin)
	m.ID = connectors.EpochID{Number: j.Epoch, Incarnation: j.Incarnation, CRC: uint32(crc)}
	return m, nil
}

// controlState is what a stretch of the control topic says.
type controlState struct {
	marker   connectors.Marker // the last one
	markerAt int64
	claim    connectors.Claim // the last one
	nonce    string           // of claim
	last     int64            // offset of the last record that is no control record; -1 = none
}

// add takes in the next record. A record that cannot be read is an error: passing over a marker would undo an epoch.
func (s *controlState) add(job string, r *kgo.Record) error {
	if r.Attrs.IsControl() {
		return nil
	}
	s.last = r.Offset
	var err error
	switch string(r.Key) {
	case job:
		s.marker, err = decodeMarker(r.Value)
		s.markerAt = r.Offset
	case job + claimSuffix:
		var j claimJSON
		err = json.Unmarshal(r.Value, &j)
		s.claim, s.nonce = connectors.Claim{Incarnation: r.Offset, Host: j.Host, PID: j.PID}, j.Nonce
	default:
		err = fmt.Errorf("unknown key %q", r.Key)
	}
	if err != nil {
		return connectors.Refuse(connectors.CodeControlUnfit, "find out who writes to this topic; take another job name",
			"%s/%d/%d is not a record of this job: %v", r.Topic, r.Partition, r.Offset, err)
	}
	return nil
}

// readControl reads committed records of the control topic from an offset (below the log's start or beyond its end: from
// its start). After each fetch until is asked whether to stop, with the offset read up to and the last stable offset.
func readControl(ctx context.Context, cl *kgo.Client, topic, job string, from int64, until func(s *controlState, next, stable int64) bool) (controlState, error) {
	s := controlState{last: -1}
	for {
		f, err := fetchRaw(ctx, cl, topic, 0, from, 100*time.Millisecond)
		switch {
		case errors.Is(err, kerr.OffsetOutOfRange):
			if from, err = logStart(ctx, cl, topic); err != nil {
				return s, err
			}
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return s, err
			}
			continue
		case err != nil && transient(err):
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return s, err
			}
			continue
		case err != nil:
			return s, fmt.Errorf("read control topic %s: %w", topic, permanent(err))
		}
		for _, r := range f.records {
			if err := s.add(job, r); err != nil {
				return s, err
			}
		}
		moved := f.next > from
		from = f.next
		if f.stable < 0 {
			continue
		}
		if !moved { // nothing stands between here and the last stable offset
			from = max(from, f.stable)
		}
		if until(&s, from, f.stable) {
			return s, nil
		}
		if err := ctx.Err(); err != nil {
			return s, err
		}
	}
}

func logStart(ctx context.Context, cl *kgo.Client, topic string) (int64, error) {
	l, err := kadm.NewClient(cl).ListStartOffsets(ctx, topic)
	if err == nil {
		err = l.Error()
	}
	o, _ := l.Lookup(topic, 0)
	if err != nil {
		return 0, fmt.Errorf("start of control topic %s: %w", topic, err)
	}
	return o.Offset, nil
}
