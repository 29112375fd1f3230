package engine

import (
	"errors"
	"log/slog"
	"testing"
)

// TestComplaintOnce: a fault that goes on is a warning once, another one again.
func TestComplaintOnce(t *testing.T) {
	var c complaint
	away, full := errors.New("broker is away"), errors.New("disk is full")
	for i, x := range []struct {
		err  error
		want slog.Level
	}{{away, slog.LevelWarn}, {away, slog.LevelDebug}, {away, slog.LevelDebug}, {full, slog.LevelWarn}, {away, slog.LevelWarn}} {
		if got := c.level(x.err); got != x.want {
			t.Errorf("fault %d: %v, want %v", i, got, x.want)
		}
	}
	c.at = c.at.Add(-againAfter)
	if got := c.level(away); got != slog.LevelWarn {
		t.Errorf("a fault that goes on for long: %v, want a warning", got)
	}
}
