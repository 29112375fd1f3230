package operators_test

import (
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

type named struct {
	noSource
	id string
}

func (n named) Info() connectors.SourceInfo { return connectors.SourceInfo{Identity: n.id} }

func scanNamed(id, schema string) *operators.Scan {
	s := optest.Schema(schema)
	return operators.NewScan(operators.ScanSpec{Source: named{id: id}, Schema: s, Physical: len(s.Fields), WMCol: -1})
}

// Identity does not see names, positions, carried columns or times to live; it
// sees whatever changes the state.
func TestIdent(t *testing.T) {
	countBy := func(src operators.Node, key int) *operators.Aggregate {
		return groupBy(src, []int{key}, agg(src, "COUNT", false, -1))
	}
	id := func(n operators.Node) string { operators.SetIdent(n); return n.Base().Ident }
	base := id(countBy(scanNamed("kafka/a", "k INT, v INT"), 0))
	same := map[string]operators.Node{
		"more columns":    countBy(scanNamed("kafka/a", "x STRING, v INT, k INT"), 2),
		"through project": countBy(pickOf(scanNamed("kafka/a", "v INT, k INT"), 1), 0),
	}
	ttl := countBy(scanNamed("kafka/a", "k INT, v INT"), 0)
	ttl.SetTTL(5)
	same["time to live"] = ttl
	for name, n := range same {
		if id(n) != base {
			t.Errorf("%s changes the identity", name)
		}
	}
	src := scanNamed("kafka/a", "k INT, v INT")
	other := map[string]operators.Node{
		"topic":    countBy(scanNamed("kafka/b", "k INT, v INT"), 0),
		"key":      countBy(scanNamed("kafka/a", "k INT, v INT"), 1),
		"function": groupBy(src, []int{0}, agg(src, "SUM", false, -1, 1)),
		"filter":   countBy(operators.NewFilter(src, ex(expr.Compare("=", col(src, 1), lit(1)))), 0),
		"type":     countBy(scanNamed("kafka/a", "k BIGINT, v INT"), 0),
	}
	for name, n := range other {
		if id(n) == base {
			t.Errorf("another %s keeps the identity", name)
		}
	}
	// Two operators that compute the same have states of their own.
	a, b := countBy(src, 0), countBy(src, 0)
	operators.SetIdent(a, b)
	if a.Ident != base || b.Ident != base+".2" {
		t.Errorf("%s, %s", a.Ident, b.Ident)
	}
}

// pickOf is a projection of one column.
func pickOf(n operators.Node, c int) operators.Node {
	return operators.NewProject(n, []expr.Expr{col(n, c)}, []batch.Field{{Name: "renamed", Type: n.Base().Schema.Fields[c].Type}})
}
