package kafka

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// said collects what a table says to the user.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(line string) { s.mu.Lock(); s.lines = append(s.lines, line); s.mu.Unlock() }

func (s *said) text() string { s.mu.Lock(); defer s.mu.Unlock(); return strings.Join(s.lines, "\n") }

// offsetsOf are what a group has committed, by partition; nil where there is nothing.
func offsetsOf(t *testing.T, b *kafkatest.Broker, group, topic string) map[int32]int64 {
	t.Helper()
	got, err := kadm.NewClient(b.Client(t)).FetchOffsets(kafkatest.Deadline(t), group)
	if err != nil {
		return nil
	}
	at := map[int32]int64{}
	for p, o := range got[topic] {
		if o.Err == nil && o.At >= 0 {
			at[p] = o.At
		}
	}
	return at
}

func TestGroupIsToldOffsets(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		topic := kafkatest.CreateTopic(t, b, topicName(t), 2, nil)
		produceTo(t, b, append(numbered(topic, 0, 0, 5), numbered(topic, 1, 0, 3)...)...)
		group := topicName(t) + "-g"
		d := def(t, b, "n INT", "topic="+topic, "format=json", "scan.startup.mode=earliest-offset", "properties.group.id="+group)
		s := readAll(t, d, false)
		if !s.src.Info().Publishes {
			t.Fatal("a source with a group does not publish")
		}
		src := s.src.(*source)
		src.Publish(s.positions())
		kafkatest.Until(t, "the group knows both ends", func() bool {
			at := offsetsOf(t, b, group, topic)
			return at[0] == 5 && at[1] == 3
		})
		// The last positions are committed when the source is closed, and none after that.
		produceTo(t, b, numbered(topic, 0, 5, 9)...)
		back := position{topic: src.topics[topic], offset: 7}
		src.Publish(map[string][]byte{topic + "/0": back.encode()})
		s.close()
		if at := offsetsOf(t, b, group, topic); at[0] != 7 || at[1] != 3 {
			t.Errorf("after the end the group stands at %v", at)
		}
		back.offset = 8
		src.Publish(map[string][]byte{topic + "/0": back.encode()})
		s.close()
		if at := offsetsOf(t, b, group, topic); at[0] != 7 {
			t.Errorf("committed after the end: %v", at)
		}
		if n := src.PublishFailures(); n != 0 {
			t.Errorf("%d failures", n)
		}
	})
}

// Without a group, or told so, nothing is committed.
func TestGroupIsNotTold(t *testing.T) {
	b := kafkatest.Fake(t)
	for _, options := range [][]string{nil, {"properties.group.id=g", "properties.commit.offsets.on.checkpoint=false"}} {
		d := def(t, b, "n INT", append(options, "topic=x", "format=json", "scan.startup.mode=earliest-offset")...)
		if s := newScan(t, d, false); s.src.Info().Publishes {
			t.Errorf("%q publishes", options)
		}
	}
	d := def(t, b, "n INT", "topic=x", "format=json", "properties.group.id=g", "properties.commit.offsets.on.checkpoint=maybe")
	if _, err := newSource(d, false); err == nil || !strings.Contains(err.Error(), "commit.offsets.on.checkpoint") {
		t.Errorf("got %v", err)
	}
}

// A commit that fails is counted, said once, and tried again; so is one that brokers may have forgotten.
func TestGroupCommitFails(t *testing.T) {
	b := kafkatest.Fake(t)
	topic := kafkatest.CreateTopic(t, b, "in", 1, nil)
	d := def(t, b, "n INT", "topic=in", "format=json", "scan.startup.mode=earliest-offset", "properties.group.id=g")
	var heard said
	d.Job.Notice = heard.add
	s := newScan(t, d, false)
	src := s.src.(*source)
	src.group.retry, src.group.refresh = 10*time.Millisecond, 50*time.Millisecond
	var mu sync.Mutex
	commits, refuse := 0, true
	b.RefuseCommits(func() bool {
		mu.Lock()
		defer mu.Unlock()
		commits++
		return refuse
	}, kerr.UnknownMemberID)
	src.Publish(map[string][]byte{topic + "/0": position{offset: 4}.encode()})
	kafkatest.Until(t, "two failures", func() bool { return src.PublishFailures() >= 2 })
	if text := heard.text(); strings.Count(text, "\n") > 0 || !strings.Contains(text, "table t: group g could not be told the offsets") || !strings.Contains(text, "a 'properties.group.id' of its own") {
		t.Errorf("said %q", text)
	}
	mu.Lock()
	refuse = false
	mu.Unlock()
	kafkatest.Until(t, "the group is told in the end", func() bool { return offsetsOf(t, b, "g", topic)[0] == 4 })
	mu.Lock()
	before := commits
	mu.Unlock()
	kafkatest.Until(t, "an idle job commits again", func() bool { mu.Lock(); defer mu.Unlock(); return commits > before+1 })
}

// A member of the group keeps others from committing for it: real brokers refuse that, and the job goes on.
func TestGroupWithMembers(t *testing.T) {
	b := kafkatest.Shared(t)
	topic := kafkatest.CreateTopic(t, b, topicName(t), 1, nil)
	group := topicName(t) + "-g"
	member := b.Client(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	produceTo(t, b, numbered(topic, 0, 0, 1)...)
	member.PollFetches(kafkatest.Deadline(t)) // joined now
	d := def(t, b, "n INT", "topic="+topic, "format=json", "scan.startup.mode=earliest-offset", "properties.group.id="+group)
	var heard said
	d.Job.Notice = heard.add
	s := readAll(t, d, false)
	src := s.src.(*source)
	src.Publish(s.positions())
	kafkatest.Until(t, "a failure", func() bool { return src.PublishFailures() > 0 })
	if text := heard.text(); !strings.Contains(text, "another consumer is a member of it") {
		t.Errorf("said %q", text)
	}
}
