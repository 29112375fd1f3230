package state

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/streamd/streamd/internal/fault"
)

// Flush waits, after Loaded, until every decided epoch is applied.
func (s *Store) Flush() error {
	if s.IsEphemeral() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush = true
	s.wake.Broadcast()
	for (len(s.queue) > 0 || s.busy) && s.err == nil && !s.closing {
		s.wake.Wait()
	}
	s.flush = false
	if s.closing && s.err == nil {
		return fmt.Errorf("the state store is closing")
	}
	return s.err
}

func (s *Store) due() bool {
	n := int64(0)
	for _, d := range s.queue {
		n += d.Size
	}
	return len(s.queue) >= s.opt.ApplyEvery || n >= s.opt.ApplyBytes || s.flush && len(s.queue) > 0
}

// maxGroup is how many deltas are applied at once: each is a file that is open.
const maxGroup = 64

// applier merges decided deltas into the base, in order.
func (s *Store) applier() {
	defer close(s.stopped)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for !s.closing && (!s.due() || s.overlays != nil) {
			s.wake.Wait()
		}
		if s.closing {
			return
		}
		group := slices.Clone(s.queue[:min(len(s.queue), maxGroup)])
		s.busy = true
		s.mu.Unlock()
		err := s.waitRoom()
		if err == nil {
			err = s.applyGroup(group)
		}
		s.mu.Lock()
		s.busy = false
		if err == nil {
			s.queue = slices.Delete(s.queue, 0, len(group))
			s.applied = group[len(group)-1].ID
			s.used = usedBytes(s.dir)
			err = s.trim()
		}
		if err != nil && !errors.Is(err, errClosing) {
			s.err = err
			close(s.failed)
			s.wake.Broadcast()
			return
		}
		s.wake.Broadcast()
	}
}

var errClosing = errors.New("closing")

// waitRoom waits until the disk has room.
func (s *Store) waitRoom() error {
	for {
		why := s.Room()
		s.mu.Lock()
		closing := s.closing
		s.mu.Unlock()
		if why == "" {
			return nil
		}
		if closing {
			return errClosing
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (s *Store) applyGroup(group []*Delta) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errCorrupt("base: %v", r)
		}
		err = corruptIn("", err)
	}()
	return s.base.apply(group)
}

// trim unlinks applied deltas but for the last few and those a follower lacks.
// s.mu is held.
func (s *Store) trim() error {
	if !s.named && s.owing() {
		return nil // nobody has said yet who lacks what
	}
	a := s.applied.Number
	applied := 0
	for _, d := range s.deltas {
		if d.ID.Number <= a {
			applied++
		}
	}
	for applied > keepApplied && !s.wanted(s.deltas[0]) {
		if err := os.Remove(s.deltas[0].Path); err != nil {
			return notWritten(err)
		}
		fault.Point("C13-trimming")
		s.deltas = s.deltas[1:]
		applied--
	}
	return nil
}

// owing tells that some delta has rows for followers.
func (s *Store) owing() bool {
	return slices.ContainsFunc(s.deltas, func(d *Delta) bool {
		return slices.ContainsFunc(d.Followers, func(f Follower) bool { return f.Rows })
	})
}

// wanted tells that some follower has not confirmed a delta with rows for it.
func (s *Store) wanted(d *Delta) bool {
	for _, f := range d.Followers {
		if f.Rows && slices.Contains(s.followers, f.Name) && s.done[f.Name].Number < d.ID.Number {
			return true
		}
	}
	return false
}
