package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// place sets the time columns of the rows' keys and takes out late rows. It
// returns the batch to aggregate and the rows that count.
func (o *windowAgg) place(b *batch.Batch) (*batch.Batch, []int32, error) {
	o.time.Kind, o.more.Kind = batch.Int, batch.Int
	o.time.Resize(b.N)
	o.more.Resize(b.N)
	o.late, o.kept = o.late[:0], o.kept[:0]
	sel := o.row.of(b)
	var err error
	switch {
	case o.attached:
		copy(o.time.I, b.Cols[o.n.Ends].I[:b.N])
		copy(o.more.I, b.Cols[o.n.Beg].I[:b.N])
		if o.n.Win.Proc {
			o.kept = append(o.kept, sel...)
		} else {
			o.keepOpen(b, sel, func(end int64) int64 { return end })
		}
	case o.n.Win.Proc:
		o.kept = append(o.kept, sel...)
		return o.widen(b)
	default:
		if sel, err = o.timed(b, sel); err != nil {
			return nil, nil, err
		}
		o.n.Win.Panes(o.clock, b.Cols[o.n.Win.Col].I, sel, o.time.I)
		o.keepOpen(b, sel, o.n.Win.LastEnd)
	}
	if len(o.late) > 0 {
		if err := o.env.Reject(Reject{Reason: Late, B: b, Rows: o.late}); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case o.attached:
	case o.panes:
		if o.two {
			o.firsts(b)
		}
	case o.n.Win.Kind == windows.Tumble:
		for _, i := range o.kept {
			o.time.I[i] += o.n.Win.Size
		}
	default:
		return o.widen(b)
	}
	return b, o.kept, nil
}

// timed returns the rows of sel that have a time; the others are row errors.
func (o *windowAgg) timed(b *batch.Batch, sel []int32) ([]int32, error) {
	v := &b.Cols[o.n.Win.Col]
	if v.Null == nil {
		return sel, nil
	}
	kept := make([]int32, 0, len(sel))
	var bad []expr.RowErr
	for _, i := range sel {
		if v.IsNull(int(i)) {
			bad = append(bad, expr.RowErr{Row: i, Code: CodeNullTime, Msg: "NULL in the time column of a window", At: o.n.Span})
			continue
		}
		kept = append(kept, i)
	}
	if bad == nil {
		return sel, nil
	}
	return kept, o.env.Reject(Reject{Reason: Failed, B: b, Rows: bad})
}

// wm returns the watermark by which lateness of row i is judged.
func (o *windowAgg) wm(b *batch.Batch, i int32) WM {
	if o.mark >= 0 {
		return WM(b.Cols[o.mark].I[i])
	}
	return o.env.Prev(0)
}

// keepOpen keeps the rows of sel whose last window has not ended; last gives
// its end by the row's time.
func (o *windowAgg) keepOpen(b *batch.Batch, sel []int32, last func(int64) int64) {
	known, at, over := false, int64(0), int64(0)
	prev := int64(WMStart)
	if o.mark < 0 {
		prev = int64(o.env.Prev(0))
	}
	for _, i := range sel {
		if t := o.time.I[i]; !known || t != at {
			known, at, over = true, t, o.clock.Instant(last(t))
		}
		if o.mark >= 0 {
			prev = b.Cols[o.mark].I[i]
		}
		if over <= prev {
			o.late = append(o.late, expr.RowErr{Row: i, Code: CodeLate, Msg: "its window has ended", At: o.n.Span})
			continue
		}
		o.kept = append(o.kept, i)
	}
}

// next returns the end of the first window of a pane that is not over at wm.
func (o *windowAgg) next(pane int64, wm WM) (end int64, ok bool) {
	if wm == WMEnd {
		return 0, false
	}
	after := int64(wm)
	if o.n.Win.Zone != nil && wm != WMStart {
		after = o.clock.Local(after) - 24*3600*1e6
	}
	for end, ok = o.n.Win.NextEnd(pane, after); ok && o.clock.Instant(end) <= int64(wm); {
		end, ok = o.n.Win.NextEnd(pane, end)
	}
	return end, ok
}

// firsts sets the second time column to the first open window of each kept row.
func (o *windowAgg) firsts(b *batch.Batch) {
	kept := o.kept[:0]
	for _, i := range o.kept {
		if end, ok := o.next(o.time.I[i], o.wm(b, i)); ok {
			o.more.I[i] = end
			kept = append(kept, i)
		}
	}
	o.kept = kept
}

// widen repeats the kept rows for each of their open windows and sets the time
// column to the windows' ends.
func (o *windowAgg) widen(b *batch.Batch) (*batch.Batch, []int32, error) {
	var rows []int32
	var ends []int64
	for _, i := range o.kept {
		at, wm := o.time.I[i], WMStart
		if o.n.Win.Proc {
			at = o.n.Win.Floor(o.clock.Local(o.env.Now()), o.n.Win.Pane())
		} else {
			wm = o.wm(b, i)
		}
		for end, ok := o.next(at, wm); ok; end, ok = o.n.Win.NextEnd(at, end) {
			rows, ends = append(rows, i), append(ends, end)
		}
	}
	if o.wide == nil {
		o.wide = batch.New(b.Schema, 0)
	}
	o.wide.Reset()
	if len(rows) == 0 {
		return o.wide, nil, nil
	}
	o.wide.AppendRows(b, rows)
	o.time.I = append(o.time.I[:0], ends...)
	return o.wide, o.row.upto(len(rows)), nil
}
