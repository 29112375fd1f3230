package operators_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

// distinctCalls are COUNT(DISTINCT x) and SUM(DISTINCT x) over column 2, each
// without a filter, with column 3 and with column 4 as one: n calls in turn.
func distinctCalls(in operators.Node, n int) (calls []operators.AggCall) {
	for i := range n {
		calls = append(calls, agg(in, []string{"COUNT", "SUM"}[i%2], true, []int{-1, 3, 4}[i%3], 2))
	}
	return calls
}

// TestDistinctAgreesWithSets holds DISTINCT aggregates to sets in a map: few and more
// than 64 calls, groups by texts (which are numbered) and by an integer, rows that are
// taken back and rows that are not, NULL as value, key and condition.
func TestDistinctAgreesWithSets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	for _, c := range []struct {
		name  string
		keys  []int
		calls int
		back  bool
	}{
		{"two texts", []int{0, 1}, 6, false}, {"two texts, taken back", []int{0, 1}, 6, true}, {"one text, many calls", []int{0}, 67, false},
		{"an integer", []int{5}, 6, false}, {"no key, many calls", nil, 130, false}, {"no key, taken back", nil, 6, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := in("t", "k STRING, d STRING, x INT, f BOOLEAN, g BOOLEAN, n BIGINT")
			if c.back {
				from = changes(from.Name, from.Schema)
			}
			script, want := distinctScript(r, c.keys, c.calls, c.back)
			optest.Run(t, optest.Case{In: []optest.Input{from}, Script: script, Want: want, Node: func(in nodes) operators.Node {
				return groupBy(in[0], c.keys, distinctCalls(in[0], c.calls)...)
			}})
		})
	}
}

// distinctScript makes up rows and what is left of them in the end.
func distinctScript(r *rand.Rand, keys []int, calls int, back bool) (script, want string) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var all [][]string
	var w strings.Builder
	for i := range 60 {
		if i%15 == 14 {
			w.WriteString("step\n")
		}
		if back && len(all) > 0 && r.IntN(3) == 0 {
			k := r.IntN(len(all))
			fmt.Fprintln(&w, "t -1 |", strings.Join(all[k], " | "))
			all = append(all[:k], all[k+1:]...)
			continue
		}
		row := []string{pick("a", "b", "NULL"), pick("2024-01-01", "2024-01-02"), pick("1", "2", "3", "4", "NULL"), pick("true", "false", "NULL"), pick("true", "false"), pick("7", "8")}
		fmt.Fprintln(&w, "t", strings.Join(row, " | "))
		all = append(all, row)
	}
	var order []string
	sets := map[string][3]map[string]bool{}
	for _, row := range all {
		var key string
		for _, k := range keys {
			key += row[k] + " | "
		}
		if _, ok := sets[key]; !ok {
			order = append(order, key)
			sets[key] = [3]map[string]bool{{}, {}, {}}
		}
		for k, yes := range []bool{true, row[3] == "true", row[4] == "true"} {
			if yes && row[2] != "NULL" {
				sets[key][k][row[2]] = true
			}
		}
	}
	for _, key := range order {
		cells := make([]string, calls)
		for i := range cells {
			set := sets[key][i%3]
			sum := 0
			for x := range set {
				sum += int(x[0] - '0')
			}
			cells[i] = fmt.Sprint([]int{len(set), sum}[i%2])
			if i%2 == 1 && len(set) == 0 {
				cells[i] = "NULL"
			}
		}
		want += key + strings.Join(cells, " | ") + "\n"
	}
	return w.String() + "end", want
}

// Values and groups that have expired count anew; the number of an expired group is
// not that of the group that follows it.
func TestDistinctTTL(t *testing.T) {
	for _, k := range []string{"STRING", "INT"} {
		optest.Run(t, optest.Case{In: []optest.Input{in("t", "k "+k+", x INT")},
			Node: func(in nodes) operators.Node {
				a := groupBy(in[0], []int{0}, agg(in[0], "COUNT", true, -1, 1))
				a.SetTTL(1_000_000)
				return a
			},
			Script: `
				t 1 | 5
				t 2 | 5
				step
				now 0.5
				t 1 | 6
				step
				now 1.1
				t 1 | 5
				t 1 | 6
				step
				now 3
				t 1 | 5
				t 1 | 6
				end`,
			Steps:  []string{"1 | 1\n2 | 1", "-1 | 1 | 1\n1 | 2", "-1 | 1 | 2\n1 | 3", "1 | 2"},
			Broken: true, Want: "1 | 3\n2 | 1\n1 | 2"})
	}
}
