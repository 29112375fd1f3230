// Package operators holds what a pipeline can do to a stream. Each file is one
// operator: its place in a plan (a Node) and the code that runs it (an Operator).
//
// An operator is correct when, after EndStep, the sum of all it has emitted
// equals its function of the sum of all it was given, for any order and
// splitting of the Pushes. Linear operators (filter, project, joins' inner
// product) emit in Push; the others change state in Push, remember each touched
// key's old result at the first touch of the step, and emit -old/+new in EndStep.
//
// All state lives in tables of package state; nothing else survives a step.
//
//	operators         Node Operator Env Emit: the contracts
//	plan              PlanError, Producer, keys and modes of plans
//	ident             SetIdent: what an operator's state is known by
//	scan values       where rows enter
//	filter project union window_assign unnest      answer rows at once
//	contenders        drops what cannot be the MAX of its window, before a join with it
//	normalize         upserts with a key -> changes with full old rows
//	aggregate         GROUP BY, DISTINCT; accs: accumulators and their side tables
//	window_aggregate  GROUP BY of windows, by panes; session: of sessions
//	join window_join  join_side: the stored rows of one side; join_pairing: joined rows; join_best: of a top 1
//	topn dedup        ROW_NUMBER() <= n, LIMIT; keyed: one row a key
//	sink              nets what leaves; sink_materialize: keys the input lacks
//	kit touched       shared: hashes of keys; rows touched in a step and their old output
//
// A node NAME stands in NAME.go and runs there or in NAME_run.go.
package operators
