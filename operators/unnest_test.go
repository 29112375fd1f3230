package operators_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

// leaf is an input of any schema.
type leaf struct {
	operators.Props
	operators.Stays
	operators.PassWM
}

func newLeaf(s *batch.Schema) operators.Node                   { return &leaf{Props: operators.Props{Schema: s}} }
func (n *leaf) Op() string                                     { return "input" }
func (n *leaf) Detail() string                                 { return "" }
func (n *leaf) New(*operators.Env) (operators.Operator, error) { return nil, nil }
func (n *leaf) With([]operators.Node) operators.Node           { return n }

// NULL elements stay, empty and NULL arrays give nothing, or NULLs (J23).
func TestUnnest(t *testing.T) {
	schema := "k STRING, a INT[], ts TIMESTAMP(3) ROWTIME, $pos BIGINT"
	rows := "l x|[1,NULL,1]|1|7\nl +2|y|[]|2|8\nl +3|z|NULL|3|9\nstep\nl w|[5]|4|6\nl NULL|[6]|5|5\nend"
	for _, c := range []struct {
		outer, ordinality bool
		want              string
	}{
		{false, false, "+2|x|1|1|7\nx|1|NULL|7\nw|4|5|6\nNULL|5|6|5"},
		{true, false, "+2|x|1|1|7\nx|1|NULL|7\nw|4|5|6\nNULL|5|6|5\n+2|y|2|NULL|8\n+3|z|3|NULL|9"},
		{false, true, "x|1|1|1|7\nx|1|NULL|2|7\nx|1|1|3|7\nw|4|5|1|6\nNULL|5|6|1|5"},
		{true, true, "x|1|1|1|7\nx|1|NULL|2|7\nx|1|1|3|7\nw|4|5|1|6\nNULL|5|6|1|5\n+2|y|2|NULL|NULL|8\n+3|z|3|NULL|NULL|9"},
	} {
		optest.Run(t, optest.Case{In: []optest.Input{in("l", schema)}, Script: rows, Want: c.want,
			Node: func(in nodes) operators.Node {
				return operators.NewUnnest(in[0], 1, []int{0, 2}, c.outer, c.ordinality, []string{"x", "n"})
			}})
	}
}

// What is taken back takes its elements back.
func TestUnnestOfChanges(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{{Name: "l", Schema: "k STRING, a INT[]", Mode: operators.Upsert, Keys: [][]int{{0}}}},
		Node: func(in nodes) operators.Node {
			n := operators.NewUnnest(in[0], 1, []int{0}, true, true, []string{"x", "n"})
			if n.Mode != operators.Upsert || fmt.Sprint(n.Keys) != "[[0 2]]" {
				t.Errorf("mode %s, keys %v", n.Mode, n.Keys)
			}
			return n
		},
		Script: "l a|[1,2,2]\nl b|[]\nstep\nl -1|a|[1,2,2]\nl a|[2]\nl -1|b|[]\nl b|NULL\nend",
		Steps:  []string{"a|1|1\na|2|2\na|2|3\nb|NULL|NULL", "-1|a|1|1\n-1|a|2|2\n-1|a|2|3\na|2|1"},
		Want:   "a|2|1\nb|NULL|NULL"})
}

// A field of a ROW that is NULL is NULL whatever stands there; a MULTISET repeats
// its elements; a MAP gives two columns.
func TestUnnestOfRowsMapsMultisets(t *testing.T) {
	row := batch.Type{SQL: batch.RowType, Fields: []batch.Field{{Name: "x", Type: batch.TypeInt.With(true)}, {Name: "y", Type: batch.TypeString}}}
	rows := batch.NewVec(batch.ArrayOf(row), 0)
	e := &rows.Child[0]
	for i, y := range []string{"a", "b", "c"} {
		e.Child[0].AppendInt(int64(i))
		e.Child[1].AppendString(y)
	}
	e.SetNull(1, 3)
	rows.AppendList(0)
	bag := batch.NewVec(batch.MultisetOf(batch.TypeString), 0)
	for i, y := range []string{"a", "b", "c"} {
		bag.Child[0].AppendString(y)
		bag.Child[1].AppendInt(int64(2 - i))
	}
	bag.AppendList(0)
	m := batch.NewVec(batch.MapOf(batch.TypeString, batch.TypeInt), 0)
	m.Child[0].AppendString("k")
	m.Child[1].AppendNull()
	m.AppendList(0)
	for _, c := range []struct {
		t    batch.Type
		v    batch.Vec
		want string
	}{
		{batch.ArrayOf(row), rows, "0 | a\nNULL | NULL\n2 | c"},
		{batch.MultisetOf(batch.TypeString), bag, "a\na\nb"},
		{batch.MapOf(batch.TypeString, batch.TypeInt), m, "k | NULL"},
	} {
		s := batch.NewSchema(batch.Field{Name: "c", Type: c.t})
		names := []string{"x", "y"}
		n := operators.NewUnnest(newLeaf(s), 0, nil, false, false, names)
		var got []string
		err := open(t, n).Push(0, &batch.Batch{Schema: s, Cols: []batch.Vec{c.v}, N: 1}, func(b *batch.Batch) error {
			b.Each(func(i int) { got = append(got, optest.Text(b, i)) })
			return nil
		})
		if err != nil || strings.Join(got, "\n") != c.want {
			t.Errorf("%s: %q, %v", c.t, got, err)
		}
		for _, f := range n.Schema.Fields {
			if f.Type.NotNull {
				t.Errorf("%s: %s cannot be NULL", c.t, f.Name)
			}
		}
	}
}

// A large collection comes in chunks, and the row beside it is not copied for each element.
func TestUnnestOfManyElements(t *testing.T) {
	const many = 100_000
	s := optest.Schema("k STRING, a BIGINT[]")
	b := batch.New(s, 1)
	b.Cols[0].AppendString(strings.Repeat("x", 1<<20))
	for i := range int64(many) {
		b.Cols[1].Child[0].AppendInt(i)
	}
	b.Cols[1].AppendList(0)
	b.N = 1
	op := open(t, operators.NewUnnest(newLeaf(s), 1, []int{0}, false, false, []string{"x"}))
	next := int64(0)
	err := op.Push(0, b, func(b *batch.Batch) error {
		if b.Live() > batch.Chunk || len(b.Cols[0].Bytes(b.N-1)) != 1<<20 {
			t.Fatalf("%d rows at once, text of %d bytes", b.Live(), len(b.Cols[0].Bytes(b.N-1)))
		}
		b.Each(func(i int) {
			if b.Cols[1].I[i] != next {
				t.Fatalf("element %d, want %d", b.Cols[1].I[i], next)
			}
			next++
		})
		return nil
	})
	if err != nil || next != many {
		t.Errorf("%d elements, %v", next, err)
	}
}
