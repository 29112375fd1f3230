package state

import (
	"cmp"
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
	"pgregory.net/rapid"
)

// twin keeps the same rows as Multi, Ordered and Buckets: a slice.
type twinRow struct {
	id      batch.RowID
	g, o, s int64
	null    bool
}

func TestDerivedIndexesAgreeWithASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewMem(0, 1)
		// key (g, u); values o (nullable), s
		tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt, batch.TypeBigInt},
			Val: []batch.Type{batch.TypeBigInt, batch.TypeBigInt}})
		desc := rapid.Bool().Draw(t, "desc")
		m := NewMulti(tab, 1)
		o := NewOrdered(tab, 1, []By{{Col: 2, Desc: desc}}, 3)
		b := NewBuckets(tab, 2)
		var rows []twinRow
		seq := int64(0)
		for range rapid.IntRange(1, 150).Draw(t, "ops") {
			switch rapid.IntRange(0, 7).Draw(t, "op") {
			default:
				g, u := int64(rapid.IntRange(0, 5).Draw(t, "g")), int64(rapid.IntRange(0, 40).Draw(t, "u"))
				key := []batch.Vec{ints(g), ints(u)}
				id, fresh := tab.Rows1(key, 0, batch.HashRow(key[:1], 0), batch.HashRow(key, 0))
				if !fresh {
					continue
				}
				seq++
				r := twinRow{id, g, int64(rapid.IntRange(0, 9).Draw(t, "o")), seq, rapid.IntRange(0, 5).Draw(t, "null") == 0}
				p, slot := tab.At(id)
				p.Cols[2].I[slot], p.Cols[3].I[slot] = r.o, seq
				if r.null {
					tab.SetNull(id, 2)
					r.o = 0
				}
				m.Insert(id)
				o.Insert(id)
				b.Insert(id)
				rows = append(rows, r)
			case 5, 6:
				if len(rows) == 0 {
					continue
				}
				k := rapid.IntRange(0, len(rows)-1).Draw(t, "k")
				m.Remove(rows[k].id)
				o.Remove(rows[k].id)
				b.Remove(rows[k].id)
				tab.Delete(rows[k].id)
				rows = slices.Delete(rows, k, k+1)
			case 7:
				w.Pack()
				if rapid.Bool().Draw(t, "rebuild") {
					m, o, b = NewMulti(tab, 1), NewOrdered(tab, 1, []By{{Col: 2, Desc: desc}}, 3), NewBuckets(tab, 2)
				}
			}
			checkMulti(t, m, rows)
			checkOrdered(t, o, rows, desc)
			checkBuckets(t, tab, b, rows)
		}
	})
}

func members(rows []twinRow, g int64) (ids []batch.RowID) {
	for _, r := range rows {
		if r.g == g {
			ids = append(ids, r.id)
		}
	}
	return ids
}

func checkMulti(t *rapid.T, m *Multi, rows []twinRow) {
	for g := range int64(6) {
		h := batch.HashRow([]batch.Vec{ints(g)}, 0)
		gr := m.Group([]batch.Vec{ints(g)}, 0, h, h)
		var got []batch.RowID
		for id := m.First(gr); id != 0; id = m.Next(id) {
			got = append(got, id)
		}
		want := members(rows, g)
		if m.Count(gr) != len(want) {
			t.Fatalf("group %d: count %d, want %d", g, m.Count(gr), len(want))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("group %d: %v, want %v", g, got, want)
		}
	}
}

func checkOrdered(t *rapid.T, o *Ordered, rows []twinRow, desc bool) {
	for g := range int64(6) {
		var in []twinRow
		for _, r := range rows {
			if r.g == g {
				in = append(in, r)
			}
		}
		slices.SortFunc(in, func(a, b twinRow) int {
			x, y := a.o, b.o
			if a.null {
				x = -1
			}
			if b.null {
				y = -1
			}
			if desc {
				x, y = y, x
			}
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.s, b.s))
		})
		h := batch.HashRow([]batch.Vec{ints(g)}, 0)
		gr := o.Group([]batch.Vec{ints(g)}, 0, h, h)
		id, back := o.First(gr), o.Last(gr)
		for k, r := range in {
			if id != r.id || o.Select(gr, k) != id || o.Rank(id) != k {
				t.Fatalf("group %d place %d: walk %d, select %d, rank %d, want row %d", g, k, id, o.Select(gr, k), o.Rank(id), r.id)
			}
			if want := in[len(in)-1-k].id; back != want {
				t.Fatalf("backwards %d, want %d", back, want)
			}
			if f := o.Search(gr, func(x batch.RowID) bool { return o.Compare(x, r.id) >= 0 }); f != r.id {
				t.Fatalf("search %d, want %d", f, r.id)
			}
			id, back = o.Next(id), o.Prev(back)
		}
		if id != 0 || back != 0 || o.Select(gr, len(in)) != 0 || o.Count(gr) != len(in) {
			t.Fatalf("group %d has more than %d rows", g, len(in))
		}
	}
}

func checkBuckets(t *rapid.T, tab *Table, b *Buckets, rows []twinRow) {
	limit := int64(rapid.IntRange(-1, 10).Draw(t, "due"))
	var want, got []batch.RowID
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(x, y twinRow) int {
		if c := cmp.Compare(x.o, y.o); c != 0 {
			return c
		}
		if tab.Less(x.id, y.id) {
			return -1
		}
		return 1
	})
	for _, r := range sorted {
		if r.o <= limit {
			want = append(want, r.id)
		}
	}
	last := int64(-1)
	b.Due(limit, func(at int64, ids []batch.RowID) {
		if at <= last {
			t.Fatalf("buckets out of order")
		}
		last = at
		got = append(got, ids...)
	})
	if !slices.Equal(got, want) {
		t.Fatalf("due %d: %v, want %v", limit, got, want)
	}
	if at, ok := b.Next(); ok != (len(rows) > 0) || ok && at != sorted[0].o {
		t.Fatalf("next %d %v", at, ok)
	}
}

func TestBucketsDrop(t *testing.T) {
	tab := NewMem(0, 1).Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}})
	b := NewBuckets(tab, 0)
	for i := range int64(100) {
		k := []batch.Vec{ints(i)}
		id, _ := tab.Rows1(k, 0, 0, batch.HashRow(k, 0))
		b.Insert(id)
	}
	fired := 0
	b.Due(49, func(_ int64, ids []batch.RowID) {
		for _, id := range ids {
			tab.Delete(id)
			fired++
		}
	})
	b.Drop(49)
	if at, ok := b.Next(); fired != 50 || !ok || at != 50 {
		t.Fatalf("fired %d, next %d %v", fired, at, ok)
	}
	var gone []int64
	b.Take(97, func(id batch.RowID) {
		p, slot := tab.At(id)
		gone = append(gone, p.Cols[0].I[slot])
		tab.Delete(id)
	})
	if at, ok := b.Next(); len(gone) != 48 || gone[0] != 50 || gone[47] != 97 || !ok || at != 98 || tab.Len() != 2 {
		t.Fatalf("took %v, next %d %v, %d rows", gone, at, ok, tab.Len())
	}
}

func TestBucketsBetween(t *testing.T) {
	tab := NewMem(0, 1).Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}})
	b := NewBuckets(tab, 0)
	for _, at := range []int64{7, -3, 20, 5, 9, 1 << 40} {
		k := []batch.Vec{ints(at)}
		id, _ := tab.Rows1(k, 0, 0, batch.HashRow(k, 0))
		b.Insert(id)
	}
	for _, c := range []struct {
		from, to int64
		want     []int64
	}{{5, 20, []int64{5, 7, 9}}, {-10, 5, []int64{-3}}, {10, 20, nil}, {6, 1 << 50, []int64{7, 9, 20, 1 << 40}}, {1 << 41, 1 << 42, nil}} {
		if got := b.Between(c.from, c.to); !slices.Equal(got, c.want) {
			t.Errorf("between %d and %d: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
