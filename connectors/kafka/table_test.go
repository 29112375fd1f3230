package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/kafkatest"
)

// def builds a CREATE TABLE. A column is "name TYPE", "name TYPE meta:KEY", "name TYPE virtual:KEY" or "name TYPE pk".
func def(t testing.TB, b *kafkatest.Broker, columns string, options ...string) *connectors.TableDef {
	types := map[string]batch.Type{"INT": batch.TypeInt, "BIGINT": batch.TypeBigInt, "STRING": batch.TypeString, "LTZ": batch.TypeLTZ3, "TS": batch.TypeTS3,
		"BYTES": batch.TypeBytes, "HEADERS": batch.MapOf(batch.TypeString, batch.TypeBytes)}
	d := &connectors.TableDef{Name: "t", Schema: &batch.Schema{}, Options: &connectors.Options{},
		Job: &connectors.Job{Name: topicName(t), Instance: "test", Notice: func(s string) { t.Log("notice:", s) }}}
	if b != nil {
		d.Job.Kafka = b.Addr
	}
	for c, col := range strings.Split(columns, ",") {
		w := strings.Fields(col)
		ty, ok := types[w[1]]
		if !ok {
			t.Fatalf("type %s", w[1])
		}
		d.Schema.Fields = append(d.Schema.Fields, batch.Field{Name: w[0], Type: ty})
		meta, virtual := "", false
		for _, x := range w[2:] {
			kind, key, _ := strings.Cut(x, ":")
			switch kind {
			case "pk":
				d.PrimaryKey = append(d.PrimaryKey, c)
			case "virtual":
				meta, virtual = key, true
			case "meta":
				meta = key
			}
		}
		d.Meta, d.Virtual = append(d.Meta, meta), append(d.Virtual, virtual)
	}
	for _, o := range options {
		k, v, _ := strings.Cut(o, "=")
		d.Options.List = append(d.Options.List, connectors.Option{Key: k, Value: v})
	}
	return d
}

// scan is a source under test, driven as the engine would.
type scan struct {
	t       *testing.T
	src     connectors.Source
	def     *connectors.TableDef
	readers map[string]connectors.Reader
	done    map[string]bool
	rows    []string
	bad     []connectors.BadRecord
	wake    chan struct{}
}

func newScan(t *testing.T, d *connectors.TableDef, upsert bool) *scan {
	t.Helper()
	src, err := newSource(d, upsert)
	if err != nil {
		t.Fatal(err)
	}
	s := &scan{t: t, src: src, def: d, readers: map[string]connectors.Reader{}, done: map[string]bool{}, wake: make(chan struct{}, 1)}
	src.(connectors.Waker).SetWake(func() {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
	t.Cleanup(s.close)
	return s
}

func (s *scan) close() {
	for _, r := range s.readers {
		r.Close()
	}
	s.src.Close()
}

// open opens all partitions that are not open yet, from saved positions where there are some.
func (s *scan) open(saved map[string][]byte, ends map[string][]byte) []connectors.Split {
	s.t.Helper()
	ctx := kafkatest.Deadline(s.t)
	splits, err := s.src.Splits(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, x := range splits {
		if s.readers[x.ID] != nil {
			continue
		}
		r, err := s.src.Open(ctx, x, saved[x.ID], ends[x.ID], connectors.Want{})
		if err != nil {
			s.t.Fatal(err)
		}
		s.readers[x.ID] = r
	}
	return splits
}

// ends asks where the partitions end now.
func (s *scan) ends() map[string][]byte {
	s.t.Helper()
	ctx := kafkatest.Deadline(s.t)
	splits, err := s.src.Splits(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := s.src.Ends(ctx, splits)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// step reads once from every partition.
func (s *scan) step(most int) error {
	b := batch.New(s.def.Schema, 16)
	for id, r := range s.readers {
		if s.done[id] {
			continue
		}
		dst := &connectors.Dst{Batch: b}
		from := b.N
		_, done, err := r.Read(dst, most)
		if err != nil {
			return err
		}
		if b.N-from+len(dst.Bad) > most {
			s.t.Fatalf("asked for %d rows, got %d and %d bad ones", most, b.N-from, len(dst.Bad))
		}
		s.done[id] = done
		s.bad = append(s.bad, dst.Bad...)
	}
	for i := range b.N {
		text := map[int64]string{1: "+", -1: "-"}[b.Weight(i)]
		for c, f := range b.Schema.Fields {
			if c > 0 {
				text += " "
			}
			if n := b.Cols[c].Len(); n != b.N {
				s.t.Fatalf("column %s has %d rows, not %d", f.Name, n, b.N)
			}
			text += string(b.Cols[c].AppendText(nil, i, f.Type))
		}
		s.rows = append(s.rows, text)
	}
	return nil
}

// until reads until cond holds.
func (s *scan) until(what string, cond func() bool) {
	s.t.Helper()
	kafkatest.Until(s.t, what, func() bool {
		if err := s.step(64); err != nil {
			s.t.Fatal(err)
		}
		return cond()
	})
}

// all reads until every partition has ended.
func (s *scan) all() {
	s.t.Helper()
	s.until("all partitions end", func() bool {
		for id := range s.readers {
			if !s.done[id] {
				return false
			}
		}
		return true
	})
}

func (s *scan) positions() map[string][]byte {
	p := map[string][]byte{}
	for id, r := range s.readers {
		p[id] = r.Position()
	}
	return p
}

func (s *scan) want(rows ...string) {
	s.t.Helper()
	if got := strings.Join(s.rows, "\n"); got != strings.Join(rows, "\n") {
		s.t.Errorf("got\n%s\nwant\n%s", got, strings.Join(rows, "\n"))
	}
}

// readAll reads all there is now, from where the options say.
func readAll(t *testing.T, d *connectors.TableDef, upsert bool) *scan {
	t.Helper()
	s := newScan(t, d, upsert)
	ends := s.ends()
	s.open(nil, ends)
	s.all()
	return s
}

func mustSink(t *testing.T, d *connectors.TableDef, upsert bool) *sink {
	t.Helper()
	s, err := newSink(d, upsert)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(kafkatest.Deadline(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); s.(*sink).d.Close() })
	return s.(*sink)
}

// rowsOf builds a batch of rows "weight value value …"; NULL is null.
func rowsOf(s *batch.Schema, rows ...string) connectors.Changes {
	b := batch.New(s, len(rows))
	for _, r := range rows {
		w := strings.Fields(r)
		for c := range s.Fields {
			v := &b.Cols[c]
			switch {
			case w[c+1] == "NULL":
				v.AppendNull()
			case v.Kind == batch.Int:
				var n int64
				fmt.Sscan(w[c+1], &n)
				v.AppendInt(n)
			default:
				v.AppendString(w[c+1])
			}
		}
		b.AddWeight(map[string]int64{"+": 1, "-": -1, "++": 2}[w[0]])
	}
	return connectors.Changes{B: b}
}

func push(t *testing.T, s *sink, w connectors.Writer, rows ...string) {
	t.Helper()
	if err := w.Push(rowsOf(s.t.def.Schema, rows...)); err != nil {
		t.Fatal(err)
	}
}

// decide seals and decides an epoch of ephemeral jobs.
func decide(t *testing.T, sinks ...*sink) {
	t.Helper()
	ctx := context.Background()
	var sealed []connectors.Sealed
	for _, s := range sinks {
		x, err := s.Seal()
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, x)
	}
	for _, x := range sealed {
		if _, err := x.Prepare(ctx, connectors.EpochID{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sinks[0].d.Decide(ctx, connectors.Marker{}); err != nil {
		t.Fatal(err)
	}
}
