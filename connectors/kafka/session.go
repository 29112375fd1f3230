package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// session is the producer of one incarnation. What an old incarnation still does in the background ends in its own
// session and cannot touch the next one's transaction.
//
// INVARIANT: after any error nothing is begun, produced or committed with it again. kgo repairs some producer errors by a
// new InitProducerID; in a zombie that would fence the successor.
type session struct {
	cl    *kgo.Client
	id    string // the transactional one
	cfg   *DeciderConfig
	gate  gate
	claim atomic.Int64 // incarnation, -1 = not claimed

	mu     sync.Mutex // guards the transaction; not held while records are flushed or committed
	inTxn  bool
	ctx    context.Context // of the open transaction's records
	cancel context.CancelFunc
	topics map[string]bool // produced to in this incarnation
	fresh  []string        // those of them of which the client may not know the partitions
	failed atomic.Pointer[error]

	endTxns atomic.Int32 // EndTxn requests written since the commit began
}

// endTxnKey is the API key of EndTxn.
const endTxnKey = 26

// OnBrokerWrite counts EndTxn. kgo repeats it after a connection loss, and before transaction.version 2 a late copy of
// the first one ends whatever transaction is open then, so a second write makes the incarnation unusable.
func (s *session) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == endTxnKey {
		s.endTxns.Add(1)
		fault.Point("C11")
	}
}

// newSession opens the producer; it talks to the cluster at its first use.
func newSession(cfg *DeciderConfig, batchBytes func(topic string) int32) (*session, error) {
	s := &session{cfg: cfg, topics: map[string]bool{}}
	s.claim.Store(-1)
	s.id = "streamd." + cfg.Instance + "." + cfg.Job // the same for every start, so that a start fences those before it
	if cfg.Ephemeral {
		s.id += "." + nonce()
	}
	var err error
	s.cl, err = cfg.Cluster.client(
		kgo.TransactionalID(s.id),
		kgo.TransactionTimeout(s.timeout()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(1<<20), // bytes bound the buffer
		kgo.MaxBufferedBytes(64<<20),
		kgo.ProducerBatchMaxBytesFn(batchBytes),
		kgo.ProducerBatchCompression(codecs[cfg.Compression], kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.WithHooks(s),
	)
	if err != nil {
		return nil, fmt.Errorf("kafka producer: %w", err)
	}
	return s, nil
}

// timeout is how long the broker lets a transaction stay open. It refuses more than
// its transaction.max.timeout.ms, 15 minutes unless configured; an interval is at
// most 10.
func (s *session) timeout() time.Duration {
	return min(max(60*time.Second, 10*s.cfg.Interval()), 15*time.Minute)
}

// fail notes the first error of this incarnation and returns it.
func (s *session) fail(err error) error {
	if err = permanent(err); s.failed.CompareAndSwap(nil, &err) {
		s.gate.close(err)
	}
	return *s.failed.Load()
}

// err returns the error that ended this incarnation, or nil.
func (s *session) err() error {
	if e := s.failed.Load(); e != nil {
		return *e
	}
	return nil
}

// begin opens the transaction that the next record, one of the topic, belongs to, if none is open.
func (s *session) begin(topic string) (context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.err(); err != nil {
		return nil, err
	}
	if !s.topics[topic] {
		s.topics[topic] = true
		s.fresh = append(s.fresh, topic)
	}
	if !s.inTxn {
		if err := s.cl.BeginTransaction(); err != nil {
			return nil, s.fail(fmt.Errorf("begin transaction: %w", err))
		}
		// Records that are not delivered well before the broker's timeout fail. kgo's own delivery timeout counts from
		// a record's timestamp, which may be a column's value.
		s.ctx, s.cancel = context.WithTimeout(context.Background(), s.timeout()*3/4)
		s.inTxn = true
	}
	return s.ctx, nil
}

// end forgets the open transaction and tells whether there was one.
func (s *session) end() (open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open = s.inTxn; open {
		s.cancel()
	}
	s.inTxn = false
	return open
}

// open tells whether a transaction is open, and when its time ends.
func (s *session) open() (until time.Time, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inTxn {
		until, _ = s.ctx.Deadline()
	}
	return until, s.inTxn
}

// produce hands records to the open transaction; it waits when too many bytes are in flight. Only rows that the gate lets
// pass come here.
func (s *session) produce(recs []kgo.Record) error {
	var ctx context.Context
	for i := range recs {
		if i == 0 || recs[i].Topic != recs[i-1].Topic {
			var err error
			if ctx, err = s.begin(recs[i].Topic); err != nil {
				return err
			}
		}
		s.cl.Produce(ctx, &recs[i], s.promise)
	}
	return s.err()
}

// promise learns each record's fate. kgo would commit the others of a transaction in which one failed.
func (s *session) promise(r *kgo.Record, err error) {
	if err != nil {
		_ = s.fail(fmt.Errorf("produce to %s/%d: %w", r.Topic, r.Partition, err))
	}
}

// flush waits until every record is acknowledged.
func (s *session) flush(ctx context.Context) error {
	until, open := s.open()
	if err := s.err(); err != nil || !open {
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := s.cl.Flush(ctx); err != nil {
		return s.fail(fmt.Errorf("flush: %w", err))
	}
	return s.err()
}

// control writes one record to the control topic within the open transaction and returns its offset.
func (s *session) control(ctx context.Context, topic, key string, value []byte) (int64, error) {
	if _, err := s.begin(topic); err != nil {
		return 0, err
	}
	until, _ := s.open()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	rec := &kgo.Record{Topic: topic, Partition: 0, Key: []byte(key), Value: value}
	if err := s.cl.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return 0, s.fail(fmt.Errorf("write %s to %s: %w", key, topic, err))
	}
	return rec.Offset, s.err()
}

// mark writes the marker into the open transaction.
func (s *session) mark(ctx context.Context, topic string, m connectors.Marker) (int64, error) {
	return s.control(ctx, topic, s.cfg.Job, encodeMarker(m))
}

// commit ends the open transaction, which has records. An error leaves its outcome open, for recovery to find out; the
// transaction counts as closed all the same, because an abort after a commit of unknown outcome is not ours to try.
func (s *session) commit(ctx context.Context) error {
	if err := s.known(ctx); err != nil {
		return s.fail(fmt.Errorf("commit: %w", err))
	}
	s.end()
	s.endTxns.Store(0)
	if err := s.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return s.fail(fmt.Errorf("commit: %w", err))
	}
	switch n := s.endTxns.Load(); {
	case n == 0:
		return s.fail(errors.New("commit: the client ended a transaction that has records without a word to the broker"))
	case n > 1:
		return s.fail(fmt.Errorf("commit: EndTxn was sent %d times; a late copy could end the next transaction", n))
	}
	return nil
}

// known waits until the client knows the partitions of every topic in the transaction. kgo sends the first records of a
// topic just before it stores the partitions that it learned for them (storePartitionsUpdate, up to v1.22.3). A commit
// between the two sees a transaction without partitions: it aborts, or does nothing, and reports success.
func (s *session) known(ctx context.Context) error {
	if err := s.err(); err != nil {
		return err
	}
	until, _ := s.open()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	s.mu.Lock()
	topics := s.fresh
	s.fresh = nil
	s.mu.Unlock()
	for _, topic := range topics {
		for {
			if leader, _, err := s.cl.PartitionLeader(topic, 0); leader >= 0 || err != nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("the partitions of topic %s: %w", topic, ctx.Err())
			case <-time.After(50 * time.Microsecond): // they are stored within microseconds
			}
		}
	}
	return nil
}

// abort ends a failed transaction if the broker is there to be told; a new incarnation does it otherwise.
func (s *session) abort() {
	if !s.end() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.cl.AbortBufferedRecords(ctx) == nil {
		_ = s.cl.EndTransaction(ctx, kgo.TryAbort)
	}
}
