package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
	"github.com/streamd/streamd/internal/kafkatest"
)

// topicName is a name of the test's own: the same within one run of it, another in
// the next (-count), for all tests of the binary share one real broker.
func topicName(t testing.TB) string {
	n, ok := numbers.Load(t)
	if !ok {
		n, _ = numbers.LoadOrStore(t, runs.Add(1))
	}
	return fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", "#", "-", " ", "-", "=", "-").Replace(t.Name()), n)
}

var (
	runs    atomic.Int32
	numbers sync.Map // testing.TB -> int32
)

// produceTo writes records in order, each acknowledged before the next.
func produceTo(t *testing.T, b *kafkatest.Broker, recs ...*kgo.Record) {
	t.Helper()
	cl := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, r := range recs {
		if err := cl.ProduceSync(kafkatest.Deadline(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func numbered(topic string, partition int32, from, to int) (recs []*kgo.Record) {
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	return recs
}

// Aborted transactions are not seen, and reading goes on exactly where a position says, however it was cut.
func TestSourceReadsCommittedOnce(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		const parts, total = 3, 2000
		topic := kafkatest.CreateTopic(t, b, topicName(t), parts, nil)
		kafkatest.NewProducer(t, b, topic, 3).Write(total, func(i int) *kgo.Record {
			return &kgo.Record{Topic: topic, Partition: int32(i % parts), Value: fmt.Appendf(nil, `{"n":%d}`, i)}
		})
		if n := len(kafkatest.Committed(t, b, topic)); n != total { // waits until all is visible
			t.Fatalf("the topic holds %d records", n)
		}
		d := def(t, b, "n INT, p INT virtual:partition", "topic="+topic, "format=json", "scan.startup.mode=earliest-offset")
		seen := map[string]int{}
		var saved map[string][]byte
		for restarts := 0; ; restarts++ {
			s := newScan(t, d, false)
			ends := s.ends()
			for id, pos := range saved {
				if err := s.src.Check(kafkatest.Deadline(t), connectors.Split{ID: id}, pos); err != nil {
					t.Fatal(err)
				}
			}
			s.open(saved, ends)
			stop := 300
			if restarts > 2 {
				stop = total
			}
			s.until("rows", func() bool {
				return len(s.rows) >= stop || len(s.done) == parts && !slices.Contains(slices.Collect(maps.Values(s.done)), false)
			})
			for _, r := range s.rows {
				seen[r]++
			}
			saved = s.positions()
			done := len(s.rows) < stop
			s.close()
			if done {
				break
			}
		}
		for i := range total {
			if n := seen[fmt.Sprintf("+%d %d", i, i%parts)]; n != 1 {
				t.Errorf("row %d was read %d times", i, n)
			}
		}
		if len(seen) != total {
			t.Errorf("%d different rows", len(seen))
		}
		for id, end := range newScan(t, d, false).ends() {
			if string(saved[id][:25]) != string(end[:25]) {
				t.Errorf("%s ended at %x, want %x", id, saved[id], end)
			}
		}
	})
}

func TestSourceMetadataAndKeys(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "meta", 2, nil)
	at := time.UnixMilli(1_700_000_000_123)
	produceTo(t, b,
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: []byte(`{"id":7}`), Value: []byte(`{"v":"a"}`),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("x")}, {Key: "g", Value: nil}, {Key: "h", Value: []byte("y")}}},
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: nil, Value: []byte(`{"v":"b"}`)},
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: []byte(`{"id":"no"}`), Value: []byte(`{"v":"c"}`)},
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: []byte(`{"id":8}`), Value: []byte(`[]`)},
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: []byte(`{"id":8}`), Value: nil},
		&kgo.Record{Topic: topic, Partition: 1, Timestamp: at, Key: []byte(`{"id":9}`), Value: []byte(`{"v":""}`)},
	)
	d := def(t, b, "k_id INT, v STRING, t STRING virtual:topic, p INT virtual:partition, o BIGINT virtual:offset, ts LTZ meta:timestamp, l TS virtual:timestamp, tt STRING virtual:timestamp-type, h HEADERS meta:headers, e INT virtual:leader-epoch",
		"topic=meta", "value.format=json", "key.format=json", "key.fields=k_id", "key.fields-prefix=k_", "value.fields-include=EXCEPT_KEY", "scan.startup.mode=earliest-offset")
	d.Zone = "Asia/Kolkata"
	s := readAll(t, d, false)
	rest := func(o int, h string) string {
		return fmt.Sprintf(" meta 1 %d 2023-11-14T22:13:20.123Z 2023-11-15T03:43:20.123 CreateTime %s 0", o, h)
	}
	s.want("+7 a"+rest(0, "{h=x'79', g=NULL}"), "+NULL b"+rest(1, "{}"), "+9 "+rest(5, "{}"))
	var places []string
	for _, x := range s.bad {
		places = append(places, fmt.Sprint(x.Place, " ", x.Code, " ", x.Skipped))
	}
	want := []string{"meta/1/2 SD6105 false", "meta/1/3 SD6102 false", "meta/1/4 SD6161 true"}
	if !slices.Equal(places, want) {
		t.Errorf("bad records %q, want %q", places, want)
	}
	if !strings.HasPrefix(s.bad[0].Msg, "key: ") || string(s.bad[0].Raw) != `{"id":"no"}` {
		t.Errorf("a bad key is reported as %+v", s.bad[0])
	}
}

func TestUpsertSource(t *testing.T) {
	b := kafkatest.Fake(t)
	for _, include := range []string{"ALL", "EXCEPT_KEY"} {
		topic := kafkatest.CreateTopic(t, b, "upsert-"+include, 1, nil)
		produceTo(t, b,
			&kgo.Record{Topic: topic, Key: []byte(`{"id":1}`), Value: []byte(`{"id":1,"v":"a"}`)},
			&kgo.Record{Topic: topic, Key: []byte(`{"id":1}`), Value: nil},
			&kgo.Record{Topic: topic, Key: nil, Value: []byte(`{"id":2,"v":"b"}`)},
			&kgo.Record{Topic: topic, Key: []byte(`{"id":3}`), Value: []byte(`{"id":3,"v":"c"}`)},
		)
		d := def(t, b, "v STRING, id INT pk, o BIGINT virtual:offset", "topic="+topic, "key.format=json", "value.format=json", "value.fields-include="+include)
		s := readAll(t, d, true)
		s.want("+a 1 0", "-NULL 1 1", "+c 3 3")
		if len(s.bad) != 1 || s.bad[0].Code != string(formats.NoKey) {
			t.Errorf("bad records %+v", s.bad)
		}
		if info := s.src.Info(); info.Changes != connectors.Upserts || !info.Live || info.Bounded || s.src.(connectors.Deciding).Decider() == nil {
			t.Errorf("info %+v", info)
		}
	}
}

func TestDebeziumUpdatesGiveTwoRows(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "cdc", 1, nil)
	produceTo(t, b,
		&kgo.Record{Topic: topic, Value: []byte(`{"op":"c","before":null,"after":{"id":1,"v":"a"}}`)},
		&kgo.Record{Topic: topic, Value: []byte(`{"op":"u","before":{"id":1,"v":"a"},"after":{"id":1,"v":"b"}}`)},
		&kgo.Record{Topic: topic, Value: []byte(`{"op":"d","before":{"id":1,"v":"b"},"after":null}`)})
	s := readAll(t, def(t, b, "id INT, v STRING, o BIGINT virtual:offset", "topic=cdc", "format=debezium-json", "scan.startup.mode=earliest-offset"), false)
	s.want("+1 a 0", "-1 a 1", "+1 b 1", "-1 b 2")
}

func TestStartAndBoundedModes(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "modes", 1, nil)
	for i := range 10 {
		produceTo(t, b, &kgo.Record{Topic: topic, Timestamp: time.UnixMilli(int64(1000 * i)), Value: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	commits := kadm.Offsets{}
	commits.AddOffset(topic, 0, 4, -1)
	if err := kadm.NewClient(b.Client(t)).CommitAllOffsets(context.Background(), "g", commits); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ options, want string }{
		{"scan.startup.mode=earliest-offset", "0123456789"},
		{"scan.startup.mode=latest-offset", ""},
		{"scan.startup.mode=timestamp scan.startup.timestamp-millis=2500", "3456789"},
		{"scan.startup.mode=timestamp scan.startup.timestamp-millis=99999", ""},
		{"scan.startup.mode=specific-offsets scan.startup.specific-offsets=partition:0,offset:8", "89"},
		{"scan.startup.mode=group-offsets properties.group.id=g", "456789"},
		{"properties.group.id=g", "456789"},
		{"properties.group.id=other properties.auto.offset.reset=earliest", "0123456789"},
		{"properties.auto.offset.reset=latest", ""},
		{"properties.group.id=other", "group other has no offset for modes/0"},
		{"scan.startup.mode=specific-offsets scan.startup.specific-offsets=partition:0,offset:11", "holds offsets 0 to 10, not 11"},
		{"scan.startup.mode=earliest-offset scan.bounded.mode=latest-offset", "0123456789"},
		{"scan.startup.mode=earliest-offset scan.bounded.mode=timestamp scan.bounded.timestamp-millis=2500", "012"},
		{"scan.startup.mode=earliest-offset scan.bounded.mode=specific-offsets scan.bounded.specific-offsets=partition:0,offset:5", "01234"},
		{"scan.startup.mode=earliest-offset scan.bounded.mode=group-offsets properties.group.id=g", "0123"},
		{"scan.startup.mode=latest-offset scan.bounded.mode=group-offsets properties.group.id=g", ""},
		{"scan.startup.mode=earliest-offset scan.bounded.mode=group-offsets properties.group.id=other", "group other has no offset for modes/0"},
	} {
		t.Run(tc.options, func(t *testing.T) {
			d := def(t, b, "n INT", append(strings.Fields(tc.options), "topic=modes", "format=json")...)
			s := newScan(t, d, false)
			splits, err := s.src.Splits(kafkatest.Deadline(t))
			if err == nil {
				var r connectors.Reader
				if r, err = s.src.Open(kafkatest.Deadline(t), splits[0], nil, nil, connectors.Want{}); err == nil {
					r.Close()
				}
			}
			if err != nil {
				var p *connectors.Permanent
				if !errors.As(err, &p) || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want %q", err, tc.want)
				}
				return
			}
			var ends map[string][]byte
			if bounded := strings.Contains(tc.options, "bounded"); bounded != s.src.Info().Bounded {
				t.Errorf("bounded: %v", s.src.Info().Bounded)
			} else if !bounded {
				ends = s.ends()
			}
			s.open(nil, ends)
			s.all()
			if got := strings.NewReplacer("+", "", "\n", "").Replace(strings.Join(s.rows, "")); got != tc.want {
				t.Errorf("read %q, want %q", got, tc.want)
			}
		})
	}
}

// A partition that appears while the job runs is read from its beginning, whatever the start-up mode.
func TestNewPartitionsAndTopics(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		topic := kafkatest.CreateTopic(t, b, topicName(t), 1, nil)
		produceTo(t, b, numbered(topic, 0, 0, 5)...)
		d := def(t, b, "n INT, t STRING virtual:topic", "topic-pattern="+topic+"(-more)?", "format=json", "scan.startup.mode=latest-offset")
		s := newScan(t, d, false)
		if splits := s.open(nil, nil); len(splits) != 1 || splits[0].Empty {
			t.Fatalf("splits %+v", splits)
		}
		ctx := kafkatest.Deadline(t)
		adm := kadm.NewClient(b.Client(t))
		if _, err := adm.CreatePartitions(ctx, 1, topic); err != nil {
			t.Fatal(err)
		}
		more := kafkatest.CreateTopic(t, b, topic+"-more", 2, nil)
		kafkatest.Until(t, "the new partition has a leader", func() bool {
			l, err := adm.ListEndOffsets(ctx, topic)
			return err == nil && l.Error() == nil && len(l[topic]) == 2
		})
		produceTo(t, b, append(numbered(topic, 1, 10, 12), numbered(more, 0, 20, 22)...)...) // before anybody looks
		kafkatest.Until(t, "four partitions", func() bool {
			splits, err := s.src.Splits(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return len(splits) == 4 && !splits[1].Empty && !splits[2].Empty && splits[3].Empty
		})
		s.open(nil, nil)
		s.until("four rows", func() bool { return len(s.rows) == 4 })
		slices.Sort(s.rows)
		s.want("+10 "+topic, "+11 "+topic, "+20 "+more, "+21 "+more)
	})
}

func TestTopicReplacedAndDataLost(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		ctx := kafkatest.Deadline(t)
		topic := kafkatest.CreateTopic(t, b, topicName(t), 1, nil)
		produceTo(t, b, numbered(topic, 0, 0, 10)...)
		adm := kadm.NewClient(b.Client(t))
		split := connectors.Split{ID: topic + "/0"}
		open := func(options ...string) *scan {
			return newScan(t, def(t, b, "n INT", append(options, "topic="+topic, "format=json", "scan.startup.mode=earliest-offset")...), false)
		}
		s := open()
		s.open(nil, nil)
		s.until("ten rows", func() bool { return len(s.rows) == 10 })
		old := position{topic: s.src.(*source).topics[topic], offset: 3, epoch: 0}.encode()
		check := func(s *scan, pos []byte, want string) {
			t.Helper()
			err := s.src.Check(ctx, split, pos)
			var r *connectors.Refused
			if want == "" && err != nil || want != "" && (!errors.As(err, &r) || r.What != want) {
				t.Fatalf("check: %v, want %q", err, want)
			}
		}
		check(open(), old, "")

		del := kadm.Offsets{}
		del.AddOffset(topic, 0, 6, -1)
		if _, err := adm.DeleteRecords(ctx, del); err != nil {
			t.Fatal(err)
		}
		check(open(), old, "DATA LOST BY RETENTION")
		beyond, _ := decodePosition(old)
		beyond.offset = 99
		check(open(), beyond.encode(), "DATA LOST")
		for policy, want := range map[string]string{"earliest": "+6 +7 +8 +9", "latest": ""} {
			s := open("scan.on-data-loss=" + policy)
			check(s, old, "")
			s.open(map[string][]byte{split.ID: old}, s.ends())
			s.all()
			if got := strings.Join(s.rows, " "); got != want {
				t.Errorf("on-data-loss %s: read %q", policy, got)
			}
		}
		// A reader that meets the hole itself must stop, not skip.
		s = open()
		s.open(map[string][]byte{split.ID: old}, nil)
		var err error
		kafkatest.Until(t, "the reader notices", func() bool { err = s.step(10); return err != nil || len(s.rows) > 0 })
		if err == nil || !strings.Contains(err.Error(), "offset 3 is gone, the log holds 6 to 10") {
			t.Fatalf("read over a hole: %v, rows %q", err, s.rows)
		}

		running := open()
		running.open(nil, nil)
		if _, err := adm.DeleteTopic(ctx, topic); err != nil {
			t.Fatal(err)
		}
		kafkatest.Until(t, "the topic is gone", func() bool {
			_, ok, err := lookUp(ctx, b.Client(t), topic)
			return err == nil && !ok
		})
		kafkatest.CreateTopic(t, b, topic, 1, nil)
		produceTo(t, b, numbered(topic, 0, 100, 102)...)
		kafkatest.Until(t, "a running job notices that its topic was replaced", func() bool {
			_, err := running.src.Splits(ctx)
			return err != nil && strings.Contains(err.Error(), "created again")
		})
		check(open(), old, "TOPIC REPLACED")
		for policy, want := range map[string]string{"earliest": "+100 +101", "latest": ""} {
			s := open("scan.on-recreate=" + policy)
			check(s, old, "")
			s.open(map[string][]byte{split.ID: old}, s.ends())
			s.all()
			if got := strings.Join(s.rows, " "); got != want {
				t.Errorf("on-recreate %s: read %q", policy, got)
			}
		}
	})
}

func TestMissingTopic(t *testing.T) {
	b := kafkatest.Fake(t)
	s := newScan(t, def(t, b, "n INT", "topic=nowhere", "format=json", "scan.startup.mode=earliest-offset"), false)
	_, err := s.src.Splits(kafkatest.Deadline(t))
	var p *connectors.Permanent
	if !errors.As(err, &p) || !strings.Contains(err.Error(), "topic nowhere does not exist on "+b.Addr) {
		t.Fatal(err)
	}
}

// Compaction may have removed all that stood before the end of a bounded read: here the broker has nothing at offset 2.
func TestEndInCompactedLog(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "compacted", 1, nil)
	cl := b.Client(t, kgo.ProducerBatchCompression(kgo.NoCompression()))
	for i := range 3 { // each more than a fetch may bring: one batch an answer
		r := &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, strings.Repeat("x", 600<<10))}
		if err := cl.ProduceSync(kafkatest.Deadline(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.Fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		f := req.(*kmsg.FetchRequest)
		if len(f.Topics) != 1 || f.Topics[0].Partitions[0].FetchOffset != 2 {
			return nil, nil, false
		}
		resp := f.ResponseKind().(*kmsg.FetchResponse)
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID = f.Topics[0].Topic, f.Topics[0].TopicID
		rp := kmsg.NewFetchResponseTopicPartition()
		rp.HighWatermark, rp.LastStableOffset = 3, 3
		rt.Partitions = append(rt.Partitions, rp)
		resp.Topics = append(resp.Topics, rt)
		return resp, nil, true
	})
	s := newScan(t, def(t, b, "n INT", "topic=compacted", "format=json", "scan.startup.mode=earliest-offset", "scan.buffer-size=1mb"), false)
	c := &s.src.(*source).t.props.cluster
	c.Opts = append(c.Opts, kgo.DisableFetchSessions())
	ends := s.ends()
	s.open(nil, ends)
	s.all()
	s.want("+0", "+1")
	for id, pos := range s.positions() {
		if string(pos[:25]) != string(ends[id][:25]) {
			t.Errorf("%s ended at %x, want %x", id, pos, ends[id])
		}
	}
}

// What is fetched ahead stays within the budget, and nothing is lost by pausing.
func TestFetchBudget(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "large", 2, nil)
	pad := strings.Repeat("x", 1000)
	cl := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	for i := range 8000 {
		p := int32(0)
		if i%20 == 0 {
			p = 1
		}
		cl.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: p, Value: fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, pad)}, nil)
	}
	if err := cl.Flush(kafkatest.Deadline(t)); err != nil {
		t.Fatal(err)
	}
	s := newScan(t, def(t, b, "n INT", "topic=large", "format=json", "scan.startup.mode=earliest-offset", "scan.buffer-size=2mb"), false)
	s.open(nil, s.ends())
	f := s.src.(*source).fetch
	paused := false
	s.until("all rows", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.held > 2<<20+4<<20 { // one answer of the broker comes on top: 1 MiB a partition, and a batch
			t.Fatalf("%d bytes held", f.held)
		}
		paused = paused || f.parts[topic][0].paused
		return len(s.rows) == 8000
	})
	if !paused {
		t.Error("no partition was ever paused")
	}
	kafkatest.Until(t, "memory is given back", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.held == 0 })
}

func TestPositionRoundTrip(t *testing.T) {
	for _, p := range []position{{}, {topic: [16]byte{1, 15: 9}, offset: 1 << 50, epoch: -1}, {offset: 5, epoch: 7}} {
		got, err := decodePosition(p.encode())
		if err != nil || got != p {
			t.Errorf("%+v came back as %+v, %v", p, got, err)
		}
	}
	for _, bad := range [][]byte{nil, {1}, make([]byte, 29), append(position{}.encode(), 0), position{offset: -1}.encode()} {
		if _, err := decodePosition(bad); err == nil {
			t.Errorf("%x was taken for a position", bad)
		}
	}
	for _, bad := range []string{"", "x", "/0", "x/", "x/-1", "x/a"} {
		if _, _, err := parseSplit(bad); err == nil {
			t.Errorf("%q was taken for a split", bad)
		}
	}
}

// The log's beginning was removed by retention before a job first starts: each mode says what it does.
func TestStartModesBehindRetention(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		topic := kafkatest.CreateTopic(t, b, topicName(t), 1, nil)
		for i := range 10 {
			produceTo(t, b, &kgo.Record{Topic: topic, Timestamp: time.UnixMilli(int64(1_700_000_000_000 + 1000*i)), Value: fmt.Appendf(nil, `{"n":%d}`, i)})
		}
		adm := kadm.NewClient(b.Client(t))
		at := kadm.Offsets{}
		at.AddOffset(topic, 0, 6, -1)
		if _, err := adm.DeleteRecords(kafkatest.Deadline(t), at); err != nil {
			t.Fatal(err)
		}
		group := topic + "-g"
		at = kadm.Offsets{}
		at.AddOffset(topic, 0, 3, -1)
		if err := adm.CommitAllOffsets(kafkatest.Deadline(t), group, at); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct{ options, want string }{
			{"scan.startup.mode=earliest-offset", "6789"},
			{"scan.startup.mode=latest-offset", ""},
			{"scan.startup.mode=timestamp scan.startup.timestamp-millis=1700000002500", "6789"},
			{"scan.startup.mode=timestamp scan.startup.timestamp-millis=4102444800000", ""}, // far in the future: from the end on
			{"scan.startup.mode=specific-offsets scan.startup.specific-offsets=partition:0,offset:3", "scan.startup.specific-offsets: " + topic + "/0 holds offsets 6 to 10, not 3"},
			{"scan.startup.mode=specific-offsets scan.startup.specific-offsets=partition:0,offset:6", "6789"},
			{"properties.group.id=" + group + " properties.auto.offset.reset=earliest", "6789"},
			{"properties.group.id=" + group + " properties.auto.offset.reset=latest", ""},
			{"properties.group.id=" + group, "group " + group + " has no offset for " + topic + "/0 that the log still holds"},
			{"scan.startup.mode=earliest-offset scan.bounded.mode=specific-offsets scan.bounded.specific-offsets=partition:0,offset:3", ""},
			{"scan.startup.mode=earliest-offset scan.bounded.mode=specific-offsets scan.bounded.specific-offsets=partition:0,offset:8", "67"},
			{"scan.startup.mode=earliest-offset scan.bounded.mode=timestamp scan.bounded.timestamp-millis=1700000002500", ""},
		} {
			d := def(t, b, "n INT", append(strings.Fields(tc.options), "topic="+topic, "format=json")...)
			s := newScan(t, d, false)
			ctx := kafkatest.Deadline(t)
			splits, err := s.src.Splits(ctx)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.src.Open(ctx, splits[0], nil, nil, connectors.Want{})
			if err != nil {
				var p *connectors.Permanent
				if !errors.As(err, &p) || !strings.Contains(err.Error(), tc.want) || tc.want == "" {
					t.Errorf("%s: %v, want %q", tc.options, err, tc.want)
				}
				continue
			}
			r.Close()
			s.open(nil, s.ends())
			s.all()
			if got := strings.NewReplacer("+", "", "\n", "").Replace(strings.Join(s.rows, "")); got != tc.want {
				t.Errorf("%s: read %q, want %q", tc.options, got, tc.want)
			}
		}
	})
}
