package engine

import (
	"fmt"
	"math"
	"runtime/debug"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/invariants"
	"github.com/streamd/streamd/operators"
)

// worker runs one copy of the DAG. Everything of it is touched by its own
// goroutine in a step and by the driver between steps.
type worker struct {
	inc     *incarnation
	id      int
	ops     []operators.Operator // by node
	emits   []operators.Emit     // by node: where its output goes
	stack   []int                // by node: > 0 while it is being called
	pending []int                // by exchange: boxes of it that have arrived and wait
	exch    []*exchange
	reads   []*reading       // by scan
	letters []*letterWriter  // by target of dead letters
	pushing *reading         // whose rows are on their way through stage 0; else nil
	wm      [][]operators.WM // by node and input: after this step
	prev    [][]operators.WM // after the last one
	rows    []int64          // by node: rows emitted
	timed   []operators.Timed
	source  func() error // reads and pushes through stage 0; tests replace it
}

// newWorker builds the instances of one worker.
func newWorker(inc *incarnation, id int) (*worker, error) {
	g := inc.graph
	n := len(g.nodes)
	w := &worker{inc: inc, id: id, ops: make([]operators.Operator, n), emits: make([]operators.Emit, n), stack: make([]int, n),
		pending: make([]int, len(g.exch)), wm: make([][]operators.WM, n), prev: make([][]operators.WM, n), rows: make([]int64, n)}
	w.source = w.read
	var err error
	if w.letters, err = inc.newLetterWriters(id); err != nil {
		return nil, err
	}
	for _, e := range g.exch {
		x := &exchange{edge: e, boxes: make([]*box, inc.workers), idx: make([][]int32, inc.workers)}
		if c, ok := e.to.node.(operators.Combining); ok && e.kind != operators.Broadcast {
			env := inc.env(w, e.to)
			env.State = nil
			x.merge = c.Combine(env)
		}
		w.exch = append(w.exch, x)
	}
	for _, x := range g.nodes {
		ins := max(1, len(x.in))
		w.wm[x.id], w.prev[x.id] = make([]operators.WM, ins), make([]operators.WM, ins)
		for i := range ins {
			w.wm[x.id][i], w.prev[x.id][i] = operators.WMStart, operators.WMStart
		}
		op, err := x.node.New(inc.env(w, x))
		if err != nil {
			return nil, err
		}
		w.ops[x.id] = op
		w.emits[x.id] = w.emit(x)
		if t, ok := op.(operators.Timed); ok {
			w.timed = append(w.timed, t)
		}
	}
	for _, x := range g.scans {
		w.reads = append(w.reads, newReading(inc, w, x))
	}
	return w, nil
}

// emit returns the function by which node x hands its output on.
func (w *worker) emit(x *gnode) operators.Emit {
	outs, id := x.outs, x.id
	return func(b *batch.Batch) error {
		n := b.Live()
		if n == 0 {
			return nil
		}
		if w.inc.job.late.Load() {
			return errStepTooLong
		}
		if invariants.Enabled {
			x.check(b)
		}
		w.rows[id] += int64(n)
		for _, e := range outs {
			var err error
			if e.exch >= 0 {
				err = w.route(e, b)
			} else {
				err = w.push(e, b)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) push(e *edge, b *batch.Batch) error {
	id := e.to.id
	w.stack[id]++
	err := w.ops[id].Push(e.input, b, w.emits[id])
	w.stack[id]--
	return err
}

// step runs one step; a fault on any worker ends it on all.
func (w *worker) step() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
		if err != nil {
			w.inc.meeting.abort(err)
		}
	}()
	for i := range w.stack {
		w.stack[i] = 0
	}
	if err := w.source(); err != nil {
		return err
	}
	for s := range w.inc.graph.stages {
		for quiet := false; !quiet; {
			if quiet, err = w.meet(true); err != nil {
				return err
			}
		}
		if s == 0 {
			w.advance()
		}
		for _, x := range w.inc.graph.nodes {
			if x.stage != s {
				continue
			}
			w.stack[x.id]++
			if err := w.ops[x.id].EndStep(w.wm[x.id], w.emits[x.id]); err != nil {
				return err
			}
			w.stack[x.id]--
		}
	}
	return nil
}

// meet goes to the meeting and pushes what it brings.
func (w *worker) meet(done bool) (quiet bool, err error) {
	p := post{done: done, accept: make([]bool, len(w.exch)), boxes: make([][]*box, len(w.exch))}
	for i, x := range w.exch {
		p.boxes[i] = x.boxes
		p.accept[i] = w.pending[i] == 0 && !w.onStack(x.edge.reach)
	}
	for _, r := range w.reads {
		s := r.state()
		p.state = append(p.state, s)
	}
	in, quiet, err := w.inc.meeting.meet(w.id, p, w.inc.graph.exch)
	if err != nil {
		return false, err
	}
	for _, x := range w.exch {
		x.taken()
	}
	for _, d := range in {
		w.pending[d.edge.exch]++
	}
	for _, d := range in {
		for _, b := range d.box.batches {
			if invariants.Enabled {
				d.edge.from.check(b)
			}
			if err := w.push(d.edge, b); err != nil {
				return false, err
			}
			if invariants.Enabled {
				b.Reset()
			}
		}
		w.exch[d.edge.exch].keep(d.box.batches)
		w.pending[d.edge.exch]--
	}
	return quiet, nil
}

func (w *worker) onStack(nodes []int) bool {
	for _, n := range nodes {
		if w.stack[n] > 0 {
			return true
		}
	}
	return false
}

// advance takes over the watermarks that the meeting agreed on.
func (w *worker) advance() {
	out := make([]operators.WM, len(w.inc.graph.nodes))
	for _, x := range w.inc.graph.nodes {
		if x.scan >= 0 {
			out[x.id] = w.inc.tables[x.scan].wm
			w.wm[x.id][0] = out[x.id]
			continue
		}
		for i, e := range x.in {
			w.wm[x.id][i] = max(w.wm[x.id][i], out[e.from.id])
		}
		out[x.id] = x.node.OutWM(w.wm[x.id])
	}
}

// settle makes this step's watermarks those of the last step. The driver calls
// it between steps.
func (w *worker) settle() {
	for i := range w.wm {
		copy(w.prev[i], w.wm[i])
	}
}

// due is the earliest processing time at which an operator wants a step.
func (w *worker) due() int64 {
	t := int64(math.MaxInt64)
	for _, x := range w.timed {
		t = min(t, x.Due())
	}
	return t
}

// recovered is the error of a panic of ours.
func recovered(r any) error {
	if large, ok := r.(batch.TooLarge); ok {
		return &connectors.Permanent{Code: "SD6010", Err: large}
	}
	return &BugError{Value: r, Stack: debug.Stack()}
}

// BugError is a fault of streamd itself.
type BugError struct {
	Value any
	Stack []byte
}

func (e *BugError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }
