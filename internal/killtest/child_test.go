package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// once are crash points that a run passes once, at its start; again are those it
// passes at each epoch or step.
var (
	once  = []string{"C1", "C2", "C3", "C4", "C5", "C5-unlinked"}
	again = []string{"C6", "C7", "C7-flushed", "C8", "C9", "prepared", "C10", "C11", "C11-answered", "C12", "C14"}
)

// rare are points that only a longer run passes, merging decided epochs into the base, or one that finds something to
// remove.
var rare = []string{"C13-mid", "C13-written", "C13-noted", "C13-trimming", "C5-unlinking"}

// child is one run of the binary.
type child struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
	done chan struct{}
}

func (c *child) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.Write(b)
}

func (c *child) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

func (c *child) dead() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// exit waits for the end and returns the exit code, -1 after a signal.
func (c *child) exit(limit time.Duration) (int, error) {
	select {
	case <-c.done:
		return c.cmd.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // where it stands
		select {
		case <-c.done:
		case <-time.After(5 * time.Second):
		}
		return 0, fmt.Errorf("pid %d did not end within %s; it said:\n%s", c.cmd.Process.Pid, limit, c.text())
	}
}

func (c *child) kill() { _ = c.cmd.Process.Kill(); <-c.done }

// lab is one attack.
type lab struct {
	bin, dir  string
	addr      string
	job       string // a broker that lives on knows the job of the attack before
	topics    map[string]string
	rng       *rand.Rand
	state     string // the job's directory
	feed      *feeder
	pick      *picker
	killed    map[string]int
	rares     int // kills at rare points so far
	zombies   int
	recovered int
	faults    atomic.Int64 // requests dropped
}

// run starts the binary over a state directory, in a shape; env adds to the environment.
func (l *lab) run(state string, args []string, x shape, env ...string) (*child, error) {
	file := filepath.Join(l.dir, strings.ReplaceAll(x.interval, " ", "")+".sql")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(pipeline, "${INTERVAL}", x.interval)), 0o600); err != nil {
		return nil, err
	}
	c := &child{done: make(chan struct{})}
	c.cmd = exec.Command(l.bin, append([]string{"run", file, "--name", l.job, "--kafka", l.addr, "--state", state, "--workers", strconv.Itoa(x.workers)}, args...)...)
	c.cmd.Env = slices.Concat(os.Environ(), l.env(), env, []string{"GOTRACEBACK=all"})
	c.cmd.Stdout, c.cmd.Stderr = c, c
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = c.cmd.Wait(); close(c.done) }()
	return c, nil
}

// killAt runs until the named point is reached for the n-th time, where the
// process kills itself; a point that is not reached is given up after limit.
func (l *lab) killAt(state, point string, x shape, n int, limit time.Duration) error {
	c, err := l.run(state, nil, x, fmt.Sprintf("STREAMD_FAULT=%s:%d", point, n))
	if err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-time.After(limit):
		c.kill()
		l.killed["random (point "+point+" not reached)"]++
		return nil
	}
	if code := c.cmd.ProcessState.ExitCode(); code != -1 {
		return fmt.Errorf("at %s:%d (%s): exit %d instead of a kill:\n%s", point, n, x, code, c.text())
	}
	l.killed[point]++
	return nil
}

// killAfter kills at a time.
func (l *lab) killAfter(state string, d time.Duration) error {
	c, err := l.run(state, nil, l.shape())
	if err != nil {
		return err
	}
	select {
	case <-c.done:
		return fmt.Errorf("ended by itself with %d:\n%s", c.cmd.ProcessState.ExitCode(), c.text())
	case <-time.After(d):
	}
	c.kill()
	l.killed["random"]++
	return nil
}

// zombie stops a running process, lets a successor go on with a copy of its
// state, and wakes the old one up: it must find itself fenced. The successor's
// directory is the job's from then on.
func (l *lab) zombie(state string, d time.Duration) (next string, err error) {
	old, err := l.run(state, nil, l.shape())
	if err != nil {
		return "", err
	}
	if err := l.claimed(old); err != nil {
		return "", err
	}
	select {
	case <-old.done:
		return "", fmt.Errorf("ended by itself with %d:\n%s", old.cmd.ProcessState.ExitCode(), old.text())
	case <-time.After(d):
	}
	if err := old.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return "", err
	}
	if err := stopped(old.cmd.Process.Pid); err != nil {
		return "", err
	}
	next = fmt.Sprintf("%s-%d", strings.Split(state, "-")[0], l.zombies+1)
	if err := os.CopyFS(next, os.DirFS(state)); err != nil {
		return "", err
	}
	if err := os.Chmod(next, 0o700); err != nil {
		return "", err
	}
	succ, err := l.run(next, nil, l.shape())
	if err != nil {
		return "", err
	}
	if err := l.claimed(succ); err != nil {
		old.kill()
		return "", err
	}
	select {
	case <-succ.done:
		old.kill()
		return "", fmt.Errorf("successor ended with %d:\n%s", succ.cmd.ProcessState.ExitCode(), succ.text())
	case <-time.After(d):
	}
	if err := old.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return "", err
	}
	code, err := old.exit(60 * time.Second)
	if err != nil {
		old.kill()
		succ.kill()
		return "", err
	}
	if succ.dead() {
		return "", fmt.Errorf("successor died of the zombie with %d:\n%s", succ.cmd.ProcessState.ExitCode(), succ.text())
	}
	succ.kill()
	l.zombies++
	if code != 4 {
		return "", fmt.Errorf("zombie ended with %d, want 4 (fenced):\n%s", code, old.text())
	}
	return next, nil
}

// claimed waits until the control topic shows the claim of a run. A process that
// was stopped before its own claim would make a later one, and woken before its
// successor's it would go on: both rightly, and the copy would be the one to be
// refused.
func (l *lab) claimed(c *child) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(l.addr), kgo.ConsumeTopics("__streamd.default."+l.job), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for found := false; !found; {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil || c.dead() {
			c.kill()
			return fmt.Errorf("pid %d has not claimed; it said:\n%s", c.cmd.Process.Pid, c.text())
		}
		fs.EachRecord(func(r *kgo.Record) {
			var x struct{ PID int }
			found = found || string(r.Key) == l.job+"/claim" && json.Unmarshal(r.Value, &x) == nil && x.PID == c.cmd.Process.Pid
		})
	}
	return nil
}

// stopped waits until a process is in state T: the signal takes a moment.
func stopped(pid int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return err
		}
		if i := bytes.LastIndexByte(b, ')'); i > 0 && i+2 < len(b) && b[i+2] == 'T' {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pid %d does not stop", pid)
		case <-time.After(time.Millisecond):
		}
	}
}
