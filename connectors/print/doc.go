// Package print writes rows for people to read: the sinks of connector 'print'
// and the results of bare SELECTs.
//
//	CREATE TABLE out (a STRING, n BIGINT) WITH ('connector' = 'print');
//
//	text   +I[a, 1]
//	json   {"op":"+I","sink":"out","row":{"a":"a","n":1}}
//
// Rows are rendered when they are pushed, staged with their epoch and written
// when it is decided.
package print
