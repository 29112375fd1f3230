package killtest

import (
	"encoding/json"
	"time"
)

// truth is what the committed input says each sink must hold.
type truth struct {
	loud    map[string]map[string][]int64 // by branch and key the rows in order
	both    map[string]map[string][]int64
	shelf   map[string]map[string][]int64
	racks   map[string]map[string][]int64
	total   map[string]int64 // records of kind 0
	less2   map[string]int64 // of kinds 0 and 1
	joined  map[pair]string
	windows map[window]sum

	undivided []string // records in which 100 / MOD(n, 7) fails
}

// row is a line of an append sink; branch B says which INSERT wrote it.
type row struct {
	B string `json:"b"`
	K string `json:"k"`
	N int64  `json:"n"`
}

type pair struct {
	k string
	n int64
}

type window struct {
	ms int64 // its start
	k  string
}

type sum struct {
	C  int64 `json:"c"`
	Lo int64 `json:"lo"`
	Hi int64 `json:"hi"`
}

const windowMs = 2000

var begin = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// stamp and unstamp write and read event times, in ms since begin.
func stamp(ms int64) string {
	return begin.Add(time.Duration(ms) * time.Millisecond).Format("2006-01-02 15:04:05.000")
}

func unstamp(s string) (int64, error) {
	t, err := time.Parse("2006-01-02 15:04:05", s) // takes a fraction, too
	return t.Sub(begin).Milliseconds(), err
}

// twin is the value that the record's row of the other topic holds.
func (x input) twin() (v string, ok bool) {
	return "v" + x.TS, x.Kind == 0 && x.N%8 == 0
}

func add(m map[string]map[string][]int64, branch, key string, n int64) {
	if m[branch] == nil {
		m[branch] = map[string][]int64{}
	}
	m[branch][key] = append(m[branch][key], n)
}

func truthOf(in []input) truth {
	rows := func() map[string]map[string][]int64 { return map[string]map[string][]int64{} }
	t := truth{rows(), rows(), rows(), rows(), map[string]int64{}, map[string]int64{}, map[pair]string{}, map[window]sum{}, nil}
	for _, x := range in {
		if x.Kind > 1 {
			continue
		}
		t.less2[x.K]++
		if x.N%7 == 0 {
			b, _ := json.Marshal(x)
			t.undivided = append(t.undivided, string(b))
		}
		if x.N%5 == 0 {
			add(t.racks, "r="+string(rune('0'+x.N%3)), x.K, x.N)
		}
		if x.Kind == 1 {
			add(t.both, "one", x.K, x.N)
			add(t.shelf, "one", x.K, x.N)
			if x.N%3 == 0 {
				add(t.shelf, "too", x.K, x.N)
			}
			continue
		}
		t.total[x.K]++
		add(t.loud, "", x.K, x.N)
		add(t.both, [...]string{"even", "odd"}[x.N%2], x.K, x.N)
		if x.N%4 == 0 {
			add(t.shelf, "four", x.K, x.N)
		}
		if v, ok := x.twin(); ok {
			t.joined[pair{x.K, x.N}] = v
		}
		w := window{x.ms / windowMs * windowMs, x.K}
		s := t.windows[w]
		if s.C == 0 {
			s.Lo = x.N
		}
		t.windows[w] = sum{s.C + 1, min(s.Lo, x.N), max(s.Hi, x.N)}
	}
	return t
}
