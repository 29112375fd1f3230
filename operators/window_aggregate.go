package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/windows"
)

// WindowAggregate is GROUP BY window_start, window_end and keys. Output: keys,
// aggregates, then the window columns of Want. It emits a window once, when it
// ends; updates go into the open windows.
type WindowAggregate struct {
	Props
	PassWM
	Win  windows.Spec // over the input's time attribute
	Ends int          // attached: the input's window_end column; else -1
	Beg  int          // attached: the input's window_start column
	By   []int
	Aggs []AggCall
	Want WinCols
}

// NewWindowAggregate returns a window aggregation of in over windows w; fields
// are the output's columns, window columns included.
func NewWindowAggregate(in Node, w windows.Spec, keys []int, aggs []AggCall, want WinCols, fields []batch.Field) (*WindowAggregate, error) {
	if err := timeAttr(in.Base().Schema, w); err != nil {
		return nil, err
	}
	if w.Kind == windows.Session {
		if err := sessionCan(in, w, keys, aggs); err != nil {
			return nil, err
		}
	}
	n := &WindowAggregate{Win: w, Ends: -1, Beg: -1, By: keys, Aggs: aggs, Want: want}
	n.props(in, fields)
	n.UsesWM = !w.Proc
	if w.Proc {
		n.State = "bounded(processing time)"
	}
	return n, nil
}

// NewAttachedAggregate groups by window columns that the input carries; fields
// are keys, aggregates, then window_start, window_end, window_time, of which the
// last may be left out.
func NewAttachedAggregate(in Node, start, end int, keys []int, aggs []AggCall, fields []batch.Field) *WindowAggregate {
	extra := len(fields) - len(keys) - len(aggs)
	n := &WindowAggregate{Beg: start, Ends: end, By: keys, Aggs: aggs, Want: WinCols{Start: extra > 0, End: extra > 1, Time: extra > 2}}
	n.props(in, fields)
	w := windowOf(n)
	n.Win = windows.Spec{Kind: w.Kind, Size: w.Size, Col: end, Proc: w.Proc, Zone: w.Zone}
	n.UsesWM = !w.Proc
	return n
}

func (n *WindowAggregate) props(in Node, fields []batch.Field) {
	n.Props = Props{In: []Node{in}, Schema: &batch.Schema{Fields: fields}, Mode: Append, State: "bounded(watermark)"}
	k, at := ints(len(n.By)), len(n.By)+len(n.Aggs)
	n0 := len(k)
	if n.Want.Start {
		k, at = append(k, at), at+1
	}
	if n.Want.End {
		k = append(k, at)
	}
	if len(k) > n0 && (n.Want.End || n.Win.Kind != windows.Cumulate) { // CUMULATE: many windows begin together
		n.Keys = [][]int{k}
	}
}

func (n *WindowAggregate) Op() string { return "window aggregate" }

func (n *WindowAggregate) Detail() string {
	s := n.In[0].Base().Schema
	d := aggText(s, n.By, n.Aggs)
	if d != "" {
		d += " "
	}
	if n.Ends >= 0 {
		return d + "over " + s.Fields[n.Beg].Name + ", " + s.Fields[n.Ends].Name
	}
	return d + "over " + windowText(s, n.Win)
}

func (n *WindowAggregate) Place(int) Placement { return byKey(n.By) }
func (n *WindowAggregate) With(in []Node) Node { c := *n; c.In = in; return &c }
