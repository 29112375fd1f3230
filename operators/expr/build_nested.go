package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
)

// Item is x[i]: the i-th element of an array, from 1, or a map's value of key
// i; NULL where there is none.
func Item(x, i Expr) (Expr, error) {
	t, ti := x.Type(), i.Type()
	switch t.SQL {
	case batch.Array:
		if !ti.IsInteger() {
			return nil, &TypeError{1, fmt.Sprintf("an array is indexed by a number, not %s", ti.With(false)), ""}
		}
		if c, ok := i.(*Const); ok && !c.IsNull() && c.V.I[0] < 1 {
			return nil, &TypeError{1, "array elements are numbered from 1", ""}
		}
		return &node{op: opItem, kids: []Expr{x, i}, t: t.Fields[0].Type.With(false)}, nil
	case batch.Map:
		k, err := Implicit(i, t.Fields[0].Type)
		if err != nil {
			return nil, &TypeError{1, fmt.Sprintf("the map's key is %s, not %s", t.Fields[0].Type.With(false), ti.With(false)), castHint(ti, t.Fields[0].Type)}
		}
		if ti.IsString() {
			k = i // a key is compared by its bytes, whatever the length
		}
		return &node{op: opItem, kids: []Expr{x, k}, t: t.Fields[1].Type.With(false)}, nil
	}
	return nil, &TypeError{0, fmt.Sprintf("%s has no elements; [ ] applies to ARRAY and MAP", t.With(false)), ""}
}

// Field is x.name of a ROW.
func Field(x Expr, name string) (Expr, error) {
	t := x.Type()
	if t.SQL != batch.RowType {
		return nil, &TypeError{0, fmt.Sprintf("%s has no field %q: it is not a ROW", t.With(false), name), ""}
	}
	for i, f := range t.Fields {
		if f.Name == name {
			return &node{op: opField, kids: []Expr{x}, n: i, sub: name, t: f.Type.With(f.Type.NotNull && t.NotNull)}, nil
		}
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return nil, &TypeError{0, fmt.Sprintf("the ROW has no field %q", name), "its fields are " + strings.Join(names, ", ")}
}

// MakeRow is ROW(vals…); the fields are named EXPR$0, EXPR$1, … as in Flink.
func MakeRow(vals ...Expr) (Expr, error) {
	if len(vals) == 0 {
		return nil, &TypeError{-1, "ROW needs at least one value", ""}
	}
	t := batch.Type{SQL: batch.RowType, NotNull: true}
	for i, v := range vals {
		t.Fields = append(t.Fields, batch.Field{Name: fmt.Sprintf("EXPR$%d", i), Type: v.Type()})
	}
	return &node{op: opMakeRow, kids: slices.Clone(vals), t: t}, nil
}

// MakeArray is ARRAY[vals…].
func MakeArray(vals ...Expr) (Expr, error) {
	if len(vals) == 0 {
		return nil, &TypeError{-1, "ARRAY needs at least one element", "its type cannot be told otherwise"}
	}
	v, t, err := castAll(vals)
	if err != nil {
		return nil, err
	}
	return &node{op: opMakeArray, kids: v, t: batch.ArrayOf(t).With(true)}, nil
}

// MakeMap is MAP[k1, v1, k2, v2, …]; of equal keys the last one counts.
func MakeMap(kv ...Expr) (Expr, error) {
	if len(kv) == 0 || len(kv)%2 != 0 {
		return nil, &TypeError{-1, "MAP needs pairs of a key and a value", ""}
	}
	var k, v []Expr
	for i := 0; i < len(kv); i += 2 {
		k, v = append(k, kv[i]), append(v, kv[i+1])
	}
	k, kt, err := castAll(k)
	if err == nil {
		var vt batch.Type
		if v, vt, err = castAll(v); err == nil {
			n := &node{op: opMakeMap, t: batch.MapOf(kt, vt).With(true)}
			for i := range k {
				n.kids = append(n.kids, k[i], v[i])
			}
			return n, nil
		}
	}
	return nil, err
}

// AtTimeZone is x AT TIME ZONE zone: a TIMESTAMP_LTZ becomes the local
// TIMESTAMP there, a TIMESTAMP is read as local time there.
func AtTimeZone(x, zone Expr) (Expr, error) {
	t := x.Type()
	if !t.IsTimestamp() {
		return nil, &TypeError{0, fmt.Sprintf("AT TIME ZONE needs a timestamp, not %s", t.With(false)), ""}
	}
	if !zone.Type().IsString() {
		return nil, &TypeError{1, "AT TIME ZONE needs the name of a zone", "for example 'Europe/Paris'"}
	}
	if c, ok := zone.(*Const); ok && !c.IsNull() {
		if _, err := Zone(string(c.V.Bytes(0))); err != nil {
			return nil, &TypeError{1, err.Error(), "for example 'Europe/Paris' or '+02:00'"}
		}
	}
	u := batch.Type{SQL: batch.Timestamp, P: t.P, NotNull: t.NotNull && zone.Type().NotNull}
	if t.SQL == batch.Timestamp {
		u.SQL = batch.TimestampLTZ
	}
	return &node{op: opTimeZone, kids: []Expr{x, zone}, t: u}, nil
}
