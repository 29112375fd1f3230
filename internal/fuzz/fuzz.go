// Package fuzz sends broken bytes to whatever decodes bytes.
//
// A Target is used in two ways: as a native fuzz target, and as a loop of a fixed number of inputs from a generator that always makes
// the same ones, so that `make test` sends some and `make soak` millions:
//
//	var positions = fuzz.Target{Seeds: seeds, Check: func(t testing.TB, b []byte) { decodePosition(b) }}
//
//	func FuzzPosition(f *testing.F)      { positions.Fuzz(f) }
//	func TestFuzzPosition(t *testing.T)  { positions.Loop(t) }
package fuzz

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
)

// Target is a decoder under broken bytes.
type Target struct {
	Seeds [][]byte
	// Check decodes b; it fails t where a result is wrong. A panic is a failure too.
	Check func(t testing.TB, b []byte)
	// Inputs is how many inputs Loop sends; 0 = 20,000. With STREAMD_SOAK they are a million.
	Inputs int
	// Factor bounds the bytes that may be allocated for each byte of an input, above 32 MiB; 0 = 200.
	Factor int
	// Words are put into inputs whole, beside bytes.
	Words []string
}

// maxInput bounds how long inputs grow.
const maxInput = 1 << 14

// Fuzz runs the target under the fuzzer of package testing.
func (x Target) Fuzz(f *testing.F) {
	for _, s := range x.Seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) { x.one(t, b) })
}

// Loop sends the seeds, prefixes of them up to half of all inputs, and mutations of them.
func (x Target) Loop(t *testing.T) {
	n := x.Inputs
	if n == 0 {
		n = 20_000
	}
	if testing.Short() {
		n /= 10
	}
	if os.Getenv("STREAMD_SOAK") != "" {
		n = 1_000_000
	}
	sent := 0
	send := func(b []byte) {
		sent++
		x.one(t, b)
	}
	for _, s := range x.Seeds {
		send(s)
	}
	for _, s := range x.Seeds {
		for cut := 0; cut < len(s) && sent < n/2; cut++ {
			send(s[:cut])
		}
	}
	m := mutator{rand.New(rand.NewPCG(1, uint64(len(x.Seeds)))), x.Seeds, x.Words}
	for sent < n && !t.Failed() {
		send(m.next())
	}
	t.Logf("%d inputs", sent)
}

// one sends an input and looks at what it cost.
func (x Target) one(t testing.TB, b []byte) {
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%q: %v\n%s", b, r, debug.Stack())
		}
	}()
	factor := x.Factor
	if factor == 0 {
		factor = 200
	}
	before := allocated()
	x.Check(t, b)
	if n := allocated() - before; n > uint64(factor*len(b)+32<<20) {
		t.Errorf("%q, %d bytes, took %d bytes of memory", b, len(b), n)
	}
}

// allocated is how many bytes were ever allocated. What is small is counted late; one allocation out of proportion is counted at once.
func allocated() uint64 {
	s := [1]metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s[:])
	return s[0].Value.Uint64()
}

type mutator struct {
	*rand.Rand
	seeds [][]byte
	words []string
}

// numbers are values at which codecs turn over.
var numbers = []uint64{0, 1, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// next is a seed with one to six changes.
func (m *mutator) next() []byte {
	b := append([]byte{}, m.seeds[m.IntN(len(m.seeds))]...)
	for range 1 + m.IntN(6) {
		b = m.change(b)
	}
	return b[:min(len(b), maxInput)]
}

func (m *mutator) change(b []byte) []byte {
	at := m.IntN(len(b) + 1)
	to := at + m.IntN(min(len(b)-at, 64)+1)
	insert := func(x []byte) []byte { return append(b[:at:at], append(x, b[at:]...)...) }
	over := func(x []byte) []byte {
		copy(b[at:], x)
		return b
	}
	var number [10]byte
	switch m.IntN(11) {
	case 0, 1:
		if at < len(b) {
			b[at] ^= 1 << m.IntN(8)
		}
		return b
	case 2:
		if at < len(b) {
			b[at] = byte(m.Uint32())
		}
		return b
	case 3:
		return append(b[:at], b[to:]...)
	case 4:
		return b[:at]
	case 5: // a stretch twice, or often
		x := append([]byte{}, b[at:to]...)
		for range m.IntN(4) * m.IntN(20) {
			if len(x) > maxInput {
				break
			}
			x = append(x, b[at:to]...)
		}
		return insert(x)
	case 6: // a stretch of another seed
		s := m.seeds[m.IntN(len(m.seeds))]
		i := m.IntN(len(s) + 1)
		return insert(append([]byte{}, s[i:i+m.IntN(min(len(s)-i, 64)+1)]...))
	case 7:
		binary.BigEndian.PutUint64(number[:], numbers[m.IntN(len(numbers))])
		return over(number[m.IntN(8):8])
	case 8:
		binary.LittleEndian.PutUint64(number[:], numbers[m.IntN(len(numbers))])
		return over(number[:1+m.IntN(8)])
	case 9:
		return insert(binary.AppendUvarint(nil, numbers[m.IntN(len(numbers))]))
	}
	if len(m.words) > 0 {
		return insert([]byte(m.words[m.IntN(len(m.words))]))
	}
	return insert([]byte(strconv.FormatUint(numbers[m.IntN(len(numbers))], 10)))
}
