// Package enginetest tests pipelines: it runs a pipeline's text on the engine
// with every source and sink replaced by one in memory, under a clock that stands
// still, and compares what its views and sinks hold with what is wanted.
//
//	p := enginetest.New(t, "rides.sql", text, enginetest.Options{Connectors: connectors, Register: register})
//	p.Push("rides", "('a', '2026-01-01 10:00:01'), ('a', '2026-01-01 10:00:07')")
//	p.Watermark("rides", "2026-01-01 10:00:10")
//	p.Crash()
//	p.Want("per_cell", "('a', 2)")
//
// Register gives the engine a program's own functions, sources and sinks: the
// functions are called, the sources and sinks give way like all others.
//
// Run does the same for a file of statements, a NAME_test.sql, under several
// sizes of steps, numbers of workers, and with a crash and a restore after every
// step: `streamd test` is made of it.
//
// Between two statements the job works off all it was given, so that a result
// does not depend on chance. The rows of one statement move a watermark together,
// when the last of them was read: which rows are late does not depend on how the
// steps are cut.
//
//	testing    Test                    for tests in Go
//	run        Run Case                a file of statements under many configurations
//	script     Script                  statements, one after the other, on one Pipeline
//	pipeline   Pipeline                a job under test: start, settle, crash, start again
//	world      world                   what outlives a crash: inputs, outputs, the clock
//	feed       feed reader             rows that are fed in
//	sink       sink                    rows that come out
//	diff       Diff                    how two bags of rows differ
package enginetest
