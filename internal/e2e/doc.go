// Package e2e tests the binary from outside, as its users and their programs
// see it: commands, exit codes, what goes to stdout and what to stderr, files,
// signals, kills. It has no code of its own.
//
// Most cases are scripts in testdata, with the files they need behind them:
//
//	# a pipeline without a query is refused
//	run streamd run none.sql
//	code 2
//	stderr 'neither INSERT nor SELECT'
//	-- none.sql --
//	CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');
//
// What README and docs show is run too: TestDocs, see parseBlocks in
// docblocks_test.go.
//
// The binary is built once for the package; STREAMD_TEST_BINARY names one that
// is there already.
package e2e
