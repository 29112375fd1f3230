package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/engine/enginetest"
)

// Run runs the statements of a test in all Cases and tells what the first one
// that fails has shown.
func ExampleRun() {
	pipeline := source.NewFile("odd.sql", "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); CREATE VIEW odd AS SELECT a FROM t WHERE a % 2 = 1;")
	test := source.NewFile("odd_test.sql", "INPUT t VALUES (1), (2), (3);\nEXPECT odd VALUES (1), (5);")
	statements, _ := dsl.ParseTest(test.Name, test.Text)
	r, err := enginetest.Run(pipeline, test, statements, enginetest.Options{Connectors: all})
	fmt.Println(err, r.Case)
	for _, f := range r.Failures {
		fmt.Println(&f)
	}
	// Output:
	// <nil> steps as large as they get, 1 worker(s)
	// EXPECT odd
	//   missing:    (5)
	//   unexpected: (3)
}

// A pipeline of a program is tested with the program's functions, under a clock
// that stands still, through a crash.
func ExampleNew() {
	text := `
		CREATE TABLE rides (city STRING, km DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rides');
		CREATE VIEW per_minute AS SELECT window_start, city, SUM(fare(km)) AS total
			FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, city;`
	var t failures
	defer t.done()
	p := enginetest.New(&t, "rides.sql", text, enginetest.Options{Connectors: all, Register: register, Views: []string{"per_minute"}})

	p.Push("rides", "('Lyon', 2, '2026-01-01 10:00:10'), ('Lyon', 4, '2026-01-01 10:00:50')")
	p.Want("per_minute", "") // the minute is not over
	p.Crash()
	p.Watermark("rides", "2026-01-01 10:01:00")
	p.Want("per_minute", "('2026-01-01 10:00:00', 'Lyon', 13)")
	p.Want("per_minute", "('2026-01-01 10:00:00', 'Lyon', 12)") // wrong, to see what is said
	// Output:
	// EXPECT per_minute
	//   missing:    ('2026-01-01 10:00:00', 'Lyon', 12.0)
	//   unexpected: ('2026-01-01 10:00:00', 'Lyon', 13.0)
}

type Ride struct {
	City string
	Km   float64
	TS   time.Time
}

// register is the program's own; the source is not called in a test.
func register(e *engine.Engine) error {
	return errors.Join(
		engine.RegisterFunc(e, "fare", func(km float64) float64 { return 2 + 1.5*km }),
		engine.RegisterSource(e, "rides", engine.Source[Ride]{Read: nextRides}),
	)
}

func nextRides(context.Context, string, func(Ride, string) error) error { return errors.New("unused") }

// failures is a *testing.T for an example: it prints.
type failures struct{ end []func() }

func (*failures) Helper()                           {}
func (*failures) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (*failures) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (f *failures) Cleanup(c func())                { f.end = append(f.end, c) }

func (f *failures) TempDir() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (f *failures) done() {
	for i := range f.end {
		f.end[len(f.end)-1-i]()
	}
}
