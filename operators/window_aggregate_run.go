package operators

import (
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
	"github.com/streamd/streamd/state"
)

// New returns the window aggregation on one worker. A row is added once, to its
// pane; a window merges its panes when it ends. Where panes cannot be merged
// (DISTINCT, MIN and MAX of changes) and on processing time a row is added to
// each of its windows instead; TUMBLE's pane is its window.
//
//	T{g, end -> n, accumulators}            by window
//	T{g, pane[, first] -> n, accumulators}  by pane
//
// first, under on-event, is the end of the first window that was open for the
// row: windows before it do not see the row.
func (n *WindowAggregate) New(env *Env) (Operator, error) {
	if n.Ends < 0 && n.Win.Kind == windows.Session {
		return newSessions(n, env), nil
	}
	in := n.In[0].Base()
	o := &windowAgg{n: n, env: env, clock: windows.NewClock(n.Win), nk: len(n.By), mark: in.Schema.Index("$wm"), attached: n.Ends >= 0}
	retract := in.Mode != Append
	o.accs = newAccs(n.Aggs, 0, retract)
	many := !o.attached && n.Win.Kind != windows.Tumble
	o.panes = many && !n.Win.Proc && !o.accs.sides()
	key := append(types(in.Schema, n.By), batch.TypeBigInt)
	layout := "window"
	if o.panes {
		layout = "pane"
	}
	if o.attached || o.panes && o.mark >= 0 {
		key, o.two = append(key, batch.TypeBigInt), true
	}
	o.accs.base = len(key) + 1
	val := append([]batch.Type{batch.TypeBigInt}, o.accs.types()...)
	o.t = env.State.Table(state.Spec{Op: n.Ident, Layout: layout, Version: 1, Key: key, Val: val})
	o.buckets = state.NewBuckets(o.t, o.nk)
	o.accs.tables(env, n.Ident, in.Schema, key, o.nk, 0)
	if o.panes {
		o.merged = env.State.Table(state.Spec{Op: n.Ident, Layout: "merge", Version: 1, Scratch: true, Key: types(in.Schema, n.By), Val: val})
	}
	if o.accs.sides() {
		o.seen = newTouched(nil)
	}
	o.out = batch.New(n.Schema, 0)
	return o, nil
}

type windowAgg struct {
	n        *WindowAggregate
	env      *Env
	clock    *windows.Clock
	nk       int // group columns; the time column of the key stands behind them
	mark     int // the input's column $wm, or -1
	attached bool
	panes    bool // the time is a pane's start, not a window's end
	two      bool // a second time column: first, or the attached window_start
	t        *state.Table
	buckets  *state.Buckets
	merged   *state.Table
	accs     *accs
	seen     *touched // of side tables

	time, more batch.Vec // the time columns of the key, by row
	key        []batch.Vec
	keys       keys
	ids        []batch.RowID
	row        rows
	kept       []int32
	late       []expr.RowErr
	wide       *batch.Batch // rows repeated for each of their windows
	out        *batch.Batch
	live       []batch.RowID
}

func (o *windowAgg) Push(_ int, b *batch.Batch, _ Emit) error {
	b, sel, err := o.place(b)
	if err != nil || len(sel) == 0 {
		return err
	}
	o.key = append(pick(o.key, b, o.n.By), o.time)
	if o.two {
		o.key = append(o.key, o.more)
	}
	o.keys.of(b, sel, o.key[:o.nk], o.key, true)
	if cap(o.ids) < b.N {
		o.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := o.ids[:b.N]
	for _, i := range o.t.Rows(o.key, o.keys.place, o.keys.hash, sel, b.N, ids) {
		o.buckets.Insert(ids[i])
	}
	if o.seen != nil {
		o.seen.first(ids, sel, nil)
	}
	n := len(o.key)
	for _, i := range sel {
		p, s := o.t.Pages[ids[i]>>batch.PageBits], ids[i]&batch.SlotMask
		p.Cols[n].I[s] += b.Weight(int(i))
		p.Touch(s)
	}
	o.accs.update(o.t, ids, b, sel, o.key, o.keys.place)
	return nil
}

// EndStep emits the windows that are over, in order of their end.
func (o *windowAgg) EndStep(wm []WM, out Emit) error {
	if o.seen != nil {
		if err := o.accs.settle(o.env, o.t, o.seen.ids, len(o.t.Spec.Key)); err != nil {
			return err
		}
		o.seen.reset()
	}
	now := wm[0]
	if o.n.Win.Proc {
		now = WM(o.env.Now())
	}
	if o.panes {
		return o.firePanes(now, out)
	}
	for {
		end, ok := o.buckets.Next()
		if !ok || o.clock.Instant(end) > int64(now) {
			return nil
		}
		if err := o.emit(o.t, o.accs.base, o.buckets.At(end), end, out); err != nil {
			return err
		}
		o.drop(end)
	}
}

func (o *windowAgg) firePanes(now WM, out Emit) error {
	prev, fired := o.env.Prev(0), int64(math.MinInt64)
	for {
		pane, ok := o.buckets.Next()
		if !ok {
			return nil
		}
		// Ends of one instant (where the wall clock skips an hour) fire in one step: what
		// fired in this one is known by its end.
		end, ok := o.next(pane, prev)
		if ok && end <= fired {
			end, ok = o.n.Win.NextEnd(pane, fired)
		}
		if !ok {
			o.drop(pane)
			continue
		}
		if o.clock.Instant(end) > int64(now) {
			return nil
		}
		fire := o.fire
		if o.n.Win.Kind == windows.Cumulate {
			fire = o.cumulate
		}
		if err := fire(end, out); err != nil {
			return err
		}
		for pane, ok = o.buckets.Next(); ok && o.n.Win.LastEnd(pane) <= end; pane, ok = o.buckets.Next() {
			o.drop(pane)
		}
		fired = end
	}
}

// fire merges the panes of the window that ends at end and emits it.
func (o *windowAgg) fire(end int64, out Emit) error {
	used := 0
	for _, p := range o.buckets.Between(o.n.Win.Start(end), end) {
		ids := o.see(o.buckets.At(p), end)
		for len(ids) > 0 {
			n := min(len(ids), batch.Chunk)
			o.merge(ids[:n])
			ids = ids[n:]
			used++
		}
	}
	if used == 0 {
		return nil
	}
	o.live = o.live[:0]
	o.merged.Each(func(id batch.RowID) { o.live = append(o.live, id) })
	err := o.emit(o.merged, o.nk+1, o.live, end, out)
	o.merged.Reset()
	return err
}

// see returns the rows of a pane that the window that ends at end may see.
func (o *windowAgg) see(ids []batch.RowID, end int64) []batch.RowID {
	if !o.two {
		return ids
	}
	kept := ids[:0]
	for _, id := range ids {
		if p, s := o.t.At(id); p.Cols[o.nk+1].I[s] <= end {
			kept = append(kept, id)
		}
	}
	return kept
}

// merge adds rows of a pane to the merged table.
func (o *windowAgg) merge(ids []batch.RowID) {
	k := batch.New(o.n.In[0].Base().Schema.Pick(o.n.By), len(ids))
	for c := range k.Cols {
		gather(&k.Cols[c], o.t.Pages, c, ids)
	}
	o.keys.grow(len(ids))
	for i, id := range ids {
		o.keys.place[i] = uint64(o.t.Pages[id>>batch.PageBits].Shard)
	}
	batch.HashRows(k.Cols, nil, len(ids), o.keys.hash)
	if cap(o.ids) < len(ids) {
		o.ids = make([]batch.RowID, len(ids))
	}
	to := o.ids[:len(ids)]
	o.merged.Rows(k.Cols, o.keys.place, o.keys.hash, nil, len(ids), to)
	n := len(o.t.Spec.Key)
	for i, id := range ids {
		d, s := o.merged.At(to[i])
		p, q := o.t.At(id)
		d.Cols[o.nk].I[s] += p.Cols[n].I[q]
	}
	o.accs.merge(o.merged.Pages, o.nk+1, to, o.t.Pages, o.accs.base, ids)
}

// emit sends the groups ids of t, whose accumulators begin at base, as the
// window that ends at end.
func (o *windowAgg) emit(t *state.Table, base int, ids []batch.RowID, end int64, out Emit) error {
	for len(ids) > 0 {
		n := min(len(ids), batch.Chunk)
		if err := o.chunk(t, base, ids[:n], end, out); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func (o *windowAgg) chunk(t *state.Table, base int, ids []batch.RowID, end int64, out Emit) error {
	kept := ids[:0]
	for _, id := range ids {
		p, s := t.At(id)
		switch n := p.Cols[base-1].I[s]; {
		case n > 0:
			kept = append(kept, id)
		case n < 0:
			if err := o.env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
				return err
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	b := o.out
	b.Reset()
	for c := range o.nk {
		gather(&b.Cols[c], t.Pages, c, kept)
	}
	var bad []expr.RowErr
	o.accs.results(t.Pages, base, kept, b.Cols[o.nk:o.nk+len(o.n.Aggs)], func(k int, msg string, at Span) {
		bad = append(bad, expr.RowErr{Row: int32(k), Code: CodeSumRange, Msg: msg, At: at})
	})
	o.bounds(b, t, kept, end)
	b.N = len(kept)
	if bad != nil {
		if err := o.env.Reject(Reject{Reason: Failed, B: b, Rows: bad, Made: true}); err != nil {
			return err
		}
		b.Sel = without(o.row.upto(b.N), bad)
	}
	return out(b)
}

// bounds appends the window columns.
func (o *windowAgg) bounds(b *batch.Batch, t *state.Table, ids []batch.RowID, end int64) {
	start := int64(0)
	if !o.attached {
		start = o.n.Win.Start(end)
	}
	at := o.nk + len(o.n.Aggs)
	add := func(x int64) {
		for range ids {
			b.Cols[at].AppendInt(x)
		}
		at++
	}
	if o.n.Want.Start {
		if o.attached {
			gather(&b.Cols[at], t.Pages, o.nk+1, ids)
			at++
		} else {
			add(start)
		}
	}
	if o.n.Want.End {
		add(end)
	}
	if o.n.Want.Time {
		x := end
		if o.n.Schema.Fields[at].Type.SQL == batch.TimestampLTZ {
			x = o.clock.Instant(end)
		}
		add(x - 1000)
	}
}

// without returns the rows of sel that are not in bad, which is in any order.
func without(sel []int32, bad []expr.RowErr) []int32 {
	gone := make(map[int32]bool, len(bad))
	for _, e := range bad {
		gone[e.Row] = true
	}
	kept := make([]int32, 0, len(sel))
	for _, i := range sel {
		if !gone[i] {
			kept = append(kept, i)
		}
	}
	return kept
}

// drop deletes the rows filed under time.
func (o *windowAgg) drop(time int64) {
	for _, id := range o.buckets.At(time) {
		o.t.Delete(id)
	}
	o.buckets.Drop(time)
	o.accs.drop(time)
}

// Due returns when the next processing-time window ends.
func (o *windowAgg) Due() int64 {
	if end, ok := o.buckets.Next(); ok && o.n.Win.Proc {
		return o.clock.Instant(end)
	}
	return math.MaxInt64
}

// Open returns the number of groups in windows that have not ended.
func (o *windowAgg) Open() int64 { return int64(o.t.Len()) }
