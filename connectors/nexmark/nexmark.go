package nexmark

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/internal/pace"
)

// Connector returns the connector 'nexmark'.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name: "nexmark", Doc: "generates the persons, auctions and bids of the NEXMark benchmark", Keys: keys,
		Source: func(def *connectors.TableDef) (connectors.Source, error) { return newSource(def) },
	}
}

// source deals the event numbers out: split i of n has numbers i, i+n, ….
type source struct {
	set  *settings
	cols []column
	n    int64
	wake func()
}

func newSource(def *connectors.TableDef) (*source, error) {
	set, err := decode(def.Options)
	if err != nil {
		return nil, err
	}
	cols, err := layoutOf(def)
	if err != nil {
		return nil, err
	}
	return &source{set: set, cols: cols, n: max(set.splits, 1)}, nil
}

// SetWake implements connectors.Waker.
func (s *source) SetWake(f func()) { s.wake = f }

// Spread implements connectors.Spreader.
func (s *source) Spread(workers int, saved []string) {
	if len(saved) > 0 {
		if _, n, err := parseSplit(saved[0]); err == nil {
			s.n = n
		}
	} else if s.set.splits == 0 {
		s.n = int64(max(workers, 1))
	}
}

func (s *source) Info() connectors.SourceInfo {
	x := s.set
	return connectors.SourceInfo{
		Identity: fmt.Sprintf("nexmark rate=%d base=%d proportions=%d:%d:%d hot=%d:%d:%d sizes=%d:%d:%d seed=%d",
			x.FirstRate, x.baseMs, x.Persons, x.Auctions, x.Bids, x.HotAuctions, x.HotBidders, x.HotSellers, x.PersonSize, x.AuctionSize, x.BidSize, x.Seed),
		Bounded:   x.end >= 0 && !x.KeepAlive,
		Generator: true,
	}
}

func splitID(i, n int64) string { return fmt.Sprintf("%d/%d", i, n) }

func parseSplit(id string) (i, n int64, err error) {
	a, b, ok := strings.Cut(id, "/")
	i, err1 := strconv.ParseInt(a, 10, 64)
	n, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("nexmark has no split %q", id)
	}
	return i, n, nil
}

func (s *source) Splits(context.Context) ([]connectors.Split, error) {
	out := make([]connectors.Split, s.n)
	for i := range out {
		out[i].ID = splitID(int64(i), s.n)
	}
	return out, nil
}

// A position is the number of the next event, big endian.
func position(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func parsePosition(pos []byte, i, n int64) (int64, error) {
	if len(pos) == 8 {
		if x := int64(binary.BigEndian.Uint64(pos)); x >= i && x%n == i {
			return x, nil
		}
	}
	return 0, fmt.Errorf("%x is no position of nexmark split %d of %d", pos, i, n)
}

func (s *source) Ends(_ context.Context, splits []connectors.Split) (map[string][]byte, error) {
	ends := map[string][]byte{}
	for _, x := range splits {
		i, n, err := parseSplit(x.ID)
		if err != nil {
			return nil, err
		}
		if s.set.end >= 0 {
			ends[x.ID] = position(firstFrom(s.set.end, i, n))
		}
	}
	return ends, nil
}

// firstFrom returns the least number of split i of n that is at least end.
func firstFrom(end, i, n int64) int64 {
	if end <= i {
		return i
	}
	return i + (end-i+n-1)/n*n
}

func (s *source) Check(_ context.Context, split connectors.Split, pos []byte) error {
	i, n, err := parseSplit(split.ID)
	if err != nil {
		return err
	}
	_, err = parsePosition(pos, i, n)
	return err
}

func (s *source) Open(_ context.Context, split connectors.Split, from, until []byte, want connectors.Want) (connectors.Reader, error) {
	i, n, err := parseSplit(split.ID)
	if err != nil {
		return nil, err
	}
	r := &reader{gen: newGenerator(s.set, s.cols, want), split: split.ID, next: i, stride: n, end: math.MaxInt64 / 2, ends: !s.set.KeepAlive, want: want}
	if s.set.end >= 0 {
		r.end = s.set.end
	}
	if from != nil {
		if r.next, err = parsePosition(from, i, n); err != nil {
			return nil, err
		}
	}
	if until != nil {
		e, err := parsePosition(until, i, n)
		if err != nil {
			return nil, err
		}
		r.end, r.ends = min(r.end, e), true
	}
	if s.set.Limited || !s.set.MaxSpeed {
		r.pace = pace.Start(float64(s.set.FirstRate)/float64(n), s.wake)
	}
	return r, nil
}

func (s *source) Close() error { return nil }

type reader struct {
	gen          *generator
	split        string
	next, stride int64
	end          int64
	ends         bool // done after the last event
	want         connectors.Want
	pace         *pace.Pace
	given        int64 // rows since Open
}

func (r *reader) Read(dst *connectors.Dst, limit int) (more, done bool, err error) {
	left := max((r.end-r.next+r.stride-1)/r.stride, 0)
	ready := min(left, max(r.pace.Allowed()-r.given, 0))
	b := dst.Batch
	hidden := connectors.HiddenOf(b.Schema, r.want)
	for n := min(ready, int64(limit)); n > 0; {
		m := int(min(n, chunk))
		r.gen.fill(b, r.next, r.stride, m)
		for k := range m {
			if hidden.WantsPos() || r.want.Raw {
				hidden.Append(b, fmt.Appendf(nil, "nexmark/%s/%d", r.split, r.next+int64(k)*r.stride), nil)
			}
			if b.W != nil {
				b.W = append(b.W, 1)
			}
		}
		b.N += m
		r.next += int64(m) * r.stride
		r.given += int64(m)
		ready -= int64(m)
		left -= int64(m)
		n -= int64(m)
	}
	return ready > 0, left == 0 && r.ends, nil
}

func (r *reader) Position() []byte { return position(r.next) }

func (r *reader) Lag() int64 {
	if r.pace == nil {
		return -1
	}
	return max(r.pace.Allowed()-r.given, 0)
}

func (r *reader) Close() error {
	r.pace.Close()
	return nil
}
