package expr

import (
	"fmt"
	"slices"

	"github.com/streamd/streamd/batch"
)

func noOperator(op string, a, b batch.Type, hint string) error {
	return &TypeError{-1, fmt.Sprintf("cannot apply '%s' to %s and %s", op, a.With(false), b.With(false)), hint}
}

func isInterval(t batch.Type) bool { return t.SQL == batch.IntervalDay || t.SQL == batch.IntervalMonth }
func isTime(t batch.Type) bool {
	return t.SQL == batch.Date || t.SQL == batch.Time || t.IsTimestamp()
}

// Arith is a op b, op one of + - * / %, on numbers, and + - on times and
// intervals. Result types are Flink's.
func Arith(op string, a, b Expr) (Expr, error) {
	ta, tb := a.Type(), b.Type()
	nn := ta.NotNull && tb.NotNull
	switch {
	case isTime(ta) && isInterval(tb) && (op == "+" || op == "-"):
		return timeAdd(a, b, op == "-")
	case isInterval(ta) && isTime(tb) && op == "+":
		return timeAdd(b, a, false)
	case isTime(ta) && isTime(tb) && op == "-":
		return nil, noOperator(op, ta, tb, "use TIMESTAMPDIFF(unit, from, to)")
	case isInterval(ta) && ta.SQL == tb.SQL && (op == "+" || op == "-"):
		return &node{op: opArith, sub: op, kids: []Expr{a, b}, t: ta.With(nn)}, nil
	case isInterval(ta) && tb.IsInteger() && (op == "*" || op == "/"):
		return &node{op: opArith, sub: op, kids: []Expr{a, b}, t: ta.With(nn)}, nil
	case ta.IsInteger() && isInterval(tb) && op == "*":
		return &node{op: opArith, sub: op, kids: []Expr{b, a}, t: tb.With(nn)}, nil
	case ta.SQL == batch.Null && tb.IsNumeric():
		return NullOf(tb), nil
	case tb.SQL == batch.Null && (ta.IsNumeric() || ta.SQL == batch.Null):
		return NullOf(ta), nil
	case ta.IsString() && tb.IsString() && op == "+":
		return nil, noOperator(op, ta, tb, "strings are joined by ||")
	case ta.SQL >= batch.Date && ta.SQL <= batch.TimestampLTZ && tb.IsNumeric() && (op == "+" || op == "-"):
		return nil, noOperator(op, ta, tb, "a length of time is an interval: INTERVAL '5' SECOND")
	case ta.IsString() && tb.IsNumeric() || ta.IsNumeric() && tb.IsString():
		return nil, noOperator(op, ta, tb, "a string becomes a number by CAST(x AS INT), or TRY_CAST; strings are joined by ||")
	case !ta.IsNumeric() || !tb.IsNumeric():
		return nil, noOperator(op, ta, tb, "")
	}
	if !slices.Contains([]string{"+", "-", "*", "/", "%"}, op) {
		panic("BUG: no such operator: " + op)
	}
	n := &node{op: opArith, sub: op}
	c := commonNumber(ta, tb)
	if c.SQL == batch.Decimal {
		if ta.SQL != batch.Decimal {
			a = cast(a, asDecimal(ta))
		}
		if tb.SQL != batch.Decimal {
			b = cast(b, asDecimal(tb))
		}
		n.t = decimalResult(op, asDecimal(ta), asDecimal(tb)).With(nn)
	} else {
		a, b = cast(a, c), cast(b, c)
		n.t = c.With(nn)
		if op == "%" && c.IsInteger() {
			n.t.SQL = tb.SQL // the remainder is smaller than the divisor
		}
	}
	n.kids = []Expr{a, b}
	return n, nil
}

func timeAdd(t, iv Expr, minus bool) (Expr, error) {
	tt := t.Type()
	if tt.SQL == batch.Time && iv.Type().SQL == batch.IntervalMonth {
		return nil, noOperator("+", tt, iv.Type(), "a time of day has no months")
	}
	return &node{op: opTimeAdd, kids: []Expr{t, iv}, flag: minus, t: tt.With(tt.NotNull && iv.Type().NotNull)}, nil
}

// Neg is -x of a number or an interval.
func Neg(x Expr) (Expr, error) {
	t := x.Type()
	if t.SQL == batch.Null {
		return x, nil
	}
	if !t.IsNumeric() && !isInterval(t) {
		return nil, &TypeError{0, fmt.Sprintf("cannot apply '-' to %s", t.With(false)), ""}
	}
	return &node{op: opNeg, kids: []Expr{x}, t: t}, nil
}

// comparable brings two operands of a comparison to one type.
func comparable(op string, a, b Expr) (Expr, Expr, error) {
	ta, tb := a.Type(), b.Type()
	// Flink reads a string beside a time as that time.
	if isTime(ta) && tb.IsString() {
		return a, cast(b, ta), nil
	}
	if isTime(tb) && ta.IsString() {
		return cast(a, tb), b, nil
	}
	t, ok := common(ta, tb)
	if !ok {
		return nil, nil, noOperator(op, ta, tb, "CAST one of them to the type of the other")
	}
	if ta.IsString() && tb.IsString() || ta.IsBytes() && tb.IsBytes() {
		return a, b, nil // by bytes, whatever the lengths
	}
	if t.SQL == batch.Null {
		t = batch.TypeBool
	}
	return cast(a, t), cast(b, t), nil
}

// Compare is a op b, op one of = <> < <= > >= (and != for <>).
func Compare(op string, a, b Expr) (Expr, error) {
	if op == "!=" {
		op = "<>"
	}
	a, b, err := comparable(op, a, b)
	if err != nil {
		return nil, err
	}
	t := a.Type()
	if op != "=" && op != "<>" && (t.SQL == batch.RowType || t.SQL == batch.Map || t.SQL == batch.Array || t.SQL == batch.Multiset) {
		return nil, noOperator(op, t, b.Type(), "only = and <> apply to collections")
	}
	return &node{op: opCompare, sub: op, kids: []Expr{a, b}, t: batch.TypeBool.With(t.NotNull && b.Type().NotNull)}, nil
}

func needString(word string, x ...Expr) ([]Expr, bool, error) {
	nn, out := true, make([]Expr, len(x))
	for i, e := range x {
		t := e.Type()
		nn = nn && t.NotNull
		if t.SQL == batch.Null {
			e = NullOf(batch.TypeString)
		} else if !t.IsString() {
			return nil, false, &TypeError{i, fmt.Sprintf("%s needs a string, not %s", word, t.With(false)), "CAST it to STRING"}
		}
		out[i] = e
	}
	return out, nn, nil
}

// Like is x [NOT] LIKE pat [ESCAPE escape]; nil escape is none.
func Like(x, pat, escape Expr, not bool) (Expr, error) {
	return pattern(opLike, "LIKE", x, pat, escape, not)
}

// SimilarTo is x [NOT] SIMILAR TO pat [ESCAPE escape], SQL's regular expressions.
func SimilarTo(x, pat, escape Expr, not bool) (Expr, error) {
	return pattern(opSimilar, "SIMILAR TO", x, pat, escape, not)
}

func pattern(o op, word string, x, pat, escape Expr, not bool) (Expr, error) {
	kids := []Expr{x, pat}
	if escape != nil {
		kids = append(kids, escape)
	}
	kids, nn, err := needString(word, kids...)
	if err != nil {
		return nil, err
	}
	return &node{op: o, kids: kids, not: not, t: batch.TypeBool.With(nn)}, nil
}

// In is x [NOT] IN (list).
func In(x Expr, list []Expr, not bool) (Expr, error) {
	if isTime(x.Type()) {
		list = slices.Clone(list)
		for i, e := range list {
			if e.Type().IsString() {
				list[i] = cast(e, x.Type())
			}
		}
	}
	kids, t, err := castAll(append([]Expr{x}, list...))
	if err != nil {
		return nil, err
	}
	return &node{op: opIn, kids: kids, not: not, t: batch.TypeBool.With(t.NotNull)}, nil
}

// Between is x [NOT] BETWEEN [SYMMETRIC] lo AND hi.
func Between(x, lo, hi Expr, symmetric, not bool) (Expr, error) {
	within := func(lo, hi Expr) (Expr, error) {
		a, err := Compare(">=", x, lo)
		if err != nil {
			return nil, err
		}
		b, err := Compare("<=", x, hi)
		if err != nil {
			return nil, err
		}
		return And(a, b)
	}
	e, err := within(lo, hi)
	if err == nil && symmetric {
		var f Expr
		if f, err = within(hi, lo); err == nil {
			e, err = Or(e, f)
		}
	}
	if err == nil && not {
		return Not(e)
	}
	return e, err
}

// Concat is a || b of two strings or two byte strings; arrays join too.
func Concat(a, b Expr) (Expr, error) {
	ta, tb := a.Type(), b.Type()
	nn := ta.NotNull && tb.NotNull
	if ta.IsBytes() && tb.IsBytes() {
		return &node{op: opConcat, kids: []Expr{a, b}, t: batch.TypeBytes.With(nn)}, nil
	}
	k, _, err := needString("||", a, b)
	if err != nil {
		return nil, err
	}
	t := batch.TypeString.With(nn)
	if ta.IsString() && tb.IsString() && ta.P+tb.P > 0 && ta.P < batch.MaxLen/2 && tb.P < batch.MaxLen/2 {
		t.P = ta.P + tb.P
		if ta.SQL == batch.Char && tb.SQL == batch.Char {
			t.SQL = batch.Char
		}
	}
	return &node{op: opConcat, kids: k, t: t}, nil
}
