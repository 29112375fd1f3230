package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamd/streamd/connectors"
)

// Cluster says how to reach a Kafka cluster.
type Cluster struct {
	Brokers []string // host:port
	Opts    []kgo.Opt
	login   [32]byte // tells settings of TLS and SASL apart, and shows none
}

// key identifies the cluster by its sorted bootstrap list: two tables with the same key share clients and a transaction.
func (c Cluster) key() string {
	b := slices.Clone(c.Brokers)
	slices.Sort(b)
	return strings.Join(slices.Compact(b), ",")
}

// client opens a client with the settings that every use shares.
func (c Cluster) client(extra ...kgo.Opt) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("streamd"),
		kgo.RetryTimeout(10 * time.Second),
		kgo.MetadataMinAge(500 * time.Millisecond), // the default of 5 s is how long a failover would go unseen
		kgo.DisableClientMetrics(),
	}
	return kgo.NewClient(append(append(opts, extra...), c.Opts...)...)
}

// permanent marks errors that a repeat cannot mend (missing rights, a record the broker will never take), so that the
// job fails at once instead of restarting for ever. Errors of logins and TLS get an advice. Other errors are returned unchanged.
func permanent(err error) error {
	err = access(err)
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
		return &connectors.Permanent{Err: fmt.Errorf("%w\nthe broker takes less than its topic said when the job started: raise max.message.bytes of the topic (and message.max.bytes, replica.fetch.max.bytes of the brokers), or make the rows smaller", err)}
	}
	for _, e := range []error{
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed,
		kerr.GroupAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism,
		kerr.InvalidRecord, kerr.InvalidTimestamp,
		kerr.UnsupportedVersion, kerr.UnsupportedForMessageFormat, kerr.PolicyViolation,
		kerr.InvalidTransactionTimeout, kerr.InvalidTopicException,
	} {
		if errors.Is(err, e) {
			return &connectors.Permanent{Err: err}
		}
	}
	return err
}

// fetched is the answer to one raw fetch.
type fetched struct {
	records []*kgo.Record // committed records; control records too
	next    int64         // where the next fetch begins: behind the last batch, even if compaction emptied it
	stable  int64         // last stable offset; -1 = the answer did not tell
}

// fetchRaw fetches a partition once from offset. A plain consumer cannot tell the end of a compacted log: it waits for a
// record at a given offset, which may have been compacted away. The raw answer tells: nothing, and how far the log goes.
func fetchRaw(ctx context.Context, cl *kgo.Client, topic string, partition int32, offset int64, wait time.Duration) (fetched, error) {
	md, err := kadm.NewClient(cl).Metadata(ctx, topic)
	if err != nil {
		return fetched{}, err
	}
	t := md.Topics[topic]
	if t.Err != nil {
		return fetched{}, t.Err
	}
	p, ok := t.Partitions[partition]
	if !ok {
		return fetched{}, kerr.UnknownTopicOrPartition
	}
	if p.Err != nil {
		return fetched{}, p.Err
	}
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = int32(wait.Milliseconds()), 1, 16<<20, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = topic, t.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partition, offset, 8<<20
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	answer, err := cl.Broker(int(p.Leader)).RetriableRequest(ctx, req)
	if err != nil {
		return fetched{}, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return fetched{}, err
	}
	if len(resp.Topics) == 0 || len(resp.Topics[0].Partitions) == 0 {
		return fetched{next: offset, stable: -1}, nil // a throttled answer has no partitions
	}
	part := &resp.Topics[0].Partitions[0]
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: offset, IsolationLevel: kgo.ReadCommitted(), Topic: topic, Partition: partition,
	}, part, kgo.DefaultDecompressor(), nil)
	return fetched{records: fp.Records, next: next, stable: part.LastStableOffset}, fp.Err
}

// transient tells errors of a fetch that pass when a leader is elected or the metadata is up to date.
func transient(err error) bool {
	for _, e := range []error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.FencedLeaderEpoch,
		kerr.UnknownLeaderEpoch, kerr.ReplicaNotAvailable, kerr.KafkaStorageError, kerr.OffsetNotAvailable} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// topicInfo is what the cluster says of a topic now.
type topicInfo struct {
	id         [16]byte
	partitions int
	replicas   int // of the first partition
	brokers    int // of the cluster
}

// lookUp asks the cluster about a topic, past the client's cache; ok is false when there is no such topic.
func lookUp(ctx context.Context, cl *kgo.Client, topic string) (t topicInfo, ok bool, err error) {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return t, false, fmt.Errorf("metadata of topic %s: %w", topic, permanent(err))
	}
	if len(resp.Topics) != 1 {
		return t, false, fmt.Errorf("metadata of topic %s: the answer has %d topics", topic, len(resp.Topics))
	}
	x := resp.Topics[0]
	switch err := kerr.ErrorForCode(x.ErrorCode); {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return t, false, nil
	case err != nil:
		return t, false, fmt.Errorf("metadata of topic %s: %w", topic, permanent(err))
	}
	t = topicInfo{id: x.TopicID, partitions: len(x.Partitions), brokers: len(resp.Brokers)}
	if len(x.Partitions) > 0 {
		t.replicas = len(x.Partitions[0].Replicas)
	}
	return t, true, nil
}
