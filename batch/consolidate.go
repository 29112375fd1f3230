package batch

// Consolidate returns b with equal rows summed and rows of weight 0 dropped. A
// row keeps the place of its first appearance. The result shares b's columns;
// it is b itself when no two rows are equal and no weight is 0.
//
//	+1 a 1, +1 b 2, -1 a 1, +1 b 2   ->   +2 b 2
func Consolidate(b *Batch) *Batch {
	live := b.Live()
	if live == 0 || b.W == nil && live == 1 {
		return b
	}
	h := make([]uint64, b.N)
	HashRows(b.Cols, b.Sel, b.N, h)
	size := 16
	for size < 2*live {
		size *= 2
	}
	// table holds row+1 of the first row of each distinct value.
	table, w := make([]int32, size), make([]int64, b.N)
	sel := make([]int32, 0, live)
	mask := uint64(size - 1)
	b.Each(func(i int) {
		for at := h[i] >> 20 & mask; ; at = (at + 1) & mask {
			r := table[at]
			if r == 0 {
				table[at] = int32(i) + 1
				w[i] = b.Weight(i)
				sel = append(sel, int32(i))
				return
			}
			if h[r-1] == h[i] && EqualRows(b.Cols, int(r-1), b.Cols, i) {
				w[r-1] += b.Weight(i)
				return
			}
		}
	})
	kept := sel[:0]
	for _, i := range sel {
		if w[i] != 0 {
			kept = append(kept, i)
		}
	}
	out := *b
	out.Sel, out.W = kept, w
	return &out
}
