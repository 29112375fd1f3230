package engine

import (
	"errors"

	"github.com/streamd/streamd/connectors"
)

// Pace lets a test drive a job under a clock of its own: every step is decided at
// once, and the job says when it has nothing left to do. Package enginetest is
// made of it. The functions are called from the job's goroutine, nil ones not at
// all; what they read may be changed by the test at any time.
//
// A test changes something (rows of a source, the clock), counts that change
// up and rouses the job by the source's wake-up. It is done when Idle is called
// with a count that is as high: the count is read before anything else in a round
// of the job's loop, so whatever came before it has been seen.
type Pace struct {
	Rows  int                     // most rows a worker takes from a source in a step; 0 = as many as without Pace
	Asked func() uint64           // how many changes the test has made
	Idle  func(asked uint64)      // everything up to that change is worked off and decided
	Dies  func(decided bool) bool // after a step, and again when it is decided: true ends the job as the death of its process would
}

// ErrDied ends a job at a Pace's word: what was not decided is lost to it, and its
// state directory is as a crash leaves it.
var ErrDied = &connectors.Permanent{Err: errors.New("the job was ended as by a crash")}

func (p *Pace) cut() int {
	if p.Rows <= 0 {
		return readRows
	}
	return p.Rows
}

func (p *Pace) asked() uint64 {
	if p == nil || p.Asked == nil {
		return 0
	}
	return p.Asked()
}

func (p *Pace) idle(asked uint64) {
	if p != nil && p.Idle != nil {
		p.Idle(asked)
	}
}

func (p *Pace) dies(decided bool) bool {
	return p != nil && p.Dies != nil && p.Dies(decided)
}
