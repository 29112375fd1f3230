package operators

import (
	"math/bits"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/windows"
)

// Combining is a Node that need not see each row of an input by itself. The engine
// calls what Combine returns on the rows of a batch before it sends them to other
// workers; nil = they have to go as they are. env is the node's own on the sending
// worker, without State.
type Combining interface {
	Combine(env *Env) func(*batch.Batch) *batch.Batch
}

// Combine makes one row of summed weight of rows that the aggregation cannot tell
// apart: of one group and one pane, with the same arguments. Half of NEXMark's bids
// are for one auction in a hundred, so one row in twelve is left of them.
//
// Late rows stay as they are: they are counted, and may be written down, one by one.
// A session's end depends on each row's own time, and so does a row's watermark
// under on-event; a call that asks for the order of its rows gets all of them.
func (n *WindowAggregate) Combine(env *Env) func(*batch.Batch) *batch.Batch {
	in := n.In[0].Base()
	if n.Ends >= 0 || n.Win.Proc || n.Win.Kind == windows.Session || in.Mode != Append || in.Schema.Index("$wm") >= 0 {
		return nil
	}
	c := &combiner{win: n.Win, clock: windows.NewClock(n.Win), env: env, cols: append([]int(nil), n.By...), slots: make([]int32, combineSlots)}
	for i := range n.Aggs {
		a := &n.Aggs[i]
		if a.Fn.Arrival || a.Fn.Growing() {
			return nil
		}
		for _, x := range a.Args {
			if in.Schema.Fields[x].Type.Kind() == batch.Float {
				return nil // x + x + y is not always 2x + y
			}
		}
		c.cols = append(c.cols, a.Args...)
		if a.Filter >= 0 {
			c.cols = append(c.cols, a.Filter)
		}
	}
	return c.combine
}

const (
	// combineSlots is how many groups are remembered at once: some hundreds are in a
	// batch of NEXMark's bids, and 8 KiB leave room for them in the first-level cache.
	combineSlots = 2048
	// combineRest is how many batches go as they are after one of at least combineLeast
	// rows of which more than half were left. What fewer rows say is chance.
	combineRest  = 31
	combineLeast = 256
)

// combiner merges rows of one batch. It remembers in each slot the last row that
// hashed to it: a group that was driven out is sent once more, which is right all
// the same and needs no probing.
type combiner struct {
	win   windows.Spec
	clock *windows.Clock
	env   *Env
	cols  []int // what the operator looks at, beside the time
	rest  int   // batches to leave as they are

	row   rows
	key   []batch.Vec
	hash  []uint64
	pane  []int64
	w     []int64
	kept  []int32
	slots []int32 // 1 + row; 0 = none
}

// combine returns a batch of the same columns with fewer rows, good until the next
// call, or b itself.
func (c *combiner) combine(b *batch.Batch) *batch.Batch {
	if c.rest > 0 {
		c.rest--
		return b
	}
	time := &b.Cols[c.win.Col]
	if time.Null != nil {
		return b // rows without a time are errors, one by one
	}
	sel := c.row.of(b)
	if cap(c.hash) < b.N {
		c.hash, c.pane, c.w = make([]uint64, b.N, 2*b.N), make([]int64, b.N, 2*b.N), make([]int64, b.N, 2*b.N)
	}
	c.key = pick(c.key, b, c.cols)
	c.hash, c.pane, c.w, c.kept = c.hash[:b.N], c.pane[:b.N], c.w[:b.N], c.kept[:0]
	batch.HashRows(c.key, b.Sel, b.N, c.hash)
	c.win.Panes(c.clock, time.I, sel, c.pane)
	clear(c.slots)
	for from := 0; from < len(sel); {
		pane, to := c.pane[sel[from]], from+1
		for to < len(sel) && c.pane[sel[to]] == pane {
			to++
		}
		if c.clock.Instant(c.win.LastEnd(pane)) <= int64(c.env.Prev(0)) {
			for _, i := range sel[from:to] {
				c.w[i] = b.Weight(int(i))
			}
			c.kept = append(c.kept, sel[from:to]...)
		} else {
			c.run(b, sel[from:to])
		}
		from = to
	}
	if 2*len(c.kept) > len(sel) && len(sel) >= combineLeast {
		c.rest = combineRest
	}
	if len(c.kept) == len(sel) {
		return b
	}
	return &batch.Batch{Schema: b.Schema, Cols: b.Cols, N: b.N, Sel: c.kept, W: c.w}
}

// run merges rows sel, of one pane that is not over.
func (c *combiner) run(b *batch.Batch, sel []int32) {
	pane := c.pane[sel[0]]
	salt := bits.RotateLeft64(uint64(pane)*0x9e3779b97f4a7c15, 32)
	const shift = 64 - 11 // log2(combineSlots)
	for _, i := range sel {
		h := c.hash[i]
		slot := &c.slots[(h^salt)>>shift]
		if k := *slot - 1; k >= 0 && c.hash[k] == h && c.pane[k] == pane && c.same(int(k), int(i)) {
			c.w[k] += b.Weight(int(i))
			continue
		}
		*slot = i + 1
		c.w[i] = b.Weight(int(i))
		c.kept = append(c.kept, i)
	}
}

// same tells whether two rows agree in all that the operator looks at.
func (c *combiner) same(i, j int) bool {
	for k := range c.key {
		if v := &c.key[k]; !batch.EqualAt(v, i, v, j) {
			return false
		}
	}
	return true
}
