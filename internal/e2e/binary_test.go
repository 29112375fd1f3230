package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamd/streamd/internal/kafkatest"
)

// patience bounds everything that is waited for; a loaded machine is slow.
const patience = 60 * time.Second

var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := kafkatest.Main(m)
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// binary returns the path of streamd, built at the first call.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.path = os.Getenv("STREAMD_TEST_BINARY"); built.path != "" {
			return
		}
		if built.dir, built.err = os.MkdirTemp("", "streamd-e2e-"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "streamd")
		cmd := exec.Command("go", "build", "-o", built.path, "github.com/streamd/streamd/cmd/streamd")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// buffer is written by a process and read by a test.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// proc is a running streamd. It never outlives its test.
type proc struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr buffer
	done           chan struct{}
	code           int
}

// start runs streamd in dir.
func start(t testing.TB, dir string, env []string, args ...string) *proc {
	t.Helper()
	p := &proc{t: t, cmd: exec.Command(binary(t), args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		var x *exec.ExitError
		if err := p.cmd.Wait(); errors.As(err, &x) {
			p.code = x.ExitCode() // -1 when a signal ended it
		}
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

func (p *proc) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns the exit code.
func (p *proc) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // the stacks go to stderr
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
		}
		p.t.Fatalf("streamd %s did not end within %s\nstdout:\n%s\nstderr:\n%s", strings.Join(p.cmd.Args[1:], " "), patience, p.stdout.String(), tail(p.stderr.String(), 200))
		return -1
	}
}

// until waits for a condition while the process lives.
func (p *proc) until(what string, cond func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.done:
			if cond() {
				return
			}
			p.t.Fatalf("ended with %d before %s\nstdout:\n%s\nstderr:\n%s", p.code, what, tail(p.stdout.String(), 20), tail(p.stderr.String(), 60))
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("waited %s for: %s\nstdout:\n%s\nstderr:\n%s", patience, what, tail(p.stdout.String(), 20), tail(p.stderr.String(), 60))
		}
	}
}

// streamd runs to the end.
func streamd(t testing.TB, dir string, env []string, args ...string) *proc {
	t.Helper()
	p := start(t, dir, env, args...)
	p.wait()
	return p
}

func tail(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// write makes a file of a test's directory.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
