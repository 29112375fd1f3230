package kafkatest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/inprocess"
)

// Broker is a Kafka cluster of one broker. Exactly one of Fake and Process is set.
type Broker struct {
	Addr    string         // host:port on loopback, the same over restarts
	Fake    *kfake.Cluster // the broker inside this process
	Process *Process       // the real broker
	Secure  *Secure        // the real broker's listeners with TLS and SASL; nil of a fake
}

// Fake starts an in-process broker that lives as long as the test.
func Fake(tb testing.TB, opts ...kfake.Opt) *Broker {
	tb.Helper()
	c, err := inprocess.Broker(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		tb.Fatalf("kfake: %v", err)
	}
	tb.Cleanup(c.Close)
	return &Broker{Addr: c.ListenAddrs()[0], Fake: c}
}

// Plain starts kfake as it is, for tests without aborted transactions in which the bytes that a fetch allows count.
func Plain(tb testing.TB) *Broker {
	tb.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		tb.Fatalf("kfake: %v", err)
	}
	tb.Cleanup(c.Close)
	return &Broker{Addr: c.ListenAddrs()[0], Fake: c}
}

// Each runs the test twice, on an in-process broker and on a real one. All tests of a binary share one real broker, so
// they must take topic and transactional names of their own.
func Each(t *testing.T, test func(t *testing.T, b *Broker)) {
	t.Helper()
	t.Run("kfake", func(t *testing.T) { test(t, Fake(t)) })
	t.Run("kafka", func(t *testing.T) { test(t, Shared(t)) })
}

// Client returns a client that is closed with the test.
func (b *Broker) Client(tb testing.TB, opts ...kgo.Opt) *kgo.Client {
	tb.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addr)}, opts...)...)
	if err != nil {
		tb.Fatalf("kafka client: %v", err)
	}
	tb.Cleanup(cl.Close)
	return cl
}

// Deadline is a context for one wait in a test: long enough for a real broker on a busy machine.
func Deadline(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// CreateTopic creates a topic and returns when the broker knows it. configs may be nil.
func CreateTopic(tb testing.TB, b *Broker, topic string, partitions int32, configs map[string]string) string {
	tb.Helper()
	ctx := Deadline(tb)
	adm := kadm.NewClient(b.Client(tb))
	set := map[string]*string{}
	for k, v := range configs {
		set[k] = kadm.StringPtr(v)
	}
	if _, err := adm.CreateTopic(ctx, partitions, 1, set, topic); err != nil {
		tb.Fatalf("create topic %s: %v", topic, err)
	}
	Until(tb, "topic "+topic+" has leaders", func() bool {
		md, err := adm.Metadata(ctx, topic)
		if err != nil || md.Topics[topic].Err != nil || len(md.Topics[topic].Partitions) != int(partitions) {
			return false
		}
		for _, p := range md.Topics[topic].Partitions {
			if p.Err != nil || p.Leader < 0 {
				return false
			}
		}
		return true
	})
	return topic
}

// Until polls cond until it holds; the test fails after a minute.
func Until(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	for end := time.Now().Add(time.Minute); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("waited a minute: %s", what)
		}
	}
}

// required tells whether a missing tool is a failure rather than a skip.
func required() bool { return os.Getenv("STREAMD_TEST_REQUIRE") == "all" }
