package expr

import (
	"github.com/streamd/streamd/batch"
)

// Func is a scalar function: an entry of package funcs, which registers it in
// the file that implements it.
type Func struct {
	Name     string // in upper case
	Aliases  []string
	Category string // strings, numbers, times, conditions, collections, JSON, hashes
	Syntax   string // SUBSTRING(s, from[, length])
	Doc      string // one or two sentences
	Example  string // a call: SUBSTRING('stream', 2, 3)
	Result   string // what the example gives, as text
	Volatile bool   // not a function of its operands: clock, randomness
	// Bind checks the operands and chooses the kernel. Its *TypeError names the
	// operand to blame.
	Bind func(args []Expr) (*Bound, error)
}

// Bound is a call whose types are known. Either Expr or New is set.
type Bound struct {
	Expr  Expr   // the call is this expression
	Args  []Expr // operands of the kernel, converted to what it takes
	Type  batch.Type
	Fails bool // may report row errors
	Zoned bool // depends on the session's time zone
	Fixed bool // a function of its operands although Func.Volatile
	// Lax calls the kernel for rows with NULL operands too. Otherwise such rows
	// give NULL and the kernel never sees them.
	Lax  bool
	Show func(args []string) string // for EXPLAIN; nil = NAME(args)
	// New makes one worker's kernel. It must not hold on to values of Args:
	// operands may be exchanged for others of the same types.
	New func() Kernel
}

// Kernel computes one call for the rows c.Sel.
type Kernel func(c *Call)

// Call is one evaluation of a function over a batch.
type Call struct {
	Ctx  *Ctx
	N    int          // rows stored
	Sel  []int32      // the rows to compute, increasing; never nil
	Args []*batch.Vec // N rows each
	Out  *batch.Vec   // N rows, none null (Str: all empty); lists: all empty, see List
	at   Span
}

// Null makes row i of the result NULL.
func (c *Call) Null(i int32) { c.Out.SetNull(int(i), c.N) }

// Fail reports that row i cannot be computed. The row leaves the selection.
func (c *Call) Fail(i int32, code, msg string) {
	c.Ctx.Errs = append(c.Ctx.Errs, RowErr{i, code, msg, c.at})
}

// NewCall binds a call of f.
func NewCall(f *Func, args []Expr, at Span) (Expr, error) {
	b, err := f.Bind(args)
	if err != nil {
		return nil, err
	}
	made := b.Args
	if b.Expr != nil {
		made = []Expr{b.Expr}
	}
	for _, e := range made {
		var stray *Sym
		Walk(e, func(e Expr) bool {
			if s, ok := e.(*Sym); ok {
				stray = s
			}
			return stray == nil
		})
		if stray != nil {
			return nil, &TypeError{-1, f.Name + " does not take the word " + stray.Word + " there", "write " + f.Syntax}
		}
	}
	if b.Expr != nil {
		return At(b.Expr, at), nil
	}
	return &node{op: opFunc, kids: b.Args, t: b.Type, at: at, fn: f, b: b}, nil
}

// Copy makes row i of the result equal to row i of operand arg, which has the
// result's type.
func (c *Call) Copy(i int32, arg int) {
	one := [1]int32{i}
	scatter(c.Out, c.Args[arg], one[:], c.N)
}

// CopyFrom makes row i of the result equal to row j of v, which has the result's
// type.
func (c *Call) CopyFrom(i int32, v *batch.Vec, j int) { putRow(c.Out, int(i), v, j, c.N) }

// Full tells whether to stop: the texts made so far are large, and the caller will
// try again with fewer rows.
func (c *Call) Full() bool { return c.Ctx.full(len(c.Sel), len(c.Out.Data)) }

// List ends row i of an ARRAY or MAP result whose elements, from position from
// on, have been appended to the children of Out.
func (c *Call) List(i int32, from int) {
	c.Out.View[i] = batch.View(from, c.Out.Child[0].Len()-from)
}
