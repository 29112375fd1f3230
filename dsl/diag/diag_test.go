package diag

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/source"
)

func TestRender(t *testing.T) {
	Register("SD2999", "a", "b", "c", "d")
	defer delete(registry, "SD2999")
	f := source.NewFile("surge.sql", strings.Repeat("\n", 11)+"SELECT cell, pric * 2 FROM rides\n")
	d := New("SD2999", f.Span(24, 28), "unknown column %q", "pric").WithLabel(`rides has no such column; did you mean "price"?`).
		WithHint("columns: ride_id, cell, price, ts")
	var b bytes.Buffer
	if err := Render(&b, f, d); err != nil {
		t.Fatal(err)
	}
	want := `error[SD2999]: unknown column "pric"
  --> surge.sql:12:14
   |
12 | SELECT cell, pric * 2 FROM rides
   |              ^^^^ rides has no such column; did you mean "price"?
   = columns: ride_id, cell, price, ts
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	if err := JSON(&b, []*Diagnostic{d}); err != nil {
		t.Fatal(err)
	}
	doc := `{"diagnostics":[{"code":"SD2999","severity":"error","message":"unknown column \"pric\"","file":"surge.sql",` +
		`"span":{"start":{"offset":24,"line":12,"column":14},"end":{"offset":28,"line":12,"column":18}},` +
		`"label":"rides has no such column; did you mean \"price\"?","hints":["columns: ride_id, cell, price, ts"],"expected":[]}]}` + "\n"
	if b.String() != doc {
		t.Errorf("got\n%swant\n%s", b.String(), doc)
	}
	b.Reset()
	if err := JSON(&b, nil); err != nil || b.String() != `{"diagnostics":[]}`+"\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestRenderLongLine(t *testing.T) {
	Register("SD2999", "a", "b", "c", "d")
	defer delete(registry, "SD2999")
	f := source.NewFile("x", strings.Repeat("a", 5000)+"ERR"+strings.Repeat("b", 5000))
	var b bytes.Buffer
	if err := Render(&b, f, New("SD2999", f.Span(5000, 5003), "m")); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	at := strings.Index(lines[4], "^^^")
	if len(lines[3]) > 200 || at < 0 || string([]rune(lines[3])[at:at+3]) != "ERR" {
		t.Errorf("%s", b.String())
	}
}

func TestSort(t *testing.T) {
	at := func(file string, off int) *Diagnostic {
		return &Diagnostic{File: file, Span: source.Span{Pos: source.Pos{Offset: off}}}
	}
	ds := []*Diagnostic{at("b", 1), at("a", 9), at("a", 10), at("a", 2)}
	Sort(ds)
	if ds[0].Span.Pos.Offset != 2 || ds[1].Span.Pos.Offset != 9 || ds[2].Span.Pos.Offset != 10 || ds[3].File != "b" {
		t.Errorf("%v", ds)
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct{ word, want string }{
		{"pric", "price"}, {"PRICE", "price"}, {"tsx", "ts"}, {"prc", ""}, {"x", ""}, {"rdie_id", "ride_id"}, {"quantity", ""}, {"", ""},
	} {
		if got := Near(c.word, []string{"ride_id", "cell", "price", "ts"}); got != c.want {
			t.Errorf("Near(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestRegistryIsComplete(t *testing.T) {
	for _, e := range All() {
		if e.Title == "" || e.Explanation == "" || e.Example == "" || e.WayOut == "" || Class(e.Code) == "" {
			t.Errorf("%s lacks something", e.Code)
		}
	}
}
