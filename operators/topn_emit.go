package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// show appends the entries of ranks From … To of a partition, one of multiplicity
// n as n.
func (o *topn) show(g state.Group, ids []batch.RowID) []batch.RowID {
	if g == 0 {
		return ids
	}
	rank := int64(0)
	for id := o.idx.First(g); id != 0 && rank < o.n.To; id = o.idx.Next(id) {
		p, s := o.t.At(id)
		for range p.Cols[o.count].I[s] {
			if rank++; rank > o.n.To {
				break
			}
			if rank >= o.n.From {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (o *topn) EndStep(_ []WM, out Emit) error {
	o.expire()
	for _, id := range o.debts {
		p, s := o.t.At(id)
		if !p.IsLive(s) || p.Cols[o.count].I[s] >= 0 {
			continue
		}
		if err := o.env.Reject(Reject{Reason: BadRetraction, Rows: []expr.RowErr{{}}}); err != nil {
			return err
		}
		o.leave(id)
		o.t.Delete(id)
	}
	from := 0
	for _, x := range o.list {
		g := x.g
		if o.grows {
			o.mark[g] = false
		} else {
			p, s := o.parts.At(x.id)
			part := p.Cols[:len(o.n.Part)]
			g = o.idx.Group(part, s, uint64(p.Shard), batch.HashRow(part, s))
		}
		o.is = o.show(g, o.is[:0])
		diff := o.changed
		if o.n.Rank {
			diff = o.moved
		}
		if err := diff(o.was[from:x.end], o.is, out); err != nil {
			return err
		}
		if from = x.end; o.grows {
			o.drop(g)
		}
	}
	err := o.flush(out)
	for _, id := range o.gone {
		if p, s := o.t.At(id); p.IsLive(s) && p.Cols[o.count].I[s] == 0 {
			o.t.Delete(id)
		}
	}
	if o.parts != nil {
		o.parts.Reset()
	}
	o.list, o.was, o.gone, o.debts = o.list[:0], o.was[:0], o.gone[:0], o.debts[:0]
	return err
}

// changed emits which entries are shown no more and which have come. Both lists
// are in order.
func (o *topn) changed(was, is []batch.RowID, out Emit) error {
	for len(was) > 0 || len(is) > 0 {
		var err error
		switch {
		case len(was) > 0 && len(is) > 0 && was[0] == is[0]:
			was, is = was[1:], is[1:]
		case len(is) == 0 || len(was) > 0 && o.idx.Compare(was[0], is[0]) < 0:
			err = o.one(was[0], -1, 0, out)
			was = was[1:]
		default:
			err = o.one(is[0], 1, 0, out)
			is = is[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moved emits the places that show another row.
func (o *topn) moved(was, is []batch.RowID, out Emit) error {
	for k := range max(len(was), len(is)) {
		if k < len(was) && k < len(is) && (was[k] == is[k] || o.equal(was[k], is[k])) {
			continue
		}
		if k < len(was) {
			if err := o.one(was[k], -1, o.n.From+int64(k), out); err != nil {
				return err
			}
		}
		if k < len(is) {
			if err := o.one(is[k], 1, o.n.From+int64(k), out); err != nil {
				return err
			}
		}
	}
	return nil
}

// equal tells whether two entries have equal rows.
func (o *topn) equal(a, b batch.RowID) bool {
	p, i := o.t.At(a)
	q, j := o.t.At(b)
	for _, c := range o.at {
		if !batch.EqualAt(&p.Cols[c], i, &q.Cols[c], j) {
			return false
		}
	}
	return true
}

// one collects an entry's row with a weight.
func (o *topn) one(id batch.RowID, w, rank int64, out Emit) error {
	o.ids, o.w, o.ranks = append(o.ids, id), append(o.w, w), append(o.ranks, rank)
	if len(o.ids) == batch.Chunk {
		return o.flush(out)
	}
	return nil
}

// drop removes the entries behind the last one that counts: append input cannot
// bring them back.
func (o *topn) drop(g state.Group) {
	if int64(o.idx.Count(g)) <= o.n.To {
		return
	}
	for id := o.idx.Select(g, int(o.n.To)); id != 0; {
		next := o.idx.Next(id)
		p, s := o.t.At(id)
		p.Cols[o.count].I[s] = 0
		o.leave(id)
		o.gone = append(o.gone, id)
		id = next
	}
}

// flush emits the collected rows. Two entries of equal rows may have taken each
// other's place; where there is no rank, that is no change.
func (o *topn) flush(out Emit) error {
	if len(o.ids) == 0 {
		return nil
	}
	b := o.out
	b.Reset()
	for c, at := range o.at {
		gather(&b.Cols[c], o.t.Pages, at, o.ids)
	}
	if o.n.Rank {
		b.Cols[len(o.at)].I = append(b.Cols[len(o.at)].I, o.ranks...)
	}
	b.N, b.W = len(o.ids), o.w
	if !o.grows && !o.n.Rank {
		b = batch.Consolidate(b)
	}
	var err error
	if b.Live() > 0 {
		err = out(b)
	}
	o.ids, o.w, o.ranks = o.ids[:0], o.w[:0], o.ranks[:0]
	return err
}
