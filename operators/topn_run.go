package operators

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// New returns the top-N on one worker. State: O{part, (order, seq) -> row × n}.
// Append input keeps To rows a partition, known by (part, seq); updating input all,
// known by (part, row, seq), for a deletion names the row alone.
func (n *TopN) New(env *Env) (Operator, error) {
	in := Props{Schema: shown(n.In[0]), Mode: n.In[0].Base().Mode}
	o := &topn{n: n, env: env, at: make([]int, len(in.Schema.Fields)), grows: in.Mode == Append, step: -1 << 63}
	for c := range o.at {
		o.at[c] = -1
	}
	key := types(in.Schema, n.Part)
	for i, c := range n.Part {
		o.cols, o.at[c] = append(o.cols, c), i
	}
	var val []batch.Type
	if o.grows {
		o.seq, key = len(key), append(key, batch.TypeBigInt)
	}
	for c, f := range in.Schema.Fields {
		switch {
		case o.at[c] >= 0:
		case o.grows:
			o.at[c], val = len(key)+len(val), append(val, f.Type)
		default:
			o.at[c], key = len(key), append(key, f.Type)
			o.cols = append(o.cols, c)
		}
	}
	if !o.grows {
		o.seq, key = len(key), append(key, batch.TypeBigInt)
	}
	o.count, val = len(key)+len(val), append(val, batch.TypeBigInt)
	var by []state.By
	for _, k := range n.Order {
		// Where NULL does not stand as the smallest value does, a column that says
		// whether there is one goes before it in the order.
		if k.NullsLast != nil && *k.NullsLast != k.Desc {
			o.null = append(o.null, k.Col)
			by = append(by, state.By{Col: o.count + len(o.null), Desc: !*k.NullsLast})
			val = append(val, batch.TypeBigInt)
		}
		by = append(by, state.By{Col: o.at[k.Col], Desc: k.Desc})
	}
	layout := map[bool]string{true: "topn append", false: "topn"}[o.grows]
	o.t = env.State.Table(state.Spec{Op: n.Ident, Layout: layout, Version: 1, Key: key, Val: val, TTL: n.TTL, Unindexed: o.grows})
	o.idx = state.NewOrdered(o.t, len(n.Part), by, o.seq)
	o.rest = o.unordered()
	if !o.grows {
		o.same = state.NewMulti(o.t, len(o.cols))
		o.parts = env.State.Table(state.Spec{Op: n.Ident, Layout: "touched", Version: 1, Key: types(in.Schema, n.Part), Scratch: true})
	}
	o.out = batch.New(n.Schema, 0)
	o.seqVec = batch.Vec{Kind: batch.Int, I: make([]int64, 1)}
	if n.End >= 0 {
		return newWindowTopN(o), nil
	}
	return o, nil
}

// topn remembers, for each partition touched in a step, which entries it showed
// before the step, and emits the difference to those it shows after it. Entries
// that go are taken out of the indexes at once but stay in the table until then.
//
// Each arrival is an entry with its seq, equal rows too: of 5 x, 5 y, 5 x the
// first two are x and y. A row that is taken away is the oldest of its equals; one
// that was never there is an entry below zero, paid by the next that comes.
//
// Example (top 2, no rank in the output): a 5, b 3, then c 4: the entries a, b
// become a, c: -b 3, +c 4. With the rank it is the same, -b 3 2, +c 4 2; were c 6,
// each place would change: -a 5 1, +c 6 1, -b 3 2, +a 5 2.
type topn struct {
	n          *TopN
	env        *Env
	cols       []int // input columns that find an entry: the partition first
	at         []int // by input column: the table's column
	rest       []int // append input, by input column: the table's, or -1 where add sets it
	seq, count int   // the table's columns of arrival, the last of the key, and of multiplicity
	null       []int // input columns that have an is-NULL column behind count
	t          *state.Table
	idx        *state.Ordered
	same       *state.Multi // entries of equal rows; nil on append input
	grows      bool         // append input

	list  []touchedPart // partitions touched in this step
	mark  []bool        // append input: by group, whether it is in list
	parts *state.Table  // updating input: partitions in list; a group may end and another take its number
	was   []batch.RowID // what the touched partitions showed before the step
	is    []batch.RowID // what one shows after it
	gone  []batch.RowID // entries that left the indexes in this step
	debts []batch.RowID // entries that were below zero in this step
	ids   []batch.RowID // collected for out,
	w     []int64       // their weights
	ranks []int64       // and ranks
	out   *batch.Batch
	step  int64

	keys   keys // hash: of the row without seq
	part   keys
	groups []state.Group
	ids1   []batch.RowID // by row of the batch: its entry
	fresh  []int32       // rows that have one
	key    []batch.Vec
	seqVec batch.Vec
	row    rows
}

// touchedPart is a partition touched in this step.
type touchedPart struct {
	g   state.Group // append input
	id  batch.RowID // updating input: in parts
	end int         // where its entries end in was
}

func (o *topn) expire() {
	if o.n.TTL > 0 && o.step != o.env.Now() {
		o.step = o.env.Now()
		o.t.Expire(o.step, o.leave)
	}
}

// leave takes an entry out of the indexes.
func (o *topn) leave(id batch.RowID) {
	if o.idx.Has(id) {
		o.idx.Remove(id)
	}
	if o.same != nil && o.same.GroupOf(id) != 0 {
		o.same.Remove(id)
	}
}

func (o *topn) Push(_ int, b *batch.Batch, _ Emit) error {
	o.expire()
	sel := o.row.of(b)
	if len(sel) == 0 {
		return nil
	}
	o.key = pick(o.key, b, o.cols)
	part := o.key[:len(o.n.Part)]
	o.part.of(b, sel, part, part, false)
	if o.grows {
		o.grow(b, sel, part)
		return nil
	}
	o.keys.of(b, sel, part, o.key, true)
	for _, i := range sel {
		place, hash := o.part.place[i], o.part.hash[i]
		if pid, fresh := o.parts.Rows1(part, int(i), place, hash); fresh {
			o.was = o.show(o.idx.Group(part, int(i), place, hash), o.was)
			o.list = append(o.list, touchedPart{id: pid, end: len(o.was)})
		}
		if w := o.settle(int(i), b.Weight(int(i))); w > 0 {
			o.add(b, int(i), w, 0)
		}
	}
	return nil
}

// grow adds the rows that are among the first To of their partition.
func (o *topn) grow(b *batch.Batch, sel []int32, part []batch.Vec) {
	if cap(o.groups) < b.N {
		o.groups = make([]state.Group, b.N, 2*b.N)
	}
	if cap(o.ids1) < b.N {
		o.ids1 = make([]batch.RowID, b.N, 2*b.N)
	}
	groups, ids := o.groups[:b.N], o.ids1[:b.N]
	sel, o.fresh = o.t.ByShard(o.part.place, sel), o.fresh[:0]
	o.idx.Groups(part, o.part.place, o.part.hash, sel, b.N, groups)
	for _, i := range sel {
		g := groups[i]
		if g == 0 {
			g = o.idx.Group(part, int(i), o.part.place[i], o.part.hash[i])
		}
		if int64(o.idx.Count(g)) >= o.n.To && o.behind(b, int(i), g) {
			continue
		}
		if g != 0 && !o.marked(g) {
			o.was = o.show(g, o.was)
		}
		ids[i], o.fresh = o.add(b, int(i), b.Weight(int(i)), g), append(o.fresh, i)
		if g == 0 {
			g = o.idx.GroupOf(ids[i])
		}
		if !o.marked(g) {
			for len(o.mark) <= int(g) {
				o.mark = append(o.mark, false)
			}
			o.mark[g] = true
			o.list = append(o.list, touchedPart{g: g, end: len(o.was)})
		}
	}
	if len(o.fresh) > 0 { // nil would be all
		o.t.SetRows(ids, o.fresh, b.N, o.rest, 0, b.Cols)
	}
}

// unordered says where the columns go that add leaves alone: neither the order nor the
// partition is made of them.
func (o *topn) unordered() []int {
	rest := slices.Clone(o.at)
	for _, c := range o.n.Part {
		rest[c] = -1
	}
	for _, k := range o.n.Order {
		rest[k.Col] = -1
	}
	return rest
}

func (o *topn) marked(g state.Group) bool { return int(g) < len(o.mark) && o.mark[g] }

// behind tells whether row i of b would stand behind the last row that counts.
func (o *topn) behind(b *batch.Batch, i int, g state.Group) bool {
	p, s := o.t.At(o.idx.Select(g, int(o.n.To)-1))
	null := o.count
	for _, k := range o.n.Order {
		v := &b.Cols[k.Col]
		if k.NullsLast != nil && *k.NullsLast != k.Desc {
			null++
			if x, y := b2i(v.IsNull(i)), p.Cols[null].I[s]; x != y {
				return (x > y) == *k.NullsLast
			}
		}
		if c := batch.Compare(v, i, &p.Cols[o.at[k.Col]], s); c != 0 {
			return (c > 0) != k.Desc
		}
	}
	return !o.n.Newest
}

// add makes an entry of weight w > 0 for row i of b; g is its group, if known. Of append
// input the caller sets the columns rest.
func (o *topn) add(b *batch.Batch, i int, w int64, g state.Group) batch.RowID {
	seq := int64(o.t.Seq(batch.ShardOf(o.part.place[i])))
	if o.n.Newest {
		seq = -seq
	}
	var id batch.RowID
	if o.grows {
		id = o.t.Append1(o.part.place[i])
		for c := range o.at {
			if o.rest[c] < 0 {
				o.t.SetFrom(id, o.at[c], &b.Cols[c], i)
			}
		}
	} else {
		id = o.insert(i, seq)
	}
	p, s := o.t.At(id)
	p.Cols[o.seq].I[s] = seq
	p.Cols[o.count].I[s] = w
	for k, c := range o.null {
		p.Cols[o.count+1+k].I[s] = b2i(b.Cols[c].IsNull(i))
	}
	o.idx.InsertAt(id, g, o.part.hash[i])
	return id
}

// insert finds or makes the entry of row i with a seq.
func (o *topn) insert(i int, seq int64) batch.RowID {
	if n := i + 1 - len(o.seqVec.I); n > 0 {
		o.seqVec.I = append(o.seqVec.I, make([]int64, n)...)
	}
	o.seqVec.I[i] = seq
	key := append(o.key, o.seqVec)
	id, _ := o.t.Rows1(key, i, o.part.place[i], batch.HashRow(key, i))
	if o.same != nil && o.same.GroupOf(id) == 0 {
		o.same.Insert(id)
	}
	return id
}

// settle applies weight w of row i to the entries of its equals: an addition
// pays what is below zero, a deletion takes the oldest. It returns what is left
// to add.
func (o *topn) settle(i int, w int64) int64 {
	for w != 0 {
		g := o.same.Group(o.key, i, o.part.place[i], o.keys.hash[i])
		var oldest batch.RowID
		var first int64
		for id := o.same.First(g); id != 0; id = o.same.Next(id) {
			p, s := o.t.At(id)
			n, seq := p.Cols[o.count].I[s], p.Cols[o.seq].I[s]
			if (n < 0) == (w > 0) && n != 0 && (oldest == 0 || seq < first) {
				oldest, first = id, seq
			}
		}
		if oldest == 0 {
			break
		}
		p, s := o.t.At(oldest)
		n := &p.Cols[o.count].I[s]
		if w > 0 {
			paid := min(w, -*n)
			*n, w = *n+paid, w-paid
		} else {
			gone := min(-w, *n)
			*n, w = *n-gone, w+gone
		}
		o.t.Touch(oldest)
		if *n == 0 {
			o.leave(oldest)
			o.gone = append(o.gone, oldest)
		}
	}
	if w < 0 {
		id := o.insert(i, 0)
		p, s := o.t.At(id)
		p.Cols[o.count].I[s] += w
		o.debts = append(o.debts, id)
		return 0
	}
	return w
}
