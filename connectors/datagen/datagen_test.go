package datagen

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
)

func f(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }

func def(s *batch.Schema, opts ...string) *connectors.TableDef {
	o := &connectors.Options{}
	for i := 0; i < len(opts); i += 2 {
		o.List = append(o.List, connectors.Option{Key: opts[i], Value: opts[i+1]})
	}
	return &connectors.TableDef{Name: "t", Schema: s, Options: o}
}

var wide = batch.NewSchema(
	f("b", batch.TypeBool), f("i", batch.TypeInt), f("l", batch.TypeBigInt), f("d", batch.TypeDouble), f("dec", batch.DecimalOf(6, 2)), f("big", batch.DecimalOf(38, 4)),
	f("c", batch.Type{SQL: batch.Char, P: 4}), f("s", batch.TypeString), f("by", batch.TypeBytes), f("seq", batch.TypeBigInt), f("sseq", batch.TypeString),
	f("r", batch.Type{SQL: batch.RowType, Fields: []batch.Field{f("x", batch.Type{SQL: batch.TinyInt}), f("y", batch.ArrayOf(batch.TypeInt))}}),
	f("m", batch.MapOf(batch.TypeString, batch.TypeInt)), f("ms", batch.MultisetOf(batch.TypeInt)), f("iv", batch.Type{SQL: batch.IntervalDay}), f("n", batch.TypeInt))

var wideOpts = []string{"number-of-rows", "500", "rows-per-second", "1000000", "splits", "2",
	"fields.i.min", "-3", "fields.i.max", "3", "fields.d.min", "-1", "fields.d.max", "1.5", "fields.dec.max", "9.99", "fields.dec.min", "0", "fields.s.length", "6", "fields.s.var-len", "true",
	"fields.by.length", "3", "fields.seq.kind", "sequence", "fields.seq.start", "10", "fields.seq.end", "1000", "fields.sseq.kind", "sequence", "fields.sseq.start", "1", "fields.sseq.end", "600",
	"fields.r.x.max", "5", "fields.r.x.min", "5", "fields.r.y.length", "2", "fields.m.length", "2", "fields.m.key.length", "1", "fields.ms.element.max", "2", "fields.ms.element.min", "0", "fields.n.null-rate", "0.5"}

func TestConformance(t *testing.T) {
	conntest.Source(t, conntest.SourceCase{Schema: wide, Open: func(t testing.TB) connectors.Source {
		s, err := newSource(def(wide, wideOpts...))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}

func TestValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newSource(def(wide, wideOpts...))
		if err != nil {
			t.Fatal(err)
		}
		s.options.Splits = 1
		r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, connectors.Want{})
		defer r.Close()
		time.Sleep(time.Second)
		synctest.Wait()
		b := batch.New(wide, 0)
		if _, done, _ := r.Read(&connectors.Dst{Batch: b}, 10_000); !done || b.N != 500 {
			t.Fatalf("%d rows, done %v", b.N, done)
		}
		nulls, trues, ints := 0, 0, map[int64]int{}
		for i := range b.N {
			c := b.Cols
			if c[0].B[i] {
				trues++
			}
			ints[c[1].I[i]]++
			if x := c[3].F[i]; x < -1 || x > 1.5 {
				t.Errorf("DOUBLE %g", x)
			}
			if x := c[4].I[i]; x < 0 || x > 999 {
				t.Errorf("DECIMAL %d", x)
			}
			if x := c[5].Wide128(i); x.Cmp(batch.Pow10[38]) >= 0 || x.Cmp(batch.Pow10[38].Neg()) <= 0 {
				t.Errorf("DECIMAL(38) %v", x)
			}
			if len(c[6].Bytes(i)) != 4 || len(c[7].Bytes(i)) < 1 || len(c[7].Bytes(i)) > 6 || len(c[8].Bytes(i)) != 3 {
				t.Errorf("lengths %q %q %q", c[6].Bytes(i), c[7].Bytes(i), c[8].Bytes(i))
			}
			if c[9].I[i] != int64(10+i) || string(c[10].Bytes(i)) != fmt.Sprint(1+i) {
				t.Errorf("sequences %d %s in row %d", c[9].I[i], c[10].Bytes(i), i)
			}
			if from, to := c[11].Child[1].Span(i); c[11].Child[0].I[i] != 5 || to-from != 2 {
				t.Errorf("ROW %d, %d elements", c[11].Child[0].I[i], to-from)
			}
			if c[15].IsNull(i) {
				nulls++
			}
		}
		if nulls < 200 || nulls > 300 || trues < 200 || trues > 300 || len(ints) != 7 {
			t.Errorf("%d nulls, %d trues, integers %v", nulls, trues, ints)
		}
	})
}

func TestRateAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		schema := batch.NewSchema(f("ts", batch.TypeTS3), f("d", batch.TypeDate))
		s, err := newSource(def(schema, "rows-per-second", "100", "fields.ts.max-past", "1 h"))
		if err != nil {
			t.Fatal(err)
		}
		if i := s.Info(); i.Bounded || !i.Generator {
			t.Errorf("%+v", i)
		}
		r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, connectors.Want{})
		defer r.Close()
		time.Sleep(2*time.Second + 1)
		synctest.Wait()
		b := batch.New(schema, 0)
		more, done, _ := r.Read(&connectors.Dst{Batch: b}, 10_000)
		if b.N != 201 || more || done {
			t.Fatalf("%d rows, more %v, done %v", b.N, more, done)
		}
		if n := b.N; r.Lag() != 0 {
			t.Errorf("lag %d", r.Lag())
		} else if _, _, _ = r.Read(&connectors.Dst{Batch: b}, 10); b.N != n {
			t.Error("rows before their time")
		}
		now, seen := time.Now().UnixMicro(), map[int64]bool{}
		for _, ts := range b.Cols[0].I {
			seen[ts] = true
			if ts > now || ts < now-3600_000_000-1000 {
				t.Errorf("timestamp %d, now is %d", ts, now)
			}
		}
		if len(seen) < 190 || b.Cols[1].I[0] != now/batch.Day {
			t.Errorf("%d timestamps, date %d", len(seen), b.Cols[1].I[0])
		}
	})
}

func TestOptionErrors(t *testing.T) {
	s := batch.NewSchema(f("a", batch.TypeInt), f("s", batch.TypeString), f("b", batch.TypeBool))
	for _, x := range []struct{ opts, key string }{
		{"rows-per-second=0", "rows-per-second"}, {"number-of-rows=-2", "number-of-rows"}, {"splits=0", "splits"},
		{"fields.x.kind=random", "fields.x.kind"}, {"fields.a.knd=random", "fields.a.knd"}, {"fields.a.kind=walk", "fields.a.kind"},
		{"fields.a.min=x", "fields.a.min"}, {"fields.a.max=3000000000", "fields.a.max"}, {"fields.a.min=5,fields.a.max=4", "fields.a.min"},
		{"fields.a.kind=sequence", "fields.a.start"}, {"fields.a.kind=sequence,fields.a.start=5,fields.a.end=1", "fields.a.end"},
		{"fields.b.kind=sequence,fields.b.start=1,fields.b.end=2", "fields.b.kind"}, {"fields.a.null-rate=2", "fields.a.null-rate"}, {"fields.s.length=-1", "fields.s.length"},
	} {
		var opts []string
		for _, o := range strings.Split(x.opts, ",") {
			k, v, _ := strings.Cut(o, "=")
			opts = append(opts, k, v)
		}
		_, err := newSource(def(s, opts...))
		if list, ok := connectors.IsOptionError(err); !ok || list[0].Key != x.key {
			t.Errorf("%s: %v", x.opts, err)
		}
	}
}
