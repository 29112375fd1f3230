package optest

import (
	"fmt"
	"maps"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// Input is a named input of the node under test.
type Input struct {
	Name   string
	Schema string
	Mode   operators.Mode
	Keys   [][]int
}

// source stands for an input in the plan.
type source struct {
	operators.Props
	operators.Stays
	name string
}

func (n *source) Op() string                                     { return "input" }
func (n *source) Detail() string                                 { return n.name }
func (n *source) OutWM([]operators.WM) operators.WM              { return operators.WMStart }
func (n *source) New(*operators.Env) (operators.Operator, error) { return nil, nil }
func (n *source) With([]operators.Node) operators.Node           { return n }

// Source returns a leaf that stands for an input with this schema text.
func Source(in Input) operators.Node {
	return &source{name: in.Name, Props: operators.Props{Schema: Schema(in.Schema), Mode: in.Mode, Keys: in.Keys, State: "none"}}
}

// graph runs a plan on several workers, one after the other in one goroutine.
type graph struct {
	nodes   []operators.Node // inputs before users
	ops     map[operators.Node][]operators.Operator
	users   map[operators.Node][]edge
	wm      map[operators.Node]operators.WM // after this step
	prev    map[operators.Node]operators.WM // after the last step
	state   []*state.Worker
	saved   state.Replay
	now     int64
	out     func(b *batch.Batch)
	rejects map[operators.Reason]int64
	rejRows []string
	turn    int                                                  // round robin of Stay
	merges  map[operators.Node][]func(*batch.Batch) *batch.Batch // by sending worker, of nodes that are Combining
}

type edge struct {
	to operators.Node
	in int
}

func newGraph(root operators.Node, workers int, now int64) *graph {
	g := &graph{users: map[operators.Node][]edge{}, wm: map[operators.Node]operators.WM{}, prev: map[operators.Node]operators.WM{}, now: now,
		rejects: map[operators.Reason]int64{}}
	g.visit(root)
	for k, n := range g.nodes {
		if n.Base().Ident == "" {
			n.Base().Ident = fmt.Sprintf("n%d", k)
		}
		g.wm[n] = operators.WMStart
		if _, ok := n.(*source); !ok && len(n.Base().In) == 0 {
			g.wm[n] = operators.WMEnd
		}
	}
	g.prev = maps.Clone(g.wm)
	for w := range workers {
		g.state = append(g.state, g.saved.Worker(w, workers))
	}
	return g
}

func (g *graph) visit(n operators.Node) {
	if _, seen := g.users[n]; seen {
		return
	}
	g.users[n] = nil
	for i, in := range n.Base().In {
		g.visit(in)
		g.users[in] = append(g.users[in], edge{n, i})
	}
	g.nodes = append(g.nodes, n)
}

// build makes the operators over the workers' tables.
func (g *graph) build() error {
	g.ops, g.merges = map[operators.Node][]operators.Operator{}, map[operators.Node][]func(*batch.Batch) *batch.Batch{}
	for _, n := range g.nodes {
		if _, ok := n.(*source); ok {
			continue
		}
		for w := range g.state {
			env := &operators.Env{Worker: w, Workers: len(g.state), Now: func() int64 { return g.now },
				Prev:  func(in int) operators.WM { return g.prev[n.Base().In[in]] },
				State: g.state[w],
				Reject: func(r operators.Reject) error {
					for _, e := range r.Rows {
						if r.B == nil {
							g.rejects[r.Reason]++
							continue
						}
						g.rejects[r.Reason] += max(r.B.Weight(int(e.Row)), 0)
						g.rejRows = append(g.rejRows, fmt.Sprintf("%s %s", r.Reason, e.Code))
					}
					return nil
				}}
			op, err := n.New(env)
			if err != nil {
				return err
			}
			g.ops[n] = append(g.ops[n], op)
			if c, ok := n.(operators.Combining); ok {
				g.merges[n] = append(g.merges[n], c.Combine(env))
			}
		}
	}
	for _, s := range g.state {
		if err := s.Err(); err != nil {
			return err
		}
	}
	return nil
}

// emit hands rows of node n, made on worker w, to its users.
func (g *graph) emit(n operators.Node, w int, b *batch.Batch) error {
	if len(g.users[n]) == 0 {
		g.out(b)
		return nil
	}
	for _, e := range g.users[n] {
		if err := g.route(e, w, b); err != nil {
			return err
		}
	}
	return nil
}

func (g *graph) push(e edge, w int, b *batch.Batch) error {
	return g.ops[e.to][w].Push(e.in, b, func(o *batch.Batch) error {
		if o.Live() > batch.Chunk {
			return fmt.Errorf("%s emitted %d rows at once", e.to.Op(), o.Live())
		}
		return g.emit(e.to, w, o)
	})
}

func (g *graph) route(e edge, w int, b *batch.Batch) error {
	p := e.to.Place(e.in)
	W := len(g.state)
	_, fromSource := e.to.Base().In[e.in].(*source)
	if W == 1 || p.Kind == operators.Stay && !fromSource {
		return g.push(e, w, b)
	}
	if m := g.merges[e.to]; m != nil && m[w] != nil {
		b = m[w](b)
	}
	if p.Kind == operators.One {
		return g.push(e, 0, b)
	}
	var h []uint64
	if p.Kind == operators.ByKey {
		keys := make([]batch.Vec, len(p.Keys))
		for i, c := range p.Keys {
			keys[i] = b.Cols[c]
		}
		h = make([]uint64, b.N)
		batch.HashRows(keys, b.Sel, b.N, h)
	}
	for to := range W {
		part := *b
		part.Hash = h
		part.Sel = []int32{}
		b.Each(func(i int) {
			at := g.turn % W
			switch p.Kind {
			case operators.Stay:
				g.turn++
				at = i % W
			case operators.ByKey:
				at = int(batch.ShardOf(h[i])) % W
			case operators.Broadcast:
				at = to
			}
			if at == to {
				part.Sel = append(part.Sel, int32(i))
			}
		})
		if len(part.Sel) > 0 {
			if err := g.push(e, to, &part); err != nil {
				return err
			}
		}
	}
	return nil
}

// endStep runs EndStep of every node in order.
func (g *graph) endStep() error {
	for _, n := range g.nodes {
		ops := g.ops[n]
		if ops == nil {
			continue
		}
		in := make([]operators.WM, len(n.Base().In))
		for i, x := range n.Base().In {
			in[i] = g.wm[x]
		}
		for w, op := range ops {
			if err := op.EndStep(in, func(b *batch.Batch) error {
				if b.Live() > batch.Chunk {
					return fmt.Errorf("%s emitted %d rows at once", n.Op(), b.Live())
				}
				return g.emit(n, w, b)
			}); err != nil {
				return err
			}
		}
		if len(n.Base().In) > 0 {
			g.wm[n] = max(g.wm[n], n.OutWM(in))
		}
	}
	g.prev = maps.Clone(g.wm)
	return nil
}

// restore saves the state and goes on from it with new operators on another
// number of workers.
func (g *graph) restore(workers int) error {
	for _, w := range g.state {
		g.saved.Add(w.Pack())
	}
	for k := range g.state {
		g.state[k] = nil
	}
	g.state = g.state[:0]
	for w := range workers {
		g.state = append(g.state, g.saved.Worker(w, workers))
	}
	return g.build()
}
