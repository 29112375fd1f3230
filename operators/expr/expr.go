package expr

import (
	"time"

	"github.com/streamd/streamd/batch"
)

// Span is a place in the pipeline's text: byte offsets, To exclusive.
type Span struct{ From, To int }

// Expr is a bound, typed expression over the columns of one schema. It is
// immutable and shared by all workers; Compile makes a worker's own Prog of it.
type Expr interface {
	Type() batch.Type
	// String writes the expression as EXPLAIN shows it, columns by name. Key and
	// Equal tell expressions apart.
	String() string
	// Kids returns the operands.
	Kids() []Expr
	// With returns a copy over other operands of the same types.
	With(kids []Expr) Expr
}

// RowErr is a row whose evaluation failed.
type RowErr struct {
	Row  int32
	Code string // SD6xxx
	Msg  string // what failed, with the value: `cannot cast 'x' to INT`
	At   Span
}

// Ctx is what evaluation may see besides the batch; one a worker and operator.
type Ctx struct {
	Now  func() int64   // the step's processing time in µs
	Zone *time.Location // table.local-time-zone; nil = UTC
	Errs []RowErr       // rows that failed since the last Take

	// Bound stops an evaluation of several rows whose texts become larger than
	// 128 MiB; Full tells that it did. The results and Errs are then worth nothing:
	// the caller tries again with fewer rows.
	Bound, Full bool
}

// maxMade is where Bound stops: far above what batches hold, and small beside 2 GiB,
// which a column cannot pass.
const maxMade = 128 << 20

// full tells whether an evaluation of n rows is to stop since a column has made bytes.
func (c *Ctx) full(n, made int) bool {
	if c.Bound && n > 1 && made > maxMade {
		c.Full = true
	}
	return c.Full
}

// TypeError is a mistake in the types or number of operands. Arg is the operand
// to blame, or -1 for the whole.
type TypeError struct {
	Arg  int
	Msg  string
	Hint string
}

func (e *TypeError) Error() string { return e.Msg }
