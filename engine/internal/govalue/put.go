package govalue

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
)

// Putter appends a Go value to a column. After an error the column may have lost
// its shape: some of a nested value's parts may have been appended.
type Putter func(v *batch.Vec, src reflect.Value) error

// Put returns how a Go value of type t is appended to a column of type c. A nil
// pointer, slice or map is NULL; into a NOT NULL column a nil slice or map goes as
// an empty one, a nil pointer gives ErrNull.
func Put(t reflect.Type, c batch.Type) (Putter, error) { return putter(t, c, 0) }

func putter(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s is nested too deeply", t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		put, err := putter(t.Elem(), c, depth+1)
		return func(v *batch.Vec, src reflect.Value) error {
			switch {
			case !src.IsNil():
				return put(v, src.Elem())
			case c.NotNull:
				return ErrNull
			}
			v.AppendNull()
			return nil
		}, err
	case reflect.Slice, reflect.Map:
		put, err := barePut(t, c, depth)
		if c.NotNull || err != nil {
			return put, err
		}
		return func(v *batch.Vec, src reflect.Value) error {
			if !src.IsNil() {
				return put(v, src)
			}
			v.AppendNull()
			return nil
		}, nil
	}
	return barePut(t, c, depth)
}

func barePut(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	switch {
	case t == timeType:
		return putTime(t, c)
	case t == durationType && c.SQL == batch.IntervalDay:
		return func(v *batch.Vec, src reflect.Value) error { v.AppendInt(src.Int() / 1000); return nil }, nil
	case t == durationType && c.SQL == batch.Time:
		return func(v *batch.Vec, src reflect.Value) error {
			d := time.Duration(src.Int())
			if d < 0 || d >= 24*time.Hour {
				return fmt.Errorf("%s is no time of a day", d)
			}
			v.AppendInt(batch.TruncTime(d.Microseconds(), c.P))
			return nil
		}, nil
	case t == durationType:
		return nil, mismatch(t, c)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && c.IsBytes():
		return func(v *batch.Vec, src reflect.Value) error {
			if n := len(src.Bytes()); n > int(c.P) {
				return fmt.Errorf("%d bytes are too many for %s", n, c.With(false))
			}
			v.AppendBytes(src.Bytes())
			return nil
		}, nil
	case t.Implements(toText) && (c.IsString() || c.SQL == batch.Decimal):
		return func(v *batch.Vec, src reflect.Value) error {
			b, err := src.Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return err
			}
			return putText(v, b, c)
		}, nil
	}
	return putKind(t, c, depth)
}

func putKind(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	switch k := t.Kind(); {
	case k == reflect.Bool && c.SQL == batch.Boolean:
		return func(v *batch.Vec, src reflect.Value) error { v.AppendBool(src.Bool()); return nil }, nil
	case k >= reflect.Int && k <= reflect.Int64 && c.IsInteger():
		lo, hi := batch.IntRange(c.SQL)
		return func(v *batch.Vec, src reflect.Value) error {
			x := src.Int()
			if x < lo || x > hi {
				return fmt.Errorf("%d is out of range of %s", x, c.With(false))
			}
			v.AppendInt(x)
			return nil
		}, nil
	case (k == reflect.Float32 || k == reflect.Float64) && c.SQL == batch.Float64:
		return func(v *batch.Vec, src reflect.Value) error { v.AppendFloat(src.Float()); return nil }, nil
	case (k == reflect.Float32 || k == reflect.Float64) && c.SQL == batch.Float32:
		return func(v *batch.Vec, src reflect.Value) error {
			v.AppendFloat(float64(float32(src.Float())))
			return nil
		}, nil
	case k == reflect.String && (c.IsString() || c.SQL == batch.Decimal):
		return func(v *batch.Vec, src reflect.Value) error { return putText(v, []byte(src.String()), c) }, nil
	case k == reflect.Slice && c.SQL == batch.Array:
		return putList(t, c, depth)
	case k == reflect.Map && c.SQL == batch.Map:
		return putMap(t, c, depth)
	case k == reflect.Struct && c.SQL == batch.RowType:
		return putRow(t, c, depth)
	}
	return nil, mismatch(t, c)
}

// putText appends text as a string or as the DECIMAL that it writes.
func putText(v *batch.Vec, b []byte, c batch.Type) error {
	switch {
	case c.SQL == batch.Decimal:
		x, ok := batch.ParseDecimal(b, int(c.P), int(c.S))
		if !ok {
			return fmt.Errorf("%.40q is no %s", b, c.With(false))
		}
		if c.Kind() == batch.Wide {
			v.AppendWide(x)
			return nil
		}
		n, _ := x.Int64() // 18 digits fit
		v.AppendInt(n)
		return nil
	case !utf8.Valid(b):
		return fmt.Errorf("%.40q is no UTF-8", b)
	case c.P != batch.MaxLen && utf8.RuneCount(b) > int(c.P):
		return fmt.Errorf("%.40q is too long for %s", b, c.With(false))
	}
	v.AppendBytes(b)
	return nil
}

// putTime appends a time: to TIMESTAMP and DATE what its own clock shows, to
// TIMESTAMP_LTZ the instant.
func putTime(t reflect.Type, c batch.Type) (Putter, error) {
	if !c.IsTimestamp() && c.SQL != batch.Date {
		return nil, mismatch(t, c)
	}
	return func(v *batch.Vec, src reflect.Value) error {
		x := src.Interface().(time.Time)
		if y := x.UTC().Year(); y < 1 || y > 9999 {
			return fmt.Errorf("the year %d is outside 1 to 9999", y)
		}
		us := x.UnixMicro()
		if c.SQL != batch.TimestampLTZ {
			_, offset := x.Zone()
			us += int64(offset) * 1e6
		}
		if c.SQL == batch.Date {
			v.AppendInt(batch.FloorDiv(us, 86400e6))
		} else {
			v.AppendInt(batch.TruncTime(us, c.P))
		}
		return nil
	}, nil
}

func putList(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	elem, err := putter(t.Elem(), c.Fields[0].Type, depth+1)
	return func(v *batch.Vec, src reflect.Value) error {
		from := v.Child[0].Len()
		for i := range src.Len() {
			if err := elem(&v.Child[0], src.Index(i)); err != nil {
				return fmt.Errorf("element %d: %w", i+1, err)
			}
		}
		v.AppendList(from)
		return nil
	}, err
}

func putMap(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	key, err := putter(t.Key(), c.Fields[0].Type, depth+1)
	if err != nil {
		return nil, err
	}
	val, err := putter(t.Elem(), c.Fields[1].Type, depth+1)
	return func(v *batch.Vec, src reflect.Value) error {
		from := v.Child[0].Len()
		for _, k := range sorted(src.MapKeys()) {
			if err := key(&v.Child[0], k); err != nil {
				return fmt.Errorf("a key: %w", err)
			}
			if err := val(&v.Child[1], src.MapIndex(k)); err != nil {
				return fmt.Errorf("the value of %v: %w", k, err)
			}
		}
		v.AppendList(from)
		return nil
	}, err
}

// sorted puts a map's keys in an order that does not depend on chance.
func sorted(keys []reflect.Value) []reflect.Value {
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch k := a.Kind(); {
		case k >= reflect.Int && k <= reflect.Int64:
			return cmp.Compare(a.Int(), b.Int())
		case k == reflect.String:
			return strings.Compare(a.String(), b.String())
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return keys
}

func putRow(t reflect.Type, c batch.Type, depth int) (Putter, error) {
	index, err := Fields(t, columns(c))
	if err != nil {
		return nil, err
	}
	puts := make([]Putter, len(index))
	for f := range index {
		if puts[f], err = putter(t.FieldByIndex(index[f]).Type, c.Fields[f].Type, depth+1); err != nil {
			return nil, fmt.Errorf("field %q: %w", c.Fields[f].Name, err)
		}
	}
	return func(v *batch.Vec, src reflect.Value) error {
		for f, put := range puts {
			if err := put(&v.Child[f], src.FieldByIndex(index[f])); err != nil {
				return fmt.Errorf("field %q: %w", c.Fields[f].Name, err)
			}
		}
		v.AppendRow()
		return nil
	}, nil
}
