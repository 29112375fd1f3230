package engine

import (
	"encoding/binary"
	"testing"

	"github.com/streamd/streamd/internal/fuzz"
	"github.com/streamd/streamd/state"
)

// positionsFuzz: positions of an epoch, as keys and values behind their lengths. What is accepted is written again as it was.
var positionsFuzz = fuzz.Target{Seeds: positionSeeds(), Words: []string{tableKey, splitKey, "\x00"}, Check: func(t testing.TB, b []byte) {
	var kvs []state.KV
	for len(b) > 1 {
		k, v := int(b[0]), int(b[1])
		if b = b[2:]; k+v > len(b) {
			break
		}
		kvs = append(kvs, state.KV{Key: string(b[:k]), Val: b[k : k+v]})
		b = b[k+v:]
	}
	r, last, err := restore(kvs)
	if err == nil && len(r.tables)+len(r.splits) != len(last) {
		t.Errorf("%q: %d tables and %d splits of %d keys", kvs, len(r.tables), len(r.splits), len(last))
	}
}}

func positionSeeds() (out [][]byte) {
	ep := &epoch{tables: []tablePosition{{Table: "t", WM: 5}}, splits: []splitPosition{{Table: "t", Split: "topic/0", WM: 7, Idle: true, Pos: []byte("position")}}}
	var all []byte
	for _, kv := range ep.positions() {
		one := append([]byte{byte(len(kv.Key)), byte(len(kv.Val))}, kv.Key...)
		one = append(one, kv.Val...)
		out, all = append(out, one), append(all, one...)
	}
	return append(out, all, binary.BigEndian.AppendUint64(nil, 0))
}

func FuzzPositions(f *testing.F)     { positionsFuzz.Fuzz(f) }
func TestFuzzPositions(t *testing.T) { positionsFuzz.Loop(t) }
