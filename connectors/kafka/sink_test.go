package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/kafkatest"
)

// texts are a topic's committed records as key=value, sorted.
func texts(t *testing.T, b *kafkatest.Broker, topic string) string {
	t.Helper()
	var out []string
	for _, r := range kafkatest.Committed(t, b, topic) {
		v := string(r.Value)
		if r.Value == nil {
			v = "null"
		}
		out = append(out, string(r.Key)+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func ephemeral(d *connectors.TableDef) *connectors.TableDef { d.Job.Ephemeral = true; return d }

// Two sinks of a job commit together, and rows of the next epoch stay out of the transaction.
func TestSinksShareEpochs(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		ctx := kafkatest.Deadline(t)
		one, two := kafkatest.CreateTopic(t, b, topicName(t)+"-1", 3, nil), kafkatest.CreateTopic(t, b, topicName(t)+"-2", 1, nil)
		d1 := ephemeral(def(t, b, "k STRING, v INT", "topic="+one, "format=json"))
		d2 := def(t, b, "v INT pk, s STRING", "topic="+two, "key.format=json", "value.format=json")
		d2.Job = d1.Job
		s1, s2 := mustSink(t, d1, false), mustSink(t, d2, true)
		if s1.d != s2.d || s1.Info().Decider == nil || s2.Info().Accepts != connectors.Upserts || s1.Info().Accepts != connectors.AppendOnly {
			t.Fatal("info")
		}
		w1, _ := s1.Writer(0)
		w2, _ := s2.Writer(1)
		push(t, s1, w1, "+ a 1", "++ b 2")
		push(t, s2, w2, "+ 1 x", "- 2 NULL")
		x1, err := s1.Seal()
		if err != nil || x1.Rows() != 3 {
			t.Fatalf("sealed %v %v", x1, err)
		}
		push(t, s1, w1, "+ late 3") // epoch 1: the workers go on while epoch 0 is decided
		x2, _ := s2.Seal()
		push(t, s2, w2, "+ 9 late")
		for _, x := range []connectors.Sealed{x1, x2} {
			if _, err := x.Prepare(ctx, connectors.EpochID{}); err != nil {
				t.Fatal(err)
			}
		}
		push(t, s1, w1, "+ later 4")
		if _, err := s1.d.Decide(ctx, connectors.Marker{}); err != nil {
			t.Fatal(err)
		}
		want1, want2 := `={"k":"a","v":1} ={"k":"b","v":2} ={"k":"b","v":2}`, `{"v":1}={"v":1,"s":"x"} {"v":2}=null`
		if got := texts(t, b, one); got != want1 {
			t.Errorf("got %s, want %s", got, want1)
		}
		if got := texts(t, b, two); got != want2 {
			t.Errorf("got %s, want %s", got, want2)
		}
		push(t, s1, w1, "+ last 5") // no epoch is undecided: it goes at once, behind those that waited
		if s1.queued != 0 || !w1.Room() {
			t.Errorf("%d bytes still wait", s1.queued)
		}
		decide(t, s1, s2)
		if got := texts(t, b, one); !strings.Contains(got, "late") || !strings.Contains(got, "later") || !strings.Contains(got, "last") {
			t.Errorf("the second epoch: %s", got)
		}
		if got := texts(t, b, two); !strings.Contains(got, `{"v":9}={"v":9,"s":"late"}`) {
			t.Errorf("the second epoch: %s", got)
		}
	})
}

// Batches are compressed as compression.type says; none, as the Java client does, is what nothing said means.
func TestCompression(t *testing.T) {
	for _, c := range []struct {
		option string
		codec  uint8 // in the attributes of a record batch
	}{{"", 0}, {"none", 0}, {"gzip", 1}, {"snappy", 2}, {"lz4", 3}, {"zstd", 4}} {
		b := kafkatest.Fake(t)
		topic := kafkatest.CreateTopic(t, b, "t", 1, nil)
		opts := []string{"topic=" + topic, "format=json"}
		if c.option != "" {
			opts = append(opts, "properties.compression.type="+c.option)
		}
		s := mustSink(t, ephemeral(def(t, b, "s STRING", opts...)), false)
		w, _ := s.Writer(0)
		push(t, s, w, "++ "+strings.Repeat("a", 1000)) // a batch that does not shrink stays as it is
		decide(t, s)
		recs := kafkatest.Committed(t, b, topic)
		if len(recs) != 2 {
			t.Fatalf("%q: %d records", c.option, len(recs))
		}
		if got := recs[0].Attrs.CompressionType(); got != c.codec {
			t.Errorf("compression.type %q: codec %d, want %d", c.option, got, c.codec)
		}
	}
}

// An epoch decided without any row (a marker for followers' rows) must not take the next epoch's rows along.
func TestMarkerOnlyEpochTakesNoRows(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		ctx := kafkatest.Deadline(t)
		topic := kafkatest.CreateTopic(t, b, topicName(t), 1, nil)
		s := mustSink(t, def(t, b, "v INT", "topic="+topic, "format=json"), false)
		c, _, err := s.d.Claim(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := s.Writer(0)
		if x, err := s.Seal(); err != nil || x.Rows() != 0 {
			t.Fatal(err)
		}
		push(t, s, w, "+ 1")
		if _, err := s.d.Decide(ctx, mark(c, 1)); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, b, topic); got != "" {
			t.Fatalf("rows of epoch 2 were decided with epoch 1: %s", got)
		}
		x, err := s.Seal()
		if err != nil || x.Rows() != 1 {
			t.Fatal(x, err)
		}
		if _, err := x.Prepare(ctx, connectors.EpochID{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.d.Decide(ctx, mark(c, 2)); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, b, topic); got != `={"v":1}` {
			t.Fatalf("epoch 2: %s", got)
		}
	})
}

func TestSinkStopsWithItsIncarnation(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "stops", 1, nil)
	s := mustSink(t, def(t, b, "v INT", "topic="+topic, "format=json"), false)
	ctx := kafkatest.Deadline(t)
	if _, _, err := s.d.Claim(ctx, 0); err != nil {
		t.Fatal(err)
	}
	w, _ := s.Writer(0)
	push(t, s, w, "+ 1")
	cause := errors.New("broken")
	s.ses.fail(cause)
	if err := w.Push(rowsOf(s.t.def.Schema, "+ 2")); !errors.Is(err, cause) {
		t.Errorf("push: %v", err)
	}
	if _, err := s.Seal(); !errors.Is(err, cause) {
		t.Errorf("seal: %v", err)
	}
	if !w.Room() {
		t.Error("no room hides the error from the engine")
	}
	if err := s.d.Renew(); err != nil {
		t.Fatal(err)
	}
	c, _, err := s.d.Claim(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	again := mustSink(t, s.t.def, false)
	w, _ = again.Writer(0)
	push(t, again, w, "+ 3")
	x, err := again.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Prepare(ctx, connectors.EpochID{}); err != nil {
		t.Fatal(err)
	}
	if _, err := again.d.Decide(ctx, mark(c, 1)); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, b, topic); got != `={"v":3}` {
		t.Errorf("rows %s", got)
	}
}

func TestSinkCreatesMissingTopic(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		d := ephemeral(def(t, b, "v INT", "topic="+topicName(t), "format=json"))
		var said []string
		d.Job.Notice = func(s string) { said = append(said, s) }
		s := mustSink(t, d, false)
		if len(said) != 1 || !strings.Contains(said[0], "created topic "+topicName(t)) || !strings.Contains(said[0], fmt.Sprintf("partitions %d", s.partitions)) {
			t.Errorf("said %q", said)
		}
		mustSink(t, d, false)
		if len(said) != 1 {
			t.Errorf("said again: %q", said)
		}
	})
}

func TestRowTooLarge(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "small", 1, map[string]string{"max.message.bytes": "3000000"})
	s := mustSink(t, ephemeral(def(t, b, "v STRING", "topic="+topic, "format=json")), false)
	w, _ := s.Writer(0)
	push(t, s, w, "+ "+strings.Repeat("x", 2_900_000)) // more than the client's default of 1 MB
	err := w.Push(rowsOf(s.t.def.Schema, "+ "+strings.Repeat("x", 3_000_000)))
	var large *TooLarge
	var p *connectors.Permanent
	if !errors.As(err, &large) || !errors.As(err, &p) || large.Limit != 3000000 || large.Topic != topic {
		t.Fatalf("push: %v", err)
	}
	decide(t, s)
	if n := len(kafkatest.Committed(t, b, topic)); n != 1 {
		t.Errorf("%d records", n)
	}
}

func TestPartitions(t *testing.T) {
	// Values of the Java client's Utils.murmur2.
	for key, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "keyed", 3, nil)
	s := mustSink(t, ephemeral(def(t, b, "k STRING, v INT", "topic="+topic, "key.format=raw", "key.fields=k", "value.format=json", "value.fields-include=EXCEPT_KEY")), false)
	w, _ := s.Writer(0)
	push(t, s, w, "+ foobar 1", "+ 21 2", "+ abc 3", "+ NULL 4", "+ NULL 5")
	push(t, s, w, "+ NULL 6")
	decide(t, s)
	at := map[string]int32{}
	for _, r := range kafkatest.Committed(t, b, topic) {
		at[string(r.Key)+string(r.Value)] = r.Partition
	}
	for _, k := range []struct {
		rec string
		p   int32
	}{{`foobar{"v":1}`, -790332482 & 0x7fffffff % 3}, {`21{"v":2}`, (-973932308 & 0x7fffffff) % 3}, {`abc{"v":3}`, 479470107 % 3}} {
		if p, ok := at[k.rec]; !ok || p != k.p {
			t.Errorf("%s is in partition %d, want %d", k.rec, p, k.p)
		}
	}
	if at[`{"v":4}`] != at[`{"v":5}`] || at[`{"v":4}`] == at[`{"v":6}`] {
		t.Errorf("without key: %v", at)
	}
	for how, want := range map[string]string{"default": "1 1 2 2 0 0", "round-robin": "0 1 2 0 1 2", "fixed": "0 0 0 0 0 0"} {
		tu := turns{partitions: 3, how: how}
		var got []string
		for range 3 {
			tu.batch()
			got = append(got, fmt.Sprint(tu.row()), fmt.Sprint(tu.row()))
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: %s, want %s", how, g, want)
		}
	}
}

func TestSinkMetadataAndChangelog(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "out", 1, nil)
	s := mustSink(t, ephemeral(def(t, b, "v INT, ts LTZ meta:timestamp, h HEADERS meta:headers, p INT virtual:partition", "topic=out", "format=debezium-json")), false)
	w, _ := s.Writer(0)
	bt := batch.New(s.t.def.Schema, 2)
	for i := range 2 {
		bt.Cols[0].AppendInt(int64(i))
		bt.Cols[1].AppendInt(1_700_000_000_123_000)
		bt.Cols[2].Child[0].AppendString("h")
		bt.Cols[2].Child[1].AppendBytes([]byte{7})
		bt.Cols[2].AppendList(i)
		bt.Cols[3].AppendNull()
		bt.AddWeight(int64(1 - 2*i))
	}
	if err := w.Push(connectors.Changes{B: bt, Kinds: []connectors.Kind{connectors.Insert, connectors.UpdateBefore}}); err != nil {
		t.Fatal(err)
	}
	decide(t, s)
	recs := kafkatest.Committed(t, b, topic)
	if len(recs) != 2 || !strings.Contains(string(recs[0].Value), `"op":"c"`) || !strings.Contains(string(recs[1].Value), `"op":"d"`) {
		t.Fatalf("records %v", texts(t, b, topic))
	}
	if r := recs[0]; !r.Timestamp.Equal(time.UnixMilli(1_700_000_000_123)) || len(r.Headers) != 1 || r.Headers[0].Key != "h" || string(r.Headers[0].Value) != "\x07" {
		t.Errorf("record %+v", r)
	}
}

func TestSealedWithoutRowsNeedsNoBroker(t *testing.T) {
	s := &sink{ses: &session{}}
	x, err := s.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Prepare(context.Background(), connectors.EpochID{}); err != nil {
		t.Fatal(err)
	}
}
