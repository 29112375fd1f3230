package batch

// Chunk is the most rows an operator emits at once.
const Chunk = 8192

// Batch is a set of weighted rows: a delta.
//
// A receiver may read a batch only until it returns; to keep rows it copies
// them. Only the operator that made a batch may write to it. Columns may share
// slices with other batches.
type Batch struct {
	Schema *Schema
	Cols   []Vec
	N      int      // rows stored, selected or not
	Sel    []int32  // increasing row numbers that are live; nil = all N
	W      []int64  // weight of each stored row; nil = all +1
	Hash   []uint64 // placement hash of each stored row, where one was computed; else nil
	Runs   []Run    // only between a source and its scan: which split each row is of
}

// Run says that rows [From, To) of a batch came, in order, from one split.
type Run struct {
	Split    int // the source's number of the split
	From, To int
}

// New returns an empty batch of the schema with room for n rows.
func New(s *Schema, n int) *Batch { return &Batch{Schema: s, Cols: NewVecs(s, n)} }

// Live returns the number of selected rows.
func (b *Batch) Live() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Row returns the stored row number of the k-th live row.
func (b *Batch) Row(k int) int {
	if b.Sel != nil {
		return int(b.Sel[k])
	}
	return k
}

// Weight returns the weight of stored row i.
func (b *Batch) Weight(i int) int64 {
	if b.W == nil {
		return 1
	}
	return b.W[i]
}

// Reset empties the batch and keeps its memory. Only for a batch whose columns
// share nothing with another. The invariants build overwrites the memory first.
func (b *Batch) Reset() {
	for i := range b.Cols {
		b.Cols[i].Reset()
	}
	b.N, b.Sel, b.W, b.Hash, b.Runs = 0, nil, nil, nil, b.Runs[:0]
}

// AddWeight counts one more row, whose columns have been appended, with weight w.
func (b *Batch) AddWeight(w int64) {
	if b.W == nil && w != 1 {
		b.W = make([]int64, b.N, 2*b.N+8)
		for i := range b.W {
			b.W[i] = 1
		}
	}
	if b.W != nil {
		b.W = append(b.W, w)
	}
	b.N++
}

// Append adds the live rows of src, with their weights and hashes.
func (b *Batch) Append(src *Batch) { b.AppendRows(src, src.Sel) }

// AppendRows adds stored rows idx of src (nil = all), with their weights and hashes.
func (b *Batch) AppendRows(src *Batch, idx []int32) {
	n := src.N
	if idx != nil {
		n = len(idx)
	}
	if n == 0 {
		return
	}
	for c := range b.Cols {
		b.Cols[c].AppendRows(&src.Cols[c], idx, n)
	}
	if b.W == nil && src.W != nil {
		b.W = make([]int64, b.N, b.N+n)
		for i := range b.W {
			b.W[i] = 1
		}
	}
	if b.W != nil {
		if src.W == nil {
			for range n {
				b.W = append(b.W, 1)
			}
		} else if idx == nil {
			b.W = append(b.W, src.W[:n]...)
		} else {
			b.W = gather(b.W, src.W, idx)
		}
	}
	if src.Hash != nil && (b.N == 0 || b.Hash != nil) {
		if idx == nil {
			b.Hash = append(b.Hash, src.Hash[:n]...)
		} else {
			b.Hash = gather(b.Hash, src.Hash, idx)
		}
	} else {
		b.Hash = nil
	}
	b.N += n
}

// Clone returns a copy of the live rows that shares nothing with b.
func (b *Batch) Clone() *Batch {
	c := New(b.Schema, b.Live())
	c.Append(b)
	return c
}

// Each calls f for every live row.
func (b *Batch) Each(f func(row int)) {
	if b.Sel != nil {
		for _, i := range b.Sel {
			f(int(i))
		}
		return
	}
	for i := range b.N {
		f(i)
	}
}
