package operators

import (
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// New returns the interval join on one worker. State: B[time]·M{key -> row×n,
// whether it has met one} on each side.
func (n *IntervalJoin) New(env *Env) (Operator, error) {
	o := &intervalJoin{n: n, env: env, proc: n.proc()}
	mark := [2]int{-1, -1}
	for in := range mark {
		if !o.proc {
			mark[in] = n.In[in].Base().Schema.Index("$wm")
		}
		o.onEvent = o.onEvent || mark[in] >= 0
	}
	nl := 0
	for in, name := range [2]string{"left", "right"} {
		s := shown(n.In[in])
		h := &o.half[in]
		h.time, h.mark, h.width = n.Within.LT, mark[in], len(s.Fields)
		h.by, h.pads = n.LK, n.Kind.padsLeft()
		if in == 1 {
			h.time, h.by, h.pads = n.Within.RT, n.RK, n.Kind.padsRight()
		} else {
			nl = h.width
		}
		if o.onEvent {
			s.Fields = append(s.Fields, batch.Field{Name: "$wm", Type: batch.TypeBigInt.With(true)})
		}
		h.keeps = n.Within.keeps(in)
		h.joinSide = newJoinSide(env, n.Ident, name, &Props{Schema: s}, h.by, h.by, h.pads, 0)
		h.due = state.NewBuckets(h.t, h.at[h.time])
	}
	o.pair = newPairing(env, n.Schema, nl, n.Residual)
	return o, nil
}

// intervalJoin keeps the rows of both sides for as long as they can meet rows to
// come. A row meets, when it comes, what the other side keeps; outer rows that
// have met none are padded when they go.
//
// Example, -5 <= r - l <= 0: l@10 goes when the watermark is past 10, r@10 when it
// is past 15. Rows behind the watermark are no exception: r@8 at watermark 12
// meets l@10 no more, l@13 it does.
//
// Whether a row is gone for another is judged by the watermark of the later one of
// both, though it is still stored until the step ends: so the result does not
// depend on where steps are cut. Of rows that come at one watermark and in one
// step neither is the later: they meet unless both are gone.
type intervalJoin struct {
	n       *IntervalJoin
	env     *Env
	half    [2]intervalSide
	pair    *pairing
	proc    bool
	onEvent bool // rows have watermarks of their own, which are stored with them

	late   batch.Vec // by row: the watermark it came at
	cols   []batch.Vec
	null   []expr.RowErr
	live   []int32
	groups []state.Group
	rows   []int32
	ids    []batch.RowID
	w      []int64
}

// intervalSide is one side: its rows by key, and by time.
type intervalSide struct {
	*joinSide
	due   *state.Buckets
	by    []int
	time  int   // the input's time attribute
	mark  int   // the input's column $wm, or -1
	width int   // visible columns
	keeps int64 // a row is gone when the watermark is past its time + keeps
	pads  bool
}

func (o *intervalJoin) Push(in int, b *batch.Batch, out Emit) error {
	mine := &o.half[in]
	sel, err := o.timed(in, b, mine.row.of(b))
	if err != nil {
		return err
	}
	if sel, err = o.keyed(in, b, sel, out); err != nil || len(sel) == 0 {
		return err
	}
	if o.onEvent {
		b = o.marked(in, b, sel)
	}
	mine.find(b, sel)
	ids := mine.joinSide.rows(b, sel)
	for _, i := range sel {
		p, slot := mine.t.At(ids[i])
		p.Cols[mine.count].I[slot] = b.Weight(int(i))
		mine.due.Insert(ids[i])
	}
	return o.meet(in, b, sel, ids, out)
}

// timed returns the rows of sel that have a time; the others are row errors.
func (o *intervalJoin) timed(in int, b *batch.Batch, sel []int32) ([]int32, error) {
	v := &b.Cols[o.half[in].time]
	if v.Null == nil {
		return sel, nil
	}
	o.live, o.null = o.live[:0], o.null[:0]
	for _, i := range sel {
		if v.IsNull(int(i)) {
			o.null = append(o.null, expr.RowErr{Row: i, Code: CodeNullTime, Msg: "NULL in the time column of an interval join", At: o.n.Span})
			continue
		}
		o.live = append(o.live, i)
	}
	if len(o.null) == 0 {
		return sel, nil
	}
	return o.live, o.env.Reject(Reject{Reason: Failed, B: b, Rows: o.null, In: in})
}

// keyed returns the rows of sel whose key can match. Others are padded at once, or
// of no use.
func (o *intervalJoin) keyed(in int, b *batch.Batch, sel []int32, out Emit) ([]int32, error) {
	h := &o.half[in]
	plain := true
	for k, c := range h.by {
		plain = plain && (b.Cols[c].Null == nil || k < len(o.n.NullSafe) && o.n.NullSafe[k])
	}
	if plain {
		return sel, nil
	}
	isNull := func(i int32) bool {
		for k, c := range h.by {
			if b.Cols[c].IsNull(int(i)) && !(k < len(o.n.NullSafe) && o.n.NullSafe[k]) {
				return true
			}
		}
		return false
	}
	var live, alone []int32
	for _, i := range sel {
		if isNull(i) {
			alone = append(alone, i)
		} else {
			live = append(live, i)
		}
	}
	if !h.pads {
		return live, nil
	}
	for len(alone) > 0 {
		c := alone[:min(len(alone), batch.Chunk)]
		alone = alone[len(c):]
		o.w = o.w[:0]
		for _, i := range c {
			o.w = append(o.w, b.Weight(int(i)))
		}
		if err := o.padded(in, half{b: b, rows: c}, out); err != nil {
			return nil, err
		}
	}
	return live, nil
}

// marked returns b with the watermarks at which its rows came behind the visible
// columns: their own where they have one, held back by the other input's.
func (o *intervalJoin) marked(in int, b *batch.Batch, sel []int32) *batch.Batch {
	h := &o.half[in]
	o.late.Kind = batch.Int
	o.late.Resize(b.N)
	other := int64(o.env.Prev(1 - in))
	for _, i := range sel {
		own := int64(o.env.Prev(in))
		if h.mark >= 0 {
			own = b.Cols[h.mark].I[i]
		}
		o.late.I[i] = min(own, other)
	}
	o.cols = append(append(o.cols[:0], b.Cols[:h.width]...), o.late)
	r := *b
	r.Cols = o.cols
	return &r
}

// meet pairs rows sel of b, stored as ids, with what the other side keeps.
func (o *intervalJoin) meet(in int, b *batch.Batch, sel []int32, ids []batch.RowID, out Emit) error {
	mine, other := &o.half[in], &o.half[1-in]
	if cap(o.groups) < b.N {
		o.groups = make([]state.Group, b.N, 2*b.N)
	}
	groups := o.groups[:b.N]
	other.idx.Groups(mine.key, mine.gk.place, mine.gk.hash, sel, b.N, groups)
	// The times that meet mine are mine+lo … mine+hi.
	lo, hi := o.n.Within.Lo, o.n.Within.Hi
	if in == 1 {
		lo, hi = -hi, -lo
	}
	at, mark := other.at[other.time], 0
	if o.onEvent {
		mark = other.at[other.width]
	}
	wm := int64(min(o.env.Prev(0), o.env.Prev(1)))
	o.rows, o.ids, o.w = o.rows[:0], o.ids[:0], o.w[:0]
	for _, i := range sel {
		if groups[i] == 0 {
			continue
		}
		t, w := b.Cols[mine.time].I[i], b.Weight(int(i))
		if o.onEvent {
			wm = o.late.I[i]
		}
		for id := other.idx.First(groups[i]); id != 0; id = other.idx.Next(id) {
			p, slot := other.t.At(id)
			u := p.Cols[at].I[slot]
			if u < t+lo || u > t+hi {
				continue
			}
			if !o.proc {
				theirs := wm
				if o.onEvent {
					theirs = p.Cols[mark].I[slot]
				}
				if !meets(wm, t+mine.keeps, theirs, u+other.keeps) {
					continue
				}
			}
			o.rows, o.ids, o.w = append(o.rows, i), append(o.ids, id), append(o.w, w*p.Cols[other.count].I[slot])
			if len(o.w) == batch.Chunk {
				if err := o.product(in, b, ids, out); err != nil {
					return err
				}
			}
		}
	}
	return o.product(in, b, ids, out)
}

// meets tells whether two rows, which came at watermarks a and b and are gone past
// goesA and goesB, have met: the earlier one was not gone when the later one came.
func meets(a, goesA, b, goesB int64) bool {
	switch {
	case a > b:
		return goesB >= a
	case a < b:
		return goesA >= b
	}
	return goesA >= a || goesB >= a
}

// product emits the collected pairs for which the condition holds, and notes which
// rows have met one.
func (o *intervalJoin) product(in int, b *batch.Batch, ids []batch.RowID, out Emit) error {
	if len(o.w) == 0 {
		return nil
	}
	mine, other := &o.half[in], &o.half[1-in]
	cut := *b
	cut.Cols = b.Cols[:mine.width]
	l, r := half{b: &cut, rows: o.rows}, half{side: other.joinSide, ids: o.ids}
	if in == 1 {
		l, r = r, l
	}
	p, err := o.pair.start(l, r, o.w)
	if err != nil {
		return err
	}
	if mine.pads {
		p.Each(func(k int) { mine.met(ids[o.rows[k]]) })
	}
	if other.pads {
		p.Each(func(k int) { other.met(o.ids[k]) })
	}
	if p.Live() > 0 {
		err = out(o.pair.finish(l, r))
	}
	o.rows, o.ids, o.w = o.rows[:0], o.ids[:0], o.w[:0]
	return err
}

// met notes that a stored row has found a match.
func (h *intervalSide) met(id batch.RowID) {
	if m := h.m(id); *m == 0 {
		*m = 1
		h.t.Touch(id)
	}
}

// EndStep pads the outer rows that go without having met one, and drops what goes.
func (o *intervalJoin) EndStep(wm []WM, out Emit) error {
	now := min(wm[0], wm[1])
	if o.proc {
		now = WM(o.env.Now())
	}
	if now == WMStart {
		return nil
	}
	for in := range o.half {
		h := &o.half[in]
		limit := int64(now) // rows with time <= limit go
		if now != WMEnd {
			limit = limit - h.keeps - 1
		}
		var err error
		if h.pads {
			h.due.Due(limit, func(_ int64, ids []batch.RowID) {
				if err == nil {
					err = o.pad(in, ids, out)
				}
			})
		}
		if err != nil {
			return err
		}
		h.due.Take(limit, h.drop)
	}
	return nil
}

// pad emits those of the rows ids that have met none.
func (o *intervalJoin) pad(in int, ids []batch.RowID, out Emit) error {
	h := &o.half[in]
	o.ids, o.w = o.ids[:0], o.w[:0]
	for k, id := range ids {
		if *h.m(id) == 0 {
			o.ids, o.w = append(o.ids, id), append(o.w, *h.n(id))
		}
		if len(o.w) == batch.Chunk || k == len(ids)-1 && len(o.w) > 0 {
			if err := o.padded(in, half{side: h.joinSide, ids: o.ids}, out); err != nil {
				return err
			}
			o.ids, o.w = o.ids[:0], o.w[:0]
		}
	}
	return nil
}

// padded emits rows of side in with NULLs for the other, with weights o.w.
func (o *intervalJoin) padded(in int, h half, out Emit) error {
	return o.pair.padded(in, h, o.w, out)
}

// Due returns when the next row of processing time goes that may have to be padded.
func (o *intervalJoin) Due() int64 {
	due := int64(math.MaxInt64)
	for in := range o.half {
		if h := &o.half[in]; o.proc && h.pads {
			if t, ok := h.due.Next(); ok {
				due = min(due, t+h.keeps+1)
			}
		}
	}
	return due
}

// Open returns the number of rows that are padded if they meet none.
func (o *intervalJoin) Open() (n int64) {
	for in := range o.half {
		if h := &o.half[in]; h.pads {
			h.t.Each(func(id batch.RowID) {
				if *h.m(id) == 0 {
					n++
				}
			})
		}
	}
	return n
}
