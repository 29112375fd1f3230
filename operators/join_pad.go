package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// EndStep emits the padding, or the rows of a semi or anti join, that has come or
// gone and drops rows and keys that are no longer there.
func (o *join) EndStep(wm []WM, out Emit) error {
	if err := o.expire(); err != nil {
		return err
	}
	o.evict(wm)
	for in := range o.sides {
		if err := o.mend(in, out); err != nil {
			return err
		}
	}
	for in := range o.sides {
		if o.decides[in] {
			if err := o.pad(in, out); err != nil {
				return err
			}
		}
	}
	for in, s := range o.sides {
		if err := o.forget(in); err != nil {
			return err
		}
		for _, id := range o.seen[in].ids {
			if *s.n(id) == 0 {
				s.drop(id)
			}
		}
		o.seen[in].reset()
		o.before[in] = o.before[in][:0]
	}
	if o.totals == nil {
		return nil
	}
	nk := o.sides[0].group
	for _, id := range o.keysSeen.ids {
		if p, slot := o.totals.At(id); p.IsLive(slot) && p.Cols[nk].I[slot] == 0 && p.Cols[nk+1].I[slot] == 0 {
			o.totals.Delete(id)
		}
	}
	o.keysSeen.reset()
	o.oldTotal = o.oldTotal[:0]
	return nil
}

// broken lists the touched rows of side in whose count is below zero, as rows that
// bring it to zero, and counts them.
func (o *join) broken(in int) (*batch.Batch, error) {
	s, b := o.sides[in], o.some[in]
	b.Reset()
	for _, id := range o.seen[in].ids {
		if n := *s.n(id); n < 0 {
			o.take(b, s, id, -n)
			if err := o.env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// mend adds the rows that a broken changelog has taken away without their having
// been there: what their deletion has done to the other side is undone too.
func (o *join) mend(in int, out Emit) error {
	if o.n.TTL[in] > 0 || o.sides[in].arrives {
		return nil
	}
	b, err := o.broken(in)
	if err != nil || b.N == 0 {
		return err
	}
	return o.Push(in, b, out)
}

// forget does for a side with a time to live what mend does for others: there a
// row below zero is one that has expired. What its deletion takes away, padding
// included, is taken away; only the counts are set right.
func (o *join) forget(in int) error {
	if o.n.TTL[in] == 0 || o.sides[in].arrives {
		return nil
	}
	s := o.sides[in]
	b, err := o.broken(in)
	if err != nil || b.N == 0 {
		return err
	}
	if o.sides[1-in].match >= 0 {
		if err := o.unmatch(in, b); err != nil {
			return err
		}
	}
	for _, id := range o.seen[in].ids {
		n := s.n(id)
		if *n >= 0 {
			continue
		}
		if o.totals != nil {
			p, slot := o.totals.At(o.total(s, id))
			p.Cols[s.group+in].I[slot] -= *n
		}
		*n = 0
	}
	return nil
}

// total finds the totals of a stored row's key.
func (o *join) total(s *joinSide, id batch.RowID) batch.RowID {
	p, slot := s.t.At(id)
	key := p.Cols[:s.group]
	return o.totals.Find1(key, slot, uint64(p.Shard), batch.HashRow(key, slot))
}

// pad emits, for rows of side in, the difference of their padding to the start
// of the step: n copies while nothing matches, none otherwise. A semi join shows a
// row in the other case.
func (o *join) pad(in int, out Emit) error {
	s := o.sides[in]
	o.ids, o.w = o.ids[:0], o.w[:0]
	for k, id := range o.seen[in].ids {
		was, n := o.before[in][k], *s.n(id)
		var wasAlone, alone bool
		if s.match >= 0 {
			wasAlone, alone = was.m <= 0, *s.m(id) <= 0
		} else {
			old, now := o.totalsOf(s, id)
			wasAlone, alone = old[1-in] <= 0, now[1-in] <= 0
		}
		semi := o.n.Kind == Semi
		d := int64(0)
		if wasAlone != semi {
			d -= was.n
		}
		if alone != semi {
			d += n
		}
		if err := o.one(in, id, d, out); err != nil {
			return err
		}
	}
	if o.totals != nil {
		if err := o.flip(in, out); err != nil {
			return err
		}
	}
	return o.send(in, out)
}

// totalsOf returns the totals of a touched row's key before the step and now.
func (o *join) totalsOf(s *joinSide, id batch.RowID) (old, now [2]int64) {
	k := o.total(s, id)
	p, slot := o.totals.At(k)
	now = [2]int64{p.Cols[s.group].I[slot], p.Cols[s.group+1].I[slot]}
	if pg := int(k >> batch.PageBits); pg < len(o.keysSeen.mark) && o.keysSeen.mark[pg] != nil {
		if m := o.keysSeen.mark[pg][k&batch.SlotMask]; m > 0 {
			return o.oldTotal[m-1], now
		}
	}
	return now, now
}

// flip pads, or stops to pad, the rows that were not touched themselves but whose
// key has lost its last partner or found its first.
func (o *join) flip(in int, out Emit) error {
	s := o.sides[in]
	for k, key := range o.keysSeen.ids {
		p, slot := o.totals.At(key)
		was, is := o.oldTotal[k][1-in] <= 0, p.Cols[s.group+1-in].I[slot] <= 0
		if was == is {
			continue
		}
		g := s.idx.Group(p.Cols[:s.group], slot, uint64(p.Shard), batch.HashRow(p.Cols[:s.group], slot))
		for id := s.idx.First(g); id != 0; id = s.idx.Next(id) {
			if o.seen[in].has(id) {
				continue
			}
			d := *s.n(id)
			if was != (o.n.Kind == Semi) {
				d = -d
			}
			if err := o.one(in, id, d, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// one collects a padded row with weight d.
func (o *join) one(in int, id batch.RowID, d int64, out Emit) error {
	if d == 0 {
		return nil
	}
	o.ids, o.w = append(o.ids, id), append(o.w, d)
	if len(o.w) == batch.Chunk {
		return o.send(in, out)
	}
	return nil
}

// send emits the collected padded rows.
func (o *join) send(in int, out Emit) error {
	if len(o.w) == 0 {
		return nil
	}
	err := o.padded(in, half{side: o.sides[in], ids: o.ids}, out)
	o.ids, o.w = o.ids[:0], o.w[:0]
	return err
}
