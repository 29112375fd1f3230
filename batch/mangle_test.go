//go:build invariants

package batch

import "testing"

func TestResetOverwrites(t *testing.T) {
	b := New(&Schema{Fields: []Field{{Name: "n", Type: TypeBigInt}, {Name: "s", Type: TypeString}}}, 4)
	b.Cols[0].AppendInt(7)
	b.Cols[1].AppendString("kept too long")
	ints, text := b.Cols[0].I, b.Cols[1].Bytes(0)
	b.Reset()
	if ints[0] == 7 || string(text) == "kept too long" {
		t.Fatalf("read %d, %q from memory that is free to be used again", ints[0], text)
	}
}
