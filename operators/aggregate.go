package operators

import (
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/funcs"
)

// AggCall is one aggregate function over columns of the input.
type AggCall struct {
	Fn       *funcs.Agg // bound to the types of Args
	Args     []int
	Filter   int // a BOOLEAN column: only rows where it is TRUE count; -1 = all
	Distinct bool
	Name     string
	Span     Span
}

func (a AggCall) text(s *batch.Schema) string {
	arg := names(s, a.Args)
	if len(a.Args) == 0 {
		arg = "*"
	}
	if a.Distinct {
		arg = "DISTINCT " + arg
	}
	if a.Fn.Param != "" {
		arg += ", '" + a.Fn.Param + "'"
	}
	t := a.Fn.Name + "(" + arg + ")"
	if a.Fn.Ignore {
		t += " IGNORE NULLS"
	}
	if a.Filter >= 0 {
		t += " FILTER (WHERE " + s.Fields[a.Filter].Name + ")"
	}
	return t
}

func aggText(s *batch.Schema, keys []int, aggs []AggCall) string {
	var p []string
	if len(keys) > 0 {
		p = append(p, "by "+names(s, keys))
	}
	for i, a := range aggs {
		t := a.text(s)
		if i == 0 {
			t = "compute " + t
		} else {
			t = p[len(p)-1] + ", " + t
			p = p[:len(p)-1]
		}
		p = append(p, t)
	}
	return strings.Join(p, " ")
}

// Aggregate is GROUP BY without a window. Output: the keys, then the aggregates.
// Without aggregates it is DISTINCT, which is append on append input.
type Aggregate struct {
	Props
	PassWM
	By   []int
	Aggs []AggCall
	TTL  int64 // µs; 0 = keep for ever
}

// NewAggregate returns a GROUP BY of in; fields are the output's columns.
func NewAggregate(in Node, keys []int, aggs []AggCall, fields []batch.Field) *Aggregate {
	in = drop(in)
	p := in.Base()
	n := &Aggregate{By: keys, Aggs: aggs, Props: Props{In: []Node{in}, Schema: noTime(&batch.Schema{Fields: fields}),
		Keys: [][]int{ints(len(keys))}, State: "unbounded"}}
	n.Mode = mode(p.Mode != Append || len(aggs) > 0, n.Keys)
	if len(keys) == 0 && !n.growing(p.Mode) {
		n.State = "bounded(one group)"
	}
	return n
}

// growing tells whether one group's state grows with its rows.
func (n *Aggregate) growing(m Mode) bool {
	for _, a := range n.Aggs {
		if a.Distinct || m != Append && a.Fn.Ordered() || a.Fn.Growing() {
			return true
		}
	}
	return false
}

// SetTTL sets the time to live of a group in microseconds.
func (n *Aggregate) SetTTL(ttl int64) {
	if n.TTL = ttl; n.State == "unbounded" {
		n.State = boundedTTL(ttl)
	}
}

func (n *Aggregate) Op() string {
	if len(n.Aggs) == 0 {
		return "distinct"
	}
	return "aggregate"
}

func (n *Aggregate) Detail() string      { return aggText(n.In[0].Base().Schema, n.By, n.Aggs) }
func (n *Aggregate) Place(int) Placement { return byKey(n.By) }
func (n *Aggregate) With(in []Node) Node { c := *n; c.In = in; return &c }
