package engine

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// outboxBytes is how much a worker's outboxes of one exchange hold together
// before the worker meets the others.
const outboxBytes = 4 << 20

// spareBatches is how many received batches an exchange keeps for sending. A
// worker that receives more than it sends (a hot key, a placement of one) would
// else collect them for ever.
const spareBatches = 16

// exchange is a worker's sending side of one exchange edge.
type exchange struct {
	edge  *edge
	merge func(*batch.Batch) *batch.Batch // makes rows fewer before they are sent; nil = they go as they are
	boxes []*box                          // by target worker
	bytes int
	hash  []uint64
	idx   [][]int32 // by target: stored rows of the batch at hand
	cols  []batch.Vec
	free  []*batch.Batch
}

// route sends the live rows of b to the workers that own them and meets the
// others while the outboxes are full.
func (w *worker) route(e *edge, b *batch.Batch) error {
	x := w.exch[e.exch]
	switch e.kind {
	case operators.Broadcast:
		for to := range x.boxes {
			x.add(to, b, b.Sel)
		}
	default:
		if x.merge != nil {
			b = x.merge(b)
		}
		placed := b.Hash
		x.split(b, w.inc.workers)
		for to, idx := range x.idx {
			if len(idx) > 0 {
				x.add(to, b, idx)
			}
		}
		b.Hash = placed // the node's other edges take the same batch, placed in their own way
	}
	for x.bytes >= w.inc.outbox {
		if _, err := w.meet(false); err != nil {
			return err
		}
	}
	return nil
}

// split sorts the live rows of b by the worker that owns their placement hash.
// Placement One is shard 0, so worker 0.
func (x *exchange) split(b *batch.Batch, workers int) {
	if cap(x.hash) < b.N {
		x.hash = make([]uint64, b.N)
	}
	h := x.hash[:b.N]
	x.cols = x.cols[:0]
	if x.edge.kind == operators.ByKey {
		for _, k := range x.edge.keys {
			x.cols = append(x.cols, b.Cols[k])
		}
	}
	if x.edge.kind == operators.One {
		clear(h)
	} else {
		batch.HashRows(x.cols, b.Sel, b.N, h)
	}
	for to := range x.idx {
		x.idx[to] = x.idx[to][:0]
	}
	b.Hash = h
	if b.Sel == nil {
		for i := range h {
			to := int(batch.ShardOf(h[i])) % workers
			x.idx[to] = append(x.idx[to], int32(i))
		}
		return
	}
	for _, i := range b.Sel {
		to := int(batch.ShardOf(h[i])) % workers
		x.idx[to] = append(x.idx[to], i)
	}
}

// add copies stored rows idx of b (nil = all) into the box for worker to, in
// batches of at most batch.Chunk rows.
func (x *exchange) add(to int, b *batch.Batch, idx []int32) {
	bx := x.boxes[to]
	if bx == nil {
		bx = &box{}
		x.boxes[to] = bx
	}
	n := b.N
	if idx != nil {
		n = len(idx)
	}
	if k := len(bx.batches); k == 0 || bx.batches[k-1].N+n > batch.Chunk {
		bx.batches = append(bx.batches, x.fresh(b))
	}
	dst := bx.batches[len(bx.batches)-1]
	before := dataBytes(dst)
	dst.AppendRows(b, idx)
	size := n*16*len(dst.Cols) + dataBytes(dst) - before
	bx.bytes += size
	x.bytes += size
}

// fresh returns an empty batch, one that was received earlier where there is.
func (x *exchange) fresh(like *batch.Batch) *batch.Batch {
	if n := len(x.free); n > 0 {
		b := x.free[n-1]
		x.free = x.free[:n-1]
		b.Reset()
		b.Schema = like.Schema
		return b
	}
	return batch.New(like.Schema, 1024)
}

// keep takes over received batches, for fresh to hand out.
func (x *exchange) keep(bs []*batch.Batch) {
	x.free = append(x.free, bs[:min(len(bs), max(0, spareBatches-len(x.free)))]...)
}

func dataBytes(b *batch.Batch) (n int) {
	for i := range b.Cols {
		n += len(b.Cols[i].Data)
	}
	return n
}

// taken forgets the boxes that the meeting has moved.
func (x *exchange) taken() {
	x.bytes = 0
	for _, b := range x.boxes {
		if b != nil {
			x.bytes += b.bytes
		}
	}
}
