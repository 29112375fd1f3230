package operators

import (
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// New returns the scan's operator on one worker.
func (n *Scan) New(env *Env) (Operator, error) {
	o := &ScanOp{n: n, env: env, ctx: env.Expr(), splits: map[int]*splitClock{}}
	for _, e := range n.Spec.Computed {
		o.computed = append(o.computed, expr.Compile([]expr.Expr{e}))
	}
	o.hidden = len(n.ReaderSchema().Fields) - n.Spec.Physical
	if n.Spec.WMCol >= 0 {
		o.wm = expr.Compile([]expr.Expr{n.Spec.WMExpr})
	}
	return o, nil
}

// ScanOp is a running scan. The engine tells it of the splits its worker reads
// (Open, Close), pushes what their readers return, with Runs, and after the step
// asks each split's watermark. Env.Prev(0) of a scan is its table's watermark.
type ScanOp struct {
	n        *Scan
	env      *Env
	ctx      *expr.Ctx
	computed []*expr.Prog
	wm       *expr.Prog
	hidden   int // columns $pos, $raw of the reader
	splits   map[int]*splitClock
	cols     []batch.Vec
	nulls    []int32
	event    batch.Vec
	row      rows

	// Others returns, under on-event, the least watermark of all other splits of
	// the table as of the last step; nil = there are none.
	Others func(split int) WM
	// Future counts rows too far ahead to move the watermark.
	Future int64
}

// splitClock is the event time of one split.
type splitClock struct {
	wm   WM
	idle bool
	seen int64 // step time of the last row
}

// Open starts a split's clock with what was saved of it.
func (o *ScanOp) Open(split int, wm WM, idle bool) {
	o.splits[split] = &splitClock{wm: wm, idle: idle, seen: o.env.Now()}
}

// Close forgets a split.
func (o *ScanOp) Close(split int) { delete(o.splits, split) }

// SplitWM returns the watermark of a split and whether it is idle, which takes
// it out of its table's minimum.
func (o *ScanOp) SplitWM(split int) (wm WM, idle bool) {
	s := o.clock(split)
	if t := o.n.Spec.IdleTimeout; t > 0 && o.env.Now()-s.seen >= t {
		s.idle = true
	}
	return s.wm, s.idle
}

// Raise moves a split's watermark as a row does whose watermark is wm, unless it is beyond it.
func (o *ScanOp) Raise(split int, wm int64) {
	c := o.clock(split)
	c.raise(wm)
	c.seen, c.idle = o.env.Now(), false
}

func (c *splitClock) raise(wm int64) {
	if WM(wm) >= c.wm {
		c.wm = WM(batch.FloorDiv(wm, 1000)*1000 + 1000)
	}
}

func (o *ScanOp) clock(split int) *splitClock {
	s := o.splits[split]
	if s == nil {
		s = &splitClock{wm: WMStart, seen: o.env.Now()}
		o.splits[split] = s
	}
	return s
}

// Push computes columns, moves the clocks of the splits, and emits.
func (o *ScanOp) Push(_ int, b *batch.Batch, out Emit) error {
	p := o.n.Spec.Physical
	r := batch.Batch{Schema: o.n.Schema, N: b.N, Sel: b.Sel, W: b.W}
	o.cols = append(o.cols[:0], b.Cols[:p]...)
	for _, prog := range o.computed {
		r.Cols = o.cols
		made, sel := prog.Eval(o.ctx, &r, r.Sel)
		r.Sel = sel
		o.cols = append(o.cols, made[0])
	}
	o.cols = append(o.cols, b.Cols[p:p+o.hidden]...)
	r.Cols = o.cols
	if o.wm != nil {
		o.clocks(b.Runs, &r)
	}
	if err := o.env.failed(o.ctx, &r); err != nil {
		return err
	}
	if r.Live() == 0 {
		return nil
	}
	return out(&r)
}

// clocks moves the splits' watermarks and takes rows without a time out of r.
func (o *ScanOp) clocks(runs []batch.Run, r *batch.Batch) {
	o.dropNullTime(r)
	made, sel := o.wm.Eval(o.ctx, r, r.Sel)
	r.Sel = sel
	mark := &made[0]
	onEvent := o.n.Spec.OnEvent
	if onEvent {
		o.event.Kind = batch.Int
		o.event.Resize(r.N)
	}
	limit := int64(math.MaxInt64)
	if o.n.Spec.FutureSkew > 0 {
		limit = o.env.Now() + o.n.Spec.FutureSkew
	}
	time := r.Cols[o.n.Spec.WMCol].I
	live := o.row.of(r)
	for _, run := range runs {
		c := o.clock(run.Split)
		c.seen, c.idle = o.env.Now(), false
		floor, others := o.env.Prev(0), WMEnd
		if onEvent && o.Others != nil {
			others = o.Others(run.Split)
		}
		for len(live) > 0 && int(live[0]) < run.To {
			i := live[0]
			live = live[1:]
			if onEvent {
				o.event.I[i] = int64(max(floor, min(c.wm, others)))
			}
			if mark.IsNull(int(i)) {
				continue
			}
			if time[i] > limit {
				o.Future++
				continue
			}
			c.raise(mark.I[i])
		}
	}
	if onEvent {
		o.cols = append(o.cols, o.event)
		r.Cols = o.cols
	}
}

func (o *ScanOp) dropNullTime(r *batch.Batch) {
	t := &r.Cols[o.n.Spec.WMCol]
	if t.Null == nil {
		return
	}
	kept := o.nulls[:0]
	for _, i := range o.row.of(r) {
		if !t.IsNull(int(i)) {
			kept = append(kept, i)
			continue
		}
		o.ctx.Errs = append(o.ctx.Errs, expr.RowErr{Row: i, Code: CodeNullTime, At: o.n.Spec.Span,
			Msg: "NULL in " + o.n.Schema.Fields[o.n.Spec.WMCol].Name + ", which has the watermark"})
	}
	o.nulls, r.Sel = kept, kept
}

// EndStep has nothing to do: a scan emits in Push.
func (o *ScanOp) EndStep([]WM, Emit) error { return nil }

// Due returns when the next split becomes idle.
func (o *ScanOp) Due() int64 {
	due := int64(math.MaxInt64)
	if t := o.n.Spec.IdleTimeout; t > 0 {
		for _, s := range o.splits {
			if !s.idle {
				due = min(due, s.seen+t)
			}
		}
	}
	return due
}
