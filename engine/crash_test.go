package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/engine/simtest"
	"github.com/streamd/streamd/internal/fault"
)

// crashed is what a simulated crash panics with.
type crashed struct{ point string }

// crashes makes fault points panic at random, as if the process had died there.
type crashes struct {
	mu   sync.Mutex
	rng  *rand.Rand
	odds float64
	n    map[string]int
}

func (c *crashes) at(point string) {
	if strings.HasPrefix(point, "C13") {
		return // the applier's own goroutine: package state tries these
	}
	c.mu.Lock()
	odds := c.odds
	if point == "C6" {
		odds /= 20 // passed at every step, the others at every epoch
	}
	hit := c.rng.Float64() < odds
	if hit {
		c.n[point]++
	}
	c.mu.Unlock()
	if hit {
		panic(crashed{point})
	}
}

// runUntilDone starts a job again and again until it ends by itself. Each start
// gets a plan of its own.
func runUntilDone(t *testing.T, plan func() *Plan, o JobOptions) (starts int) {
	t.Helper()
	for starts = 1; ; starts++ {
		if starts > 2000 {
			t.Fatal("no progress")
		}
		var now atomic.Int64
		now.Store(int64(starts) * 1e9)
		e, err := Open(t.Context(), Options{Clock: func() time.Time { return time.UnixMicro(now.Add(100)) }})
		if err != nil {
			t.Fatal(err)
		}
		j, err := e.Start(t.Context(), "job", plan(), o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		err = j.Wait(ctx)
		cancel()
		var bug *BugError
		switch {
		case err == nil:
			return starts
		case errors.As(err, &bug):
			if _, ok := bug.Value.(crashed); ok {
				continue
			}
			t.Fatalf("%v\n%s", err, bug.Stack)
		default:
			t.Fatal(err)
		}
	}
}

func TestCrashesLoseNothing(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			tables := simtest.RandomTables(r, 4000)
			w := simtest.NewWorld(tables)
			c := &crashes{rng: rand.New(rand.NewPCG(seed, 4)), odds: 0.15, n: map[string]int{}}
			fault.Hook(c.at)
			defer fault.Hook(nil)
			dir := t.TempDir()
			var cuts atomic.Int64
			starts := runUntilDone(t, func() *Plan { return handBuilt(t, w, []string{"a", "c"}[seed%2]) }, JobOptions{Workers: 1 + int(seed%4), StateDir: dir,
				cut: func() int { return 1 + int(cuts.Add(7919)%60) }})
			fault.Hook(nil)
			if d := simtest.Diff(w.Out("out"), want(tables[[]string{"a", "c"}[seed%2]])); d != "" {
				t.Error(d)
			}
			for _, f := range w.Faults {
				t.Error(f)
			}
			t.Logf("%d starts, crashes %v", starts, c.n)
		})
	}
}
