package state

import "github.com/streamd/streamd/batch"

// merger lays chunks of one page over each other: of each slot the newest row wins.
type merger struct {
	types  []batch.Type
	chunks []Chunk
	// from and row say, by slot, where the row is: a chunk, counted from 1 (0 = no
	// row), and its place in it.
	from [batch.PageRows]int32
	row  [batch.PageRows]int32

	out Chunk
	idx []int32
}

// reset forgets all chunks; the next ones are of these types.
func (m *merger) reset(types []batch.Type) {
	m.types = types
	clear(m.chunks)
	m.chunks = m.chunks[:0]
	clear(m.from[:])
}

// lay adds a newer chunk.
func (m *merger) lay(c *Chunk) error {
	if c.live() > 0 && len(c.Cols) != len(m.types) {
		return errCorrupt("%s is stored with other columns", c.Table.Name)
	}
	m.chunks = append(m.chunks, *c)
	n, row := int32(len(m.chunks)), int32(0)
	for _, s := range c.Slots {
		if s&1 == 0 {
			m.from[s>>1] = 0
			continue
		}
		m.from[s>>1], m.row[s>>1] = n, row
		row++
	}
	return nil
}

// rows returns the page: all its rows live. It is good until the next call.
func (m *merger) rows() *Chunk {
	m.out.Slots, m.idx = m.out.Slots[:0], m.idx[:0]
	for s, n := range m.from {
		if n != 0 {
			m.out.Slots = append(m.out.Slots, int64(s)<<1|1)
			m.idx = append(m.idx, m.row[s])
		}
	}
	m.out.Cols = m.out.Cols[:0]
	for k, t := range m.types {
		v := batch.NewVec(t, len(m.idx))
		for from := 0; from < len(m.idx); {
			n := m.from[m.out.Slots[from]>>1]
			to := from + 1
			for to < len(m.idx) && m.from[m.out.Slots[to]>>1] == n {
				to++
			}
			v.AppendRows(&m.chunks[n-1].Cols[k], m.idx[from:to], to-from)
			from = to
		}
		m.out.Cols = append(m.out.Cols, v)
	}
	return &m.out
}
