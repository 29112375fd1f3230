// Package govalue moves values between Go and columns, by reflection: what the
// functions, sources and sinks of an embedding program take and give.
//
//	get, err := govalue.Get(reflect.TypeFor[int64](), batch.TypeInt)
//	err = get(&column, row, reflect.ValueOf(&x).Elem())
//
//	get      Get Getter      a row of a column into a Go value
//	put      Put Putter      a Go value onto the end of a column
//	types    TypeOf          the SQL type that a Go type stands for
//	fields   Fields          which field of a struct is which column
package govalue
