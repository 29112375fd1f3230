package treeprint

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// fake is a node of a drawn plan.
type fake struct {
	operators.Props
	operators.PassWM
	op, detail string
	place      operators.Placement
}

func (f *fake) Op() string                                     { return f.op }
func (f *fake) Detail() string                                 { return f.detail }
func (f *fake) Place(int) operators.Placement                  { return f.place }
func (f *fake) New(*operators.Env) (operators.Operator, error) { panic("BUG: not run") }
func (f *fake) With(in []operators.Node) operators.Node        { panic("BUG: not changed") }
func plan(op, detail string, p operators.Props, k ...int) *fake {
	p.Schema = batch.NewSchema(batch.Field{Name: "k", Type: batch.TypeString}, batch.Field{Name: "n", Type: batch.TypeBigInt})
	f := &fake{Props: p, op: op, detail: detail}
	if len(k) > 0 {
		f.place = operators.Placement{Kind: operators.ByKey, Keys: k}
	}
	return f
}

// Two sinks share an aggregate over one scan.
func shared() []operators.Node {
	scan := plan("scan", "orders", operators.Props{})
	agg := plan("aggregate", `by k, COUNT(*) > "1"`, operators.Props{In: []operators.Node{scan}, Mode: operators.Upsert, Keys: [][]int{{0}}, State: "unbounded", Ident: "x"}, 0)
	return []operators.Node{
		plan("sink", "a", operators.Props{In: []operators.Node{agg}, Mode: operators.Retract}),
		plan("sink", "b", operators.Props{In: []operators.Node{agg}}),
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := Text(&b, shared()); err != nil {
		t.Fatal(err)
	}
	want := `#3 sink a  mode=retract by=any state=none
  #2 aggregate by k, COUNT(*) > "1"  mode=upsert(k) by=key(k) state=unbounded
    #1 scan orders  mode=append by=any state=none
#4 sink b  mode=append by=any state=none
  → #2
`
	if b.String() != want {
		t.Fatalf("got\n%swant\n%s", b.String(), want)
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := JSON(&b, shared()); err != nil {
		t.Fatal(err)
	}
	var doc struct{ Nodes []Node }
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil || len(doc.Nodes) != 4 {
		t.Fatalf("%v: %s", err, b.String())
	}
	if !strings.Contains(b.String(), `{"id":2,"op":"aggregate","detail":"by k, COUNT(*) > \"1\"","inputs":[1],"mode":"upsert(k)","key":["k"],"by":"key(k)","state":"unbounded","identity":"x"}`) {
		t.Fatal(b.String())
	}
	if !strings.Contains(b.String(), `"id":1,"op":"scan","detail":"orders","inputs":[],"mode":"append","key":[]`) {
		t.Fatal(b.String())
	}
}

func TestDot(t *testing.T) {
	var b strings.Builder
	if err := Dot(&b, shared()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"digraph plan {", `COUNT(*) > \"1\"\nmode`, "n1 -> n2;", "n2 -> n3;", "n2 -> n4;"} {
		if !strings.Contains(b.String(), want) {
			t.Fatalf("no %q in\n%s", want, b.String())
		}
	}
}
