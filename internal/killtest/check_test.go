package killtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// faults collects what is wrong, a few lines of each kind.
type faults struct {
	n    map[string]int
	said []string
}

func (f *faults) add(kind, format string, args ...any) {
	if f.n == nil {
		f.n = map[string]int{}
	}
	if f.n[kind]++; f.n[kind] <= 5 {
		f.said = append(f.said, kind+": "+fmt.Sprintf(format, args...))
	}
}

func (f *faults) String() string {
	return fmt.Sprintf("%v\n%s", f.n, strings.Join(f.said, "\n"))
}

// decode reads a row, or notes what is none.
func (f *faults) decode(sink string, b []byte, to any) bool {
	if err := json.Unmarshal(b, to); err != nil {
		f.add(sink+": not JSON", "%s", b)
		return false
	}
	return true
}

// checkRows: every row once, in order by branch and key.
func (f *faults) checkRows(sink string, rows []row, want map[string]map[string][]int64) {
	got := map[string]map[string][]int64{}
	for _, x := range rows {
		if want[x.B][x.K] == nil {
			f.add(sink, "%s of key %q is not in the input", x.B, x.K)
			continue
		}
		add(got, x.B, x.K, x.N)
	}
	for _, b := range slices.Sorted(maps.Keys(want)) {
		for _, k := range slices.Sorted(maps.Keys(want[b])) {
			if g, w := got[b][k], want[b][k]; !slices.Equal(g, w) {
				lost, doubled := diff(g, w)
				f.add(sink, "%s of key %s: %d lost %v, %d doubled %v, of %d", b, k, len(lost), head(lost), len(doubled), head(doubled), len(w))
			}
		}
	}
}

func diff(got, want []int64) (lost, doubled []int64) {
	n := map[int64]int{}
	for _, x := range got {
		n[x]++
	}
	for _, x := range want {
		if n[x] == 0 {
			lost = append(lost, x)
		}
	}
	for x, c := range n {
		if c > 1 {
			doubled = append(doubled, x)
		}
	}
	return lost, doubled
}

func head(x []int64) []int64 { return x[:min(5, len(x))] }

// checkLetters: every record once.
func (f *faults) checkLetters(sink string, got, want []string) {
	n := map[string]int{}
	for _, v := range want {
		n[v]++
	}
	for _, v := range got {
		if n[v]--; n[v] < 0 {
			f.add(sink, "%s doubled, or not in the input", v)
		}
	}
	for _, v := range want {
		if n[v] > 0 {
			f.add(sink, "%s lost", v)
		}
	}
}

// checkTotals: by key strictly rising, to the truth.
func (f *faults) checkTotals(sink string, recs []*kgo.Record, want map[string]int64) {
	last := map[string]int64{}
	for _, r := range recs {
		var x struct {
			K string `json:"k"`
			C int64  `json:"c"`
		}
		if !f.decode(sink, r.Value, &x) {
			continue
		}
		if x.C <= last[x.K] {
			f.add(sink, "key %s: %d after %d at offset %d", x.K, x.C, last[x.K], r.Offset)
		}
		last[x.K] = x.C
	}
	if !maps.Equal(last, want) {
		f.add(sink, "end at %v, want %v", last, want)
	}
}

// change is a debezium-json record of the two changelog sinks.
type change struct {
	Before, After *struct {
		K string `json:"k"`
		C int64  `json:"c"`
	}
	Op string
}

// checkChain: by key every -old is the +new before it; ends at the truth.
func (f *faults) checkChain(sink string, lines [][]byte, want map[string]int64) {
	last := map[string]int64{}
	for _, l := range lines {
		var x change
		if !f.decode(sink, l, &x) {
			continue
		}
		switch {
		case x.Op == "d" && x.Before != nil:
			if last[x.Before.K] != x.Before.C {
				f.add(sink, "key %s: takes %d away, but shows %d", x.Before.K, x.Before.C, last[x.Before.K])
			}
			last[x.Before.K] = 0
		case x.Op == "c" && x.After != nil:
			if last[x.After.K] != 0 {
				f.add(sink, "key %s: adds %d, but shows %d", x.After.K, x.After.C, last[x.After.K])
			}
			last[x.After.K] = x.After.C
		default:
			f.add(sink, "unexpected %s", l)
		}
	}
	if !maps.Equal(last, want) {
		f.add(sink, "end at %v, want %v", last, want)
	}
}

// checkJoined: every pair once.
func (f *faults) checkJoined(recs []*kgo.Record, want map[pair]string) {
	seen := map[pair]int{}
	for _, r := range recs {
		var x struct {
			K string `json:"k"`
			N int64  `json:"n"`
			V string `json:"v"`
		}
		if !f.decode("joined", r.Value, &x) {
			continue
		}
		p := pair{x.K, x.N}
		if v, ok := want[p]; !ok || v != x.V {
			f.add("joined", "%v with %q, the input says %q", p, x.V, v)
		}
		if seen[p]++; seen[p] > 1 {
			f.add("joined", "%v doubled", p)
		}
	}
	for p := range want {
		if seen[p] == 0 {
			f.add("joined", "%v lost", p)
		}
	}
}

// checkWindows: every window of every key once, with its count and bounds.
func (f *faults) checkWindows(recs []*kgo.Record, want map[window]sum) {
	seen := map[window]int{}
	for _, r := range recs {
		var x struct {
			W string `json:"w"`
			K string `json:"k"`
			sum
		}
		if !f.decode("windows", r.Value, &x) {
			continue
		}
		ms, err := unstamp(x.W)
		if err != nil {
			f.add("windows", "%v", err)
		}
		w := window{ms, x.K}
		if want[w] != x.sum {
			f.add("windows", "%v holds %v, want %v", w, x.sum, want[w])
		}
		if seen[w]++; seen[w] > 1 {
			f.add("windows", "%v doubled", w)
		}
	}
	for w := range want {
		if seen[w] == 0 {
			f.add("windows", "%v lost", w)
		}
	}
}
