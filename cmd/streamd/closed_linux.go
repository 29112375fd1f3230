package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// watchClosed calls gone when the reader of a pipe has closed it, also while
// nothing is written; it returns when done is closed.
func watchClosed(f *os.File, gone func(), done <-chan struct{}) {
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	for {
		p := []unix.PollFd{{Fd: int32(f.Fd())}}
		if n, err := unix.Poll(p, 0); err == nil && n > 0 && p[0].Revents&unix.POLLERR != 0 {
			gone()
			return
		}
		select {
		case <-done:
			return
		case <-time.After(250 * time.Millisecond):
		}
	}
}
