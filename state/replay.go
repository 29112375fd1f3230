package state

// Replay is a store in memory, for tests of operators: what its workers pack is
// added to it, and later workers, of which there may be another number, find it
// in their tables.
type Replay struct {
	chunks []Chunk
	seqs   []SeqMark
}

// Worker returns the tables of worker number id of n, with what was added so far.
func (r *Replay) Worker(id, n int) *Worker {
	w := NewMem(id, n)
	w.replay = r
	return w
}

// Add appends what a worker packed.
func (r *Replay) Add(p *Packed) {
	r.chunks = append(r.chunks, p.Chunks...)
	r.seqs = append(r.seqs, p.Seqs...)
}

func (r *Replay) fill(w *Worker, t *Table) error {
	owns := func(shard uint8) bool { return t.Spec.Broadcast || int(shard)%w.N == w.ID }
	for i := range r.chunks {
		if c := &r.chunks[i]; c.Table.Name == t.Spec.Name() && owns(c.Shard) {
			if err := t.overlay(c); err != nil {
				return err
			}
		}
	}
	for _, q := range r.seqs {
		if q.Table.Name == t.Spec.Name() && owns(q.Shard) {
			t.shards[q.Shard].seq = q.Seq
		}
	}
	return t.reindex()
}
