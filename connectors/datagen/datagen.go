package datagen

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/internal/pace"
)

// Connector returns the connector 'datagen'.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name: "datagen", Doc: "makes random or sequential rows", Keys: keys,
		Source: func(def *connectors.TableDef) (connectors.Source, error) { return newSource(def) },
	}
}

// source deals the row numbers out: split i of n has rows i, i+n, ….
type source struct {
	*options
	fields []field
	id     string
	wake   func()
}

func newSource(def *connectors.TableDef) (*source, error) {
	o, fields, err := decode(def)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("datagen seed=%d", o.Seed)
	for _, x := range def.Options.Family("fields.") {
		id += fmt.Sprintf(" %s=%q", x.Key, x.Value)
	}
	return &source{options: o, fields: fields, id: id}, nil
}

// SetWake implements connectors.Waker.
func (s *source) SetWake(f func()) { s.wake = f }

func (s *source) Info() connectors.SourceInfo {
	return connectors.SourceInfo{Identity: s.id, Bounded: s.Rows >= 0, Generator: true}
}

func (s *source) Splits(context.Context) ([]connectors.Split, error) {
	out := make([]connectors.Split, s.options.Splits)
	for i := range out {
		out[i].ID = fmt.Sprintf("%d/%d", i, len(out))
	}
	return out, nil
}

func parseSplit(id string) (i, n int64, err error) {
	a, b, ok := strings.Cut(id, "/")
	i, err1 := strconv.ParseInt(a, 10, 64)
	n, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("datagen has no split %q", id)
	}
	return i, n, nil
}

// A position is the number of the next row, big endian.
func position(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func parsePosition(pos []byte, i, n int64) (int64, error) {
	if len(pos) == 8 {
		if x := int64(binary.BigEndian.Uint64(pos)); x >= i && x%n == i {
			return x, nil
		}
	}
	return 0, fmt.Errorf("%x is no position of datagen split %d of %d", pos, i, n)
}

func (s *source) Ends(_ context.Context, splits []connectors.Split) (map[string][]byte, error) {
	ends := map[string][]byte{}
	for _, x := range splits {
		i, n, err := parseSplit(x.ID)
		if err != nil {
			return nil, err
		}
		if s.Rows > i {
			ends[x.ID] = position(i + (s.Rows-i+n-1)/n*n)
		}
	}
	return ends, nil
}

func (s *source) Check(_ context.Context, split connectors.Split, pos []byte) error {
	i, n, err := parseSplit(split.ID)
	if err == nil {
		_, err = parsePosition(pos, i, n)
	}
	return err
}

func (s *source) Open(_ context.Context, split connectors.Split, from, until []byte, want connectors.Want) (connectors.Reader, error) {
	i, n, err := parseSplit(split.ID)
	if err != nil {
		return nil, err
	}
	r := &reader{source: s, split: split.ID, next: i, stride: n, end: math.MaxInt64 / 2, want: want}
	if s.Rows >= 0 {
		r.end = s.Rows
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
		r.end = min(r.end, e)
	}
	r.pace = pace.Start(float64(s.PerSecond)/float64(n), s.wake)
	return r, nil
}

func (s *source) Close() error { return nil }

type reader struct {
	*source
	split             string
	next, stride, end int64
	want              connectors.Want
	pace              *pace.Pace
	given             int64 // rows since Open
}

func (r *reader) Read(dst *connectors.Dst, limit int) (more, done bool, err error) {
	left := max((r.end-r.next+r.stride-1)/r.stride, 0)
	ready := min(left, max(r.pace.Allowed()-r.given, 0))
	n := min(ready, int64(limit))
	b, now := dst.Batch, time.Now().UnixMicro()
	for c := range r.fields {
		if !r.want.Has(c) {
			continue
		}
		f, v := &r.fields[c], &b.Cols[c]
		for k := range n {
			row := r.next + k*r.stride
			f.append(v, b.N+int(k), row, uint64(row)^uint64(r.Seed)*0x9e3779b97f4a7c15, now)
		}
	}
	hidden := connectors.HiddenOf(b.Schema, r.want)
	for k := range n {
		if hidden.WantsPos() || r.want.Raw {
			hidden.Append(b, fmt.Appendf(nil, "datagen/%s/%d", r.split, r.next+k*r.stride), nil)
		}
		b.AddWeight(1)
	}
	connectors.Pad(b)
	r.next += n * r.stride
	r.given += n
	return ready > n, left == n, nil
}

func (r *reader) Position() []byte { return position(r.next) }

func (r *reader) Lag() int64 { return max(r.pace.Allowed()-r.given, 0) }

func (r *reader) Close() error {
	r.pace.Close()
	return nil
}
