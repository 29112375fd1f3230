package state

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
)

// TestRecordReader reads single records, in order and in no order, and compares
// them with those of a scan. Records are cut by sections and have other types between.
func TestRecordReader(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		h := Header{Epoch: 1, Incarnation: 1, Kind: Silent}
		w, err := createDelta(filepath.Join(t.TempDir(), deltaName(1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(200) {
			rec := make([]byte, r.IntN(1<<(1+r.IntN(17))))
			for i := range rec {
				rec[i] = byte(r.Uint32())
			}
			typ := []byte{secState, secState, secOutbox, secCut}[r.IntN(4)]
			if err := w.record(typ, rec); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.finish(h); err != nil {
			t.Fatal(err)
		}
		rd, err := openRecords(w.path, secState)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]byte
		var at []recordAt
		s := newDeltaScanner(rd.f, nil, secCut, secState)
		s.f = func(typ byte, rec []byte) error {
			if typ == secState {
				want, at = append(want, bytes.Clone(rec)), append(at, s.at)
			}
			return nil
		}
		if _, _, err := s.scan(); err != nil {
			t.Fatal(err)
		}
		order := r.Perm(len(want))
		for i := range 2 * len(want) {
			n := i % len(want)
			if i >= len(want) {
				n = order[n]
			}
			got, err := rd.record(at[n])
			if err != nil || !bytes.Equal(got, want[n]) {
				t.Fatalf("record %d: %d bytes, not %d: %v", n, len(got), len(want[n]), err)
			}
		}
		_ = rd.f.Close()
	}
}

// TestMerger compares it with a map.
func TestMerger(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	types := []batch.Type{batch.TypeBigInt, batch.TypeString}
	var m merger
	for range 200 {
		m.reset(types)
		want := map[int64]int64{}
		for range 1 + r.IntN(5) {
			c := Chunk{Table: &Def{Name: "t"}, Cols: []batch.Vec{batch.NewVec(types[0], 0), batch.NewVec(types[1], 0)}}
			for slot := int64(0); slot < batch.PageRows; slot += 1 + r.Int64N(1<<r.IntN(10)) {
				live := r.Int64N(3) & 1
				c.Slots = append(c.Slots, slot<<1|live)
				delete(want, slot)
				if live != 0 {
					v := r.Int64N(1 << 40)
					c.Cols[0].AppendInt(v)
					c.Cols[1].AppendString(label(slot, v%100))
					want[slot] = v
				}
			}
			if c.live() == 0 {
				c.Cols = nil
			}
			if err := m.lay(&c); err != nil {
				t.Fatal(err)
			}
		}
		c := m.rows()
		if len(c.Slots) != len(want) || c.live() != len(want) || !slices.IsSorted(c.Slots) {
			t.Fatalf("%d rows, not %d", len(c.Slots), len(want))
		}
		for row, s := range c.Slots {
			v, ok := want[s>>1]
			if got := c.Cols[0].I[row]; !ok || got != v || string(c.Cols[1].Bytes(row)) != label(s>>1, v%100) {
				t.Fatalf("slot %d: %d, not %d", s>>1, got, v)
			}
		}
	}
}
