package enginetest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// Start is the time at which the clock of a test begins.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world is what outlives the crashes of a job under test. The job's goroutines
// and the test's share it.
type world struct {
	now    atomic.Int64  // the clock, µs
	asked  atomic.Uint64 // how often the test has changed something
	active atomic.Int64  // how much was read or written: whether a step did something

	mu      sync.Mutex
	inputs  map[string]*input
	outputs map[string]*output
	wakes   []func() // of the running incarnation's sources
}

func newWorld() *world {
	w := &world{inputs: map[string]*input{}, outputs: map[string]*output{}}
	w.now.Store(Start.UnixMicro())
	return w
}

// input is a table that the pipeline reads. Its log grows only.
type input struct {
	schema  *batch.Schema
	key     []int
	changes connectors.Changelog
	log     []entry
}

// entry is a row of a statement, or a watermark: b is nil then.
type entry struct {
	b    *batch.Batch
	row  int
	w    int64
	last bool  // of its statement
	mark int64 // the watermark, µs
}

// output is a table that the pipeline writes, or a view that is looked at.
type output struct {
	schema *batch.Schema
	upsert bool // rows replace those of their primary key
	key    []int
	rows   map[string]*row // by value; by primary key for upserts
	shown  map[string]*row // when its changes were last looked at
	seen   map[connectors.EpochID]bool
}

// row is a row of an output and how often it is there.
type row struct {
	Keys  [][]byte // by column: equal bytes, equal values
	Texts []string // by column: as it would be written in VALUES
	N     int64
}

// clock is the engine's.
func (w *world) clock() time.Time { return time.UnixMicro(w.now.Load()) }

// forget is called before an incarnation's sources are made.
func (w *world) forget() {
	w.mu.Lock()
	w.wakes = nil
	w.mu.Unlock()
}

// replace returns a connector of the same name and options whose tables are in memory.
func (w *world) replace(c *connectors.Connector) *connectors.Connector {
	x := *c
	if c.Source != nil {
		x.Source = func(d *connectors.TableDef) (connectors.Source, error) {
			s, err := c.Source(d)
			if err != nil {
				return nil, err
			}
			return w.newSource(d, s), nil
		}
	}
	if c.Sink != nil {
		x.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
			s, err := c.Sink(d)
			if err != nil {
				return nil, err
			}
			return w.newSink(d, s), nil
		}
	}
	return &x
}

// rouse lets an idle job look again.
func (w *world) rouse() {
	w.mu.Lock()
	wakes := slices.Clone(w.wakes)
	w.mu.Unlock()
	for _, f := range wakes {
		f()
	}
}

// push appends the rows of one statement to a table's log.
func (w *world) push(in *input, b *batch.Batch, weight int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range b.N {
		in.log = append(in.log, entry{b: b, row: i, w: weight, last: i == b.N-1})
	}
}

func (w *world) mark(in *input, us int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in.log = append(in.log, entry{mark: us, last: true})
}

// apply adds delivered changes to an output.
func (o *output) apply(rows []*row) {
	for _, r := range rows {
		if o.upsert {
			k := rowKey(r, o.key)
			if r.N < 0 {
				delete(o.rows, k)
			} else {
				o.rows[k] = &row{r.Keys, r.Texts, 1}
			}
			continue
		}
		add(o.rows, rowKey(r, nil), r, r.N)
	}
}

// add counts n rows like r in a bag; one that comes to nothing leaves it.
func add(bag map[string]*row, key string, r *row, n int64) {
	old := bag[key]
	if old == nil {
		old = &row{Keys: r.Keys, Texts: r.Texts}
	}
	if n += old.N; n == 0 {
		delete(bag, key)
		return
	}
	bag[key] = &row{r.Keys, r.Texts, n}
}

// rowKey joins the keys of some columns, of all for nil.
func rowKey(r *row, cols []int) string {
	var s []byte
	if cols == nil {
		for _, k := range r.Keys {
			s = append(fmt.Appendf(s, "%d:", len(k)), k...)
		}
	}
	for _, c := range cols {
		s = append(fmt.Appendf(s, "%d:", len(r.Keys[c])), r.Keys[c]...)
	}
	return string(s)
}

// changed returns what was added to and taken from an output since the last call.
func (o *output) changed() map[string]*row {
	d := map[string]*row{}
	value := func(bag map[string]*row, sign int64) {
		for _, r := range bag {
			add(d, rowKey(r, nil), r, sign*r.N)
		}
	}
	value(o.rows, 1)
	value(o.shown, -1)
	o.shown = maps.Clone(o.rows)
	return d
}
