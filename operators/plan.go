package operators

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
)

// Codes of what a plan or a row can be refused for in this package.
const (
	CodeUpdates   = "SD4010" // an operator that cannot take updates has an updating input
	CodeSinkMode  = "SD4011" // a sink that cannot take updates has an updating input
	CodeNotTime   = "SD4012" // a window on a column that is no time attribute
	CodeNotYet    = "SD4013" // known, but not supported yet
	CodeNullTime  = "SD6021" // NULL in a time attribute
	CodeSumRange  = "SD6022" // the result of an aggregate does not fit its type
	CodeNotNull   = "SD6023" // NULL into a NOT NULL column of a sink
	CodeTooLong   = "SD6024" // a string longer than its column
	CodeDuplicate = "SD6025" // two rows of one primary key under ON CONFLICT DO ERROR
	CodeLate      = "SD6026" // a row behind the watermark
)

// PlanError is a plan that cannot run.
type PlanError struct {
	Code string // SD4xxx
	Msg  string
	Hint string // a way out; may be empty
}

func (e *PlanError) Error() string { return e.Msg }

// Visit calls enter for n and for the nodes that it reads, directly or not, each
// once, readers first and inputs in order; it goes below a node where enter returns
// true. A plan is a graph whose nodes share inputs: walked as a tree, a view that
// names another twice, and so on, has 2^n paths.
func Visit(n Node, enter func(Node) bool) {
	seen := map[Node]bool{}
	var walk func(Node)
	walk = func(n Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if !enter(n) {
			return
		}
		for _, in := range n.Base().In {
			walk(in)
		}
	}
	walk(n)
}

// Producer names the operator that makes the updates of n's output, for
// messages; n's Mode is not Append.
func Producer(n Node) string {
	switch n.(type) {
	case *Filter, *Project, *UnionAll, *WindowAssign, *Unnest:
		for _, in := range n.Base().In {
			if in.Base().Mode != Append {
				return Producer(in)
			}
		}
	}
	return strings.TrimSpace(n.Op() + " " + n.Detail())
}

func refuseUpdates(what string, in ...Node) error {
	for _, n := range in {
		if n.Base().Mode != Append {
			return &PlanError{CodeUpdates,
				fmt.Sprintf("%s cannot take updates, which are made by: %s", what, Producer(n)),
				"put it before the operator that makes updates, or aggregate by a window there"}
		}
	}
	return nil
}

// mode returns the mode of a stream with these keys whose rows may be taken back.
func mode(updates bool, keys [][]int) Mode {
	switch {
	case !updates:
		return Append
	case len(keys) > 0:
		return Upsert
	}
	return Retract
}

// visible returns how many columns of s are not hidden; hidden ones stand last.
func visible(s *batch.Schema) int {
	n := len(s.Fields)
	for n > 0 && s.Fields[n-1].Hidden() {
		n--
	}
	return n
}

// shown returns the columns of n that are not hidden.
func shown(n Node) *batch.Schema {
	s := n.Base().Schema
	return s.Pick(ints(visible(s)))
}

// drop wraps a node whose hidden columns end here.
func drop(n Node) Node {
	s := n.Base().Schema
	v := visible(s)
	if v == len(s.Fields) {
		return n
	}
	return newPick(n, ints(v))
}

// ints returns 0 … n-1.
func ints(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// addKey adds a candidate key unless it, or a part of it, is known.
func addKey(keys [][]int, k []int) [][]int {
	for _, old := range keys {
		if subset(old, k) {
			return keys
		}
	}
	return append(keys, slices.Clone(k))
}

func subset(a, b []int) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// shift returns a moved up by n.
func shift(a []int, n int) []int {
	b := make([]int, len(a))
	for i, x := range a {
		b[i] = x + n
	}
	return b
}

// names lists columns of s for EXPLAIN.
func names(s *batch.Schema, cols []int) string {
	n := make([]string, len(cols))
	for i, c := range cols {
		n[i] = s.Fields[c].Name
	}
	return strings.Join(n, ", ")
}

// byKey places rows by columns, or all on one worker when there are none.
func byKey(keys []int) Placement {
	if len(keys) == 0 {
		return Placement{Kind: One}
	}
	return Placement{Kind: ByKey, Keys: keys}
}

// bounded is the State text of what a time to live bounds.
func boundedTTL(ttl ...int64) string {
	for _, t := range ttl {
		if t <= 0 {
			return "unbounded"
		}
	}
	return "bounded(ttl)"
}

// noTime returns s without time attributes.
func noTime(s *batch.Schema) *batch.Schema {
	f := slices.Clone(s.Fields)
	for i := range f {
		f[i].Time = batch.NoTime
	}
	return &batch.Schema{Fields: f}
}
