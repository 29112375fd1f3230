package windows

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the zones also where the machine has no database of them
)

const sec = int64(1e6)

// allWindows is the dumb twin: every window, tried one by one, that holds ts.
func allWindows(s Spec, ts int64) (out [][2]int64) {
	switch s.Kind {
	case Tumble, Hop:
		slide := s.Slide
		if s.Kind == Tumble {
			slide = s.Size
		}
		for k := ts/slide - 50; k < ts/slide+50; k++ {
			if a := k*slide + s.Offset; a <= ts && ts < a+s.Size {
				out = append(out, [2]int64{a, a + s.Size})
			}
		}
	case Cumulate:
		for k := ts/s.Size - 3; k < ts/s.Size+3; k++ {
			a := k*s.Size + s.Offset
			for e := a + s.Slide; e <= a+s.Size; e += s.Slide {
				if a <= ts && ts < e {
					out = append(out, [2]int64{a, e})
				}
			}
		}
	}
	return out
}

func TestRowsAgreeWithTwin(t *testing.T) {
	specs := []Spec{
		{Kind: Tumble, Size: 10 * sec}, {Kind: Tumble, Size: 10 * sec, Offset: 2 * sec}, {Kind: Tumble, Size: 10 * sec, Offset: -2 * sec},
		{Kind: Hop, Size: 10 * sec, Slide: 5 * sec}, {Kind: Hop, Size: 10 * sec, Slide: 4 * sec}, {Kind: Hop, Size: 10 * sec, Slide: 3 * sec, Offset: sec},
		{Kind: Hop, Size: 4 * sec, Slide: 10 * sec},
		{Kind: Cumulate, Size: 15 * sec, Slide: 5 * sec}, {Kind: Cumulate, Size: 15 * sec, Slide: 5 * sec, Offset: 3 * sec},
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range specs {
		c := NewClock(s)
		for range 500 {
			ts := r.Int64N(200*sec) - 100*sec
			rows, start, end := s.Rows(c, []int64{ts}, []int32{0}, nil, nil, nil)
			want := allWindows(s, ts)
			if len(rows) != len(want) {
				t.Fatalf("%v at %d: %d windows, want %d", s, ts, len(rows), len(want))
			}
			for k, w := range want {
				if start[k] != w[0] || end[k] != w[1] {
					t.Fatalf("%v at %d: [%d,%d), want %v", s, ts, start[k], end[k], w)
				}
			}
			pane := []int64{0}
			s.Panes(c, []int64{ts}, []int32{0}, pane)
			if len(want) > 0 && s.LastEnd(pane[0]) != want[len(want)-1][1] {
				t.Fatalf("%v at %d: last end %d, want %d", s, ts, s.LastEnd(pane[0]), want[len(want)-1][1])
			}
		}
	}
}

// Fact W12.
func TestFloorBeforeEpoch(t *testing.T) {
	s := Spec{Kind: Tumble, Size: 10 * sec}
	if got := s.Floor(-5*sec, s.Size); got != -10*sec {
		t.Fatalf("floor = %d", got)
	}
}

// Facts W15, W17: the repeated hour is one window of two hours.
func TestZones(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClock(Spec{Zone: la})
	at := func(s string) int64 {
		x, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixMicro()
	}
	for _, x := range []struct{ local, instant string }{
		{"2024-11-03T01:00", "2024-11-03T08:00"}, {"2024-11-03T01:30", "2024-11-03T09:30"}, {"2024-11-03T02:00", "2024-11-03T10:00"},
		{"2024-11-02T12:00", "2024-11-02T19:00"}, {"2024-11-04T00:00", "2024-11-04T08:00"},
		{"2024-03-10T02:00", "2024-03-10T10:00"}, {"2024-03-10T02:30", "2024-03-10T10:00"}, {"2024-03-10T03:30", "2024-03-10T10:30"},
	} {
		if got := c.Instant(at(x.local)); got != at(x.instant) {
			t.Errorf("Instant(%s) = %s, want %s", x.local, time.UnixMicro(got).UTC(), x.instant)
		}
	}
	s := Spec{Kind: Tumble, Size: 3600 * sec, Zone: la}
	ts := []int64{at("2024-11-03T08:30"), at("2024-11-03T09:30"), at("2024-11-03T10:30")}
	out := make([]int64, 3)
	s.Panes(c, ts, []int32{0, 1, 2}, out)
	if out[0] != at("2024-11-03T01:00") || out[1] != out[0] || out[2] != at("2024-11-03T02:00") {
		t.Errorf("panes %v", out)
	}
}
