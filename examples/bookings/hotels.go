package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Booking is a row of the table bookings.
type Booking struct {
	ID        int64
	Hotel     string
	Cancelled bool
	TS        time.Time
}

// hotel is what the program knows of a hotel, beside the stream.
type hotel struct {
	name  string
	rooms int64
	cents int64 // for a night when nobody else books
}

var hotels = []hotel{{"Riva", 57, 9900}, {"Alpina", 60, 12000}, {"Zur Post", 69, 6500}, {"Bellevue", 62, 21000}}

func hotelOf(name string) (hotel, error) {
	for _, h := range hotels {
		if h.name == name {
			return h, nil
		}
	}
	return hotel{}, fmt.Errorf("there is no hotel %q", name)
}

// rooms is the SQL function rooms(hotel).
func rooms(name string) (int64, error) {
	h, err := hotelOf(name)
	return h.rooms, err
}

// price is the SQL function price(hotel, bookings): a twentieth more for each
// booking within a minute, as a DECIMAL.
func price(name string, bookings int64) (string, error) {
	h, err := hotelOf(name)
	cents := h.cents + h.cents*bookings/20
	return fmt.Sprintf("%d.%02d", cents/100, cents%100), err
}

// opening is when the first booking comes; another one follows every three seconds.
var opening = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// booking makes the n-th booking, from 0: always the same one. Every fifth cancels
// the one that came four before it.
func booking(n int64) Booking {
	b := Booking{ID: n, TS: opening.Add(time.Duration(n) * 3 * time.Second)}
	if n%5 == 4 {
		b.Cancelled = true
		n -= 4
	}
	b.Hotel = hotels[rand.New(rand.NewPCG(7, uint64(n))).IntN(len(hotels))].name
	return b
}

// take is the source: it gives the first n bookings at a pace, from a position on,
// which is the number of the next one.
func take(n int64, pace time.Duration) func(context.Context, string, func(Booking, string) error) error {
	return func(ctx context.Context, from string, emit func(Booking, string) error) error {
		next, err := strconv.ParseInt("0"+from, 10, 64)
		if err != nil {
			return err
		}
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for ; next < n; next++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := emit(booking(next), strconv.FormatInt(next+1, 10)); err != nil {
				return err
			}
		}
		return nil
	}
}
