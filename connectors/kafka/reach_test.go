package kafka

import (
	"errors"
	"testing"
	"time"
)

// A broker that is gone for long is said once, and once more when it is back; a
// short outage is not said.
func TestReach(t *testing.T) {
	now := time.Unix(1000, 0)
	r := newReach(nil)
	r.now = func() time.Time { return now }
	refused := errors.New("connection refused")
	for i, c := range []struct {
		after time.Duration
		err   error
		want  string
	}{
		{0, nil, ""},
		{0, refused, ""},
		{2 * time.Second, refused, ""},
		{0, nil, ""}, // was away for 2 s
		{time.Minute, refused, ""},
		{reachAfter, refused, "broker b:1 cannot be reached: connection refused; still trying"},
		{time.Minute, refused, ""},
		{time.Second, nil, "broker b:1 is reached again after 1m4s"},
		{0, nil, ""},
		{0, refused, ""},
	} {
		now = now.Add(c.after)
		if got := r.tried("b:1", c.err); got != c.want {
			t.Errorf("attempt %d: said %q, want %q", i, got, c.want)
		}
		if got := r.tried("other:1", nil); got != "" {
			t.Errorf("attempt %d: said %q of another broker", i, got)
		}
	}
}
