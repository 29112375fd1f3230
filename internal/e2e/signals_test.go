package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless reads a generator that never ends.
const endless = `
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000');
CREATE TABLE o (id BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO o SELECT id, id * 2 FROM g;
`

// ids returns the ids of a file sink's final files, in their order.
func ids(t testing.TB, dir string) (out []int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			t.Fatalf("%s does not end in a line end", f)
		}
		for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
			var r struct{ ID, N int64 }
			if err := json.Unmarshal([]byte(l), &r); err != nil || r.N != 2*r.ID {
				t.Fatalf("%s: %q: %v", f, l, err)
			}
			out = append(out, r.ID)
		}
	}
	return out
}

// exactlyOnce checks that ids are 1..n, each once.
func exactlyOnce(t testing.TB, got []int64) {
	t.Helper()
	seen := make(map[int64]int, len(got))
	most := int64(0)
	for _, id := range got {
		seen[id]++
		most = max(most, id)
	}
	lost, doubled := 0, 0
	for id := int64(1); id <= most; id++ {
		switch n := seen[id]; {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	if lost+doubled > 0 {
		t.Fatalf("of %d ids %d were lost and %d doubled", most, lost, doubled)
	}
}

// SIGTERM: the step is finished, an epoch decided, the exit code is 0, and the
// next run goes on behind the last row.
func TestTermDecides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", endless)
	for run := range 3 {
		before := len(ids(t, dir+"/out"))
		p := start(t, dir, nil, "run", "a.sql", "--state", "st", "--set", "streamd.epoch.interval=100 ms")
		p.until("a file is written", func() bool { return len(ids(t, dir+"/out")) > before })
		p.signal([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM}[run])
		if code := p.wait(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, p.stderr.String())
		}
		if hidden, _ := filepath.Glob(dir + "/out/.staged/*"); len(hidden) > 0 {
			t.Fatalf("left behind: %v", hidden)
		}
	}
	exactlyOnce(t, ids(t, dir+"/out"))
}

// kill -9 at any time, and again, and again: no row is lost or doubled.
func TestKillFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", strings.Replace(endless, "'200'", "'5000'", 1))
	kills := 12
	if testing.Short() {
		kills = 4
	}
	for n := range kills {
		before := len(ids(t, dir+"/out"))
		p := start(t, dir, nil, "run", "a.sql", "--state", "st", "--set", "streamd.epoch.interval=20 ms")
		p.until("rows are written", func() bool { return len(ids(t, dir+"/out")) > before+n%4*100 })
		p.signal(syscall.SIGKILL)
		p.wait()
	}
	p := start(t, dir, nil, "run", "a.sql", "--state", "st")
	before := len(ids(t, dir+"/out"))
	p.until("rows after the last kill", func() bool { return len(ids(t, dir+"/out")) > before })
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	got := ids(t, dir+"/out")
	exactlyOnce(t, got)
	t.Logf("%d kills, %d rows, each once", kills, len(got))
}

// A second process on a state that is in use is refused, and does no harm.
func TestStateInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", endless)
	p := start(t, dir, nil, "run", "a.sql", "--state", "st")
	p.until("rows are written", func() bool { return len(ids(t, dir+"/out")) > 0 })
	if q := streamd(t, dir, nil, "run", "a.sql", "--state", "st"); q.code != 4 || !strings.Contains(q.stderr.String(), "STATE IN USE") {
		t.Fatalf("second process: exit code %d\n%s", q.code, q.stderr.String())
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Fatalf("first process: exit code %d\n%s", code, p.stderr.String())
	}
	exactlyOnce(t, ids(t, dir+"/out"))
}

// A reader that has enough ends the run as SIGTERM would.
func TestStdoutClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", "CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000');\nSELECT id FROM g;\n")
	cmd := exec.Command(binary(t), "run", "a.sql")
	cmd.Dir = dir
	var stderr buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	r := bufio.NewReader(out)
	for range 5 {
		if l, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(l, "+I[") {
			t.Fatalf("%q: %v", l, err)
		}
	}
	_ = out.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil && !strings.Contains(err.Error(), "file already closed") {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
	case <-time.After(patience):
		t.Fatalf("goes on without a reader\n%s", stderr.String())
	}
}

var listening = regexp.MustCompile(`listening on (http://\S+)`)

// get returns status and body.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func (p *proc) listens() string {
	p.t.Helper()
	p.until("it listens", func() bool { return listening.MatchString(p.stderr.String()) })
	return listening.FindStringSubmatch(p.stderr.String())[1]
}

func TestListen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", endless)
	p := start(t, dir, nil, "run", "a.sql", "--listen", "127.0.0.1:0", "--state", "st")
	base := p.listens()
	p.until("it is ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
	if code, body := get(t, base+"/healthz"); code != 200 {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, body := get(t, base+"/debug/pprof/cmdline"); code != 200 {
		t.Errorf("/debug/pprof/cmdline: %d %s", code, body)
	}
	var body string
	p.until("an epoch is decided", func() bool {
		_, body = get(t, base+"/metrics")
		return strings.Contains(body, "streamd_checkpoint_duration_seconds_count")
	})
	for _, name := range []string{"streamd_epoch", "streamd_operator_records_total", "streamd_sink_records_total", "streamd_restarts_total",
		"streamd_state_bytes", "streamd_checkpoint_duration_seconds", "streamd_late_records_total"} {
		if !regexp.MustCompile(`(?m)^` + name + `(_count)?\{.*job="a"`).MatchString(body) {
			t.Errorf("/metrics has no %s:\n%s", name, body)
		}
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
}

// Profiles are served on loopback only.
func TestNoProfilesElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", endless)
	p := start(t, dir, nil, "run", "a.sql", "--listen", "0.0.0.0:0")
	base := strings.Replace(p.listens(), "[::]", "127.0.0.1", 1)
	base = strings.Replace(base, "0.0.0.0", "127.0.0.1", 1)
	if code, body := get(t, base+"/healthz"); code != 200 {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, _ := get(t, base+"/debug/pprof/cmdline"); code != 404 {
		t.Errorf("/debug/pprof/cmdline: %d, want 404", code)
	}
}

// No broker within the start timeout: exit 1, and /readyz says so meanwhile.
func TestNoBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", `
CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = '127.0.0.1:1', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
SELECT a FROM t;
`)
	p := start(t, dir, nil, "run", "a.sql", "--listen", "127.0.0.1:0", "--set", "streamd.start.timeout=3 s")
	if code, body := get(t, p.listens()+"/readyz"); code != 503 || !json.Valid([]byte(body)) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	began := time.Now()
	if code := p.wait(); code != 1 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	if d := time.Since(began); d < time.Second || d > 20*time.Second {
		t.Errorf("gave up after %s, the start timeout is 3 s", d)
	}
}

// The binary stays small: what makes it grow in leaps is a text template or a
// method looked up by name, which keep every method of every type alive.
func TestBinarySize(t *testing.T) {
	st, err := os.Stat(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	if mb := st.Size() >> 20; mb > 48 {
		t.Errorf("%d MiB", mb)
	}
}
