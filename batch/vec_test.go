package batch

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		a, b := drawVec(t, typ, rapid.IntRange(0, 70).Draw(t, "na")), drawVec(t, typ, rapid.IntRange(0, 70).Draw(t, "nb"))
		want := values(&a, a.Len())
		sel := selection(t, b.Len())
		all := values(&b, b.Len())
		if sel == nil {
			want = append(want, all...)
		}
		for _, i := range sel {
			want = append(want, all[i])
		}
		a.AppendRows(&b, sel, b.Len())
		if got := values(&a, len(want)); !slices.Equal(got, want) {
			t.Fatalf("%s: got %q, want %q", typ, got, want)
		}
		if a.Len() != len(want) {
			t.Fatalf("%d rows, want %d", a.Len(), len(want))
		}
	})
}

func TestBatchAppendAndClone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		s := NewSchema(Field{Name: "v", Type: typ})
		mk := func(name string) *Batch {
			b := New(s, 0)
			for range rapid.IntRange(0, 10).Draw(t, name) {
				drawInto(t, &b.Cols[0], typ)
				b.AddWeight(rapid.Int64Range(-1, 2).Draw(t, "w"))
			}
			b.Sel = selection(t, b.N)
			return b
		}
		a, b := mk("a"), mk("b")
		type row struct {
			v string
			w int64
		}
		rows := func(b *Batch) (out []row) {
			b.Each(func(i int) { out = append(out, row{value(&b.Cols[0], i), b.Weight(i)}) })
			return out
		}
		want := append(rows(a), rows(b)...)
		c := a.Clone()
		c.Append(b)
		if got := rows(c); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if c.Live() != len(want) || c.W != nil && len(c.W) != c.N {
			t.Fatalf("%d live rows, %d weights of %d rows", c.Live(), len(c.W), c.N)
		}
		c.Reset()
		if c.N != 0 || c.Cols[0].Len() != 0 || c.Cols[0].Null != nil {
			t.Fatal("Reset leaves something")
		}
	})
}

func TestAppendNullOfNestedRow(t *testing.T) {
	typ := Type{SQL: RowType, Fields: []Field{{Name: "a", Type: TypeInt}, {Name: "r", Type: Type{SQL: RowType, Fields: []Field{{Name: "b", Type: TypeString}}}}}}
	v := NewVec(typ, 0)
	v.AppendNull()
	if v.Len() != 1 || !v.IsNull(0) || !v.Child[1].Child[0].IsNull(0) {
		t.Fatalf("%+v", v)
	}
}
