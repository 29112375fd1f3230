package operators

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/state"
)

// keyed is a table of whole rows by some of their columns: T{key -> live, row}.
// It remembers, within a step, what each touched key showed before it, if
// anything, and emits -old/+new at its end.
type keyed struct {
	env    *Env
	schema *batch.Schema
	by     []int // columns of the key
	at     []int // by column of the schema: the table's column
	live   int   // the table's column that says whether the key shows a row
	t      *state.Table
	gone   func(id batch.RowID) // told of a key before it expires; may be nil

	seen *touched
	was  []int32        // by touched key: 1 + its old row's place in old; 0 = it showed none
	olds int            // rows in old
	old  []*batch.Batch // touchChunk rows each, but the last
	free []*batch.Batch

	keys keys
	key  []batch.Vec
	ids  []batch.RowID
	row  rows
	now  *batch.Batch
	step int64 // step time of the last expiry

	had   []batch.RowID
	minus []int32
	plus  []batch.RowID
}

func newKeyed(env *Env, ident, layout string, s *batch.Schema, by []int, ttl int64) *keyed {
	k := &keyed{env: env, schema: s, by: by, at: make([]int, len(s.Fields)), live: len(by), seen: newTouched(nil), now: batch.New(s, 0), step: -1 << 63}
	val := []batch.Type{batch.TypeBigInt}
	for c := range s.Fields {
		k.at[c] = -1
	}
	for i, c := range by {
		k.at[c] = i
	}
	for c, f := range s.Fields {
		if k.at[c] < 0 {
			k.at[c] = len(by) + len(val)
			val = append(val, f.Type)
		}
	}
	k.t = env.State.Table(state.Spec{Op: ident, Layout: layout, Version: 1, Key: types(s, by), Val: val, TTL: ttl})
	return k
}

// find looks up or inserts the keys of b's live rows, by stored row.
func (k *keyed) find(b *batch.Batch, sel []int32) []batch.RowID {
	k.expire()
	k.key = pick(k.key, b, k.by)
	k.keys.of(b, sel, k.key, k.key, false)
	if cap(k.ids) < b.N {
		k.ids = make([]batch.RowID, b.N, 2*b.N)
	}
	ids := k.ids[:b.N]
	k.t.Rows(k.key, k.keys.place, k.keys.hash, sel, b.N, ids)
	return ids
}

func (k *keyed) expire() {
	if k.t.Spec.TTL > 0 && k.step != k.env.Now() {
		k.step = k.env.Now()
		k.t.Expire(k.step, k.gone)
	}
}

// touch remembers what the keys ids[sel] show, where this is their first change of
// the step.
func (k *keyed) touch(ids []batch.RowID, sel []int32) {
	k.seen.first(ids, sel, nil)
	k.had = k.had[:0]
	for _, id := range k.seen.fresh {
		if *k.state(id) == 0 {
			k.was = append(k.was, 0)
			continue
		}
		k.had = append(k.had, id)
		k.olds++
		k.was = append(k.was, int32(k.olds))
	}
	for had := k.had; len(had) > 0; {
		last := len(k.old) - 1
		if last < 0 || k.old[last].N == touchChunk {
			if n := len(k.free); n > 0 {
				k.old, k.free = append(k.old, k.free[n-1]), k.free[:n-1]
			} else {
				k.old = append(k.old, batch.New(k.schema, 0))
			}
			last++
		}
		n := min(len(had), touchChunk-k.old[last].N)
		k.show(had[:n], k.old[last])
		had = had[n:]
	}
}

// show appends the rows of keys.
func (k *keyed) show(ids []batch.RowID, out *batch.Batch) {
	for c := range out.Cols {
		gather(&out.Cols[c], k.t.Pages, k.at[c], ids)
	}
	out.N += len(ids)
}

// state is the live column of a key.
func (k *keyed) state(id batch.RowID) *int64 {
	p, s := k.t.At(id)
	return &p.Cols[k.live].I[s]
}

// set makes rows sel of b the rows of their keys ids; of one key the last counts.
func (k *keyed) set(ids []batch.RowID, sel []int32, b *batch.Batch) {
	if len(sel) > 0 { // nil would be all
		k.t.SetRows(ids, sel, b.N, k.at, len(k.by), b.Cols)
	}
}

// flush emits -old/+new of the touched keys and drops those that show nothing.
func (k *keyed) flush(out Emit) error {
	k.expire()
	for from := 0; from < len(k.seen.ids); from += touchChunk {
		to := min(from+touchChunk, len(k.seen.ids))
		if err := k.emit(k.seen.ids[from:to], k.was[from:to], out); err != nil {
			return err
		}
	}
	for _, id := range k.seen.ids {
		if *k.state(id) == 0 {
			k.t.Delete(id)
		}
	}
	k.seen.reset()
	for _, b := range k.old {
		b.Reset()
	}
	k.free = append(k.free, k.old...)
	k.was, k.olds, k.old = k.was[:0], 0, k.old[:0]
	return nil
}

// emit emits the changes of some touched keys. With a time to live a row that has
// not changed is emitted too: it keeps the state downstream alive.
func (k *keyed) emit(ids []batch.RowID, was []int32, out Emit) error {
	k.minus, k.plus = k.minus[:0], k.plus[:0]
	for i, id := range ids {
		live := *k.state(id) != 0
		if was[i] > 0 && live && k.t.Spec.TTL == 0 && k.same(id, was[i]-1) {
			continue
		}
		if was[i] > 0 {
			k.minus = append(k.minus, was[i]-1)
		}
		if live {
			k.plus = append(k.plus, id)
		}
	}
	// The old rows stand in one batch, or in two that follow each other.
	for m := k.minus; len(m) > 0; {
		old, n := k.old[m[0]/touchChunk], 0
		for c := m[0] / touchChunk; n < len(m) && m[n]/touchChunk == c; n++ {
			m[n] %= touchChunk
		}
		if err := delta(old, m[:n], nil, nil, out); err != nil {
			return err
		}
		m = m[n:]
	}
	if len(k.plus) == 0 {
		return nil
	}
	k.now.Reset()
	k.show(k.plus, k.now)
	return out(k.now)
}

// same tells whether a key shows the old row that it showed before the step.
func (k *keyed) same(id batch.RowID, was int32) bool {
	p, s := k.t.At(id)
	old := k.old[was/touchChunk]
	for c, at := range k.at {
		if at >= len(k.by) && !batch.EqualAt(&p.Cols[at], s, &old.Cols[c], int(was%touchChunk)) {
			return false
		}
	}
	return true
}

// hollow forgets the texts of keys whose row will not be asked for again.
func (k *keyed) hollow(ids []batch.RowID) {
	for c, f := range k.schema.Fields {
		if k.at[c] < len(k.by) || f.Type.Kind() != batch.Str {
			continue
		}
		for _, id := range ids {
			k.t.PutBytes(id, k.at[c], nil)
		}
	}
}
