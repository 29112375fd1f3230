package engine

import (
	"slices"

	"github.com/streamd/streamd/operators"
)

// graph is a plan laid out for execution. It is immutable and shared by all
// workers. Nodes are numbered so that inputs come before their consumers.
type graph struct {
	nodes  []*gnode
	exch   []*edge // edges that cross workers
	stages int
	scans  []*gnode
	sinks  []*gnode
}

// gnode is a plan node in its place.
type gnode struct {
	id    int
	node  operators.Node
	in    []*edge
	outs  []*edge
	stage int // exchanges on the longest way from a source
	scan  int // number among scans, or -1
	by    placement
}

// edge is one input of one node.
type edge struct {
	from, to *gnode
	input    int
	exch     int // number among exchanges; -1 = a plain call on the same worker
	kind     operators.PlaceKind
	keys     []int
	reach    []int // nodes that a push on this edge may enter by plain calls
}

// placement says by which columns rows came to their worker.
type placement struct {
	kind operators.PlaceKind // Stay = unknown
	keys []int
}

// carrier is a node that passes columns of its first input on: Carry returns
// where the input columns cols stand in the output, or false.
type carrier interface {
	Carry(in int, cols []int) ([]int, bool)
}

// layOut numbers the nodes under roots and places exchanges. The layout does
// not depend on the number of workers, so that state written by one number can
// be read by another; with one worker exchanges become plain calls.
func layOut(roots []operators.Node, workers int) *graph {
	g := &graph{}
	seen := map[operators.Node]*gnode{}
	var visit func(n operators.Node) *gnode
	visit = func(n operators.Node) *gnode {
		if x, ok := seen[n]; ok {
			return x
		}
		x := &gnode{node: n, scan: -1}
		var ins []*gnode
		for _, in := range n.Base().In {
			ins = append(ins, visit(in))
		}
		x.id = len(g.nodes)
		g.nodes = append(g.nodes, x)
		seen[n] = x
		for i, from := range ins {
			x.in = append(x.in, g.connect(from, x, i, workers))
		}
		for _, e := range x.in {
			s := e.from.stage
			if e.exch >= 0 {
				s++
			}
			x.stage = max(x.stage, s)
		}
		g.stages = max(g.stages, x.stage+1)
		if _, ok := n.(*operators.Scan); ok {
			x.scan = len(g.scans)
			g.scans = append(g.scans, x)
		}
		x.by = placed(x)
		return x
	}
	for _, r := range roots {
		g.sinks = append(g.sinks, visit(r))
	}
	for i := len(g.nodes) - 1; i >= 0; i-- {
		n := g.nodes[i]
		reach := []int{n.id}
		for _, e := range n.outs {
			if e.exch < 0 {
				reach = append(reach, e.reach...)
			}
		}
		slices.Sort(reach)
		reach = slices.Compact(reach)
		for _, e := range n.in {
			e.reach = reach
		}
	}
	return g
}

func (g *graph) connect(from, to *gnode, input, workers int) *edge {
	p := to.node.Place(input)
	e := &edge{from: from, to: to, input: input, exch: -1, kind: p.Kind, keys: p.Keys}
	if workers > 1 && p.Kind != operators.Stay && !from.by.same(p) {
		e.exch = len(g.exch)
		g.exch = append(g.exch, e)
	}
	from.outs = append(from.outs, e)
	return e
}

// same tells whether rows placed by p are where want wants them. The columns
// must be the same in the same order: the shard of a table's row is taken from
// the hash by which the row came.
func (p placement) same(want operators.Placement) bool {
	return p.kind == want.Kind && p.kind != operators.Stay && p.kind != operators.Broadcast && slices.Equal(p.keys, want.Keys)
}

// placed derives the placement of a node's output.
func placed(x *gnode) placement {
	if len(x.in) == 0 {
		return placement{}
	}
	var out placement
	for i, e := range x.in {
		p := placement{kind: e.kind, keys: e.keys}
		if e.kind == operators.Stay {
			p = e.from.by
		}
		if p.kind == operators.ByKey {
			c, ok := x.node.(carrier)
			if !ok {
				return placement{}
			}
			if p.keys, ok = c.Carry(i, p.keys); !ok {
				return placement{}
			}
		}
		if i > 0 && (p.kind != out.kind || !slices.Equal(p.keys, out.keys)) {
			return placement{}
		}
		out = p
	}
	return out
}
