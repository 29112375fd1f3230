package state_test

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// An operator counts by key: it hashes a batch of keys, finds or inserts their
// rows, and changes columns in place.
func Example() {
	w := state.NewMem(0, 1)
	t := w.Table(state.Spec{Op: "agg", Layout: "count(k)", Version: 1,
		Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeBigInt}})

	b := batch.New(batch.NewSchema(batch.Field{Name: "k", Type: batch.TypeBigInt}), 4)
	for _, k := range []int64{7, 8, 7, 7} {
		b.Cols[0].AppendInt(k)
		b.N++
	}
	hash, ids := make([]uint64, b.N), make([]batch.RowID, b.N)
	batch.HashRows(b.Cols, nil, b.N, hash)
	t.Rows(b.Cols, hash, hash, nil, b.N, ids) // new rows have zero values
	for _, id := range ids {
		p, slot := t.At(id)
		p.Cols[1].I[slot]++ // columns: the keys, then the values
		p.Touch(batch.RowID(slot))
	}

	for i, id := range ids[:2] {
		p, slot := t.At(id)
		fmt.Println(b.Cols[0].I[i], p.Cols[1].I[slot])
	}
	w.Pack() // between steps: what has changed since the last epoch, for the delta log
	// Output:
	// 7 3
	// 8 1
}
