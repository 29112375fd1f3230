package operators

import (
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// WM is a watermark in microseconds, exclusive: no row with time < WM is
// expected. Flink's watermark x (inclusive, milliseconds) is x + 1 ms here.
type WM int64

const (
	WMStart WM = -1 << 63  // before the first watermark
	WMEnd   WM = 1<<63 - 1 // all inputs have ended
)

// Mode says what deltas a stream may hold.
type Mode uint8

const (
	Append  Mode = iota // only +1, never taken back
	Upsert              // at most one live row a key at the end of a step
	Retract             // anything
)

func (m Mode) String() string { return [...]string{"append", "upsert", "retract"}[m] }

// Placement is how the rows of an input must be spread over workers.
type Placement struct {
	Kind PlaceKind
	Keys []int // of ByKey: columns of the input
}

// PlaceKind is a kind of placement.
type PlaceKind uint8

const (
	Stay PlaceKind = iota // wherever the rows are
	ByKey
	One       // worker 0
	Broadcast // every worker gets every row
)

// Span is a place in the pipeline's text: byte offsets, To exclusive.
type Span = expr.Span

// Node is one operator in a plan: immutable once built, shared by all workers.
// Concrete nodes embed Base.
type Node interface {
	Base() *Props
	// Op is the operator's name as EXPLAIN shows it: "join inner".
	Op() string
	// Detail is the rest of EXPLAIN's line: "on a.k = b.k".
	Detail() string
	// Place says how input i must be spread over workers before it gets here.
	Place(i int) Placement
	// OutWM is this node's watermark given its inputs'.
	OutWM(in []WM) WM
	// New returns a worker's own instance.
	New(env *Env) (Operator, error)
	// With returns a copy of the node over other inputs of the same schemas.
	With(in []Node) Node
}

// Props are what every node has.
type Props struct {
	In     []Node
	Schema *batch.Schema
	Mode   Mode
	Keys   [][]int // candidate upsert keys: columns that identify a row; Keys[0] is shown; nil = none known
	Ident  string  // identity of the sub-plan for state, of the bound logical plan; set by SetIdent
	Span   Span    // the construct in the text
	State  string  // EXPLAIN: "none", "bounded(why)", "unbounded"
	UsesWM bool    // looks at the watermark: windows, time-ordered operators
}

// Base returns p itself, so that embedding Props gives Node.Base.
func (p *Props) Base() *Props { return p }

// Stays is the Place of operators that take rows where they are. Embed it.
type Stays struct{}

// Place returns Stay.
func (Stays) Place(int) Placement { return Placement{} }

// PassWM is the OutWM of operators that do not hold time back. Embed it.
type PassWM struct{}

// OutWM returns the least of the inputs' watermarks.
func (PassWM) OutWM(in []WM) WM {
	w := WMEnd
	for _, x := range in {
		w = min(w, x)
	}
	return w
}

// Operator is one worker's running instance of a Node. The worker calls it from
// one goroutine; it must not block, start goroutines, or read the clock.
type Operator interface {
	// Push consumes one delta on input in. It may emit at once, in batches of at
	// most batch.Chunk rows; it never collects its whole output.
	Push(in int, b *batch.Batch, out Emit) error
	// EndStep follows the last Push of a step on every input. What depends on all
	// rows of the step, or on time passing, is emitted here. wm[i] is input i's
	// watermark after this step.
	EndStep(wm []WM, out Emit) error
}

// Emit hands a batch downstream and returns when downstream has taken it, so
// the caller may reuse the memory. The caller returns its error unchanged.
type Emit func(*batch.Batch) error

// Timed is an Operator that has something to do at a processing time even when
// no row arrives: Due returns the earliest such time (µs), or math.MaxInt64.
type Timed interface{ Due() int64 }

// OpenGroups is an Operator that holds groups a stop without drain leaves
// unemitted.
type OpenGroups interface{ Open() int64 }

// Reject is a set of rows that cannot go on.
type Reject struct {
	Reason Reason
	B      *batch.Batch
	Rows   []expr.RowErr // stored rows of B, with the code and the place in the text
	In     int           // the input that B came by
	Made   bool          // B holds rows the operator made of several (sums, pairs), not an input's
	Used   bool          // the rows go on all the same: they are counted only
}

// Reason says why rows were taken out.
type Reason uint8

const (
	Late          Reason = iota // behind the watermark: goes by the table's 'late' policy
	Failed                      // an expression failed: goes by 'on-error'
	Enforced                    // NULL into NOT NULL, dropped by the not-null-enforcer
	BadRetraction               // a count fell below zero: counted
	Undecodable                 // a record that could not be read
	Refused                     // by a sink: too large
)

func (r Reason) String() string {
	return [...]string{"late", "failed", "not-null", "bad-retraction", "undecodable", "refused"}[r]
}

// Env is everything an operator may touch besides its input.
type Env struct {
	Worker, Workers int
	Now             func() int64    // the step's processing time in µs; constant in a step
	Prev            func(in int) WM // input in's watermark after the last step: lateness is judged by it
	Zone            *time.Location  // table.local-time-zone
	// Reject counts rows that cannot go on and sends them to their source's
	// policy. An error (policy fail) is returned by the operator unchanged.
	Reject func(Reject) error
	// Refused takes a row that a sink cannot write; an error is the sink's.
	Refused func(connectors.Refusal) error
	// State holds the worker's tables; an operator makes its own in New, with its
	// node's Ident as Spec.Op.
	State *state.Worker
}

// Expr returns a context for evaluating expressions under e.
func (e *Env) Expr() *expr.Ctx { return &expr.Ctx{Now: e.Now, Zone: e.Zone} }
