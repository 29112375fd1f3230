package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// tuneMemory trades memory for time while the heap is small: a rare collection is
// cheap and a frequent one only burns the cores that rows need. State is free of
// pointers, so that a collection costs little more when there is much of it, and
// what lies fallow between two is kept to a fifth of half a GB that lives (NEXMark
// q9, q18 and q20 take the same CPU with 20 as with 50).
// GOGC and GOMEMLIMIT win over what is chosen here.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		go func() {
			live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
			for last := 0; ; time.Sleep(250 * time.Millisecond) {
				metrics.Read(live)
				if p := gcPercent(live[0].Value.Uint64()); p != last {
					debug.SetGCPercent(p)
					last = p
				}
			}
		}()
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if n := machineMemory(); n > 0 {
			debug.SetMemoryLimit(n / 10 * 8)
		}
	}
}

// gcPercent is by how much the heap may grow between two collections.
func gcPercent(live uint64) int {
	const small, large = 64 << 20, 256 << 20
	live = max(live, 1)
	percent := 400 * small / live // 256 MiB, whatever lives
	if live > large {
		percent = percent * large / live // and less where there is much of it
	}
	return int(min(400, max(20, percent)))
}

// machineMemory is what the process may use, in bytes: the least of the
// machine's memory and the control group's limit; 0 = unknown.
func machineMemory() int64 {
	var least int64
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
				if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					least = kb << 10
				}
			}
		}
	}
	for _, p := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if b, err := os.ReadFile(p); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 && (least == 0 || n < least) {
				least = n
			}
		}
	}
	return least
}
