package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/internal/kafkatest"
)

// landed tells in which partition each row is, as "v@partition", sorted by v.
func landed(t *testing.T, b *kafkatest.Broker, topic string) string {
	t.Helper()
	var out []string
	for _, r := range kafkatest.Committed(t, b, topic) {
		out = append(out, fmt.Sprintf("%s@%d", strings.Trim(string(r.Value), `{}:v"`), r.Partition))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// Which partition rows land in, written by two workers in two batches each.
func TestPartitioners(t *testing.T) {
	b := kafkatest.Fake(t)
	for _, tc := range []struct {
		how, key   string
		partitions int32
		want       string
	}{
		{"", "", 3, "1@1 2@1 3@2 4@2 5@2 6@2 7@0 8@0"},            // a batch in turn, each worker from its own number on
		{"default", "", 3, "1@1 2@1 3@2 4@2 5@2 6@2 7@0 8@0"},     //
		{"round-robin", "", 3, "1@0 2@1 3@2 4@0 5@1 6@2 7@0 8@1"}, // a row in turn
		{"fixed", "", 3, "1@0 2@0 3@0 4@0 5@1 6@1 7@1 8@1"},       // a partition a worker
		{"fixed", "", 1, "1@0 2@0 3@0 4@0 5@0 6@0 7@0 8@0"},       // more workers than partitions
		{"fixed", "k", 3, "1@0 2@0 3@0 4@0 5@1 6@1 7@1 8@1"},      // whatever the key is
		{"default", "k", 3, "1@0 2@2 3@0 4@2 5@0 6@2 7@0 8@2"},    // murmur2("foobar") = -790332482, murmur2("a-little-bit-long-string") = -985981536
	} {
		options := []string{"value.format=json", "value.fields-include=EXCEPT_KEY"}
		columns := "v INT"
		if tc.how != "" {
			options = append(options, "sink.partitioner="+tc.how)
		}
		if tc.key != "" {
			columns, options = "k STRING, v INT", append(options, "key.format=raw", "key.fields=k")
		}
		topic := kafkatest.CreateTopic(t, b, fmt.Sprintf("out-%s-%s-%d", tc.how, tc.key, tc.partitions), tc.partitions, nil)
		s := mustSink(t, ephemeral(def(t, b, columns, append(options, "topic="+topic)...)), false)
		for worker := range 2 {
			w, err := s.Writer(worker)
			if err != nil {
				t.Fatal(err)
			}
			for v := 4*worker + 1; v < 4*worker+5; v += 2 {
				rows := []string{fmt.Sprintf("+ %d", v), fmt.Sprintf("+ %d", v+1)}
				if tc.key != "" {
					rows = []string{fmt.Sprintf("+ foobar %d", v), fmt.Sprintf("+ a-little-bit-long-string %d", v+1)}
				}
				push(t, s, w, rows...)
			}
		}
		decide(t, s)
		if got := landed(t, b, topic); got != tc.want {
			t.Errorf("%q with key %q, %d partitions: %s, want %s", tc.how, tc.key, tc.partitions, got, tc.want)
		}
	}
}
