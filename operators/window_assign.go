package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// WindowAssign is a window table function alone: it adds window_start,
// window_end and window_time to each row, one row for each window it is in.
type WindowAssign struct {
	Props
	Stays
	PassWM
	Win windows.Spec
}

// NewWindowAssign adds the three columns under the given names.
func NewWindowAssign(in Node, w windows.Spec, names [3]string) (*WindowAssign, error) {
	p := in.Base()
	if err := timeAttr(p.Schema, w); err != nil {
		return nil, err
	}
	if w.Kind == windows.Session {
		return nil, &PlanError{CodeNotYet, "a SESSION window without GROUP BY window_start, window_end is not supported yet", "group by the window columns and the PARTITION BY columns"}
	}
	v := visible(p.Schema)
	f := append([]batch.Field(nil), p.Schema.Fields[:v]...)
	for i, wf := range windowFields(p.Schema.Fields[w.Col], WinCols{true, true, true}) {
		wf.Name = names[i]
		f = append(f, wf)
	}
	f = append(f, p.Schema.Fields[v:]...)
	n := &WindowAssign{Win: w, Props: Props{In: []Node{in}, Schema: &batch.Schema{Fields: f}, State: "none", UsesWM: !w.Proc}}
	for _, k := range p.Keys {
		switch w.Kind { // what tells the windows of a row apart
		case windows.Hop:
			k = append(append([]int(nil), k...), v)
		case windows.Cumulate:
			k = append(append([]int(nil), k...), v+1)
		}
		n.Keys = append(n.Keys, k)
	}
	n.Mode = mode(p.Mode != Append, n.Keys)
	return n, nil
}

// timeAttr checks that windows stand on a time attribute.
func timeAttr(s *batch.Schema, w windows.Spec) error {
	f := s.Fields[w.Col]
	if f.Time == batch.NoTime {
		return &PlanError{CodeNotTime, "window on " + f.Name + ", which is not a time attribute",
			"declare WATERMARK FOR it, or use a PROCTIME() column; GROUP BY, regular joins and arithmetic end a time attribute"}
	}
	return nil
}

// windowOf returns the windows that n's rows carry: those of the window function
// nearest below it. Without one they are on event time and without a zone.
func windowOf(n Node) (found windows.Spec) {
	Visit(n, func(in Node) bool {
		if in == n || found.Size != 0 {
			return found.Size == 0
		}
		switch in := in.(type) {
		case *WindowAssign:
			found = in.Win
		case *WindowAggregate:
			found = in.Win
		}
		return found.Size == 0
	})
	return found
}

// WinCols says which window columns are asked for.
type WinCols struct{ Start, End, Time bool }

// windowFields returns the window columns over time attribute f.
func windowFields(f batch.Field, want WinCols) (out []batch.Field) {
	ts := batch.TypeTS3.With(true)
	if want.Start {
		out = append(out, batch.Field{Name: "window_start", Type: ts})
	}
	if want.End {
		out = append(out, batch.Field{Name: "window_end", Type: ts})
	}
	if want.Time {
		t := f.Type.With(true)
		t.P = 3
		out = append(out, batch.Field{Name: "window_time", Type: t, Time: f.Time})
	}
	return out
}

func (n *WindowAssign) Op() string { return "window" }

func (n *WindowAssign) Detail() string { return windowText(n.In[0].Base().Schema, n.Win) }

// windowText writes "HOP(ts, slide 5s, size 10s)".
func windowText(s *batch.Schema, w windows.Spec) string { return w.Text(s.Fields[w.Col].Name) }

func (n *WindowAssign) With(in []Node) Node { c := *n; c.In = in; return &c }

// New returns the window function on one worker.
func (n *WindowAssign) New(env *Env) (Operator, error) {
	return &windowAssign{n: n, env: env, clock: windows.NewClock(n.Win), at: visible(n.In[0].Base().Schema)}, nil
}

type windowAssign struct {
	stateless
	n     *WindowAssign
	env   *Env
	clock *windows.Clock
	at    int // where the window columns stand
	row   rows

	rows       []int32
	start, end []int64
	bad        []expr.RowErr
	now        []int64
	kept       []int32
}

func (o *windowAssign) Push(_ int, b *batch.Batch, out Emit) error {
	sel, time, err := o.times(b)
	if err != nil {
		return err
	}
	o.rows, o.start, o.end = o.n.Win.Rows(o.clock, time, sel, o.rows[:0], o.start[:0], o.end[:0])
	for from := 0; from < len(o.rows); from += batch.Chunk {
		to := min(from+batch.Chunk, len(o.rows))
		if err := o.chunk(b, o.rows[from:to], o.start[from:to], o.end[from:to], out); err != nil {
			return err
		}
	}
	return nil
}

// times returns the rows that have a time, and the times by stored row.
func (o *windowAssign) times(b *batch.Batch) ([]int32, []int64, error) {
	sel := o.row.of(b)
	if o.n.Win.Proc {
		o.now = o.now[:0]
		for range b.N {
			o.now = append(o.now, o.env.Now())
		}
		return sel, o.now, nil
	}
	v := &b.Cols[o.n.Win.Col]
	if v.Null == nil {
		return sel, v.I, nil
	}
	o.bad, o.kept = o.bad[:0], o.kept[:0]
	for _, i := range sel {
		if v.IsNull(int(i)) {
			o.bad = append(o.bad, expr.RowErr{Row: i, Code: CodeNullTime, Msg: "NULL in the time column of a window", At: o.n.Span})
			continue
		}
		o.kept = append(o.kept, i)
	}
	if len(o.bad) == 0 {
		return sel, v.I, nil
	}
	return o.kept, v.I, o.env.Reject(Reject{Reason: Failed, B: b, Rows: o.bad})
}

// chunk emits rows of b, each in the window beside it.
func (o *windowAssign) chunk(b *batch.Batch, rows []int32, start, end []int64, out Emit) error {
	r := &batch.Batch{Schema: o.n.Schema, N: len(rows), Cols: batch.NewVecs(o.n.Schema, 0)}
	for c := range b.Cols {
		to := c
		if c >= o.at {
			to += 3
		}
		r.Cols[to].AppendRows(&b.Cols[c], rows, len(rows))
	}
	w := r.Cols[o.at:]
	w[0].I, w[1].I = start, end
	w[2].I = make([]int64, len(end))
	for k, e := range end {
		if o.n.Schema.Fields[o.at+2].Type.SQL == batch.TimestampLTZ {
			e = o.clock.Instant(e)
		}
		w[2].I[k] = e - 1000
	}
	if b.W != nil {
		r.W = make([]int64, len(rows))
		for k, i := range rows {
			r.W[k] = b.W[i]
		}
	}
	return out(r)
}
