package state

import (
	"fmt"

	"github.com/streamd/streamd/batch"
)

// Spec describes a table. Op, Layout and Version together name it on disk.
type Spec struct {
	Op      string // the operator's identity
	Layout  string // layout name, with the placement columns
	Version int    // of the layout
	Key     []batch.Type
	Val     []batch.Type
	// KeyNames and ValNames name the columns for inspection; may be nil.
	KeyNames, ValNames []string
	Scratch            bool  // lives within a step; never stored
	TTL                int64 // microseconds of step time after the last write; 0 = none
	Broadcast          bool  // every worker holds all rows; worker 0 stores them
	Unindexed          bool  // rows come by Append and are never looked for by key
}

// Name is the table's name on disk: operator, layout and version.
func (s *Spec) Name() string { return fmt.Sprintf("%s/%s/%d", s.Op, s.Layout, s.Version) }

func (s *Spec) colName(c int) string {
	names, k := s.KeyNames, c
	if c >= len(s.Key) {
		names, k = s.ValNames, c-len(s.Key)
	}
	if k < len(names) {
		return names[k]
	}
	return fmt.Sprintf("c%d", c)
}

// Worker is one worker's tables. Its owner alone uses it, but for what Pack
// returns.
type Worker struct {
	ID, N  int // this worker's number, and how many there are
	tables []*Table
	byName map[string]*Table
	store  *Store // nil: memory only
	replay *Replay
	failed error // first error of loading
}

// NewMem returns the tables of worker number `worker` of `workers`, in memory
// only: for tests and for jobs without a state directory.
func NewMem(worker, workers int) *Worker {
	return &Worker{ID: worker, N: workers, byName: map[string]*Table{}}
}

// Table makes a table, or gives it the rows that were stored. It is called while
// operators are built; the same name twice is a bug.
func (w *Worker) Table(spec Spec) *Table {
	name := spec.Name()
	if w.byName[name] != nil {
		panic("BUG: state table " + name + " made twice")
	}
	t := newTable(w, spec)
	w.byName[name] = t
	w.tables = append(w.tables, t)
	if w.store != nil && !spec.Scratch {
		if err := w.store.fill(w, t); err != nil && w.failed == nil {
			w.failed = err
		}
	}
	if w.replay != nil && !spec.Scratch {
		if err := w.replay.fill(w, t); err != nil && w.failed == nil {
			w.failed = err
		}
	}
	return t
}

// Tables returns the worker's tables in the order they were made.
func (w *Worker) Tables() []*Table { return w.tables }

// Err returns the first error met when stored rows were loaded into tables.
// Whoever builds operators asks after the last Table.
func (w *Worker) Err() error { return w.failed }

// Bytes estimates the memory of all tables, derived indexes left out.
func (w *Worker) Bytes() int64 {
	n := int64(0)
	for _, t := range w.tables {
		n += t.Bytes()
	}
	return n
}
