package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/engine"
)

// A program brings its connectors, compiles a text and runs it as a job.
func Example() {
	ctx := context.Background()
	e, err := engine.Open(ctx, engine.Options{Connectors: []*connectors.Connector{datagen.Connector(), print.Connector()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	const text = `
		CREATE TABLE rides (id BIGINT) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '100');
		CREATE TABLE out (odd BOOLEAN, n BIGINT, total BIGINT) WITH ('connector' = 'print');
		INSERT INTO out SELECT id % 2 = 1, COUNT(*), SUM(id) FROM rides GROUP BY id % 2 = 1 HAVING COUNT(*) = 50;`
	plan, diags := e.Compile("rides.sql", text, engine.CompileOptions{Job: connectors.Job{Stdout: os.Stdout}})
	if plan == nil {
		fmt.Println(engine.Mistakes("rides.sql", text, diags))
		return
	}
	job, err := e.Start(ctx, "rides", plan, engine.JobOptions{Workers: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := job.Wait(ctx); err != nil {
		fmt.Println(err)
	}
	state, _ := job.State()
	fmt.Println(state, job.Stats().RowsIn, "rows read")
	// Unordered output:
	// +I[true, 50, 2500]
	// +I[false, 50, 2550]
	// finished 100 rows read
}

// Ride and Fare are the rows of the tables rides and fares.
type Ride struct {
	ID   int64
	City string
	Km   float64
	Tip  *string `sql:"tip_eur"` // a DECIMAL; nil is NULL
}

type Fare struct {
	City  string
	Rides int64
	Total float64
}

const fares = `
	CREATE TABLE rides (id BIGINT, city STRING, km DOUBLE, tip_eur DECIMAL(10, 2)) WITH ('connector' = 'rides');
	CREATE TABLE fares (city STRING, rides BIGINT, total DOUBLE, PRIMARY KEY (city) NOT ENFORCED) WITH ('connector' = 'fares');
	INSERT INTO fares SELECT city, COUNT(*), SUM(fare(km)) FROM rides GROUP BY city;`

// history is what there is to read.
var history = []Ride{{1, "Lyon", 3, nil}, {2, "Brest", 10, nil}, {3, "Lyon", 1.5, nil}}

// register gives the engine all that the text needs, here and in tests.
func register(e *engine.Engine, deliver func(context.Context, engine.Delivery[Fare]) error) error {
	return errors.Join(
		engine.RegisterFunc(e, "fare", func(km float64) float64 { return 2 + 1.5*km }),
		engine.RegisterSource(e, "rides", engine.Source[Ride]{Read: readHistory, Bounded: true}),
		engine.RegisterSink(e, "fares", deliver),
	)
}

// readHistory gives the rides from a position on, which is here how many came before.
func readHistory(_ context.Context, from string, emit func(Ride, string) error) error {
	n, _ := strconv.Atoi(from) // "" is 0
	for ; n < len(history); n++ {
		if err := emit(history[n], strconv.Itoa(n+1)); err != nil {
			return err
		}
	}
	return nil
}

// A Go function is called like any other.
func ExampleRegisterFunc() {
	e, err := engine.Open(context.Background(), engine.Options{Connectors: []*connectors.Connector{print.Connector()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	plate := func(s string) (string, error) {
		if len(s) < 3 {
			return "", fmt.Errorf("%q is no plate", s)
		}
		return strings.ToUpper(s[:2]) + "-" + s[2:], nil
	}
	vat := func(net string, country *string) (string, error) {
		rate := 1.2
		if country != nil && *country == "DE" {
			rate = 1.19
		}
		f, err := strconv.ParseFloat(net, 64)
		return strconv.FormatFloat(f*rate, 'f', 2, 64), err
	}
	err = errors.Join(
		engine.RegisterFunc(e, "plate", plate),
		engine.RegisterFunc(e, "vat", vat, engine.Types("DECIMAL(10, 2)", "STRING", "DECIMAL(12, 2)")),
	)
	if err != nil {
		fmt.Println(err)
		return
	}

	run(e, `SELECT PLATE(p), vat(net, country) FROM (VALUES ('ab123', 100.00, 'DE'), ('cd4', 20.00, NULL)) AS t(p, net, country)`)
	run(e, `SELECT plates('ab123')`)
	run(e, `SELECT plate(p) FROM (VALUES ('x')) AS t(p)`)
	// Output:
	// +I[AB-123, 119.00]
	// +I[CD-4, 24.00]
	// error[SD2006]: unknown function PLATES
	//   --> q.sql:1:8
	//    |
	//  1 | SELECT plates('ab123')
	//    |        ^^^^^^ did you mean PLATE?
	// SD6011: PLATE: "x" is no plate
}

// run runs a text to its end.
func run(e *engine.Engine, text string) {
	plan, diags := e.Compile("q.sql", text, engine.CompileOptions{Job: connectors.Job{Stdout: os.Stdout}})
	if plan == nil {
		fmt.Println(engine.Mistakes("q.sql", text, diags))
		return
	}
	job, err := e.Start(context.Background(), "q", plan, engine.JobOptions{Workers: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := job.Wait(context.Background()); err != nil {
		fmt.Println(err)
	}
}

// Rows come from a Go function and go to another one.
func ExampleRegisterSource() {
	e, err := engine.Open(context.Background(), engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	total := map[string]Fare{}
	err = register(e, func(_ context.Context, d engine.Delivery[Fare]) error {
		for _, c := range d.Changes {
			if c.Kind == connectors.Delete {
				delete(total, c.Row.City)
				continue
			}
			total[c.Row.City] = c.Row
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run(e, fares)
	fmt.Println(total)
	// Output:
	// map[Brest:{Brest 1 17} Lyon:{Lyon 2 10.75}]
}

// A sink that keeps the epoch with its rows has each change exactly once, also
// where a delivery is repeated.
func ExampleRegisterSink() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	// What a database would keep, in one transaction.
	var stored struct {
		lineage string
		epoch   uint64
		rides   int64
	}
	lost := true
	deliver := func(_ context.Context, d engine.Delivery[Fare]) error {
		if d.Lineage == stored.lineage && d.Epoch <= stored.epoch {
			fmt.Println("again")
			return nil
		}
		for _, c := range d.Changes {
			stored.rides += c.Row.Rides
		}
		stored.lineage, stored.epoch = d.Lineage, d.Epoch
		if lost {
			lost = false
			return &connectors.Permanent{Err: errors.New("no answer")} // it is stored, and the job does not know
		}
		return nil
	}
	for range 2 {
		e, err := engine.Open(context.Background(), engine.Options{})
		if err == nil {
			err = register(e, deliver)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		plan, diags := e.Compile("fares.sql", fares, engine.CompileOptions{})
		if plan == nil {
			fmt.Println(engine.Mistakes("fares.sql", fares, diags))
			return
		}
		job, err := e.Start(context.Background(), "fares", plan, engine.JobOptions{StateDir: dir})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(job.Wait(context.Background()))
		e.Close()
	}
	fmt.Println(stored.rides, "rides")
	// Output:
	// sink "fares": no answer
	// again
	// <nil>
	// 3 rides
}

// A job ends when its context is cancelled, as by Stop: what was read is decided
// and delivered first.
func ExampleEngine_Start() {
	e, err := engine.Open(context.Background(), engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	forever := func(ctx context.Context, _ string, emit func(Ride, string) error) error {
		for n := int64(0); ; n++ {
			if err := emit(Ride{ID: n, City: "Lyon"}, strconv.FormatInt(n+1, 10)); err != nil {
				return err // the job ends
			}
		}
	}
	err = errors.Join(
		engine.RegisterFunc(e, "fare", func(km float64) float64 { return 2 + 1.5*km }),
		engine.RegisterSource(e, "rides", engine.Source[Ride]{Read: forever}),
		engine.RegisterSink(e, "fares", func(context.Context, engine.Delivery[Fare]) error { cancel(); return nil }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, diags := e.Compile("fares.sql", fares, engine.CompileOptions{})
	if plan == nil {
		fmt.Println(engine.Mistakes("fares.sql", fares, diags))
		return
	}
	job, err := e.Start(ctx, "fares", plan, engine.JobOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = job.Wait(context.Background())
	state, _ := job.State()
	fmt.Println(state, err)
	// Output:
	// stopped <nil>
}

// Drain ends a source that would go on, and fires what waits for the watermark.
func ExampleJob_Stop() {
	e, err := engine.Open(context.Background(), engine.Options{Connectors: []*connectors.Connector{print.Connector()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	given := make(chan struct{})
	read := func(ctx context.Context, _ string, emit func(Tick, string) error) error {
		for n := range int64(3) {
			if err := emit(Tick{n}, ""); err != nil {
				return err
			}
		}
		close(given)
		<-ctx.Done() // nothing more comes for now
		return ctx.Err()
	}
	if err := engine.RegisterSource(e, "ticks", engine.Source[Tick]{Read: read}); err != nil {
		fmt.Println(err)
		return
	}
	const text = `
		CREATE TABLE ticks (n BIGINT, ts AS TO_TIMESTAMP_LTZ(n, 0), WATERMARK FOR ts AS ts) WITH ('connector' = 'ticks');
		SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;`
	plan, diags := e.Compile("ticks.sql", text, engine.CompileOptions{Job: connectors.Job{Stdout: os.Stdout}})
	if plan == nil {
		fmt.Println(engine.Mistakes("ticks.sql", text, diags))
		return
	}
	job, err := e.Start(context.Background(), "ticks", plan, engine.JobOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-given
	for job.Stats().RowsIn < 3 { // given is not read yet
		time.Sleep(time.Millisecond)
	}
	job.Stop(engine.Drain)
	err = job.Wait(context.Background())
	state, _ := job.State()
	fmt.Println(state, err)
	// Output:
	// +I[1970-01-01T00:00:00, 3]
	// finished <nil>
}

// Tick is a row of the table ticks.
type Tick struct{ N int64 }

// What a program's function does wrong ends its job, and nothing else.
func ExamplePanicError() {
	e, err := engine.Open(context.Background(), engine.Options{Connectors: []*connectors.Connector{print.Connector()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	err = errors.Join(
		engine.RegisterFunc(e, "initial", func(name string) string { return name[:1] }),
		engine.RegisterSource(e, "ticks", engine.Source[Tick]{Read: func(context.Context, string, func(Tick, string) error) error {
			panic("no such file")
		}}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	start := func(text string) error {
		plan, diags := e.Compile("q.sql", text, engine.CompileOptions{})
		if plan == nil {
			return engine.Mistakes("q.sql", text, diags)
		}
		job, err := e.Start(context.Background(), "q", plan, engine.JobOptions{})
		if err != nil {
			return err
		}
		return job.Wait(context.Background())
	}
	var row *engine.RowError
	if errors.As(start(`SELECT initial(n) FROM (VALUES ('Ada'), ('')) AS t(n)`), &row) {
		msg, _, _ := strings.Cut(row.Msg, " at ") // the place in the program
		fmt.Println(row.Code, msg, row.Row)
	}
	var p *engine.PanicError
	if errors.As(start(`CREATE TABLE ticks (n BIGINT) WITH ('connector' = 'ticks'); SELECT n FROM ticks`), &p) {
		fmt.Println(p.Func, p.Value)
	}
	// Output:
	// SD6011 INITIAL panicked: runtime error: slice bounds out of range [:1] with length 0 []
	// source "ticks" no such file
}
