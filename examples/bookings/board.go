package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine"
)

// Rooms is a row of availability and of notifications, Price one of prices.
type Rooms struct {
	Hotel     string
	RoomsLeft int64
}

type Price struct {
	Hotel    string
	At       time.Time
	Bookings int64
	Price    string // a DECIMAL
}

// board shows what the pipeline tells. The engine calls one sink at a time, and
// the program looks when the job has ended, so it needs no lock.
type board struct {
	out  io.Writer
	left map[string]int64
}

func (b *board) availability(_ context.Context, d engine.Delivery[Rooms]) error {
	for _, c := range d.Changes {
		b.left[c.Row.Hotel] = c.Row.RoomsLeft
	}
	return nil
}

func (b *board) prices(_ context.Context, d engine.Delivery[Price]) error {
	for _, c := range d.Changes {
		p := c.Row
		if _, err := fmt.Fprintf(b.out, "%s  %-8s %2d bookings a minute: a room is %s now\n", p.At.Format("15:04"), p.Hotel, p.Bookings, p.Price); err != nil {
			return err
		}
	}
	return nil
}

// notifications says what is new; that an older word holds no more needs none.
func (b *board) notifications(_ context.Context, d engine.Delivery[Rooms]) error {
	for _, c := range d.Changes {
		if c.Kind != connectors.Insert && c.Kind != connectors.UpdateAfter {
			continue
		}
		say := fmt.Sprintf("only %d rooms left", c.Row.RoomsLeft)
		switch {
		case c.Row.RoomsLeft == 1:
			say = "only one room left"
		case c.Row.RoomsLeft == 0:
			say = "full"
		case c.Row.RoomsLeft < 0:
			say = fmt.Sprintf("overbooked by %d", -c.Row.RoomsLeft)
		}
		if _, err := fmt.Fprintf(b.out, "       %-8s %s\n", c.Row.Hotel, say); err != nil {
			return err
		}
	}
	return nil
}

// sum writes how many rooms are left at the end.
func (b *board) sum() {
	fmt.Fprintln(b.out, "\nrooms left")
	for _, h := range hotels {
		if n, ok := b.left[h.name]; ok {
			fmt.Fprintf(b.out, "%-8s %3d of %d\n", h.name, n, h.rooms)
		}
	}
}
