package operators

import (
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
	"github.com/streamd/streamd/state"
)

// windowTopN keeps the first rows of each partition of a window until the window is
// over, and emits them then. Its entries are those of a top-N over append input;
// of the step's bookkeeping it uses none.
type windowTopN struct {
	*topn
	due   *state.Buckets // entries by the end of their window
	clock *windows.Clock // of the windows' ends
	proc  bool           // windows on processing time
	mark  int            // input column $wm, -1 = none

	late []expr.RowErr
	live []int32
}

func newWindowTopN(o *topn) *windowTopN {
	w := windowOf(o.n)
	return &windowTopN{topn: o, due: state.NewBuckets(o.t, o.at[o.n.End]), clock: windows.NewClock(w), proc: w.Proc,
		mark: o.n.In[0].Base().Schema.Index("$wm")}
}

// over returns when a window that ends at end is over.
func (o *windowTopN) over(end int64) WM { return WM(o.clock.Instant(end)) }

func (o *windowTopN) Push(_ int, b *batch.Batch, _ Emit) error {
	end, prev := &b.Cols[o.n.End], o.env.Prev(0)
	o.late, o.live = o.late[:0], o.live[:0]
	for _, i := range o.row.of(b) {
		if o.mark >= 0 {
			prev = WM(b.Cols[o.mark].I[i])
		}
		if !o.proc && o.over(end.I[i]) <= prev {
			o.late = append(o.late, expr.RowErr{Row: i, Code: CodeLate, Msg: "its window has ended", At: o.n.Span})
			continue
		}
		o.live = append(o.live, i)
	}
	if len(o.late) > 0 {
		if err := o.env.Reject(Reject{Reason: Late, B: b, Rows: o.late}); err != nil {
			return err
		}
	}
	if len(o.live) == 0 {
		return nil
	}
	o.key = pick(o.key, b, o.cols)
	part := o.key[:len(o.n.Part)]
	o.part.of(b, o.live, part, part, false)
	for _, i := range o.live {
		g := o.idx.Group(part, int(i), o.part.place[i], o.part.hash[i])
		if g != 0 && int64(o.idx.Count(g)) >= o.n.To && o.behind(b, int(i), g) {
			continue
		}
		id := o.add(b, int(i), b.Weight(int(i)), g)
		for c, at := range o.rest {
			if at >= 0 {
				o.t.SetFrom(id, at, &b.Cols[c], int(i))
			}
		}
		o.due.Insert(id)
		if g = o.idx.GroupOf(id); int64(o.idx.Count(g)) > o.n.To {
			last := o.idx.Last(g)
			o.due.Remove(last)
			o.idx.Remove(last)
			o.t.Delete(last)
		}
	}
	return nil
}

// Due returns when the next processing-time window ends.
func (o *windowTopN) Due() int64 {
	if end, ok := o.due.Next(); ok && o.proc {
		return int64(o.over(end))
	}
	return math.MaxInt64
}

// Open returns the number of rows in windows that have not ended.
func (o *windowTopN) Open() int64 { return int64(o.t.Len()) }

// EndStep emits the windows that are over, the earliest first.
func (o *windowTopN) EndStep(wm []WM, out Emit) error {
	limit := wm[0]
	if o.proc {
		limit = WM(o.env.Now())
	}
	for {
		end, ok := o.due.Next()
		if !ok || o.over(end) > limit {
			return nil
		}
		ids := append([]batch.RowID(nil), o.due.At(end)...)
		for _, id := range ids {
			if !o.idx.Has(id) {
				continue // its partition has been shown
			}
			o.is = o.show(o.idx.GroupOf(id), o.is[:0])
			for k, x := range o.is {
				if err := o.one(x, 1, o.n.From+int64(k), out); err != nil {
					return err
				}
			}
			o.gone = o.gone[:0]
			for x := o.idx.First(o.idx.GroupOf(id)); x != 0; x = o.idx.Next(x) {
				o.gone = append(o.gone, x)
			}
			for _, x := range o.gone {
				o.idx.Remove(x)
			}
		}
		if err := o.flush(out); err != nil {
			return err
		}
		for _, id := range ids {
			o.t.Delete(id)
		}
		o.due.Drop(end)
	}
}
