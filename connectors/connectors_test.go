package connectors

import (
	"slices"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
)

func TestDecode(t *testing.T) {
	type settings struct {
		S  string        `opt:"s" required:"true"`
		N  int64         `opt:"n" default:"7"`
		B  bool          `opt:"b"`
		D  time.Duration `opt:"d" default:"5 s"`
		M  Size          `opt:"m" default:"4mb"`
		L  []string      `opt:"l"`
		P  *string       `opt:"p"`
		O  string        `opt:"o" default:"x" oneof:"x,y"`
		No string
	}
	var got settings
	o := &Options{List: []Option{{"s", "v"}, {"b", "TRUE"}, {"l", "a; b;"}, {"o", "y"}}}
	if err := o.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.S != "v" || got.N != 7 || !got.B || got.D != 5*time.Second || got.M != 4<<20 || !slices.Equal(got.L, []string{"a", "b"}) || got.P != nil || got.O != "y" {
		t.Errorf("%+v", got)
	}
	o = &Options{List: []Option{{"n", "x"}, {"b", "maybe"}, {"d", "soon"}, {"m", "big"}, {"o", "z"}}}
	list, _ := IsOptionError(o.Decode(&settings{}))
	var keys []string
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	if !slices.Equal(keys, []string{"s", "n", "b", "d", "m", "o"}) || list[0].Where != AtTable || list[1].Where != AtValue {
		t.Errorf("%v", list)
	}
	if f := (&Options{List: []Option{{"a.z", "1"}, {"b", "2"}, {"a.c", "3"}}}).Family("a."); len(f) != 2 || f[0].Key != "c" {
		t.Errorf("%v", f)
	}
}

func TestParseDurationAndSize(t *testing.T) {
	for in, want := range map[string]time.Duration{"5 s": 5 * time.Second, "10min": 10 * time.Minute, "500 ms": 500 * time.Millisecond, "1 d": 24 * time.Hour, "250": 250 * time.Millisecond,
		"1m30s": 90 * time.Second, "2 hours": 2 * time.Hour, "-1 s": -1, "x": -1, "": -1, "99999999999 d": -1} {
		got, err := ParseDuration(in)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
	for in, want := range map[string]int64{"1048576": 1 << 20, "64kb": 64 << 10, "4 mb": 4 << 20, "200b": 200, "1g": 1 << 30, "x": -1, "-1": -1, "9999999999 tb": -1} {
		got, err := ParseSize(in)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, x := range []struct {
		pattern, key string
		want         bool
	}{
		{"path", "path", true}, {"path", "paths", false}, {"properties.*", "properties.a.b", true}, {"properties.*", "properties.", false},
		{"fields.#.kind", "fields.a.kind", true}, {"fields.#.kind", "fields.a.min", false}, {"fields.#.kind", "fields..kind", false},
	} {
		if got := Match(x.pattern, x.key); got != x.want {
			t.Errorf("Match(%q, %q) = %v", x.pattern, x.key, got)
		}
	}
}

func TestWantAndPad(t *testing.T) {
	w := Want{Cols: []bool{true, true, false}, Fields: map[int][]bool{1: {false, true}}}
	if !w.Has(0) || w.Has(2) || w.Has(3) || w.HasField(1, 0) || !w.HasField(1, 1) || w.HasField(1, 2) || !w.HasField(0, 5) || !(Want{}).HasField(7, 7) {
		t.Error("Has or HasField")
	}
	row := batch.Type{SQL: batch.RowType, Fields: []batch.Field{{Name: "x", Type: batch.TypeString}, {Name: "y", Type: batch.ArrayOf(batch.TypeInt)}}}
	b := batch.New(batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeInt}, batch.Field{Name: "r", Type: row}, batch.Field{Name: "d", Type: batch.DecimalOf(30, 0)}), 0)
	b.Cols[0].AppendNull()
	for range 100 {
		b.AddWeight(1)
	}
	Pad(b)
	for c := range b.Cols {
		if b.Cols[c].Len() != 100 {
			t.Errorf("column %d has %d rows", c, b.Cols[c].Len())
		}
	}
	if !b.Cols[0].IsNull(0) || b.Cols[0].IsNull(99) || b.Cols[1].Child[1].Len() != 100 || len(b.Cols[1].Child[0].Bytes(99)) != 0 {
		t.Error("padded rows are not zero values")
	}
}

func TestHidden(t *testing.T) {
	raw := batch.Type{SQL: batch.Raw}
	s := batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeInt}, batch.Field{Name: PosColumn, Type: raw}, batch.Field{Name: RawColumn, Type: raw})
	b := batch.New(s, 0)
	HiddenOf(s, Want{Raw: true}).Append(b, []byte("p"), []byte("r"))
	if h := HiddenOf(s, Want{Pos: true}); !h.WantsPos() {
		t.Error("WantsPos")
	}
	if b.Cols[1].Len() != 0 || string(b.Cols[2].Bytes(0)) != "r" {
		t.Error("Append fills what is not wanted, or not what is")
	}
}
