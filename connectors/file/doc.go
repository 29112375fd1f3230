// Package file is the connector 'filesystem': files of one record a line.
//
//	CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 'in/', 'format' = 'json');
//
// As a source every file is a split, read in the order of names; what was read of
// it is remembered by CRCs, so a file that was replaced is an error and one that
// grew is read on. As a sink every epoch gives one new file per partition: staged
// under a hidden name before the epoch is decided, renamed into place after it.
//
//	options   the WITH options, path and partition columns
//	source    which files there are
//	reader    lines of one file, fetched in the background
//	position  what is remembered of a file
//	sink      rows to staged bytes
//	follower  staged files to final names
//	room      how full the disk is
package file
