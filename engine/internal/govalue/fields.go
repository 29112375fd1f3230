package govalue

import (
	"fmt"
	"reflect"
	"strings"
)

// Fields finds the field of struct type t for each column: the one whose tag
// `sql:"…"` is the column's name, else the one whose name is the column's but for
// case and underscores: BookingID is booking_id. A field with the tag `sql:"-"` is
// none. It returns an index for reflect.Value.FieldByIndex each.
func Fields(t reflect.Type, columns []string) ([][]int, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no struct", t)
	}
	all := fieldsOf(t)
	out := make([][]int, len(columns))
	for i, c := range columns {
		for _, f := range all {
			if !names(f, c) {
				continue
			}
			if out[i] != nil {
				return nil, fmt.Errorf("two fields of %s are named like column %q", t, c)
			}
			out[i] = f.Index
		}
		if out[i] == nil {
			return nil, fmt.Errorf("%s has no field for column %q", t, c)
		}
	}
	return out, nil
}

// fieldsOf lists the fields of a struct that may be columns, those of embedded
// structs among them.
func fieldsOf(t reflect.Type) (out []reflect.StructField) {
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Tag.Get("sql") == "-" || f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("sql") == "" {
			continue
		}
		if through(t, f.Index) {
			out = append(out, f)
		}
	}
	return out
}

// through tells that no pointer stands between t and the field: one could be nil.
func through(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			return false
		}
	}
	return true
}

func columnOf(f reflect.StructField) string {
	if s := f.Tag.Get("sql"); s != "" {
		return s
	}
	return f.Name
}

func names(f reflect.StructField, column string) bool {
	if s := f.Tag.Get("sql"); s != "" {
		return s == column
	}
	return strings.EqualFold(f.Name, strings.ReplaceAll(column, "_", ""))
}
