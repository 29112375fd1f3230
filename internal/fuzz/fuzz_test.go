package fuzz

import (
	"runtime"
	"testing"
)

// watched notes failures instead of failing.
type watched struct {
	testing.TB
	failed bool
}

func (w *watched) Errorf(string, ...any) { w.failed = true }
func (w *watched) Fatalf(string, ...any) { w.failed = true }

func TestOneFindsFaults(t *testing.T) {
	var keep []byte
	for name, c := range map[string]struct {
		check func(testing.TB, []byte)
		fails bool
	}{
		"nothing": {func(testing.TB, []byte) {}, false},
		"panic":   {func(testing.TB, []byte) { panic("BUG: x") }, true},
		"memory":  {func(testing.TB, []byte) { keep = make([]byte, 40<<20) }, true},
	} {
		w := &watched{TB: t}
		Target{Check: c.check}.one(w, []byte("seed"))
		if w.failed != c.fails {
			t.Errorf("%s: failed %v", name, w.failed)
		}
	}
	runtime.KeepAlive(keep)
}

// TestLoopIsTheSame: a failure can be seen again.
func TestLoopIsTheSame(t *testing.T) {
	sum := func() (n uint64) {
		Target{Seeds: [][]byte{[]byte("abc"), []byte("0123456789")}, Inputs: 3000, Check: func(_ testing.TB, b []byte) {
			for i, c := range b {
				n = n*31 + uint64(c) + uint64(i)
			}
		}}.Loop(t)
		return n
	}
	if a, b := sum(), sum(); a != b {
		t.Error("two loops differ")
	}
}
