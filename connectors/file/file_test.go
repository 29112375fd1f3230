package file

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

func f(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }

var schema = batch.NewSchema(f("a", batch.TypeInt), f("s", batch.TypeString))

func table(path, format string, job *connectors.Job, opts ...string) *connectors.TableDef {
	o := &connectors.Options{List: []connectors.Option{{Key: "path", Value: path}, {Key: "format", Value: format}}}
	for i := 0; i < len(opts); i += 2 {
		o.List = append(o.List, connectors.Option{Key: opts[i], Value: opts[i+1]})
	}
	return &connectors.TableDef{Name: "t", Schema: schema, Options: o, Job: job}
}

func openTable(t testing.TB, def *connectors.TableDef) *woken {
	t.Helper()
	s, err := newSource(def)
	if err != nil {
		t.Fatal(err)
	}
	w := &woken{source: s, wake: make(chan struct{}, 1)}
	s.SetWake(func() {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	})
	return w
}

// woken is a source and its wake-ups.
type woken struct {
	*source
	wake chan struct{}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func add(t testing.TB, path, text string) {
	t.Helper()
	o, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// take reads until there are n rows, or the end when n < 0.
func take(t testing.TB, s *woken, r connectors.Reader, n int) (rows []string, err error) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		dst := &connectors.Dst{Batch: batch.New(s.def.Schema, 0)}
		more, done, err := r.Read(dst, 100)
		for i := range dst.Batch.N {
			rows = append(rows, conntest.Text(dst.Batch, i))
		}
		if err != nil || done || n >= 0 && len(rows) >= n {
			return rows, err
		}
		if !more {
			select {
			case <-s.wake:
			case <-deadline:
				t.Fatalf("no more than %q within 20 s", rows)
			}
		}
	}
}

// all reads every split to its end.
func all(t testing.TB, s *woken) (rows []string) {
	t.Helper()
	splits, err := s.Splits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range splits {
		r, err := s.Open(ctx, x, nil, nil, connectors.Want{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := take(t, s, r, -1)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, got...)
		r.Close()
	}
	return rows
}

func equal(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestSourceConformance(t *testing.T) {
	dir := t.TempDir()
	var want []string
	var big strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&big, "{\"a\":%d,\"s\":\"%s\"}\n", i, strings.Repeat("x", i%200))
		want = append(want, fmt.Sprintf("%d|%s", i, strings.Repeat("x", i%200)))
	}
	write(t, filepath.Join(dir, "b", "big.json"), big.String())
	write(t, filepath.Join(dir, "a.json"), "{\"a\":-1}\n{bad\n\n{\"a\":\"x\"}\n{\"a\":-2}\n")
	write(t, filepath.Join(dir, ".hidden"), "{\"a\":100}\n")
	write(t, filepath.Join(dir, "_tmp", "x"), "{\"a\":100}\n")
	write(t, filepath.Join(dir, "z.json"), "")
	conntest.Source(t, conntest.SourceCase{
		Schema: schema, Want: append([]string{"-1|NULL", "-2|NULL"}, want...), Bad: []string{"SD6101", "SD6105"},
		Open: func(t testing.TB) connectors.Source {
			s, err := newSource(table("file://"+dir, "json", nil))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	})
}

func TestPlacesOfBadLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	write(t, path, "1,a\nx,b\n3,c\n4\n")
	s := openTable(t, table(path, "csv", nil))
	r, _ := s.Open(ctx, connectors.Split{ID: path}, nil, nil, connectors.Want{})
	defer r.Close()
	dst := &connectors.Dst{Batch: batch.New(schema, 0)}
	for done := false; !done; {
		if _, done, _ = r.Read(dst, 10); !done && dst.Batch.N == 0 {
			<-s.wake
		}
	}
	var got []string
	for _, b := range dst.Bad {
		got = append(got, fmt.Sprintf("%s %s %s %q after %d", b.Code, strings.TrimPrefix(b.Place, path), b.Field, b.Raw, b.After))
	}
	equal(t, "bad", got, `SD6105 :2 a "x,b" after 1`, `SD6111 :4  "4" after 2`)
}

func TestLastLineWithoutLineFeed(t *testing.T) {
	for _, drain := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "x.csv")
		write(t, path, "1,a\n2,b")
		s := openTable(t, table(path, "csv", &connectors.Job{Stop: !drain}))
		r, _ := s.Open(ctx, connectors.Split{ID: path}, nil, nil, connectors.Want{})
		rows, _ := take(t, s, r, -1)
		pos := r.Position()
		r.Close()
		if drain {
			equal(t, "drain", rows, "1|a", "2|b")
		} else {
			equal(t, "stop", rows, "1|a")
		}
		if err := s.Check(ctx, connectors.Split{ID: path}, pos); err != nil {
			t.Error(err)
		}
		add(t, path, "c\n3,d\n")
		err := s.Check(ctx, connectors.Split{ID: path}, pos)
		if drain != (err != nil) {
			t.Errorf("drain %v, the line goes on: %v", drain, err)
		}
		if drain {
			write(t, path, "1,a\n2,b\n3,d\n")
			if err := s.Check(ctx, connectors.Split{ID: path}, pos); err != nil {
				t.Error(err)
			}
		}
		if r, err = s.Open(ctx, connectors.Split{ID: path}, pos, nil, connectors.Want{}); err != nil {
			t.Fatal(err)
		}
		rows, _ = take(t, s, r, -1)
		r.Close()
		if drain {
			equal(t, "goes on", rows, "3|d")
		} else {
			equal(t, "goes on", rows, "2|bc", "3|d")
		}
	}
}

func TestGrowthAndNewFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.csv")
	write(t, path, "1,a\n2,")
	s := openTable(t, table(dir, "csv", nil, "source.monitor-interval", "10 ms"))
	if i := s.Info(); i.Bounded || i.DiscoverMs != 10 || i.Sequential {
		t.Errorf("%+v", i)
	}
	r, _ := s.Open(ctx, connectors.Split{ID: path}, nil, nil, connectors.Want{})
	defer r.Close()
	rows, _ := take(t, s, r, 1)
	equal(t, "first", rows, "1|a")
	add(t, path, "b\n3,c\n")
	rows, _ = take(t, s, r, 2)
	equal(t, "grown", rows, "2|b", "3|c")
	write(t, filepath.Join(dir, "y.csv"), "9,z\n")
	if splits, _ := s.Splits(ctx); len(splits) != 2 {
		t.Errorf("splits %v", splits)
	}
	// A file of the same length or more with other content is not the same file.
	write(t, path, "1,a\n2,b\n3,X\n4,d\n")
	if _, err := take(t, s, r, 1); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a replaced file: %v", err)
	}
}

func TestUntil(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.csv")
	write(t, path, "1,a\n2,b\n")
	s := openTable(t, table(dir, "csv", nil, "source.monitor-interval", "10 ms"))
	splits, _ := s.Splits(ctx)
	ends, err := s.Ends(ctx, splits)
	if err != nil {
		t.Fatal(err)
	}
	add(t, path, "3,c\n")
	r, _ := s.Open(ctx, splits[0], nil, ends[path], connectors.Want{})
	defer r.Close()
	rows, _ := take(t, s, r, -1)
	equal(t, "until", rows, "1|a", "2|b")
}

func TestChangedFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	var text bytes.Buffer
	for i := range 50_000 {
		fmt.Fprintf(&text, "%d,abcdefgh\n", i)
	}
	good := text.String()
	write(t, path, good)
	s := openTable(t, table(path, "csv", nil))
	r, _ := s.Open(ctx, connectors.Split{ID: path}, nil, nil, connectors.Want{})
	_, _ = take(t, s, r, 40_000)
	pos := r.Position()
	r.Close()
	p, _ := decodePosition(pos)
	flip := func(at int64) string {
		b := []byte(good)
		b[at] ^= 1
		return string(b)
	}
	for _, x := range []struct {
		name, text string
		ok         bool
	}{
		{"same", good, true}, {"grown", good + "1,x\n", true}, {"first byte", flip(0), false}, {"edge of the head", flip(edge - 1), false},
		{"last byte", flip(p.Offset - 1), false}, {"edge of the tail", flip(p.Offset - edge), false}, {"behind", flip(p.Offset), true},
		{"shorter", good[:p.Offset-1], false}, {"as long as was read", good[:p.Offset], true}, {"empty", "", false},
	} {
		write(t, path, x.text)
		if err := s.Check(ctx, connectors.Split{ID: path}, pos); (err == nil) != x.ok {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	os.Remove(path)
	if err := s.Check(ctx, connectors.Split{ID: path}, pos); err == nil {
		t.Error("a file that is gone before its end is accepted")
	}
}

func TestTooLongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	write(t, path, "1,a\n2,"+strings.Repeat("x", maxLine+maxLine/2)+"\n3,c\n")
	s := openTable(t, table(path, "csv", nil))
	var pos []byte
	var rows, bad []string
	for done := false; !done; {
		r, err := s.Open(ctx, connectors.Split{ID: path}, pos, nil, connectors.Want{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			dst := &connectors.Dst{Batch: batch.New(schema, 0)}
			_, done, err = r.Read(dst, 1)
			if err != nil {
				t.Fatal(err)
			}
			for i := range dst.Batch.N {
				rows = append(rows, conntest.Text(dst.Batch, i))
			}
			for _, b := range dst.Bad {
				bad = append(bad, fmt.Sprint(b.Code, strings.TrimPrefix(b.Place, path), len(b.Raw)))
			}
			if done || dst.Batch.N+len(dst.Bad) > 0 {
				break
			}
			<-s.wake
		}
		pos = r.Position()
		r.Close()
	}
	equal(t, "rows", rows, "1|a", "3|c")
	equal(t, "bad", bad, "SD6151:265536")
}

func TestPartitionsAndMetadata(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "d=2026-01-01", "k=a%2Fb", "p.csv"), "1\n")
	write(t, filepath.Join(dir, "d=__DEFAULT_PARTITION__", "k=c", "p.csv"), "2\n")
	def := table(dir, "csv", nil)
	def.Schema = batch.NewSchema(f("k", batch.TypeString), f("a", batch.TypeInt), f("d", batch.TypeDate), f("n", batch.TypeString))
	def.PartBy, def.Meta = []int{2, 0}, []string{"", "", "", "file.name"}
	equal(t, "rows", all(t, openTable(t, def)), "a/b|1|2026-01-01|p.csv", "c|2|NULL|p.csv")
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	for _, opts := range [][]string{{"sink.rolling-policy.file-size", "1mb"}, {"auto-compaction", "true"}, {"source.monitor-interval", "soon"}, {"source.monitor-interval", "0 s"}} {
		_, err := newSink(table(dir, "json", nil, opts...))
		if list, ok := connectors.IsOptionError(err); !ok || list[0].Key != opts[0] {
			t.Errorf("%v: %v", opts, err)
		}
	}
	if _, err := newSource(table("", "json", nil)); err == nil {
		t.Error("an empty path is accepted")
	}
	if _, err := newSource(table("file://host/x", "json", nil)); err == nil {
		t.Error("a host is accepted")
	}
	if _, err := newSink(table("s3://bucket/x", "json", nil)); err == nil || !strings.Contains(err.Error(), `no file system "s3"`) {
		t.Errorf("another file system: %v", err)
	}
	s := openTable(t, table(filepath.Join(dir, "absent"), "json", nil))
	if _, err := s.Splits(ctx); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Error(err)
	}
}

func TestFileThatWasReadMayGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	write(t, path, "1,a\n")
	s := openTable(t, table(path, "csv", nil))
	r, _ := s.Open(ctx, connectors.Split{ID: path}, nil, nil, connectors.Want{})
	rows, _ := take(t, s, r, -1)
	equal(t, "rows", rows, "1|a")
	pos := r.Position()
	r.Close()
	os.Remove(path)
	if err := s.Check(ctx, connectors.Split{ID: path}, pos); err != nil {
		t.Error(err)
	}
	r, err := s.Open(ctx, connectors.Split{ID: path}, pos, nil, connectors.Want{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, done, err := r.Read(&connectors.Dst{Batch: batch.New(schema, 0)}, 1); !done || err != nil || !bytes.Equal(r.Position(), pos) {
		t.Errorf("done %v, %v", done, err)
	}
}
