package funcs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/expr/exprtest"
	"github.com/streamd/streamd/operators/funcs"
)

// TestArraysAgreeWithSlices holds the functions of arrays to loops over slices of texts.
func TestArraysAgreeWithSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	array := func() []string {
		a := make([]string, 1+r.IntN(6))
		for i := range a {
			if a[i] = strconv.Itoa(r.IntN(5) - 2); r.IntN(4) == 0 {
				a[i] = "NULL"
			}
		}
		return a
	}
	sql := func(a []string) string { return "CAST(ARRAY[" + strings.Join(a, ", ") + "] AS ARRAY<INT>)" }
	once := func(a []string) (out []string) {
		for _, x := range a {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		return out
	}
	keep := func(a []string, f func(string) bool) (out []string) {
		for _, x := range a {
			if f(x) {
				out = append(out, x)
			}
		}
		return out
	}
	less := func(x, y string) int { // NULL first
		if x == "NULL" || y == "NULL" {
			return map[bool]int{true: -1, false: 1}[x == "NULL"] * map[bool]int{true: 0, false: 1}[x == y]
		}
		a, _ := strconv.Atoi(x)
		b, _ := strconv.Atoi(y)
		return a - b
	}
	for range 400 {
		a, b, x := array(), array(), array()[0]
		from, to := r.IntN(15)-7, r.IntN(15)-7
		var slice []string
		for i := range a {
			at := func(p int) int {
				if p < 0 {
					return len(a) + 1 + p
				}
				return p
			}
			last := at(to)
			if last == 0 {
				last = 1
			}
			if i+1 >= at(from) && i+1 <= last {
				slice = append(slice, a[i])
			}
		}
		sorted := slices.SortedStableFunc(slices.Values(a), less)
		back := slices.Clone(sorted)
		slices.Reverse(back)
		for _, c := range []struct {
			call string
			want []string
		}{
			{"ARRAY_CONCAT(%[1]s, %[2]s)", slices.Concat(a, b)}, {"ARRAY_UNION(%[1]s, %[2]s)", once(slices.Concat(a, b))}, {"ARRAY_DISTINCT(%[1]s)", once(a)},
			{"ARRAY_EXCEPT(%[1]s, %[2]s)", once(keep(a, func(s string) bool { return !slices.Contains(b, s) }))},
			{"ARRAY_INTERSECT(%[1]s, %[2]s)", once(keep(a, func(s string) bool { return slices.Contains(b, s) }))},
			{"ARRAY_REMOVE(%[1]s, %[3]s)", keep(a, func(s string) bool { return s != x })}, {"ARRAY_APPEND(%[1]s, %[3]s)", append(slices.Clone(a), x)}, {"ARRAY_PREPEND(%[1]s, %[3]s)", append([]string{x}, a...)},
			{"ARRAY_SLICE(%[1]s, %[4]d, %[5]d)", slice}, {"ARRAY_SORT(%[1]s)", sorted}, {"ARRAY_SORT(%[1]s, FALSE)", back},
		} {
			text := fmt.Sprintf(c.call, sql(a), sql(b), x, from, to)
			text, _, _ = strings.Cut(text, "%!(EXTRA")
			if got, want := value(t, text), "["+strings.Join(c.want, ", ")+"]"; got != want {
				t.Fatalf("%s\n got %s\nwant %s", text, got, want)
			}
		}
	}
}

// TestPrintfAgreesWithGo compares what both write alike.
func TestPrintfAgreesWithGo(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 2))
	for range 3000 {
		flags := []string{"", "-", "0", "+", " ", "+0", "-+"}[r.IntN(7)]
		width := []string{"", "1", "5", "12"}[r.IntN(4)]
		if width == "" {
			flags = strings.Trim(flags, "-0")
		}
		n, f := r.IntN(2_000_000)-1_000_000, r.NormFloat64()*1000
		for _, c := range []struct{ format, sql, want string }{
			{"%" + flags + width + "d", strconv.Itoa(n), fmt.Sprintf("%"+flags+width+"d", n)},
			{"%" + flags + width + ".3f", strconv.FormatFloat(f, 'e', -1, 64), fmt.Sprintf("%"+flags+width+".3f", f)},
			{"%" + flags + width + ".2e", strconv.FormatFloat(f, 'e', -1, 64), fmt.Sprintf("%"+flags+width+".2e", f)},
			{"%" + strings.Trim(flags, "+0 ") + width + "s", fmt.Sprintf("'é%d'", n), fmt.Sprintf("%"+strings.Trim(flags, "+0 ")+width+"s", fmt.Sprintf("é%d", n))},
		} {
			text := fmt.Sprintf("PRINTF('%s', %s)", c.format, c.sql)
			if got := value(t, text); got != c.want {
				t.Fatalf("%s\n got %q\nwant %q", text, got, c.want)
			}
		}
	}
}

// TestDateFormatOfManyRows holds DATE_FORMAT, which makes one text for times that
// follow each other within a unit of its pattern, to Go's formatting row by row.
func TestDateFormatOfManyRows(t *testing.T) {
	layouts := [][2]string{{"yyyy-MM-dd", "2006-01-02"}, {"HH:mm", "15:04"}, {"yyyy/MM/dd hh a", "2006/01/02 03 PM"}, {"EEE D", ""},
		{"dd HH:mm:ss", "02 15:04:05"}, {"ss.SSSSSS", "05.000000"}, {"kk 'at' MMM", ""}, {"yy", "06"}}
	r := rand.New(rand.NewPCG(3, 1))
	s := batch.NewSchema(batch.Field{Name: "ts", Type: batch.Type{SQL: batch.Timestamp, P: 6}}, batch.Field{Name: "p", Type: batch.TypeString})
	parse := func(text string) *expr.Prog {
		e, err := exprtest.Parser{Schema: s, Call: funcs.Call}.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return expr.Compile([]expr.Expr{e})
	}
	for round := range 200 {
		p := layouts[r.IntN(len(layouts))]
		fixed := parse("DATE_FORMAT(ts, '" + strings.ReplaceAll(p[0], "'", "''") + "')")
		mixed := parse("DATE_FORMAT(ts, p)")
		b := batch.New(s, 0)
		var want [2][]string
		at := r.Int64N(8e15) - 4e15
		for range 50 {
			at += []int64{0, 1, 999, 1e6, 59e6, 3599e6, 86399e6, -86400e6}[r.IntN(8)]
			q := layouts[r.IntN(2)]
			b.Cols[0].AppendInt(at)
			b.Cols[1].AppendString(q[0])
			b.N++
			for k, l := range [][2]string{p, q} {
				tm := time.UnixMicro(at).UTC()
				text := tm.Format(l[1])
				switch l[0] {
				case "EEE D":
					text = tm.Format("Mon ") + strconv.Itoa(tm.YearDay())
				case "kk 'at' MMM":
					text = fmt.Sprintf("%02d at %s", (tm.Hour()+23)%24+1, tm.Format("Jan"))
				}
				want[k] = append(want[k], text)
			}
		}
		for k, prog := range []*expr.Prog{fixed, mixed} {
			for range 2 { // scratch memory is used again
				cols, _ := prog.Eval(&expr.Ctx{}, b, nil)
				for i := range b.N {
					if got := string(cols[0].Bytes(i)); got != want[k][i] {
						t.Fatalf("round %d, pattern %q, row %d, %s: %q, want %q", round, p[0], i, time.UnixMicro(b.Cols[0].I[i]).UTC(), got, want[k][i])
					}
				}
			}
		}
	}
}
