// Package rules rewrites bound plans into cheaper ones with the same answer.
//
// A plan is a graph of operators.Node: what two statements share is one node. A rule never copies a node that keeps state, and every
// node that a rule rebuilds keeps its identity and its place in the text.
//
//	sinks = rules.Apply(sinks, rules.Options{Retention: true})
package rules
