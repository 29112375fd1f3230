package operators_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/state"
)

// memSink keeps what it is given as lines "+I 1 | x".
type memSink struct {
	accepts connectors.Changelog
	rows    []string
	pushes  int
}

func (s *memSink) Info() connectors.SinkInfo             { return connectors.SinkInfo{Accepts: s.accepts} }
func (s *memSink) Open(context.Context) error            { return nil }
func (s *memSink) Writer(int) (connectors.Writer, error) { return s, nil }
func (s *memSink) Seal() (connectors.Sealed, error)      { return nil, nil }
func (s *memSink) Close() error                          { return nil }
func (s *memSink) Room() bool                            { return true }

func (s *memSink) Push(c connectors.Changes) error {
	s.pushes++
	if c.B.Live() > batch.Chunk {
		return fmt.Errorf("%d rows at once", c.B.Live())
	}
	c.B.Each(func(i int) {
		k := connectors.Insert
		if c.Kinds != nil {
			k = c.Kinds[i]
		}
		w := c.B.Weight(i)
		if (w < 0) != (k == connectors.UpdateBefore || k == connectors.Delete) {
			panic(fmt.Sprintf("weight %d goes out as %s", w, k))
		}
		for range max(w, -w) {
			s.rows = append(s.rows, k.String()+" "+optest.Text(c.B, i))
		}
	})
	return nil
}

func (s *memSink) take() string { r := strings.Join(s.rows, "\n"); s.rows = nil; return r }

// sinkTest pushes steps of rows into a sink over an input and returns what went
// out in each.
func sinkTest(t *testing.T, s *memSink, input optest.Input, spec operators.SinkSpec, steps ...string) (got []string, rejects []string) {
	t.Helper()
	src := optest.Source(input)
	spec.Sink = s
	if spec.Schema == nil {
		spec.Schema = src.Base().Schema
	}
	n, err := operators.NewSink(src, spec)
	if err != nil {
		t.Fatal(err)
	}
	n.Ident = "sink"
	op, err := n.New(&operators.Env{Workers: 1, State: state.NewMem(0, 1), Now: func() int64 { return 0 }, Prev: func(int) operators.WM { return operators.WMStart },
		Reject: func(r operators.Reject) error {
			for _, e := range r.Rows {
				rejects = append(rejects, r.Reason.String()+" "+e.Code)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range steps {
		for _, part := range strings.Split(rows, "\n--\n") { // a step of several batches
			if err := op.Push(0, optest.Parse(src.Base().Schema, part), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := op.EndStep([]operators.WM{0}, nil); err != nil {
			t.Fatal(err)
		}
		got = append(got, s.take())
	}
	return got, rejects
}

func TestSinks(t *testing.T) {
	kv := "k INT, v STRING"
	keyed := optest.Input{Name: "t", Schema: kv, Mode: operators.Upsert, Keys: [][]int{{0}}}
	other := optest.Input{Name: "t", Schema: kv, Mode: operators.Upsert, Keys: [][]int{{1}}}
	for _, c := range []struct {
		name    string
		accepts connectors.Changelog
		in      optest.Input
		spec    operators.SinkSpec
		steps   []string
		want    []string
	}{
		{"append", connectors.AppendOnly, in("t", kv), operators.SinkSpec{}, []string{"1|a\n+2|2|NULL\n--\n1|a"}, []string{"+I 1 | a\n+I 2 | NULL\n+I 2 | NULL\n+I 1 | a"}},
		{"hidden columns end here", connectors.AppendOnly, in("t", kv+", $pos BIGINT"), operators.SinkSpec{Schema: optest.Schema(kv)}, []string{"1|a|9"}, []string{"+I 1 | a"}},
		{"retract by key", connectors.Retracts, keyed, operators.SinkSpec{},
			[]string{"1|a\n2|b", "+1|1|c\n+1|3|x\n--\n-1|1|a\n-1|2|b", "-1|1|c\n+1|1|c\n-1|3|x\n+1|3|y\n+1|4|p\n-1|4|p"},
			[]string{"+I 1 | a\n+I 2 | b", "-U 1 | a\n+U 1 | c\n+I 3 | x\n-D 2 | b", "-U 3 | x\n+U 3 | y"}},
		{"retract without key", connectors.Retracts, changes("t", kv), operators.SinkSpec{},
			[]string{"+2|1|a", "+1|1|b\n-1|1|a"}, []string{"+I 1 | a\n+I 1 | a", "-D 1 | a\n+I 1 | b"}},
		{"upsert nets a step", connectors.Upserts, keyed, operators.SinkSpec{PrimaryKey: []int{0}},
			[]string{"1|a\n2|b\n3|c", "+1|1|z\n-1|2|b\n--\n-1|1|a\n-1|3|c\n+1|3|c\n+1|4|d\n-1|4|d"},
			[]string{"+I 1 | a\n+I 2 | b\n+I 3 | c", "+I 1 | z\n-D 2 | b"}},
		{"materialize (S6)", connectors.Upserts, other, operators.SinkSpec{PrimaryKey: []int{0}},
			[]string{"1|a", "1|b", "-1|1|b", "-1|1|a", "-1|2|q\n+1|2|q"},
			[]string{"+I 1 | a", "+I 1 | b", "+I 1 | a", "-D 1 | a", ""}},
		{"materialize, an older row goes", connectors.Upserts, other, operators.SinkSpec{PrimaryKey: []int{0}},
			[]string{"1|a\n1|b\n1|c", "-1|1|a", "-1|1|c"}, []string{"+I 1 | c", "", "+I 1 | b"}},
		{"do nothing (S7)", connectors.Upserts, in("t", kv), operators.SinkSpec{PrimaryKey: []int{0}, OnConflict: "NOTHING"},
			[]string{"1|a\n1|b", "1|c\n2|d"}, []string{"+I 1 | a", "+I 2 | d"}},
		{"trim and pad", connectors.AppendOnly, in("t", "a STRING, b STRING"),
			operators.SinkSpec{LengthEnforcer: "trim-pad", Schema: optest.Schema("a VARCHAR(2), b CHAR(3)")},
			[]string{"äöü|x\na|wxyz\nNULL|NULL"}, []string{"+I äö | x  \n+I a | wxy\n+I NULL | NULL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, rejects := sinkTest(t, &memSink{accepts: c.accepts}, c.in, c.spec, c.steps...)
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n==\n"), strings.Join(c.want, "\n==\n"))
			}
			if rejects != nil {
				t.Errorf("rejected %v", rejects)
			}
		})
	}
}

func TestSinkConstraints(t *testing.T) {
	table := optest.Schema("k INT NOT NULL, v STRING")
	for _, drop := range []bool{false, true} {
		got, rejects := sinkTest(t, &memSink{}, in("t", "k INT, v STRING"), operators.SinkSpec{Schema: table, NotNullDrop: drop}, "1|a\nNULL|b\n2|NULL")
		want := []string{"failed " + operators.CodeNotNull}
		if drop {
			want[0] = "not-null " + operators.CodeNotNull
		}
		if got[0] != "+I 1 | a\n+I 2 | NULL" || !slices.Equal(rejects, want) {
			t.Errorf("drop %v: %q, rejected %v", drop, got, rejects)
		}
	}
	long := optest.Schema("k INT, v STRING")
	long.Fields[1].Type.P = 2
	got, rejects := sinkTest(t, &memSink{}, in("t", "k INT, v STRING"), operators.SinkSpec{Schema: long, LengthEnforcer: "error"}, "1|ab\n1|abc")
	if got[0] != "+I 1 | ab" || !slices.Equal(rejects, []string{"failed " + operators.CodeTooLong}) {
		t.Errorf("%q, rejected %v", got, rejects)
	}
	_, rejects = sinkTest(t, &memSink{accepts: connectors.Upserts}, in("t", "k INT, v STRING"), operators.SinkSpec{PrimaryKey: []int{0}, OnConflict: "ERROR"}, "1|a", "1|b")
	if !slices.Equal(rejects, []string{"failed " + operators.CodeDuplicate}) {
		t.Errorf("do error: %v", rejects)
	}
	_, err := operators.NewSink(optest.Source(changes("t", "k INT")), operators.SinkSpec{Table: "out", Sink: &memSink{}, Schema: optest.Schema("k INT")})
	if pe, ok := err.(*operators.PlanError); !ok || pe.Code != operators.CodeSinkMode || !strings.Contains(pe.Msg, "input t") {
		t.Errorf("append sink of updates: %v", err)
	}
}

// A step of many rows goes out in chunks, and netted over all of them.
func TestUpsertSinkOfManyRows(t *testing.T) {
	s := &memSink{accepts: connectors.Upserts}
	var add, take strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&add, "%d|a\n", i)
		fmt.Fprintf(&take, "-1|%d|a\n", i)
	}
	keyed := optest.Input{Name: "t", Schema: "k INT, v STRING", Mode: operators.Upsert, Keys: [][]int{{0}}}
	all := add.String()
	got, _ := sinkTest(t, s, keyed, operators.SinkSpec{PrimaryKey: []int{0}},
		all, strings.ReplaceAll(all, "a", "b")+"--\n"+strings.ReplaceAll(all, "a", "c")+"--\n"+strings.ReplaceAll("-1|"+strings.ReplaceAll(strings.TrimSpace(all), "\n", "\n-1|"), "a", "b")+"\n--\n"+take.String())
	if n := strings.Count(got[1], "\n") + 1; n != 30_000 || strings.Contains(got[1], "b") || strings.Contains(got[1], "-D") {
		t.Errorf("%d rows, first %q", n, got[1][:min(80, len(got[1]))])
	}
}
