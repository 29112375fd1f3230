package operators_test

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/operators/optest"
)

// in is shorthand for an append input.
func in(name, schema string) optest.Input { return optest.Input{Name: name, Schema: schema} }

// changes is shorthand for a retract input.
func changes(name, schema string) optest.Input {
	return optest.Input{Name: name, Schema: schema, Mode: operators.Retract}
}

// agg binds an aggregate over columns of n; filter -1 = none.
func agg(n operators.Node, name string, distinct bool, filter int, args ...int) operators.AggCall {
	f, ok := funcs.LookupAgg(name)
	if !ok {
		panic("BUG: no aggregate " + name)
	}
	s := n.Base().Schema
	t := make([]batch.Type, len(args))
	for i, a := range args {
		t[i] = s.Fields[a].Type
	}
	fn, err := f.Bind(t, distinct)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return operators.AggCall{Fn: fn, Args: args, Filter: filter, Distinct: distinct, Name: name}
}

// groupBy builds a GROUP BY with made-up column names.
func groupBy(n operators.Node, keys []int, calls ...operators.AggCall) *operators.Aggregate {
	return operators.NewAggregate(n, keys, calls, aggFields(n, keys, calls))
}

func aggFields(n operators.Node, keys []int, calls []operators.AggCall) (f []batch.Field) {
	for _, k := range keys {
		f = append(f, n.Base().Schema.Fields[k])
	}
	for _, c := range calls {
		f = append(f, batch.Field{Name: c.Name, Type: c.Fn.Out})
	}
	return f
}

// must unwraps the constructors that can refuse.
func must[N operators.Node](n N, err error) operators.Node {
	if err != nil {
		panic(err)
	}
	return n
}
