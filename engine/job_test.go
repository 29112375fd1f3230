package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/engine/simtest"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
)

// handBuilt is SELECT k, COUNT(*), SUM(v) FROM table GROUP BY k over a simulated
// world, without a text.
func handBuilt(t *testing.T, w *simtest.World, table string) *Plan {
	t.Helper()
	def := func(name string, cols ...string) *connectors.TableDef {
		d := &connectors.TableDef{Name: name, Schema: &batch.Schema{}, Options: &connectors.Options{List: []connectors.Option{{Key: "name", Value: name}}}}
		for _, c := range cols {
			typ := batch.TypeBigInt
			if c == "ts" {
				typ = batch.TypeTS3
			}
			d.Schema.Fields = append(d.Schema.Fields, batch.Field{Name: c, Type: typ})
		}
		return d
	}
	c := w.Connector()
	in := def(table, "id", "k", "v", "ts")
	src, err := c.Source(in)
	if err != nil {
		t.Fatal(err)
	}
	scan := operators.NewScan(operators.ScanSpec{Table: table, Source: src, Schema: in.Schema, Physical: 4, WMCol: 3,
		WMExpr: expr.NewCol(3, in.Schema.Fields[3]), Bounded: true, Want: connectors.Want{Cols: []bool{true, true, true, true}}})
	scan.Ident = "scan-" + table
	agg := func(name string, args ...int) operators.AggCall {
		f, ok := funcs.LookupAgg(name)
		if !ok {
			t.Fatal(name)
		}
		var types []batch.Type
		for _, a := range args {
			types = append(types, in.Schema.Fields[a].Type)
		}
		fn, err := f.Bind(types, false)
		if err != nil {
			t.Fatal(err)
		}
		return operators.AggCall{Fn: fn, Args: args, Filter: -1, Name: name}
	}
	out := def("out", "k", "n", "s")
	a := operators.NewAggregate(scan, []int{1}, []operators.AggCall{agg("COUNT"), agg("SUM", 2)}, out.Schema.Fields)
	a.Ident = "agg-" + table
	sink, err := c.Sink(out)
	if err != nil {
		t.Fatal(err)
	}
	s, err := operators.NewSink(a, operators.SinkSpec{Table: "out", Sink: sink, Schema: out.Schema})
	if err != nil {
		t.Fatal(err)
	}
	s.Ident = "sink"
	return &Plan{Plan: &dsl.Plan{Sinks: []operators.Node{s}, Settings: dsl.Settings{EpochInterval: time.Millisecond}}}
}

func want(t *simtest.Table) simtest.Bag {
	type g struct {
		k    simtest.Val
		n, s int64
		some bool
	}
	groups := map[string]*g{}
	for _, e := range t.Events {
		key := simtest.Row{e.K}.Text()
		if groups[key] == nil {
			groups[key] = &g{k: e.K}
		}
		x := groups[key]
		x.n += e.W
		if e.V != nil {
			x.s += e.W * *e.V
		}
	}
	for _, e := range t.Events {
		if x := groups[simtest.Row{e.K}.Text()]; e.V != nil {
			x.some = true
		}
	}
	b := simtest.Bag{}
	for _, x := range groups {
		if x.n > 0 {
			row := simtest.Row{x.k, simtest.V(x.n), nil}
			if x.some {
				row[2] = simtest.V(x.s)
			}
			b[row.Text()] = 1
		}
	}
	return b
}

func TestEphemeralJob(t *testing.T) {
	for workers := 1; workers <= 4; workers++ {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			tables := simtest.RandomTables(rand.New(rand.NewPCG(1, 2)), 5000)
			w := simtest.NewWorld(tables)
			e, err := Open(t.Context(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			j, err := e.Start(t.Context(), "job", handBuilt(t, w, "a"), JobOptions{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := j.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			if d := simtest.Diff(w.Out("out"), want(tables["a"])); d != "" {
				t.Fatal(d)
			}
			if s, _ := j.State(); s != Finished {
				t.Fatal(s)
			}
		})
	}
}

// closing counts how often a sink is closed.
type closing struct {
	connectors.Sink
	n int
}

func (c *closing) Close() error { c.n++; return c.Sink.Close() }

// TestJobClosesItsTables runs a job to its end: its sink is closed once Wait returns.
func TestJobClosesItsTables(t *testing.T) {
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := handBuilt(t, simtest.NewWorld(simtest.RandomTables(rand.New(rand.NewPCG(1, 2)), 10)), "a")
	spec := &p.Sinks[0].(*operators.SinkNode).Spec
	c := &closing{Sink: spec.Sink}
	spec.Sink = c
	j, err := e.Start(t.Context(), "job", p, JobOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context()); err != nil || c.n != 1 {
		t.Fatalf("closed %d times, want once; %v", c.n, err)
	}
}

// counting counts the calls that an epoch or an incarnation makes once.
type counting struct {
	connectors.Sink
	opens, seals int
}

func (c *counting) Open(ctx context.Context) error { c.opens++; return c.Sink.Open(ctx) }

func (c *counting) Seal() (connectors.Sealed, error) { c.seals++; return c.Sink.Seal() }

// TestInsertsShareASink writes one table by two INSERTs: it is opened once, and
// sealed once an epoch.
func TestInsertsShareASink(t *testing.T) {
	epochs := 0
	e, err := Open(t.Context(), Options{Events: Events{Epoch: func(*Job, EpochInfo) { epochs++ }}})
	if err != nil {
		t.Fatal(err)
	}
	tables := simtest.RandomTables(rand.New(rand.NewPCG(1, 2)), 1000)
	w := simtest.NewWorld(tables)
	p := handBuilt(t, w, "a")
	first := p.Sinks[0].(*operators.SinkNode)
	c := &counting{Sink: first.Spec.Sink}
	first.Spec.Sink = c
	second, err := operators.NewSink(first.In[0], first.Spec)
	if err != nil {
		t.Fatal(err)
	}
	second.Ident = "second"
	p.Sinks = append(p.Sinks, second)
	j, err := e.Start(t.Context(), "job", p, JobOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.opens != 1 || c.seals != epochs || epochs == 0 {
		t.Errorf("opened %d times, sealed %d times in %d epochs", c.opens, c.seals, epochs)
	}
	twice := simtest.Bag{}
	for k, n := range want(tables["a"]) {
		twice[k] = 2 * n
	}
	if d := simtest.Diff(w.Out("out"), twice); d != "" {
		t.Error(d)
	}
}
