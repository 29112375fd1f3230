package batch_test

import (
	"fmt"

	"github.com/streamd/streamd/batch"
)

// A batch is columns and a weight per row: +1 adds a row, -1 takes one away, and
// only the sum counts.
func Example() {
	b := batch.New(batch.NewSchema(
		batch.Field{Name: "cell", Type: batch.TypeString},
		batch.Field{Name: "rides", Type: batch.TypeBigInt},
	), 4)
	add := func(cell string, rides, weight int64) {
		b.Cols[0].AppendString(cell)
		b.Cols[1].AppendInt(rides)
		b.AddWeight(weight)
	}
	add("north", 1, +1)
	add("south", 5, +1)
	add("north", 1, -1) // north had 1 ride,
	add("north", 2, +1) // now it has 2

	net := batch.Consolidate(b)
	net.Each(func(row int) {
		text := fmt.Appendf(nil, "%+d", net.Weight(row))
		for c := range net.Cols {
			text = net.Cols[c].AppendText(append(text, ' '), row, net.Schema.Fields[c].Type)
		}
		fmt.Println(string(text))
	})
	// Output:
	// +1 south 5
	// +1 north 2
}
