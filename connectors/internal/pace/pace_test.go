package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAllowanceGrowsWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		p := Start(100, func() { woken++ })
		defer p.Close()
		if got := p.Allowed(); got != 1 {
			t.Fatalf("at the start %d rows are allowed, want 1", got)
		}
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if got := p.Allowed(); got != 101 {
			t.Fatalf("after a second %d rows are allowed, want 101", got)
		}
		if woken == 0 {
			t.Fatal("nobody was woken")
		}
	})
}

func TestNilAllowsAll(t *testing.T) {
	var p *Pace
	if p.Allowed() < 1<<62 {
		t.Fatal("a nil Pace limits")
	}
	p.Close()
}
