package windows

import (
	"fmt"
	"time"

	"github.com/streamd/streamd/batch"
)

// Kind is a kind of window.
type Kind uint8

const (
	Tumble Kind = iota
	Hop
	Cumulate
	Session
)

func (k Kind) String() string { return [...]string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}[k] }

// Spec describes the windows of one table function. All times in microseconds.
type Spec struct {
	Kind   Kind
	Col    int   // the time attribute column of the input
	Size   int64 // SESSION: the gap; CUMULATE: the greatest size
	Slide  int64 // HOP: slide; CUMULATE: step; TUMBLE: = Size
	Offset int64
	Keys   []int          // SESSION: PARTITION BY
	Proc   bool           // on processing time
	Zone   *time.Location // LTZ: windows follow the wall clock of this zone; nil = none (TIMESTAMP)
}

// String writes the spec for EXPLAIN and identity.
func (s Spec) String() string {
	t := fmt.Sprintf("%s(col=%d, size=%s", s.Kind, s.Col, dur(s.Size))
	if s.Kind == Hop || s.Kind == Cumulate {
		t += ", slide=" + dur(s.Slide)
	}
	if s.Offset != 0 {
		t += ", offset=" + dur(s.Offset)
	}
	if s.Proc {
		t += ", proctime"
	}
	return t + ")"
}

func dur(us int64) string { return (time.Duration(us) * time.Microsecond).String() }

// Pane returns the length of the panes windows are made of: rows are added once
// to their pane, windows are merged from panes.
func (s Spec) Pane() int64 {
	a, b := s.Size, s.Slide
	if b == 0 {
		return a
	}
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Floor returns the start of the unit-long interval, shifted by Offset, that
// holds ts; toward minus infinity.
func (s Spec) Floor(ts, unit int64) int64 {
	return batch.FloorDiv(ts-s.Offset, unit)*unit + s.Offset
}

// Text writes the spec for EXPLAIN, over the column named col.
func (s Spec) Text(col string) string {
	t := s.Kind.String() + "(" + col
	switch s.Kind {
	case Hop:
		t += ", slide " + dur(s.Slide) + ", size " + dur(s.Size)
	case Cumulate:
		t += ", step " + dur(s.Slide) + ", size " + dur(s.Size)
	case Session:
		t += ", gap " + dur(s.Size)
	default:
		t += ", size " + dur(s.Size)
	}
	if s.Offset != 0 {
		t += ", offset " + dur(s.Offset)
	}
	return t + ")"
}
