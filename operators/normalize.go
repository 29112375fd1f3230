package operators

import (
	"slices"
)

// Normalize turns an upsert stream, where +1 sets the row of its key and -1
// deletes it, into a changelog with full old rows. State: T{pk -> row}.
type Normalize struct {
	Props
	PassWM
	PK  []int
	TTL int64
}

// NewNormalize returns the changelog of in by the primary key pk.
func NewNormalize(in Node, pk []int) *Normalize {
	in = drop(in)
	return &Normalize{PK: pk, Props: Props{In: []Node{in}, Schema: in.Base().Schema, Mode: Upsert,
		Keys: [][]int{slices.Clone(pk)}, State: "unbounded"}}
}

// SetTTL sets the time to live of state in microseconds.
func (n *Normalize) SetTTL(ttl int64) { n.TTL, n.State = ttl, boundedTTL(ttl) }

func (n *Normalize) Op() string          { return "normalize" }
func (n *Normalize) Detail() string      { return "by " + names(n.Schema, n.PK) }
func (n *Normalize) Place(int) Placement { return byKey(n.PK) }

func (n *Normalize) With(in []Node) Node { c := *n; c.In = in; return &c }
