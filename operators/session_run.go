package operators

import (
	"math"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/operators/windows"
	"github.com/streamd/streamd/state"
)

// sessionCan refuses what session aggregation cannot do yet.
func sessionCan(in Node, w windows.Spec, keys []int, aggs []AggCall) error {
	a, b := slices.Sorted(slices.Values(keys)), slices.Sorted(slices.Values(w.Keys))
	switch {
	case !slices.Equal(a, b):
		return &PlanError{CodeNotYet, "GROUP BY other columns than the PARTITION BY of a SESSION is not supported yet", "make both the same"}
	case in.Base().Mode != Append:
		return &PlanError{CodeNotYet, "SESSION over updates is not supported yet; they are made by: " + Producer(in), "put it before the operator that makes updates"}
	}
	for _, c := range aggs {
		if c.Distinct && c.Fn.Extreme == funcs.NoExtreme {
			return &PlanError{CodeNotYet, "DISTINCT in a SESSION aggregate is not supported yet", "count the rows of a DISTINCT subquery"}
		}
	}
	return nil
}

// newSessions returns session aggregation on one worker.
//
//	O{g, start -> end, n, accumulators}, by a number of its own
func newSessions(n *WindowAggregate, env *Env) *sessions {
	in := n.In[0].Base()
	o := &sessions{n: n, env: env, nk: len(n.By), mark: in.Schema.Index("$wm"), clock: windows.NewClock(n.Win)}
	o.start, o.end, o.count = o.nk+1, o.nk+2, o.nk+3
	o.accs = newAccs(n.Aggs, o.count+1, false)
	big := batch.TypeBigInt
	o.t = env.State.Table(state.Spec{Op: n.Ident, Layout: "session", Version: 1, Key: append(types(in.Schema, n.By), big),
		Val: append([]batch.Type{big, big, big}, o.accs.types()...)})
	o.order = state.NewOrdered(o.t, o.nk, []state.By{{Col: o.end}}, -1)
	o.due = state.NewBuckets(o.t, o.end)
	o.out = batch.New(n.Schema, 0)
	return o
}

// sessions keeps the open sessions of each group, which neither overlap nor
// touch. A row at ts is [ts, ts+gap); the sessions it meets become one.
//
// Example, gap 10: sessions [0,10) and [20,35); a row at 10 makes them [0,35).
//
// Sessions are in order of their ends. Under on-event one that is over at a row's
// watermark stays until the step ends, and an open one may come to begin before it
// (gap 10: [3,13) is over at 13; a late row at 2 joins [8,18), which then is
// [2,18)); the ends of open ones are always behind those of closed ones.
type sessions struct {
	n                 *WindowAggregate
	env               *Env
	nk                int // group columns; a number that tells sessions apart stands behind them
	start, end, count int // columns of the table; times are instants
	mark              int // the input's column $wm, or -1
	clock             *windows.Clock
	t                 *state.Table
	order             *state.Ordered
	due               *state.Buckets
	accs              *accs

	keys   keys
	key    []batch.Vec
	number batch.Vec
	ids    []batch.RowID
	row    rows
	kept   []int32
	late   []expr.RowErr
	null   []expr.RowErr
	moved  map[batch.RowID]batch.RowID // sessions that became part of another in this batch
	out    *batch.Batch
}

func (o *sessions) Push(_ int, b *batch.Batch, _ Emit) error {
	sel := o.row.of(b)
	if len(sel) == 0 {
		return nil
	}
	o.key = pick(o.key, b, o.n.By)
	o.keys.of(b, sel, o.key, o.key, false)
	if cap(o.ids) < b.N {
		o.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := o.ids[:b.N]
	o.kept, o.late, o.null = o.kept[:0], o.late[:0], o.null[:0]
	clear(o.moved)
	time := &b.Cols[o.n.Win.Col]
	for _, i := range sel {
		ts, wm := o.env.Now(), int64(WMStart)
		if !o.n.Win.Proc {
			if time.IsNull(int(i)) {
				o.null = append(o.null, expr.RowErr{Row: i, Code: CodeNullTime, Msg: "NULL in the time column of a window", At: o.n.Span})
				continue
			}
			ts, wm = time.I[i], int64(o.env.Prev(0))
			if o.mark >= 0 {
				wm = b.Cols[o.mark].I[i]
			}
		}
		if id := o.join(int(i), ts, ts+o.n.Win.Size, wm); id != 0 {
			ids[i] = id
			o.kept = append(o.kept, i)
		} else {
			o.late = append(o.late, expr.RowErr{Row: i, Code: CodeLate, Msg: "its session has ended", At: o.n.Span})
		}
	}
	for _, i := range o.kept {
		for to, ok := o.moved[ids[i]]; ok; to, ok = o.moved[ids[i]] {
			ids[i] = to
		}
		p, s := o.t.At(ids[i])
		p.Cols[o.count].I[s] += b.Weight(int(i))
		o.t.Touch(ids[i])
	}
	o.accs.update(o.t, ids, b, o.kept, o.key, o.keys.place)
	if len(o.null) > 0 {
		if err := o.env.Reject(Reject{Reason: Failed, B: b, Rows: o.null}); err != nil {
			return err
		}
	}
	if len(o.late) > 0 {
		return o.env.Reject(Reject{Reason: Late, B: b, Rows: o.late})
	}
	return nil
}

// join returns the session of row i, which is [from, to): one of its group made
// longer, several made one, or a new one. 0 = it is over at wm. A session that is
// over at wm is closed for the row, though it may still be here.
func (o *sessions) join(i int, from, to, wm int64) batch.RowID {
	g := o.order.Group(o.key, i, o.keys.place[i], o.keys.hash[i])
	var id batch.RowID
	if g != 0 {
		id = o.order.Search(g, func(x batch.RowID) bool {
			p, s := o.t.At(x)
			return p.Cols[o.end].I[s] >= from && p.Cols[o.end].I[s] > wm
		})
	}
	if id != 0 {
		if p, s := o.t.At(id); p.Cols[o.start].I[s] > to {
			id = 0
		}
	}
	if id == 0 {
		if to <= wm {
			return 0
		}
		return o.open(i, from, to)
	}
	for {
		next := o.order.Next(id)
		if next == 0 {
			break
		}
		p, s := o.t.At(next)
		if p.Cols[o.start].I[s] > to {
			break
		}
		to = max(to, p.Cols[o.end].I[s])
		o.absorb(id, next)
	}
	p, s := o.t.At(id)
	from, to = min(from, p.Cols[o.start].I[s]), max(to, p.Cols[o.end].I[s])
	p.Cols[o.start].I[s] = from
	if to != p.Cols[o.end].I[s] {
		o.order.Remove(id)
		o.due.Remove(id)
		p.Cols[o.end].I[s] = to
		o.order.Insert(id)
		o.due.Insert(id)
	}
	return id
}

// open makes a session for row i.
func (o *sessions) open(i int, from, to int64) batch.RowID {
	place := o.keys.place[i]
	o.number.Kind = batch.Int
	if n := i + 1 - len(o.number.I); n > 0 {
		o.number.I = append(o.number.I, make([]int64, n)...)
	}
	o.number.I[i] = int64(o.t.Seq(batch.ShardOf(place)))
	key := append(o.key, o.number)
	id, _ := o.t.Rows1(key, i, place, batch.HashRow(key, i))
	p, s := o.t.At(id)
	p.Cols[o.start].I[s], p.Cols[o.end].I[s] = from, to
	o.order.Insert(id)
	o.due.Insert(id)
	return id
}

// absorb makes session gone a part of id.
func (o *sessions) absorb(id, gone batch.RowID) {
	if o.moved == nil {
		o.moved = map[batch.RowID]batch.RowID{}
	}
	o.moved[gone] = id
	d, s := o.t.At(id)
	p, q := o.t.At(gone)
	d.Cols[o.count].I[s] += p.Cols[o.count].I[q]
	o.accs.merge(o.t.Pages, o.accs.base, []batch.RowID{id}, o.t.Pages, o.accs.base, []batch.RowID{gone})
	o.order.Remove(gone)
	o.due.Remove(gone)
	o.t.Delete(gone)
}

// EndStep emits the sessions that are over, in order of their end.
func (o *sessions) EndStep(wm []WM, out Emit) error {
	now := int64(wm[0])
	if o.n.Win.Proc {
		now = o.env.Now()
	}
	for {
		end, ok := o.due.Next()
		if !ok || end > now {
			return nil
		}
		ids := o.due.At(end)
		for from := 0; from < len(ids); from += batch.Chunk {
			if err := o.emit(ids[from:min(from+batch.Chunk, len(ids))], end, out); err != nil {
				return err
			}
		}
		for _, id := range ids {
			o.order.Remove(id)
			o.t.Delete(id)
		}
		o.due.Drop(end)
	}
}

func (o *sessions) emit(ids []batch.RowID, end int64, out Emit) error {
	b := o.out
	b.Reset()
	for c := range o.nk {
		gather(&b.Cols[c], o.t.Pages, c, ids)
	}
	var bad []expr.RowErr
	o.accs.results(o.t.Pages, o.accs.base, ids, b.Cols[o.nk:o.nk+len(o.n.Aggs)], func(k int, msg string, at Span) {
		bad = append(bad, expr.RowErr{Row: int32(k), Code: CodeSumRange, Msg: msg, At: at})
	})
	at := o.nk + len(o.n.Aggs)
	if o.n.Want.Start {
		for _, id := range ids {
			p, s := o.t.At(id)
			b.Cols[at].AppendInt(o.clock.Local(p.Cols[o.start].I[s]))
		}
		at++
	}
	if o.n.Want.End {
		for range ids {
			b.Cols[at].AppendInt(o.clock.Local(end))
		}
		at++
	}
	if o.n.Want.Time {
		for range ids {
			b.Cols[at].AppendInt(end - 1000)
		}
	}
	b.N = len(ids)
	if bad != nil {
		if err := o.env.Reject(Reject{Reason: Failed, B: b, Rows: bad, Made: true}); err != nil {
			return err
		}
		b.Sel = without(o.row.upto(b.N), bad)
	}
	return out(b)
}

// Due returns when the next processing-time session ends.
func (o *sessions) Due() int64 {
	if end, ok := o.due.Next(); ok && o.n.Win.Proc {
		return end
	}
	return math.MaxInt64
}

// Open returns the number of sessions that have not ended.
func (o *sessions) Open() int64 { return int64(o.t.Len()) }
