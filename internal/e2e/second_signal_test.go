//go:build linux

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// While nobody reads stdout no epoch can be delivered: the first signal waits
// for it, the second ends the process at once with 130.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", "CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000');\nSELECT id FROM g;\n")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(binary(t), "run", "a.sql")
	cmd.Dir = dir
	var stderr buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_ = w.Close()
	until := func(what string, cond func() bool) {
		t.Helper()
		for end := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited %s for: %s\n%s", patience, what, stderr.String())
			}
		}
	}
	size, err := unix.FcntlInt(r.Fd(), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	until("the pipe is full", func() bool {
		n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
		return err == nil && n > size-8192
	})
	_ = cmd.Process.Signal(syscall.SIGTERM)
	until("it says that it stops", func() bool { return strings.Contains(stderr.String(), "stopping") })
	began := time.Now()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	var x *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &x) || x.ExitCode() != 130 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("the second signal took %s", d)
	}
}
