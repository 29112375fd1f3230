// Package batch is the vocabulary of streamd: the one thing that flows, a Batch,
// a set of rows stored by column, each row carrying a weight.
//
// Weight +1 adds a row, -1 takes one away, an update is both; the sum of all
// deltas of a stream is its table. Every other package imports batch; batch
// imports nothing but the standard library.
//
//	type     Kind SQLType Type     what a column is: the SQL type and how it is stored
//	schema   Field Schema          the named, typed columns of a stream
//	vec      Vec                   one column: typed slices and a null bitmap
//	batch    Batch                 columns, a selection, weights
//	int128   Int128                DECIMAL beyond 18 digits, sums that cannot overflow
//	hash     HashRows              placement and table hashes, fixed in state format 1
//	compare  Compare EqualAt       SQL order and equality of two values
//	codec    AppendCol ReadCol     columns as bytes, for state and files
//	key      AppendKey             one row as canonical bytes: equal rows, equal bytes
//	format   AppendText AppendJSON one value as a user reads it
//	parse    ParseInt ParseDecimal text of one value to the value, for CAST and formats
//	page     Page RowID            a run of rows of a state table
//	consolidate                    sum equal rows, drop what cancels
package batch
