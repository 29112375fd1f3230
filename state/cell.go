package state

import "github.com/streamd/streamd/batch"

// Pages start with room for minRoom rows and double up to batch.PageRows.
const minRoom = 16

// A column of strings or lists is rewritten when more than half of what its
// arena holds is dead, but not before this much is.
const minDead = 4096

func extend[T any](s []T, n int) []T {
	r := make([]T, n)
	copy(r, s)
	return r
}

// widen gives v room for n rows; the new ones are zero.
func widen(v *batch.Vec, n int) {
	switch v.Kind {
	case batch.Bool:
		v.B = extend(v.B, n)
	case batch.Int:
		v.I = extend(v.I, n)
	case batch.Float:
		v.F = extend(v.F, n)
	case batch.Wide:
		v.Hi, v.Lo = extend(v.Hi, n), extend(v.Lo, n)
	case batch.Row:
		for c := range v.Child {
			widen(&v.Child[c], n)
		}
	default:
		v.View = extend(v.View, n)
	}
	if v.Null != nil {
		v.Null = extend(v.Null, (n+63)>>6)
	}
}

// blank returns an empty vector of v's shape with room for n rows.
func blank(v *batch.Vec, n int) batch.Vec {
	b := batch.Vec{Kind: v.Kind}
	if v.Child != nil {
		b.Child = make([]batch.Vec, len(v.Child))
		for c := range v.Child {
			b.Child[c] = blank(&v.Child[c], 0)
		}
	}
	widen(&b, n)
	return b
}

// weight is what row i holds in arenas, in bytes or thereabouts.
func weight(v *batch.Vec, i int) int {
	switch v.Kind {
	case batch.Str:
		return int(v.View[i] & 0xffffffff)
	case batch.Row:
		n := 0
		for c := range v.Child {
			n += weight(&v.Child[c], i)
		}
		return n
	case batch.List:
		from, to := v.Span(i)
		n := 8 * (to - from)
		for c := range v.Child {
			for j := from; j < to; j++ {
				n += weight(&v.Child[c], j)
			}
		}
		return n
	}
	return 0
}

// hasArena tells whether values of v have a weight.
func hasArena(v *batch.Vec) bool {
	if v.Kind == batch.Str || v.Kind == batch.List {
		return true
	}
	for c := range v.Child {
		if hasArena(&v.Child[c]) {
			return true
		}
	}
	return false
}

func clearNull(v *batch.Vec, i int) {
	if v.Null != nil {
		v.Null[i>>6] &^= 1 << (i & 63)
	}
}

// zero makes row i of v the zero value, not null.
func zero(v *batch.Vec, i int) {
	clearNull(v, i)
	switch v.Kind {
	case batch.Bool:
		v.B[i] = false
	case batch.Int:
		v.I[i] = 0
	case batch.Float:
		v.F[i] = 0
	case batch.Wide:
		v.Hi[i], v.Lo[i] = 0, 0
	case batch.Row:
		for c := range v.Child {
			zero(&v.Child[c], i)
		}
	default:
		v.View[i] = 0
	}
}

// set copies row i of src to row slot of v, which has room rows.
func set(v *batch.Vec, room, slot int, src *batch.Vec, i int) {
	if src.IsNull(i) {
		zero(v, slot)
		v.SetNull(slot, room)
		return
	}
	clearNull(v, slot)
	switch v.Kind {
	case batch.Bool:
		v.B[slot] = src.B[i]
	case batch.Int:
		v.I[slot] = src.I[i]
	case batch.Float:
		v.F[slot] = src.F[i]
	case batch.Wide:
		v.Hi[slot], v.Lo[slot] = src.Hi[i], src.Lo[i]
	case batch.Str:
		v.PutBytes(slot, src.Bytes(i))
	case batch.Row:
		for c := range v.Child {
			set(&v.Child[c], room, slot, &src.Child[c], i)
		}
	case batch.List:
		at := v.Child[0].Len()
		from, to := src.Span(i)
		for c := range v.Child {
			for j := from; j < to; j++ {
				v.Child[c].AppendFrom(&src.Child[c], j)
			}
		}
		v.View[slot] = batch.View(at, to-from)
	}
}

// SetRows copies, for the rows i of sel (nil: all n), row i of each column of src
// into row ids[i], and marks the rows as changed. cols says by column of src which
// column of the table it is; one below from is left alone: of a key. Where an id
// stands twice the later row counts.
func (t *Table) SetRows(ids []batch.RowID, sel []int32, n int, cols []int, from int, src []batch.Vec) {
	if sel != nil {
		n = len(sel)
	}
	for c, col := range cols {
		if col >= from {
			t.setCol(ids, sel, n, col, &src[c])
		}
	}
	for j := range n {
		t.Touch(ids[at(sel, j)])
	}
}

// setCol copies rows of src page by page: rows that stand beside each other in ids[sel]
// and in one page, as those of ByShard do, cost one look at the page.
func (t *Table) setCol(ids []batch.RowID, sel []int32, n, col int, src *batch.Vec) {
	for j := 0; j < n; {
		pg, end := ids[at(sel, j)]>>batch.PageBits, j+1
		for end < n && ids[at(sel, end)]>>batch.PageBits == pg {
			end++
		}
		p := t.Pages[pg]
		switch v := &p.Cols[col]; {
		case src.Null != nil || v.Null != nil || src.Kind != batch.Int && src.Kind != batch.Str:
			for ; j < end; j++ {
				i := at(sel, j)
				t.put(p, ids[i], col, int(ids[i]&batch.SlotMask), src, i)
			}
		case src.Kind == batch.Int:
			to := v.I
			for ; j < end; j++ {
				i := at(sel, j)
				to[ids[i]&batch.SlotMask] = src.I[i]
			}
		case end == j+1:
			i := at(sel, j)
			t.putBytes(ids[i], col, src.Bytes(i))
			j = end
		default:
			t.putRun(ids, sel, j, end, col, src)
			j = end
		}
	}
}

// putRun is putBytes for rows j … end of ids[sel], all of one page.
func (t *Table) putRun(ids []batch.RowID, sel []int32, j, end, col int, src *batch.Vec) {
	pg := ids[at(sel, j)] >> batch.PageBits
	p, m, a := t.Pages[pg], &t.meta[pg], t.arena[col]
	v, ar := &p.Cols[col], &m.arena[a]
	size, dead := 0, 0
	for k := j; k < end; k++ {
		size += int(src.View[at(sel, k)] & 0xffffffff)
	}
	if len(v.Data)+size > cap(v.Data) {
		t.roomFor(v, m.room, a, size)
	}
	data := v.Data
	for ; j < end; j++ {
		i := at(sel, j)
		w := src.View[i]
		o, l := w>>32, w&0xffffffff
		to := &v.View[ids[i]&batch.SlotMask]
		dead += int(*to & 0xffffffff)
		*to = uint64(len(data))<<32 | l
		data = append(data, src.Data[o:o+l]...)
	}
	v.Data = data
	ar.size += size
	ar.dead += dead
	if ar.dead >= minDead {
		m.tidy(p, a, col)
	}
}

// SetFrom copies row i of src, nulls included, into column col of row id and
// marks the row as changed.
func (t *Table) SetFrom(id batch.RowID, col int, src *batch.Vec, i int) {
	p, slot := t.At(id)
	t.put(p, id, col, slot, src, i)
	t.Touch(id)
}

func (t *Table) put(p *batch.Page, id batch.RowID, col, slot int, src *batch.Vec, i int) {
	m := &t.meta[id>>batch.PageBits]
	v := &p.Cols[col]
	a := t.arena[col]
	if col < len(t.Spec.Key) && src.IsNull(i) {
		t.nullK = true
	}
	if a < 0 {
		set(v, m.room, slot, src, i)
		return
	}
	if v.Kind == batch.Str && !src.IsNull(i) {
		t.putBytes(id, col, src.Bytes(i))
		return
	}
	m.arena[a].dead += weight(v, slot)
	if !src.IsNull(i) {
		m.arena[a].size += weight(src, i)
	}
	set(v, m.room, slot, src, i)
	m.tidy(p, a, col)
}

// putBytes stores b in a STRING or BYTES column of row id and makes it not null.
func (t *Table) putBytes(id batch.RowID, col int, b []byte) {
	pg, slot := id>>batch.PageBits, int(id&batch.SlotMask)
	p, m, a := t.Pages[pg], &t.meta[pg], t.arena[col]
	v, ar := &p.Cols[col], &m.arena[a]
	ar.dead += int(v.View[slot] & 0xffffffff)
	ar.size += len(b)
	if len(v.Data)+len(b) > cap(v.Data) {
		t.roomFor(v, m.room, a, len(b))
	}
	v.PutBytes(slot, b)
	if v.Null != nil {
		clearNull(v, slot)
	}
	if ar.dead >= minDead {
		m.tidy(p, a, col)
	}
}

// roomFor lets a page's arena grow to take n bytes more. slices.Grow would zero the
// room; the runtime need not, where it is fresh.
func (t *Table) roomFor(v *batch.Vec, room, a, n int) {
	v.Data = append(make([]byte, 0, len(v.Data)+t.more(v, room, a)+n), v.Data...)
}

// more is by how much a page's arena grows: to twice what it is, or to what the
// rows that the page has room for will take, if they are like those of the last
// page that was filled. Growing as append does, by a quarter, copies every byte
// four times.
func (t *Table) more(v *batch.Vec, room, a int) int {
	n := cap(v.Data)
	return max(n, min(t.filled[a]*room/batch.PageRows*9/8-n, 1<<20), 64)
}

// PutBytes stores b in a STRING or BYTES column of row id, makes it not null and
// marks the row as changed. Slices got earlier from the column keep their bytes.
func (t *Table) PutBytes(id batch.RowID, col int, b []byte) {
	t.putBytes(id, col, b)
	t.Touch(id)
}

// SetNull makes column col of row id null and marks the row as changed. Writing
// the column directly afterwards does not make it not null: SetFrom does.
func (t *Table) SetNull(id batch.RowID, col int) {
	p, slot := t.At(id)
	m := &t.meta[id>>batch.PageBits]
	v := &p.Cols[col]
	if a := t.arena[col]; a >= 0 {
		m.arena[a].dead += weight(v, slot)
	}
	zero(v, slot)
	v.SetNull(slot, m.room)
	t.Touch(id)
}

// arena counts what one column of one page keeps outside its rows.
type arena struct{ size, dead int }

// tidy rewrites a column that is more than half dead. The old arena is left
// alone: slices of it that somebody still holds keep their bytes.
func (m *pageMeta) tidy(p *batch.Page, a, col int) {
	ar := &m.arena[a]
	if ar.dead < minDead || 2*ar.dead < ar.size {
		return
	}
	old := &p.Cols[col]
	v := blank(old, m.room)
	if v.Kind == batch.Str {
		v.Data = make([]byte, 0, ar.size-ar.dead)
	}
	n := 0
	for slot := range m.room {
		if p.IsLive(slot) {
			set(&v, m.room, slot, old, slot)
			n += weight(&v, slot)
		}
	}
	p.Cols[col] = v
	*ar = arena{size: n}
}
