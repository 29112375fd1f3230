package operators_test

import (
	"slices"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/funcs"
	"github.com/streamd/streamd/operators/optest"
)

// The clock moves between the steps: what goes takes the time with it at which it came.
func TestProjectRemembersTheClock(t *testing.T) {
	for _, in := range []optest.Input{changes("t", "k STRING, v INT, a BOOLEAN"), {Name: "t", Schema: "k STRING, v INT, a BOOLEAN", Mode: operators.Retract, Keys: [][]int{{0, 1}}}} {
		node := func(in nodes) operators.Node {
			now := ex(funcs.Call("LOCALTIMESTAMP", nil, expr.Span{}))
			return operators.NewProject(in[0], []expr.Expr{col(in[0], 0), now, ex(expr.Arith("+", col(in[0], 1), lit(1)))}, optest.Schema("k STRING, at TIMESTAMP(3), w INT").Fields)
		}
		optest.Run(t, optest.Case{In: []optest.Input{in}, Node: node,
			Script: "now 1\nt a|1|true\nt b|2|true\nt NULL|NULL|NULL\nstep\nnow 5\nt -1|a|1|true\nt a|2|true\nt c|1|NULL\nstep\nnow 9\nt -1|b|2|true\nt a|1|true\nend",
			Steps:  []string{"a | 1 | 2\nb | 1 | 3\nNULL | 1 | NULL", "-1 | a | 1 | 2\na | 5 | 3\nc | 5 | 2", "-1 | b | 1 | 3\na | 9 | 2"},
			Want:   "NULL | 1 | NULL\na | 5 | 3\nc | 5 | 2\na | 9 | 2"})
	}
	optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k STRING")}, Broken: true, Reject: map[operators.Reason]int64{operators.BadRetraction: 1},
		Node: func(in nodes) operators.Node {
			return operators.NewProject(in[0], []expr.Expr{ex(funcs.Call("LOCALTIMESTAMP", nil, expr.Span{}))}, optest.Schema("at TIMESTAMP(3)").Fields)
		},
		Script: "now 1\nt -1|a\nstep\nnow 2\nt a\nend", Want: "-1 | 1\n+1 | 2"})
}

// Chance gives what it gave, also after a restore and in any order within a step.
func TestProjectRemembersChance(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{changes("t", "k STRING, v INT")},
		Node: func(in nodes) operators.Node {
			return operators.NewProject(in[0], []expr.Expr{col(in[0], 0), ex(funcs.Call("UUID", nil, expr.Span{})), ex(funcs.Call("RAND", nil, expr.Span{}))}, optest.Schema("k STRING, u STRING, r DOUBLE").Fields)
		},
		Script: "t a|1\nt +2|b|1\nt c|1\nstep\nt -1|a|1\nt -1|b|1\nt d|1\nstep\nt -1|b|1\nt -1|c|1\nt -1|d|1\nend", Want: ""})
}

func TestProjectRemembersOnlyUpdates(t *testing.T) {
	uuid, appended, keyed := ex(funcs.Call("UUID", nil, expr.Span{})), optest.Source(in("t", "k INT")), optest.Source(optest.Input{Name: "t", Schema: "k INT, v INT", Mode: operators.Upsert, Keys: [][]int{{1}}})
	field := []batch.Field{{Name: "u", Type: batch.TypeString}}
	if n := operators.NewProject(appended, []expr.Expr{uuid}, field); n.State != "none" || n.Place(0).Kind != operators.Stay {
		t.Errorf("append: state %s, place %v", n.State, n.Place(0))
	}
	if n := operators.NewProject(keyed, []expr.Expr{col(keyed, 0)}, optest.Schema("k INT").Fields); n.State != "none" || n.Place(0).Kind != operators.Stay {
		t.Errorf("a function of the row: state %s, place %v", n.State, n.Place(0))
	}
	if n := operators.NewProject(keyed, []expr.Expr{uuid}, field); n.State == "none" || !slices.Equal(n.Place(0).Keys, []int{1}) {
		t.Errorf("updates: state %s, place %v", n.State, n.Place(0))
	}
}

// What the state below forgets is forgotten with it.
func TestProjectForgets(t *testing.T) {
	optest.Run(t, optest.Case{In: []optest.Input{in("t", "k STRING, v INT")}, Broken: true,
		Node: func(in nodes) operators.Node {
			a := groupBy(in[0], []int{0}, agg(in[0], "SUM", false, -1, 1))
			a.SetTTL(1_000_000)
			return operators.NewProject(a, []expr.Expr{col(a, 0), ex(funcs.Call("LOCALTIMESTAMP", nil, expr.Span{})), col(a, 1)}, optest.Schema("k STRING, at TIMESTAMP(3), s INT").Fields)
		},
		Script: "now 1\nt a|1\nt b|1\nstep\nnow 1.9\nt a|1\nstep\nnow 2.8\nt a|1\nt b|2\nend",
		Want:   "a | 2.8 | 3\nb | 1 | 1\nb | 2.8 | 2"})
}
