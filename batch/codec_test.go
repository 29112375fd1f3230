package batch

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		v := drawVec(t, typ, rapid.IntRange(0, 80).Draw(t, "n"))
		sel := selection(t, v.Len())
		want := values(&v, v.Len())
		if sel != nil {
			all := want
			want = []string{}
			for _, i := range sel {
				want = append(want, all[i])
			}
		}
		enc := AppendCol([]byte("head"), &v, sel, v.Len())
		got, rest, err := ReadCol(append(enc[4:], "tail"...), typ, len(want))
		if err != nil || string(rest) != "tail" {
			t.Fatalf("%v, rest %q", err, rest)
		}
		if g := values(&got, len(want)); !slices.Equal(g, want) {
			t.Fatalf("%s: got %q, want %q", typ, g, want)
		}
		// The same rows give the same bytes, whatever lies around them.
		if again := AppendCol(nil, &got, nil, len(want)); !bytes.Equal(again, enc[4:]) {
			t.Fatalf("%s: other bytes for the same rows", typ)
		}
	})
}

func TestReadColNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t)
		v := drawVec(t, typ, rapid.IntRange(1, 10).Draw(t, "n"))
		b := AppendCol(nil, &v, nil, v.Len())
		if rapid.Bool().Draw(t, "cut") {
			b = b[:rapid.IntRange(0, len(b)-1).Draw(t, "at")]
			if _, _, err := ReadCol(b, typ, v.Len()); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("a column cut short: %v", err)
			}
			return
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		got, _, err := ReadCol(b, typ, v.Len())
		if err == nil {
			_ = values(&got, v.Len()) // may be wrong, must not crash
		}
	})
}

// TestCodecVector holds the form fixed in state format 1.
func TestCodecVector(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		fill func(v *Vec)
		want string
	}{
		{TypeInt, func(v *Vec) { v.AppendInt(7); v.AppendInt(7) }, "00" + "00" + "0700000000000000"},
		{TypeInt, func(v *Vec) { v.AppendInt(-1); v.AppendNull(); v.AppendInt(254) }, "01" + "02" + "01" + "ffffffffffffffff" + "0001ff"},
		{TypeString, func(v *Vec) { v.AppendString("ab"); v.AppendString("c") }, "00" + "01" + "0100000000000000" + "0100" + "616263"},
		{TypeBool, func(v *Vec) { v.AppendBool(true); v.AppendBool(false) }, "000100"},
		{TypeDouble, func(v *Vec) { v.AppendFloat(1) }, "00" + "000000000000f03f"},
		{DecimalOf(20, 0), func(v *Vec) { v.AppendWide(Int128From(-2)) }, "00" + "ffffffffffffffff" + "feffffffffffffff"},
	} {
		v := NewVec(c.typ, 0)
		c.fill(&v)
		if got := hex.EncodeToString(AppendCol(nil, &v, nil, v.Len())); got != c.want {
			t.Errorf("%s: %s, want %s", c.typ, got, c.want)
		}
	}
}

// TestReadColTakesMemoryInProportion reads a list that says it has two billion
// equal elements, and one that has many.
func TestReadColTakesMemoryInProportion(t *testing.T) {
	typ := Type{SQL: Array, Fields: []Field{{Type: TypeInt}}}
	v := NewVec(typ, 1)
	v.Child[0].AppendInt(7)
	v.AppendList(0)
	b := AppendCol(nil, &v, nil, 1)
	b[2+3] ^= 0x40 // the one length, eight bytes from the third on, becomes 2^30 + 1
	if _, _, err := ReadCol(b, typ, 1); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("a list of 2^30 elements in %d bytes: %v", len(b), err)
	}
	for range 100_000 {
		v.Child[0].AppendInt(7)
	}
	v.AppendList(1)
	got, rest, err := ReadCol(AppendCol(nil, &v, nil, 2), typ, 2)
	if err != nil || len(rest) > 0 || !EqualAt(&got, 1, &v, 1) {
		t.Fatalf("a long list of equal elements is another: %v", err)
	}
}
