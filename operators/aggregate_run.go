package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/state"
)

// New returns the aggregation on one worker. State: T{g -> rows n, accumulators},
// and where they are needed the values of MIN and MAX in order and the counts of
// distinct values.
func (n *Aggregate) New(env *Env) (Operator, error) {
	in := n.In[0].Base()
	o := &aggregate{n: n, env: env, nk: len(n.By), now: -1 << 63}
	val := []batch.Type{batch.TypeBigInt}
	key := types(in.Schema, n.By)
	o.accs = newAccs(n.Aggs, o.nk+1, in.Mode != Append)
	o.accs.numberGroups(key)
	val = append(val, o.accs.types()...)
	o.t = env.State.Table(state.Spec{Op: n.Ident, Layout: "group", Version: 1, Key: key, Val: val, TTL: n.TTL})
	o.accs.tables(env, n.Ident, in.Schema, key, -1, n.TTL)
	o.seen = newTouched(n.Schema)
	o.out = batch.New(n.Schema, 0)
	return o, nil
}

type aggregate struct {
	n    *Aggregate
	env  *Env
	nk   int // key columns
	t    *state.Table
	accs *accs
	seen *touched

	keys keys
	key  []batch.Vec
	ids  []batch.RowID
	row  rows
	out  *batch.Batch
	now  int64 // step time of the last expiry
	bad  []expr.RowErr

	minus, plus []int32
}

// live tells whether a group's row count makes it exist.
func (o *aggregate) count(id batch.RowID) *int64 {
	p, s := o.t.At(id)
	return &p.Cols[o.nk].I[s]
}

// expire drops what is past its time to live, once a step.
func (o *aggregate) expire() {
	if o.n.TTL <= 0 || o.now == o.env.Now() {
		return
	}
	o.now = o.env.Now()
	o.t.Expire(o.now, nil)
	o.accs.expire(o.now)
}

func (o *aggregate) Push(_ int, b *batch.Batch, _ Emit) error {
	o.expire()
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
	o.t.Rows(o.key, o.keys.place, o.keys.hash, sel, b.N, ids)
	o.seen.first(ids, sel, o.remember)
	funcs.CountRows(o.t.Pages, o.nk, ids, b.W, sel)
	o.accs.update(o.t, ids, b, sel, o.key, o.keys.place)
	return nil
}

// remember keeps the results of groups before the step's first change to them.
func (o *aggregate) remember(ids []batch.RowID, old *batch.Batch) (had []bool) {
	had = make([]bool, len(ids))
	for k, id := range ids {
		had[k] = *o.count(id) > 0
	}
	o.results(ids, old, func(k int, _ string, _ Span) { had[k] = false })
	return had
}

// results appends the output rows of groups; fail is told of those that have
// none because a sum is out of range.
func (o *aggregate) results(ids []batch.RowID, out *batch.Batch, fail func(k int, msg string, at Span)) {
	for c := range o.nk {
		gather(&out.Cols[c], o.t.Pages, c, ids)
	}
	o.accs.results(o.t.Pages, o.accs.base, ids, out.Cols[o.nk:], fail)
	out.N += len(ids)
}

// EndStep emits -old and +new of every group that has changed, in the order of
// the first change, and removes the groups that have no rows.
func (o *aggregate) EndStep(_ []WM, out Emit) error {
	o.expire()
	if len(o.seen.ids) == 0 {
		return nil
	}
	for _, id := range o.seen.ids {
		if n := o.count(id); *n < 0 {
			*n = 0
			if err := o.env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
				return err
			}
		}
		o.t.Touch(id)
	}
	if err := o.accs.settle(o.env, o.t, o.seen.ids, o.nk); err != nil {
		return err
	}
	for k, old := range o.seen.old {
		from := k * touchChunk
		if err := o.emit(old, o.seen.ids[from:from+old.N], o.seen.had[from:], out); err != nil {
			return err
		}
	}
	for _, id := range o.seen.ids {
		if *o.count(id) == 0 {
			o.t.Delete(id)
		}
	}
	o.seen.reset()
	return nil
}

// emit sends the changes of one chunk of touched groups: what they were, taken
// away, then what they are.
func (o *aggregate) emit(old *batch.Batch, ids []batch.RowID, had []bool, out Emit) error {
	now := o.out
	now.Reset()
	live := make([]bool, len(ids))
	for k, id := range ids {
		live[k] = *o.count(id) > 0
	}
	o.bad = o.bad[:0]
	o.results(ids, now, func(k int, msg string, at Span) {
		if live[k] {
			live[k] = false
			o.bad = append(o.bad, expr.RowErr{Row: int32(k), Code: CodeSumRange, Msg: msg, At: at})
		}
	})
	if len(o.bad) > 0 {
		if err := o.env.Reject(Reject{Reason: Failed, B: now, Rows: o.bad, Made: true}); err != nil {
			return err
		}
	}
	// With a time to live an unchanged result is sent again, to keep what stands
	// downstream alive. An append node (DISTINCT) never takes anything away.
	again, grows := o.n.TTL > 0, o.n.Mode == Append
	o.minus, o.plus = o.minus[:0], o.plus[:0]
	for k := range ids {
		switch {
		case had[k] && live[k] && !again && batch.EqualRows(old.Cols, k, now.Cols, k):
		case had[k] && grows:
		default:
			if had[k] {
				o.minus = append(o.minus, int32(k))
			}
			if live[k] {
				o.plus = append(o.plus, int32(k))
			}
		}
	}
	return delta(old, o.minus, now, o.plus, out)
}
