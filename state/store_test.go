package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

var small = Options{Job: "job", MemTable: 1 << 20}

func openTest(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := openLocal(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openLocal opens and recovers a job that decides by itself.
func openLocal(dir string, opt Options) (*Store, error) {
	s, err := Open(dir, opt)
	if err != nil {
		return nil, err
	}
	v, ref := DecideLocal(s.Facts())
	if ref != nil {
		return nil, errors.Join(ref, s.Close())
	}
	inc, err := s.StartLocal(v)
	if err == nil {
		err = s.Recover(v, inc, [16]byte{})
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

var counter = Spec{Op: "o", Layout: "count(k)", Version: 1, Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeBigInt, batch.TypeString}}

func add(t *Table, k, v int64) {
	key := []batch.Vec{ints(k)}
	h := batch.HashRow(key, 0)
	id, _ := t.Rows1(key, 0, h, h)
	p, slot := t.At(id)
	p.Cols[1].I[slot] += v
	t.Touch(id)
}

func get(t *Table, k int64) (int64, bool) {
	key := []batch.Vec{ints(k)}
	h := batch.HashRow(key, 0)
	id := t.Find1(key, 0, h, h)
	if id == 0 {
		return 0, false
	}
	p, slot := t.At(id)
	return p.Cols[1].I[slot], true
}

func commit(t testing.TB, s *Store, ws ...*Worker) connectors.EpochID {
	t.Helper()
	e, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ws {
		if err := e.Packed(w.Pack()); err != nil {
			t.Fatal(err)
		}
	}
	id, err := e.Prepare(Silent)
	if err != nil {
		t.Fatal(err)
	}
	s.Decided(id, 0)
	return id
}

func TestSaveAndRestoreWithAnyNumberOfWorkers(t *testing.T) {
	dir := t.TempDir()
	want := map[int64]int64{}
	for round, n := range []int{1, 3, 2, 4, 1} {
		s := openTest(t, dir)
		var ws []*Worker
		var ts []*Table
		for id := range n {
			w := s.Worker(id, n)
			ws, ts = append(ws, w), append(ts, w.Table(counter))
			if w.Err() != nil {
				t.Fatal(w.Err())
			}
		}
		s.Loaded()
		of := func(k int64) *Table {
			return ts[int(batch.ShardOf(batch.HashRow([]batch.Vec{ints(k)}, 0)))%n]
		}
		rows := 0
		for _, tab := range ts {
			rows += tab.Len()
		}
		if rows != len(want) {
			t.Fatalf("round %d: %d rows, want %d", round, rows, len(want))
		}
		for k, v := range want {
			if got, _ := get(of(k), k); got != v {
				t.Fatalf("round %d: key %d is %d, want %d", round, k, got, v)
			}
		}
		if seq := ts[200%n].Seq(200); seq != uint64(round+1) {
			t.Fatalf("round %d: arrival number %d", round, seq)
		}
		for range 3 {
			for k := range int64(700) {
				if k%int64(round+2) == 0 {
					add(of(k), k, k+1)
					want[k] += k + 1
				}
			}
			commit(t, s, ws...)
		}
		if round == 2 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	_, err := Open(dir, small)
	if r := (*Refused)(nil); !errors.As(err, &r) || r.Code != InUse {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	_ = filepath.WalkDir(dir, func(p string, e fs.DirEntry, _ error) error {
		fi, err := e.Info()
		if err == nil && p != dir && e.IsDir() && fi.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", p, fi.Mode())
		}
		if err == nil && !e.IsDir() && fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, fi.Mode())
		}
		return nil
	})
}

// A path that leads through a file is no fault that goes away.
func TestOpenOnAFile(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(f, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{f, filepath.Join(f, "x")} {
		var perm *connectors.Permanent
		if _, err := Open(dir, Options{}); !errors.As(err, &perm) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestOtherColumnsAndOtherJobsAreRefused(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	w := s.Worker(0, 1)
	add(w.Table(counter), 1, 1)
	s.Loaded()
	commit(t, s, w)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // from the chain, then from the base
		s = openTest(t, dir)
		other := counter
		other.Val = []batch.Type{batch.TypeString}
		w = s.Worker(0, 1)
		w.Table(other)
		if r := (*Refused)(nil); !errors.As(w.Err(), &r) || r.Code != DoesNotFit {
			t.Fatal(w.Err())
		}
		s.Loaded()
		if err := errors.Join(s.Flush(), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(dir, Options{Job: "another", MemTable: 1 << 20})
	if r := (*Refused)(nil); !errors.As(err, &r) || r.Code != OtherJob {
		t.Fatal(err)
	}
}

// TestDeliveredDeltaIsGone: an epoch whose rows a follower has is not begun anew when its delta was taken away.
func TestDeliveredDeltaIsGone(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	s.Loaded()
	var last connectors.EpochID
	for range 3 {
		e, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Outbox("f", []byte("row")); err != nil {
			t.Fatal(err)
		}
		if last, err = e.Prepare(Silent); err != nil {
			t.Fatal(err)
		}
		s.Decided(last, 0)
	}
	if err := errors.Join(s.Delivered("f", last), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "delta", deltaName(last.Number, last.Incarnation))); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	if r := (*Refused)(nil); !errors.As(s.Followers("f"), &r) || r.Code != Corrupt {
		t.Fatal("the rows of the epoch would be delivered twice")
	}
}

func TestOutboxesStayUntilDelivered(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	s.Loaded()
	var all []connectors.EpochID
	for i := range 20 {
		e, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := e.Outbox("f", []byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Position("split", []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		id, err := e.Prepare(Silent)
		if err != nil {
			t.Fatal(err)
		}
		s.Decided(id, 0)
		all = append(all, id)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Delivered("f", all[9]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	if p := s.Positions(); len(p) != 1 || p[0].Val[0] != 19 {
		t.Fatal(p)
	}
	want := byte(10)
	for _, d := range s.Undelivered("f") {
		if err := d.Outbox("f", func(rec []byte) error {
			if rec[0] != want {
				t.Fatalf("row %d, want %d", rec[0], want)
			}
			want += 2
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if want != 20 {
		t.Fatalf("rows up to %d", want)
	}
	if err := s.Delivered("f", all[18]); err != nil {
		t.Fatal(err)
	}
	if n := len(s.deltas); n != keepApplied {
		t.Fatalf("%d deltas kept", n)
	}
}

// TestNothingIsTrimmedBeforeFollowersAreNamed applies what recovery found before
// the store hears who its followers are.
func TestNothingIsTrimmedBeforeFollowersAreNamed(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	const epochs = 3 * keepApplied
	for range epochs {
		e, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Outbox("f", []byte("row")); err != nil {
			t.Fatal(err)
		}
		id, err := e.Prepare(Silent)
		if err != nil {
			t.Fatal(err)
		}
		s.Decided(id, 0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	s.Loaded()
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Followers("g"); err != nil {
		t.Fatal(err)
	}
	if owed, err := s.Owed(); err != nil || len(owed) != 1 || owed[0] != "f" {
		t.Fatalf("owed to %q (%v), want f", owed, err)
	}
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	if owed, err := s.Owed(); err != nil || len(owed) > 0 {
		t.Fatalf("owed to %q (%v), want nobody else", owed, err)
	}
	left := s.Undelivered("f")
	if len(left) != epochs {
		t.Fatalf("%d epochs are left for the follower, want %d", len(left), epochs)
	}
	if err := s.Delivered("f", left[epochs-1].ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Followers(); err != nil {
		t.Fatal(err)
	}
	if owed, err := s.Owed(); err != nil || len(owed) > 0 {
		t.Fatalf("owed to %q (%v) after the delivery", owed, err)
	}
}

func TestBroadcastAndTTLTables(t *testing.T) {
	dir := t.TempDir()
	all, old := counter, counter
	all.Op, all.Broadcast = "all", true
	old.Op, old.TTL = "old", 10
	for round := range 3 {
		n := []int{2, 3, 1}[round]
		s := openTest(t, dir)
		var ws []*Worker
		for i := range n {
			w := s.Worker(i, n)
			a, o := w.Table(all), w.Table(old)
			if w.Err() != nil {
				t.Fatal(w.Err())
			}
			if a.Len() != round {
				t.Fatalf("round %d: worker %d of %d has %d broadcast rows", round, i, n, a.Len())
			}
			add(a, int64(round), 1)
			own := int(batch.ShardOf(batch.HashRow([]batch.Vec{ints(7)}, 0)))%n == i
			switch {
			case !own:
			case round == 0: // written at 5
				o.Expire(5, nil)
				add(o, 7, 1)
			case round == 1:
				if o.Expire(14, nil); o.Len() != 1 {
					t.Fatal("gone too early after a restore")
				}
			case round == 2:
				if o.Expire(15, nil); o.Len() != 0 {
					t.Fatal("not gone after a restore")
				}
			}
			ws = append(ws, w)
		}
		s.Loaded()
		commit(t, s, ws...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEphemeralKeepsRowsUntilDelivered(t *testing.T) {
	s := Ephemeral(1)
	if err := s.Followers("f"); err != nil {
		t.Fatal(err)
	}
	w := s.Worker(0, 1)
	tab := w.Table(counter)
	var last connectors.EpochID
	for i := range 3 {
		add(tab, int64(i), 1)
		e, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Packed(w.Pack()), e.Outbox("f", []byte{byte(i)}), e.Position("p", nil)); err != nil {
			t.Fatal(err)
		}
		if last, err = e.Prepare(Silent); err != nil {
			t.Fatal(err)
		}
		if n := len(s.Undelivered("f")); n != i {
			t.Fatalf("%d undelivered before the decision of epoch %d", n, i+1)
		}
		s.Decided(last, 0)
	}
	got := []byte{}
	for _, d := range s.Undelivered("f") {
		_ = d.Outbox("f", func(rec []byte) error { got = append(got, rec...); return nil })
	}
	if string(got) != "\x00\x01\x02" {
		t.Fatalf("%v", got)
	}
	if err := s.Delivered("f", last); err != nil || len(s.deltas) != 0 {
		t.Fatal(err, s.deltas)
	}
}

func TestNearlyFullDisk(t *testing.T) {
	dir := t.TempDir()
	opt := small
	opt.Free = func(string) (int64, error) { return 1 << 20, nil }
	_, err := Open(dir, opt)
	if r := (*Refused)(nil); !errors.As(err, &r) || r.Code != NoRoom {
		t.Fatal(err)
	}
}

// copyDir copies a state directory as a crash at this moment would leave it,
// leaving holes in sparse files. Badger moves files in the background: a copy
// during which one came, went or grew is none, and is made again.
func copyDir(from, to string) error {
	for range 1000 {
		before := listing(from)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := copyOnce(from, to); err != nil {
			return err
		}
		if before == listing(from) {
			return nil
		}
	}
	return errors.New("the directory never stood still")
}

func listing(dir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil {
			if fi, err := e.Info(); err == nil {
				fmt.Fprintln(&b, p, fi.Size(), fi.ModTime().UnixNano())
			}
		}
		return nil
	})
	return b.String()
}

func copyOnce(from, to string) error {
	return filepath.WalkDir(from, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, _ := filepath.Rel(from, p)
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return copyFile(p, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	buf, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	at := int64(0)
	for {
		n, err := in.Read(buf)
		if n > 0 && !bytes.Equal(buf[:n], zero[:n]) {
			if _, err := out.WriteAt(buf[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		if err == io.EOF {
			return out.Truncate(at)
		}
		if err != nil {
			return err
		}
	}
}
