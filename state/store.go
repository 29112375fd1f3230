package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// Options tune a store; the zero value is right for a job.
type Options struct {
	Job string
	// ApplyEvery and ApplyBytes say how many decided deltas, or bytes of them,
	// wait before they are merged into the base. 0 = 30 and 64 MiB.
	ApplyEvery int
	ApplyBytes int64
	// MemTable is Badger's, in bytes. 0 = 4 MiB.
	MemTable int64
	// Free asks how many bytes are left on the disk of dir. nil = statfs.
	Free func(dir string) (int64, error)
}

// keepApplied is how many applied deltas stay: they heal or reveal a base that
// has lost its newest writes.
const keepApplied = 8

// Store is a job's state directory, held under its lock from Open to Close. One
// incarnation uses it; to recover, close it and open it again.
//
//	s, err := Open(dir, Options{Job: "orders"})
//	v, refused := Decide(s.Facts(), claim, marker)       // or StartLocal, DecideLocal
//	err = s.Recover(v, claim.Incarnation, claim.TopicID)
//	w := s.Worker(0, 1)                                   // build operators, then
//	err = w.Err(); s.Loaded()
//	for { e, err := s.Begin(); e.Packed(w.Pack()); id, err := e.Prepare(Silent); s.Decided(id, 0) }
//
// Begin, Decided and what else is not marked so may be called from any goroutine.
type Store struct {
	dir  string
	opt  Options
	lock *os.File
	base *base
	meta Meta
	has  bool // meta.json exists

	// Set by Recover, then read only.
	incarnation int64
	chain       []*Delta
	overlays    map[string]*overlay
	recovered   bool
	positions   []KV
	finished    []string
	texts       []Text

	mu        sync.Mutex
	wake      *sync.Cond
	deltas    []*Delta // whole ones on disk, by number
	prev      connectors.EpochID
	mark      connectors.EpochID
	markAt    int64
	next      uint64
	heads     map[string]connectors.EpochID // newest prepared epoch with rows, by follower
	done      map[string]connectors.EpochID // confirmed by the follower
	followers []string
	named     bool               // Followers was called
	applied   connectors.EpochID // A
	prepared  []*Delta           // not decided yet
	queue     []*Delta           // decided, not applied
	flush     bool
	busy      bool
	closing   bool
	err       error
	failed    chan struct{}
	used      int64
	stopped   chan struct{}
}

// overlay is what the chain says of one table.
type overlay struct {
	def    *Def
	chunks []Chunk
	seqs   []SeqMark
}

// Open locks a state directory, making it if it is not there, and reads what is
// in it. It changes nothing but leftovers of unfinished writes, and the form of what
// an older release wrote. Errors: *Refused or of the file system.
func Open(dir string, opt Options) (*Store, error) {
	if opt.ApplyEvery == 0 {
		opt.ApplyEvery = 30
	}
	if opt.ApplyBytes == 0 {
		opt.ApplyBytes = 64 << 20
	}
	if opt.MemTable == 0 {
		opt.MemTable = 4 << 20
	}
	if opt.Free == nil {
		opt.Free = freeBytes
	}
	if err := makeDirs(filepath.Join(dir, "delta")); err != nil {
		return nil, unusable(err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, unusable(err)
	}
	s := &Store{dir: dir, opt: opt, lock: lock, heads: map[string]connectors.EpochID{}, done: map[string]connectors.EpochID{},
		failed: make(chan struct{})}
	s.wake = sync.NewCond(&s.mu)
	if err := s.read(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return s, nil
}

// unusable marks what no repeat can mend: a path that leads through a file, or
// that may not be written.
func unusable(err error) error {
	for _, e := range []error{syscall.ENOTDIR, syscall.EEXIST, syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL} {
		if errors.Is(err, e) {
			return &connectors.Permanent{Err: fmt.Errorf("open the state directory: %w", err)}
		}
	}
	return err
}

func (s *Store) read() (err error) {
	if s.meta, s.has, err = readMeta(s.dir); err != nil {
		return err
	}
	if s.has && s.opt.Job != "" && s.meta.Job != s.opt.Job {
		return refuse(OtherJob, nil, "the directory belongs to job %s, this job is %s", s.meta.Job, s.opt.Job)
	}
	if s.deltas, err = readDeltas(s.dir); err != nil {
		return err
	}
	if why := room(s.dir, usedBytes(s.dir), s.opt.Free); why != "" {
		return refuse(NoRoom, nil, "%s", why[len("DISK NEARLY FULL: "):])
	}
	if s.has && s.meta.Format < Format { // before openBase changes what an older release could not read
		s.meta.Format = Format
		if err := s.meta.write(s.dir); err != nil {
			return err
		}
	}
	if s.base, err = openBase(filepath.Join(s.dir, "base"), s.opt.MemTable); err != nil {
		return corruptIn("", err)
	}
	if err = s.sameLineage(); err != nil {
		_ = s.base.close()
	}
	return err
}

func (s *Store) sameLineage() error {
	if !s.has {
		return nil
	}
	ours := func(l [16]byte) bool { return l == s.meta.Lineage || s.meta.past(l) }
	if !s.base.root.Applied.IsZero() && !ours(s.base.root.Lineage) {
		return refuse(Corrupt, nil, "the base is of another lineage than meta.json")
	}
	for _, d := range s.deltas {
		if !ours(d.Lineage) {
			return refuse(Corrupt, nil, "%s is of another lineage than meta.json", filepath.Base(d.Path))
		}
	}
	return nil
}

// Facts returns what the directory says, for Look and Decide.
func (s *Store) Facts() Facts {
	f := Facts{HasMeta: s.has, Meta: s.meta, Applied: s.base.root.Applied,
		Mark:  s.meta.markAt(s.base.root.Applied, s.base.root.Mark),
		Hint:  s.Hint(),
		Files: len(s.deltas) > 0 || !s.base.root.Applied.IsZero()}
	for _, d := range s.deltas {
		f.Deltas = append(f.Deltas, Known{d.ID, d.Prev, d.Kind})
	}
	return f
}

// Hint returns the largest offset at which a marker is known to stand.
func (s *Store) Hint() int64 {
	at := s.base.root.MarkAt
	for _, d := range s.deltas {
		at = max(at, d.MarkAt)
	}
	return at
}

// StartLocal counts up, durably, the incarnation of a job that decides by itself,
// after DecideLocal and before Recover.
func (s *Store) StartLocal(v Verdict) (int64, error) {
	s.ensureMeta(v)
	s.meta.Incarnation++
	if err := s.meta.write(s.dir); err != nil {
		return 0, err
	}
	s.has = true
	return s.meta.Incarnation, nil
}

func (s *Store) ensureMeta(v Verdict) {
	if v.Fresh && !s.has {
		s.meta = Meta{Format: Format, Lineage: newLineage(), Job: s.opt.Job}
	}
}

// Recover makes the directory what the verdict says and readies the store for
// workers. topic is the control topic's UUID, zero without one.
func (s *Store) Recover(v Verdict, incarnation int64, topic [16]byte) error {
	fault.Point("C4")
	if v.Adopt {
		s.adopt(v)
	}
	if fresh := v.Fresh && !s.has; fresh || v.Adopt || topic != [16]byte{} && s.meta.Topic != topic {
		if !v.Adopt {
			s.ensureMeta(v)
		}
		s.meta.Topic = topic
		if err := s.meta.write(s.dir); err != nil {
			return err
		}
		s.has = true
	}
	for _, id := range v.Unlink {
		fault.Point("C5-unlinking")
		i := s.index(id)
		if err := os.Remove(s.deltas[i].Path); err != nil {
			return notWritten(err)
		}
		s.deltas = slices.Delete(s.deltas, i, i+1)
	}
	if err := syncDir(filepath.Join(s.dir, "delta")); err != nil {
		return notWritten(err)
	}
	fault.Point("C5-unlinked")
	r := &s.base.root
	s.incarnation, s.next, s.prev, s.mark, s.markAt = incarnation, v.Next, r.Applied, s.meta.markAt(r.Applied, r.Mark), s.Hint()
	for name, id := range r.Heads {
		s.heads[name] = id
	}
	s.positions, s.finished, s.texts, s.applied = r.Positions, r.Finished, r.Text, r.Applied
	dec := &stateDecoder{named: map[string]*Def{}}
	s.overlays = map[string]*overlay{}
	of := func(d *Def) *overlay {
		if s.overlays[d.Name] == nil {
			s.overlays[d.Name] = &overlay{def: d}
		}
		return s.overlays[d.Name]
	}
	dec.chunk = func(c Chunk) error { o := of(c.Table); o.chunks = append(o.chunks, c); return nil }
	dec.seq = func(q SeqMark) { o := of(q.Table); o.seqs = append(o.seqs, q) }
	for _, id := range v.Chain {
		d := s.deltas[s.index(id)]
		if err := d.state(dec); err != nil {
			return corruptIn(filepath.Base(d.Path), err)
		}
		s.chain = append(s.chain, d)
		s.prev, s.mark = d.ID, s.meta.markAt(d.ID, d.markAfter())
		s.positions, s.finished = mergePositions(s.positions, d.Positions), d.Finished
		if d.Tables != nil {
			s.texts = d.Tables
		}
		for _, f := range d.Followers {
			if f.Rows {
				s.heads[f.Name] = d.ID
			}
		}
	}
	if s.prev != v.K {
		panic("BUG: the chain does not end at K")
	}
	s.queue = slices.Clone(s.chain)
	s.recovered = true
	s.used = usedBytes(s.dir)
	s.stopped = make(chan struct{})
	go s.applier()
	return nil
}

func (s *Store) index(id connectors.EpochID) int {
	for i, d := range s.deltas {
		if d.ID == id {
			return i
		}
	}
	panic("BUG: no delta of epoch " + formatID(id))
}

// Lineage returns the lineage of the job's state.
func (s *Store) Lineage() [16]byte { return s.meta.Lineage }

// Incarnation returns what Recover was given.
func (s *Store) Incarnation() int64 { return s.incarnation }

// Positions returns what the job goes on from after Recover, by key.
func (s *Store) Positions() []KV { return s.positions }

// Finished returns what the newest header at or before K lists.
func (s *Store) Finished() []string { return s.finished }

// Texts returns the stored list of operators.
func (s *Store) Texts() []Text { return s.texts }

// Chain returns the decided epochs that the base did not have at Recover.
func (s *Store) Chain() []*Delta { return s.chain }

// Worker returns the tables of worker number id of n. Workers may be built side
// by side; n may differ from the run before.
func (s *Store) Worker(id, n int) *Worker {
	if !s.recovered {
		panic("BUG: Worker before Recover")
	}
	w := NewMem(id, n)
	if !s.IsEphemeral() {
		w.store = s
	}
	return w
}

// Loaded frees what was kept to fill tables, once all workers are built.
func (s *Store) Loaded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overlays = nil
	if s.wake != nil {
		s.wake.Broadcast()
	}
}

// fill gives a new table its stored rows.
func (s *Store) fill(w *Worker, t *Table) error {
	owns := func(shard uint8) bool { return t.Spec.Broadcast || int(shard)%w.N == w.ID }
	fits := func(d *Def) error {
		if d.fits(t.Types, len(t.Spec.Key), t.Spec.TTL > 0) {
			return nil
		}
		return refuse(DoesNotFit, nil, "table %s is stored with other columns", t.Spec.Name())
	}
	if bt := s.baseTable(t.Spec.Name()); bt != nil {
		var buf []byte
		if err := fits(bt.Def); err != nil {
			return err
		}
		for sh := range batch.Shards {
			if !owns(uint8(sh)) {
				continue
			}
			m, err := s.base.manifest(bt, uint8(sh))
			if err != nil {
				return corruptIn("", err)
			}
			t.shards[sh].seq = m.seq
			for _, p := range m.pages {
				c, err := s.base.page(bt, uint8(sh), p, &buf)
				if err == nil {
					err = t.overlay(&c)
				}
				if err != nil {
					return corruptIn("", err)
				}
			}
		}
	}
	if o := s.overlays[t.Spec.Name()]; o != nil {
		if err := fits(o.def); err != nil {
			return err
		}
		for i := range o.chunks {
			if c := &o.chunks[i]; owns(c.Shard) {
				if err := t.overlay(c); err != nil {
					return corruptIn("", err)
				}
			}
		}
		for _, q := range o.seqs {
			if owns(q.Shard) {
				t.shards[q.Shard].seq = q.Seq
			}
		}
	}
	return corruptIn("", t.reindex())
}

// baseTable is called while workers are built: nothing is applied before Loaded,
// see applier.
func (s *Store) baseTable(name string) *baseTable { return s.base.tables[name] }

// Room tells, as a reason to pause, that the disk is nearly full; "" if it is not.
func (s *Store) Room() string {
	if s.IsEphemeral() {
		return ""
	}
	s.mu.Lock()
	used := s.used
	s.mu.Unlock()
	return room(s.dir, used, s.opt.Free)
}

// Failed is closed when the applier fails: the incarnation is over. Err says why.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err returns the applier's error.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close stops the applier and gives the lock back. What was decided and not
// applied is applied after the next Open.
func (s *Store) Close() error {
	if s.IsEphemeral() {
		return nil
	}
	s.mu.Lock()
	s.closing = true
	s.wake.Broadcast()
	s.mu.Unlock()
	if s.stopped != nil {
		<-s.stopped
	}
	return errors.Join(s.base.close(), s.lock.Close())
}

// Applied returns A, the last epoch the base has.
func (s *Store) Applied() connectors.EpochID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied
}
