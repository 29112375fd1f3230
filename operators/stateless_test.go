package operators_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
	"github.com/streamd/streamd/operators/windows"
)

// col is column i of n as an expression.
func col(n operators.Node, i int) expr.Expr { return expr.NewCol(i, n.Base().Schema.Fields[i]) }

// ex unwraps the constructors of expressions.
func ex(e expr.Expr, err error) expr.Expr {
	if err != nil {
		panic(err)
	}
	return e
}

func lit(x int64) expr.Expr { return expr.Int(x, batch.TypeInt) }

func TestFilter(t *testing.T) {
	changed := []optest.Input{changes("t", "x INT, y INT")}
	over := func(n operators.Node) expr.Expr { // 10 / x > 1
		return ex(expr.Compare(">", ex(expr.Arith("/", lit(10), col(n, 0))), lit(1)))
	}
	optest.Run(t, optest.Case{In: changed,
		Node: func(in nodes) operators.Node {
			nonzero := ex(expr.Compare("<>", col(in[0], 0), lit(0)))
			return operators.NewFilter(in[0], ex(expr.And(nonzero, over(in[0]))))
		},
		Script: "t 0|1\nt +2|3|1\nt NULL|1\nt 20|1\nstep\nt -1|3|1\nend", Want: "3|1"})
	// A row that fails is rejected, and so is its deletion.
	optest.Run(t, optest.Case{In: changed,
		Node:   func(in nodes) operators.Node { return operators.NewFilter(in[0], over(in[0])) },
		Script: "t 0|1\nt 3|1\nstep\nt -1|0|1\nend", Want: "3|1", Reject: map[operators.Reason]int64{operators.Failed: 1}})
}

func TestProject(t *testing.T) {
	keyed := optest.Input{Name: "t", Schema: "k INT, v INT, $wm BIGINT", Mode: operators.Upsert, Keys: [][]int{{0}, {1}}}
	optest.Run(t, optest.Case{In: []optest.Input{keyed},
		Node: func(in nodes) operators.Node {
			return operators.NewProject(in[0], []expr.Expr{ex(expr.Arith("+", col(in[0], 1), lit(1))), col(in[0], 0)}, optest.Schema("w INT, k INT").Fields)
		},
		Script: "t 1|5|7\nt 2|NULL|8\nstep\nt -1|1|5|7\nt 1|9|9\nend", Want: "10|1|9\nNULL|2|8"})
	src := optest.Source(keyed)
	for _, c := range []struct {
		e    expr.Expr
		keys bool
	}{{col(src, 0), true}, {ex(expr.Cast(col(src, 0), batch.TypeString, false)), true}, {ex(expr.Arith("+", col(src, 0), lit(1))), false},
		{ex(expr.Cast(col(src, 0), batch.Type{SQL: batch.TinyInt}, false)), false}} {
		n := operators.NewProject(src, []expr.Expr{c.e}, []batch.Field{{Name: "x", Type: c.e.Type()}})
		if (n.Keys != nil) != c.keys || (n.Mode == operators.Upsert) != c.keys {
			t.Errorf("%s: keys %v, mode %v", c.e, n.Keys, n.Mode)
		}
	}
}

func TestUnionAll(t *testing.T) {
	a := optest.Input{Name: "a", Schema: "x INT, $wm BIGINT"}
	b := optest.Input{Name: "b", Schema: "y INT NOT NULL, $wm BIGINT"}
	optest.Run(t, optest.Case{In: []optest.Input{a, b}, Node: func(in nodes) operators.Node { return operators.NewUnionAll(in) },
		Script: "a 1|5\nb 1|6\na wm 9\nb wm 7\nstep\na 2|9000000\nb +2|3|6000000\nend",
		// Held back by the other input's watermark as of the last step.
		Want: "+2|1|-9223372036854775808\n2|7000000\n+2|3|6000000"})
	u := operators.NewUnionAll([]operators.Node{optest.Source(in("a", "ts TIMESTAMP(3) ROWTIME, x INT NOT NULL")), optest.Source(changes("b", "ts TIMESTAMP(3), x INT"))})
	if f := u.Schema.Fields; f[0].Time != batch.NoTime || f[1].Type.NotNull || u.Mode != operators.Retract {
		t.Errorf("%s %v", u.Schema, u.Mode)
	}
}

func TestValues(t *testing.T) {
	optest.Run(t, optest.Case{Node: func(nodes) operators.Node {
		b := optest.Parse(optest.Schema("a INT, b STRING"), "1|x\n2|NULL")
		return operators.NewValues(b.Schema, b.Cols, b.N)
	}, Script: "step\nstep\nend", Want: "1|x\n2|NULL"})
}

func TestWindowAssign(t *testing.T) {
	timed := []optest.Input{changes("t", "k INT, ts TIMESTAMP(3) ROWTIME, $wm BIGINT")}
	tvf := func(w windows.Spec) func(nodes) operators.Node {
		w.Col = 1
		return func(in nodes) operators.Node {
			return must(operators.NewWindowAssign(in[0], w, [3]string{"window_start", "window_end", "window_time"}))
		}
	}
	for _, c := range []struct {
		w    windows.Spec
		want string
	}{
		{tumble(10), "1|9.999|0|10|9.999|7\n+2|2|10|10|20|19.999|7"},
		{hop(5, 10), "1|9.999|0|10|9.999|7\n1|9.999|5|15|14.999|7\n+2|2|10|5|15|14.999|7\n+2|2|10|10|20|19.999|7"},
		{cumulate(5, 15), "1|9.999|0|10|9.999|7\n1|9.999|0|15|14.999|7\n+2|2|10|0|15|14.999|7"},
	} {
		optest.Run(t, optest.Case{In: timed, Node: tvf(c.w), Script: "t 1|9.999|7\nt +3|2|10|7\nt wm 100\nstep\nt -1|2|10|7\nt 3|NULL|7\nend",
			Want: c.want, Reject: map[operators.Reason]int64{operators.Failed: 1}})
	}
	n := tvf(tumble(10))([]operators.Node{optest.Source(timed[0])})
	if got := n.Base().Schema.String(); !strings.Contains(got, "window_start TIMESTAMP(3) NOT NULL, window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP(3) NOT NULL *ROWTIME*, $wm") {
		t.Error(got)
	}
	_, err := operators.NewWindowAssign(optest.Source(in("t", "k INT, ts TIMESTAMP(3)")), windows.Spec{Col: 1}, [3]string{})
	if pe, ok := err.(*operators.PlanError); !ok || pe.Code != operators.CodeNotTime {
		t.Errorf("window on a plain column: %v", err)
	}
}

func TestProducer(t *testing.T) {
	src := optest.Source(in("t", "k INT, v INT"))
	a := groupBy(src, []int{0}, agg(src, "COUNT", false, -1))
	f := operators.NewFilter(a, ex(expr.Compare("=", col(a, 0), lit(1))))
	u := operators.NewUnionAll([]operators.Node{src, f})
	if got := operators.Producer(u); got != "aggregate by k compute COUNT(*)" {
		t.Error(got)
	}
	_, err := operators.NewWindowJoin(operators.Inner, f, src, 0, 0, 0, 0, nil, nil, nil, nil)
	if pe, ok := err.(*operators.PlanError); !ok || pe.Code != operators.CodeUpdates || !strings.Contains(pe.Msg, "aggregate by k") {
		t.Errorf("window join over updates: %v", err)
	}
}

func TestKeysOfJoins(t *testing.T) {
	l := optest.Source(optest.Input{Name: "l", Schema: "a INT, b INT", Mode: operators.Upsert, Keys: [][]int{{0}}})
	r := optest.Source(optest.Input{Name: "r", Schema: "c INT, d INT", Mode: operators.Upsert, Keys: [][]int{{0}}})
	for _, c := range []struct {
		kind   operators.JoinKind
		lk, rk int
		keys   [][]int
	}{
		{operators.Inner, 1, 0, [][]int{{0}}}, {operators.Left, 1, 0, [][]int{{0}}}, {operators.Right, 1, 0, [][]int{{0, 2}}},
		{operators.Inner, 1, 1, [][]int{{0, 2}}}, {operators.Inner, 0, 1, [][]int{{2}}}, {operators.Left, 0, 1, [][]int{{0, 2}}},
		{operators.Inner, 0, 0, [][]int{{0}, {2}}},
	} {
		n := operators.NewJoin(c.kind, l, r, []int{c.lk}, []int{c.rk}, nil, nil)
		if !slices.EqualFunc(n.Keys, c.keys, slices.Equal[[]int]) {
			t.Errorf("%v on %d = %d: keys %v, want %v", c.kind, c.lk, c.rk, n.Keys, c.keys)
		}
	}
}
