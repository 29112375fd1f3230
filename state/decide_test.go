package state

import (
	"slices"
	"testing"

	"github.com/streamd/streamd/connectors"
)

func eid(n uint64) connectors.EpochID {
	return connectors.EpochID{Number: n, Incarnation: 5, CRC: uint32(n) * 7}
}

func ids(n ...uint64) (out []connectors.EpochID) {
	for _, x := range n {
		out = append(out, eid(x))
	}
	return out
}

func kd(n, prev uint64) Known {
	k := Known{ID: eid(n), Kind: Kafka}
	if prev > 0 {
		k.Prev = eid(prev)
	}
	return k
}

func sd(n, prev uint64) Known { k := kd(n, prev); k.Kind = Silent; return k }

var (
	lin1, lin2 = [16]byte{1}, [16]byte{2}
	top1, top2 = [16]byte{3}, [16]byte{4}
)

func marker(n uint64) connectors.Marker {
	if n == 0 {
		return connectors.Marker{}
	}
	return connectors.Marker{Lineage: lin1, ID: eid(n)}
}

func facts(a, mark uint64, d ...Known) Facts {
	f := Facts{HasMeta: true, Files: true, Meta: Meta{Format: 1, Lineage: lin1, Topic: top1}, Deltas: d}
	if a > 0 {
		f.Applied = eid(a)
	}
	if mark > 0 {
		f.Mark = eid(mark)
	}
	return f
}

func TestDecide(t *testing.T) {
	cases := []struct {
		name   string
		f      Facts
		topic  [16]byte
		inc    int64
		m      connectors.Marker
		row    string
		code   string // of the refusal
		k      uint64
		chain  []uint64
		unlink []uint64
		next   uint64
		look   string // what Look refuses already
	}{
		{name: "a: another topic", f: facts(4, 4), topic: top2, inc: 9, m: marker(4), code: TopicReplaced},
		{name: "a: own incarnation not beyond the known", f: facts(4, 4, kd(5, 4)), topic: top1, inc: 5, m: marker(4), code: TopicReplaced},
		{name: "a before c", f: facts(4, 4), topic: top2, inc: 9, m: connectors.Marker{Lineage: lin2, ID: eid(4)}, code: TopicReplaced, look: Foreign},
		{name: "b: fresh", f: Facts{}, topic: top1, inc: 0, row: "b", next: 1},
		{name: "b: empty directory", f: Facts{}, topic: top1, inc: 9, m: marker(4), code: Lost, look: Lost},
		{name: "no meta but files", f: Facts{Files: true, Deltas: []Known{sd(1, 0)}}, topic: top1, inc: 9, code: Corrupt},
		{name: "c", f: facts(4, 4), topic: top1, inc: 9, m: connectors.Marker{Lineage: lin2, ID: eid(4)}, code: Foreign, look: Foreign},
		{name: "d: both zero", f: facts(0, 0), topic: top1, inc: 9, row: "d", next: 1},
		{name: "d: topic not bound yet", f: func() Facts { f := facts(0, 0); f.Meta.Topic = [16]byte{}; return f }(), topic: top1, inc: 9, row: "d", next: 1},
		{name: "d: marker is A", f: facts(4, 4), topic: top1, inc: 9, m: marker(4), row: "d", k: 4, next: 5},
		{name: "d: silent epochs applied after the marker", f: facts(6, 4), topic: top1, inc: 9, m: marker(4), row: "d", k: 6, next: 7},
		{name: "d: undecided delta goes", f: facts(4, 4, kd(4, 3), kd(5, 4)), topic: top1, inc: 9, m: marker(4), row: "d", k: 4, unlink: []uint64{5}, next: 6},
		{name: "d, 6: silent follows", f: facts(4, 4, sd(5, 4), sd(8, 5)), topic: top1, inc: 9, m: marker(4), row: "d", k: 8, chain: []uint64{5, 8}, next: 9},
		{name: "d, 6: silent behind an undecided one goes", f: facts(4, 4, kd(5, 4), sd(6, 5)), topic: top1, inc: 9, m: marker(4), row: "d", k: 4, unlink: []uint64{5, 6}, next: 7},
		{name: "d, 6: first silent epochs of a job", f: facts(0, 0, sd(1, 0), sd(2, 1)), topic: top1, inc: 9, row: "d", k: 2, chain: []uint64{1, 2}, next: 3},
		{name: "6: two silent", f: facts(4, 4, sd(5, 4), sd(6, 4)), topic: top1, inc: 9, m: marker(4), code: Corrupt},
		{name: "e: one", f: facts(4, 4, kd(5, 4)), topic: top1, inc: 9, m: marker(5), row: "e", k: 5, chain: []uint64{5}, next: 6},
		{name: "e: walk over silent and kafka, gaps", f: facts(4, 4, sd(6, 4), kd(9, 6), kd(12, 9), sd(13, 12)), topic: top1, inc: 9, m: marker(12), row: "e", k: 13, chain: []uint64{6, 9, 12, 13}, next: 14},
		{name: "e: newer undecided goes, its number is not used again", f: facts(4, 4, kd(5, 4), kd(6, 5)), topic: top1, inc: 9, m: marker(5), row: "e", k: 5, chain: []uint64{5}, unlink: []uint64{6}, next: 7},
		{name: "e: from nothing", f: facts(0, 0, kd(1, 0)), topic: top1, inc: 9, m: marker(1), row: "e", k: 1, chain: []uint64{1}, next: 2},
		{name: "e: link missing", f: facts(4, 4, kd(7, 6)), topic: top1, inc: 9, m: marker(7), code: Lost},
		{name: "e: walk ends before A", f: facts(4, 4, kd(3, 2), kd(7, 3)), topic: top1, inc: 9, m: marker(7), code: Lost},
		{name: "f: older marker", f: facts(6, 5, kd(4, 3)), topic: top1, inc: 9, m: marker(4), code: RolledBack},
		{name: "f: no marker", f: facts(6, 5), topic: top1, inc: 9, code: RolledBack},
		{name: "f: no marker, none applied either", f: func() Facts { f := facts(0, 0, kd(1, 0), kd(2, 1)); f.Hint = 3; return f }(), topic: top1, inc: 9, code: RolledBack},
		{name: "g", f: facts(4, 4), topic: top1, inc: 9, m: marker(8), code: Lost, look: Lost},
		{name: "g: same number, another id", f: facts(4, 4, kd(5, 4)), topic: top1, inc: 9, m: connectors.Marker{Lineage: lin1, ID: connectors.EpochID{Number: 5, Incarnation: 6, CRC: 1}}, code: Lost, look: Lost},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := Look(c.f, c.m)
			if (r != nil) != (c.look != "") || r != nil && r.Code != c.look {
				t.Errorf("Look: %v, want %q", r, c.look)
			}
			v, ref := Decide(c.f, connectors.Claim{Incarnation: c.inc, TopicID: c.topic}, c.m)
			check(t, v, ref, c.row, c.code, c.k, c.chain, c.unlink, c.next)
		})
	}
}

func check(t *testing.T, v Verdict, ref *Refused, row, code string, k uint64, chain, unlink []uint64, next uint64) {
	t.Helper()
	if code != "" {
		if ref == nil || ref.Code != code {
			t.Fatalf("refused %v, want %s", ref, code)
		}
		if ref.Name == "" || ref.Msg == "" || ref.Advice == "" {
			t.Fatalf("the refusal says too little: %#v", ref)
		}
		return
	}
	if ref != nil {
		t.Fatal(ref)
	}
	var want connectors.EpochID
	if k > 0 {
		want = eid(k)
	}
	if v.Row != row || v.K != want || !slices.Equal(v.Chain, ids(chain...)) || !slices.Equal(v.Unlink, ids(unlink...)) || v.Next != next {
		t.Fatalf("verdict %+v", v)
	}
}

func TestDecideLocal(t *testing.T) {
	cases := []struct {
		name   string
		f      Facts
		code   string
		k      uint64
		chain  []uint64
		unlink []uint64
		next   uint64
	}{
		{name: "fresh", f: Facts{}, next: 1},
		{name: "no meta but files", f: Facts{Files: true}, code: Corrupt},
		{name: "nothing decided yet", f: facts(0, 0), next: 1},
		{name: "at A", f: facts(4, 0, sd(3, 2), sd(4, 3)), k: 4, next: 5},
		{name: "chain", f: facts(4, 0, sd(4, 3), sd(5, 4), sd(8, 5)), k: 8, chain: []uint64{5, 8}, next: 9},
		{name: "a link is missing", f: facts(4, 0, sd(5, 4), sd(8, 6)), code: Corrupt},
		{name: "the base went back", f: facts(0, 0, sd(3, 2), sd(4, 3)), code: Corrupt},
		{name: "two follow", f: facts(4, 0, sd(5, 4), sd(6, 4)), code: Corrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, ref := DecideLocal(c.f)
			check(t, v, ref, "local", c.code, c.k, c.chain, c.unlink, c.next)
		})
	}
}

func TestCodesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Codes {
		if seen[c.Code] || c.Code[:3] != "SD7" || c.Name == "" || c.Title == "" || c.Explanation == "" || c.Example == "" || c.WayOut == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Code] = true
	}
}
