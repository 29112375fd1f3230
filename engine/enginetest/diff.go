package enginetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is a row of a Diff.
type Row struct {
	Text string // as it would be written in VALUES
	N    int64  // how often
	Line int    // where the test wants it; 0 for a row that nobody wants
}

func (r Row) String() string {
	if r.N > 1 {
		return fmt.Sprintf("%s  %d times", r.Text, r.N)
	}
	return r.Text
}

// Diff is how the rows of a table differ from those that were wanted.
type Diff struct{ Missing, Unexpected []Row }

// Empty tells that they do not.
func (d Diff) Empty() bool { return len(d.Missing)+len(d.Unexpected) == 0 }

// wanted is a row of EXPECT.
type wanted struct {
	row  *row
	line int
}

// compare lays wanted rows and those of a bag beside each other, by some columns.
func compare(want []wanted, got map[string]*row, cols []int, signed bool) (d Diff) {
	left := map[string]*row{}
	for _, r := range got {
		x := &row{N: r.N}
		for _, c := range cols {
			x.Keys, x.Texts = append(x.Keys, r.Keys[c]), append(x.Texts, r.Texts[c])
		}
		add(left, rowKey(x, nil), x, r.N)
	}
	missing := map[string]*Row{}
	for _, w := range want {
		k := rowKey(w.row, nil)
		n := int64(0)
		if r := left[k]; r != nil {
			n = r.N
		}
		if n*w.row.N > 0 {
			add(left, k, w.row, -w.row.N)
			continue
		}
		id := line(w.row, signed)
		if missing[id] == nil {
			missing[id] = &Row{Text: id, Line: w.line}
		}
		missing[id].N++
	}
	for _, m := range missing {
		d.Missing = append(d.Missing, *m)
	}
	slices.SortFunc(d.Missing, func(a, b Row) int { return cmp.Or(a.Line-b.Line, strings.Compare(a.Text, b.Text)) })
	for _, k := range slices.Sorted(maps.Keys(left)) {
		r := left[k]
		d.Unexpected = append(d.Unexpected, Row{Text: line(r, signed), N: max(r.N, -r.N)})
	}
	slices.SortFunc(d.Unexpected, func(a, b Row) int { return strings.Compare(a.Text, b.Text) })
	return d
}

// line writes a row as VALUES has it.
func line(r *row, signed bool) string {
	t := r.Texts
	if signed {
		sign := "'+'"
		if r.N < 0 {
			sign = "'-'"
		}
		t = append([]string{sign}, t...)
	} else if r.N < 0 {
		t = append([]string{"-"}, t...)
	}
	return "(" + strings.Join(t, ", ") + ")"
}
