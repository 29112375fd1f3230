// Package formats turns the bytes of one record into rows and rows into bytes.
//
// A Format has a name and makes decoders and encoders for a table's columns. A
// decoder appends straight to the columns that are wanted and always checks the
// syntax of the whole record; what it cannot read it reports with a code of
// codes.go, the field and what stood there. Policy (fail, skip, dead letter) is
// the engine's.
//
//	format    Format Spec Problem   the registry
//	codes     SD61xx                what can be wrong with a record
//	json…     json                  schema-driven scanner and encoder
//	debezium  debezium-json         change events: c, r, u, d
//	csv       csv                   delimited text without header
//	raw       raw                   the record is the value of the one column
package formats
