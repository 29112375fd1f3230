package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/internal/fault"
)

// lossy is an input of which many rows cannot go on, and what must come of it.
type lossy struct {
	dir     string
	lines   []string
	letters []string // "reason line"
	rows    []string // of sink o
	windows map[string]int
}

// newLossy draws an input. The oracle goes through it a row at a time: a row is
// late when its window of 10 s has ended by the greatest time before it, less the
// 2 s that the watermark leaves.
func newLossy(r *rand.Rand, dir string, n int) *lossy {
	l := &lossy{dir: dir, windows: map[string]int{}}
	high, now := int64(-1), int64(100)
	for i := 1; i <= n; i++ {
		now += int64(r.IntN(4))
		ts := max(0, now-[]int64{0, 0, 0, 5, 30}[r.IntN(5)]-int64(r.IntN(3)))
		v := r.IntN(6)
		line := fmt.Sprintf(`{"id":%d,"v":%d,"ts":"%s"}`, i, v, time.Unix(ts, 0).UTC().Format(time.DateTime))
		dead := func(reason string) { l.letters = append(l.letters, fmt.Sprint(reason, " ", line)) }
		switch r.IntN(12) {
		case 0:
			line = fmt.Sprintf(`{"id":%d,`, i)
			dead("undecodable")
		case 1:
			line = fmt.Sprintf(`{"id":%d,"v":%d,"ts":null}`, i, v)
			dead("failed")
		default:
			if v == 0 {
				dead("failed")
			} else {
				l.rows = append(l.rows, fmt.Sprintf(`{"id":%d,"q":%d}`, i, 100/v))
			}
			if start := ts / 10 * 10; high >= 0 && start+10 <= high-2 {
				dead("late")
			} else {
				l.windows[time.Unix(start, 0).UTC().Format(time.DateTime)]++
			}
			high = max(high, ts)
		}
		l.lines = append(l.lines, line)
	}
	return l
}

func (l *lossy) text() string {
	return strings.ReplaceAll(`
CREATE TABLE t (id BIGINT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = 'DIR/in.jsonl', 'format' = 'json',
  'on-error' = 'dead-letter', 'late' = 'dead-letter', 'dead-letter.path' = 'DIR/dead', 'scan.watermark.emit.strategy' = 'on-event');
CREATE TABLE o (id BIGINT, q INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/o', 'format' = 'json');
CREATE TABLE w (w TIMESTAMP(3), c BIGINT) WITH ('connector' = 'filesystem', 'path' = 'DIR/w', 'format' = 'json');
INSERT INTO o SELECT id, 100 / v FROM t;
INSERT INTO w SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
`, "DIR", l.dir)
}

// plan compiles the pipeline over connectors of the test's choice.
func (l *lossy) plan(t *testing.T, c *connectors.Connector) *Plan {
	t.Helper()
	e, err := Open(t.Context(), Options{Connectors: []*connectors.Connector{c}})
	if err != nil {
		t.Fatal(err)
	}
	p, ds := e.Compile("lossy.sql", l.text(), CompileOptions{})
	if p == nil {
		t.Fatal(ds)
	}
	return p
}

// lines are those of all parts of a sink.
func (l *lossy) read(t *testing.T, sink string) (out []string) {
	t.Helper()
	parts, _ := filepath.Glob(filepath.Join(l.dir, sink, "part-*"))
	for _, p := range parts {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Collect(strings.Lines(string(b)))...)
	}
	for i := range out {
		out[i] = strings.TrimSuffix(out[i], "\n")
	}
	return out
}

func (l *lossy) check(t *testing.T, place string) {
	t.Helper()
	same := func(what string, got, want []string) {
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s: %d, want %d\n got %.2000q\nwant %.2000q", place, what, len(got), len(want), got, want)
		}
	}
	var letters, windows []string
	for _, s := range l.read(t, "dead") {
		var x struct{ Reason, Raw, Place string }
		if err := json.Unmarshal([]byte(s), &x); err != nil {
			t.Fatal(err)
		}
		letters = append(letters, x.Reason+" "+x.Raw)
		_, n, _ := strings.Cut(x.Place, ".jsonl:")
		if k := 0; true {
			if _, err := fmt.Sscan(n, &k); err != nil || k < 1 || k > len(l.lines) || l.lines[k-1] != x.Raw {
				t.Errorf("%s: a letter of %s holds %s", place, x.Place, x.Raw)
			}
		}
	}
	for w, n := range l.windows {
		windows = append(windows, fmt.Sprintf(`{"w":"%s","c":%d}`, w, n))
	}
	same("letters", letters, l.letters)
	same("rows", l.read(t, "o"), l.rows)
	same("windows", l.read(t, "w"), windows)
}

// TestDeadLettersExactlyOnce: whatever the workers, step cuts and crashes, every
// row that cannot go on is one letter, and the output lacks just these.
func TestDeadLettersExactlyOnce(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 21))
			l := newLossy(r, t.TempDir(), 200+r.IntN(1500))
			write(t, l)
			c := &crashes{rng: rand.New(rand.NewPCG(seed, 22)), odds: []float64{0, 0.05, 0.2}[seed%3], n: map[string]int{}}
			fault.Hook(c.at)
			defer fault.Hook(nil)
			var turn atomic.Uint64
			o := JobOptions{Workers: 1 + int(seed%4), StateDir: t.TempDir(), cut: func() int { return 1 + rand.New(rand.NewPCG(seed, turn.Add(1))).IntN(80) }}
			starts := runUntilDone(t, func() *Plan { return l.plan(t, file.Connector()) }, o)
			fault.Hook(nil)
			l.check(t, fmt.Sprintf("seed %d, %d starts, crashes %v", seed, starts, c.n))
		})
	}
}

func write(t *testing.T, l *lossy) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, "in.jsonl"), []byte(strings.Join(l.lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// frail makes the first epochs of a sink fail.
type frail struct {
	connectors.Sink
	left *atomic.Int32
}

func (f *frail) SetLineage(l [16]byte) { f.Sink.(connectors.Lineaged).SetLineage(l) }

func (f *frail) Seal() (connectors.Sealed, error) {
	s, err := f.Sink.Seal()
	return &frailEpoch{s, f.left}, err
}

type frailEpoch struct {
	connectors.Sealed
	left *atomic.Int32
}

func (f *frailEpoch) Prepare(ctx context.Context, id connectors.EpochID) ([]byte, error) {
	if f.left.Add(-1) >= 0 {
		return nil, errors.New("not now")
	}
	return f.Sealed.Prepare(ctx, id)
}

// TestDroppedCountedOnce: a row that is read again after a recovery of the job is
// counted once, by reason, and so is its letter.
func TestDroppedCountedOnce(t *testing.T) {
	l := newLossy(rand.New(rand.NewPCG(3, 21)), t.TempDir(), 3000)
	write(t, l)
	var left atomic.Int32
	left.Store(3)
	c := *file.Connector()
	made := c.Sink
	c.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
		s, err := made(d)
		return &frail{s, &left}, err
	}
	plan := l.plan(t, &c)
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := e.Start(t.Context(), "job", plan, JobOptions{Workers: 2, StateDir: t.TempDir(), cut: func() int { return 500 }})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.check(t, "after faults")
	want, got := map[string]int64{}, map[string]int64{}
	for _, x := range l.letters {
		reason, _, _ := strings.Cut(x, " ")
		want[reason]++
	}
	s := j.Stats()
	for k, n := range s.Rejected {
		reason, _, _ := strings.Cut(k, " ")
		got[reason] += n
	}
	if s.Restarts != 3 || s.DeadLetters != int64(len(l.letters)) || s.Late != want["late"] || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d restarts, %d letters, %d late, %v; want 3, %d, %v", s.Restarts, s.DeadLetters, s.Late, got, len(l.letters), want)
	}
}
