package operators

import (
	"github.com/streamd/streamd/batch"
)

// Dedup keeps one row a key: the first or the last by a time attribute.
//
// Keep first on event time is append: the candidate is emitted when the
// watermark has passed it. Keep last is Upsert(key).
type Dedup struct {
	Props
	PassWM
	Part []int
	Col  int
	Last bool
	Proc bool
	TTL  int64
}

// NewDedup returns ROW_NUMBER() OVER (PARTITION BY part ORDER BY timeCol) = 1,
// DESC if last. On updating input it is a top-1.
func NewDedup(in Node, part []int, timeCol int, last bool) Node {
	p := in.Base()
	if p.Mode != Append {
		return NewTopN(in, part, []OrderKey{{Col: timeCol, Desc: last}}, 1, 1, false, "")
	}
	n := &Dedup{Part: part, Col: timeCol, Last: last, Proc: p.Schema.Fields[timeCol].Time == batch.Proctime}
	if last || n.Proc {
		in = drop(in)
	}
	n.Props = Props{In: []Node{in}, Schema: in.Base().Schema.Pick(ints(visible(in.Base().Schema))), Keys: [][]int{append([]int{}, part...)}, State: "unbounded",
		UsesWM: !n.Proc && !last}
	n.Mode = mode(last, n.Keys)
	return n
}

// SetTTL sets the time to live of a key in microseconds.
func (n *Dedup) SetTTL(ttl int64) { n.TTL, n.State = ttl, boundedTTL(ttl) }

func (n *Dedup) Op() string {
	if n.Last {
		return "dedup keep last"
	}
	return "dedup keep first"
}

func (n *Dedup) Detail() string {
	s := n.In[0].Base().Schema
	d := "order " + s.Fields[n.Col].Name
	if len(n.Part) > 0 {
		return "by " + names(s, n.Part) + " " + d
	}
	return d
}

func (n *Dedup) Place(int) Placement { return byKey(n.Part) }
func (n *Dedup) With(in []Node) Node { c := *n; c.In = in; return &c }
