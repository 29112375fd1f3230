package state

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"pgregory.net/rapid"
)

func isCorrupt(err error) bool { c := (*corrupt)(nil); return errors.As(err, &c) }

// writeSample writes a delta with something of everything; big makes streams that
// span sections.
func writeSample(t testing.TB, dir string, big int) (string, Header, connectors.EpochID, []byte) {
	t.Helper()
	path := filepath.Join(dir, deltaName(3, 7))
	w, err := createDelta(path)
	if err != nil {
		t.Fatal(err)
	}
	row := bytes.Repeat([]byte("row"), big)
	for i := range 3 {
		if err := w.record(secOutbox, []byte{byte(i % 2)}, []byte(fmt.Sprint(i)), row); err != nil {
			t.Fatal(err)
		}
		if err := w.record(secPosition, []byte{1, 'a' + byte(i)}, row); err != nil {
			t.Fatal(err)
		}
		if err := w.record(secCut, row); err != nil {
			t.Fatal(err)
		}
	}
	def := &Def{Name: "o/l/1", Op: "o", Layout: "l", Version: 1, Keys: 1,
		Cols: []ColDef{{"k", typeDef(batch.TypeBigInt)}, {"v", typeDef(batch.TypeString)}}}
	enc := stateEncoder{ids: map[string]uint64{}, out: func(rec []byte) error { return w.record(secState, rec) }}
	v := batch.NewVec(batch.TypeString, 1)
	v.AppendBytes(row)
	if err := enc.packed(&Packed{Chunks: []Chunk{{Table: def, Shard: 9, Page: 2, Slots: []int64{4<<1 | 1, 5 << 1}, Cols: []batch.Vec{ints(42), v}}},
		Seqs: []SeqMark{{def, 9, 77}}}); err != nil {
		t.Fatal(err)
	}
	h := Header{Lineage: lin1, Epoch: 3, Incarnation: 7, Kind: Kafka, Prev: eid(2), Mark: eid(1), MarkAt: 11,
		Followers: []Follower{{"f", true, eid(1)}, {"g", true, connectors.EpochID{}}}}
	id, size, err := w.finish(h)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Size() != size+trailerLen && fi.Size() != size {
		t.Fatal("size", size, err)
	}
	return path, h, id, row
}

func TestDeltaRoundTrip(t *testing.T) {
	for _, big := range []int{0, 1, 10_000, maxSection, 200_000} {
		path, h, id, row := writeSample(t, t.TempDir(), big)
		d, err := readDelta(path)
		if err != nil {
			t.Fatal(big, err)
		}
		if d.ID != id || d.Epoch != h.Epoch || d.Prev != h.Prev || d.Mark != h.Mark || len(d.Followers) != 2 || d.Lineage != lin1 {
			t.Fatalf("%+v", d)
		}
		if len(d.Positions) != 3 || d.Positions[2].Key != "c" || !bytes.Equal(d.Positions[2].Val, row) || len(d.Cuts) != 3 || !bytes.Equal(d.Cuts[0], row) {
			t.Fatal("positions or cuts")
		}
		var got []string
		if err := d.Outbox("f", func(rec []byte) error {
			got = append(got, string(rec[:1]))
			if !bytes.Equal(rec[1:], row) {
				t.Fatal("row")
			}
			return nil
		}); err != nil || strings.Join(got, "") != "02" {
			t.Fatal(got, err)
		}
		var chunks []Chunk
		var seqs []SeqMark
		dec := &stateDecoder{named: map[string]*Def{}, chunk: func(c Chunk) error { chunks = append(chunks, c); return nil },
			seq: func(q SeqMark) { seqs = append(seqs, q) }}
		if err := d.state(dec); err != nil {
			t.Fatal(err)
		}
		if len(chunks) != 1 || chunks[0].Shard != 9 || chunks[0].Page != 2 || chunks[0].Cols[0].I[0] != 42 || !bytes.Equal(chunks[0].Cols[1].Bytes(0), row) ||
			len(seqs) != 1 || seqs[0].Seq != 77 {
			t.Fatalf("%+v %+v", chunks, seqs)
		}
	}
}

func TestDeltaDetectsEveryFlipAndCut(t *testing.T) {
	path, _, _, _ := writeSample(t, memDir(t), 40)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readDelta(path); !isCorrupt(err) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		try(fmt.Sprint("flip at ", i), b)
		try(fmt.Sprint("cut at ", i), whole[:i])
	}
	try("more behind", append(bytes.Clone(whole), 0))
}

// A file whose checksums are right and whose contents are not must be refused,
// not believed.
func TestStateRecordsAreChecked(t *testing.T) {
	def := `{"Name":"n","Keys":1,"Cols":[{"Name":"k","Type":{"T":"BIGINT"}}]}`
	seed := [][]byte{append([]byte{recTable, 0}, def...)}
	c := Chunk{Slots: []int64{3, 5}, Cols: []batch.Vec{ints(1, 2)}}
	good := appendRows([]byte{recChunk, 0, 8, 0}, &c)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		for range rapid.IntRange(1, 3).Draw(t, "flips") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = byte(rapid.IntRange(0, 255).Draw(t, "to"))
		}
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "len")]
		dec := &stateDecoder{named: map[string]*Def{}, seq: func(SeqMark) {}, chunk: func(c Chunk) error {
			tab := NewMem(0, 1).Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}})
			if c.Page < 1000 {
				return tab.overlay(&c)
			}
			return nil
		}}
		for _, s := range seed {
			if err := dec.record(s); err != nil {
				t.Fatal(err)
			}
		}
		_ = dec.record(b) // any error, no panic
	})
}

func BenchmarkPack(b *testing.B) {
	s := openTest(b, b.TempDir())
	defer func() { _ = s.Close() }()
	w := s.Worker(0, 1)
	tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeBigInt, batch.TypeBigInt}})
	const n = 1 << 18
	k, h, ids := batch.Vec{Kind: batch.Int, I: make([]int64, n)}, make([]uint64, n), make([]batch.RowID, n)
	for i := range n {
		k.I[i] = int64(i)
	}
	batch.HashRows([]batch.Vec{k}, nil, n, h)
	tab.Rows([]batch.Vec{k}, h, h, nil, n, ids)
	w.Pack()
	rows := 0
	for range b.N {
		b.StopTimer()
		for _, id := range ids {
			if rand.IntN(10) == 0 {
				tab.Touch(id)
			}
		}
		b.StartTimer()
		rows += w.Pack().Rows()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/dirty-row")
}
