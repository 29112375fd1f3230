package operators

import (
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
	"github.com/streamd/streamd/state"
)

// New returns the window join on one worker. State: B[end]·M{key, window -> row×n}
// on each side; a window is joined when both watermarks have passed its end, and
// its rows are dropped.
func (n *WindowJoin) New(env *Env) (Operator, error) {
	l, r := shown(n.In[0]), shown(n.In[1])
	o := &windowJoin{n: n, env: env}
	o.by = [2][]int{n.LK, n.RK}
	group := [2][]int{append(append([]int{}, n.LK...), n.LStart, n.LEnd), append(append([]int{}, n.RK...), n.RStart, n.REnd)}
	o.end = [2]int{n.LEnd, n.REnd}
	o.mark = [2]int{n.In[0].Base().Schema.Index("$wm"), n.In[1].Base().Schema.Index("$wm")}
	for i, s := range []*batch.Schema{l, r} {
		o.sides[i] = newJoinSide(env, n.Ident, [2]string{"left", "right"}[i], &Props{Schema: s}, group[i], o.by[i], false, 0)
		o.due[i] = state.NewBuckets(o.sides[i].t, o.sides[i].at[o.end[i]])
	}
	pairs := n.Schema
	if n.Kind.filters() {
		o.alone, pairs = batch.New(n.Schema, 0), l.Concat(r)
	}
	o.pair = newPairing(env, pairs, len(l.Fields), n.Residual)
	o.hit = newTouched(nil)
	w := windowOf(n)
	o.clock, o.proc = windows.NewClock(w), w.Proc
	return o, nil
}

type windowJoin struct {
	n     *WindowJoin
	env   *Env
	clock *windows.Clock // of the windows' ends
	proc  bool           // windows on processing time
	sides [2]*joinSide
	due   [2]*state.Buckets
	by    [2][]int
	end   [2]int
	mark  [2]int // input column $wm, -1 = none
	pair  *pairing
	alone *batch.Batch // of semi and anti joins: what they emit
	hit   *touched     // right rows of the window being joined that have found a match

	late []expr.RowErr
	live []int32
	lids []batch.RowID
	rids []batch.RowID
	w    []int64
}

func (o *windowJoin) Push(in int, b *batch.Batch, _ Emit) error {
	s := o.sides[in]
	end := &b.Cols[o.end[in]]
	prev := min(o.env.Prev(0), o.env.Prev(1))
	other := o.env.Prev(1 - in)
	if o.proc {
		prev, other = WMStart, WMStart
	}
	o.late, o.live = o.late[:0], o.live[:0]
	for _, i := range s.row.of(b) {
		if o.mark[in] >= 0 { // on-event: this side's watermark is the row's own
			prev = min(WM(b.Cols[o.mark[in]].I[i]), other)
		}
		switch {
		case o.over(end.I[i]) <= prev:
			o.late = append(o.late, expr.RowErr{Row: i, Code: CodeLate, Msg: "a row of a window that has been joined", At: o.n.Span})
		case o.keeps(in, b, i):
			o.live = append(o.live, i)
		}
	}
	if len(o.late) > 0 {
		if err := o.env.Reject(Reject{Reason: Late, B: b, Rows: o.late, In: in}); err != nil {
			return err
		}
	}
	if len(o.live) == 0 {
		return nil
	}
	s.find(b, o.live)
	ids := s.rows(b, o.live)
	for _, i := range o.live {
		if s.isNew[i] {
			o.due[in].Insert(ids[i])
		}
		p, slot := s.t.At(ids[i])
		p.Cols[s.count].I[slot] += b.Weight(int(i))
		s.t.Touch(ids[i])
	}
	return nil
}

// keeps tells whether a row may show: one with a NULL key matches nothing, but an
// outer or anti-joined side still shows it when its window ends.
func (o *windowJoin) keeps(in int, b *batch.Batch, i int32) bool {
	return o.n.Kind.decides(in) && o.n.Kind != Semi || !o.nullKey(b.Cols, o.by[in], int(i))
}

// nullKey tells whether a key that compares by = is NULL in row i.
func (o *windowJoin) nullKey(cols []batch.Vec, by []int, i int) bool {
	for k, c := range by {
		if cols[c].IsNull(i) && !(k < len(o.n.NullSafe) && o.n.NullSafe[k]) {
			return true
		}
	}
	return false
}

// over returns when a window that ends at end is over.
func (o *windowJoin) over(end int64) WM { return WM(o.clock.Instant(end)) }

// Due returns when the next processing-time window ends.
func (o *windowJoin) Due() int64 {
	due := int64(math.MaxInt64)
	for _, b := range o.due {
		if end, ok := b.Next(); ok && o.proc {
			due = min(due, int64(o.over(end)))
		}
	}
	return due
}

// Open returns the number of rows in windows that have not ended.
func (o *windowJoin) Open() int64 { return int64(o.sides[0].t.Len() + o.sides[1].t.Len()) }

// EndStep joins the windows that both watermarks have passed, the earliest first.
func (o *windowJoin) EndStep(wm []WM, out Emit) error {
	limit := min(wm[0], wm[1])
	if o.proc {
		limit = WM(o.env.Now())
	}
	for {
		l, okL := o.due[0].Next()
		r, okR := o.due[1].Next()
		var end int64
		switch {
		case okL && okR:
			end = min(l, r)
		case okL:
			end = l
		case okR:
			end = r
		default:
			return nil
		}
		if o.over(end) > limit {
			return nil
		}
		if err := o.fire(end, out); err != nil {
			return err
		}
	}
}

// fire joins one window and forgets it.
func (o *windowJoin) fire(end int64, out Emit) error {
	left, right := o.sides[0], o.sides[1]
	lrows := append([]batch.RowID(nil), o.due[0].At(end)...)
	rrows := append([]batch.RowID(nil), o.due[1].At(end)...)
	o.lids, o.rids, o.w = o.lids[:0], o.rids[:0], o.w[:0]
	alone := lrows[:0:0]
	keyL, keyR := ints(len(o.n.LK)), ints(len(o.n.RK))
	for _, id := range lrows {
		p, slot := left.t.At(id)
		found := false
		if !o.nullKey(p.Cols, keyL, slot) {
			prefix := p.Cols[:left.group]
			g := right.idx.Group(prefix, slot, uint64(p.Shard), batch.HashRow(prefix, slot))
			for r := right.idx.First(g); r != 0; r = right.idx.Next(r) {
				o.lids, o.rids, o.w = append(o.lids, id), append(o.rids, r), append(o.w, *left.n(id)**right.n(r))
				if len(o.w) == batch.Chunk {
					hit, err := o.pairs(id, out)
					if err != nil {
						return err
					}
					found = found || hit
				}
			}
		}
		// All matches of the row must be known before the next one is begun.
		if o.n.Kind.decides(0) {
			hit, err := o.pairs(id, out)
			if err != nil {
				return err
			}
			if (found || hit) == (o.n.Kind == Semi) {
				alone = append(alone, id)
			}
		}
	}
	if _, err := o.pairs(0, out); err != nil {
		return err
	}
	if err := o.pad(left, alone, false, out); err != nil {
		return err
	}
	if o.n.Kind.padsRight() {
		alone = alone[:0]
		for _, id := range rrows {
			p, slot := right.t.At(id)
			if !o.hit.has(id) || o.nullKey(p.Cols, keyR, slot) {
				alone = append(alone, id)
			}
		}
		if err := o.pad(right, alone, true, out); err != nil {
			return err
		}
	}
	o.hit.reset()
	for i, ids := range [2][]batch.RowID{lrows, rrows} {
		for _, id := range ids {
			o.sides[i].drop(id)
		}
		o.due[i].Drop(end)
	}
	return nil
}

// pairs emits the collected pairs that pass the condition, unless they only decide
// which left rows are shown, and tells whether one of them is of left row id.
func (o *windowJoin) pairs(id batch.RowID, out Emit) (hit bool, err error) {
	if len(o.w) == 0 {
		return false, nil
	}
	l, r := half{side: o.sides[0], ids: o.lids}, half{side: o.sides[1], ids: o.rids}
	p, err := o.pair.start(l, r, o.w)
	if err != nil {
		return false, err
	}
	if o.n.Kind != Inner {
		o.hit.first(o.rids, o.sides[1].row.of(p), nil)
		p.Each(func(k int) { hit = hit || o.lids[k] == id })
	}
	if p.Live() > 0 && !o.n.Kind.filters() {
		err = out(o.pair.finish(l, r))
	}
	o.lids, o.rids, o.w = o.lids[:0], o.rids[:0], o.w[:0]
	return hit, err
}

// pad emits rows that found no match; of a semi join, those that found one.
func (o *windowJoin) pad(s *joinSide, ids []batch.RowID, right bool, out Emit) error {
	for len(ids) > 0 {
		c := ids[:min(len(ids), batch.Chunk)]
		ids = ids[len(c):]
		o.w = o.w[:0]
		for _, id := range c {
			o.w = append(o.w, *s.n(id))
		}
		l, r := half{side: s, ids: c}, half{}
		if o.alone != nil {
			o.alone.Reset()
			l.fill(o.alone.Cols, len(o.w))
			o.alone.N, o.alone.W = len(o.w), o.w
			if err := out(o.alone); err != nil {
				return err
			}
			continue
		}
		if right {
			l, r = r, l
		}
		if err := out(o.pair.all(l, r, o.w)); err != nil {
			return err
		}
	}
	o.w = o.w[:0]
	return nil
}
