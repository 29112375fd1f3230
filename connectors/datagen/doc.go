// Package datagen is the source of random and sequential rows.
//
//	CREATE TABLE t (id BIGINT, name STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
//	  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000', 'fields.name.length' = '5');
//
// A value is a function of seed, row number and column, so a position is a row
// number. Only TIMESTAMP, DATE and TIME, which are the time of making, differ
// between two runs.
//
//	options  the WITH options
//	values   one value of each type
//	datagen  Connector, source and reader
package datagen
