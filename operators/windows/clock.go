package windows

import "time"

// Clock turns instants into the wall clock that windows are laid on, and back.
// Without a zone both are the same. One a worker and operator: it remembers the
// last stretch of constant offset.
type Clock struct {
	zone     *time.Location
	from, to int64 // instants between which off holds
	off      int64
}

// NewClock returns the clock of the spec.
func NewClock(s Spec) *Clock {
	c := &Clock{zone: s.Zone}
	if s.Zone == nil || s.Zone == time.UTC {
		c.zone = nil
		c.from, c.to = -1<<63, 1<<63-1
	}
	return c
}

// Local returns what the wall clock shows at instant ts, in µs since 1970.
func (c *Clock) Local(ts int64) int64 {
	if ts < c.from || ts >= c.to {
		c.find(ts)
	}
	return ts + c.off
}

func (c *Clock) find(ts int64) {
	if c.zone == nil {
		return
	}
	t := time.UnixMicro(ts).In(c.zone)
	_, off := t.Zone()
	a, b := t.ZoneBounds()
	c.off, c.from, c.to = int64(off)*1e6, -1<<63, 1<<63-1
	if !a.IsZero() {
		c.from = a.UnixMicro()
	}
	if !b.IsZero() {
		c.to = b.UnixMicro()
	}
}

// Instant returns the first instant from which on the wall clock never again
// shows a time before local: when a window that ends at local is over.
//
// Example, Los Angeles on the night the hour from 01:00 to 02:00 comes twice:
// 01:30 is the instant of the second 01:30, so a window that ends there holds
// both halves; 01:00 is the instant of the first.
func (c *Clock) Instant(local int64) int64 {
	if c.zone == nil {
		return local
	}
	const day = 24 * 3600 * 1e6
	t := time.UnixMicro(local - day).In(c.zone)
	best := int64(-1 << 63)
	for {
		_, o := t.Zone()
		off := int64(o) * 1e6
		_, end := t.ZoneBounds()
		at := local - off
		if end.IsZero() || at < end.UnixMicro() {
			// Within this stretch, unless the clock had shown local before it began.
			a, _ := t.ZoneBounds()
			if a.IsZero() || at > a.UnixMicro() {
				best = max(best, at)
			}
		} else {
			best = max(best, end.UnixMicro())
		}
		if end.IsZero() || end.UnixMicro() > local+day {
			return best
		}
		t = end.In(c.zone)
	}
}
