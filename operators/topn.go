package operators

import (
	"fmt"

	"github.com/streamd/streamd/batch"
)

// OrderKey is one column of ORDER BY. NULL is the smallest value unless
// NullsLast says otherwise.
type OrderKey struct {
	Col       int
	Desc      bool
	NullsLast *bool
}

func (o OrderKey) text(s *batch.Schema) string {
	t := s.Fields[o.Col].Name
	if o.Desc {
		t += " DESC"
	}
	if o.NullsLast != nil {
		t += map[bool]string{true: " NULLS LAST", false: " NULLS FIRST"}[*o.NullsLast]
	}
	return t
}

// TopN keeps the rows whose ROW_NUMBER within their partition is in From…To.
//
// A window top-N has its window's end in the partition: it emits a window when the
// watermark has passed it, once, and takes no updates.
type TopN struct {
	Props
	PassWM
	Part     []int
	Order    []OrderKey
	From, To int64 // 1-based, inclusive
	Rank     bool  // the rank is the last output column
	TTL      int64

	End    int  // input column of the window's end, -1 for none
	Newest bool // of rows that are equal in the order the later arrival goes first
}

// NewTopN returns the rows of rank from … to. With rank, the output has one more
// column, rankName BIGINT NOT NULL.
func NewTopN(in Node, part []int, order []OrderKey, from, to int64, rank bool, rankName string) *TopN {
	in = drop(in)
	p := in.Base()
	n := &TopN{Part: part, Order: order, From: from, To: to, Rank: rank, End: -1}
	n.Props = Props{In: []Node{in}, Schema: p.Schema, State: "unbounded"}
	if rank {
		f := append([]batch.Field(nil), p.Schema.Fields...)
		n.Schema = &batch.Schema{Fields: append(f, batch.Field{Name: rankName, Type: batch.TypeBigInt.With(true)})}
		n.Keys = addKey(n.Keys, append(append([]int(nil), part...), len(f)))
	}
	if from == to {
		n.Keys = addKey(n.Keys, part)
	}
	if !rank || from == to {
		for _, k := range p.Keys {
			n.Keys = addKey(n.Keys, k)
		}
	}
	limit := len(part) == 0 && len(order) == 0 && p.Mode == Append && !rank
	n.Mode = mode(!limit, n.Keys)
	if len(part) == 0 && p.Mode == Append {
		n.State = fmt.Sprintf("bounded(%d rows)", to)
	}
	return n
}

// NewWindowTopN is NewTopN whose partition has the start and, in column end, the end
// of a window. Newest is for the last row by time: of equal times the later arrival.
func NewWindowTopN(in Node, part []int, order []OrderKey, from, to int64, rank bool, rankName string, end int, newest bool) (*TopN, error) {
	if err := refuseUpdates("a window top-N", in); err != nil {
		return nil, err
	}
	n := NewTopN(in, part, order, from, to, rank, rankName)
	n.In[0] = in // with its hidden columns: they tell late rows
	n.End, n.Newest = end, newest
	n.Mode, n.State, n.UsesWM = Append, "bounded(watermark)", true
	return n, nil
}

// SetTTL sets the time to live of a row in microseconds.
func (n *TopN) SetTTL(ttl int64) {
	if n.TTL = ttl; n.State == "unbounded" {
		n.State = boundedTTL(ttl)
	}
}

func (n *TopN) Op() string {
	if len(n.Order) == 0 && len(n.Part) == 0 {
		return "limit"
	}
	if n.End >= 0 {
		return "window top-n"
	}
	return "top-n"
}

func (n *TopN) Detail() string {
	s := n.In[0].Base().Schema
	t := fmt.Sprintf("rows %d to %d", n.From, n.To)
	if len(n.Part) > 0 {
		t += " by " + names(s, n.Part)
	}
	for i, o := range n.Order {
		t += map[bool]string{true: " order ", false: ", "}[i == 0] + o.text(s)
	}
	return t
}

func (n *TopN) Place(int) Placement { return byKey(n.Part) }
func (n *TopN) With(in []Node) Node { c := *n; c.In = in; return &c }
