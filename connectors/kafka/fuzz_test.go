package kafka

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fuzz"
)

var positions = fuzz.Target{Seeds: [][]byte{position{topic: [16]byte{1, 2}, offset: 5, epoch: -1}.encode(), {}}, Check: func(t testing.TB, b []byte) {
	if p, err := decodePosition(b); err == nil && !bytes.Equal(p.encode(), b) {
		t.Errorf("%x comes back different", b)
	}
}}

// control is what stands in the control topic, in markers and in claims; anybody may write to it.
var control = fuzz.Target{Seeds: [][]byte{encodeMarker(connectors.Marker{Lineage: [16]byte{7}, ID: connectors.EpochID{Number: 4, Incarnation: 2, CRC: 9}}),
	[]byte(`{"nonce":"n","host":"h","pid":4711,"time":"2026-01-01T00:00:00Z"}`), {}}, Words: []string{`"epoch":`, `18446744073709551616`, `null`, `"crc":"ffffffff1"`},
	Check: func(t testing.TB, b []byte) {
		if m, err := decodeMarker(b); err == nil {
			if again, err := decodeMarker(encodeMarker(m)); err != nil || again != m {
				t.Errorf("%q comes back as %v, %v", b, again, err)
			}
		}
		for _, key := range []string{"job", "job" + claimSuffix, string(b)} {
			s := controlState{last: -1}
			_ = s.add("job", &kgo.Record{Key: []byte(key), Value: b, Offset: 3})
		}
	}}

// words are what users write: JAAS lines, lists of offsets, names of partitions.
var words = fuzz.Target{Seeds: [][]byte{[]byte(`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\"q";`),
	[]byte("partition:0,offset:42;partition:1,offset:300"), []byte("topic/3")}, Words: []string{"username='", `\"`, "offset:", "99999999999999999999"}, Check: func(t testing.TB, b []byte) {
	jaas(string(b))
	if topic, n, err := parseSplit(string(b)); err == nil && n >= 0 {
		if again, m, err := parseSplit(splitID(topic, n)); err != nil || again != topic || m != n {
			t.Errorf("%q comes back as %q, %d, %v", b, again, m, err)
		}
	}
}}

func FuzzPosition(f *testing.F)     { positions.Fuzz(f) }
func TestFuzzPosition(t *testing.T) { positions.Loop(t) }
func FuzzControl(f *testing.F)      { control.Fuzz(f) }
func TestFuzzControl(t *testing.T)  { control.Loop(t) }
func FuzzWords(f *testing.F)        { words.Fuzz(f) }
func TestFuzzWords(t *testing.T)    { words.Loop(t) }
