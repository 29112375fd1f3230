package govalue

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/streamd/streamd/batch"
)

// ErrNull says that NULL met a Go type that has no place for it, or a column
// that is NOT NULL.
var ErrNull = errors.New("the value is NULL")

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bytesType    = reflect.TypeFor[[]byte]()
	toText       = reflect.TypeFor[encoding.TextMarshaler]()
	fromText     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// plain are the SQL types of Go types that stand for one by their kind.
var plain = map[reflect.Kind]batch.Type{
	reflect.Bool: batch.TypeBool,
	reflect.Int8: {SQL: batch.TinyInt}, reflect.Int16: {SQL: batch.SmallInt}, reflect.Int32: batch.TypeInt,
	reflect.Int64: batch.TypeBigInt, reflect.Int: batch.TypeBigInt,
	reflect.Float32: {SQL: batch.Float32}, reflect.Float64: batch.TypeDouble,
	reflect.String: batch.TypeString,
}

// TypeOf returns the SQL type that values of t have where none is declared. It is
// NOT NULL unless t has a place for NULL: a pointer, a slice, a map.
func TypeOf(t reflect.Type) (batch.Type, error) { return typeOf(t, 0) }

// maxDepth bounds nesting: a type may contain itself.
const maxDepth = 20

func typeOf(t reflect.Type, depth int) (batch.Type, error) {
	if depth > maxDepth {
		return batch.Type{}, fmt.Errorf("%s is nested too deeply", t)
	}
	switch {
	case t.Kind() == reflect.Pointer:
		e, err := typeOf(t.Elem(), depth+1)
		return e.With(false), err
	case t == timeType:
		return batch.Type{SQL: batch.TimestampLTZ, P: 6, NotNull: true}, nil
	case t == durationType:
		return batch.Type{SQL: batch.IntervalDay, NotNull: true}, nil
	case t == bytesType:
		return batch.TypeBytes, nil
	case t.Implements(toText):
		return batch.TypeString.With(true), nil
	}
	switch t.Kind() {
	case reflect.Slice:
		e, err := typeOf(t.Elem(), depth+1)
		return batch.ArrayOf(e), err
	case reflect.Map:
		k, err := typeOf(t.Key(), depth+1)
		if err != nil {
			return k, err
		}
		v, err := typeOf(t.Elem(), depth+1)
		return batch.MapOf(k, v), err
	case reflect.Struct:
		out := batch.Type{SQL: batch.RowType, NotNull: true}
		for _, f := range fieldsOf(t) {
			ft, err := typeOf(f.Type, depth+1)
			if err != nil {
				return out, fmt.Errorf("field %s: %w", f.Name, err)
			}
			out.Fields = append(out.Fields, batch.Field{Name: columnOf(f), Type: ft})
		}
		if len(out.Fields) > 0 {
			return out, nil
		}
	}
	if p, ok := plain[t.Kind()]; ok {
		return p.With(true), nil
	}
	return batch.Type{}, fmt.Errorf("the Go type %s has no SQL type", t)
}

// mismatch says that values of t and of column type c do not go into each other.
func mismatch(t reflect.Type, c batch.Type) error {
	if want := goTypes(c); want != "" {
		return fmt.Errorf("%s and %s do not go together: take %s", t, c.With(false), want)
	}
	return fmt.Errorf("%s is not supported yet in Go values", c.With(false))
}

// goTypes names the Go types for a column type; "" = none.
func goTypes(c batch.Type) string {
	switch c.SQL {
	case batch.Boolean:
		return "bool"
	case batch.TinyInt:
		return "int8 or wider"
	case batch.SmallInt:
		return "int16 or wider"
	case batch.Integer:
		return "int32 or wider"
	case batch.BigInt:
		return "int64 or int"
	case batch.Float32:
		return "float32 or float64"
	case batch.Float64:
		return "float64"
	case batch.Decimal, batch.Char, batch.Varchar:
		return "string, or a type with MarshalText and UnmarshalText"
	case batch.Binary, batch.Varbinary:
		return "[]byte"
	case batch.Date, batch.Timestamp, batch.TimestampLTZ:
		return "time.Time"
	case batch.Time, batch.IntervalDay:
		return "time.Duration"
	case batch.RowType:
		return "a struct"
	case batch.Array:
		return "a slice"
	case batch.Map:
		return "a map"
	}
	return ""
}

// bits is the width of an integer type.
func bits(c batch.Type) int { return 8 << (c.SQL - batch.TinyInt) }
