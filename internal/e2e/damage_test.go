package e2e

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const damageSQL = `SET 'streamd.epoch.interval' = '10 ms';
CREATE TABLE t (k STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'source.monitor-interval' = '1 s');
CREATE TABLE sums (k STRING, n BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = 'sums', 'format' = 'debezium-json');
CREATE TABLE big (k STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO sums SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k;
INSERT INTO big SELECT k, v FROM t WHERE v > 50;
`

// damage is a working directory whose state was written by a few runs, and which has more input since.
type damage struct {
	t      *testing.T
	dir    string
	before output // of the runs so far
	after  output // of a run that goes on from the whole state
}

// output is what the sinks hold: the rows of sums, taken back ones left out, and those of big. Each comes exactly once.
type output struct{ sums, big string }

// goOn runs in dir.
func goOn(t *testing.T, dir string) (code int, out output, said string) {
	p := streamd(t, dir, nil, "run", "p.sql", "--state", "st", "--until-idle", "--at-end", "stop", "--workers", "2")
	net := map[string]int{}
	for _, l := range partLines(t, filepath.Join(dir, "sums")) {
		var e struct {
			Op            string
			Before, After json.RawMessage
		}
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		if e.Op == "d" {
			net[string(e.Before)]--
		} else {
			net[string(e.After)]++
		}
	}
	var sums []string
	for l, n := range net {
		if n != 0 {
			sums = append(sums, fmt.Sprintf("%+d %s", n, l))
		}
	}
	slices.Sort(sums)
	return p.wait(), output{strings.Join(sums, "\n"), strings.Join(partLines(t, filepath.Join(dir, "out")), "\n")}, p.stderr.String()
}

// partLines are the lines of a sink's files, sorted.
func partLines(t *testing.T, dir string) (lines []string) {
	parts, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range parts {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(strings.TrimSpace(string(b)), "\n")...)
	}
	slices.Sort(lines)
	return lines
}

func newDamage(t *testing.T) *damage {
	d := &damage{t: t, dir: t.TempDir()}
	write(t, d.dir, "p.sql", damageSQL)
	if err := os.Mkdir(filepath.Join(d.dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	for part := range 4 {
		var s strings.Builder
		for i := range 400 {
			fmt.Fprintf(&s, `{"k":"k%d","v":%d}`+"\n", (i*7+part)%90, (i*part)%101)
		}
		write(t, d.dir, fmt.Sprintf("in/%d.json", part), s.String())
		if part == 3 {
			break // for the run that goes on
		}
		code, out, said := goOn(t, d.dir)
		if code != 0 {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		d.before = out
	}
	code, out, said := goOn(t, d.copy())
	if d.after = out; code != 0 || out.sums == d.before.sums || out.big == d.before.big {
		t.Fatalf("the whole state: exit code %d\n%s", code, said)
	}
	return d
}

func (d *damage) copy() string {
	dir := filepath.Join(d.t.TempDir(), "w")
	if err := os.CopyFS(dir, os.DirFS(d.dir)); err != nil {
		d.t.Fatal(err)
	}
	return dir
}

// check runs on a copy that was damaged: the right answer, or a refusal with a code and an advice that changes nothing.
func (d *damage) check(t *testing.T, what string, do func(state string) error) (refused bool) {
	dir := d.copy()
	defer os.RemoveAll(dir)
	if err := do(filepath.Join(dir, "st")); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	code, got, said := goOn(t, dir)
	if regexp.MustCompile(`(?m)^goroutine |SD9001|^panic`).MatchString(said) {
		t.Errorf("%s: a fault of streamd's own\n%s", what, tail(said, 60))
	}
	switch {
	case code == 0 && got != d.after:
		t.Errorf("%s: a wrong answer\n%s\nwant\n%s\nbig %d bytes, want %d\n%s", what, got.sums, d.after.sums, len(got.big), len(d.after.big), said)
	case code == 0:
		return false
	case code != 4 || !regexp.MustCompile(`(?m)^error\[SD70\d\d\]: `).MatchString(said) || !strings.Contains(said, "\n   = "):
		t.Errorf("%s: exit code %d, want 0, or 4 with a code and an advice\n%s", what, code, tail(said, 60))
	case got != d.before:
		t.Errorf("%s: refused, but rows were written\n%s", what, got.sums)
	}
	return true
}

// blow is one way to damage a state directory.
type blow struct {
	what string
	do   func(state string) error
}

// blows are the ways to damage the files of a state directory.
func blows(state string, r *rand.Rand) (out []blow, err error) {
	var names []string
	err = filepath.WalkDir(state, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(state, p)
		names = append(names, name)
		return err
	})
	edit := func(name, how string, f func(b []byte) []byte) {
		out = append(out, blow{name + ": " + how, func(state string) error {
			b, err := os.ReadFile(filepath.Join(state, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(state, name), f(b), 0o600)
			}
			return err
		}})
	}
	for i, name := range names {
		b, err := os.ReadFile(filepath.Join(state, name))
		if err != nil {
			return nil, err
		}
		used := len(strings.TrimRight(string(b), "\x00")) // Badger lays files out ahead
		for k := range min(used, 6) {
			at := []int{0, used - 1, min(8, used-1)}[k%3]
			if k > 2 {
				at = r.IntN(used)
			}
			bit := byte(1) << r.IntN(8)
			edit(name, fmt.Sprintf("bit %#02x of byte %d of %d flipped", bit, at, used), func(b []byte) []byte {
				b[at] ^= bit
				return b
			})
		}
		edit(name, "empty", func([]byte) []byte { return nil })
		edit(name, "half", func(b []byte) []byte { return b[:used/2] })
		edit(name, "one byte less", func(b []byte) []byte { return b[:max(used-1, 0)] })
		edit(name, "longer", func(b []byte) []byte { return append(b, "garbage"...) })
		edit(name, "zeros", func(b []byte) []byte { return make([]byte, len(b)) })
		out = append(out, blow{name + ": removed", func(state string) error { return os.Remove(filepath.Join(state, name)) }})
		if other := names[(i+1)%len(names)]; other != name {
			out = append(out, blow{name + ": swapped with " + other, func(state string) error {
				a, b, c := filepath.Join(state, name), filepath.Join(state, other), filepath.Join(state, "swap")
				for _, m := range [][2]string{{a, c}, {b, a}, {c, b}} {
					if err := os.Rename(m[0], m[1]); err != nil {
						return err
					}
				}
				return nil
			}})
		}
	}
	return out, err
}

// TestDamagedState: whatever happens to a file of the state, the answer is right or refused. STREAMD_SEED tries other places.
func TestDamagedState(t *testing.T) {
	seed := uint64(1)
	if s := os.Getenv("STREAMD_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	d := newDamage(t)
	r := rand.New(rand.NewPCG(seed, 5))
	all, err := blows(filepath.Join(d.dir, "st"), r)
	if err != nil || len(all) < 40 {
		t.Fatalf("%d ways to damage the state, %v", len(all), err)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := len(all)
	if testing.Short() {
		n = min(n, 20)
	}
	refused := 0
	for _, b := range all[:n] {
		if d.check(t, b.what, b.do) {
			refused++
		}
	}
	t.Logf("seed %d: %d of %d ways: %d refused, the others gave the right answer", seed, n, len(all), refused)
}

// TestStateOfANewerRelease: the directory says so, under a right checksum.
func TestStateOfANewerRelease(t *testing.T) {
	d := newDamage(t)
	if !d.check(t, "format 99", func(state string) error {
		file := filepath.Join(state, "meta.json")
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text, _, _ := strings.Cut(string(b), "\n")
		var m map[string]any
		if i := strings.LastIndex(strings.TrimSpace(string(b)), "\n"); i > 0 {
			text = string(b)[:i]
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return err
		}
		for k := range m {
			if strings.EqualFold(k, "format") {
				m[k] = 99
			}
		}
		js, err := json.Marshal(m)
		if err != nil {
			return err
		}
		sum := crc32.Checksum(js, crc32.MakeTable(crc32.Castagnoli))
		return os.WriteFile(file, fmt.Appendf(js, "\ncrc32c %08x\n", sum), 0o600)
	}) {
		t.Error("the state of a newer release is taken")
	}
}
