package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// New returns the join on one worker. State: both sides, and for all but inner
// joins what tells whether a row has a match: without a residual condition the
// number of rows by key and side, with one the number of matches by row.
func (n *Join) New(env *Env) (Operator, error) {
	l, r := n.In[0].Base().Schema, n.In[1].Base().Schema
	o := &join{n: n, env: env, step: -1 << 63, shown: []int32{}, decides: [2]bool{n.Kind.decides(0), n.Kind.decides(1)}}
	byRow := n.Residual != nil
	right := *n.In[1].Base()
	if n.Kind.filters() {
		right.Mode = Retract // equal rows of it are one row with a count, not a row an arrival
	}
	o.sides[0] = newJoinSide(env, n.Ident, "left", n.In[0].Base(), n.LK, n.LK, byRow && o.decides[0], n.TTL[0])
	o.sides[1] = newJoinSide(env, n.Ident, "right", &right, n.RK, n.RK, byRow && o.decides[1], n.TTL[1])
	o.keepBy(0)
	o.keepBy(1)
	o.some = [2]*batch.Batch{batch.New(l, 0), batch.New(r, 0)}
	o.by = [2][]int{n.LK, n.RK}
	if !byRow && n.Kind != Inner {
		o.totals = env.State.Table(state.Spec{Op: n.Ident, Layout: "totals", Version: 1, Key: types(l, n.LK), Val: []batch.Type{batch.TypeBigInt, batch.TypeBigInt}})
		o.keysSeen = newTouched(nil)
	}
	for i := range o.seen {
		o.seen[i] = newTouched(nil)
	}
	pairs := n.Schema
	if n.Kind.filters() {
		o.alone, pairs = batch.New(n.Schema, 0), l.Concat(r)
	}
	o.best = newBests(n)
	o.pair = newPairing(env, pairs, len(l.Fields), n.Residual)
	if o.best != nil {
		o.pair.needs(o.best.at)
	}
	return o, nil
}

// join is the regular join. With dA what arrives on one side,
//
//	d(A ⋈ B) = dA × B + (A + dA) × dB
//
// so each Push multiplies its rows with what the other side holds now, emits the
// product, and adds them to its own side. Padding is emitted in EndStep only: a
// match that comes and goes within a step leaves no trace. So are all rows of semi
// and anti joins, which emit no product.
type join struct {
	n        *Join
	env      *Env
	sides    [2]*joinSide
	by       [2][]int
	decides  [2]bool // by side: see JoinKind.decides
	pair     *pairing
	best     *bests       // nil = all pairs are wanted
	alone    *batch.Batch // of semi and anti joins: what they emit
	totals   *state.Table // key -> rows on the left, rows on the right
	keysSeen *touched     // keys whose totals changed in this step
	oldTotal [][2]int64   // by touched key: before the step
	seen     [2]*touched  // rows touched in this step
	before   [2][]counts  // by touched row: before the step
	step     int64

	some   [2]*batch.Batch // by side: some of its stored rows
	late   []expr.RowErr
	live   []int32 // rows of the batch that may match
	nulls  []int32 // those that may not
	shown  []int32 // pairs that count
	groups []state.Group
	rows   []int32
	ids    []batch.RowID
	w      []int64
}

// counts are a row's multiplicity and matches before the step.
type counts struct{ n, m int64 }

// expire takes out the rows whose time is up: their padding and their pairs stay,
// but they match nothing from now on.
func (o *join) expire() error {
	if o.step == o.env.Now() {
		return nil
	}
	o.step = o.env.Now()
	for in, s := range o.sides {
		lost := o.some[in]
		lost.Reset()
		s.t.Expire(o.step, func(id batch.RowID) {
			if o.totals != nil {
				k := o.total(s, id)
				p, slot := o.totals.At(k)
				p.Cols[s.group+in].I[slot] -= *s.n(id)
				o.totals.Touch(k)
				if p.Cols[s.group].I[slot] == 0 && p.Cols[s.group+1].I[slot] == 0 {
					o.totals.Delete(k)
				}
			}
			if o.sides[1-in].match >= 0 {
				o.take(lost, s, id, -*s.n(id))
			}
			s.idx.Remove(id)
		})
		if err := o.unmatch(in, lost); err != nil {
			return err
		}
	}
	return nil
}

// take appends a stored row of side s to b, with weight w.
func (o *join) take(b *batch.Batch, s *joinSide, id batch.RowID, w int64) {
	p, slot := s.t.At(id)
	for c, at := range s.at {
		b.Cols[c].AppendFrom(&p.Cols[at], slot)
	}
	b.AddWeight(w)
}

// unmatch counts rows of side in, by their weights, as matches of the other side,
// and emits nothing.
func (o *join) unmatch(in int, b *batch.Batch) error {
	if b.N == 0 {
		return nil
	}
	sel := o.sides[in].row.of(b)
	o.sides[in].find(b, sel)
	return o.multiply(in, b, sel, nil, nil)
}

func (o *join) Push(in int, b *batch.Batch, out Emit) error {
	if err := o.expire(); err != nil {
		return err
	}
	mine := o.sides[in]
	sel := o.split(in, b, mine.row.of(b))
	if len(o.nulls) > 0 && o.decides[in] && o.n.Kind != Semi {
		if err := o.padNulls(in, b, out); err != nil {
			return err
		}
	}
	if len(sel) == 0 {
		return nil
	}
	if err := o.missed(in, b, sel); err != nil {
		return err
	}
	mine.find(b, sel)
	if o.best != nil && o.best.Side == in {
		return o.pushBest(b, sel, out)
	}
	ids := o.store(in, b, sel)
	if o.n.Kind.filters() {
		if o.totals != nil {
			return nil
		}
		out = nil
	}
	return o.multiply(in, b, sel, ids, out)
}

// store adds rows sel of b, which find has seen, to their side.
func (o *join) store(in int, b *batch.Batch, sel []int32) []batch.RowID {
	mine := o.sides[in]
	ids := mine.rows(b, sel)
	if o.decides[in] || !mine.arrives {
		o.touch(in, ids, sel)
	}
	if o.totals != nil {
		o.count(in, b, sel)
	}
	for _, i := range sel {
		p, slot := mine.t.At(ids[i])
		p.Cols[mine.count].I[slot] += b.Weight(int(i))
		if !mine.isNew[i] {
			mine.t.Touch(ids[i])
		}
	}
	return ids
}

// multiply pairs rows sel of b, stored as ids, with what the other side holds.
func (o *join) multiply(in int, b *batch.Batch, sel []int32, ids []batch.RowID, out Emit) error {
	return o.pairs(in, b, sel, o.groupsOf(o.sides[1-in], o.sides[in], b, sel), ids, out)
}

// groupsOf finds, for rows sel of b, which side mine has seen, their groups on the
// other side.
func (o *join) groupsOf(other, mine *joinSide, b *batch.Batch, sel []int32) []state.Group {
	if cap(o.groups) < b.N {
		o.groups = make([]state.Group, b.N, 2*b.N)
	}
	o.groups = o.groups[:b.N]
	other.idx.Groups(mine.key, mine.gk.place, mine.gk.hash, sel, b.N, o.groups)
	return o.groups
}

// pairs is multiply where the groups are known.
func (o *join) pairs(in int, b *batch.Batch, sel []int32, groups []state.Group, ids []batch.RowID, out Emit) error {
	other := o.sides[1-in]
	o.rows, o.ids, o.w = o.rows[:0], o.ids[:0], o.w[:0]
	for _, i := range sel {
		if groups[i] == 0 {
			continue
		}
		w := b.Weight(int(i))
		for id := other.idx.First(groups[i]); id != 0; id = other.idx.Next(id) {
			n := *other.n(id)
			// A row without rows still counts its matches: it may come back in this step.
			if n == 0 && other.match < 0 {
				continue
			}
			o.rows, o.ids, o.w = append(o.rows, i), append(o.ids, id), append(o.w, w*n)
			if len(o.w) == batch.Chunk {
				if err := o.product(in, b, ids, out); err != nil {
					return err
				}
			}
		}
	}
	return o.product(in, b, ids, out)
}

// split takes rows whose key can match nothing (a NULL under =) into nulls.
func (o *join) split(in int, b *batch.Batch, sel []int32) []int32 {
	o.nulls = o.nulls[:0]
	plain := true
	for k, c := range o.by[in] {
		plain = plain && (b.Cols[c].Null == nil || k < len(o.n.NullSafe) && o.n.NullSafe[k])
	}
	if plain {
		return sel
	}
	o.live = o.live[:0]
rows:
	for _, i := range sel {
		for k, c := range o.by[in] {
			if b.Cols[c].IsNull(int(i)) && !(k < len(o.n.NullSafe) && o.n.NullSafe[k]) {
				o.nulls = append(o.nulls, i)
				continue rows
			}
		}
		o.live = append(o.live, i)
	}
	return o.live
}

// padNulls passes rows with a NULL key on, padded, without state.
func (o *join) padNulls(in int, b *batch.Batch, out Emit) error {
	for rest := o.nulls; len(rest) > 0; {
		c := rest[:min(len(rest), batch.Chunk)]
		rest = rest[len(c):]
		o.w = o.w[:0]
		for _, i := range c {
			o.w = append(o.w, b.Weight(int(i)))
		}
		if err := o.padded(in, half{b: b, rows: c}, out); err != nil {
			return err
		}
	}
	return nil
}

// padded emits rows of side in with NULLs for the other, with weights o.w; a semi
// or anti join emits them as they are.
func (o *join) padded(in int, h half, out Emit) error {
	if o.alone != nil {
		o.alone.Reset()
		h.fill(o.alone.Cols, len(o.w))
		o.alone.N, o.alone.W = len(o.w), o.w
		return out(o.alone)
	}
	return o.pair.padded(in, h, o.w, out)
}

// touch remembers what rows were before the step's first change to them.
func (o *join) touch(in int, ids []batch.RowID, sel []int32) {
	s := o.sides[in]
	o.seen[in].first(ids, sel, nil)
	if !o.decides[in] {
		return
	}
	for _, id := range o.seen[in].fresh {
		c := counts{n: *s.n(id)}
		if s.match >= 0 {
			c.m = *s.m(id)
		}
		o.before[in] = append(o.before[in], c)
	}
}

// count moves the totals of the keys of rows sel.
func (o *join) count(in int, b *batch.Batch, sel []int32) {
	s := o.sides[in]
	nk := s.group
	if cap(o.ids) < b.N {
		o.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := o.ids[:b.N]
	o.totals.Rows(s.key[:nk], s.gk.place, s.gk.hash, sel, b.N, ids)
	o.keysSeen.first(ids, sel, nil)
	for _, id := range o.keysSeen.fresh {
		p, slot := o.totals.At(id)
		o.oldTotal = append(o.oldTotal, [2]int64{p.Cols[nk].I[slot], p.Cols[nk+1].I[slot]})
	}
	for _, i := range sel {
		p, slot := o.totals.At(ids[i])
		p.Cols[nk+in].I[slot] += b.Weight(int(i))
		p.Touch(batch.RowID(slot))
	}
}

// product emits the collected pairs for which the condition holds and counts
// their matches. Without ids it only counts.
func (o *join) product(in int, b *batch.Batch, ids []batch.RowID, out Emit) error {
	if len(o.w) == 0 {
		return nil
	}
	mine, other := o.sides[in], o.sides[1-in]
	l, r := half{b: b, rows: o.rows}, half{side: other, ids: o.ids}
	if in == 1 {
		l, r = r, l
	}
	p, err := o.pair.start(l, r, o.w)
	if err != nil {
		return err
	}
	if o.best != nil {
		o.winners(in, ids, p)
	}
	if other.match >= 0 || mine.match >= 0 {
		o.matched(in, b, ids, p)
	}
	if out != nil && p.Live() > 0 && other.match >= 0 {
		o.shown = o.shown[:0]
		p.Each(func(i int) {
			if p.W[i] != 0 {
				o.shown = append(o.shown, int32(i))
			}
		})
		p.Sel = o.shown
	}
	if out != nil && p.Live() > 0 {
		if err := out(o.pair.finish(l, r)); err != nil {
			return err
		}
	}
	o.rows, o.ids, o.w = o.rows[:0], o.ids[:0], o.w[:0]
	return nil
}

// matched counts, with a residual condition, which rows have found which. A row
// of my side that was stored before knows its matches; one that is new to the
// table learns them now.
func (o *join) matched(in int, b *batch.Batch, ids []batch.RowID, p *batch.Batch) {
	mine, other := o.sides[in], o.sides[1-in]
	if other.match >= 0 && ids != nil {
		o.touch(1-in, o.ids, mine.row.of(p))
	}
	p.Each(func(k int) {
		i := o.rows[k]
		if other.match >= 0 {
			pg, slot := other.t.At(o.ids[k])
			pg.Cols[other.match].I[slot] += b.Weight(int(i))
			pg.Touch(o.ids[k] & batch.SlotMask)
		}
		if mine.match >= 0 && ids != nil && mine.isNew[i] {
			*mine.m(ids[i]) += *other.n(o.ids[k])
		}
	})
}
