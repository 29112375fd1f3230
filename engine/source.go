package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/invariants"
	"github.com/streamd/streamd/operators"
)

const (
	readRows  = 4096 // rows a batch takes from readers
	stepReads = 16   // batches a worker reads in a step: bounds the step
)

// tableSource is one scan of the plan: its splits and its watermark. The driver
// writes it between steps; wm is written at meetings.
type tableSource struct {
	node   *gnode
	scan   *operators.Scan
	info   connectors.SourceInfo
	src    connectors.Source
	splits []*split
	wm     operators.WM // of the whole table; never falls
	ended  bool         // every split has ended and none can come
	asked  int64        // when its splits were last listed, µs
}

// split is one part of a source. Its worker owns it in a step.
type split struct {
	table  *tableSource
	num    int
	spec   connectors.Split
	worker int
	from   []byte // where to start; nil = where the options say
	until  []byte // --until-idle: where to end; nil = never or at its own end
	cut    bool   // ends because of --until-idle, not by itself
	void   bool   // --until-idle: held nothing at the start
	reader connectors.Reader
	done   bool
	idle   bool
	wm     operators.WM // saved with positions
	marked int64        // the last watermark its source has given itself
	last   operators.WM // wm after the last step; WMEnd when it is not in the minimum
	read   int64        // rows
}

// splitState is what a worker brings to a meeting about its splits of one scan.
type splitState struct {
	splits, done, active int
	min                  operators.WM // over active splits
	low, high            operators.WM // least and greatest over all splits that had rows
}

// reading is a worker's part of one scan.
type reading struct {
	w      *worker
	table  *tableSource
	node   *gnode
	splits []*split
	at     int // whose turn it is
	dst    connectors.Dst
	read   []*split // of the runs of the batch that is being pushed
}

func newReading(inc *incarnation, w *worker, x *gnode) *reading {
	t := inc.tables[x.scan]
	return &reading{w: w, table: t, node: x, dst: connectors.Dst{Batch: batch.New(t.scan.ReaderSchema(), readRows)}}
}

// read takes a bounded amount of input on all scans of the worker, in turns, and
// pushes it through stage 0.
func (w *worker) read() error {
	left, rows := stepReads, readRows
	if f := w.inc.opts.cut; f != nil {
		left, rows = len(w.reads), f()
	}
	for idle := 0; left > 0 && idle < len(w.reads); {
		idle = 0
		for _, r := range w.reads {
			n, err := r.fill(rows)
			if err != nil {
				return err
			}
			if n == 0 {
				idle++
				continue
			}
			if left--; left == 0 {
				w.inc.more.Store(true) // splits that were not asked may hold rows and have no reason to rouse us
				break
			}
		}
	}
	return nil
}

// fill reads one batch of at most rows rows from the splits in turn and pushes it into the scan.
func (r *reading) fill(rows int) (int, error) {
	b := r.dst.Batch
	b.Reset()
	r.dst.Bad = r.dst.Bad[:0]
	r.read = r.read[:0]
	for range r.splits {
		s := r.splits[r.at%len(r.splits)]
		r.at++
		if s.done || s.reader == nil {
			continue
		}
		from := b.N
		more, done, err := s.reader.Read(&r.dst, rows-b.N)
		if err != nil {
			return 0, r.table.failed(fmt.Errorf("read %s of table %q: %w", s.spec.ID, r.table.scan.Spec.Table, err))
		}
		if b.N > from {
			b.Runs = append(b.Runs, batch.Run{Split: s.num, From: from, To: b.N})
			r.read = append(r.read, s)
			s.read += int64(b.N - from)
		}
		if done {
			s.done = true
		}
		if more {
			r.w.inc.more.Store(true)
		}
		if b.N >= rows {
			break
		}
	}
	if err := r.bad(); err != nil {
		return 0, err
	}
	if b.N == 0 {
		return 0, nil
	}
	if r.w.inc.drained {
		return 0, errDrained()
	}
	r.w.inc.rowsIn.Add(int64(b.N))
	id := r.node.id
	r.w.stack[id]++
	r.w.pushing = r
	err := r.w.ops[id].Push(0, b, r.w.emits[id])
	r.w.pushing = nil
	r.w.stack[id]--
	n := b.N
	if invariants.Enabled {
		b.Reset() // at once, so that who keeps a row cannot read it at EndStep
	}
	return n, err
}

// bad applies the table's policy to records that could not be decoded.
func (r *reading) bad() error {
	s := &r.table.scan.Spec
	for i := range r.dst.Bad {
		x := &r.dst.Bad[i]
		r.w.inc.counts.add(operators.Undecodable, s.Table, 1)
		r.w.inc.badIn.Add(1)
		switch {
		case x.Kept, x.Skipped, s.OnError == "skip":
		case s.OnError == "dead-letter":
			l := &connectors.Letter{Origin: x.Origin, HasOrigin: true, Table: s.Table, Reason: operators.Undecodable.String(), Code: x.Code, Message: x.Msg,
				Field: x.Field, Place: x.Place, Operator: r.node.node.Op(), At: r.w.inc.at(s.Span)}
			if err := r.w.write(s.DeadLetters, l); err != nil {
				return err
			}
		default:
			return &RowError{Code: x.Code, Place: x.Place, Field: x.Field, Msg: x.Msg, Table: s.Table, At: s.Span}
		}
	}
	return r.w.flush()
}

// state sums up the worker's splits for the meeting.
func (r *reading) state() splitState {
	st := splitState{min: operators.WMEnd, low: operators.WMEnd, high: operators.WMStart, splits: len(r.splits)}
	scan := r.w.ops[r.node.id].(*operators.ScanOp)
	for _, s := range r.splits {
		held := s.mark(scan)
		s.wm, s.idle = scan.SplitWM(s.num)
		if s.wm != operators.WMStart {
			st.low, st.high = min(st.low, s.wm), max(st.high, s.wm)
		}
		if s.done {
			st.done++
		}
		switch {
		case held:
			st.active++
			st.min = operators.WMStart
		case s.holds(r.w.inc):
			st.active++
			st.min = min(st.min, s.wm)
		}
	}
	return st
}

// mark takes over the watermark that the split's source has given itself, and
// tells whether the table's stays for the time being.
func (s *split) mark(scan *operators.ScanOp) (held bool) {
	m, ok := s.reader.(connectors.Marking)
	if !ok {
		return false
	}
	wm, held := m.Mark()
	if wm != s.marked {
		s.marked = wm
		scan.Raise(s.num, wm)
	}
	return held
}

// agree sets each table's watermark from what all workers brought.
func (inc *incarnation) agree(posts []post) {
	for i, t := range inc.tables {
		all := splitState{min: operators.WMEnd, low: operators.WMEnd, high: operators.WMStart}
		for _, p := range posts {
			s := p.state[i]
			all.splits += s.splits
			all.done += s.done
			all.active += s.active
			all.min = min(all.min, s.min)
			all.low, all.high = min(all.low, s.low), max(all.high, s.high)
		}
		t.ended = all.done == len(t.splits) && t.complete(inc)
		switch {
		case t.ended && inc.drain:
			t.wm = operators.WMEnd
		case all.active > 0:
			t.wm = max(t.wm, all.min)
		case t.ended && all.high != operators.WMStart:
			// None is left for a minimum, and the rows of the last step count all the same:
			// the watermark stands where the furthest got of splits that are read one after
			// the other, else where the slowest did, whatever the step cuts and workers.
			if t.info.Sequential {
				t.wm = max(t.wm, all.high)
			} else {
				t.wm = max(t.wm, all.low)
			}
		}
	}
}

// others is the least watermark of all other splits as of the last step.
func (t *tableSource) others(split int) operators.WM {
	wm := operators.WMEnd
	for _, s := range t.splits {
		if s.num != split {
			wm = min(wm, s.last)
		}
	}
	return wm
}

// settle remembers the splits' watermarks; the driver calls it between steps.
func (t *tableSource) settle(inc *incarnation) {
	for _, s := range t.splits {
		if s.last = s.wm; !s.holds(inc) {
			s.last = operators.WMEnd
		}
	}
}

// holds tells whether the split is part of its table's minimum. One that has ended
// by itself leaves it; one that was cut stays, for a later run finds it grown.
func (s *split) holds(inc *incarnation) bool {
	switch {
	case s.idle, s.void, s.spec.Empty && s.read == 0:
		return false
	case s.done:
		return s.cut && !inc.drain
	}
	return true
}

// complete tells that no further split can come.
func (t *tableSource) complete(inc *incarnation) bool {
	return t.info.Bounded || inc.opts.UntilIdle || inc.closed
}

// openSplits lists the splits of every source, gives each to a worker and opens
// readers, from the saved positions where there are any.
func (inc *incarnation) openSplits(ctx context.Context) error {
	for _, t := range inc.tables {
		t.asked = inc.job.clock().UnixMicro()
		if err := inc.discover(ctx, t); err != nil {
			return err
		}
	}
	return inc.openNext(ctx)
}

// discoverAt is when the table's splits are to be listed next.
func (t *tableSource) discoverAt(inc *incarnation) int64 {
	if t.info.DiscoverMs <= 0 || t.complete(inc) {
		return math.MaxInt64
	}
	return t.asked + t.info.DiscoverMs*1000
}

// discover takes in splits that are not known yet.
func (inc *incarnation) discover(ctx context.Context, t *tableSource) error {
	table := t.scan.Spec.Table
	if sp, ok := t.src.(connectors.Spreader); ok && t.splits == nil {
		sp.Spread(inc.workers, inc.saved.splitsOf(t))
	}
	list, err := t.src.Splits(ctx)
	if err != nil {
		return t.failed(fmt.Errorf("open table %q: %w", table, err))
	}
	known := map[string]bool{}
	for _, s := range t.splits {
		known[s.spec.ID] = true
	}
	var fresh []connectors.Split
	for _, s := range list {
		if !known[s.ID] {
			fresh = append(fresh, s)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	var ends map[string][]byte
	if inc.opts.UntilIdle && !t.info.Bounded {
		if ends, err = t.src.Ends(ctx, fresh); err != nil {
			return t.failed(fmt.Errorf("ask where table %q ends: %w", table, err))
		}
	}
	for _, x := range fresh {
		s := &split{table: t, num: len(t.splits), spec: x, worker: len(t.splits) % inc.workers, wm: operators.WMStart, marked: math.MinInt64}
		if saved, ok := inc.saved.position(t, x.ID); ok {
			s.from, s.wm, s.idle = saved.Pos, saved.WM, saved.Idle
			if err := t.src.Check(ctx, x, s.from); err != nil {
				return t.failed(err)
			}
			s.spec.Empty = false
		}
		if ends != nil {
			s.cut = true
			if s.until = ends[x.ID]; s.until == nil {
				s.void, s.done = true, true
			}
		}
		t.splits = append(t.splits, s)
		w := inc.ws[s.worker]
		r := w.reads[t.node.scan]
		r.splits = append(r.splits, s)
		s.last = s.wm
		scan := w.ops[t.node.id].(*operators.ScanOp)
		scan.Open(s.num, s.wm, s.idle)
		scan.Others = t.others
	}
	return nil
}

// openNext opens readers: of all splits at once, or of a sequential source one a
// worker, the next when the one before has ended.
func (inc *incarnation) openNext(ctx context.Context) error {
	for _, w := range inc.ws {
		for _, r := range w.reads {
			for _, s := range r.splits {
				if s.done {
					continue
				}
				if s.reader == nil {
					var err error
					if s.reader, err = s.table.src.Open(ctx, s.spec, s.from, s.until, s.table.scan.Spec.Want); err != nil {
						return s.table.failed(fmt.Errorf("open %s of table %q: %w", s.spec.ID, s.table.scan.Spec.Table, err))
					}
					inc.more.Store(true)
				}
				if s.table.info.Sequential {
					break
				}
			}
		}
	}
	return nil
}
