package govalue

import (
	"bytes"
	"encoding"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/streamd/streamd/batch"
)

// Getter reads row i of a column into dst, which can be set. The value shares no
// memory with the column.
type Getter func(v *batch.Vec, i int, dst reflect.Value) error

// Get returns how a Go value of type t is read from a column of type c. NULL is a
// nil pointer, slice or map; another type gives ErrNull.
func Get(t reflect.Type, c batch.Type) (Getter, error) { return getter(t, c, 0) }

func getter(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s is nested too deeply", t)
	}
	if t.Kind() == reflect.Pointer {
		get, err := getter(t.Elem(), c, depth+1)
		return func(v *batch.Vec, i int, dst reflect.Value) error {
			if v.IsNull(i) {
				dst.SetZero()
				return nil
			}
			p := reflect.New(t.Elem())
			dst.Set(p)
			return get(v, i, p.Elem())
		}, err
	}
	get, err := bare(t, c, depth)
	if err != nil {
		return nil, err
	}
	nilable := t.Kind() == reflect.Slice || t.Kind() == reflect.Map
	return func(v *batch.Vec, i int, dst reflect.Value) error {
		if !v.IsNull(i) {
			return get(v, i, dst)
		}
		dst.SetZero()
		if nilable {
			return nil
		}
		return ErrNull
	}, nil
}

// bare reads what is not NULL.
func bare(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	switch {
	case t == timeType && c.IsTimestamp():
		return func(v *batch.Vec, i int, dst reflect.Value) error {
			dst.Set(reflect.ValueOf(time.UnixMicro(v.I[i]).UTC()))
			return nil
		}, nil
	case t == timeType && c.SQL == batch.Date:
		return func(v *batch.Vec, i int, dst reflect.Value) error {
			dst.Set(reflect.ValueOf(time.Unix(v.I[i]*86400, 0).UTC()))
			return nil
		}, nil
	case t == timeType:
		return nil, mismatch(t, c)
	case t == durationType && (c.SQL == batch.Time || c.SQL == batch.IntervalDay):
		return func(v *batch.Vec, i int, dst reflect.Value) error {
			if us := v.I[i]; us > math.MaxInt64/1000 || us < math.MinInt64/1000 {
				return fmt.Errorf("%d µs are too long for a time.Duration", us)
			}
			dst.SetInt(v.I[i] * 1000)
			return nil
		}, nil
	case t == durationType:
		return nil, mismatch(t, c)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && c.IsBytes():
		return func(v *batch.Vec, i int, dst reflect.Value) error { dst.SetBytes(bytes.Clone(v.Bytes(i))); return nil }, nil
	case reflect.PointerTo(t).Implements(fromText) && (c.IsString() || c.SQL == batch.Decimal):
		return func(v *batch.Vec, i int, dst reflect.Value) error {
			return dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text(v, i, c))
		}, nil
	}
	return byKind(t, c, depth)
}

// text is a copy of a string's or a DECIMAL's text.
func text(v *batch.Vec, i int, c batch.Type) []byte {
	if c.SQL == batch.Decimal {
		return batch.AppendDecimal(nil, v.Dec(i), int(c.S))
	}
	return bytes.Clone(v.Bytes(i))
}

func byKind(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	switch k := t.Kind(); {
	case k == reflect.Bool && c.SQL == batch.Boolean:
		return func(v *batch.Vec, i int, dst reflect.Value) error { dst.SetBool(v.B[i]); return nil }, nil
	case k >= reflect.Int && k <= reflect.Int64 && c.IsInteger() && t.Bits() >= bits(c):
		return func(v *batch.Vec, i int, dst reflect.Value) error { dst.SetInt(v.I[i]); return nil }, nil
	case k == reflect.Float64 && c.IsFloat(), k == reflect.Float32 && c.SQL == batch.Float32:
		return func(v *batch.Vec, i int, dst reflect.Value) error { dst.SetFloat(v.F[i]); return nil }, nil
	case k == reflect.String && (c.IsString() || c.SQL == batch.Decimal):
		return func(v *batch.Vec, i int, dst reflect.Value) error { dst.SetString(string(text(v, i, c))); return nil }, nil
	case k == reflect.Slice && c.SQL == batch.Array:
		return getList(t, c, depth)
	case k == reflect.Map && c.SQL == batch.Map:
		return getMap(t, c, depth)
	case k == reflect.Struct && c.SQL == batch.RowType:
		return getRow(t, c, depth)
	}
	return nil, mismatch(t, c)
}

func getList(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	elem, err := getter(t.Elem(), c.Fields[0].Type, depth+1)
	return func(v *batch.Vec, i int, dst reflect.Value) error {
		from, to := v.Span(i)
		dst.Set(reflect.MakeSlice(t, to-from, to-from))
		for j := from; j < to; j++ {
			if err := elem(&v.Child[0], j, dst.Index(j-from)); err != nil {
				return fmt.Errorf("element %d: %w", j-from+1, err)
			}
		}
		return nil
	}, err
}

func getMap(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	key, err := getter(t.Key(), c.Fields[0].Type, depth+1)
	if err != nil {
		return nil, err
	}
	val, err := getter(t.Elem(), c.Fields[1].Type, depth+1)
	return func(v *batch.Vec, i int, dst reflect.Value) error {
		from, to := v.Span(i)
		dst.Set(reflect.MakeMapWithSize(t, to-from))
		for j := from; j < to; j++ {
			k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			if err := key(&v.Child[0], j, k); err != nil {
				return fmt.Errorf("a key: %w", err)
			}
			if err := val(&v.Child[1], j, x); err != nil {
				return fmt.Errorf("the value of %v: %w", k, err)
			}
			dst.SetMapIndex(k, x)
		}
		return nil
	}, err
}

func getRow(t reflect.Type, c batch.Type, depth int) (Getter, error) {
	index, err := Fields(t, columns(c))
	if err != nil {
		return nil, err
	}
	gets := make([]Getter, len(index))
	for f := range index {
		if gets[f], err = getter(t.FieldByIndex(index[f]).Type, c.Fields[f].Type, depth+1); err != nil {
			return nil, fmt.Errorf("field %q: %w", c.Fields[f].Name, err)
		}
	}
	return func(v *batch.Vec, i int, dst reflect.Value) error {
		for f, get := range gets {
			if err := get(&v.Child[f], i, dst.FieldByIndex(index[f])); err != nil {
				return fmt.Errorf("field %q: %w", c.Fields[f].Name, err)
			}
		}
		return nil
	}, nil
}

func columns(c batch.Type) (names []string) {
	for _, f := range c.Fields {
		names = append(names, f.Name)
	}
	return names
}
