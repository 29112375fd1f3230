package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

// rig is one test's job: its own names on a broker that other tests share.
type rig struct {
	t   *testing.T
	b   *kafkatest.Broker
	job string
	out string
}

func newRig(t *testing.T, b *kafkatest.Broker) *rig {
	job := topicName(t)
	return &rig{t: t, b: b, job: job, out: kafkatest.CreateTopic(t, b, job+"-out", 2, nil)}
}

func (r *rig) decider(opts ...kgo.Opt) *Decider {
	d := NewDecider(DeciderConfig{Cluster: Cluster{Brokers: []string{r.b.Addr}, Opts: opts}, Instance: "test", Job: r.job})
	r.t.Cleanup(func() { d.Close() })
	return d
}

// ses is the decider's session, to do the steps of Decide one by one.
func ses(t testing.TB, d *Decider) *session {
	t.Helper()
	s, err := d.session()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) claim(d *Decider, hint int64) (connectors.Claim, connectors.Marker) {
	r.t.Helper()
	c, m, err := d.Claim(kafkatest.Deadline(r.t), hint)
	if err != nil {
		r.t.Fatalf("claim: %v", err)
	}
	return c, m
}

func (r *rig) produce(d *Decider, values ...string) {
	r.t.Helper()
	recs := make([]kgo.Record, len(values))
	for i, v := range values {
		recs[i] = kgo.Record{Topic: r.out, Partition: int32(i % 2), Value: []byte(v)}
	}
	if err := ses(r.t, d).produce(recs); err != nil {
		r.t.Fatalf("produce: %v", err)
	}
}

// rows are the committed values of the output topic, sorted by partition and offset.
func (r *rig) rows() string {
	r.t.Helper()
	var out []string
	for _, rec := range kafkatest.Committed(r.t, r.b, r.out) {
		out = append(out, string(rec.Value))
	}
	return strings.Join(out, " ")
}

func (r *rig) want(rows string, m connectors.Marker) {
	r.t.Helper()
	if got := r.rows(); got != rows {
		r.t.Errorf("committed rows %q, want %q", got, rows)
	}
	_, got, _, err := r.decider().Look(kafkatest.Deadline(r.t))
	if err != nil || got != m {
		r.t.Errorf("last marker %+v (%v), want %+v", got, err, m)
	}
}

func mark(c connectors.Claim, number uint64) connectors.Marker {
	return connectors.Marker{Lineage: [16]byte{1, 2, 0xff}, ID: connectors.EpochID{Number: number, Incarnation: c.Incarnation, CRC: 0x0a0b0c0d}}
}

func TestClaimAndDecide(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		d := r.decider()
		if id, m, c, err := d.Look(ctx); err != nil || id != [16]byte{} || !m.IsZero() || c != (connectors.Claim{}) {
			t.Fatalf("look before the first start: %v %v %v %v", id, m, c, err)
		}
		c1, m := r.claim(d, 0)
		if !m.IsZero() || c1.TopicID == [16]byte{} || c1.PID != os.Getpid() {
			t.Fatalf("first claim %+v, marker %+v", c1, m)
		}
		r.produce(d, "a", "b")
		m1 := mark(c1, 1)
		at, err := d.Decide(ctx, m1)
		if err != nil {
			t.Fatal(err)
		}
		r.want("a b", m1)
		m2 := mark(c1, 2) // rows for followers only: the marker stands alone
		if _, err := d.Decide(ctx, m2); err != nil {
			t.Fatal(err)
		}
		r.want("a b", m2)
		for _, hint := range []int64{0, at, at + 1000} {
			c, m := r.claim(r.decider(), hint)
			if m != m2 || c.Incarnation <= c1.Incarnation || c.TopicID != c1.TopicID {
				t.Fatalf("hint %d: claim %+v after %+v, marker %+v", hint, c, c1, m)
			}
		}
	})
}

func TestClaimFencesPredecessor(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		old, young := r.decider(), r.decider()
		c1, _ := r.claim(old, 0)
		r.produce(old, "1")
		m1 := mark(c1, 1)
		if _, err := old.Decide(ctx, m1); err != nil {
			t.Fatal(err)
		}
		if _, found, err := old.Newer(ctx, c1); found || err != nil {
			t.Fatalf("newer than the only claim: %v %v", found, err)
		}
		r.produce(old, "lost", "lost")
		ses(t, old).flush(ctx)
		c2, m := r.claim(young, 0)
		if m != m1 {
			t.Fatalf("marker %+v, want %+v", m, m1)
		}
		if _, err := old.Decide(ctx, mark(c1, 2)); err == nil {
			t.Fatal("a zombie decided an epoch")
		}
		if err := ses(t, old).produce([]kgo.Record{{Topic: r.out, Value: []byte("x")}}); err == nil {
			t.Fatal("a failed incarnation went on producing")
		}
		r.produce(young, "2")
		m2 := mark(c2, 2)
		if _, err := young.Decide(ctx, m2); err != nil {
			t.Fatal(err)
		}
		r.want("1 2", m2)
		by, found, err := old.Newer(ctx, c1)
		if err != nil || !found || by.Incarnation != c2.Incarnation || by.PID != os.Getpid() {
			t.Fatalf("newer: %+v %v %v, want %+v", by, found, err, c2)
		}
	})
}

func TestKilledWithOpenTransaction(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		old := r.decider()
		c1, _ := r.claim(old, 0)
		r.produce(old, "1")
		m1 := mark(c1, 1)
		if _, err := old.Decide(ctx, m1); err != nil {
			t.Fatal(err)
		}
		r.produce(old, "lost", "lost")
		if _, err := ses(t, old).mark(ctx, ControlTopic("test", r.job), mark(c1, 2)); err != nil {
			t.Fatal(err)
		}
		old.Kill()
		if _, err := old.Decide(ctx, mark(c1, 2)); err == nil {
			t.Fatal("a killed decider decided")
		}
		// The hint of a control topic that was replaced points behind the claim.
		if _, m := r.claim(r.decider(), 1_000_000); m != m1 {
			t.Fatalf("marker %+v, want %+v", m, m1)
		}
		r.want("1", m1)
	})
}

// The background of an incarnation that is over may still want to decide its epoch, with the renewed decider.
func TestOldIncarnationInTheBackground(t *testing.T) {
	b := kafkatest.Fake(t)
	r := newRig(t, b)
	ctx := kafkatest.Deadline(t)
	d := r.decider()
	c1, _ := r.claim(d, 0)
	r.produce(d, "lost")
	if err := d.Renew(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decide(ctx, mark(c1, 1)); err == nil {
		t.Fatal("decided before the claim")
	}
	c2, m := r.claim(d, 0)
	if !m.IsZero() {
		t.Fatalf("marker %+v", m)
	}
	if _, err := d.Decide(ctx, mark(c1, 1)); err == nil {
		t.Fatal("an epoch was decided without its rows")
	}
	r.produce(d, "1")
	if _, err := d.Decide(ctx, mark(c2, 2)); err != nil {
		t.Fatal(err)
	}
	r.want("1", mark(c2, 2))
}

// A zombie that has everything ready and only commits too late.
func TestZombieMarkerAndCommit(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		old := r.decider()
		c1, _ := r.claim(old, 0)
		r.produce(old, "lost")
		if _, err := ses(t, old).mark(ctx, ControlTopic("test", r.job), mark(c1, 1)); err != nil {
			t.Fatal(err)
		}
		young := r.decider()
		if _, m := r.claim(young, 0); !m.IsZero() {
			t.Fatalf("saw the marker of an open transaction: %+v", m)
		}
		if err := ses(t, old).commit(ctx); err == nil {
			t.Fatal("a zombie committed")
		}
		r.want("", connectors.Marker{})
	})
}

func TestProduceErrorAborts(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		small := kafkatest.CreateTopic(t, b, r.job+"-small", 1, map[string]string{"max.message.bytes": "2000"})
		d := r.decider()
		c, _ := r.claim(d, 0)
		r.produce(d, "good")
		big := make([]byte, 10_000)
		rand.Read(big) // a batch is measured compressed
		ses(t, d).produce([]kgo.Record{{Topic: small, Value: big}})
		_, err := d.Decide(ctx, mark(c, 1))
		var p *connectors.Permanent
		if !errors.As(err, &p) || !strings.Contains(err.Error(), small) {
			t.Fatalf("decide with a record that is too large: %v", err)
		}
		r.want("", connectors.Marker{})
		if err := d.Renew(); err != nil {
			t.Fatal(err)
		}
		c, _ = r.claim(d, 0)
		r.produce(d, "again")
		if _, err := d.Decide(ctx, mark(c, 2)); err != nil {
			t.Fatal(err)
		}
		r.want("again", mark(c, 2))
	})
}

// Marker and rows share their fate, whatever happens to EndTxn, and a repeated EndTxn ends the incarnation.
func TestHarmedEndTxn(t *testing.T) {
	for name, damage := range map[string]kafkatest.Damage{"lost answer": kafkatest.LoseAnswer, "late": kafkatest.Delay} {
		t.Run(name, func(t *testing.T) {
			kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
				r := newRig(t, b)
				ctx := kafkatest.Deadline(t)
				var harm kafkatest.Harm
				d := r.decider(kgo.Dialer(harm.Dial))
				c, _ := r.claim(d, 0)
				r.produce(d, "1")
				m1 := mark(c, 1)
				harm.Next(endTxnKey, damage)
				if _, err := d.Decide(ctx, m1); err == nil {
					t.Fatal("a commit with an unknown outcome was taken for decided")
				}
				next := r.decider()
				c2, found := r.claim(next, 0)
				r.produce(next, "2")
				harm.Deliver() // inside the successor's transaction
				m2 := mark(c2, 2)
				if _, err := next.Decide(ctx, m2); err != nil {
					t.Fatal(err)
				}
				switch found {
				case m1:
					r.want("1 2", m2)
				case connectors.Marker{}:
					r.want("2", m2)
				default:
					t.Fatalf("marker %+v", found)
				}
			})
		})
	}
}

func TestEphemeral(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		cfg := DeciderConfig{Cluster: Cluster{Brokers: []string{b.Addr}}, Instance: "test", Job: r.job, Ephemeral: true}
		one, two := NewDecider(cfg), NewDecider(cfg)
		t.Cleanup(func() { one.Close(); two.Close() })
		if _, _, err := one.Claim(ctx, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := one.Decide(ctx, connectors.Marker{}); err != nil {
			t.Fatalf("an epoch without rows: %v", err)
		}
		r.produce(one, "a")
		r.produce(two, "b")
		for _, d := range []*Decider{one, two} {
			if _, err := d.Decide(ctx, connectors.Marker{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.rows(); got != "a b" && got != "b a" {
			t.Fatalf("rows %q", got)
		}
		if _, ok, err := lookUp(ctx, b.Client(t), ControlTopic("test", r.job)); ok || err != nil {
			t.Fatalf("an ephemeral job has a control topic: %v %v", ok, err)
		}
	})
}

// A start that fails before anybody has claimed was overtaken by nobody.
func TestNobodyIsNewer(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		kafkatest.CreateTopic(t, b, ControlTopic("test", r.job), 1, nil)
		if by, found, err := r.decider().Newer(kafkatest.Deadline(t), connectors.Claim{Incarnation: -1}); found || err != nil {
			t.Errorf("%v %+v %v", found, by, err)
		}
	})
}

// A transaction with a topic of which the client does not know the partitions yet is not committed: the client would
// leave that topic out, or abort, and report success.
func TestCommitWaitsForPartitions(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		d := r.decider()
		c, _ := r.claim(d, 0)
		r.produce(d, "a")
		if _, err := ses(t, d).begin("never-seen"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(kafkatest.Deadline(t), 200*time.Millisecond)
		defer cancel()
		if _, err := d.Decide(ctx, mark(c, 1)); err == nil || !strings.Contains(err.Error(), "the partitions of topic never-seen") {
			t.Errorf("error %v", err)
		}
		if err := d.Renew(); err != nil {
			t.Fatal(err)
		}
		r.want("", connectors.Marker{})
	})
}

func TestControlTopicCompacted(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		topic := kafkatest.CreateTopic(t, b, ControlTopic("test", r.job), 1, map[string]string{
			"cleanup.policy": "compact", "retention.ms": "-1", "retention.bytes": "-1", "segment.ms": "200",
			"min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "200", "delete.retention.ms": "0"})
		d := r.decider()
		c, _ := r.claim(d, 0)
		n := uint64(0)
		decide := func() {
			n++
			if _, err := d.Decide(ctx, mark(c, n)); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			decide()
		}
		if b.Fake != nil {
			b.Fake.Compact()
		} else {
			cl := b.Client(t)
			kafkatest.Until(t, "the log cleaner has removed markers", func() bool {
				decide() // a segment is closed by a record after segment.ms
				f, err := fetchRaw(ctx, cl, topic, 0, 0, time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				return len(f.records) > 10 && f.records[2].Offset > 10
			})
		}
		want := mark(c, n)
		if _, m, newest, err := r.decider().Look(ctx); err != nil || m != want || newest.Incarnation > c.Incarnation {
			t.Fatalf("look: %+v %+v %v", m, newest, err)
		}
		c2, m := r.claim(r.decider(), 0)
		if m != want {
			t.Fatalf("claim %+v: marker %+v, want %+v", c2, m, want)
		}
	})
}

// Between our commit and our read a successor claims and compaction removes our claim.
func TestFencedWhileClaiming(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		ctx := kafkatest.Deadline(t)
		old, young := r.decider(), r.decider()
		c1, _ := r.claim(old, 0)
		c2, _ := r.claim(young, 0)
		_, err := old.lastMarker(ctx, b.Client(t), c1, "nonce of a claim that is gone", 0)
		var f *connectors.Refused
		if !errors.As(err, &f) || f.What != "FENCED" || !strings.Contains(f.Why, fmt.Sprintf("incarnation %d ", c2.Incarnation)) {
			t.Fatalf("got %v, want fenced by %+v", err, c2)
		}
	})
}

func TestControlTopicUnfit(t *testing.T) {
	b := kafkatest.Fake(t)
	for name, tc := range map[string]struct {
		parts  int32
		config map[string]string
		poison *kgo.Record
		want   string
	}{
		"deleted by time": {1, map[string]string{"cleanup.policy": "delete"}, nil, "cleanup.policy=delete"},
		"retention":       {1, map[string]string{"cleanup.policy": "compact", "retention.ms": "1000"}, nil, "retention.ms=1000"},
		"partitions":      {2, map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}, nil, "2 partitions"},
		"foreign key":     {1, map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}, &kgo.Record{Key: []byte("x")}, `unknown key "x"`},
		"bad marker":      {1, map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}, &kgo.Record{Key: []byte("bad-marker"), Value: []byte(`{"lineage":"zz"}`)}, "not a record of this job"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, b: b, job: strings.ReplaceAll(name, " ", "-")}
			topic := kafkatest.CreateTopic(t, b, ControlTopic("test", r.job), tc.parts, tc.config)
			if tc.poison != nil {
				tc.poison.Topic = topic
				if err := b.Client(t).ProduceSync(kafkatest.Deadline(t), tc.poison).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := r.decider().Claim(kafkatest.Deadline(t), 0)
			var refused *connectors.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want a refusal with %q", err, tc.want)
			}
		})
	}
}

func TestControlTopicIsCreatedAsNeeded(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		r.claim(r.decider(), 0)
		rcs, err := kadm.NewClient(b.Client(t)).DescribeTopicConfigs(kafkatest.Deadline(t), ControlTopic("test", r.job))
		if err != nil {
			t.Fatal(err)
		}
		rc, err := rcs.On(ControlTopic("test", r.job), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range rc.Configs {
			got[c.Key] = c.MaybeValue()
		}
		for _, c := range controlConfigs {
			if got[c[0]] != c[1] {
				t.Errorf("%s = %q, want %q", c[0], got[c[0]], c[1])
			}
		}
	})
}

// TestLongInterval: a broker refuses a transaction that may stay open for longer
// than it allows.
func TestLongInterval(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		r := newRig(t, b)
		d := NewDecider(DeciderConfig{Cluster: Cluster{Brokers: []string{b.Addr}}, Instance: "test", Job: r.job,
			Interval: func() time.Duration { return 10 * time.Minute }})
		t.Cleanup(func() { d.Close() })
		c, _ := r.claim(d, 0)
		r.produce(d, "a")
		if _, err := d.Decide(kafkatest.Deadline(t), mark(c, 1)); err != nil {
			t.Fatal(err)
		}
		r.want("a", mark(c, 1))
	})
}

func TestMarkerRoundTrip(t *testing.T) {
	m := connectors.Marker{Lineage: [16]byte{0, 1, 15: 0xfe}, ID: connectors.EpochID{Number: 1<<64 - 1, Incarnation: 1 << 60, CRC: 0xfffffff0}}
	got, err := decodeMarker(encodeMarker(m))
	if err != nil || got != m {
		t.Fatalf("%+v %v, want %+v", got, err, m)
	}
	for _, bad := range []string{"", "{}", `{"lineage":"00","epoch":1}`, `{"lineage":"` + strings.Repeat("0", 32) + `","crc":"x"}`} {
		if _, err := decodeMarker([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a marker", bad)
		}
	}
}
