package operators_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/optest"
)

// noSource is a source that only has an Info.
type noSource struct{ connectors.Source }

func (noSource) Info() connectors.SourceInfo { return connectors.SourceInfo{} }
func (noSource) Splits(context.Context) ([]connectors.Split, error) {
	return nil, nil
}

// scanOf is a table (ts TIMESTAMP(3), k INT, w AS k + 1), watermark ts - 2 s.
func scanOf(t *testing.T, change func(*operators.ScanSpec)) *operators.Scan {
	t.Helper()
	s := optest.Schema("ts TIMESTAMP(3) ROWTIME, k INT, w INT")
	delay, err := expr.Interval("2", "SECOND")
	if err != nil {
		t.Fatal(err)
	}
	spec := operators.ScanSpec{Table: "t", Source: noSource{}, Schema: s, Physical: 2,
		Computed: []expr.Expr{ex(expr.Arith("+", expr.NewCol(1, s.Fields[1]), lit(1)))},
		WMExpr:   ex(expr.Arith("-", expr.NewCol(0, s.Fields[0]), delay))}
	change(&spec)
	return operators.NewScan(spec)
}

type scanRun struct {
	op       *operators.ScanOp
	n        *operators.Scan
	now      int64
	prev     operators.WM
	rejected []string
}

func startScan(t *testing.T, n *operators.Scan) *scanRun {
	t.Helper()
	r := &scanRun{n: n, prev: operators.WMStart}
	op, err := n.New(&operators.Env{Workers: 1, Now: func() int64 { return r.now }, Prev: func(int) operators.WM { return r.prev },
		Reject: func(x operators.Reject) error {
			for _, e := range x.Rows {
				r.rejected = append(r.rejected, e.Code)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	r.op = op.(*operators.ScanOp)
	return r
}

// push gives the rows of runs (split, then as many rows as lines) and returns
// what came out.
func (r *scanRun) push(t *testing.T, runs []batch.Run, rows string) string {
	t.Helper()
	b := optest.Parse(r.n.ReaderSchema(), rows)
	b.Runs = runs
	var out []string
	if err := r.op.Push(0, b, func(b *batch.Batch) error {
		b.Each(func(i int) { out = append(out, optest.Text(b, i)) })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func wmOf(s string) operators.WM { return operators.WM(optest.Time(s)) + 1000 }

func TestScanWatermarks(t *testing.T) {
	r := startScan(t, scanOf(t, func(s *operators.ScanSpec) { s.IdleTimeout = 5e6; s.FutureSkew = 100e6 }))
	r.op.Open(0, operators.WMStart, false)
	r.op.Open(1, 77, false)
	got := r.push(t, []batch.Run{{Split: 0, From: 0, To: 2}, {Split: 1, From: 2, To: 3}}, "10|1\n9|NULL\n200|3")
	if got != "10 | 1 | 2\n9 | NULL | NULL\n200 | 3 | 4" {
		t.Error(got)
	}
	if w, _ := r.op.SplitWM(0); w != wmOf("8") {
		t.Errorf("split 0: %d", w)
	}
	if w, _ := r.op.SplitWM(1); w != 77 || r.op.Future != 1 {
		t.Errorf("a row too far ahead moved split 1 to %d, counted %d", w, r.op.Future)
	}
	if r.op.Due() != 5e6 {
		t.Errorf("due %d", r.op.Due())
	}
	r.now = 4_999_999
	r.op.EndStep(nil, nil)
	if _, idle := r.op.SplitWM(0); idle {
		t.Error("idle too early")
	}
	r.push(t, []batch.Run{{Split: 1, From: 0, To: 1}}, "11|1")
	r.now = 5e6
	r.op.EndStep(nil, nil)
	_, idle0 := r.op.SplitWM(0)
	w1, idle1 := r.op.SplitWM(1)
	if !idle0 || idle1 || w1 != wmOf("9") {
		t.Errorf("idle %v %v, split 1 at %d", idle0, idle1, w1)
	}
	r.push(t, []batch.Run{{Split: 0, From: 0, To: 1}}, "3|1")
	if w, idle := r.op.SplitWM(0); idle || w != wmOf("8") {
		t.Errorf("woken: idle %v, %d (a watermark never falls)", idle, w)
	}
}

func TestScanOnEvent(t *testing.T) {
	n := scanOf(t, func(s *operators.ScanSpec) { s.OnEvent = true })
	if got := n.Schema.String(); !strings.Contains(got, "w INT, $wm") {
		t.Error(got)
	}
	r := startScan(t, n)
	r.op.Others = func(split int) operators.WM { return operators.WM(30e6) }
	r.prev = operators.WM(5e6)
	// $wm is the watermark before the row: own split exact, not below the table's
	// last, not above the other splits'.
	got := r.push(t, []batch.Run{{Split: 0, From: 0, To: 5}}, "10|1\n9|1\n40|1\n41|1\n1|1")
	want := "10 | 1 | 2 | 5000000\n9 | 1 | 2 | 8001000\n40 | 1 | 2 | 8001000\n41 | 1 | 2 | 30000000\n1 | 1 | 2 | 30000000"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestScanRowErrors(t *testing.T) {
	r := startScan(t, scanOf(t, func(s *operators.ScanSpec) {}))
	got := r.push(t, []batch.Run{{Split: 0, From: 0, To: 3}}, "NULL|1\n50|2147483647\n10|2")
	if got != "10 | 2 | 3" || len(r.rejected) != 2 || r.rejected[1] != operators.CodeNullTime && r.rejected[0] != operators.CodeNullTime {
		t.Errorf("%q, rejected %v", got, r.rejected)
	}
	if w, _ := r.op.SplitWM(0); w != wmOf("8") {
		t.Errorf("a failed row moved the watermark to %d", w)
	}
	if r.op.Due() != math.MaxInt64 {
		t.Error("due without idle timeout")
	}
}

func TestScanPlan(t *testing.T) {
	n := scanOf(t, func(s *operators.ScanSpec) {
		s.Want = connectors.Want{Cols: []bool{true, false}, Pos: true}
		s.PrimaryKey = []int{1}
	})
	if got := n.Op() + " " + n.Detail(); !strings.HasPrefix(got, "scan t (ts) watermark ts AS ") {
		t.Error(got)
	}
	if n.Schema.Fields[3].Name != "$pos" || n.ReaderSchema().Fields[2].Name != "$pos" || n.Keys[0][0] != 1 || n.Mode != operators.Append {
		t.Errorf("%s %v %v", n.Schema, n.Keys, n.Mode)
	}
}
