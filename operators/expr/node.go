package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/streamd/streamd/batch"
)

// op names what a node does; its kernel is chosen from it at Compile.
type op uint8

const (
	opArith     op = iota // sub: + - * / %
	opNeg                 // -x
	opCompare             // sub: = <> < <= > >=
	opAnd                 // kids left to right
	opOr                  //
	opNot                 //
	opIsNull              // not
	opIsTrue              // sub: TRUE FALSE UNKNOWN; not
	opDistinct            // IS DISTINCT FROM; not
	opCase                // when, then, …, else
	opCoalesce            //
	opCast                // flag: TRY_CAST
	opLike                // x, pattern[, escape]; not
	opSimilar             // x, pattern[, escape]; not
	opIn                  // x, value…; not
	opConcat              // a || b
	opItem                // collection, index or key
	opField               // row; n: field
	opMakeRow             //
	opMakeArray           //
	opMakeMap             // key, value, …
	opTimeZone            // AT TIME ZONE: x, zone
	opTimeAdd             // time, interval; flag: minus
	opFunc                // fn, b
)

// node is every expression but columns, constants and symbols.
type node struct {
	op   op
	kids []Expr
	t    batch.Type
	at   Span
	sub  string
	not  bool
	flag bool
	n    int
	fn   *Func
	b    *Bound
}

func (x *node) Type() batch.Type { return x.t }
func (x *node) Kids() []Expr     { return x.kids }

func (x *node) With(kids []Expr) Expr {
	if len(kids) != len(x.kids) {
		panic("BUG: With of another number of operands")
	}
	y := *x
	y.kids = kids
	return &y
}

func (x *node) String() string { return x.text(Expr.String) }

// text writes the node with its operands as show gives them.
func (x *node) text(show func(Expr) string) string {
	s := make([]string, len(x.kids))
	for i, k := range x.kids {
		s[i] = show(k)
	}
	not := ""
	if x.not {
		not = "NOT "
	}
	switch x.op {
	case opArith, opCompare:
		return "(" + s[0] + " " + x.sub + " " + s[1] + ")"
	case opTimeAdd:
		if x.flag {
			return "(" + s[0] + " - " + s[1] + ")"
		}
		return "(" + s[0] + " + " + s[1] + ")"
	case opNeg:
		return "-" + s[0]
	case opAnd:
		return "(" + strings.Join(s, " AND ") + ")"
	case opOr:
		return "(" + strings.Join(s, " OR ") + ")"
	case opNot:
		return "NOT " + s[0]
	case opIsNull:
		return s[0] + " IS " + not + "NULL"
	case opIsTrue:
		return s[0] + " IS " + not + x.sub
	case opDistinct:
		return s[0] + " IS " + not + "DISTINCT FROM " + s[1]
	case opCase:
		var b strings.Builder
		b.WriteString("CASE")
		for i := 0; i+1 < len(s); i += 2 {
			b.WriteString(" WHEN " + s[i] + " THEN " + s[i+1])
		}
		return b.String() + " ELSE " + s[len(s)-1] + " END"
	case opCast:
		name := "CAST("
		if x.flag {
			name = "TRY_CAST("
		}
		return name + s[0] + " AS " + x.t.With(false).String() + ")"
	case opLike, opSimilar:
		word := "LIKE "
		if x.op == opSimilar {
			word = "SIMILAR TO "
		}
		b := s[0] + " " + not + word + s[1]
		if len(s) > 2 {
			b += " ESCAPE " + s[2]
		}
		return b
	case opIn:
		return s[0] + " " + not + "IN (" + strings.Join(s[1:], ", ") + ")"
	case opConcat:
		return "(" + s[0] + " || " + s[1] + ")"
	case opItem:
		return s[0] + "[" + s[1] + "]"
	case opField:
		return s[0] + "." + x.sub
	case opTimeZone:
		return s[0] + " AT TIME ZONE " + s[1]
	case opMakeArray:
		return "ARRAY[" + strings.Join(s, ", ") + "]"
	case opMakeMap:
		return "MAP[" + strings.Join(s, ", ") + "]"
	case opFunc:
		if x.b.Show != nil {
			return x.b.Show(s)
		}
		return x.fn.Name + "(" + strings.Join(s, ", ") + ")"
	}
	name := map[op]string{opCoalesce: "COALESCE", opMakeRow: "ROW"}[x.op]
	return name + "(" + strings.Join(s, ", ") + ")"
}

// Key writes an expression so that two expressions over one schema have the
// same key exactly when they are equal: columns by number, casts with types.
// State identities are made of it; spans and column names are not in it.
func Key(e Expr) string {
	switch e := e.(type) {
	case *Col:
		return "$" + strconv.Itoa(e.Index)
	case *node:
		return e.text(Key)
	}
	return e.String() + ":" + e.Type().String()
}

// Equal tells whether two expressions over one schema compute the same value.
func Equal(a, b Expr) bool { return a.Type().Equal(b.Type()) && Key(a) == Key(b) }

// Walk calls f for e and everything below it, operators before operands; it
// does not go below an expression for which f returns false.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, k := range e.Kids() {
		Walk(k, f)
	}
}

// Transform rebuilds e bottom up: f gets every expression after its operands
// have been replaced and returns what stands in its place.
func Transform(e Expr, f func(Expr) Expr) Expr {
	kids := e.Kids()
	var fresh []Expr
	for i, k := range kids {
		n := Transform(k, f)
		if n != k && fresh == nil {
			fresh = slices.Clone(kids)
		}
		if fresh != nil {
			fresh[i] = n
		}
	}
	if fresh != nil {
		e = e.With(fresh)
	}
	return f(e)
}

// Cols returns the columns that the expressions use, sorted, each once.
func Cols(es ...Expr) []int {
	var c []int
	for _, e := range es {
		Walk(e, func(e Expr) bool {
			if x, ok := e.(*Col); ok {
				c = append(c, x.Index)
			}
			return true
		})
	}
	slices.Sort(c)
	return slices.Compact(c)
}

// Remap returns e with column i replaced by column m[i]. A used column must be
// in m with m[i] >= 0.
func Remap(e Expr, m []int) Expr {
	return Transform(e, func(e Expr) Expr {
		x, ok := e.(*Col)
		if !ok || m[x.Index] == x.Index {
			return e
		}
		if m[x.Index] < 0 {
			panic("BUG: Remap of a column that is gone: " + x.Name)
		}
		y := *x
		y.Index = m[x.Index]
		return &y
	})
}

// Inline returns e with column i replaced by with[i].
func Inline(e Expr, with []Expr) Expr {
	return Transform(e, func(e Expr) Expr {
		if x, ok := e.(*Col); ok {
			return with[x.Index]
		}
		return e
	})
}

// At returns e with the place in the text that its row errors name. Operands
// that have a place keep it; those that have none get this one.
func At(e Expr, at Span) Expr {
	x, ok := e.(*node)
	if !ok || x.at != (Span{}) {
		return e
	}
	y := *x
	y.at = at
	y.kids = slices.Clone(x.kids)
	for i, k := range y.kids {
		y.kids[i] = At(k, at)
	}
	return &y
}

// SpanOf returns the place that At attached, or the zero Span.
func SpanOf(e Expr) Span {
	if x, ok := e.(*node); ok {
		return x.at
	}
	return Span{}
}

// IsConst tells whether e uses no column and gives the same value always.
func IsConst(e Expr) bool { return len(Cols(e)) == 0 && Deterministic(e) }

// Deterministic tells whether e is a function of the row: no RAND, UUID, clock.
func Deterministic(e Expr) bool {
	ok := true
	Walk(e, func(e Expr) bool {
		if x, is := e.(*node); is && x.op == opFunc && x.fn.Volatile && !x.b.Fixed {
			ok = false
		}
		return ok
	})
	return ok
}

// CanFail tells whether some row could make e fail. Such an expression must
// not be moved across a filter, join or CASE.
func CanFail(e Expr) bool {
	fails := false
	Walk(e, func(e Expr) bool {
		if x, ok := e.(*node); ok && x.fails() {
			fails = true
		}
		return !fails
	})
	return fails
}

// fails tells whether the node itself, not its operands, may fail.
func (x *node) fails() bool {
	switch x.op {
	case opArith:
		return !x.t.IsFloat() && (x.t.SQL != batch.Decimal || x.sub == "/" || x.sub == "%")
	case opNeg:
		return x.t.IsInteger()
	case opTimeAdd, opSimilar, opTimeZone:
		return true
	case opLike:
		return len(x.kids) > 2
	case opCast:
		return !x.flag && castFails(x.kids[0].Type(), x.t)
	case opFunc:
		return x.b.Fails
	}
	return false
}

// FieldOf tells whether e is a field of a ROW, its only operand, and which one.
func FieldOf(e Expr) (int, bool) {
	if x, ok := e.(*node); ok && x.op == opField {
		return x.n, true
	}
	return 0, false
}
