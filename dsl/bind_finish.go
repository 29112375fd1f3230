package dsl

import (
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// finish applies the WHERE clause. A pending join or row number becomes an operator with the conjuncts that it needs; a pending
// window stays pending where there are conjuncts and none asks for its columns. Without conjuncts nothing stays pending.
func (b *binder) finish(r *relation, where []cond) *relation {
	switch {
	case r.group != nil:
		return b.joinGroup(r, where)
	case r.rank != nil:
		return b.rankedBy(r, where)
	case r.win != nil:
		first := len(r.cols) - 3
		session := r.win.spec.Kind == windows.Session
		low := len(where) > 0
		for _, c := range where {
			for _, i := range ex.Cols(c.e) {
				low = low && i < first && (!session || slices.Contains(r.win.spec.Keys, i))
			}
			if low = low && (!session || ex.Deterministic(c.e)); session && !low {
				notYet(b.headOf(c.at), "a condition on the rows of SESSION is", "filter in a view or WITH query that SESSION reads, or around the GROUP BY")
			}
		}
		if low {
			out := *r
			out.node = b.where(&relation{node: r.node, cols: r.cols[:first]}, where).node
			return &out
		}
		return b.where(b.assigned(r), where)
	}
	return b.where(r, where)
}

// where filters an operator's rows.
func (b *binder) where(r *relation, conds []cond) *relation {
	if len(conds) == 0 {
		return r
	}
	var es []ex.Expr
	for _, c := range conds {
		es = append(es, c.e)
	}
	out := *r
	out.node = b.filter(r.node, and(es))
	out.node.Base().Span = opSpan(conds[0].at)
	return &out
}

// and is the conjunction of conditions that are BOOLEAN.
func and(es []ex.Expr) ex.Expr {
	e, err := ex.And(es...)
	if err != nil {
		panic("BUG: a conjunct is not BOOLEAN: " + err.Error())
	}
	return e
}

// assigned makes the window function an operator of its own.
func (b *binder) assigned(r *relation) *relation {
	w := r.win.spec
	n := b.in.intern("window|"+windowKey(w), []ops.Node{r.node}, func() ops.Node {
		n, err := ops.NewWindowAssign(r.node, w, [3]string{"window_start", "window_end", "window_time"})
		return planned(r.win.at, n, err)
	})
	n.Base().Span = opSpan(r.win.at)
	out := &relation{node: n, cols: append([]column{}, r.cols...)}
	for i := range out.cols {
		f := n.Base().Schema.Fields[i]
		out.cols[i].f.Type, out.cols[i].f.Time = f.Type, f.Time
	}
	return out
}

func windowKey(w windows.Spec) string { return fmt.Sprintf("%s %v %v", w, w.Keys, w.Zone) }

func (b *binder) windowAggregate(n ops.Node, w windows.Spec, keys []int, aggs []ops.AggCall, want ops.WinCols, fields []batch.Field, at source.Span) ops.Node {
	key := fmt.Sprintf("window aggregate|%s|%v|%s|%v|%s", windowKey(w), keys, aggKey(aggs), want, fieldKey(fields))
	return b.in.intern(key, []ops.Node{n}, func() ops.Node {
		n, err := ops.NewWindowAggregate(n, w, keys, aggs, want, fields)
		return planned(at, n, err)
	})
}

func (b *binder) attachedAggregate(n ops.Node, start, end int, keys []int, aggs []ops.AggCall, fields []batch.Field) ops.Node {
	key := fmt.Sprintf("attached aggregate|%d %d|%v|%s|%s", start, end, keys, aggKey(aggs), fieldKey(fields))
	return b.in.intern(key, []ops.Node{n}, func() ops.Node { return ops.NewAttachedAggregate(n, start, end, keys, aggs, fields) })
}

// rangeOf reads a conjunct as a bound on the row number at column col: from <= rank <= to; -1 for a bound that it does not set.
func rangeOf(e ex.Expr, col int) (from, to int64, ok bool) {
	op, a, c, is := ex.Comparison(e)
	if !is {
		return 0, 0, false
	}
	x, n, okA := rankAgainst(a, c, col)
	if !okA {
		if x, n, okA = rankAgainst(c, a, col); !okA {
			return 0, 0, false
		}
		op = flipped[op]
	}
	_ = x
	switch op {
	case "=":
		return n, n, true
	case "<":
		return -1, n - 1, true
	case "<=":
		return -1, n, true
	case ">":
		return n + 1, -1, true
	case ">=":
		return n, -1, true
	}
	return 0, 0, false
}

func rankAgainst(a, c ex.Expr, col int) (ex.Expr, int64, bool) {
	for {
		x, ok := ex.CastOf(a)
		if !ok {
			break
		}
		a = x
	}
	k, ok := a.(*ex.Col)
	if !ok || k.Index != col {
		return nil, 0, false
	}
	for {
		x, ok := ex.CastOf(c)
		if !ok {
			break
		}
		c = x
	}
	n, ok := ex.Fold(c).(*ex.Const)
	if !ok || !n.T.IsInteger() || n.IsNull() {
		return nil, 0, false
	}
	return a, n.V.I[0], true
}

// rankedBy makes a pending row number a top-N or a deduplication.
func (b *binder) rankedBy(r *relation, where []cond) *relation {
	p := r.rank
	from, to := int64(1), int64(-1)
	var rest []cond
	for _, c := range where {
		f, t, ok := rangeOf(c.e, r.cols[p.col].idx)
		if !ok {
			rest = append(rest, c)
			continue
		}
		from = max(from, f)
		if t >= 0 && (to < 0 || t < to) {
			to = t
		} else if t < 0 && f < 0 {
			to = 0
		}
	}
	if to < 0 {
		d := diag.New("SD4004", p.at, "ROW_NUMBER() without an upper bound is not supported yet")
		throw(d.WithHint("bound it in the query around: WHERE %s <= 10", p.name))
	}
	if to < from {
		throw(diag.New("SD4004", p.at, "no row has a number from %d to %d", from, to))
	}
	fields := r.node.Base().Schema.Fields
	out := &relation{cols: append([]column{}, r.cols...)}
	idx := visible(r.node)
	o := p.order
	newest := from == 1 && to == 1 && len(o) == 1 && o[0].Desc && fields[o[0].Col].Time != batch.NoTime
	switch {
	case p.end >= 0:
		out.node = b.windowTopN(r.node, p, from, to, newest)
		out.node.Base().Span = opSpan(p.at)
	case from == 1 && to == 1 && len(o) == 1 && o[0].NullsLast == nil && fields[o[0].Col].Time != batch.NoTime && r.node.Base().Mode == ops.Append:
		d := b.dedup(r.node, p.part, o[0].Col, o[0].Desc, p.ttl)
		d.Base().Span = opSpan(p.at)
		out.node, _ = b.withColumns(&relation{node: d}, []ex.Expr{ex.Int(1, batch.TypeBigInt)})
	default:
		out.node = b.topN(r.node, p.part, p.order, from, to, true, p.name, p.ttl)
		out.node.Base().Span = opSpan(p.at)
	}
	for i := range out.cols {
		if i == p.col {
			out.cols[i].idx = idx
		}
		f := out.node.Base().Schema.Fields[out.cols[i].idx]
		out.cols[i].f.Type, out.cols[i].f.Time = f.Type, f.Time
	}
	return b.where(out, rest)
}

func orderKey(order []ops.OrderKey) (text string) {
	for _, o := range order {
		nulls := ""
		if o.NullsLast != nil {
			nulls = fmt.Sprint(*o.NullsLast)
		}
		text += fmt.Sprintf("|%d %v %s", o.Col, o.Desc, nulls)
	}
	return text
}

func (b *binder) windowTopN(n ops.Node, p *pendingRank, from, to int64, newest bool) ops.Node {
	return b.in.intern(fmt.Sprintf("window top-n|%v%s|%d %d %d %v", p.part, orderKey(p.order), from, to, p.end, newest), []ops.Node{n}, func() ops.Node {
		t, err := ops.NewWindowTopN(n, p.part, p.order, from, to, true, p.name, p.end, newest)
		return planned(p.at, t, err)
	})
}

func (b *binder) topN(n ops.Node, part []int, order []ops.OrderKey, from, to int64, rank bool, name string, ttl int64) ops.Node {
	return b.in.intern(fmt.Sprintf("top-n|%v%s|%d %d %v %d", part, orderKey(order), from, to, rank, ttl), []ops.Node{n}, func() ops.Node {
		t := ops.NewTopN(n, part, order, from, to, rank, name)
		if ttl > 0 {
			t.SetTTL(ttl)
		}
		return t
	})
}

func (b *binder) dedup(n ops.Node, part []int, col int, last bool, ttl int64) ops.Node {
	return b.in.intern(fmt.Sprintf("dedup|%v %d %v %d", part, col, last, ttl), []ops.Node{n}, func() ops.Node {
		d := ops.NewDedup(n, part, col, last)
		if x, ok := d.(interface{ SetTTL(int64) }); ok && ttl > 0 {
			x.SetTTL(ttl)
		}
		return d
	})
}
