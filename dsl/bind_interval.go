package dsl

import (
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// near is how near conditions of a join keep two time attributes, one of each side.
type near struct {
	within ops.Interval
	of     []bool // by condition: it is one of the bounds, and nothing more
}

// timeBounds finds two time attributes of one kind that conditions over the columns of l and r (these follow those) bound both ways,
// as an interval join needs it; nil when there are none.
//
//	r.ts BETWEEN l.ts - INTERVAL '5' SECOND AND l.ts    -5 s <= r.ts - l.ts <= 0
//	l.ts = r.ts                                         0 <= r.ts - l.ts <= 0; the equality also remains one
func timeBounds(l, r *relation, conds []cond) *near {
	type pair struct{ lt, rt int }
	var order []pair
	found := map[pair]*near{}
	for i, c := range conds {
		w, exact, ok := timeBound(l, r, c.e)
		if !ok {
			continue
		}
		p := pair{w.LT, w.RT}
		if found[p] == nil {
			found[p] = &near{within: ops.Interval{LT: w.LT, RT: w.RT, Lo: math.MinInt64, Hi: math.MaxInt64}, of: make([]bool, len(conds))}
			order = append(order, p)
		}
		n := found[p]
		n.within.Lo, n.within.Hi = max(n.within.Lo, w.Lo), min(n.within.Hi, w.Hi)
		n.of[i] = !exact
	}
	for _, p := range order {
		if n := found[p]; n.within.Lo != math.MinInt64 && n.within.Hi != math.MaxInt64 {
			return n
		}
	}
	return nil
}

// farthest keeps sums of times and bounds in range: no two times are that far apart, 36,000 years.
const farthest = 1 << 60

// timeBound reads one condition as a bound; exact tells an equality.
func timeBound(l, r *relation, e ex.Expr) (w ops.Interval, exact, ok bool) {
	op, a, z, ok := ex.Comparison(e)
	if !ok {
		return w, false, false
	}
	x, byX, okX := ex.Shifted(a)
	y, byY, okY := ex.Shifted(z)
	if !okX || !okY {
		return w, false, false
	}
	nl := len(l.cols)
	if x.Index >= nl { // the left side's time first
		x, y, byX, byY = y, x, byY, byX
		op = flipped[op]
	}
	if x.Index >= nl || y.Index < nl {
		return w, false, false
	}
	lf, rf := l.node.Base().Schema.Fields[x.Index], r.node.Base().Schema.Fields[y.Index-nl]
	if lf.Time == batch.NoTime || lf.Time != rf.Time {
		return w, false, false
	}
	// left + byX op right + byY: right - left flipped(op) by. Times of events are whole milliseconds.
	by, unit := byX-byY, int64(1)
	if by > farthest || by < -farthest {
		return w, false, false
	}
	if lf.Time == batch.Rowtime {
		unit = 1000
	}
	up, down := -batch.FloorDiv(-by, unit)*unit, batch.FloorDiv(by, unit)*unit
	w = ops.Interval{LT: x.Index, RT: y.Index - nl, Lo: math.MinInt64, Hi: math.MaxInt64}
	switch op {
	case "=":
		w.Lo, w.Hi = up, down
	case "<=":
		w.Lo = up
	case "<":
		w.Lo = down + unit
	case ">=":
		w.Hi = down
	case ">":
		w.Hi = up - unit
	default:
		return w, false, false
	}
	return w, op == "=", true
}

// flipped is the comparison with its operands swapped.
var flipped = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}

func (b *binder) intervalJoin(kind ops.JoinKind, l, r ops.Node, w ops.Interval, lk, rk []int, nulls []bool, residual ex.Expr, at source.Span) ops.Node {
	key := fmt.Sprintf("interval join|%v|%v|%v|%v|%v|%s", kind, w, lk, rk, nulls, exprKey(residual))
	n := b.in.intern(key, []ops.Node{l, r}, func() ops.Node {
		n, err := ops.NewIntervalJoin(kind, l, r, w, lk, rk, nulls, residual)
		return planned(at, n, err)
	})
	n.Base().Span = opSpan(at)
	return n
}
