package operators

import (
	"fmt"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/windows"
)

// Contenders drops rows that cannot meet the MAX (or MIN) of a window they are to
// be joined with: a row of time t stands beside windows that end from t + From to
// t + To, and each of them has a row already that outdoes it. A plan has it between
// rows and their join with their own windowed MAX (rules.Apply); the join would take
// them up for nothing.
//
// It may keep a row in vain, never drop one that is wanted, and so needs no state
// that is stored: after a restore it knows of no rows at first.
type Contenders struct {
	Props
	Stays
	PassWM
	Val, Time int // columns: of the MAX, an integer inside; the time attribute
	Min       bool
	Win       windows.Spec // TUMBLE or HOP of the aggregation, over Time
	From, To  int64        // µs
}

// NewContenders returns in without the rows that are outdone in all windows that end
// from their time + from to their time + to. All rows of in whose window is open
// must count in the MAX.
func NewContenders(in Node, val, tm int, min bool, w windows.Spec, from, to int64) *Contenders {
	p := in.Base()
	w.Col = tm
	if w.Slide == 0 {
		w.Slide = w.Size
	}
	return &Contenders{Props: Props{In: []Node{in}, Schema: p.Schema, Mode: p.Mode, Keys: p.Keys, State: "none"}, Val: val, Time: tm, Min: min, Win: w, From: from, To: to}
}

func (n *Contenders) Op() string { return "contenders" }

func (n *Contenders) Detail() string {
	s := n.Schema
	at := func(us int64) string { return (time.Duration(us) * time.Microsecond).String() }
	f := map[bool]string{true: "MIN", false: "MAX"}[n.Min]
	return fmt.Sprintf("for %s(%s) over %s that ends from %s to %s after", f, s.Fields[n.Val].Name, windowText(s, n.Win), at(n.From), at(n.To))
}

func (n *Contenders) With(in []Node) Node { c := *n; c.In = in; return &c }

func (n *Contenders) New(env *Env) (Operator, error) {
	if n.Win.Slide <= 0 || n.Schema.Fields[n.Val].Type.Kind() != batch.Int {
		panic("BUG: contenders over " + n.Detail())
	}
	return &contenders{n: n, env: env}, nil
}

// contenderSlots is for how many windows the best row is known: the newest window of
// a slot stays, so that rows far from the others cost no memory.
const contenderSlots = 64

// contenders numbers windows by their end: window k ends at k slides after the end
// of window 0.
type contenders struct {
	stateless
	n     *Contenders
	env   *Env
	slots [contenderSlots]contender
	sel   []int32
}

// contender is the best row of window k so far.
type contender struct {
	k    int64
	best int64
	set  bool
}

// contenderScan finds the last window that ends at or before a time; rows that come
// one after the other mostly have the same.
type contenderScan struct{ from, to, k int64 }

func (o *contenders) last(s *contenderScan, t int64) int64 {
	if t < s.from || t >= s.to {
		w := &o.n.Win
		zero := w.Offset + w.Size
		s.k = batch.FloorDiv(t-zero, w.Slide)
		s.from = s.k*w.Slide + zero
		s.to = s.from + w.Slide
	}
	return s.k
}

func (o *contenders) Push(_ int, b *batch.Batch, out Emit) error {
	n := o.n
	v, t := &b.Cols[n.Val], &b.Cols[n.Time]
	prev := int64(o.env.Prev(0))
	var last, top contenderScan
	if cap(o.sel) < b.N {
		o.sel = make([]int32, 0, max(b.N, batch.Chunk))
	}
	sel := o.sel[:0]
	for k := range b.Live() {
		i := b.Row(k)
		if v.IsNull(i) || t.IsNull(i) {
			sel = append(sel, int32(i))
			continue
		}
		at, x := t.I[i], v.I[i]
		if n.Min {
			x = ^x // the order of integers the other way round
		}
		// The join counts the rows behind the watermark: it is to see all of them.
		if at < prev || o.may(o.last(&last, at+n.To), at+n.From, x) {
			sel = append(sel, int32(i))
		}
		o.count(o.last(&top, at+n.Win.Size), at, prev, x)
	}
	if o.sel = sel; len(sel) == 0 {
		return nil
	}
	r := *b
	r.Sel = sel
	return out(&r)
}

// may tells whether a row of value x is not outdone in one of the windows from k down
// that end at or after from.
func (o *contenders) may(k, from, x int64) bool {
	zero := o.n.Win.Offset + o.n.Win.Size
	for ; k*o.n.Win.Slide+zero >= from; k-- {
		if c := &o.slots[k&(contenderSlots-1)]; !c.set || c.k != k || c.best <= x {
			return true
		}
	}
	return false
}

// count enters a row of time at in its windows, from k down, that have not ended: in
// those that have, the aggregation does not count it.
func (o *contenders) count(k, at, prev, x int64) {
	zero := o.n.Win.Offset + o.n.Win.Size
	for ; ; k-- {
		if end := k*o.n.Win.Slide + zero; end <= at || end <= prev {
			return
		}
		c := &o.slots[k&(contenderSlots-1)]
		switch {
		case c.set && c.k == k:
			c.best = max(c.best, x)
		case !c.set || c.k < k:
			*c = contender{k: k, best: x, set: true}
		}
	}
}
