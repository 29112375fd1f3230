package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// remember is a projection of updates with columns that are no functions of the
// row: RAND(), UUID(), the clock. It keeps what they gave for each row, so that
// taking the row back takes away what was put out:
//
//	T{row -> n, values}
//
// Example: +(a, 1) gives (a, 1, 0.37); the -(a, 1) of a later step gives
// -(a, 1, 0.37). Within a step - may come first: its values are then those of
// the + that follows.
type remember struct {
	*project
	t     *state.Table
	in    []int // the columns of the row
	place []int // those that place it
	loose []int // places among the computed columns of the values kept
	check []batch.RowID

	keys keys
	key  []batch.Vec
	pl   []batch.Vec
	ids  []batch.RowID
	row  rows
	kept []batch.Vec
	now  int64 // step time of the last expiry
}

func newRemember(n *Project, o *project) *remember {
	in := n.In[0].Base()
	r := &remember{now: -1 << 63, project: o, in: ints(visible(in.Schema)), place: n.Place(0).Keys}
	val := []batch.Type{batch.TypeBigInt}
	for i, c := range n.Pick {
		if c < 0 && !expr.Deterministic(n.Exprs[i]) {
			r.loose = append(r.loose, o.from[i])
			val = append(val, n.Schema.Fields[i].Type)
			r.kept = append(r.kept, batch.NewVec(n.Schema.Fields[i].Type, 0))
		}
	}
	r.t = o.env.State.Table(state.Spec{Op: n.Ident, Layout: "rows", Version: 1, Key: types(in.Schema, r.in), Val: val, TTL: longest(n.In[0])})
	return r
}

// longest returns the longest time to live of the state that makes n's updates: a
// row that it forgets is never taken back. 0 = some row may be.
func longest(n Node) (ttl int64) {
	Visit(n, func(n Node) bool {
		if n.Base().Mode == Append {
			return false
		}
		switch n := n.(type) {
		case *Aggregate:
			ttl = max(ttl, n.TTL)
		case *Dedup:
			ttl = max(ttl, n.TTL)
		case *Join:
			ttl = max(ttl, n.TTL[0], n.TTL[1])
		case *Normalize:
			ttl = max(ttl, n.TTL)
		case *TopN:
			ttl = max(ttl, n.TTL)
		}
		return true
	})
	return ttl
}

func (o *remember) Push(_ int, b *batch.Batch, out Emit) error {
	made, sel, err := o.eval(b)
	if err != nil {
		return err
	}
	if sel == nil {
		sel = o.row.upto(b.N)
	}
	if len(sel) == 0 {
		return nil
	}
	o.key, o.pl = pick(o.key, b, o.in), pick(o.pl, b, o.place)
	o.keys.of(b, sel, o.pl, o.key, true)
	if cap(o.ids) < b.N {
		o.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := o.ids[:b.N]
	o.expire()
	n := len(o.key)
	for _, i := range o.t.Rows(o.key, o.keys.place, o.keys.hash, sel, b.N, ids) {
		for k, c := range o.loose {
			o.t.SetFrom(ids[i], n+1+k, &made[c], int(i))
		}
	}
	for _, i := range sel {
		p, s := o.t.At(ids[i])
		if p.Cols[n].I[s] += b.Weight(int(i)); p.Cols[n].I[s] <= 0 {
			o.check = append(o.check, ids[i])
		}
		o.t.Touch(ids[i])
	}
	o.recall(made, sel, ids, b.N)
	return o.emit(b, made, sel, out)
}

func (o *remember) expire() {
	if o.t.Spec.TTL > 0 && o.now != o.env.Now() {
		o.now = o.env.Now()
		o.t.Expire(o.now, nil)
	}
}

// recall puts the kept values of rows sel in place of those just computed.
func (o *remember) recall(made []batch.Vec, sel []int32, ids []batch.RowID, rows int) {
	for k, c := range o.loose {
		v := &o.kept[k]
		v.Reset()
		next := 0
		for _, i := range sel {
			for ; next < int(i); next++ {
				v.AppendNull() // rows that are not selected
			}
			p, s := o.t.At(ids[i])
			v.AppendFrom(&p.Cols[len(o.in)+1+k], s)
			next++
		}
		for ; next < rows; next++ {
			v.AppendNull()
		}
		made[c] = *v
	}
}

// EndStep forgets the rows that are gone.
func (o *remember) EndStep([]WM, Emit) error {
	o.expire()
	n := len(o.in)
	for _, id := range o.check {
		p, s := o.t.At(id)
		if !p.IsLive(s) || p.Cols[n].I[s] > 0 {
			continue
		}
		below := p.Cols[n].I[s] < 0
		o.t.Delete(id)
		if below {
			if err := o.env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
				return err
			}
		}
	}
	o.check = o.check[:0]
	return nil
}
