package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine"
)

// Everything has a field of each type that goes through a table and back.
type Everything struct {
	Bool    bool
	Tiny    int8
	Small   int
	Int     int32
	Big     int64
	Float   float32
	Double  float64
	Dec     string
	Wide    string
	Str     string
	Bin     []byte
	Date    time.Time
	Clock   time.Duration
	TS      time.Time
	LTZ     time.Time
	Span    time.Duration
	Null    *int64
	Some    *string
	List    []*int64
	Map     map[string]float64
	Row     point
	Level   level
	Ignored chan int `sql:"-"`
}

const everything = `bool BOOLEAN, tiny TINYINT, small SMALLINT, ` + "`int`" + ` INT, big BIGINT, ` + "`float`" + ` FLOAT, ` + "`double`" + ` DOUBLE,
	` + "`dec`" + ` DECIMAL(10, 2), wide DECIMAL(38, 3), str VARCHAR(10), bin BYTES, ` + "`date`" + ` DATE, clock TIME(3), ts TIMESTAMP(3), ltz TIMESTAMP_LTZ(6),
	span INTERVAL DAY TO SECOND, ` + "`null`" + ` BIGINT, some STRING, list ARRAY<BIGINT>, map MAP<STRING, DOUBLE>, ` + "`row`" + ` ROW<x INT, y BIGINT, label STRING>, level STRING`

// TestRowsComeBack sends rows from a Go source through a pipeline to a Go sink.
func TestRowsComeBack(t *testing.T) {
	some, one := "some", int64(1)
	zone := time.FixedZone("two", 7200)
	in := []Everything{
		{},
		{true, -128, -5, 1 << 30, 1 << 60, 1.5, 1e300, "-12.34", strings.Repeat("9", 35) + ".125", "aé", []byte{0, 255}, time.Date(2026, 2, 28, 23, 0, 0, 0, zone),
			23*time.Hour + time.Millisecond, time.Date(2026, 2, 28, 23, 30, 0, 1_999_999, zone), time.Date(2026, 2, 28, 23, 30, 0, 1999, zone), -time.Minute, nil, &some,
			[]*int64{&one, nil}, map[string]float64{"a": 1, "b": 2}, point{1, 2, &some}, 3, nil},
	}
	in[0].TS, in[0].LTZ, in[0].Date = time.Unix(0, 0), time.Unix(0, 0), time.Unix(0, 0)
	in[0].Dec, in[0].Wide = "0", "0"
	// As a column keeps it: times in UTC, cut to its precision; a number's scale.
	want := []Everything{in[0], in[1]}
	want[0].TS, want[0].LTZ, want[0].Date = want[0].TS.UTC(), want[0].LTZ.UTC(), want[0].Date.UTC()
	want[0].Dec, want[0].Wide = "0.00", "0.000"
	want[1].Date = time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)
	want[1].TS = time.Date(2026, 2, 28, 23, 30, 0, 1_000_000, time.UTC)
	want[1].LTZ = time.Date(2026, 2, 28, 21, 30, 0, 1000, time.UTC)

	for _, workers := range []int{1, 2} {
		e := open(t, engine.Options{})
		var got []Everything
		register1(t, engine.RegisterSource(e, "src", engine.Source[Everything]{Bounded: true, Read: func(_ context.Context, _ string, emit func(Everything, string) error) error {
			for _, r := range in {
				if err := emit(r, ""); err != nil {
					return err
				}
			}
			return nil
		}}), engine.RegisterSink(e, "dst", func(_ context.Context, d engine.Delivery[Everything]) error {
			for _, c := range d.Changes {
				got = append(got, c.Row)
			}
			return nil
		}))
		j := start(t, e, "CREATE TABLE a ("+everything+") WITH ('connector' = 'src'); CREATE TABLE b ("+everything+") WITH ('connector' = 'dst'); INSERT INTO b SELECT * FROM a;",
			engine.JobOptions{Workers: workers}, connectors.Job{})
		if err := wait(t, j); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers\n got %+v\nwant %+v", workers, got, want)
		}
	}
}

// TestTablesThatDoNotFit declares tables that a program's struct does not go with.
func TestTablesThatDoNotFit(t *testing.T) {
	e := open(t, engine.Options{})
	register1(t, engine.RegisterSource(e, "numbers", numbers(1)),
		engine.RegisterSink(e, "counts", func(context.Context, engine.Delivery[Count]) error { return nil }),
		engine.RegisterSource(e, "twins", engine.Source[struct {
			AB int64
			Ab int64
		}]{Read: func(context.Context, string, func(struct{ AB, Ab int64 }, string) error) error { return nil }}))
	for _, c := range [][2]string{
		{"CREATE TABLE numbers (n BIGINT, m BIGINT) WITH ('connector' = 'numbers'); SELECT n FROM numbers", `SD5004]: engine_test.Tick has no field for column "m"`},
		{"CREATE TABLE numbers (n STRING) WITH ('connector' = 'numbers'); SELECT n FROM numbers", `SD5004]: column "n": int64 and STRING do not go together: take string`},
		{"CREATE TABLE numbers (n DECIMAL(10, 2)) WITH ('connector' = 'numbers'); SELECT n FROM numbers", "take string, or a type with MarshalText and UnmarshalText"},
		{"CREATE TABLE numbers (n MULTISET<INT>) WITH ('connector' = 'numbers'); SELECT n FROM numbers", "MULTISET<INT> is not supported yet in Go values"},
		{"CREATE TABLE numbers (n BIGINT METADATA) WITH ('connector' = 'numbers'); SELECT n FROM numbers", `no metadata, which column "n" reads`},
		{"CREATE TABLE numbers (n BIGINT) PARTITIONED BY (n) WITH ('connector' = 'numbers'); SELECT n FROM numbers", "PARTITIONED BY is not supported yet"},
		{"CREATE TABLE twins (ab BIGINT) WITH ('connector' = 'twins'); SELECT ab FROM twins", `two fields of struct { AB int64; Ab int64 } are named like column "ab"`},
		{"CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers', 'path' = 'x'); SELECT n FROM numbers", `SD5002]: connector "numbers" has no option "path"`},
		{"CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'number'); SELECT n FROM numbers", `did you mean "numbers"?`},
		{"CREATE TABLE counts (rest BIGINT, n BIGINT) WITH ('connector' = 'counts'); SELECT n FROM counts", `SD5009]: connector "counts" cannot be read`},
		{"CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers'); INSERT INTO numbers SELECT 1", `SD5009]: connector "numbers" cannot be written`},
		{"CREATE TABLE counts (rest STRING, n BIGINT) WITH ('connector' = 'counts'); INSERT INTO counts SELECT 'a', 1", `column "rest": int64 and STRING do not go together`},
	} {
		if got := output(t, e, c[0]); !strings.Contains(got, c[1]) {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

// TestRowThatDoesNotFit lets a source go on behind a row that its table cannot hold.
func TestRowThatDoesNotFit(t *testing.T) {
	type row struct {
		S []string
		N *int64
	}
	e := open(t, engine.Options{})
	var told []string
	register1(t, engine.RegisterSource(e, "rows", engine.Source[row]{Bounded: true, Read: func(_ context.Context, _ string, emit func(row, string) error) error {
		for i := range int64(6) {
			r := row{[]string{"a", strings.Repeat("b", int(i))}, &i}
			if i == 1 {
				r.N = nil
			}
			var bad *engine.RowError
			if err := emit(r, ""); errors.As(err, &bad) {
				told = append(told, err.Error())
			} else if err != nil {
				return err
			}
		}
		return nil
	}}))
	got := output(t, e, "CREATE TABLE t (s ARRAY<VARCHAR(3)>, n TINYINT NOT NULL) WITH ('connector' = 'rows'); SELECT s, n FROM t")
	want := "+I[[a, ], 0]\n+I[[a, bb], 2]\n+I[[a, bbb], 3]"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	wantTold := []string{
		`SD6105: source "rows": the value is NULL, field "n"`,
		`SD6105: source "rows": element 2: "bbbb" is too long for VARCHAR(3), field "s"`,
		`SD6105: source "rows": element 2: "bbbbb" is too long for VARCHAR(3), field "s"`,
	}
	if !reflect.DeepEqual(told, wantTold) {
		t.Errorf("told %q\nwant %q", told, wantTold)
	}
}

// TestSinkTakesChanges compares what a sink without and with a primary key is told.
func TestSinkTakesChanges(t *testing.T) {
	const text = `SET 'table.exec.state.ttl' = '0 ms';
		CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'numbers');
		CREATE TABLE counts (rest BIGINT, n BIGINT%s) WITH ('connector' = 'counts');
		INSERT INTO counts SELECT rest, SUM(n) FROM (SELECT n %% 2 AS rest, MAX(n) AS n FROM numbers GROUP BY n %% 2) WHERE n < 100 GROUP BY rest;`
	for key, want := range map[string]string{
		"":                                  "+I[0 2] | -U[0 2] +U[0 6] | -D[0 6]",
		", PRIMARY KEY (rest) NOT ENFORCED": "+I[0 2] | +I[0 6] | -D[0 0]",
	} {
		e := open(t, engine.Options{})
		var told []string
		next := make(chan struct{}, 1)
		register1(t, engine.RegisterSource(e, "numbers", engine.Source[Tick]{Bounded: true, Read: func(ctx context.Context, _ string, emit func(Tick, string) error) error {
			for _, n := range []int64{2, 6, 100} {
				if err := emit(Tick{n}, ""); err != nil {
					return err
				}
				select {
				case <-next:
				case <-ctx.Done():
				}
			}
			return nil
		}}), engine.RegisterSink(e, "counts", func(_ context.Context, d engine.Delivery[Count]) error {
			var s []string
			for _, c := range d.Changes {
				s = append(s, fmt.Sprintf("%s[%d %d]", c.Kind, c.Row.Rest, c.Row.N))
			}
			told = append(told, strings.Join(s, " "))
			next <- struct{}{}
			if d.Table != "counts" || len(d.Lineage) != 32 || d.Epoch == 0 {
				t.Errorf("%+v", d)
			}
			return nil
		}))
		if err := wait(t, start(t, e, fmt.Sprintf(text, key), engine.JobOptions{Workers: 2}, connectors.Job{})); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(told, " | "); got != want {
			t.Errorf("%q\n got %s\nwant %s", key, got, want)
		}
	}
}

// TestSinkFails ends jobs by a sink that cannot take what comes; with a state
// directory nothing of the failed epoch was decided where the row is to blame.
func TestSinkFails(t *testing.T) {
	text := `CREATE TABLE counts (rest BIGINT, n BIGINT) WITH ('connector' = 'counts'); INSERT INTO counts SELECT r, n FROM (VALUES (1, %s)) AS t(r, n);`
	for _, c := range []struct{ n, err string }{
		{"CAST(NULL AS INT)", `sink "counts": column "n" for engine_test.Count: the value is NULL`},
		{"1", `sink "counts": no room`},
		{"2", `sink "counts": sink "counts" panicked: too much at gotable_test.go:`},
	} {
		for _, dir := range []string{"", t.TempDir()} {
			e := open(t, engine.Options{})
			register1(t, engine.RegisterSink(e, "counts", func(_ context.Context, d engine.Delivery[Count]) error {
				if d.Changes[0].Row.N == 2 {
					panic("too much")
				}
				return &connectors.Permanent{Err: errors.New("no room")}
			}))
			j := start(t, e, fmt.Sprintf(text, c.n), engine.JobOptions{StateDir: dir}, connectors.Job{})
			if err := wait(t, j); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want %s", c.n, err, c.err)
			}
			if s, _ := j.State(); s != engine.Failed {
				t.Errorf("%s: %s", c.n, s)
			}
		}
	}
}

// TestSourceFails ends jobs by a source that goes wrong in several ways.
func TestSourceFails(t *testing.T) {
	for _, c := range []struct {
		name string
		read func() error
		o    engine.JobOptions
		err  string
	}{
		{"an error", func() error { return errors.New("no such queue") }, engine.JobOptions{}, `read 0 of table "ticks": no such queue`},
		{"a lasting error", func() error { return &connectors.Permanent{Err: errors.New("no such queue")} }, engine.JobOptions{StateDir: t.TempDir()}, `no such queue`},
		{"a panic", func() error { panic("no such queue") }, engine.JobOptions{StateDir: t.TempDir()}, `source "ticks" panicked: no such queue at gotable_test.go:`},
		{"the end of its goroutine", func() error { runtime.Goexit(); return nil }, engine.JobOptions{}, "the source ended its own goroutine"},
		{"no end", func() error { return nil }, engine.JobOptions{UntilIdle: true}, `source "ticks" has no end that could be asked for`},
	} {
		e := open(t, engine.Options{})
		register1(t, engine.RegisterSource(e, "ticks", engine.Source[Tick]{Read: func(_ context.Context, _ string, emit func(Tick, string) error) error {
			if err := emit(Tick{1}, "1"); err != nil {
				return err
			}
			return c.read()
		}}))
		j := start(t, e, "CREATE TABLE ticks (n BIGINT) WITH ('connector' = 'ticks'); SELECT n FROM ticks", c.o, connectors.Job{})
		if err := wait(t, j); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.err)
		}
	}
}
