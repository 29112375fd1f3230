// Bookings is a program with streamd inside: the desk of four hotels.
//
//	go run ./examples/bookings
//
// Bookings and cancellations come in from a Go function, one every few
// milliseconds. A pipeline of SQL, bookings.sql, keeps three things up to date and
// hands them to Go functions: how many rooms each hotel has left, what a room costs
// after a minute in which many people booked (one of the stream's minutes: its clock
// runs faster than ours), and whom to warn because a hotel is nearly full. The
// query calls the program's own functions rooms and price like any others. There
// is no server, no broker and no file, unless it is told to keep its state:
//
//	go run ./examples/bookings -state /tmp/desk
//
// Ctrl-C ends it between two bookings, and the same command goes on where it
// stopped: the position in the stream and the counts are one epoch.
//
// hotels.go has the source and the functions, board.go the sinks; the rest is here.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/streamd/streamd/engine"
)

//go:embed bookings.sql
var pipeline string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is the program; it ends when all bookings are taken, or ctx is.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bookings", flag.ContinueOnError)
	n := flags.Int64("n", 400, "`number` of bookings")
	pace := flags.Duration("pace", 10*time.Millisecond, "`time` from one booking to the next")
	state := flags.String("state", "", "`directory` that keeps the state; without it every run begins anew")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := engine.Open(ctx, engine.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	b := &board{out: out, left: map[string]int64{}}
	if err := register(e, b, *n, *pace); err != nil {
		return err
	}
	plan, diags := e.Compile("bookings.sql", pipeline, engine.CompileOptions{})
	if plan == nil {
		return engine.Mistakes("bookings.sql", pipeline, diags)
	}
	job, err := e.Start(ctx, "bookings", plan, engine.JobOptions{StateDir: *state})
	if err != nil {
		return err
	}
	if err := job.Wait(context.Background()); err != nil { // ctx ends the job, not the wait for it
		return err
	}
	b.sum()
	return nil
}

// register gives the engine what bookings.sql names.
func register(e *engine.Engine, b *board, n int64, pace time.Duration) error {
	return errors.Join(
		engine.RegisterFunc(e, "rooms", rooms),
		engine.RegisterFunc(e, "price", price, engine.Types("STRING", "BIGINT", "DECIMAL(10, 2)")),
		engine.RegisterSource(e, "bookings", engine.Source[Booking]{Read: take(n, pace), Bounded: true}),
		engine.RegisterSink(e, "availability", b.availability),
		engine.RegisterSink(e, "prices", b.prices),
		engine.RegisterSink(e, "notifications", b.notifications),
	)
}
