package engine

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/operators"
)

// Stats is a snapshot of what a job has done since it started.
type Stats struct {
	RowsIn, RowsOut int64
	Steps           int64
	Epoch           uint64
	LastEpochMicros int64 // when the last epoch was decided (µs since 1970); 0 = none yet
	Restarts        int64
	Watermark       int64 // least watermark over tables that have one (µs); WMStart when none
	StateBytes      int64
	Late            int64
	Rejected        map[string]int64 // by "reason where", as of the last decided epoch
	DeadLetters     int64            // written in decided epochs
	Operators       []OperatorStats
	Sources         []SourceStats
	LastStepMicros  int64
	Waiting         string // why no step is taken, where there is a reason
	StepTimes       Histogram
	CommitTimes     Histogram        // from an epoch's first read row to its decision
	HeldMicros      int64            // how long steps had to wait for the disk, a sink or a decision
	FailedEpochs    int64            // epochs given up because of an error
	Unpublished     map[string]int64 // by table whose source is Publishing: failures
	OpenGroups      int64            // at the end: groups that only a later watermark would have emitted
}

// OperatorStats is one operator's part.
type OperatorStats struct {
	ID   int
	Op   string
	Rows int64 // rows emitted
}

// SourceStats is one table's part.
type SourceStats struct {
	Table     string
	Rows      int64
	Lag       int64 // records known to wait; -1 = unknown
	Watermark int64
}

// Histogram counts durations. Bucket i holds those of at most 100 µs · 2^i that
// no bucket before it holds; longer ones are in Count alone.
type Histogram struct {
	Buckets [20]int64
	Count   int64
	Micros  int64 // sum
}

func (h *Histogram) add(micros int64) {
	h.Count++
	h.Micros += micros
	for i, most := 0, int64(100); i < len(h.Buckets); i, most = i+1, most*2 {
		if micros <= most {
			h.Buckets[i]++
			return
		}
	}
}

// stats collects what the driver and the committer report.
type stats struct {
	mu       sync.Mutex
	cur      Stats
	restarts atomic.Int64
	stale    bool // steps were taken since the counters were copied
	grown    bool // steps were taken since the state was measured
	sized    int64
}

// The least times between two copies of all counters, and between two walks over
// the pages of the state, µs.
const (
	copyEvery = 50_000
	sizeEvery = 1_000_000
)

// step takes over the counters after a step; at most once in 50 ms of step
// time it copies everything, so that fast steps stay fast.
func (s *stats) step(inc *incarnation, now, read int64, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cur.RowsIn += read
	s.cur.Steps++
	s.cur.Waiting = ""
	s.cur.StepTimes.add(took.Microseconds())
	if s.stale = true; now-s.cur.LastStepMicros >= copyEvery || now < s.cur.LastStepMicros || inc.ended() {
		s.copy(inc, now)
	}
}

// settle copies the counters when no step may follow for long, and tells when it
// wants to be called again.
func (s *stats) settle(inc *incarnation, now int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if due := s.cur.LastStepMicros + copyEvery; s.stale && now < due {
		return due
	}
	if s.stale {
		s.copy(inc, now)
	}
	if due := s.sized + sizeEvery; s.grown && now < due {
		return due
	}
	if s.grown {
		s.size(inc, now)
	}
	return math.MaxInt64
}

// size measures the state; now is in µs.
func (s *stats) size(inc *incarnation, now int64) {
	s.grown, s.sized, s.cur.StateBytes = false, now, 0
	for _, m := range inc.mem {
		s.cur.StateBytes += m.Bytes()
	}
}

// pressure adds time in which no step could be taken.
func (s *stats) pressure(micros int64) {
	s.mu.Lock()
	s.cur.HeldMicros += max(micros, 0)
	s.mu.Unlock()
}

func (s *stats) copy(inc *incarnation, now int64) {
	s.stale = false
	s.cur.LastStepMicros = now
	if s.grown = true; now-s.sized >= sizeEvery || now < s.sized || inc.ended() {
		s.size(inc, now)
	}
	s.cur.Operators = s.cur.Operators[:0:0]
	for _, x := range inc.graph.nodes {
		o := OperatorStats{ID: x.id, Op: x.node.Op()}
		for _, w := range inc.ws {
			o.Rows += w.rows[x.id]
		}
		s.cur.Operators = append(s.cur.Operators, o)
	}
	s.cur.Sources = s.cur.Sources[:0:0]
	wm := int64(operators.WMEnd)
	for _, t := range inc.tables {
		src := SourceStats{Table: t.scan.Spec.Table, Watermark: int64(t.wm), Lag: -1}
		for _, p := range t.splits {
			src.Rows += p.read
			if p.reader != nil {
				if l := p.reader.Lag(); l >= 0 {
					src.Lag = max(src.Lag, 0) + l
				}
			}
		}
		if t.scan.Spec.WMCol >= 0 {
			wm = min(wm, int64(t.wm))
		}
		s.cur.Sources = append(s.cur.Sources, src)
	}
	s.cur.Watermark = wm
}

// rejected takes over the tally of a decided epoch.
func (s *stats) rejected(t tally) {
	s.cur.Rejected, s.cur.Late, s.cur.DeadLetters = map[string]int64{}, 0, t.letters
	for k, n := range t.rows {
		s.cur.Rejected[k.reason.String()+" "+k.where] += n
		if k.reason == operators.Late {
			s.cur.Late += n
		}
	}
}

// failed counts an epoch that was given up.
func (s *stats) failed() {
	s.mu.Lock()
	s.cur.FailedEpochs++
	s.mu.Unlock()
}

// epoch notes a decided epoch; first is when its first row was read, µs, 0 = none was.
func (s *stats) epoch(e EpochInfo, t tally, first, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected(t)
	s.cur.Epoch, s.cur.LastEpochMicros = e.Number, now
	s.cur.RowsOut += e.Rows
	if first > 0 {
		s.cur.CommitTimes.add(now - first)
	}
}

func (s *stats) openGroups(n int64) {
	s.mu.Lock()
	s.cur.OpenGroups = n
	s.mu.Unlock()
}

func (s *stats) waiting(why string) {
	s.mu.Lock()
	s.cur.Waiting = why
	s.mu.Unlock()
}

func (s *stats) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cur
	c.Restarts = s.restarts.Load()
	c.Rejected = maps.Clone(c.Rejected)
	return c
}
