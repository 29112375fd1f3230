package file

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// A sink asks for room before it needs it: what it holds must fit twice, for it is
// copied from a spill to its part, and beyond it the margin, for the rows of a step
// and for what other processes write meanwhile. A small disk has a smaller margin.
const (
	margin     = 16 << 20
	marginPart = 20                     // of the disk's size
	lookEvery  = 50 * time.Millisecond  // between two looks at the disk
	tryEvery   = 200 * time.Millisecond // while there is no room
)

// disk knows how full the disk of a sink is.
type disk struct {
	free func(dir string) (free, size int64, err error) // tests replace it

	mu   sync.Mutex
	held int64 // bytes that the sink has yet to write
	at   time.Time
	said string
}

func freeBytes(dir string) (free, size int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}

// hold notes that the sink has n bytes more to write.
func (d *disk) hold(n int64) {
	d.mu.Lock()
	d.held += n
	d.mu.Unlock()
}

// full says why no row should come for dir; "" = there is room.
func (d *disk) full(dir string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.at) < lookEvery {
		return d.said
	}
	d.at, d.said = time.Now(), ""
	if free, need := d.look(dir); free < need {
		d.said = fmt.Sprintf("DISK NEARLY FULL: %s free in %s, %s needed", bytesText(free), dir, bytesText(need))
	}
	return d.said
}

// look returns what is free and what is needed. d.mu is held.
func (d *disk) look(dir string) (free, need int64) {
	free, size, err := d.free(dir)
	if err != nil {
		return 0, 0 // the write itself will tell
	}
	return free, min(margin, size/marginPart) + 2*d.held
}

// spills tells whether what is held may go to a spill.
func (d *disk) spills(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	free, need := d.look(dir)
	return free >= need
}

func bytesText(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// fits is ENOSPC where n bytes more would not find room: a disk that is written
// full is nobody's friend.
func (d *disk) fits(dir string, n int64) error {
	if free, _, err := d.free(dir); err == nil && free < n {
		return syscall.ENOSPC
	}
	return nil
}

// noSpace tells errors of a full disk from others.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// patiently repeats f while the disk is full; f cleans up after itself.
func patiently(ctx context.Context, f func() error) error {
	for {
		err := f()
		if !noSpace(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(tryEvery):
		}
	}
}
