package funcs_test

import (
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/expr/exprtest"
	"github.com/streamd/streamd/operators/funcs"
)

// aggregate evaluates "SUM(x) of 1, NULL, 2": the values are the elements of an array.
func aggregate(t *testing.T, text string) string {
	t.Helper()
	call, vals, ok := strings.Cut(text, " of ")
	name, _, paren := strings.Cut(call, "(")
	f, known := funcs.LookupAgg(name)
	if !ok || !paren || !known {
		t.Fatalf("%s is not a call of an aggregate over values", text)
	}
	e, err := exprtest.Parser{Call: funcs.Call}.Parse("ARRAY[" + vals + "]")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	arr, err := expr.EvalConst(e, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	from, to := arr.Span(0)
	x := batch.NewVec(e.Type().Fields[0].Type, to-from)
	seq := batch.Vec{Kind: batch.Int}
	for i := from; i < to; i++ {
		x.AppendFrom(&arr.Child[0], i)
		seq.AppendInt(int64(i))
	}
	a, err := f.Bind([]batch.Type{e.Type().Fields[0].Type}, false)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p := &batch.Page{}
	for _, s := range a.State {
		v := batch.NewVec(s.Type, 1)
		if v.Kind == batch.Str {
			v.View = []uint64{0}
		} else {
			v.AppendNull()
			v.Null = nil
		}
		p.Cols = append(p.Cols, v)
	}
	ids, sel := make([]batch.RowID, x.Len()), []int32{}
	for i := range ids {
		sel = append(sel, int32(i))
	}
	a.Update([]*batch.Page{p}, 0, ids, []*batch.Vec{&x, &seq}[:1+b2i(a.Arrival)], nil, sel)
	out := batch.NewVec(a.Out, 1)
	a.Result([]*batch.Page{p}, 0, ids[:1], &out, func(_ int, msg string) { t.Errorf("%s: %s", text, msg) })
	if a.Out.NotNull && out.IsNull(0) {
		t.Errorf("%s: NULL of type %s", text, a.Out)
	}
	return string(out.AppendText(nil, 0, a.Out))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestAggregateExamples evaluates every aggregate's own example.
func TestAggregateExamples(t *testing.T) {
	for _, f := range funcs.AllAggs() {
		if f.Syntax == "" || f.Doc == "" || f.Example == "" {
			t.Errorf("%s is not documented", f.Name)
			continue
		}
		if !strings.HasPrefix(f.Example, f.Name+"(") {
			t.Errorf("the example of %s is about something else: %s", f.Name, f.Example)
		}
		if got := aggregate(t, f.Example); got != f.Result {
			t.Errorf("%s\n got %s\nwant %s", f.Example, got, f.Result)
		}
		for _, a := range f.Aliases {
			if g, ok := funcs.LookupAgg(strings.ToLower(a)); !ok || g.Name != f.Name {
				t.Errorf("%s is not found", a)
			}
		}
	}
}

func TestAggregateCases(t *testing.T) {
	for _, c := range [][2]string{
		{"LISTAGG(x) of CAST(NULL AS STRING)", "NULL"}, {"ARRAY_AGG(x) of CAST(NULL AS STRING)", "[NULL]"}, {"COLLECT(x) of CAST(NULL AS STRING)", "{}"},
		{"COLLECT(x) of 'x', NULL, '', 'y'", "{=1, x=1, y=1}"}, {"COLLECT(x) of 0e0, -0e0, 1.5e0", "{0.0=2, 1.5=1}"}, {"LISTAGG(x) of 'ä', '日本'", "ä,日本"},
		{"ARRAY_AGG(x) of ARRAY[1, NULL], NULL, ARRAY[2, 3]", "[[1, NULL], NULL, [2, 3]]"}, {"ARRAY_AGG(x) of TRUE, FALSE, NULL", "[true, false, NULL]"}, {"ARRAY_AGG(x) of 1.50, 12345678901234567890123.25", "[1.50, 12345678901234567890123.25]"},
		{"COLLECT(x) of ROW(1, 'a'), ROW(1, 'a'), ROW(0, 'b')", "{(0, b)=1, (1, a)=2}"}, {"ARRAY_AGG(x) of -9223372036854775807, 5", "[-9223372036854775807, 5]"},
		{"FIRST_VALUE(x) of 'b', 'a'", "b"}, {"LAST_VALUE(x) of CAST(NULL AS INT)", "NULL"}, {"FIRST_VALUE(x) of DATE '2024-02-29', DATE '2024-01-01'", "2024-02-29"},
		{"VAR_POP(x) of 1, 2, 4", "1"}, {"VAR_POP(x) of 0, 0, 2", "1"}, {"VAR_SAMP(x) of 1", "NULL"}, {"VAR_POP(x) of 7", "0"}, {"STDDEV_POP(x) of -3, 3", "3"}, {"STDDEV_SAMP(x) of 5e0", "NULL"},
		{"STDDEV_POP(x) of CAST(NULL AS INT)", "NULL"}, {"VAR_POP(x) of 1000000001e0, 1000000002e0, 1000000003e0, 1000000006e0", "3.5"}, {"VAR_POP(x) of 1e0, CAST('NaN' AS DOUBLE)", "NaN"},
		{"VAR_POP(x) of 1e200, 1e0", "NaN"}, {"VAR_POP(x) of 1e140, -1e140", "1e+280"}, {"VAR_POP(x) of 1.00, 2.00, 3.00, 6.00", "3.500000"}, {"STDDEV_SAMP(x) of 1.0, 2.0", "0.707107"}, {"VAR_SAMP(x) of 2.50, NULL, 2.50", "0.000000"}, {"VAR_POP(x) of 9223372036854775807, 9223372036854775806", "0"},
	} {
		if got := aggregate(t, c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}
