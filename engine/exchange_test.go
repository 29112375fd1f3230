package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// fake is a node whose operator is made by a function.
type fake struct {
	operators.Props
	operators.PassWM
	place []operators.Placement
	make  func(w int) operators.Operator
}

func (f *fake) Op() string                           { return "fake" }
func (f *fake) Detail() string                       { return "" }
func (f *fake) Place(i int) operators.Placement      { return f.place[i] }
func (f *fake) With([]operators.Node) operators.Node { return f }
func (f *fake) New(e *operators.Env) (operators.Operator, error) {
	return f.make(e.Worker), nil
}

var pair = batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeBigInt}, batch.Field{Name: "b", Type: batch.TypeBigInt})

func byCol(c int) operators.Placement {
	return operators.Placement{Kind: operators.ByKey, Keys: []int{c}}
}

// multiply emits each row n times, a row a batch, with b counted up.
type multiply struct {
	n     int
	fail  func() error
	owner func(in int, b *batch.Batch) error
	out   *batch.Batch
	busy  bool
}

func (m *multiply) Push(in int, b *batch.Batch, out operators.Emit) error {
	if m.busy {
		return errors.New("entered while on the stack")
	}
	m.busy = true
	defer func() { m.busy = false }()
	if err := m.fail(); err != nil {
		return err
	}
	if err := m.owner(in, b); err != nil {
		return err
	}
	for k := range b.Live() {
		i := b.Row(k)
		a, c := b.Cols[0].I[i], b.Cols[1].I[i]
		for j := range m.n {
			m.out.Reset()
			m.out.Cols[0].AppendInt(a)
			m.out.Cols[1].AppendInt(c*int64(m.n) + int64(j))
			m.out.AddWeight(1)
			if err := out(m.out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *multiply) EndStep([]operators.WM, operators.Emit) error { return m.fail() }

// gather counts what it is given, by row.
type gather struct {
	mu  *sync.Mutex
	got map[[2]int64]int
}

func (c *gather) Push(_ int, b *batch.Batch, _ operators.Emit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.Each(func(i int) { c.got[[2]int64{b.Cols[0].I[i], b.Cols[1].I[i]}]++ })
	return nil
}
func (c *gather) EndStep([]operators.WM, operators.Emit) error { return nil }

// cascade builds gen -> multiply by a -> multiply by b -> gather by a, with a
// second way from gen straight into the last multiply, and runs one step.
func cascade(workers, rows, n, outbox int, fail func(worker int) error) (map[[2]int64]int, error) {
	var mu sync.Mutex
	got := map[[2]int64]int{}
	owns := func(w int, cols ...int) func(int, *batch.Batch) error {
		return func(in int, b *batch.Batch) error {
			for k := range b.Live() {
				i := b.Row(k)
				key := []batch.Vec{b.Cols[cols[in]]}
				if to := int(batch.ShardOf(batch.HashRow(key, i))) % workers; to != w {
					return fmt.Errorf("row of worker %d on worker %d", to, w)
				}
			}
			return nil
		}
	}
	gen := &fake{Props: operators.Props{Schema: pair}, make: func(int) operators.Operator { return &gather{mu: &mu, got: map[[2]int64]int{}} }}
	mul := func(in []operators.Node, cols ...int) *fake {
		f := &fake{Props: operators.Props{Schema: pair, In: in}}
		for _, c := range cols {
			f.place = append(f.place, byCol(c))
		}
		f.make = func(w int) operators.Operator {
			return &multiply{n: n, fail: func() error { return fail(w) }, owner: owns(w, cols...), out: batch.New(pair, 1)}
		}
		return f
	}
	first := mul([]operators.Node{gen}, 0)
	second := mul([]operators.Node{first, gen}, 1, 0)
	third := mul([]operators.Node{second}, 0)
	last := &fake{Props: operators.Props{Schema: pair, In: []operators.Node{third}}, place: []operators.Placement{{}},
		make: func(int) operators.Operator { return &gather{&mu, got} }}

	inc := &incarnation{workers: workers, graph: layOut([]operators.Node{last}, workers), meeting: newMeeting(workers), outbox: outbox, counts: newCounts(),
		job: &Job{plan: &Plan{Plan: &dsl.Plan{}}}, mem: make([]*state.Worker, workers)}
	inc.graph.sinks = nil
	for id := range workers {
		w, err := newWorker(inc, id)
		if err != nil {
			return nil, err
		}
		w.source = func() error {
			b := batch.New(pair, rows)
			for i := range rows {
				b.Cols[0].AppendInt(int64(i % 7))
				b.Cols[1].AppendInt(int64(id*rows + i))
				b.AddWeight(1)
			}
			return w.emits[0](b)
		}
		inc.ws = append(inc.ws, w)
	}
	errs := make(chan error, workers)
	for _, w := range inc.ws {
		go func() { errs <- w.step() }()
	}
	var err error
	for range workers {
		select {
		case e := <-errs:
			if e != nil && (err == nil || errors.Is(err, errStepAborted)) {
				err = e
			}
		case <-time.After(30 * time.Second):
			return nil, errors.New("deadlock")
		}
	}
	return got, err
}

func never(int) error { return nil }

func TestExchangeLosesNothing(t *testing.T) {
	want, err := cascade(1, 40, 3, outboxBytes, never)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Fatal("nothing came out")
	}
	for _, outbox := range []int{1, 200, 5000, outboxBytes} {
		for workers := 2; workers <= 4; workers++ {
			// The same rows whatever the number of workers that make them.
			got, err := cascade(workers, 40, 3, outbox, never)
			if err != nil {
				t.Fatalf("outbox %d, workers %d: %v", outbox, workers, err)
			}
			n, m := 0, 0
			for _, c := range got {
				n += c
			}
			for _, c := range want {
				m += c
			}
			if n != m*workers {
				t.Fatalf("outbox %d, workers %d: %d rows, want %d", outbox, workers, n, m*workers)
			}
		}
	}
}

// A failure at any push or meeting ends the step on all workers.
func TestExchangeFailsEverywhere(t *testing.T) {
	boom := errors.New("boom")
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		workers := 2 + r.IntN(3)
		victim, at := r.IntN(workers), r.IntN(120)
		n := make([]int, workers)
		_, err := cascade(workers, 20, 3, 1+r.IntN(400), func(w int) error {
			if n[w]++; w == victim && n[w] == at+1 {
				return boom
			}
			return nil
		})
		if n[victim] > at && !errors.Is(err, boom) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err != nil && !errors.Is(err, boom) {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// merging is a fake whose operator can do with the first row of each batch.
type merging struct{ fake }

func (m *merging) Combine(*operators.Env) func(*batch.Batch) *batch.Batch {
	return func(b *batch.Batch) *batch.Batch {
		return &batch.Batch{Schema: b.Schema, Cols: b.Cols, N: b.N, Sel: []int32{0}}
	}
}

// Rows are merged before they are sent, once, and not where they are not sent.
func TestExchangeMergesFirst(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		src := &fake{Props: operators.Props{Schema: pair}, make: func(int) operators.Operator { return &gather{mu: &sync.Mutex{}, got: map[[2]int64]int{}} }}
		to := &merging{*src}
		to.Props.In, to.place = []operators.Node{src}, []operators.Placement{byCol(0)}
		inc := &incarnation{workers: workers, graph: layOut([]operators.Node{to}, workers), outbox: outboxBytes, counts: newCounts(),
			job: &Job{plan: &Plan{Plan: &dsl.Plan{}}}, mem: make([]*state.Worker, workers)}
		inc.graph.sinks = nil
		w, err := newWorker(inc, 0)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			b := batch.New(pair, 8)
			for i := range 8 {
				b.Cols[0].AppendInt(int64(i))
				b.Cols[1].AppendInt(0)
				b.AddWeight(1)
			}
			if err := w.emits[0](b); err != nil {
				t.Fatal(err)
			}
			sent, here := 0, len(w.ops[1].(*gather).got)
			for _, x := range w.exch {
				for _, bx := range x.boxes {
					for k := 0; bx != nil && k < len(bx.batches); k++ {
						sent += bx.batches[k].N
					}
				}
			}
			if workers == 1 && (sent != 0 || here != 8) || workers > 1 && (sent != n || here != 0) {
				t.Errorf("%d workers, batch %d: %d rows sent, %d pushed", workers, n, sent, here)
			}
		}
	}
}

// TestRouteKeepsPlacement: the node's other edges find the batch placed as it was.
func TestRouteKeepsPlacement(t *testing.T) {
	e := &edge{kind: operators.ByKey, keys: []int{1}}
	w := &worker{inc: &incarnation{workers: 2, outbox: 1 << 20}, exch: []*exchange{{edge: e, boxes: make([]*box, 2), idx: make([][]int32, 2)}}}
	b := batch.New(pair, 10)
	for i := range int64(10) {
		b.Cols[0].AppendInt(i)
		b.Cols[1].AppendInt(-i)
		b.N++
	}
	for _, placed := range [][]uint64{nil, make([]uint64, 10)} {
		b.Hash = placed
		if err := w.route(e, b); err != nil {
			t.Fatal(err)
		}
		if len(b.Hash) != len(placed) || len(placed) > 0 && &b.Hash[0] != &placed[0] {
			t.Errorf("%d hashes, want %d", len(b.Hash), len(placed))
		}
	}
}
