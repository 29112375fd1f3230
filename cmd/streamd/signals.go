package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// isTerminal tells whether a stream is one.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// signals calls stop at the first SIGINT or SIGTERM and ends the process at the
// second, as a crash would: what is decided is safe, the rest is redone.
// SIGHUP is ignored without a terminal. The returned function ends the watch.
func signals(stop func(why string), kill func()) (release func()) {
	c := make(chan os.Signal, 4)
	watch := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if isTerminal(os.Stdin) || isTerminal(os.Stderr) {
		watch = append(watch, syscall.SIGHUP)
	} else {
		signal.Ignore(syscall.SIGHUP)
	}
	signal.Notify(c, watch...)
	// Without this a write to a closed stdout would end the process at once.
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-c:
				if n > 0 {
					kill()
				}
				stop(s.String())
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(c); close(done) }
}

// closable is stdout: once its reader has closed it, gone is called and what
// comes later is swallowed, so that the run can end with a decided epoch.
type closable struct {
	w    io.Writer
	mu   sync.Mutex
	gone func()
	shut bool
}

func (c *closable) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return len(p), nil
	}
	n, err := c.w.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		c.shut = true
		if c.gone != nil {
			c.gone()
		}
		return len(p), nil
	}
	return n, err
}

func (c *closable) onGone(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = f
	if c.shut {
		f()
	}
}
