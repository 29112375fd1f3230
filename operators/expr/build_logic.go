package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
)

func booleans(word string, x []Expr) ([]Expr, bool, error) {
	nn, out := true, make([]Expr, len(x))
	for i, e := range x {
		t := e.Type()
		if t.SQL != batch.Boolean && t.SQL != batch.Null {
			return nil, false, &TypeError{i, fmt.Sprintf("%s needs BOOLEAN, not %s", word, t.With(false)), ""}
		}
		out[i] = cast(e, batch.TypeBool)
		nn = nn && t.NotNull
	}
	return out, nn, nil
}

// And is the conjunction of x; operands are evaluated left to right, each only
// for rows that the earlier ones have not made FALSE. Nested ANDs are flattened.
func And(x ...Expr) (Expr, error) { return logic(opAnd, "AND", true, x) }

// Or is the disjunction of x, evaluated like And.
func Or(x ...Expr) (Expr, error) { return logic(opOr, "OR", false, x) }

func logic(o op, word string, empty bool, x []Expr) (Expr, error) {
	x, nn, err := booleans(word, x)
	if err != nil {
		return nil, err
	}
	var flat []Expr
	for _, e := range x {
		if n, ok := e.(*node); ok && n.op == o {
			flat = append(flat, n.kids...)
		} else {
			flat = append(flat, e)
		}
	}
	switch len(flat) {
	case 0:
		return Bool(empty), nil
	case 1:
		return flat[0], nil
	}
	return &node{op: o, kids: flat, t: batch.TypeBool.With(nn)}, nil
}

// Not is NOT x.
func Not(x Expr) (Expr, error) {
	k, nn, err := booleans("NOT", []Expr{x})
	if err != nil {
		return nil, err
	}
	return &node{op: opNot, kids: k, t: batch.TypeBool.With(nn)}, nil
}

// IsNull is x IS [NOT] NULL.
func IsNull(x Expr, not bool) (Expr, error) {
	return &node{op: opIsNull, kids: []Expr{x}, not: not, t: batch.TypeBool.With(true)}, nil
}

// IsTrue is x IS [NOT] word, word one of TRUE, FALSE, UNKNOWN.
func IsTrue(x Expr, word string, not bool) (Expr, error) {
	word = strings.ToUpper(word)
	k, _, err := booleans("IS "+word, []Expr{x})
	if err != nil {
		return nil, err
	}
	return &node{op: opIsTrue, kids: k, sub: word, not: not, t: batch.TypeBool.With(true)}, nil
}

// IsDistinct is a IS [NOT] DISTINCT FROM b: NULL equals NULL.
func IsDistinct(a, b Expr, not bool) (Expr, error) {
	a, b, err := comparable("IS DISTINCT FROM", a, b)
	if err != nil {
		return nil, err
	}
	return &node{op: opDistinct, kids: []Expr{a, b}, not: not, t: batch.TypeBool.With(true)}, nil
}

// castAll brings x to their common type.
func castAll(x []Expr) ([]Expr, batch.Type, error) {
	ts := make([]batch.Type, len(x))
	for i, e := range x {
		ts[i] = e.Type()
	}
	t, err := Common(ts...)
	if err != nil {
		return nil, t, err
	}
	out := make([]Expr, len(x))
	for i, e := range x {
		out[i] = cast(e, t)
	}
	return out, t, nil
}

// Case is CASE WHEN whens[i] THEN thens[i] … ELSE els END; nil els is NULL.
func Case(whens, thens []Expr, els Expr) (Expr, error) {
	w, _, err := booleans("WHEN", whens)
	if err != nil {
		return nil, err
	}
	if els == nil {
		els = Null()
	}
	v, t, err := castAll(append(slices.Clone(thens), els))
	if err != nil {
		return nil, err
	}
	kids := make([]Expr, 0, 2*len(w)+1)
	for i := range w {
		kids = append(kids, w[i], v[i])
	}
	return &node{op: opCase, kids: append(kids, v[len(w)]), t: t}, nil
}

// Coalesce is the first of x that is not NULL.
func Coalesce(x ...Expr) (Expr, error) {
	v, t, err := castAll(x)
	if err != nil {
		return nil, err
	}
	if len(v) == 1 {
		return v[0], nil
	}
	for _, e := range v {
		t.NotNull = t.NotNull || e.Type().NotNull
	}
	return &node{op: opCoalesce, kids: v, t: t}, nil
}

// NullIf is NULL when a = b, else a.
func NullIf(a, b Expr) (Expr, error) {
	eq, err := Compare("=", a, b)
	if err != nil {
		return nil, err
	}
	return Case([]Expr{eq}, []Expr{NullOf(a.Type())}, a)
}

// If is yes where cond is TRUE, else no.
func If(cond, yes, no Expr) (Expr, error) { return Case([]Expr{cond}, []Expr{yes}, no) }
