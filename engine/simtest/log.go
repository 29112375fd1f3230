package simtest

import (
	"fmt"
	"sort"
)

// Log is what a run did, step by step. Steps that a crash undid are not in it.
type Log []Step

// Step is where the tables stood after one step.
type Step struct {
	WM   map[string]int64  // watermark by table: exclusive, ms; Never and Ever at the ends
	Read map[string][]int  // rows read so far, by table and split
	Done map[string][]bool // whether the split is known to have ended
}

// Never and Ever are the watermarks before any row and after the last one.
const (
	Never = -1 << 62
	Ever  = 1 << 62
)

// At is the log as it was when the splits stood at s: what came later is undone.
// The watermarks tell steps apart that read nothing.
func (l Log) At(s Step) (Log, error) {
	if len(l) == 0 || start(s) {
		return nil, nil
	}
	for i := len(l) - 1; i >= 0; i-- {
		if fmt.Sprint(l[i].Read, l[i].WM) == fmt.Sprint(s.Read, s.WM) {
			return l[:i+1], nil
		}
	}
	return nil, fmt.Errorf("went on at %v %v, where no step has ended", s.Read, s.WM)
}

// start tells that nothing has been read.
func start(s Step) bool {
	for t, wm := range s.WM {
		if wm != Never {
			return false
		}
		for _, n := range s.Read[t] {
			if n > 0 {
				return false
			}
		}
	}
	return true
}

// Check says where the watermarks of the log are not what the rows read so far
// make them: the least of the splits that have not ended, and never falling.
func (l Log) Check(tables map[string]*Table) error {
	for name := range l[len(l)-1].WM {
		t := tables[name]
		wm := int64(Never)
		for i, s := range l {
			low := int64(Ever)
			for n, done := range s.Done[name] {
				if done {
					continue
				}
				own := int64(Never)
				for _, e := range t.split(n)[:s.Read[name][n]] {
					own = max(own, e.TS-t.Delay+1)
				}
				low = min(low, own)
			}
			if wm = max(wm, low); wm != s.WM[name] {
				return fmt.Errorf("after step %d the watermark of table %s is %d, want %d", i, name, s.WM[name], wm)
			}
		}
	}
	return nil
}

// run is one evaluation: the tables and, where lateness depends on steps, their log.
type run struct {
	tables map[string]*Table
	log    Log
}

// watermark of q's output after a step: the least of its tables', held back by
// interval joins.
func (x *run) watermark(q Query, step int) int64 {
	if step < 0 {
		return Never
	}
	wm := int64(Ever)
	if s, ok := q.(scan); ok {
		return x.log[step].WM[s.name]
	}
	for _, in := range q.inputs() {
		wm = min(wm, x.watermark(in, step))
	}
	if j, ok := q.(intervalJoin); ok && wm != Never && wm != Ever {
		wm -= j.holds()
	}
	return wm
}

// before is the watermark by which an operator over q, or over all of them,
// judges whether r is late: that of the step before the one in which r came;
// without a log that of the row before it.
func (x *run) before(r wrow, q ...Query) int64 {
	if x.log == nil {
		return r.wm
	}
	wm := int64(Ever)
	for _, in := range q {
		wm = min(wm, x.watermark(in, r.step-1))
	}
	return wm
}

// reaches is the first step, not before from, after which the watermark of all
// of q is at least wm.
func (x *run) reaches(wm int64, from int, q ...Query) int {
	if x.log == nil {
		return 0
	}
	return from + sort.Search(len(x.log)-from, func(i int) bool {
		for _, in := range q {
			if x.watermark(in, from+i) < wm {
				return false
			}
		}
		return true
	})
}
