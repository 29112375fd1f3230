// Package fault names the places at which a crash is tried out.
//
// Code calls Point where the order of events matters; nothing happens unless the
// process was started with STREAMD_FAULT=name:n, which kills it, as kill -9 would,
// at the n-th passage of that point (n from 1; :n may be left out), or a test has
// set a hook.
//
//	fault.Point("C9") // the delta has its name, its directory is not on disk yet
package fault

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var (
	armed, nth = parse(os.Getenv("STREAMD_FAULT"))
	passed     atomic.Int64
	hook       atomic.Pointer[func(name string)]
)

func parse(s string) (name string, n int64) {
	name, count, found := strings.Cut(s, ":")
	if !found {
		return name, 1
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n < 1 {
		return "", 0
	}
	return name, n
}

// Point marks a place in the code.
func Point(name string) {
	if armed == name && name != "" && passed.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way: nothing after this point runs
	}
	if h := hook.Load(); h != nil {
		(*h)(name)
	}
}

// Hook makes every Point call f, nil ends it. For tests.
func Hook(f func(name string)) {
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}
