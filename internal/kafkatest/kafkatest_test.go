package kafkatest

import (
	"fmt"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestProducerAbortsAndCommits(t *testing.T) {
	Each(t, func(t *testing.T, b *Broker) {
		topic := CreateTopic(t, b, "producer", 2, nil)
		p := NewProducer(t, b, "test-producer", 7)
		p.Write(500, func(i int) *kgo.Record {
			return &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: fmt.Append(nil, i)}
		})
		if p.Committed != 500 || p.Aborted == 0 {
			t.Fatalf("%d committed, %d aborted", p.Committed, p.Aborted)
		}
		got := Committed(t, b, topic)
		if len(got) != 500 {
			t.Fatalf("read %d records", len(got))
		}
		next := [2]int{0, 1}
		for _, r := range got {
			if string(r.Value) != fmt.Sprint(next[r.Partition]) {
				t.Fatalf("partition %d: got %s, want %d", r.Partition, r.Value, next[r.Partition])
			}
			next[r.Partition] += 2
		}
	})
}

func TestRealBrokerSurvivesKill(t *testing.T) {
	b := Shared(t)
	topic := CreateTopic(t, b, "survives-kill", 1, nil)
	NewProducer(t, b, "survives-kill", 1).Write(50, func(i int) *kgo.Record {
		return &kgo.Record{Topic: topic, Value: fmt.Append(nil, i)}
	})
	Committed(t, b, topic)
	old := b.Process.PID()
	b.Process.Kill()
	b.Process.Restart(t)
	if b.Process.PID() == old {
		t.Fatal("same process")
	}
	if got := Committed(t, b, topic); len(got) != 50 {
		t.Fatalf("%d records after the crash", len(got))
	}
	b.Process.Pause()
	b.Process.Resume()
	if got := Committed(t, b, topic); len(got) != 50 {
		t.Fatalf("%d records after the pause", len(got))
	}
}
