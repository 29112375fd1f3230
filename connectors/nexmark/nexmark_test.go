package nexmark

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
)

func field(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }

func fullSchema() *batch.Schema {
	row := func(kind int) batch.Type {
		t := batch.Type{SQL: batch.RowType}
		for i, name := range rows[kind].fields {
			l := rows[kind].first + leaf(i)
			ft := batch.TypeBigInt
			if l.isTime() {
				ft = batch.TypeTS3
			} else if l.isText() {
				ft = batch.TypeString
			}
			t.Fields = append(t.Fields, field(name, ft))
		}
		return t
	}
	return batch.NewSchema(field("event_type", batch.TypeInt), field("person", row(person)), field("auction", row(auction)), field("bid", row(bid)))
}

func table(t testing.TB, opts ...string) *source {
	t.Helper()
	o := &connectors.Options{}
	for i := 0; i < len(opts); i += 2 {
		o.List = append(o.List, connectors.Option{Key: opts[i], Value: opts[i+1]})
	}
	s, err := newSource(&connectors.TableDef{Name: "nexmark", Schema: fullSchema(), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns events as text, one line each, read in portions of size rows.
func read(t testing.TB, s *source, size int, from map[string][]byte, limit int) []string {
	t.Helper()
	splits, _ := s.Splits(context.Background())
	var lines []string
	for _, x := range splits {
		r, err := s.Open(context.Background(), x, from[x.ID], nil, connectors.Want{})
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < limit; {
			dst := &connectors.Dst{Batch: batch.New(fullSchema(), 0)}
			_, done, err := r.Read(dst, min(size, limit-n))
			if err != nil {
				t.Fatal(err)
			}
			n += dst.Batch.N
			lines = append(lines, text(dst.Batch)...)
			if done {
				break
			}
		}
		if from != nil {
			from[x.ID] = r.Position()
		}
		_ = r.Close()
	}
	return lines
}

func text(b *batch.Batch) []string {
	var out []string
	for i := range b.N {
		var d []byte
		for c := range b.Cols {
			d = append(b.Cols[c].AppendText(d, i, b.Schema.Fields[c].Type), '|')
		}
		out = append(out, string(d))
	}
	return out
}

func TestFirstEventsByHand(t *testing.T) {
	lines := read(t, table(t, "number-of-rows", "60"), 7, nil, 100)
	if len(lines) != 60 {
		t.Fatalf("%d events, want 60", len(lines))
	}
	// 10,000 events a second: event n is n/10 ms after the base.
	for n, want := range map[int][]string{
		0:  {"0|(1000, ", "2015-07-15T00:00:00, ", "|NULL|NULL|"},
		1:  {"1|NULL|(1000, "},
		3:  {"1|NULL|(1002, "},
		4:  {"2|NULL|NULL|(", "2015-07-15T00:00:00, "},
		10: {"2|NULL|NULL|(", "2015-07-15T00:00:00.001, "},
		49: {"2|NULL|NULL|(", "2015-07-15T00:00:00.004, "},
		50: {"0|(1001, ", "2015-07-15T00:00:00.005, "},
		51: {"1|NULL|(1003, "},
	} {
		for _, w := range want {
			if !strings.Contains(lines[n], w) {
				t.Errorf("event %d is %s, wants %q in it", n, lines[n], w)
			}
		}
	}
}

// slow computes the numbers of one event from the draws, by the benchmark's
// definition and without any of the generator's shortcuts.
func slow(n int64, d draws) (kind int, id, who, money int64) {
	epoch, off := n/50, n%50
	u := func(j int) uint64 { return d.u64(uint64(n)*16 + uint64(j)) }
	money = func(x uint64) int64 {
		return int64(math.Round(math.Pow(10, float64(x>>44)/(1<<20)*6) * 100))
	}(u(2))
	choose := func(x uint64, of int64) int64 { return int64(float64(x>>32) * float64(of) / (1 << 32)) }
	lastPerson, lastAuction := epoch, epoch*3+2
	switch {
	case off == 0:
		return person, epoch + 1000, 0, 0
	case off < 4:
		return auction, epoch*3 + off - 1 + 1000, 0, 0
	}
	id = lastAuction - lastAuction%100
	if x := u(0); x%65536/32768 == 0 {
		first := lastAuction - 100
		if first < 0 {
			first = 0
		}
		id = first + choose(x, lastAuction-first+11)
	}
	who = lastPerson - lastPerson%100 + 1
	if x := u(1); x%65536/16384 == 0 {
		people := lastPerson + 1
		active := people
		if active > 1000 {
			active = 1000
		}
		who = people - active + choose(x, active+10)
	}
	return bid, id + 1000, who + 2000, money
}

func TestAgainstSlowTwin(t *testing.T) {
	s := table(t, "number-of-rows", "200000")
	r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, connectors.Want{})
	dst := &connectors.Dst{Batch: batch.New(fullSchema(), 0)}
	n := int64(0)
	for done := false; !done; {
		dst.Batch.Reset()
		_, done, _ = r.Read(dst, 3000)
		b := dst.Batch
		for i := range b.N {
			kind, id, who, money := slow(n, draws{})
			if int(b.Cols[0].I[i]) != kind || b.Cols[1+kind].IsNull(i) || b.Cols[1+(kind+1)%3].IsNull(i) == false {
				t.Fatalf("event %d: kind %d or nulls are wrong", n, b.Cols[0].I[i])
			}
			v := b.Cols[1+kind].Child
			if v[0].I[i] != id {
				t.Fatalf("event %d: id %d, want %d", n, v[0].I[i], id)
			}
			if kind == bid && (v[1].I[i] != who || v[2].I[i]-money > 1 || money-v[2].I[i] > 1) {
				t.Fatalf("bid %d: %d for %d, want %d for %d", n, v[1].I[i], v[2].I[i], who, money)
			}
			n++
		}
	}
	if n != 200000 {
		t.Fatalf("%d events", n)
	}
}

func TestProportionsAndSizes(t *testing.T) {
	s := table(t, "number-of-rows", "100000")
	b := batch.New(fullSchema(), 0)
	r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, connectors.Want{})
	if _, done, _ := r.Read(&connectors.Dst{Batch: b}, 100000); !done || b.N != 100000 {
		t.Fatalf("%d rows, done %v", b.N, done)
	}
	count := [3]int{}
	hotChannel, bytes, items := 0, 0, map[string]bool{}
	for i := range b.N {
		k := b.Cols[0].I[i]
		count[k]++
		switch k {
		case bid:
			c := b.Cols[3].Child
			if name := string(c[3].Bytes(i)); !strings.HasPrefix(name, "channel-") {
				hotChannel++
			}
			if !strings.HasPrefix(string(c[4].Bytes(i)), "https://www.nexmark.com/") {
				t.Fatalf("url %q", c[4].Bytes(i))
			}
			bytes += len(c[6].Bytes(i))
		case auction:
			c := b.Cols[2].Child
			item := string(c[1].Bytes(i))
			items[item] = true
			if len(item) > 19 || strings.TrimSpace(item) != item || c[6].I[i] <= c[5].I[i] || c[4].I[i] <= c[3].I[i] {
				t.Fatalf("auction %s", text(b)[i])
			}
		case person:
			card := string(b.Cols[1].Child[3].Bytes(i))
			var a, bb, cc, d int
			if n, err := fmt.Sscanf(card, "%4d %4d %4d %4d", &a, &bb, &cc, &d); n != 4 || err != nil || len(card) != 19 {
				t.Fatalf("card %q", card)
			}
		}
	}
	if count != [3]int{2000, 6000, 92000} {
		t.Errorf("persons, auctions, bids: %v", count)
	}
	if share := float64(hotChannel) / 92000; share < 0.49 || share > 0.51 {
		t.Errorf("%.3f of the bids are on hot channels", share)
	}
	if avg := float64(bytes) / 92000; avg < 66 || avg > 69 {
		t.Errorf("an extra has %.1f bytes", avg)
	}
	if len(items) < 5000 {
		t.Errorf("only %d names of items", len(items))
	}
}

func TestSplitsTogetherAreTheStream(t *testing.T) {
	whole := read(t, table(t, "number-of-rows", "1003"), 100, nil, 5000)
	for _, n := range []int{2, 3, 7, 60} {
		parts := read(t, table(t, "number-of-rows", "1003", "splits", fmt.Sprint(n)), 13, nil, 5000)
		got := make([]string, 0, len(whole))
		at := 0
		for i := range n {
			size := (1003 - i + n - 1) / n
			for k := range size {
				if want := whole[i+k*n]; parts[at+k] != want {
					t.Fatalf("split %d of %d, row %d: %s, want %s", i, n, k, parts[at+k], want)
				}
			}
			at += size
			got = append(got, parts[:0]...)
		}
		if at != len(parts) {
			t.Fatalf("%d splits: %d rows, want %d", n, len(parts), at)
		}
		_ = got
	}
}

func TestPositionResumes(t *testing.T) {
	whole := read(t, table(t, "number-of-rows", "500", "splits", "2"), 500, nil, 250)
	pos := map[string][]byte{}
	a := read(t, table(t, "number-of-rows", "500", "splits", "2"), 10, pos, 77)
	b := read(t, table(t, "number-of-rows", "500", "splits", "2"), 10, pos, 500)
	got := append(append(append(append([]string{}, a[:77]...), b[:173]...), a[77:]...), b[173:]...)
	if strings.Join(got, "\n") != strings.Join(whole, "\n") {
		t.Fatal("the rows before and after a resume are not the whole")
	}
}

func TestPrunedColumns(t *testing.T) {
	s := table(t, "number-of-rows", "3000")
	full, part := batch.New(fullSchema(), 0), batch.New(fullSchema(), 0)
	for _, x := range []struct {
		b    *batch.Batch
		want connectors.Want
	}{{full, connectors.Want{}}, {part, connectors.Want{Cols: []bool{false, false, true, true}, Fields: map[int][]bool{3: {true, false, true, false, true}}}}} {
		r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, x.want)
		for done := false; !done; {
			_, done, _ = r.Read(&connectors.Dst{Batch: x.b}, 700)
		}
	}
	for i := range full.N {
		for c := range full.Cols {
			if part.Cols[c].Len() != full.N {
				t.Fatalf("column %d has %d rows", c, part.Cols[c].Len())
			}
		}
		if !batch.EqualAt(&full.Cols[2], i, &part.Cols[2], i) {
			t.Fatalf("auction %d differs", i)
		}
		for _, f := range []int{0, 2, 4} {
			if !batch.EqualAt(&full.Cols[3].Child[f], i, &part.Cols[3].Child[f], i) {
				t.Fatalf("field %d of bid %d differs", f, i)
			}
		}
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := table(t, "first-event.rate", "1000", "rate.limited", "true")
		woken := 0
		s.SetWake(func() { woken++ })
		r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, connectors.Want{})
		defer r.Close()
		time.Sleep(500*time.Millisecond + 1)
		synctest.Wait()
		dst := &connectors.Dst{Batch: batch.New(fullSchema(), 0)}
		more, done, _ := r.Read(dst, 10000)
		if dst.Batch.N != 501 || more || done || woken == 0 {
			t.Fatalf("after 0.5 s: %d rows, more %v, done %v, woken %d times", dst.Batch.N, more, done, woken)
		}
	})
}

func TestOptionErrors(t *testing.T) {
	for _, x := range [][2]string{{"number-of-rows", "x"}, {"number-of-rows", "-1"}, {"first-event.rate", "0"}, {"bid.proportion", "-1"},
		{"base-time", "soon"}, {"splits", "0"}, {"bid.hot-ratio.auctions", "0"}} {
		_, err := newSource(&connectors.TableDef{Schema: fullSchema(), Options: &connectors.Options{List: []connectors.Option{{Key: x[0], Value: x[1]}}}})
		if _, ok := connectors.IsOptionError(err); !ok {
			t.Errorf("%s = %q: %v", x[0], x[1], err)
		}
	}
	_, err := newSource(&connectors.TableDef{Schema: batch.NewSchema(field("event_type", batch.TypeString), field("bit", batch.TypeInt)), Options: &connectors.Options{}})
	if errs, _ := connectors.IsOptionError(err); len(errs) != 2 {
		t.Errorf("columns: %v", err)
	}
}

func TestOtherProportions(t *testing.T) {
	for _, opts := range [][]string{{"person.proportion", "0", "auction.proportion", "0", "bid.proportion", "1"}, {"bid.proportion", "0"},
		{"auction.proportion", "0"}, {"person.proportion", "0"}, {"person.proportion", "3", "auction.proportion", "1", "bid.proportion", "1"}} {
		lines := read(t, table(t, append(opts, "number-of-rows", "2000")...), 333, nil, 3000)
		if len(lines) != 2000 {
			t.Errorf("%v: %d rows", opts, len(lines))
		}
	}
}

// BenchmarkGenerator is G, the generator alone, by what is read.
func BenchmarkGenerator(b *testing.B) {
	cols := func(fields ...bool) connectors.Want {
		return connectors.Want{Cols: []bool{true, false, false, true}, Fields: map[int][]bool{3: fields}}
	}
	for _, x := range []struct {
		name string
		want connectors.Want
	}{
		{"bid-ints", cols(true, true, true, false, false, true, false)},
		{"bid-full", cols(true, true, true, true, true, true, true)},
		{"all", connectors.Want{}},
	} {
		b.Run(x.name, func(b *testing.B) {
			s := table(b)
			r, _ := s.Open(context.Background(), connectors.Split{ID: "0/1"}, nil, nil, x.want)
			dst := &connectors.Dst{Batch: batch.New(fullSchema(), 4096)}
			for n := 0; n < b.N; n += 4096 {
				dst.Batch.Reset()
				_, _, _ = r.Read(dst, 4096)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
		})
	}
}

func TestConformance(t *testing.T) {
	conntest.Source(t, conntest.SourceCase{Schema: fullSchema(), Open: func(t testing.TB) connectors.Source {
		return table(t, "number-of-rows", "1234", "splits", "3")
	}})
}
