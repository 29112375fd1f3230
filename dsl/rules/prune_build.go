package rules

import (
	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// build makes n anew with the columns that are needed.
func (p *pruner) build(n ops.Node) *pruned {
	if x := p.done[n]; x != nil {
		return x
	}
	x := p.make(n)
	p.done[n] = x
	return x
}

// input builds input i of n and cuts it to what this input is needed for.
func (p *pruner) input(n ops.Node, i int) *pruned {
	in := n.Base().In[i]
	want := append([]bool{}, p.of(in).cols...)
	return narrow(p.build(in), want)
}

// narrow projects a node to the columns that are wanted, when it has more.
func narrow(x *pruned, want []bool) *pruned {
	v := visible(x.n)
	keepers := 0
	for c, at := range x.at {
		if at >= 0 && at < v && want[c] {
			keepers++
		}
	}
	if keepers == v || keepers == 0 {
		return x
	}
	at := make([]int, len(x.at))
	var es []ex.Expr
	var fields []batch.Field
	for c, old := range x.at {
		at[c] = -1
		if old >= 0 && old < v && want[c] {
			f := x.n.Base().Schema.Fields[old]
			at[c] = len(es)
			es, fields = append(es, ex.NewCol(old, f)), append(fields, f)
		}
	}
	hidden := len(es) - v
	for c, old := range x.at {
		if old >= v {
			at[c] = old + hidden
		}
	}
	q := ops.NewProject(x.n, es, fields)
	q.Ident, q.Span = x.n.Base().Ident, x.n.Base().Span
	return &pruned{q, at}
}

// same is a node that passes on the columns of its input.
func same(n ops.Node, in *pruned) *pruned { return &pruned{n, in.at} }

func whole(n ops.Node) *pruned { return &pruned{n, count(len(n.Base().Schema.Fields))} }

func (p *pruner) make(n ops.Node) *pruned {
	x := p.of(n)
	switch n := n.(type) {
	case *ops.Scan:
		return p.scan(n, x)
	case *ops.Values:
		return whole(n)
	case *ops.Project:
		return p.project(n, x)
	case *ops.UnionAll:
		return p.union(n)
	case *ops.Aggregate:
		return p.aggregate(n, x)
	case *ops.WindowAssign:
		in := p.input(n, 0)
		y := rebuild(n, []ops.Node{in.n}, [][]int{in.at})
		v := visible(n) - 3
		at := append([]int{}, in.at[:v]...)
		for i := range 3 {
			at = append(at, visible(in.n)+i)
		}
		for _, c := range in.at[v:] {
			at = append(at, c+3)
		}
		return &pruned{y, at}
	case *ops.Unnest:
		return p.unnest(n, x)
	case *ops.TopN:
		in := p.input(n, 0)
		rank := n.Rank && x.cols[len(x.cols)-1]
		y := rebuildTopN(n, in.n, in.at, rank)
		if !n.Rank {
			return same(y, in)
		}
		v := len(n.Schema.Fields) - 1
		at := append([]int{}, in.at[:v]...)
		if rank {
			return &pruned{y, append(at, visible(in.n))}
		}
		return &pruned{y, append(at, -1)}
	case *ops.Join, *ops.WindowJoin, *ops.IntervalJoin:
		l, r := p.input(n, 0), p.input(n, 1)
		ins := []ops.Node{l.n, r.n}
		at := joined(l.n, [][]int{l.at[:visible(n.Base().In[0])], r.at[:visible(n.Base().In[1])]})
		at = at[:len(n.Base().Schema.Fields)] // a semi or anti join has the left columns only
		return &pruned{rebuild(n, ins, [][]int{l.at, r.at}), at}
	case *ops.WindowAggregate:
		in := p.input(n, 0)
		return whole(rebuild(n, []ops.Node{in.n}, [][]int{in.at}))
	case *ops.Filter:
		in := p.build(n.In[0])
		return same(rebuild(n, []ops.Node{in.n}, [][]int{in.at}), in)
	case *ops.SinkNode:
		in := p.build(n.In[0])
		in = ordered(in)
		return whole(rebuild(n, []ops.Node{in.n}, [][]int{in.at}))
	}
	in := p.input(n, 0)
	return same(rebuild(n, []ops.Node{in.n}, [][]int{in.at}), in)
}

// ordered brings the columns into their old order, where all are there.
func ordered(x *pruned) *pruned {
	for c, at := range x.at {
		if c != at {
			return positions(x)
		}
	}
	return x
}

func positions(x *pruned) *pruned {
	var es []ex.Expr
	var fields []batch.Field
	v := visible(x.n)
	for _, at := range x.at {
		if at >= 0 && at < v {
			f := x.n.Base().Schema.Fields[at]
			es, fields = append(es, ex.NewCol(at, f)), append(fields, f)
		}
	}
	q := ops.NewProject(x.n, es, fields)
	q.Ident, q.Span = x.n.Base().Ident, x.n.Base().Span
	return whole(q)
}

func (p *pruner) project(n *ops.Project, x *need) *pruned {
	in := p.build(n.In[0])
	if len(n.Exprs) == 0 { // it ends hidden columns or picks: what reads it does so again
		at := make([]int, len(n.Pick))
		for i, c := range n.Pick {
			at[i] = in.at[c]
		}
		return &pruned{in.n, at}
	}
	at := make([]int, len(n.Schema.Fields))
	var es []ex.Expr
	var fields []batch.Field
	v := visible(n)
	for i, e := range exprsOf(n) {
		at[i] = -1
		if x.cols[i] {
			at[i] = len(es)
			es, fields = append(es, ex.Remap(e, in.at)), append(fields, n.Schema.Fields[i])
		}
	}
	if len(es) == 0 { // rows count, columns do not
		es, fields = append(es, ex.Bool(true)), append(fields, batch.Field{Name: "row", Type: batch.TypeBool.With(true)})
	}
	for i := v; i < len(at); i++ {
		at[i] = len(es) + i - v
	}
	return &pruned{keep(ops.NewProject(in.n, es, fields), n), at}
}

// unnest passes on what is read beside the elements: a collection that is not is not repeated for each of them.
func (p *pruner) unnest(n *ops.Unnest, x *need) *pruned {
	in := p.input(n, 0)
	var kept, at []int
	for i, c := range n.Keep {
		if !x.cols[i] {
			at = append(at, -1)
			continue
		}
		at = append(at, len(kept))
		kept = append(kept, c)
	}
	for i := len(n.Keep); i < len(n.Schema.Fields); i++ {
		at = append(at, i-len(n.Keep)+len(kept))
	}
	return &pruned{rebuildUnnest(n, in.n, in.at, kept), at}
}

// union keeps its inputs' columns in step.
func (p *pruner) union(n *ops.UnionAll) *pruned {
	ins := make([]ops.Node, len(n.In))
	x := p.of(n)
	v := visible(n)
	at := make([]int, len(n.Schema.Fields))
	k := 0
	for c := range at {
		at[c] = -1
		if c < v && x.cols[c] {
			at[c] = k
			k++
		}
	}
	if k == 0 {
		return p.wholeUnion(n)
	}
	for c := v; c < len(at); c++ {
		at[c] = k + c - v
	}
	for i := range n.In {
		in := p.build(n.In[i])
		var es []ex.Expr
		var fields []batch.Field
		inOrder := true
		for c := range v {
			if at[c] < 0 {
				continue
			}
			f := in.n.Base().Schema.Fields[in.at[c]]
			inOrder = inOrder && in.at[c] == at[c]
			es, fields = append(es, ex.NewCol(in.at[c], f)), append(fields, f)
		}
		ins[i] = in.n
		if !inOrder || visible(in.n) != k {
			q := ops.NewProject(in.n, es, fields)
			q.Ident, q.Span = in.n.Base().Ident, in.n.Base().Span
			ins[i] = q
		}
	}
	return &pruned{keep(ops.NewUnionAll(ins), n), at}
}

// wholeUnion is a union of which only the number of rows is read: one column that says so.
func (p *pruner) wholeUnion(n *ops.UnionAll) *pruned {
	ins := make([]ops.Node, len(n.In))
	for i := range n.In {
		in := p.build(n.In[i])
		q := ops.NewProject(in.n, []ex.Expr{ex.Bool(true)}, []batch.Field{{Name: "row", Type: batch.TypeBool.With(true)}})
		q.Ident, q.Span = in.n.Base().Ident, in.n.Base().Span
		ins[i] = q
	}
	v := visible(n)
	at := make([]int, len(n.Schema.Fields))
	for c := range at {
		at[c] = -1
		if c >= v {
			at[c] = 1 + c - v
		}
	}
	return &pruned{keep(ops.NewUnionAll(ins), n), at}
}

func (p *pruner) aggregate(n *ops.Aggregate, x *need) *pruned {
	in := p.input(n, 0)
	nk := len(n.By)
	at := count(nk)
	fields := append([]batch.Field{}, n.Schema.Fields[:nk]...)
	var aggs []ops.AggCall
	for i, a := range n.Aggs {
		if !x.cols[nk+i] {
			at = append(at, -1)
			continue
		}
		at = append(at, len(fields))
		fields = append(fields, n.Schema.Fields[nk+i])
		aggs = append(aggs, a)
	}
	y := ops.NewAggregate(in.n, remapAll(n.By, in.at), remapAggs(aggs, in.at), fields)
	if n.TTL > 0 {
		y.SetTTL(n.TTL)
	}
	return &pruned{keep(y, n), at}
}

// scan tells the connector what to read, and leaves out computed columns that nobody needs. Physical columns stay where they are:
// the reader fills those that are not read with NULLs.
func (p *pruner) scan(n *ops.Scan, x *need) *pruned {
	s := n.Spec
	all := len(s.Schema.Fields)
	asked := append([]bool{}, x.cols...) // by the readers; what the scan itself needs is read and not passed on
	ask := func(e ex.Expr) { p.exprs(n, e) }
	if s.WMCol >= 0 {
		p.cols(n, []int{s.WMCol})
		ask(s.WMExpr)
	}
	for i := len(s.Computed) - 1; i >= 0; i-- {
		if x.cols[s.Physical+i] {
			ask(s.Computed[i])
		}
	}
	at := count(s.Physical)
	fields := append([]batch.Field{}, s.Schema.Fields[:s.Physical]...)
	var computed []ex.Expr
	for i, e := range s.Computed {
		if !x.cols[s.Physical+i] {
			at = append(at, -1)
			continue
		}
		at = append(at, len(fields))
		fields = append(fields, s.Schema.Fields[s.Physical+i])
		computed = append(computed, ex.Remap(e, append(append([]int{}, at[:s.Physical+i]...), make([]int, len(s.Computed))...)))
	}
	s.Want.Cols = append([]bool{}, x.cols[:s.Physical]...)
	s.Want.Fields = nil
	for c := range s.Physical {
		if f := x.fields[c]; f != nil && !x.whole[c] {
			if s.Want.Fields == nil {
				s.Want.Fields = map[int][]bool{}
			}
			s.Want.Fields[c] = f
		}
	}
	s.Computed, s.Schema = computed, &batch.Schema{Fields: fields}
	if s.WMCol >= 0 {
		s.WMCol = at[s.WMCol]
		s.WMExpr = ex.Remap(s.WMExpr, at)
	}
	for c := all; c < len(n.Schema.Fields); c++ {
		at = append(at, len(fields)+c-all)
	}
	return narrow(&pruned{keep(ops.NewScan(s), n), at}, asked)
}
