package optest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// Case is one test of a plan.
//
// Script has a line for each thing that happens: "NAME ROW" (a row of an input,
// see Parse), "NAME wm 10" (its watermark after this step), "now 5" (step time),
// "step" (the end of a step), "end" (all inputs end, which ends the last step).
type Case struct {
	In     []Input
	Node   func(in []operators.Node) operators.Node
	Script string
	Want   string                     // the sum of all output
	Steps  []string                   // if set: the sum of each step's output, in the configuration that changes nothing
	Reject map[operators.Reason]int64 // added rows that were rejected, by reason
	Err    string                     // if set: running fails with an error that contains this

	Ordered bool // the order of rows in a step matters: leave it
	AnyCuts bool // steps may be merged: lateness does not depend on them
	Broken  bool // the input takes away what was never there
	Alone   bool // one worker only
}

type event struct {
	input int
	row   row
}

type step struct {
	events []event
	wm     map[int]operators.WM
	now    int64
}

// config is one way to run a case.
type config struct {
	batch   int
	holes   bool // dead rows between live ones
	split   bool // a row of weight 2 in parts, with a detour
	minus   bool // deletions first
	workers int
	cut     int // rows a step; 0 = as written
	merge   bool
	restore bool
}

func (c config) String() string {
	return fmt.Sprintf("batch=%d,holes=%v,split=%v,minus=%v,workers=%d,cut=%d,merge=%v,restore=%v", c.batch, c.holes, c.split, c.minus, c.workers, c.cut, c.merge, c.restore)
}

// Run runs the case in all configurations.
func Run(t *testing.T, c Case) {
	t.Helper()
	steps := parse(c)
	base := config{batch: 1 << 20, workers: 1}
	if got := run(t, c, steps, base, true); got != "" {
		t.Fatalf("as written:\n%s", got)
	}
	for _, k := range configs(c) {
		if got := run(t, c, steps, k, false); got != "" {
			t.Fatalf("%s:\n%s", k, got)
		}
	}
}

func configs(c Case) []config {
	all := 1 << 20
	out := []config{
		{batch: 1, workers: 1}, {batch: 2, workers: 1, holes: true}, {batch: 7, workers: 1, split: true},
		{batch: all, workers: 1, cut: 1}, {batch: 2, workers: 1, cut: 3, holes: true},
		{batch: all, workers: 1, restore: true}, {batch: 2, workers: 1, cut: 1, restore: true, split: true},
	}
	if !c.Ordered {
		out = append(out, config{batch: all, workers: 1, minus: true}, config{batch: 1, workers: 1, minus: true, split: true})
	}
	if !c.Alone && !c.Ordered {
		out = append(out, config{batch: all, workers: 2}, config{batch: 2, workers: 3, holes: true, minus: true},
			config{batch: 1, workers: 4, cut: 2, restore: true}, config{batch: 7, workers: 4, split: true})
	}
	if c.AnyCuts {
		out = append(out, config{batch: all, workers: 1, merge: true}, config{batch: 2, workers: 1, merge: true, cut: 2})
	}
	return out
}

func parse(c Case) []step {
	byName, cols := map[string]int{}, make([]int, len(c.In))
	for i, in := range c.In {
		byName[in.Name] = i
		cols[i] = len(Schema(in.Schema).Fields)
	}
	steps := []step{{wm: map[int]operators.WM{}}}
	for line := range strings.Lines(c.Script) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cur := &steps[len(steps)-1]
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch word {
		case "step":
			steps = append(steps, step{wm: map[int]operators.WM{}, now: cur.now})
			continue
		case "now":
			cur.now = Time(rest)
			continue
		case "end":
			for i := range c.In {
				cur.wm[i] = operators.WMEnd
			}
			continue
		}
		i, ok := byName[word]
		if !ok {
			panic("BUG: test script names input " + word)
		}
		if at, ok := strings.CutPrefix(rest, "wm "); ok {
			cur.wm[i] = operators.WM(Time(at))
			continue
		}
		cur.events = append(cur.events, event{i, parseRow(rest, cols[i])})
	}
	return steps
}

// arrange changes the steps as the configuration says.
func arrange(steps []step, k config) []step {
	var out []step
	if k.merge {
		m := step{wm: map[int]operators.WM{}}
		for _, s := range steps {
			m.events = append(m.events, s.events...)
			for i, w := range s.wm {
				m.wm[i] = w
			}
			m.now = s.now
		}
		steps = []step{m}
	}
	for _, s := range steps {
		ev := slices.Clone(s.events)
		if k.minus {
			slices.SortStableFunc(ev, func(a, b event) int {
				if (a.row.w < 0) == (b.row.w < 0) {
					return 0
				}
				if a.row.w < 0 {
					return -1
				}
				return 1
			})
		}
		for k.cut > 0 && len(ev) > k.cut {
			out = append(out, step{events: ev[:k.cut], now: s.now})
			ev = ev[k.cut:]
		}
		out = append(out, step{events: ev, wm: s.wm, now: s.now})
	}
	return out
}

// run returns "" or what is wrong.
func run(t *testing.T, c Case, steps []step, k config, written bool) string {
	t.Helper()
	in := make([]operators.Node, len(c.In))
	for i, x := range c.In {
		in[i] = Source(x)
	}
	root := c.Node(in)
	steps = arrange(steps, k)
	g := newGraph(root, k.workers, steps[0].now)
	total, perStep := fold{}, fold{}
	var bad string
	p := root.Base()
	g.out = func(b *batch.Batch) {
		b.Each(func(i int) {
			if b.Weight(i) < 0 && p.Mode == operators.Append && !c.Broken {
				bad = "append node took away " + Text(b, i)
			}
			total.add(Text(b, i), b.Weight(i))
			perStep.add(Text(b, i), b.Weight(i))
		})
	}
	err := g.build()
	rng := rand.New(rand.NewPCG(7, uint64(k.batch)))
	for n := 0; n < len(steps) && err == nil; n++ {
		s := steps[n]
		g.now = s.now
		for i, w := range s.wm {
			g.wm[in[i]] = w
		}
		clear(perStep)
		if err = feed(g, in, s.events, k, rng); err == nil {
			err = g.endStep()
		}
		if err == nil && !c.Broken {
			if m := checkKeys(p, total); m != "" {
				return fmt.Sprintf("after step %d: %s", n+1, m)
			}
		}
		if written && c.Steps != nil && err == nil && n < len(c.Steps) {
			if got, want := perStep.lines(), wantFold(p.Schema, c.Steps[n]).lines(); got != want {
				return fmt.Sprintf("step %d gave\n%s\nwant\n%s", n+1, got, want)
			}
		}
		if k.restore && err == nil && n+1 < len(steps) {
			w := k.workers
			if w > 1 {
				w = 1 + (w+n)%4
			}
			err = g.restore(w)
		}
	}
	if c.Err != "" || err != nil {
		if err == nil || c.Err == "" || !strings.Contains(err.Error(), c.Err) {
			return fmt.Sprintf("error %v, want %q", err, c.Err)
		}
		return ""
	}
	if bad != "" {
		return bad
	}
	if got, want := total.lines(), wantFold(p.Schema, c.Want).lines(); got != want {
		return fmt.Sprintf("got\n%s\nwant\n%s", got, want)
	}
	for r := operators.Late; r <= operators.Refused; r++ {
		if g.rejects[r] != c.Reject[r] && !(k.split && g.rejects[r] >= c.Reject[r]) {
			return fmt.Sprintf("%d rows rejected as %s, want %d", g.rejects[r], r, c.Reject[r])
		}
	}
	return ""
}

// feed pushes the events: runs of one input make a batch.
func feed(g *graph, in []operators.Node, ev []event, k config, rng *rand.Rand) error {
	for len(ev) > 0 {
		n := 1
		for n < len(ev) && n < k.batch && ev[n].input == ev[0].input {
			n++
		}
		s := in[ev[0].input].Base().Schema
		var rows []row
		var sel []int32
		for _, e := range ev[:n] {
			for k.holes && rng.IntN(2) == 0 {
				rows = append(rows, row{w: 5, cells: e.row.cells})
			}
			parts := []int64{e.row.w}
			if k.split {
				parts = []int64{1, e.row.w - 1}
				if e.row.w < 0 {
					parts = []int64{-1, e.row.w + 1}
				}
			}
			for _, w := range parts {
				if w != 0 {
					sel = append(sel, int32(len(rows)))
					rows = append(rows, row{w: w, cells: e.row.cells})
				}
			}
		}
		b := build(s, rows)
		if k.holes {
			b.Sel = sel
		}
		if err := g.emit(in[ev[0].input], 0, b); err != nil {
			return err
		}
		ev = ev[n:]
	}
	return nil
}

// checkKeys tells what is wrong with the table as the node's mode and keys
// promise it.
func checkKeys(p *operators.Props, total fold) string {
	for text, w := range total {
		if w < 0 {
			return "row below zero: " + text
		}
		if w > 1 && len(p.Keys) > 0 {
			return "a row of a keyed table twice: " + text
		}
	}
	for _, key := range p.Keys {
		seen := map[string]string{}
		for text := range total {
			cells := strings.Split(text, " | ")
			var id []string
			for _, c := range key {
				id = append(id, cells[c])
			}
			s := strings.Join(id, " | ")
			if old, dup := seen[s]; dup {
				return fmt.Sprintf("two rows of key %v: %q and %q", key, old, text)
			}
			seen[s] = text
		}
	}
	return ""
}
