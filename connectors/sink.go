package connectors

import (
	"context"

	"github.com/streamd/streamd/batch"
)

// Sink is a table's output within one job: a pointer, by which the engine knows
// that several INSERTs write the same table.
type Sink interface {
	Info() SinkInfo
	// Open makes the sink ready; each incarnation of the job calls it once, after
	// recovery has decided from which epoch the job goes on. Rows that an
	// incarnation before it pushed and did not get decided are forgotten: they are
	// read again.
	Open(ctx context.Context) error
	// Writer returns worker w's own instance.
	Writer(w int) (Writer, error)
	// Seal ends the rows of the running epoch; it is called between steps, when
	// no Writer is active. Rows pushed later belong to the next epoch.
	Seal() (Sealed, error)
	// Close is called when the job has ended, and may be repeated.
	Close() error
}

// SinkInfo is what the planner and the engine must know of a sink.
type SinkInfo struct {
	Identity string    // connector and topic or path: part of the pipeline's identity
	Accepts  Changelog // AppendOnly refuses updates at plan time; Retracts takes -U/+U; Upserts nets by primary key
	Decider  Decider   // non-nil: rows are part of this cluster's transaction
	Follower Follower  // non-nil: rows are delivered after the decision
	Stdout   bool      // prints; delivery is at-least-once over a crash
	Durable  bool      // false: the epoch need not wait for anybody (blackhole)
	Raw      bool      // takes a step's changes as they come, not netted and without Kinds
}

// Writer takes the rows of one worker. Push may wait for the sink's own I/O
// and for the decision of the epoch before its own, never for its own.
//
// Rows arrive as the sink's mode wants them: to an AppendOnly sink only +1; to
// an Upserts sink one row a key and step, +1 sets, -1 deletes; to a Retracts
// sink -1 (with Kinds U or D) before the +1 of the same key.
type Writer interface {
	Push(rows Changes) error
	// Room tells whether a step may begin: false = back-pressure.
	Room() bool
}

// Spacious is a Sink on a disk of this machine. Full says, between steps, why no
// rows should come: the disk is nearly full; "" = there is room.
type Spacious interface{ Full() string }

// Refuser is a Writer that may meet rows it cannot write, too large ones for
// instance. It hands them to f and goes on, or returns f's error. Without
// OnRefused it returns the row's own.
type Refuser interface {
	OnRefused(f func(Refusal) error)
}

// Refusal is a row that a sink cannot write. Its memory is valid in the call.
type Refusal struct {
	B            *batch.Batch
	Row          int // stored row of B
	Err          error
	Code         string // SD6xxx, where there is one
	Key, Value   []byte // as they were encoded, where they were
	Headers      []Header
	Bytes, Limit int // of a row that is too large
}

// Kind is a row kind as users see it.
type Kind uint8

const (
	Insert       Kind = iota // +I
	UpdateBefore             // -U
	UpdateAfter              // +U
	Delete                   // -D
)

// String returns +I, -U, +U or -D.
func (k Kind) String() string { return [...]string{"+I", "-U", "+U", "-D"}[k] }

// Changes are rows on their way out. Each live row of B goes out as often as
// the absolute value of its weight.
type Changes struct {
	B     *batch.Batch
	Kinds []Kind // by stored row of B; nil = all +I
}

// Sealed is the rows of one epoch of one sink.
type Sealed interface {
	// Rows is how many rows the epoch has at this sink.
	Rows() int64
	// Prepare makes the rows durable where a Follower finds them, or hands them
	// to the Decider's transaction. staged goes into the epoch's delta.
	Prepare(ctx context.Context, id EpochID) (staged []byte, err error)
}

// Follower delivers decided epochs, in order, to a place that takes no part in
// the decision.
type Follower interface {
	// Deliver publishes what Prepare staged. It is repeated after a crash and
	// must then do nothing for what was published before.
	Deliver(ctx context.Context, id EpochID, staged []byte) error
	// Sweep removes what incarnations before inc staged and nobody will deliver.
	Sweep(ctx context.Context, lineage [16]byte, inc int64) error
}

// Lineaged is a Sink whose names carry the lineage; the engine tells it before Open.
type Lineaged interface{ SetLineage(l [16]byte) }
