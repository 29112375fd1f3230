package state

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamd/streamd/batch"
)

// Rows that are appended shard by shard, in runs of a page, are those that are set one
// by one in their order: the same slots, values and NULLs, also where slots are used
// again and arenas are rewritten.
func TestAppendByShardAgreesWithOneByOne(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		spec := Spec{Op: "t", Layout: "x", Version: 1, Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeString, batch.TypeBigInt, batch.TypeDouble}, Unindexed: true}
		a, b := NewMem(0, 1), NewMem(0, 1)
		fast, slow := a.Table(spec), b.Table(spec)
		for range 12 {
			n := 1 + r.IntN(3000)
			cols := []batch.Vec{batch.NewVec(batch.TypeBigInt, 0), batch.NewVec(batch.TypeString, 0), batch.NewVec(batch.TypeBigInt, 0), batch.NewVec(batch.TypeDouble, 0)}
			nulls := r.IntN(2) == 0
			var sel []int32
			for i := range n {
				cols[0].AppendInt(r.Int64N(500))
				cols[3].AppendFloat(float64(i))
				if nulls && r.IntN(5) == 0 {
					cols[1].AppendNull()
					cols[2].AppendNull()
				} else {
					cols[1].AppendString(fmt.Sprintf("%0*d", r.IntN(40), i))
					cols[2].AppendInt(int64(i))
				}
				if r.IntN(3) > 0 {
					sel = append(sel, int32(i))
				}
			}
			if len(sel) == 0 {
				continue
			}
			place := make([]uint64, n)
			batch.HashRows(cols[:1], nil, n, place)
			ids := make([]batch.RowID, n)
			order := fast.ByShard(place, sel)
			fast.Append(cols[:1], place, order, n, ids)
			fast.SetRows(ids, order, n, []int{0, 1, 2, 3}, 1, cols)
			for _, i := range sel {
				id := slow.Append1(place[i])
				for c := range cols {
					slow.SetFrom(id, c, &cols[c], int(i))
				}
			}
			for _, tab := range []*Table{fast, slow} {
				k := 0
				tab.Each(func(id batch.RowID) {
					if k++; k%3 == 0 {
						tab.Delete(id)
					}
				})
			}
			a.Pack()
			b.Pack()
			if x, y := dumpRows(fast), dumpRows(slow); x != y {
				t.Fatalf("seed %d: by shard\n%s\none by one\n%s", seed, x, y)
			}
		}
	}
}

func dumpRows(t *Table) string {
	var s []byte
	t.Each(func(id batch.RowID) {
		p, slot := t.At(id)
		s = fmt.Appendf(s, "%d/%d/%d:", p.Shard, p.Num, slot)
		for c, typ := range t.Types {
			s = append(p.Cols[c].AppendText(append(s, ' '), slot, typ), ',')
		}
		s = append(s, '\n')
	})
	return string(s)
}
