package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// A crash run drives one job through random epochs, with and without Kafka. At a
// random point its directory is copied, as a kill there would leave it; the next
// incarnation starts from the copy and must find exactly the last decided epoch.
// The oracle keeps a Go map for each epoch and knows what was decided: a marker,
// or the name of a silent delta whose predecessor is decided.

// snap is a job's whole state at one epoch.
type snap struct {
	rows map[int64]int64
	n    uint64 // the epoch's position, unique
}

type prepared struct {
	snap    snap
	kind    Kind
	id      connectors.EpochID
	renamed bool // its delta has its name
}

type crashRun struct {
	t       *testing.T
	r       *rand.Rand
	root    string
	kafka   bool
	dir     string
	copies  int
	cur     snap
	log     []prepared         // since the last decided epoch, in order
	decided snap               // the last decided epoch
	marker  connectors.EpochID // on the pretended cluster
	claim   int64
	counter uint64

	point   string // where to crash
	skip    int    // after so many passages
	crashed bool
	want    snap // decided when the copy was made
	wantMrk connectors.EpochID
	points  map[string]int
	orphans bool // the copy holds a delta that was not decided
}

// settle moves decided over what is decided by now.
func (c *crashRun) settle() {
	last := -1
	for i, p := range c.log {
		if p.kind == Kafka && !c.marker.IsZero() && p.id == c.marker {
			last = i
		}
	}
	for i := last + 1; i < len(c.log) && c.log[i].renamed && c.log[i].kind == Silent; i++ {
		last = i
	}
	if last >= 0 {
		c.decided = c.log[last].snap
		c.log = c.log[last+1:]
	}
}

func (c *crashRun) at(name string) {
	if name == "C9" && !c.crashed {
		c.log[len(c.log)-1].renamed = true
	}
	if c.crashed || name != c.point {
		return
	}
	if c.skip--; c.skip >= 0 {
		return
	}
	c.settle()
	c.crashed, c.want, c.wantMrk = true, c.decided, c.marker
	for _, p := range c.log {
		c.orphans = c.orphans || p.renamed
	}
	c.copies++
	to := filepath.Join(c.root, fmt.Sprint("copy", c.copies))
	if err := copyDir(c.dir, to); err != nil {
		c.t.Fatal(err)
	}
	c.dir = to
	c.points[name]++
}

var crashPoints = []string{"C4", "C5-unlinking", "C5-unlinked", "C6", "C8", "C9", "C9-prepared", "C11", "C12",
	"C13-mid", "C13-written", "C13-noted", "C13-trimming", "end"}

func (c *crashRun) open() (*Store, error) {
	opt := small
	opt.ApplyEvery = 1 << 30 // applied when the run says so: nothing happens behind its back
	if !c.kafka {
		return openLocal(c.dir, opt)
	}
	s, err := Open(c.dir, opt)
	if err != nil {
		return nil, err
	}
	m := connectors.Marker{ID: c.marker}
	if !c.marker.IsZero() {
		m.Lineage = s.Lineage()
	}
	c.claim++
	cl := connectors.Claim{Incarnation: c.claim, TopicID: top1}
	if r := Look(s.Facts(), m); r != nil {
		return nil, errors.Join(r, s.Close())
	}
	v, r := Decide(s.Facts(), cl, m)
	if r != nil {
		return nil, errors.Join(r, s.Close())
	}
	if err := s.Recover(v, cl.Incarnation, cl.TopicID); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// load opens the job with n workers.
func (c *crashRun) load(n int) (s *Store, ws []*Worker, ts []*Table, err error) {
	if s, err = c.open(); err != nil {
		return nil, nil, nil, err
	}
	for i := range n {
		w := s.Worker(i, n)
		ws, ts = append(ws, w), append(ts, w.Table(counter))
		if w.Err() != nil {
			return nil, nil, nil, errors.Join(w.Err(), s.Close())
		}
	}
	s.base.memory = 1 << (8 + 4*c.r.IntN(4))
	s.Loaded()
	return s, ws, ts, nil
}

// verify compares what was restored with what was decided.
func (c *crashRun) verify(s *Store, ts []*Table, want snap) error {
	n := uint64(0)
	if p := s.Positions(); len(p) > 0 {
		n = binary.BigEndian.Uint64(p[0].Val)
	}
	if n != want.n {
		return fmt.Errorf("restored epoch %d, decided was %d", n, want.n)
	}
	rows := map[int64]int64{}
	for _, t := range ts {
		t.Each(func(id batch.RowID) {
			p, slot := t.At(id)
			rows[p.Cols[0].I[slot]] = p.Cols[1].I[slot]
			if got := string(p.Cols[2].Bytes(slot)); got != label(p.Cols[0].I[slot], p.Cols[1].I[slot]) {
				c.t.Errorf("label %q", got)
			}
			if v, ok := get(t, p.Cols[0].I[slot]); !ok || v != p.Cols[1].I[slot] {
				c.t.Errorf("key %d is not found", p.Cols[0].I[slot])
			}
		})
	}
	if !maps.Equal(rows, want.rows) {
		return fmt.Errorf("epoch %d: %d rows restored, %d wanted, or others", n, len(rows), len(want.rows))
	}
	return nil
}

// label is the string beside a count: at times long enough for several parts.
func label(k, v int64) string {
	if k%17 == 0 {
		return fmt.Sprint(k, v, string(make([]byte, 3000*(v%7))))
	}
	return fmt.Sprint(k, "=", v)
}

// step changes some rows.
func (c *crashRun) step(ts []*Table) {
	c.cur.rows = maps.Clone(c.cur.rows)
	for range 1 + c.r.IntN(40) {
		k := int64(c.r.IntN(60))
		if c.r.IntN(20) == 0 {
			k = int64(c.r.IntN(5000))
		}
		key := []batch.Vec{ints(k)}
		h := batch.HashRow(key, 0)
		t := ts[int(batch.ShardOf(h))%len(ts)]
		if c.r.IntN(4) == 0 {
			if id := t.Find1(key, 0, h, h); id != 0 {
				t.Delete(id)
				delete(c.cur.rows, k)
			}
			continue
		}
		id, _ := t.Rows1(key, 0, h, h)
		p, slot := t.At(id)
		p.Cols[1].I[slot]++
		c.cur.rows[k]++
		t.PutBytes(id, 2, []byte(label(k, c.cur.rows[k])))
	}
}

func (c *crashRun) prepare(s *Store, ws []*Worker, kind Kind) connectors.EpochID {
	e, err := s.Begin()
	if err != nil {
		c.t.Fatal(err)
	}
	c.counter++
	c.cur.n = c.counter
	if err := e.Position("at", binary.BigEndian.AppendUint64(nil, c.cur.n)); err != nil {
		c.t.Fatal(err)
	}
	for _, w := range ws {
		if err := e.Packed(w.Pack()); err != nil {
			c.t.Fatal(err)
		}
	}
	c.log = append(c.log, prepared{snap: c.cur, kind: kind})
	id, err := e.Prepare(kind)
	if err != nil {
		c.t.Fatal(err)
	}
	if !c.crashed { // else the copy was made and the rest of this incarnation is of no interest
		c.log[len(c.log)-1].id = id
	}
	c.at("C9-prepared")
	return id
}

func (c *crashRun) incarnation(ops int) {
	undecided := c.orphans
	c.orphans, c.point, c.skip, c.crashed = false, crashPoints[c.r.IntN(len(crashPoints))], c.r.IntN(3), false
	if undecided && c.r.IntN(2) == 0 {
		c.point = "C5-unlinking"
	}
	if c.point[:2] == "C4" || c.point[:2] == "C5" { // passed at most once in an incarnation
		c.skip = 0
	}
	start := c.dir
	s, ws, ts, err := c.load(1 + c.r.IntN(3))
	if err != nil {
		c.t.Fatalf("open: %v", err)
	}
	defer func() { _ = s.Close() }()
	if err := c.verify(s, ts, c.decided); err != nil {
		c.t.Fatal(err)
	}
	if c.crashed { // inside Open or Recover
		return
	}
	c.cur = snap{rows: maps.Clone(c.decided.rows)}
	for i := 0; i < ops && !c.crashed; i++ {
		c.step(ts)
		c.at("C6")
		kind := Silent
		if c.kafka && c.r.IntN(2) == 0 {
			kind = Kafka
		}
		id := c.prepare(s, ws, kind)
		var behind connectors.EpochID
		if kind == Kafka && c.r.IntN(3) == 0 { // the next epoch is on disk before this one is decided
			c.step(ts)
			behind = c.prepare(s, ws, Silent)
		}
		if kind == Kafka {
			c.marker = id
			c.at("C11")
		}
		c.settle()
		s.Decided(id, 0)
		if !behind.IsZero() {
			s.Decided(behind, 0)
		}
		c.at("C12")
		if c.r.IntN(4) == 0 {
			if err := s.Flush(); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.skip = 0
	if !c.crashed {
		c.point = "end"
		c.at("end")
	}
	if c.dir == start {
		c.t.Fatal("no copy was made")
	}
}

func runCrashes(t *testing.T, seed uint64, points map[string]int) {
	c := &crashRun{t: t, r: rand.New(rand.NewPCG(seed, 1)), root: memDir(t), points: points}
	c.dir = filepath.Join(c.root, "job")
	c.kafka = seed%2 == 0
	c.decided.rows = map[int64]int64{}
	fault.Hook(c.at)
	defer fault.Hook(nil)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, last point %s", seed, c.point)
		}
	}()
	for range 3 {
		c.incarnation(2 + c.r.IntN(6))
		// What happened after the copy never did.
		c.decided, c.marker, c.log = c.want, c.wantMrk, nil
	}
	c.point = ""
	s, _, ts, err := c.load(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.verify(s, ts, c.decided), s.Close()); err != nil {
		t.Fatal(err)
	}
	c.flip()
}

// memDir is a directory in memory where there is one: what is tried here is the
// order of writes, not the disk.
func memDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "streamd")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// flip turns one bit of one file: what is opened then is refused, or is right.
func (c *crashRun) flip() {
	var files []string
	for _, pattern := range []string{"meta.json", "delta/*.delta", "base/*"} {
		names, _ := filepath.Glob(filepath.Join(c.dir, pattern))
		files = append(files, names...)
	}
	name := files[c.r.IntN(len(files))]
	b, err := os.ReadFile(name)
	if err != nil {
		c.t.Fatal(err)
	}
	used := len(b)
	for used > 0 && b[used-1] == 0 {
		used--
	}
	if used == 0 {
		return
	}
	at := c.r.IntN(used)
	b[at] ^= 1 << c.r.IntN(8)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		c.t.Fatal(err)
	}
	s, _, ts, err := c.load(2)
	if err != nil {
		c.points["flip detected in "+filepath.Ext(name)]++
		return
	}
	c.points["flip harmless or healed"]++
	if err := errors.Join(c.verify(s, ts, c.decided), s.Close()); err != nil {
		c.t.Fatalf("byte %d of %s: %v", at, filepath.Base(name), err)
	}
}

func TestCrashes(t *testing.T) {
	n, first := uint64(500), uint64(0)
	if k, err := strconv.ParseUint(os.Getenv("STREAMD_SOAK"), 10, 64); err == nil && k > 0 {
		n, first = n*k, rand.Uint64N(1<<40)
	}
	points := map[string]int{}
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runCrashes(t, seed, points) })
	}
	t.Log(points)
	for _, p := range crashPoints {
		if points[p] == 0 && n >= 500 && !t.Failed() {
			t.Errorf("no crash at %s was tried", p)
		}
	}
}
