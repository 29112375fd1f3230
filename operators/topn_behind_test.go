package operators_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/optest"
)

// Many rows of few partitions, the ends of BIGINT and NULL among them and many tied,
// against a sorted list of all that came: what is dropped unseen would not be shown.
func TestTopNDropsOnlyWhatIsBehind(t *testing.T) {
	type row struct {
		id   int
		o    int64
		null bool
	}
	for seed := range uint64(16) {
		r := rand.New(rand.NewPCG(seed, 9))
		desc, nulls := seed&1 != 0, seed&2 != 0
		list := map[string][]row{}
		var s strings.Builder
		for id := range 400 {
			p := []string{"a", "b", "NULL"}[r.IntN(3)]
			x := row{id: id, o: r.Int64N(60) - 30}
			switch r.IntN(30) {
			case 0:
				x.o = math.MinInt64
			case 1:
				x.o = math.MaxInt64
			case 2:
				x.null = nulls
			}
			text := strconv.FormatInt(x.o, 10)
			if x.null {
				text = "NULL"
			}
			fmt.Fprintf(&s, "t %s|%d|%s\n", p, id, text)
			list[p] = append(list[p], x)
			if r.IntN(20) == 0 {
				s.WriteString("step\n")
			}
		}
		const top = 4
		var want []string
		for p, v := range list {
			slices.SortStableFunc(v, func(a, b row) int {
				if desc {
					a, b = b, a
				}
				switch {
				case a.null && b.null:
					return 0
				case a.null:
					return -1
				case b.null:
					return 1
				}
				return cmp.Compare(a.o, b.o)
			})
			for k, x := range v[:min(top, len(v))] {
				o := strconv.FormatInt(x.o, 10)
				if x.null {
					o = "NULL"
				}
				want = append(want, fmt.Sprintf("%s|%d|%s|%d", p, x.id, o, k+1))
			}
		}
		t.Run(fmt.Sprintf("%d/desc=%v,nulls=%v", seed, desc, nulls), func(t *testing.T) {
			optest.Run(t, optest.Case{In: []optest.Input{in("t", "p STRING, id INT, o BIGINT")}, Script: s.String() + "end", Want: strings.Join(want, "\n"),
				Node: func(in nodes) operators.Node {
					return operators.NewTopN(in[0], []int{0}, []operators.OrderKey{{Col: 2, Desc: desc}}, 1, top, true, "rn")
				}})
		})
	}
}
