// Package simtest makes random pipelines and random inputs, and says by a slow
// oracle what each must give. The oracle works a row at a time over the whole
// input, with Go maps and slices; it shares no code with the engine.
//
// A Query is both a SQL text and a function from tables to a multiset of rows:
//
//	q, dress := simtest.Random(rand.New(rand.NewPCG(1, 2)), simtest.Shape{})
//	sql := simtest.Pipeline(q, dress, tables)   // CREATE TABLE a, b, c, o; INSERT INTO o SELECT ...
//	want := simtest.Eval(q, tables, nil)        // row text -> how often
//
// Where watermarks move between steps (on-periodic), which rows are late depends
// on what was read when: the engine logs its steps and the oracle judges by the log.
package simtest
