package file

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
)

// visible returns the lines of all complete files below dir, with their paths.
func visible(t testing.TB, dir string) (lines, paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && hidden(e.Name()) {
				return filepath.SkipDir
			}
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		paths = append(paths, rel)
		for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
			lines = append(lines, strings.TrimPrefix(filepath.Dir(rel)+" ", ". ")+l)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return lines, paths
}

func TestSinkConformance(t *testing.T) {
	for _, parts := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "out")
		def := table(dir, "json", nil)
		if parts {
			def.PartBy = []int{1}
		}
		conntest.Sink(t, conntest.SinkCase{
			Schema: schema, Once: true,
			Open: func(t testing.TB) connectors.Sink {
				s, err := newSink(def)
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Row: func(b *batch.Batch, n int) {
				b.Cols[0].AppendInt(int64(n))
				b.Cols[1].AppendString(fmt.Sprint("v", n%3))
			},
			Line: func(n int) string {
				if parts {
					return fmt.Sprintf("s=v%d {\"a\":%d}", n%3, n)
				}
				return fmt.Sprintf("{\"a\":%d,\"s\":\"v%d\"}", n, n%3)
			},
			Read: func(t testing.TB) []string { l, _ := visible(t, dir); return l },
		})
		left, _ := os.ReadDir(filepath.Join(dir, stagedDir))
		for _, e := range left {
			if !strings.Contains(e.Name(), "-4-") { // of the last incarnation, which was not swept
				t.Errorf("%s is left", e.Name())
			}
		}
	}
}

func TestSinkNamesAndNoClobber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "out")
	def := table(dir, "csv", nil)
	def.Schema = batch.NewSchema(f("k", batch.TypeString), f("a", batch.TypeInt), f("d", batch.TypeDate))
	def.PartBy = []int{2, 0}
	s, err := newSink(def)
	if err != nil {
		t.Fatal(err)
	}
	s.SetLineage([16]byte{0xde, 0xad, 0xbe, 0xef, 1})
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	push := func() []byte {
		w, _ := s.Writer(0)
		b := batch.New(def.Schema, 2)
		for i, k := range []string{"x/y", ""} {
			b.Cols[0].AppendString(k)
			b.Cols[1].AppendInt(int64(i))
			b.Cols[2].AppendInt(batch.Days(2026, 1, 1))
			b.AddWeight(1)
		}
		if err := w.Push(connectors.Changes{B: b}); err != nil {
			t.Fatal(err)
		}
		e, _ := s.Seal()
		staged, err := e.Prepare(ctx, connectors.EpochID{Number: 12, Incarnation: 345})
		if err != nil {
			t.Fatal(err)
		}
		return staged
	}
	staged := push()
	if err := s.Deliver(ctx, connectors.EpochID{}, staged); err != nil {
		t.Fatal(err)
	}
	_, paths := visible(t, dir)
	equal(t, "paths", paths, "d=2026-01-01/k=__DEFAULT_PARTITION__/part-deadbeef-12-345-0.csv", "d=2026-01-01/k=x%2Fy/part-deadbeef-12-345-1.csv")
	// A consumer takes a part away; a repeated delivery must not bring it back.
	os.Remove(filepath.Join(dir, paths[0]))
	if err := s.Deliver(ctx, connectors.EpochID{}, staged); err != nil {
		t.Fatal(err)
	}
	if _, paths = visible(t, dir); len(paths) != 1 {
		t.Errorf("paths %q", paths)
	}
	if s, err = newSink(def); err != nil { // another process, with the same names
		t.Fatal(err)
	}
	s.SetLineage([16]byte{0xde, 0xad, 0xbe, 0xef, 1})
	staged = push()
	if err := s.Deliver(ctx, connectors.EpochID{}, staged); err == nil {
		t.Error("a file was overwritten")
	}
	if err := s.Deliver(ctx, connectors.EpochID{}, staged[:len(staged)-1]); err == nil {
		t.Error("a damaged list is accepted")
	}
}

func TestSinkSpills(t *testing.T) {
	dir := t.TempDir()
	s, _ := newSink(table(dir, "raw", nil))
	if s != nil {
		t.Fatal("raw takes two columns")
	}
	def := table(dir, "raw", nil)
	def.Schema = batch.NewSchema(f("s", batch.TypeString))
	s, err := newSink(def)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("y", 1000)
	n := 2*spillAt/1000 + 5
	for i := range n {
		w, _ := s.Writer(i % 2)
		b := batch.New(def.Schema, 1)
		b.Cols[0].AppendString(fmt.Sprint(i, line))
		b.AddWeight(1)
		if err := w.Push(connectors.Changes{B: b}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := s.Seal()
	if err != nil {
		t.Fatal(err)
	}
	staged, err := e.Prepare(ctx, connectors.EpochID{Number: 1, Incarnation: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(ctx, connectors.EpochID{}, staged); err != nil {
		t.Fatal(err)
	}
	lines, paths := visible(t, dir)
	slices.Sort(lines)
	if len(slices.Compact(lines)) != n || len(paths) != 1 {
		t.Errorf("%d lines in %d files, want %d in 1", len(lines), len(paths), n)
	}
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"abcdef01-3-10-0", "abcdef01-9-11-0", "abcdef01-9-12-0", "00000000-3-10-0", "abcdef01-note", "spill-1"} {
		write(t, filepath.Join(dir, stagedDir, n), "x\n")
	}
	s, err := newSink(table(dir, "json", nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(ctx, [16]byte{0xab, 0xcd, 0xef, 1}, 11); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(filepath.Join(dir, stagedDir))
	for _, e := range entries {
		left = append(left, e.Name())
	}
	equal(t, "left", left, "00000000-3-10-0", "abcdef01-9-11-0", "abcdef01-9-12-0", "abcdef01-note", "spill-1")
}

// TestTablesShareADirectory writes one directory through two tables: the parts of
// an epoch have names of their own.
func TestTablesShareADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	job := &connectors.Job{Name: "j"}
	id := connectors.EpochID{Number: 7, Incarnation: 3}
	var sinks []*sink
	var staged [][]byte
	for n := range 2 {
		s, err := newSink(table(dir, "json", job))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		w, err := s.Writer(0)
		if err != nil {
			t.Fatal(err)
		}
		b := batch.New(schema, 1)
		b.Cols[0].AppendInt(int64(n))
		b.Cols[1].AppendString("x")
		b.AddWeight(1)
		if err := w.Push(connectors.Changes{B: b}); err != nil {
			t.Fatal(err)
		}
		sealed, err := s.Seal()
		if err != nil {
			t.Fatal(err)
		}
		list, err := sealed.Prepare(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		sinks, staged = append(sinks, s), append(staged, list)
	}
	for i, s := range sinks {
		if err := s.Deliver(t.Context(), id, staged[i]); err != nil {
			t.Fatal(err)
		}
	}
	lines, paths := visible(t, dir)
	slices.Sort(lines)
	if want := []string{`{"a":0,"s":"x"}`, `{"a":1,"s":"x"}`}; !slices.Equal(lines, want) {
		t.Errorf("got %q in %q, want %q", lines, paths, want)
	}
}
