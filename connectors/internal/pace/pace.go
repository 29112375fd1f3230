// Package pace limits generators to a number of rows a second. Readers ask a
// number that a goroutine keeps current, so Read never waits.
package pace

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// tick is how often the allowance grows: short enough that a second's rows come
// evenly, long enough to cost nothing.
const tick = 10 * time.Millisecond

// Pace is an allowance that grows with time. The zero value and nil allow
// everything.
type Pace struct {
	allowed atomic.Int64
	stop    chan struct{}
	done    sync.WaitGroup
}

// Start returns a Pace of perSecond rows; wake is called when the allowance has
// grown. perSecond must be positive. Close ends it.
func Start(perSecond float64, wake func()) *Pace {
	p := &Pace{stop: make(chan struct{})}
	begin := time.Now()
	// The first row is due at once.
	p.allowed.Store(1)
	p.done.Go(func() {
		t := time.NewTicker(tick)
		defer t.Stop()
		for {
			select {
			case <-p.stop:
				return
			case now := <-t.C:
				n := 1 + int64(math.Min(now.Sub(begin).Seconds()*perSecond, 1<<62))
				if n > p.allowed.Load() {
					p.allowed.Store(n)
					if wake != nil {
						wake()
					}
				}
			}
		}
	})
	return p
}

// Allowed returns how many rows may have been handed out since Start.
func (p *Pace) Allowed() int64 {
	if p == nil {
		return math.MaxInt64
	}
	return p.allowed.Load()
}

// Close stops the clock and waits for it.
func (p *Pace) Close() {
	if p != nil {
		close(p.stop)
		p.done.Wait()
	}
}
