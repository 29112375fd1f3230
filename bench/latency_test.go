package main

import "testing"

// TestSustained finds the rate of a system that gets 300,000 records a second through.
func TestSustained(t *testing.T) {
	const capacity = 300_000.0
	run := func(rate float64) ([]float64, error) {
		took := make([]float64, 1200)
		for i := range took {
			sent := float64(i) / 100 // 12 s
			took[i] = 0.5 + sent*max(rate/capacity-1, 0)
		}
		return took, nil
	}
	got, err := sustained(800_000, run)
	if err != nil || got > capacity*1.09 || got < capacity*0.9 {
		t.Fatalf("found %.0f, %v; the system sustains %.0f", got, err, capacity)
	}
	if got, err := sustained(1e9, run); err == nil {
		t.Fatalf("found %.0f where every rate tried is too high", got)
	}
}
