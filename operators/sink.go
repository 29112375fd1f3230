package operators

import (
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// SinkSpec is a table as a pipeline writes it.
type SinkSpec struct {
	Table          string
	Sink           connectors.Sink
	Schema         *batch.Schema // columns of the table; the input has the same types
	PrimaryKey     []int
	OnConflict     string         // "", "DEDUPLICATE", "NOTHING", "ERROR"
	NotNullDrop    bool           // NULL into NOT NULL skips the row instead of failing
	LengthEnforcer string         // "", "trim-pad", "error"
	OnError        string         // of rows that the sink refuses
	DeadLetters    []*DeadLetters // where they go under 'dead-letter'
	Span           Span
}

// SinkNode is where rows leave.
type SinkNode struct {
	Props
	PassWM
	Spec SinkSpec
	// Materialize: the sink keeps the rows of each primary key, because no key of
	// the input is part of it, and shows one of them.
	Materialize bool
}

// NewSink checks that the sink can take in's changes.
func NewSink(in Node, s SinkSpec) (*SinkNode, error) {
	p := in.Base()
	acc := s.Sink.Info().Accepts
	if acc == connectors.AppendOnly && p.Mode != Append {
		return nil, &PlanError{CodeSinkMode, "table " + s.Table + " cannot take updates, which are made by: " + Producer(in),
			"write to a table that can (upsert-kafka with a PRIMARY KEY, debezium-json, print), or aggregate by a window"}
	}
	n := &SinkNode{Spec: s, Props: Props{In: []Node{in}, Schema: s.Schema, Mode: p.Mode, Keys: p.Keys, State: "none", Span: s.Span}}
	if acc == connectors.Upserts {
		n.Materialize = !slices.ContainsFunc(p.Keys, func(k []int) bool { return subset(k, s.PrimaryKey) })
		if n.Materialize {
			n.State = "unbounded"
		}
		n.Mode, n.Keys = Upsert, [][]int{s.PrimaryKey}
	}
	return n, nil
}

func (n *SinkNode) Op() string { return "sink" }

func (n *SinkNode) Detail() string {
	if n.Materialize {
		return n.Spec.Table + " materialize by " + names(n.Schema, n.Spec.PrimaryKey)
	}
	return n.Spec.Table
}

// Place brings the rows of a primary key together for a sink that nets by it.
func (n *SinkNode) Place(int) Placement {
	if n.Spec.Sink.Info().Accepts == connectors.Upserts {
		return byKey(n.Spec.PrimaryKey)
	}
	return Placement{}
}

func (n *SinkNode) With(in []Node) Node { c := *n; c.In = in; return &c }
