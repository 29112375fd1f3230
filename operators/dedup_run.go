package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// New returns the deduplication on one worker.
func (n *Dedup) New(env *Env) (Operator, error) {
	k := newKeyed(env, n.Ident, "dedup", n.Schema, n.Part, n.TTL)
	switch {
	case n.Last:
		return &keepLast{k: k, col: n.Col, proc: n.Proc}, nil
	case n.Proc:
		return &keepNow{k: k}, nil
	}
	o := &keepFirst{n: n, k: k, at: k.at[n.Col], wm: -1, out: batch.New(n.Schema, 0)}
	o.due = state.NewBuckets(k.t, o.at)
	k.gone = o.due.Remove
	for c, f := range n.In[0].Base().Schema.Fields {
		if f.Name == "$wm" {
			o.wm = c
		}
	}
	return o, nil
}

// keepLast shows the row of the greatest time; of equal times the later arrival.
type keepLast struct {
	k    *keyed
	col  int
	proc bool
	wins []int32
}

func (o *keepLast) Push(_ int, b *batch.Batch, _ Emit) error {
	sel := o.k.row.of(b)
	if len(sel) == 0 {
		return nil
	}
	ids := o.k.find(b, sel)
	at, time := o.k.at[o.col], b.Cols[o.col].I
	if !o.proc {
		// A row behind what its key shows changes nothing, whatever else comes.
		o.wins = o.wins[:0]
		for _, i := range sel {
			p, s := o.k.t.At(ids[i])
			if p.Cols[o.k.live].I[s] == 0 || time[i] >= p.Cols[at].I[s] {
				o.wins = append(o.wins, i)
			}
		}
		sel = o.wins
	}
	o.k.touch(ids, sel)
	wins := o.wins[:0]
	for _, i := range sel {
		p, s := o.k.t.At(ids[i])
		if live := &p.Cols[o.k.live].I[s]; *live == 0 || o.proc || time[i] >= p.Cols[at].I[s] {
			*live, p.Cols[at].I[s] = 1, time[i]
			wins = append(wins, i)
		}
	}
	o.k.set(ids, wins, b)
	o.wins = wins
	return nil
}

func (o *keepLast) EndStep(_ []WM, out Emit) error { return o.k.flush(out) }

// keepNow passes the first row of each key on at once: keep first by processing time.
type keepNow struct {
	k    *keyed
	pass []int32
}

func (o *keepNow) Push(_ int, b *batch.Batch, out Emit) error {
	sel := o.k.row.of(b)
	if len(sel) == 0 {
		return nil
	}
	ids := o.k.find(b, sel)
	o.pass = o.pass[:0]
	for _, i := range sel {
		if s := o.k.state(ids[i]); *s == 0 {
			*s = 1
			o.k.t.Touch(ids[i])
			o.pass = append(o.pass, i)
		}
	}
	if len(o.pass) == 0 {
		return nil
	}
	return out(&batch.Batch{Schema: o.k.schema, Cols: b.Cols[:len(o.k.schema.Fields)], N: b.N, Sel: o.pass})
}

func (o *keepNow) EndStep([]WM, Emit) error { return nil }

// What a key of keepFirst is, in its live column.
const (
	candidate = 1 // the row with the smallest time so far
	decided   = 2 // under on-event: the watermark has passed it, it cannot be beaten
	done      = 3 // emitted
)

// keepFirst emits the row with the smallest time of each key once the watermark
// has passed it; of equal times the earlier arrival. Its output is append.
//
// Rows at 1, 3, 2 of one key and a watermark of 5: the row at 1, whatever the order.
type keepFirst struct {
	n    *Dedup
	k    *keyed
	at   int // the time's column in the table
	wm   int // input column $wm, -1 = none
	due  *state.Buckets
	late []expr.RowErr
	live []int32
	one  [1]int32
	fire []batch.RowID
	out  *batch.Batch
}

func (o *keepFirst) Push(_ int, b *batch.Batch, _ Emit) error {
	time := b.Cols[o.n.Col].I
	o.late, o.live = o.late[:0], o.live[:0]
	before := func(i int32) WM {
		if o.wm >= 0 {
			return WM(b.Cols[o.wm].I[i])
		}
		return o.k.env.Prev(0)
	}
	for _, i := range o.k.row.of(b) {
		// A row at exactly Flink's watermark still counts: late is ts < wm - 1 ms.
		if wm := before(i); wm != WMStart && (wm == WMEnd || time[i] < int64(wm)-1000) {
			o.late = append(o.late, expr.RowErr{Row: i, Code: CodeLate, Msg: "a row behind the watermark", At: o.n.Span})
		} else {
			o.live = append(o.live, i)
		}
	}
	if len(o.late) > 0 {
		if err := o.k.env.Reject(Reject{Reason: Late, B: b, Rows: o.late}); err != nil {
			return err
		}
	}
	if len(o.live) == 0 {
		return nil
	}
	ids := o.k.find(b, o.live)
	for _, i := range o.live {
		id := ids[i]
		p, s := o.k.t.At(id)
		st := o.k.state(id)
		if *st == candidate && o.wm >= 0 && p.Cols[o.at].I[s] < b.Cols[o.wm].I[i] {
			*st = decided
			o.k.t.Touch(id)
		}
		switch {
		case *st == 0:
		case *st == candidate && time[i] < p.Cols[o.at].I[s]:
			o.due.Remove(id)
		default:
			continue
		}
		o.one[0] = i
		o.k.set(ids, o.one[:], b)
		*o.k.state(id) = candidate
		o.due.Insert(id)
	}
	return nil
}

// Open returns the number of keys whose row waits for the watermark.
func (o *keepFirst) Open() (n int64) {
	o.k.t.Each(func(id batch.RowID) {
		if *o.k.state(id) != done {
			n++
		}
	})
	return n
}

func (o *keepFirst) EndStep(wm []WM, out Emit) error {
	o.k.expire()
	if wm[0] == WMStart {
		return nil
	}
	limit := int64(wm[0]) - 1
	var err error
	o.due.Due(limit, func(_ int64, ids []batch.RowID) {
		for err == nil && len(ids) > 0 {
			o.fire = o.fire[:0]
			for len(ids) > 0 && len(o.fire) < batch.Chunk {
				if st := o.k.state(ids[0]); *st != done {
					*st = done
					o.k.t.Touch(ids[0])
					o.fire = append(o.fire, ids[0])
				}
				ids = ids[1:]
			}
			o.out.Reset()
			o.k.show(o.fire, o.out)
			o.k.hollow(o.fire)
			if o.out.N > 0 {
				err = out(o.out)
			}
		}
	})
	o.due.Drop(limit)
	return err
}
