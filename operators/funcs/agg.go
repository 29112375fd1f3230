package funcs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// AggFunc is an aggregate function by name.
type AggFunc struct {
	Name    string
	Aliases []string
	Syntax  string // LISTAGG(s[, separator])
	Doc     string
	Example string // a call and the values it is of: SUM(x) of 1, NULL, 2
	Result  string // what the example gives, as text
	// Nulls tells that IGNORE NULLS may be said of the function.
	Nulls bool
	// Bind fixes the function to argument types. An error is an *expr.TypeError.
	Bind func(args []batch.Type, distinct bool) (*Agg, error)
}

// Agg is an aggregate function bound to the types of its arguments. It is
// immutable and shared by all workers; what it accumulates stands in the value
// columns of a state table, one accumulator a row.
type Agg struct {
	Name  string
	Out   batch.Type
	State []batch.Field // the columns of an accumulator; all zero = nothing added yet
	// Extreme is set for MIN and MAX: where rows can be taken back, the operator
	// keeps all values in order and writes the extreme with Put.
	Extreme Extreme
	// Keep is set for functions of which values, in what order: where rows can be
	// taken back, the operator keeps them all.
	Keep Keep
	// Arrival tells that Update wants one argument more: by batch row the number of
	// its arrival, greater than that of every row before it in the group's shard.
	Arrival bool
	Nulls   bool   // NULL is a value like others; elsewhere it is skipped
	Ignore  bool   // IGNORE NULLS was said
	Param   string // a constant that is part of the function, as the separator of LISTAGG
	Params  int    // how many last arguments have to be constants and make Param: see WithParam
	k       kernel
}

// Keep says which of a group's values make the result of an aggregate.
type Keep uint8

const (
	KeepNone  Keep = iota // it is no function of single values
	KeepFirst             // the oldest, written with Put
	KeepLast              // the newest, written with Put
	KeepAll               // all in order of arrival, see Listed
	KeepBag               // all, and how often there is each, see Listed
)

// IgnoreNulls returns the function that skips NULL.
func (a *Agg) IgnoreNulls() *Agg {
	b := *a
	l := b.k.(list)
	l.nulls = false
	b.Nulls, b.Ignore, b.k = false, true, l
	return &b
}

// WithParam returns the function with its constant argument.
func (a *Agg) WithParam(p string) *Agg {
	b := *a
	b.Param, b.Params = p, 0
	l := b.k.(list)
	l.sep = p
	b.k = l
	return &b
}

// Extreme says which end of the order an aggregate wants.
type Extreme uint8

const (
	NoExtreme Extreme = iota
	Smallest
	Largest
)

// kernel is the code of an aggregate. at is the first of its columns in the
// pages' Cols; ids[i] is the accumulator of batch row i.
type kernel interface {
	update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32)
	merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID)
	result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail)
}

// Fail is told that the k-th result is out of range; a NULL stands in its place.
type Fail func(k int, msg string)

// Update adds rows sel of args, weighted by w (by batch row; nil = +1), to the
// accumulators ids (by batch row).
func (a *Agg) Update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	a.k.update(p, at, ids, args, w, sel)
}

// Merge adds the accumulators sids of src to dids of dst, pairwise.
func (a *Agg) Merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	a.k.merge(dst, dat, dids, src, sat, sids)
}

// Result appends the value of each accumulator to out.
func (a *Agg) Result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	a.k.result(p, at, ids, out, fail)
}

// Ordered tells that taking rows back needs all values of a group in order.
func (a *Agg) Ordered() bool { return a.Extreme != NoExtreme || a.Keep != KeepNone }

// Growing tells that a group's state grows with its rows.
func (a *Agg) Growing() bool { return a.Keep == KeepAll || a.Keep == KeepBag }

var aggs = map[string]AggFunc{}

func registerAgg(f AggFunc) {
	for _, n := range append([]string{f.Name}, f.Aliases...) {
		if _, dup := aggs[n]; dup {
			panic("BUG: aggregate " + n + " registered twice")
		}
		aggs[n] = f
	}
}

// LookupAgg finds an aggregate function; case does not matter.
func LookupAgg(name string) (AggFunc, bool) {
	f, ok := aggs[strings.ToUpper(name)]
	return f, ok
}

// oneArg checks that there is one argument and that ok holds for it.
func oneArg(name string, args []batch.Type, ok func(batch.Type) bool, want string) error {
	if len(args) != 1 {
		return &expr.TypeError{Arg: -1, Msg: name + " takes one argument"}
	}
	if !ok(args[0]) {
		return &expr.TypeError{Arg: 0, Msg: name + " takes " + want + ", not " + args[0].String()}
	}
	return nil
}

func isNum(t batch.Type) bool { return t.IsNumeric() || t.SQL == batch.Null }

var (
	bigint        = batch.TypeBigInt.With(true)
	wide          = batch.Type{SQL: batch.Decimal, P: 38, NotNull: true}
	notNullDouble = batch.TypeDouble.With(true)
)

// AllAggs returns every aggregate function once, by name.
func AllAggs() []AggFunc {
	var all []AggFunc
	for n, f := range aggs {
		if n == f.Name {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b AggFunc) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
