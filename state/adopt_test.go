package state

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/streamd/streamd/connectors"
)

func TestAdopt(t *testing.T) {
	claim := connectors.Claim{Incarnation: 9, TopicID: top2}
	other := func(n uint64) connectors.Marker { return connectors.Marker{Lineage: lin2, ID: eid(n)} }
	cases := []struct {
		name   string
		f      Facts
		m      connectors.Marker
		fresh  bool
		k      uint64
		chain  []uint64
		unlink []uint64
		next   uint64
	}{
		{name: "empty directory", m: marker(4), fresh: true, next: 6},
		{name: "base alone", f: facts(4, 4), m: marker(8), k: 4, next: 10},
		{name: "the newest kafka epoch is in doubt", f: facts(4, 4, sd(5, 4), kd(6, 5), kd(7, 6)), m: marker(9), k: 6, chain: []uint64{5, 6}, unlink: []uint64{7}, next: 11},
		{name: "the marker settles the doubt", f: facts(4, 4, kd(5, 4)), m: marker(5), k: 5, chain: []uint64{5}, next: 7},
		{name: "a silent epoch shows that the one before is decided", f: facts(4, 4, kd(5, 4), sd(6, 5)), m: other(2), k: 6, chain: []uint64{5, 6}, next: 8},
		{name: "the newer of two branches", f: facts(4, 4, sd(5, 4), kd(6, 5), sd(7, 4), sd(8, 7)), k: 8, chain: []uint64{7, 8}, unlink: []uint64{5, 6}, next: 10},
		{name: "a link is missing: the base", f: facts(4, 4, kd(7, 6), kd(8, 7)), m: marker(8), k: 4, unlink: []uint64{7, 8}, next: 10},
		{name: "an older branch that holds together", f: facts(4, 4, sd(5, 4), kd(8, 7)), m: marker(8), k: 5, chain: []uint64{5}, unlink: []uint64{8}, next: 10},
		{name: "rolled back to nothing", f: facts(6, 5), k: 6, next: 8},
		{name: "nothing decided, another's marker", f: facts(0, 0), m: other(3), next: 5},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, r := Adopt(c.f, claim, c.m)
			if r != nil {
				t.Fatal(r)
			}
			var k connectors.EpochID
			if c.k > 0 {
				k = eid(c.k)
			}
			if !v.Adopt || v.Fresh != c.fresh || v.K != k || !slices.Equal(v.Chain, ids(c.chain...)) || !slices.Equal(v.Unlink, ids(c.unlink...)) || v.Next != c.next {
				t.Errorf("verdict %+v", v)
			}
			if want := (connectors.EpochID{Number: c.next - 1, Incarnation: 9}); v.Begin != want {
				t.Errorf("begins with %v, want %v", v.Begin, want)
			}
		})
	}
	if _, r := Adopt(Facts{Files: true}, claim, marker(4)); r == nil || r.Code != Corrupt || r.Adoptable() {
		t.Errorf("files without meta.json: %v", r)
	}
}

// After an adoption at epoch 6 as 10/9 the marker of either id is read as 6, and
// what earlier lineages did is no reason to refuse.
func TestDecideAfterAdoption(t *testing.T) {
	past := [16]byte{7}
	as := connectors.EpochID{Number: 10, Incarnation: 2}
	adopted := func(a, mark uint64, at uint64, d ...Known) Facts {
		f := facts(a, mark, d...)
		f.Meta.Adopted = &Adopted{As: as, Past: [][16]byte{past}}
		if at > 0 {
			f.Meta.Adopted.At = eid(at)
		}
		f.Mark = f.Meta.markAt(f.Applied, f.Mark)
		return f
	}
	begun := connectors.Marker{Lineage: lin1, ID: as}
	cases := []struct {
		name       string
		f          Facts
		m          connectors.Marker
		row, code  string
		look       string
		k          uint64
		chain      []uint64
		next       uint64
		unlink     []uint64
		claimAfter int64
	}{
		// eid gives incarnation 5: beyond the claim, but of a lineage that was given up
		{name: "begun at A", f: adopted(6, 4, 6), m: begun, row: "d", k: 6, next: 11, claimAfter: 3},
		{name: "begun at a delta", f: adopted(4, 4, 6, sd(5, 4), kd(6, 5)), m: begun, row: "e", k: 6, chain: []uint64{5, 6}, next: 11, claimAfter: 3},
		{name: "begun empty", f: adopted(0, 0, 0), m: begun, row: "d", next: 11, claimAfter: 3},
		{name: "undecided delta of the new lineage", f: adopted(6, 4, 6, kd(11, 6)), m: begun, row: "d", k: 6, unlink: []uint64{11}, next: 12, claimAfter: 6},
		{name: "went on", f: adopted(6, 4, 6, kd(11, 6)), m: marker(11), row: "e", k: 11, chain: []uint64{11}, next: 12, claimAfter: 6},
		{name: "own incarnation not beyond the lineage's", f: adopted(6, 4, 6, kd(11, 6)), m: marker(11), code: TopicReplaced, claimAfter: 5},
		{name: "the adoption's own claim is known", f: adopted(6, 4, 6), m: begun, code: TopicReplaced, claimAfter: 2},
		{name: "died before the cluster was told", f: adopted(6, 4, 6), m: connectors.Marker{Lineage: past, ID: eid(9)}, code: Foreign, claimAfter: 3},
		{name: "somebody else's", f: adopted(6, 4, 6), m: connectors.Marker{Lineage: lin2, ID: eid(9)}, code: Foreign, look: Foreign, claimAfter: 3},
		{name: "overtaken by a copy", f: adopted(6, 4, 6), m: marker(12), code: Lost, look: Lost, claimAfter: 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if r := Look(c.f, c.m); (r != nil) != (c.look != "") || r != nil && r.Code != c.look {
				t.Errorf("Look: %v, want %q", r, c.look)
			}
			v, ref := Decide(c.f, connectors.Claim{Incarnation: c.claimAfter, TopicID: top1}, c.m)
			check(t, v, ref, c.row, c.code, c.k, c.chain, c.unlink, c.next)
		})
	}
}

// A real directory is adopted, read again, and adopted again; a crash between
// meta.json and the cluster loses nothing.
func TestAdoptDirectory(t *testing.T) {
	dir := t.TempDir()
	inc := int64(100)
	open := func(m connectors.Marker, topic [16]byte, adopt bool) (*Store, *Refused) {
		t.Helper()
		s, err := Open(dir, small)
		if err != nil {
			t.Fatal(err)
		}
		inc++
		c := connectors.Claim{Incarnation: inc, TopicID: topic}
		v, r := Decide(s.Facts(), c, m)
		if adopt {
			if r == nil || !r.Adoptable() {
				t.Fatalf("nothing to adopt: %v", r)
			}
			v, r = Adopt(s.Facts(), c, m)
		}
		if r != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return nil, r
		}
		if err := s.Recover(v, inc, topic); err != nil {
			t.Fatal(err)
		}
		s.Worker(0, 1)
		s.Loaded()
		return s, nil
	}
	epoch := func(s *Store, kind Kind) connectors.EpochID {
		t.Helper()
		e, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Position("at", []byte{byte(e.Number)}); err != nil {
			t.Fatal(err)
		}
		id, err := e.Prepare(kind)
		if err != nil {
			t.Fatal(err)
		}
		s.Decided(id, 0)
		return id
	}
	done := func(s *Store) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	at := func(s *Store) byte { return s.Positions()[0].Val[0] }

	s, _ := open(connectors.Marker{}, top1, false)
	first := s.Lineage()
	epoch(s, Kafka)
	k2 := epoch(s, Silent)
	done(s)
	inc = 0 // a new control topic counts from the start
	if _, r := open(connectors.Marker{}, top2, false); r == nil || r.Code != TopicReplaced {
		t.Fatalf("refused %v", r)
	}
	s, _ = open(connectors.Marker{}, top2, true)
	if s.Lineage() == first || at(s) != byte(k2.Number) {
		t.Fatalf("lineage %x, position %d", s.Lineage(), at(s))
	}
	done(s) // before the cluster is told
	if b, err := os.ReadFile(filepath.Join(dir, "meta.json")); err != nil || len(b) == 0 {
		t.Fatal(err)
	}
	stale := connectors.Marker{Lineage: first, ID: k2}
	if _, r := open(stale, top2, false); r == nil || r.Code != Foreign {
		t.Fatalf("refused %v", r)
	}
	s, _ = open(stale, top2, true)
	begun := s.Adoption()
	done(s)
	for range 3 { // nothing, a silent epoch, an epoch with rows: each is found again
		s, r := open(begun, top2, false)
		if r != nil {
			t.Fatal(r)
		}
		if at(s) < byte(k2.Number) {
			t.Fatalf("position %d", at(s))
		}
		epoch(s, Silent)
		done(s)
	}
	s, _ = open(begun, top2, false)
	m := connectors.Marker{Lineage: s.Lineage(), ID: epoch(s, Kafka)}
	done(s)
	s, r := open(m, top2, false)
	if r != nil || at(s) != byte(m.ID.Number) {
		t.Fatal(r)
	}
	done(s)
	s2, r := open(connectors.Marker{Lineage: lin2, ID: eid(3)}, top2, true) // again, with everything applied or not
	if r != nil {
		t.Fatal(r)
	}
	done(s2)
}
