package main

import (
	"io"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func change(t *testing.T, v *devView, w int64, a int64, s string) {
	t.Helper()
	b := batch.New(v.schema, 1)
	b.Cols[0].AppendInt(a)
	b.Cols[1].AppendString(s)
	b.AddWeight(w)
	if err := v.push(connectors.Changes{B: b}); err != nil {
		t.Fatal(err)
	}
}

// A view shows its newest rows, netted, below the names of its columns.
func TestDevView(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "n", Type: batch.TypeInt}, batch.Field{Name: "city", Type: batch.TypeString})
	v := &devView{name: "out", schema: schema, rows: map[string]*devRow{}, out: io.Discard}
	change(t, v, 1, 100, "Bern")
	change(t, v, 2, 2, "Basel")
	change(t, v, 1, 3, "Chur")
	change(t, v, -1, 3, "Chur")
	change(t, v, -1, 2, "Basel")
	title, lines := v.table(10)
	if want := "  n  city\n  2  Basel\n100  Bern"; title != "out: 2 rows, 5 changes" || strings.Join(lines, "\n") != want {
		t.Errorf("%s\n%s\nwant\n%s", title, strings.Join(lines, "\n"), want)
	}
	if _, lines := v.table(1); len(lines) != 2 || lines[1] != "  2  Basel" && lines[1] != "2  Basel" {
		t.Errorf("%q", lines)
	}
	u := &devView{name: "out", schema: schema, key: []int{0}, rows: map[string]*devRow{}, out: io.Discard}
	change(t, u, 1, 1, "Bern")
	change(t, u, 1, 1, "Basel")
	change(t, u, 1, 2, "Chur")
	change(t, u, -1, 2, "")
	if title, lines := u.table(10); title != "out: 1 rows, 4 changes" || lines[1] != "1  Basel" {
		t.Errorf("%s %q", title, lines)
	}
	for i := range int64(3 * keptRows) {
		change(t, v, 1, i, "x")
	}
	if title, _ := v.table(1); !strings.HasPrefix(title, "out: the last ") || len(v.rows) > 2*keptRows {
		t.Errorf("%s, %d rows are kept", title, len(v.rows))
	}
}

// The picture is never higher or wider than the terminal.
func TestDevPicture(t *testing.T) {
	var out strings.Builder
	v := &devView{name: "out", schema: batch.NewSchema(batch.Field{Name: "n", Type: batch.TypeInt}, batch.Field{Name: "city", Type: batch.TypeString}), rows: map[string]*devRow{}, out: io.Discard}
	for i := range int64(50) {
		change(t, v, 1, i, strings.Repeat("x", 60))
	}
	d := &dev{app: &app{stdout: &out}, file: "a.sql", shown: &devViews{list: []*devView{v, v}}, problem: "error: something\nis wrong\n"}
	d.draw(40, 24)
	lines := strings.Split(out.String(), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines", len(lines))
	}
	for _, want := range []string{"streamd dev a.sql", "error: something", "out: 50 rows, 50 changes", " n  city"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
