package file

import (
	"bytes"
	"testing"

	"github.com/streamd/streamd/internal/fuzz"
)

// positions and lists of staged files come from the state: what is accepted is written again as it was.
var positions = fuzz.Target{Seeds: [][]byte{position{Offset: 5, Line: 2, Size: 9, Head: 1, Tail: 2, Cut: true}.encode(), {}}, Check: func(t testing.TB, b []byte) {
	p, err := decodePosition(b)
	if err == nil && !bytes.Equal(p.encode()[:32], b[:32]) {
		t.Errorf("%x comes back different", b)
	}
}}

var entryLists = fuzz.Target{Seeds: [][]byte{encodeEntries([]entry{{staged: ".part-1", target: "a/part-1.json", size: 7, crc: 9}, {staged: ".x", target: "x", size: 1 << 40}}), encodeEntries(nil)},
	Words: []string{"../", "/etc/passwd", "\x00"}, Check: func(t testing.TB, b []byte) {
		list, err := decodeEntries(b)
		if err != nil {
			return
		}
		again, err := decodeEntries(encodeEntries(list))
		if err != nil || len(again) != len(list) {
			t.Errorf("%x: %d entries come back as %d, %v", b, len(list), len(again), err)
		}
	}}

func FuzzPosition(f *testing.F)     { positions.Fuzz(f) }
func TestFuzzPosition(t *testing.T) { positions.Loop(t) }
func FuzzEntries(f *testing.F)      { entryLists.Fuzz(f) }
func TestFuzzEntries(t *testing.T)  { entryLists.Loop(t) }
