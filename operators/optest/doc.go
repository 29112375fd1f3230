// Package optest runs operators on small tables written as text, in many
// configurations that must not change the answer: batches of 1, 2, 7 and all
// rows, rows hidden by a selection, weights split in parts, a step's deletions
// before its additions, several workers, steps cut in parts, and state saved and
// restored after every step.
//
//	optest.Run(t, optest.Case{
//		In:   []optest.Input{{Name: "t", Schema: "k STRING, v INT"}},
//		Node: func(in []operators.Node) operators.Node { return … },
//		Script: `
//			t +1 | a | 10
//			t -1 | a | 10
//			step
//			t +2 | NULL | 3
//			end`,
//		Want: `NULL | 6`,
//	})
package optest
