package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine/simtest"
	"github.com/streamd/streamd/internal/fault"
	"github.com/streamd/streamd/operators"
)

// TestRandomPipelines: whatever the number of workers, the size of steps, the
// step cuts and the crash points, a random pipeline gives what the oracle says.
// STREAMD_SEED runs one seed, STREAMD_SOAK multiplies the work.
func TestRandomPipelines(t *testing.T) { simulations(t, simtest.Shape{}) }

// TestRandomPipelinesPeriodic: the same where watermarks move between steps, so
// that the cuts decide which rows are late: the engine's log of its steps tells
// the oracle.
func TestRandomPipelinesPeriodic(t *testing.T) { simulations(t, simtest.Shape{Periodic: true}) }

// TestRandomQuestions: the same for conditions that ask another query.
func TestRandomQuestions(t *testing.T) { simulations(t, simtest.Shape{Asks: true}) }

// TestRandomQuestionsPeriodic: the same where watermarks move between steps.
func TestRandomQuestionsPeriodic(t *testing.T) {
	simulations(t, simtest.Shape{Asks: true, Periodic: true})
}

func simulations(t *testing.T, s simtest.Shape) {
	n, first := uint64(150), uint64(1)
	if testing.Short() {
		n = 35
	}
	if k, err := strconv.ParseUint(os.Getenv("STREAMD_SOAK"), 10, 64); err == nil && k > 0 {
		n *= k
	}
	if s, err := strconv.ParseUint(os.Getenv("STREAMD_SEED"), 10, 64); err == nil {
		first, n = s, 1
	}
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed, s) })
	}
}

func simulate(t *testing.T, seed uint64, shape simtest.Shape) {
	r := rand.New(rand.NewPCG(seed, 11))
	tables := simtest.RandomTables(r, 20+r.IntN(400))
	if shape.Periodic {
		simtest.Deal(r, tables)
	}
	q, dress := simtest.Random(r, shape)
	text := simtest.Pipeline(q, dress, tables)
	w := simtest.NewWorld(tables)
	workers, most := 1+r.IntN(4), []int{1, 3, 20, 200, 4096}[r.IntN(5)]
	plan := func() *Plan {
		e, err := Open(t.Context(), Options{Connectors: []*connectors.Connector{w.Connector()}})
		if err != nil {
			t.Fatal(err)
		}
		p, ds := e.Compile("sim.sql", text, CompileOptions{})
		if p == nil {
			var s strings.Builder
			for _, d := range ds {
				fmt.Fprintf(&s, "%s %s at %v\n", d.Code, d.Message, d.Span)
			}
			t.Fatalf("seed %d does not compile:\n%s\n%s", seed, s.String(), text)
		}
		return p
	}
	o := JobOptions{Workers: workers}
	var turn atomic.Uint64
	o.cut = func() int { return 1 + rand.New(rand.NewPCG(seed, turn.Add(1))).IntN(most) }
	var k stepLog
	if shape.Periodic {
		o.watch = k.watch
	}
	c := &crashes{rng: rand.New(rand.NewPCG(seed, 12)), n: map[string]int{}}
	if r.IntN(3) > 0 {
		o.StateDir = t.TempDir()
		c.odds = []float64{0, 0.02, 0.15}[r.IntN(3)]
		fault.Hook(c.at)
		defer fault.Hook(nil)
	}
	starts := runUntilDone(t, plan, o)
	fault.Hook(nil)
	place := fmt.Sprintf("seed %d, %d workers, steps of up to %d rows, %d starts, crashes %v", seed, workers, most, starts, c.n)
	if shape.Periodic && k.err == nil {
		k.err = k.log.Check(tables)
	}
	if k.err != nil {
		t.Fatalf("%s: %v\n%s", place, k.err, text)
	}
	if d := simtest.Diff(w.Out("out"), simtest.Eval(q, tables, k.log)); d != "" || len(w.Faults) > 0 {
		t.Errorf("%s:\n%s\n%v\n%s", place, d, w.Faults, text)
	}
}

// stepLog notes each step of a job over all its incarnations; steps that a
// recovery does not build on are forgotten.
type stepLog struct {
	log simtest.Log
	err error
}

func (k *stepLog) watch(inc *incarnation) {
	s := simtest.Step{WM: map[string]int64{}, Read: map[string][]int{}, Done: map[string][]bool{}}
	for _, t := range inc.tables {
		name := t.scan.Spec.Table
		if _, ok := s.WM[name]; ok && k.err == nil {
			k.err = fmt.Errorf("table %s is read twice", name)
		}
		s.WM[name] = millis(t.wm)
		for _, x := range t.splits {
			n := 0
			if p := x.reader.Position(); p != nil {
				n = simtest.Rows(p)
			}
			s.Read[name] = append(s.Read[name], n)
			s.Done[name] = append(s.Done[name], x.done)
		}
	}
	if inc.steps > 0 {
		k.log = append(k.log, s)
		return
	}
	log, err := k.log.At(s)
	if k.log = log; err != nil && k.err == nil {
		k.err = err
	}
}

func millis(wm operators.WM) int64 {
	switch wm {
	case operators.WMStart:
		return simtest.Never
	case operators.WMEnd:
		return simtest.Ever
	}
	return int64(wm) / 1000
}
