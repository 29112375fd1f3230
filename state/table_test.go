package state

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
	"pgregory.net/rapid"
)

// keyShapes are the key columns the table is tried with: both fast paths, none,
// and the general one.
var keyShapes = [][]batch.Type{
	{batch.TypeBigInt},
	{batch.TypeInt, batch.TypeBigInt},
	{batch.TypeString},
	{batch.TypeBigInt.With(true), batch.TypeString.With(true)},
	{batch.TypeBigInt, batch.TypeString, batch.TypeBool},
	{},
}

var valShape = []batch.Type{batch.TypeBigInt, batch.TypeString,
	{SQL: batch.Array, Fields: []batch.Field{{Type: batch.TypeString}}},
	{SQL: batch.RowType, Fields: []batch.Field{{Name: "a", Type: batch.TypeDouble}, {Name: "b", Type: batch.TypeString}}}}

// drawVec draws n values of a type from a small domain.
func drawVec(t *rapid.T, typ batch.Type, n int) batch.Vec {
	v := batch.NewVec(typ, n)
	for range n {
		drawValue(t, typ, &v)
	}
	return v
}

func drawValue(t *rapid.T, typ batch.Type, v *batch.Vec) {
	if !typ.NotNull && rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	x := rapid.IntRange(0, 60).Draw(t, "x")
	switch v.Kind {
	case batch.Bool:
		v.AppendBool(x&1 == 1)
	case batch.Int:
		v.AppendInt(int64(x))
	case batch.Float:
		v.AppendFloat(float64(x))
	case batch.Wide:
		v.AppendWide(batch.Int128From(int64(x)))
	case batch.Str:
		v.AppendString(fmt.Sprint("s", x, string(make([]byte, 10*x))))
	case batch.Row:
		one := batch.NewVec(typ, 1)
		for c, f := range typ.Fields {
			drawValue(t, f.Type, &one.Child[c])
		}
		v.AppendFrom(&one, 0)
	case batch.List:
		from := v.Child[0].Len()
		for range x % 3 {
			drawValue(t, typ.Fields[0].Type, &v.Child[0])
		}
		v.AppendList(from)
	}
}

// likeBefore makes some rows the row before them: integers and views are what a
// lookup compares before it looks into the table.
func likeBefore(t *rapid.T, v *batch.Vec) {
	for i := 1; i < v.Len(); i++ {
		if rapid.IntRange(0, 2).Draw(t, "as before") != 0 {
			continue
		}
		switch v.Kind {
		case batch.Int:
			v.I[i] = v.I[i-1]
		case batch.Str:
			v.View[i] = v.View[i-1]
		}
	}
}

func keyOf(cols []batch.Vec, i int) string { return string(batch.AppendKey(nil, cols, i)) }

// model is the dumb twin of a Table: a Go map from key bytes to value bytes.
type model struct {
	rows map[string]string
	ids  map[string]batch.RowID
}

func (m *model) check(t *rapid.T, tab *Table, nk int) {
	seen := 0
	last := uint64(0)
	tab.Each(func(id batch.RowID) {
		p, slot := tab.At(id)
		k := keyOf(p.Cols[:nk], slot)
		if got := keyOf(p.Cols[nk:nk+len(tab.Spec.Val)], slot); got != m.rows[k] {
			t.Fatalf("row %d key %q holds %q, want %q", id, k, got, m.rows[k])
		}
		if m.ids[k] != id {
			t.Fatalf("key %q moved from row %d to %d", k, m.ids[k], id)
		}
		if o := tab.order(id); o <= last && seen > 0 {
			t.Fatalf("Each is out of order")
		} else {
			last = o
		}
		seen++
	})
	if seen != len(m.rows) || tab.Len() != seen {
		t.Fatalf("Each gave %d rows, Len %d, want %d", seen, tab.Len(), len(m.rows))
	}
}

func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SampledFrom(keyShapes).Draw(t, "shape")
		w := NewMem(0, 1)
		tab := w.Table(Spec{Op: "o", Layout: "l", Key: keys, Val: valShape})
		m := &model{map[string]string{}, map[string]batch.RowID{}}
		nk := len(keys)
		for range rapid.IntRange(1, 12).Draw(t, "ops") {
			n := rapid.IntRange(0, 100).Draw(t, "n")
			key := make([]batch.Vec, nk)
			for c := range key {
				key[c] = drawVec(t, keys[c], n)
				likeBefore(t, &key[c])
			}
			hash := make([]uint64, n)
			batch.HashRows(key, nil, n, hash)
			var sel []int32
			if rapid.Bool().Draw(t, "sel") {
				sel = []int32{}
				for i := range n {
					if rapid.Bool().Draw(t, "s") {
						sel = append(sel, int32(i))
					}
				}
			}
			place := hash
			if rapid.IntRange(0, 3).Draw(t, "placed") == 0 {
				place = nil
			}
			if nk > 0 { // a key must keep its placement
				place = hash
			}
			ids := make([]batch.RowID, n)
			switch rapid.IntRange(0, 4).Draw(t, "op") {
			case 0, 1, 2:
				fresh := slices.Clone(tab.Rows(key, place, hash, sel, n, ids))
				var want []int32
				each(sel, n, func(i int) {
					k := keyOf(key, i)
					if _, ok := m.rows[k]; !ok {
						want = append(want, int32(i))
						zero := make([]batch.Vec, len(valShape))
						for c := range zero {
							v := batch.NewVec(valShape[c], 0)
							zero[c] = blank(&v, 1)
						}
						m.rows[k], m.ids[k] = keyOf(zero, 0), ids[i]
					}
					if ids[i] == 0 || m.ids[k] != ids[i] {
						t.Fatalf("row %d: id %d, want %d", i, ids[i], m.ids[k])
					}
				})
				if !slices.Equal(fresh, want) {
					t.Fatalf("fresh %v, want %v", fresh, want)
				}
				m.check(t, tab, nk)
				val := make([]batch.Vec, len(valShape))
				for c := range val {
					val[c] = drawVec(t, valShape[c], n)
				}
				each(sel, n, func(i int) {
					for c := range val {
						tab.SetFrom(ids[i], nk+c, &val[c], i)
					}
					m.rows[keyOf(key, i)] = keyOf(val, i)
				})
			case 3:
				tab.Find(key, place, hash, sel, n, ids)
				each(sel, n, func(i int) {
					k := keyOf(key, i)
					if ids[i] != m.ids[k] {
						t.Fatalf("found %d, want %d", ids[i], m.ids[k])
					}
					if id := tab.Find1(key, i, hash[i], hash[i]); place != nil && id != m.ids[k] {
						t.Fatalf("Find1 %d, want %d", id, m.ids[k])
					}
				})
				each(sel, n, func(i int) {
					if k := keyOf(key, i); m.ids[k] != 0 {
						tab.Delete(m.ids[k])
						delete(m.ids, k)
						delete(m.rows, k)
					}
				})
			case 4:
				w.Pack()
			}
			m.check(t, tab, nk)
		}
	})
}

func each(sel []int32, n int, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(int(i))
	}
}

func TestDeletedSlotWaitsForPack(t *testing.T) {
	w := NewMem(0, 1)
	tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}})
	add := func(x int64) batch.RowID {
		id, _ := tab.Rows1([]batch.Vec{ints(x)}, 0, 0, batch.HashRow([]batch.Vec{ints(x)}, 0))
		return id
	}
	a := add(1)
	tab.Delete(a)
	if add(2) == a {
		t.Fatal("slot reused before Pack")
	}
	w.Pack()
	if add(3) != a {
		t.Fatal("lowest free slot not reused after Pack")
	}
}

func ints(x ...int64) batch.Vec { return batch.Vec{Kind: batch.Int, I: x} }

func TestStringsAreCompacted(t *testing.T) {
	w := NewMem(0, 1)
	tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeString}})
	k := []batch.Vec{ints(1)}
	id, _ := tab.Rows1(k, 0, 0, batch.HashRow(k, 0))
	b := bytes.Repeat([]byte("x"), 100)
	for i := range 10000 {
		b[0] = byte(i)
		tab.PutBytes(id, 1, b)
	}
	p, slot := tab.At(id)
	if !bytes.Equal(p.Cols[1].Bytes(slot), b) {
		t.Fatal("bytes lost")
	}
	if n := len(p.Cols[1].Data); n > 3*minDead {
		t.Fatalf("arena holds %d bytes for a value of 100", n)
	}
}

func TestScratchReset(t *testing.T) {
	w := NewMem(0, 1)
	tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}, Val: valShape, Scratch: true})
	for round := range 3 {
		n := 5000
		k := []batch.Vec{{Kind: batch.Int, I: make([]int64, n)}}
		for i := range n {
			k[0].I[i] = int64(i * (round + 1))
		}
		h, ids := make([]uint64, n), make([]batch.RowID, n)
		batch.HashRows(k, nil, n, h)
		if f := tab.Rows(k, h, h, nil, n, ids); len(f) != n {
			t.Fatalf("round %d: %d fresh rows of %d", round, len(f), n)
		}
		for i, id := range ids {
			p, slot := tab.At(id)
			if p.Cols[1].I[slot] != 0 || len(p.Cols[2].Bytes(slot)) != 0 {
				t.Fatal("value left over")
			}
			p.Cols[1].I[slot] = int64(i)
			tab.PutBytes(id, 2, []byte("left over"))
		}
		tab.Reset()
		if tab.Len() != 0 {
			t.Fatal("rows left over")
		}
	}
}

func TestExpireIsExact(t *testing.T) {
	w := NewMem(0, 1)
	tab := w.Table(Spec{Op: "o", Key: []batch.Type{batch.TypeBigInt}, TTL: 10})
	add := func(x int64) batch.RowID {
		id, _ := tab.Rows1([]batch.Vec{ints(x)}, 0, 0, batch.HashRow([]batch.Vec{ints(x)}, 0))
		return id
	}
	var gone []batch.RowID
	step := func(now int64) { tab.Expire(now, func(id batch.RowID) { gone = append(gone, id) }) }
	step(0)
	a, b := add(1), add(2)
	step(5)
	tab.Touch(a)
	step(9)
	if len(gone) != 0 {
		t.Fatal("too early")
	}
	step(10)
	if !slices.Equal(gone, []batch.RowID{b}) {
		t.Fatalf("at 10: %v", gone)
	}
	step(14)
	if tab.Len() != 1 {
		t.Fatal("a gone too early")
	}
	step(15)
	if tab.Len() != 0 {
		t.Fatal("a not gone")
	}
}

func benchRows(b *testing.B, keys int, cols int) {
	w := NewMem(0, 1)
	types := make([]batch.Type, cols)
	for c := range types {
		types[c] = batch.TypeBigInt
	}
	tab := w.Table(Spec{Op: "o", Key: types, Val: []batch.Type{batch.TypeBigInt}})
	const n = 4096
	k := make([]batch.Vec, cols)
	for c := range k {
		k[c] = batch.Vec{Kind: batch.Int, I: make([]int64, n)}
	}
	h, ids := make([]uint64, n), make([]batch.RowID, n)
	x := uint64(1)
	step := func() {
		for i := range n {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			for c := range k {
				k[c].I[i] = int64(x % uint64(keys))
			}
		}
		batch.HashRows(k, nil, n, h)
		tab.Rows(k, h, h, nil, n, ids)
	}
	for range keys/n*8 + 1 {
		step()
	}
	b.ResetTimer()
	for range b.N {
		step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
}

func BenchmarkRows10k(b *testing.B)  { benchRows(b, 10_000, 1) }
func BenchmarkRows1M(b *testing.B)   { benchRows(b, 1_000_000, 1) }
func BenchmarkRows1M2(b *testing.B)  { benchRows(b, 1_000_000, 2) }
func BenchmarkRows100k(b *testing.B) { benchRows(b, 100_000, 1) }
