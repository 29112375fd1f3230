package operators

import (
	"fmt"
	"math"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// IntervalJoin joins the rows of two append streams with equal keys whose times
// are near each other: Lo <= right time - left time <= Hi. A row is kept until no
// row that is still to come can meet it.
type IntervalJoin struct {
	Props
	Kind     JoinKind
	Within   Interval
	LK, RK   []int
	NullSafe []bool    // by key: IS NOT DISTINCT FROM
	Residual expr.Expr // over left then right columns; nil = none
}

// Interval bounds the difference of a time attribute of each side.
type Interval struct {
	LT, RT int   // the time attributes: columns of the left and the right input
	Lo, Hi int64 // of right - left, inclusive, µs
}

// NewIntervalJoin returns the join of l and r where lk = rk, within holds and
// residual is TRUE. The time attributes stay what they are, padded ones too.
func NewIntervalJoin(kind JoinKind, l, r Node, within Interval, lk, rk []int, nullSafe []bool, residual expr.Expr) (*IntervalJoin, error) {
	if err := refuseUpdates("an interval join", l, r); err != nil {
		return nil, err
	}
	n := &IntervalJoin{Kind: kind, Within: within, LK: lk, RK: rk, NullSafe: nullSafe, Residual: residual}
	n.Props = joinProps(kind, l, r, lk, rk, "bounded(watermark)")
	n.Mode, n.UsesWM = Append, !n.proc()
	if n.proc() {
		n.State = "bounded(processing time)"
	}
	return n, nil
}

// proc tells that the times are processing times.
func (n *IntervalJoin) proc() bool {
	return n.In[0].Base().Schema.Fields[n.Within.LT].Time == batch.Proctime
}

// keeps returns how long, behind its time, a row of input in can meet rows to come:
// it goes when the watermark is past time + keeps.
func (w Interval) keeps(in int) int64 {
	if in == 0 {
		return w.Hi
	}
	return -w.Lo
}

// OutWM holds the watermark back by what the older row of a pair may be behind it.
func (n *IntervalJoin) OutWM(in []WM) WM {
	wm := min(in[0], in[1])
	hold := max(n.Within.keeps(0), n.Within.keeps(1), 0)
	switch {
	case wm == WMEnd || n.proc():
		return wm
	case int64(wm) < math.MinInt64+hold:
		return WMStart
	}
	return wm - WM(hold)
}

func (n *IntervalJoin) Op() string { return "interval join " + n.Kind.String() }

func (n *IntervalJoin) Detail() string {
	l, r := n.In[0].Base().Schema, n.In[1].Base().Schema
	span := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	return fmt.Sprintf("%s where right %s - left %s is %s to %s", joinText(l, r, n.LK, n.RK, n.NullSafe, n.Residual),
		r.Fields[n.Within.RT].Name, l.Fields[n.Within.LT].Name, span(n.Within.Lo), span(n.Within.Hi))
}

func (n *IntervalJoin) Place(i int) Placement {
	if i == 0 {
		return byKey(n.LK)
	}
	return byKey(n.RK)
}

func (n *IntervalJoin) With(in []Node) Node { c := *n; c.In = in; return &c }
