package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// Retention says how long an inner join of append inputs needs a stored row: its
// condition asks that Col + Add >= By, where By is the other side's time attribute.
// Once the other side's watermark is above Col + Add no row to come can match.
//
// Example: bids with their auction, ON b.ts BETWEEN a.ts AND a.expires, where both
// ts are time attributes. A bid is needed while b.ts >= the auctions' watermark, an
// auction while a.expires >= the bids'.
type Retention struct {
	Col, By int   // columns of the side, of the other side
	Add     int64 // µs
}

// Retain derives what bounds each side's rows from the join's condition. Rows
// behind the watermark may then miss a partner; they are counted as late. With
// updates nothing can be dropped: a deletion must find its row.
func (n *Join) Retain() {
	if n.Kind != Inner || n.Residual == nil || n.In[0].Base().Mode != Append || n.In[1].Base().Mode != Append {
		return
	}
	fields := [2][]batch.Field{n.In[0].Base().Schema.Fields, n.In[1].Base().Schema.Fields}
	for _, c := range expr.Conjuncts(n.Residual) {
		op, a, b, ok := expr.Comparison(c)
		if op == "<" || op == "<=" {
			op, a, b = map[string]string{"<": ">", "<=": ">="}[op], b, a
		}
		if !ok || op != ">" && op != ">=" {
			continue
		}
		p, add, ok := expr.Shifted(a)
		q, sub, ok2 := expr.Shifted(b)
		if !ok || !ok2 || !p.T.IsTimestamp() || p.T.SQL != q.T.SQL {
			continue
		}
		side, x, y := 0, p.Index, q.Index
		if nl := len(fields[0]); x >= nl {
			side, x = 1, x-nl
		} else {
			y -= nl
		}
		if other := fields[1-side]; y < 0 || y >= len(other) || other[y].Time != batch.Rowtime || n.Keep[side] != nil || n.TTL[side] > 0 {
			continue
		}
		n.Keep[side] = &Retention{Col: x, By: y, Add: add - sub}
	}
	if n.Keep[0] != nil && n.Keep[1] != nil {
		n.State = "bounded(watermark)"
	}
	n.UsesWM = n.UsesWM || n.Keep[0] != nil || n.Keep[1] != nil
}

// retainedText is Retain's part of EXPLAIN's line.
func (n *Join) retainedText() (t string) {
	for i, k := range n.Keep {
		if k != nil {
			t += " keep " + [2]string{"left", "right"}[i] + " by " + n.In[i].Base().Schema.Fields[k.Col].Name
		}
	}
	return t
}

// keepBy files the rows of side in by the column that says how long they are needed.
func (o *join) keepBy(in int) {
	if k := o.n.Keep[in]; k != nil {
		s := o.sides[in]
		s.due = state.NewAges(s.t, s.at[k.Col])
	}
}

// missed counts the rows of b that are behind their own watermark, where the other
// side has dropped rows by it: they may have missed a partner.
func (o *join) missed(in int, b *batch.Batch, sel []int32) error {
	k := o.n.Keep[1-in]
	if k == nil {
		return nil
	}
	wm := int64(o.env.Prev(in))
	time, late := &b.Cols[k.By], o.late[:0]
	for _, i := range sel {
		if time.I[i] < wm && !time.IsNull(int(i)) {
			late = append(late, expr.RowErr{Row: i, Code: CodeLate, Msg: "a row behind the watermark", At: o.n.Span})
		}
	}
	if o.late = late; len(late) == 0 {
		return nil
	}
	return o.env.Reject(Reject{Reason: Late, B: b, Rows: late, In: in, Used: true})
}

// evict drops the rows that nothing to come can match.
func (o *join) evict(wm []WM) {
	for in, k := range o.n.Keep {
		// At the end of all input nothing comes, and nothing needs the room.
		if w := wm[1-in]; k != nil && w != WMStart && w != WMEnd {
			s := o.sides[in]
			s.due.Take(int64(w)-k.Add, func(id batch.RowID) {
				if g := s.idx.GroupOf(id); o.best != nil && o.best.Side != in && s.idx.Count(g) == 1 {
					o.best.forget(g)
				}
				s.idx.Remove(id)
				s.t.Delete(id)
			})
		}
	}
}
