package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamd/streamd/internal/kafkatest"
)

// smallDisk mounts a disk in memory.
func smallDisk(t *testing.T, name string, megabytes int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("no tmpfs can be mounted: %v", err) // needs root; package engine and connectors/file try the same without
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all but left bytes of a disk; it returns how to give them back.
func fill(t *testing.T, dir string, left int64) (free func()) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "_filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(st.Bavail)*st.Bsize-left); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// resize gives a disk in memory another size; the kernel refuses one that is less than what is used.
func resize(t *testing.T, dir string, bytes int64) error {
	t.Helper()
	return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes))
}

// shrink leaves so many bytes of a disk, or more where somebody else is quicker.
func shrink(t *testing.T, dir string, left int64) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	_ = resize(t, dir, int64(st.Blocks-st.Bfree)*st.Bsize+left)
}

// ballast is an input in which every seventh record is broken.
func ballast(n int) (in string, rows, letters []string) {
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	for i := range n {
		row := fmt.Sprintf(`{"id":%d,"s":"%0120x"}`, i, r.Uint64())
		if i%7 == 3 {
			row = row[:len(row)-1]
			letters = append(letters, row)
		} else {
			rows = append(rows, row)
		}
		b.WriteString(row + "\n")
	}
	return b.String(), rows, letters
}

const ballastText = `SET 'streamd.epoch.interval' = '50 ms';
CREATE TABLE t (id BIGINT, s STRING) WITH ('connector' = 'filesystem', 'path' = 'in.jsonl', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.path' = '${SINK}/dead');
CREATE TABLE o (id BIGINT, s STRING) WITH ('connector' = 'filesystem', 'path' = '${SINK}/out', 'format' = 'json');
INSERT INTO o SELECT id, s FROM t;`

// taken is what a consumer of parts has.
type taken struct{ lines []string }

// take reads and removes the parts of a directory.
func (x *taken) take(t *testing.T, dir string) {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(b)) {
			x.lines = append(x.lines, strings.TrimSuffix(l, "\n"))
		}
	}
}

func sameSet(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d lines, want %d", what, len(got), len(want))
	}
}

// rawsOf are the records of dead letters.
func rawsOf(t *testing.T, lines []string) (out []string) {
	t.Helper()
	for _, l := range lines {
		var x struct{ Raw string }
		if err := json.Unmarshal([]byte(l), &x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x.Raw)
	}
	return out
}

// paused waits until a run says that it waits for room, in all places.
func (p *proc) paused(base, dir string) {
	p.t.Helper()
	p.until("a pause", func() bool {
		code, ready := get(p.t, base+"/readyz")
		_, m := get(p.t, base+"/metrics")
		return code == 503 && strings.Contains(ready, "DISK NEARLY FULL") && strings.Contains(ready, dir) && strings.Contains(m, `streamd_disk_paused{job="a"} 1`)
	})
}

// A job whose output is larger than its disk waits for its consumer, also through
// a kill, and goes on; every row and every dead letter is there once.
func TestFullSinkDisk(t *testing.T) {
	disk, dir := smallDisk(t, "sink", 48), t.TempDir()
	in, rows, letters := ballast(400_000)
	write(t, dir, "in.jsonl", in)
	write(t, dir, "a.sql", ballastText)
	run := func() (*proc, string) {
		p := start(t, dir, []string{"SINK=" + disk}, "run", "a.sql", "--state", "st", "--workers", "2", "--listen", "127.0.0.1:0")
		return p, p.listens()
	}
	var out, dead taken
	consume := func() {
		out.take(t, filepath.Join(disk, "out"))
		dead.take(t, filepath.Join(disk, "dead"))
	}
	p, base := run()
	p.paused(base, disk)
	p.signal(syscall.SIGKILL)
	<-p.done
	p, base = run()
	p.paused(base, disk)
	n := len(out.lines)
	if consume(); len(out.lines) == n {
		t.Error("nothing was written before the pause")
	}
	p.until("the end", func() bool {
		consume()
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	})
	if p.wait() != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	consume()
	sameSet(t, "rows", out.lines, rows)
	sameSet(t, "letters", rawsOf(t, dead.lines), letters)
	if !strings.Contains(p.stderr.String(), "paused") {
		t.Errorf("the log does not tell of the pause:\n%s", p.stderr.String())
	}
}

// A job whose state's disk is nearly full waits at its start and between two
// steps, dies there, and loses nothing.
func TestFullStateDisk(t *testing.T) {
	disk, dir := smallDisk(t, "state", 320), t.TempDir()
	in, rows, letters := ballast(40_000)
	write(t, dir, "in.jsonl", in)
	write(t, dir, "a.sql", strings.Replace(ballastText, "'in.jsonl', 'format'", "'in.jsonl', 'source.monitor-interval' = '20 ms', 'format'", 1))
	run := func(args ...string) *proc {
		return start(t, dir, []string{"SINK=" + dir}, append([]string{"run", "a.sql", "--state", filepath.Join(disk, "st")}, args...)...)
	}
	free := fill(t, disk, 100<<20)
	p := run("--listen", "127.0.0.1:0")
	base := p.listens()
	p.paused(base, disk)
	free()
	var out, dead taken
	p.until("rows", func() bool { out.take(t, filepath.Join(dir, "out")); return len(out.lines) > 0 })
	free = fill(t, disk, 100<<20)
	more, rows2, letters2 := ballast(50_000)
	appendTo(t, filepath.Join(dir, "in.jsonl"), more)
	p.paused(base, disk)
	p.signal(syscall.SIGKILL)
	<-p.done
	p = run("--until-idle", "--listen", "127.0.0.1:0")
	p.paused(p.listens(), disk)
	free()
	if p.wait() != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	out.take(t, filepath.Join(dir, "out"))
	dead.take(t, filepath.Join(dir, "dead"))
	sameSet(t, "rows", out.lines, append(rows, rows2...))
	sameSet(t, "letters", rawsOf(t, dead.lines), append(letters, letters2...))
}

// The same with Kafka, whose transaction decides: the disk fills up between a
// record and its epoch, and again for a process that was killed.
func TestFullStateDiskKafka(t *testing.T) {
	disk := smallDisk(t, "state", 320)
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1)
	in, rows, letters := ballast(3000)
	lines := strings.Split(strings.TrimSuffix(in, "\n"), "\n")
	text := `SET 'streamd.epoch.interval' = '20 ms';
CREATE TABLE t (id BIGINT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~in', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'on-error' = 'dead-letter', 'dead-letter.topic' = '~dead');
CREATE TABLE o (id BIGINT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');
INSERT INTO o SELECT id, s FROM t;`
	run := func(args ...string) *proc {
		return c.start(text, append([]string{"--state", filepath.Join(disk, "st"), "--listen", "127.0.0.1:0"}, args...)...)
	}
	p := run()
	base := p.listens()
	c.put("~in", 0, lines[:1000]...)
	p.until("rows", func() bool {
		_, m := get(t, base+"/metrics")
		return strings.Contains(m, "streamd_sink_records_total{") && !strings.Contains(m, fmt.Sprintf("streamd_sink_records_total{job=%q} 0", c.prefix+"job"))
	})
	free := fill(t, disk, 100<<20)
	c.put("~in", 0, lines[1000:2000]...)
	p.until("a pause", func() bool {
		code, r := get(t, base+"/readyz")
		return code == 503 && strings.Contains(r, "DISK NEARLY FULL")
	})
	p.signal(syscall.SIGKILL)
	<-p.done
	p = run("--until-idle")
	base = p.listens()
	p.until("a pause", func() bool {
		code, r := get(t, base+"/readyz")
		return code == 503 && strings.Contains(r, "DISK NEARLY FULL")
	})
	free()
	if p.wait() != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	c.put("~in", 0, lines[2000:]...)
	if p = run("--until-idle"); p.wait() != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	values := func(topic string) (out []string) {
		for _, r := range kafkatest.Committed(t, c.b, c.fill(topic)) {
			out = append(out, string(r.Value))
		}
		return out
	}
	sameSet(t, "rows", values("~out"), rows)
	sameSet(t, "letters", values("~dead"), letters)
}

// Somebody else takes all of the disk at once, again and again, wherever the job is writing, and gives it back. The
// store's mapped files may end the process then (SIGBUS), which a new one goes on from; nothing else may.
func TestDiskTakenAtOnce(t *testing.T) {
	const size = 1 << 30
	disk, dir := smallDisk(t, "both", size>>20), t.TempDir()
	in, rows, letters := ballast(400_000)
	write(t, dir, "in.jsonl", in)
	write(t, dir, "a.sql", strings.NewReplacer("s STRING) WITH ('connector' = 'filesystem', 'path' = 'in", "s STRING, at AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'in",
		"FROM t;", "FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY at) AS n FROM t) WHERE n = 1;").Replace(ballastText))
	run := func() *proc {
		return start(t, dir, []string{"SINK=" + disk}, "run", "a.sql", "--state", filepath.Join(disk, "st"), "--workers", "2")
	}
	p := run()
	r := rand.New(rand.NewPCG(2, 2))
	shrunk, starts := 0, 1
	for over := false; !over; shrunk++ {
		shrink(t, disk, r.Int64N(300_000))
		over = p.ended(time.Duration(r.Int64N(8)) * time.Millisecond)
		if err := resize(t, disk, size); err != nil {
			t.Fatal(err)
		}
		over = over || p.ended(time.Duration(r.Int64N(40))*time.Millisecond)
		if over && p.wait() != 0 && strings.Contains(p.stderr.String(), "SIGBUS") {
			p, over = run(), false
			starts++
		}
	}
	if p.wait() != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	t.Logf("full %d times, %d starts\n%s", shrunk, starts, p.stderr.String())
	var out, dead taken
	out.take(t, filepath.Join(disk, "out"))
	dead.take(t, filepath.Join(disk, "dead"))
	sameSet(t, "rows", out.lines, rows)
	sameSet(t, "letters", rawsOf(t, dead.lines), letters)
}

// ended waits for the end of a process, at most so long.
func (p *proc) ended(most time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(most):
		return false
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
