package print

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/conntest"
)

func f(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }

// allTypes is one row with a value of every type, and one of NULLs.
func allTypes() *batch.Batch {
	row := batch.Type{SQL: batch.RowType, Fields: []batch.Field{f("x", batch.TypeInt), f("y", batch.TypeString)}}
	s := batch.NewSchema(f("b", batch.TypeBool), f("i", batch.TypeInt), f("d", batch.TypeDouble), f("f", batch.Type{SQL: batch.Float32}), f("n", batch.TypeDouble),
		f("dec", batch.DecimalOf(10, 2)), f("wide", batch.DecimalOf(30, 1)), f("s", batch.TypeString), f("by", batch.TypeBytes), f("dt", batch.TypeDate),
		f("tm", batch.Type{SQL: batch.Time}), f("ts", batch.TypeTS3), f("ltz", batch.TypeLTZ3), f("iv", batch.Type{SQL: batch.IntervalDay}), f("im", batch.Type{SQL: batch.IntervalMonth}),
		f("r", row), f("a", batch.ArrayOf(batch.TypeInt)), f("m", batch.MapOf(batch.TypeString, batch.TypeInt)), f("ms", batch.MultisetOf(batch.TypeString)))
	b := batch.New(s, 2)
	c := b.Cols
	c[0].AppendBool(true)
	c[1].AppendInt(-5)
	c[2].AppendFloat(1e10)
	c[3].AppendFloat(float64(float32(0.1)))
	c[4].AppendFloat(math.NaN())
	c[5].AppendInt(150)
	c[6].AppendWide(batch.Int128From(-5))
	c[7].AppendString("a\nb\\\"c")
	c[8].AppendBytes([]byte("a"))
	c[9].AppendInt(batch.Days(2026, 1, 1))
	c[10].AppendInt(36_000_000_000)
	ts := batch.Days(2026, 1, 1)*batch.Day + 120_000
	c[11].AppendInt(ts)
	c[12].AppendInt(batch.Days(2026, 1, 1) * batch.Day)
	c[13].AppendInt(1_500_000)
	c[14].AppendInt(13)
	c[15].Child[0].AppendInt(1)
	c[15].Child[1].AppendString("q")
	c[16].Child[0].AppendInt(1)
	c[16].Child[0].AppendNull()
	c[16].AppendList(0)
	c[17].Child[0].AppendString("k")
	c[17].Child[1].AppendInt(7)
	c[17].AppendList(0)
	c[18].Child[0].AppendString("e")
	c[18].Child[1].AppendInt(2)
	c[18].AppendList(0)
	b.AddWeight(1)
	for i := range c {
		c[i].AppendNull()
	}
	b.AddWeight(1)
	return b
}

func TestText(t *testing.T) {
	b := allTypes()
	r := Renderer{Schema: b.Schema, Identifier: "id"}
	want := `id> +I[true, -5, 1e+10, 0.1, NaN, 1.50, -0.5, a\nb\\"c, x'61', 2026-01-01, 10:00:00, 2026-01-01T00:00:00.12, 2026-01-01T00:00:00Z, 1500, 13, (1, q), [1, NULL], {k=7}, {e=2}]` + "\n"
	if got := string(r.Append(nil, b, 0, connectors.Insert)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	r.Identifier = ""
	want = "-U[" + strings.Repeat("NULL, ", 18) + "NULL]\n"
	if got := string(r.Append(nil, b, 1, connectors.UpdateBefore)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	b := allTypes()
	r := Renderer{Schema: b.Schema, JSON: true, Sink: "o"}
	want := `{"op":"+U","sink":"o","row":{"b":true,"i":-5,"d":1e+10,"f":0.1,"n":"NaN","dec":1.50,"wide":-0.5,"s":"a\nb\\\"c","by":"YQ==","dt":"2026-01-01","tm":"10:00:00","ts":"2026-01-01 00:00:00.12","ltz":"2026-01-01 00:00:00Z","iv":1500,"im":13,"r":{"x":1,"y":"q"},"a":[1,null],"m":{"k":7},"ms":{"e":2}}}` + "\n"
	got := string(r.Append(nil, b, 0, connectors.UpdateAfter))
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for i := range 2 {
		if line := r.Append(nil, b, i, connectors.Delete); !json.Valid(line) {
			t.Errorf("%s is not JSON", line)
		}
	}
	r = Renderer{Schema: batch.NewSchema(f("EXPR$0", batch.TypeInt)), JSON: true, Stmt: 2}
	one := batch.New(r.Schema, 1)
	one.Cols[0].AppendInt(1)
	if got, want := string(r.Append(nil, one, 0, connectors.Insert)), `{"op":"+I","sink":"","stmt":2,"row":{"EXPR$0":1}}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSinkDeliversAfterDecision(t *testing.T) {
	var out, errs bytes.Buffer
	job := &connectors.Job{Stdout: &out, Stderr: &errs, Format: "text"}
	s := batch.NewSchema(f("a", batch.TypeInt))
	k, err := newSink(&connectors.TableDef{Name: "o", Schema: s, Options: &connectors.Options{}, Job: job})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w0, _ := k.Writer(0)
	w1, _ := k.Writer(1)
	b := batch.New(s, 2)
	b.Cols[0].AppendInt(1)
	b.AddWeight(-1)
	b.Cols[0].AppendInt(2)
	b.AddWeight(2)
	_ = w1.Push(connectors.Changes{B: b})
	_ = w0.Push(connectors.Changes{B: b, Kinds: []connectors.Kind{connectors.UpdateBefore, connectors.UpdateAfter}})
	e, _ := k.Seal()
	_ = w0.Push(connectors.Changes{B: b})
	staged, _ := e.Prepare(ctx, connectors.EpochID{Number: 1})
	if e.Rows() != 6 || out.Len() > 0 {
		t.Fatalf("%d rows; printed before the decision: %q", e.Rows(), out.String())
	}
	if err := k.Deliver(ctx, connectors.EpochID{Number: 1}, staged); err != nil {
		t.Fatal(err)
	}
	if want := "-U[1]\n+U[2]\n+U[2]\n-D[1]\n+I[2]\n+I[2]\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	e, _ = k.Seal()
	if e.Rows() != 3 {
		t.Errorf("the next epoch has %d rows", e.Rows())
	}
}

// While lines of an epoch are not taken, a worker gathers so many behind them and no more.
func TestRoomBehindASlowReader(t *testing.T) {
	k, err := newSink(&connectors.TableDef{Name: "o", Schema: batch.NewSchema(f("s", batch.TypeString)), Options: &connectors.Options{}, Job: &connectors.Job{Stdout: &bytes.Buffer{}}})
	if err != nil {
		t.Fatal(err)
	}
	w, _ := k.Writer(0)
	b := batch.New(k.render.Schema, 1)
	b.Cols[0].AppendString(strings.Repeat("x", maxOwed))
	b.AddWeight(1)
	room := func(want bool, when string) {
		t.Helper()
		if w.Room() != want {
			t.Errorf("%s: room is %t", when, !want)
		}
	}
	_ = w.Push(connectors.Changes{B: b})
	room(true, "nothing is owed")
	e, _ := k.Seal()
	room(true, "nothing came since")
	_ = w.Push(connectors.Changes{B: b})
	room(false, "lines are owed")
	staged, _ := e.Prepare(t.Context(), connectors.EpochID{Number: 1})
	if err := k.Deliver(t.Context(), connectors.EpochID{Number: 1}, staged); err != nil {
		t.Fatal(err)
	}
	room(true, "they are written")
}

func TestConformance(t *testing.T) {
	var out bytes.Buffer
	s := batch.NewSchema(f("a", batch.TypeInt))
	conntest.Sink(t, conntest.SinkCase{
		Schema: s,
		Open: func(t testing.TB) connectors.Sink {
			k, err := newSink(&connectors.TableDef{Name: "o", Schema: s, Options: &connectors.Options{}, Job: &connectors.Job{Stdout: &out}})
			if err != nil {
				t.Fatal(err)
			}
			return k
		},
		Row:  func(b *batch.Batch, n int) { b.Cols[0].AppendInt(int64(n)) },
		Line: func(n int) string { return fmt.Sprintf("+I[%d]", n) },
		Read: func(testing.TB) []string { return strings.Fields(out.String()) },
	})
}
