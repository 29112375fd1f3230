package operators

import "github.com/streamd/streamd/batch"

// touchChunk is how many old results stand in one batch: with as many new ones
// they are emitted together.
const touchChunk = batch.Chunk / 2

// touched remembers, within a step, which rows of a table have been changed, in
// the order of the first change, and what their output was before it.
type touched struct {
	schema *batch.Schema
	ids    []batch.RowID
	had    []bool         // by touched row: whether it had an output
	old    []*batch.Batch // touchChunk touched rows each, but the last
	free   []*batch.Batch
	// mark is 1 + the place in ids of a row of a page; pages that are not touched
	// have none.
	mark  [][]int32
	fresh []batch.RowID
}

// newTouched returns a memory of outputs of schema s; nil = of rows only.
func newTouched(s *batch.Schema) *touched { return &touched{schema: s} }

// first finds the rows among ids[sel] that are touched for the first time in the
// step. remember appends the old outputs of some of them to old and says which
// of them had one.
func (t *touched) first(ids []batch.RowID, sel []int32, remember func(ids []batch.RowID, old *batch.Batch) (had []bool)) {
	t.fresh = t.fresh[:0]
	last := batch.RowID(0)
	for _, i := range sel {
		id := ids[i]
		if id == last {
			continue
		}
		last = id
		pg := int(id >> batch.PageBits)
		if pg >= len(t.mark) || t.mark[pg] == nil {
			t.page(pg)
		}
		if m := &t.mark[pg][id&batch.SlotMask]; *m == 0 {
			t.fresh = append(t.fresh, id)
			*m = int32(len(t.ids) + len(t.fresh))
		}
	}
	t.ids = append(t.ids, t.fresh...)
	if t.schema == nil {
		return
	}
	for f := t.fresh; len(f) > 0; {
		old := t.room()
		n := min(len(f), touchChunk-old.N)
		t.had = append(t.had, remember(f[:n], old)...)
		f = f[n:]
	}
}

// has tells whether a row has been touched in this step.
func (t *touched) has(id batch.RowID) bool {
	pg := int(id >> batch.PageBits)
	return pg < len(t.mark) && t.mark[pg] != nil && t.mark[pg][id&batch.SlotMask] != 0
}

// room returns the batch that takes the next old outputs.
func (t *touched) room() *batch.Batch {
	if n := len(t.old); n > 0 && t.old[n-1].N < touchChunk {
		return t.old[n-1]
	}
	var b *batch.Batch
	if n := len(t.free); n > 0 {
		b, t.free = t.free[n-1], t.free[:n-1]
	} else {
		b = batch.New(t.schema, 0)
	}
	t.old = append(t.old, b)
	return b
}

func (t *touched) page(pg int) {
	for len(t.mark) <= pg {
		t.mark = append(t.mark, nil)
	}
	t.mark[pg] = make([]int32, batch.PageRows)
}

// reset forgets the step.
func (t *touched) reset() {
	for _, id := range t.ids {
		t.mark[id>>batch.PageBits][id&batch.SlotMask] = 0
	}
	t.ids, t.had = t.ids[:0], t.had[:0]
	for _, b := range t.old {
		b.Reset()
	}
	t.free = append(t.free, t.old...)
	t.old = t.old[:0]
}

var (
	minusOnes = filled(-1)
)

func filled(x int64) []int64 {
	w := make([]int64, batch.Chunk)
	for i := range w {
		w[i] = x
	}
	return w
}

// delta emits rows minus of old, taken away, and rows plus of now, added. Both
// batches have at most Chunk rows, of weight +1.
func delta(old *batch.Batch, minus []int32, now *batch.Batch, plus []int32, out Emit) error {
	if len(minus) > 0 {
		if err := out(&batch.Batch{Schema: old.Schema, Cols: old.Cols, N: old.N, Sel: minus, W: minusOnes[:old.N]}); err != nil {
			return err
		}
	}
	if len(plus) > 0 {
		return out(&batch.Batch{Schema: now.Schema, Cols: now.Cols, N: now.N, Sel: plus})
	}
	return nil
}
