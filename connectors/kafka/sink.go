package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

// maxQueued is how many bytes of rows may wait for the decision of the epoch before theirs. What is in the producer is
// bounded by the producer, in which Push waits.
const maxQueued = 32 << 20

// sink writes a topic within the transactions of the job's decider.
type sink struct {
	t     *table
	d     *Decider
	topic string

	partitions int32
	maxBytes   int // max.message.bytes of the topic

	mu     sync.Mutex
	ses    *session // of the incarnation that opened the sink
	epoch  uint64   // of the rows being pushed, as the gate counts
	rows   int64    // of that epoch
	queue  [][]kgo.Record
	queued int // bytes in queue
}

func newSink(def *connectors.TableDef, upsert bool) (connectors.Sink, error) {
	t, err := newTable(def, upsert)
	var errs optionErrors
	errs.merge(err)
	if len(t.opt.Topic) > 1 {
		errs.add(connectors.AtValue, "topic", "", "a sink writes one topic, not %d", len(t.opt.Topic))
	}
	if t.pattern != nil {
		errs.add(connectors.AtKey, "topic-pattern", "give the one topic to write as 'topic'", "a sink has no topic-pattern")
	}
	if t.valueFormat != nil && t.valueFormat.Encoder == nil {
		errs.add(connectors.AtValue, t.valuePrefix+"format", "", "format %q cannot be written", t.valueFormat.Name)
	}
	if t.keyFormat != nil && t.keyFormat.Encoder == nil {
		errs.add(connectors.AtValue, "key.format", "", "format %q cannot be written", t.keyFormat.Name)
	}
	if len(errs) > 0 {
		return nil, errs.err()
	}
	if _, err := newRowWriter(t); err != nil { // what the formats refuse is said at plan time
		return nil, err
	}
	first := def.Job.Shared("kafka/sinks", func() any { return t.props.cluster }).(Cluster)
	switch {
	case first.key() != t.props.cluster.key():
		errs.add(connectors.AtTable, "properties.bootstrap.servers", "write all Kafka sinks of a job to one cluster",
			"not supported yet: sinks on two Kafka clusters (%s and %s)", first.key(), t.props.cluster.key())
	case first.login != t.props.cluster.login:
		errs.add(connectors.AtTable, "properties.security.protocol", "give all Kafka sinks of a job the same properties.security.protocol, sasl.* and ssl.*",
			"not supported yet: sinks with two logins at one Kafka cluster")
	}
	if len(errs) > 0 {
		return nil, errs.err()
	}
	// One producer writes them all, in one transaction: a sink that does not say how takes part in what another says.
	d := sharedDecider(def, t.props.cluster, true)
	switch codec := t.props.compression; {
	case codec == "" || codec == d.cfg.Compression:
	case d.cfg.Compression != "":
		errs.add(connectors.AtTable, "properties.compression.type", "give all Kafka sinks of a job the same compression.type",
			"not supported yet: sinks with different compression.type (%s and %s)", d.cfg.Compression, codec)
		return nil, errs.err()
	default:
		d.cfg.Compression = codec
	}
	return &sink{t: t, d: d, topic: t.opt.Topic[0]}, nil
}

// Info implements connectors.Sink.
func (s *sink) Info() connectors.SinkInfo {
	info := connectors.SinkInfo{Identity: "kafka topic=" + s.topic, Accepts: s.t.valueFormat.Accepts, Decider: s.d, Durable: true}
	if s.t.upsert {
		info.Identity, info.Accepts = "upsert-"+info.Identity, connectors.Upserts
	}
	return info
}

// Open implements connectors.Sink: it finds or creates the topic and learns how large a record may be. Each incarnation
// calls it, after it has renewed the decider and claimed.
func (s *sink) Open(ctx context.Context) error {
	cl, err := s.t.props.cluster.client()
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if s.partitions, err = s.findTopic(ctx, cl, adm); err != nil {
		return fmt.Errorf("topic %s: %w", s.topic, permanent(err))
	}
	if s.maxBytes, err = messageLimit(ctx, adm, s.topic); err != nil {
		return fmt.Errorf("topic %s: max.message.bytes: %w", s.topic, permanent(err))
	}
	s.d.sized.Store(s.topic, int32(min(s.maxBytes, 64<<20)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ses, err = s.d.session(); err != nil {
		return err
	}
	s.epoch = s.ses.gate.running()
	s.rows, s.queue, s.queued = 0, nil, 0 // what a failed incarnation left
	return nil
}

// findTopic returns the number of partitions; a missing topic is created with the broker's defaults.
func (s *sink) findTopic(ctx context.Context, cl *kgo.Client, adm *kadm.Client) (int32, error) {
	t, ok, err := lookUp(ctx, cl, s.topic)
	if err != nil || ok && t.partitions > 0 {
		return int32(t.partitions), err
	}
	if _, err := adm.CreateTopic(ctx, -1, -1, nil, s.topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return 0, fmt.Errorf("create it: %w", err)
	}
	if t, err = appeared(ctx, cl, s.topic); err != nil {
		return 0, err
	}
	s.t.def.Job.Notice(fmt.Sprintf("table %s: created topic %s with the broker's defaults: partitions %d, replicas %d", s.t.def.Name, s.topic, t.partitions, t.replicas))
	return int32(t.partitions), nil
}

func messageLimit(ctx context.Context, adm *kadm.Client, topic string) (int, error) {
	var rc kadm.ResourceConfig
	rcs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err == nil {
		rc, err = rcs.On(topic, nil)
	}
	if err == nil {
		err = rc.Err
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return 1 << 20, nil // who may write may not see the configuration; 1 MiB is Kafka's default
	}
	if err != nil {
		return 0, err
	}
	for _, c := range rc.Configs {
		if c.Key == "max.message.bytes" {
			return strconv.Atoi(strings.TrimSpace(c.MaybeValue()))
		}
	}
	return 1 << 20, nil
}

// Seal implements connectors.Sink.
func (s *sink) Seal() (connectors.Sealed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ses.gate.seal(s.epoch); err != nil {
		return nil, err
	}
	out := &sealed{ses: s.ses, rows: s.rows, queue: s.queue}
	s.epoch++
	s.rows, s.queue, s.queued = 0, nil, 0
	return out, nil
}

// sealed is one epoch's rows; those not yet handed to the producer stand in queue.
type sealed struct {
	ses   *session
	rows  int64
	queue [][]kgo.Record
}

func (x *sealed) Rows() int64 { return x.rows }

// Prepare implements connectors.Sealed: when it returns, the brokers have acknowledged every row.
func (x *sealed) Prepare(ctx context.Context, _ connectors.EpochID) ([]byte, error) {
	if x.rows == 0 {
		return nil, nil
	}
	if err := x.ses.gate.prepare(); err != nil {
		return nil, err
	}
	for _, recs := range x.queue {
		if err := x.ses.produce(recs); err != nil {
			return nil, err
		}
	}
	x.queue = nil
	return nil, x.ses.flush(ctx)
}

// deliver hands records to the producer, or keeps them while an epoch before theirs is undecided.
func (s *sink) deliver(recs []kgo.Record, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows += int64(len(recs))
	may, err := s.ses.gate.may(s.epoch)
	if err != nil {
		return err
	}
	s.queue = append(s.queue, recs)
	s.queued += bytes
	if !may {
		return nil
	}
	for len(s.queue) > 0 {
		// Under the lock: records of one worker must not overtake its queued ones.
		if err := s.ses.produce(s.queue[0]); err != nil {
			return err
		}
		s.queue = s.queue[1:]
	}
	s.queue, s.queued = nil, 0
	return nil
}

func (s *sink) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	may, err := s.ses.gate.may(s.epoch)
	return may || err != nil || s.queued < maxQueued // the next Push sends what waits, or tells what happened
}

// Close implements connectors.Sink. The decider is closed by its owner.
func (s *sink) Close() error { return nil }
