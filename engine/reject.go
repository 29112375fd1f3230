package engine

import (
	"bytes"
	"fmt"
	"maps"
	"sync"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
)

// RowError is a row that a table's policy 'fail' does not let pass. It ends the job.
type RowError struct {
	Code  string // SD6xxx
	Msg   string
	Place string // topic/partition/offset or file:line, where known
	Field string
	Table string
	At    expr.Span // the expression in the pipeline's text; zero where none is to blame
	Row   string    // the row as text
}

func (e *RowError) Error() string {
	s := e.Code + ": " + e.Msg
	if e.Place != "" {
		s += " at " + e.Place
	}
	if e.Field != "" {
		s += fmt.Sprintf(", field %q", e.Field)
	}
	return s
}

// TableError is the failure of a table's source or sink.
type TableError struct {
	At  expr.Span // the table in the pipeline's text
	Err error
}

func (e *TableError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TableError) Unwrap() error { return e.Err }

func (t *tableSource) failed(err error) error { return &TableError{At: t.scan.Spec.Span, Err: err} }

// countKey is one counter of rows that did not go on.
type countKey struct {
	reason operators.Reason
	where  string // table or operator
}

// tally says of every row that was not used why: no row disappears unexplained.
type tally struct {
	rows    map[countKey]int64
	letters int64 // dead letters written
}

func (t tally) clone() tally { t.rows = maps.Clone(t.rows); return t }

// counts are the tally of a job, as of the last decided epoch: rows of an epoch
// that was given up are read again and would be counted twice.
type counts struct {
	mu      sync.Mutex
	running tally // with the epochs that are not decided yet
	decided tally
}

func newCounts() *counts {
	return &counts{running: tally{rows: map[countKey]int64{}}, decided: tally{rows: map[countKey]int64{}}}
}

func (c *counts) add(r operators.Reason, where string, n int64) {
	c.mu.Lock()
	c.running.rows[countKey{r, where}] += n
	c.mu.Unlock()
}

func (c *counts) letter() {
	c.mu.Lock()
	c.running.letters++
	c.mu.Unlock()
}

// now returns what an epoch that is being sealed has brought the tally to.
func (c *counts) now() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running.clone()
}

// settle takes over the tally of an epoch that was decided; back forgets those
// that were not.
func (c *counts) settle(t tally) {
	c.mu.Lock()
	c.decided = t
	c.mu.Unlock()
}

func (c *counts) back() {
	c.mu.Lock()
	c.running = c.decided.clone()
	c.mu.Unlock()
}

// reject counts rows that cannot go on and applies the policy. Counters count
// added rows only.
func (inc *incarnation) reject(w *worker, x *gnode, r operators.Reject) error {
	n := int64(len(r.Rows))
	if r.B != nil {
		n = 0
		for _, e := range r.Rows {
			n += max(r.B.Weight(int(e.Row)), 0)
		}
	}
	inc.counts.add(r.Reason, x.node.Op(), n)
	if r.B == nil || r.Used || r.Reason != operators.Failed && r.Reason != operators.Late {
		return nil
	}
	if r.Reason == operators.Late && len(inc.boxes) == 0 {
		return nil
	}
	p := inc.policies(x, r)
	for i := range r.Rows {
		e := &r.Rows[i]
		row := int(e.Row)
		q, origin, known := p.of(row)
		how := q.onError
		if r.Reason == operators.Late {
			how = q.late
		}
		place := p.place(row)
		switch {
		case how == "fail":
			if place == "" {
				place = w.place(x, r.B.N, row)
			}
			return &RowError{Code: e.Code, Msg: e.Msg, At: e.At, Row: textOf(r.B, row), Place: place}
		case how != "dead-letter", r.Reason == operators.Failed && r.B.Weight(row) < 0, p.replaced(&r, i):
			continue
		}
		if err := w.write(q.letters, w.letterOf(x, &r, e, q, origin, known, place)); err != nil {
			return err
		}
	}
	return w.flush()
}

// replaced tells whether a row is the old one of an update whose new one comes
// next: one record, for which one letter is enough.
func (p *policies) replaced(r *operators.Reject, i int) bool {
	if i+1 == len(r.Rows) || p.pos == nil {
		return false
	}
	old, now := int(r.Rows[i].Row), int(r.Rows[i+1].Row)
	return r.B.Weight(old) < 0 && r.B.Weight(now) > 0 && bytes.Equal(p.pos.Bytes(old), p.pos.Bytes(now))
}

// textOf is a row of b as text, without its hidden columns.
func textOf(b *batch.Batch, i int) string {
	row := []byte{'['}
	for c := range b.Cols {
		if f := b.Schema.Fields[c]; !f.Hidden() && b.Cols[c].Len() > i {
			if len(row) > 1 {
				row = append(row, ", "...)
			}
			row = b.Cols[c].AppendText(row, i, f.Type)
		}
	}
	return string(append(row, ']'))
}

// place says where a row that fails at x was read: between a scan and x there may
// only be operators that leave rows at their index in the batch, and the batch
// must still be on its way. Else the place is not known: "".
func (w *worker) place(x *gnode, n, row int) string {
	if w.pushing == nil || w.pushing.dst.Batch.N != n {
		return ""
	}
	for x != w.pushing.node {
		switch x.node.(type) {
		case *operators.Filter, *operators.Project, *operators.Contenders:
			x = x.in[0].from
		default:
			return ""
		}
	}
	for i, run := range w.pushing.dst.Batch.Runs {
		if row >= run.From && row < run.To {
			if p, ok := w.pushing.read[i].reader.(connectors.Placer); ok {
				return p.Place(row - run.From)
			}
		}
	}
	return ""
}
