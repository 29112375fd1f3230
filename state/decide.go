package state

import (
	"encoding/hex"

	"github.com/streamd/streamd/connectors"
)

// Facts is what a state directory says before anything is decided: the input of
// Decide.
type Facts struct {
	HasMeta bool
	Files   bool // there are deltas or a base
	Meta    Meta
	Applied connectors.EpochID // A: the last epoch the base has
	Mark    connectors.EpochID // the newest marker at or before A
	Hint    int64              // the largest offset at which a marker is known to stand; 0 = none was decided that we know of
	Deltas  []Known            // all whole deltas, by number and incarnation
}

// Known is what the decision needs of a delta.
type Known struct {
	ID, Prev connectors.EpochID
	Kind     Kind
}

// Verdict says where a job goes on.
type Verdict struct {
	Row    string               // of the recovery table: "b" fresh, "d", "e"; "local", "adopt"
	Fresh  bool                 // nothing is stored: begin a lineage
	K      connectors.EpochID   // the last decided epoch
	Chain  []connectors.EpochID // the epochs after A up to K, in order
	Unlink []connectors.EpochID // deltas after A that are off the chain
	Next   uint64               // number of the next epoch
	Adopt  bool                 // begin a new lineage at K
	Begin  connectors.EpochID   // then: the id its beginning is marked with
}

// Look judges what may be judged before older incarnations are fenced: a stale
// copy must not fence a healthy owner. m is what is visible; a newer marker may
// not be yet, so that only b, c and g count.
func Look(f Facts, m connectors.Marker) *Refused {
	switch m = f.Meta.local(m); {
	case m.IsZero():
		return nil
	case !f.HasMeta:
		return lostEmpty(m)
	case f.Meta.past(m.Lineage):
		return nil // the marker of our adoption may not be visible yet
	case m.Lineage != f.Meta.Lineage:
		return foreign(f, m)
	case m.ID != f.Mark && !f.has(m.ID) && m.ID.Number >= f.Mark.Number:
		return lost(f, m)
	}
	return nil
}

// Decide finds the last decided epoch of a job with Kafka, after the claim: c is
// the claim, m the last marker before it. The first row of the recovery table
// that fits, then the silent epochs after it.
func Decide(f Facts, c connectors.Claim, m connectors.Marker) (Verdict, *Refused) {
	v := Verdict{Next: f.next(m)}
	m = f.Meta.local(m)
	var topic [16]byte
	switch {
	case f.HasMeta && f.Meta.Topic != topic && c.TopicID != f.Meta.Topic: // a
		return v, refuse(TopicReplaced, []connectors.EpochID{m.ID, f.Mark},
			"the control topic has id %s, this directory belongs to %s", hex.EncodeToString(c.TopicID[:]), hex.EncodeToString(f.Meta.Topic[:]))
	case f.HasMeta && c.Incarnation <= f.incarnation() && f.incarnation() >= 0: // a
		return v, refuse(TopicReplaced, []connectors.EpochID{m.ID, f.Mark},
			"this start is incarnation %d, but %d is already known here", c.Incarnation, f.incarnation())
	case !f.HasMeta: // b
		if !m.IsZero() {
			return v, lostEmpty(m)
		}
		if f.Files {
			return v, refuse(Corrupt, nil, "there are deltas or a base, but no meta.json")
		}
		v.Row, v.Fresh = "b", true
		return v, nil
	case !m.IsZero() && m.Lineage != f.Meta.Lineage: // c
		return v, foreign(f, m)
	case m.IsZero() && f.Hint > 0: // f: A may not have the epoch of that marker yet
		return v, refuse(RolledBack, []connectors.EpochID{m.ID, f.Mark}, "there is no marker, but one was at offset %d", f.Hint)
	case m.ID == f.Mark: // d: A may be newer than m, by silent epochs
		v.Row, v.K = "d", f.Applied
	case f.after(m.ID): // e
		v.Row, v.K = "e", m.ID
		for id := m.ID; id != f.Applied; {
			d, ok := f.delta(id)
			if !ok || !f.beyond(id) {
				return v, refuse(Lost, []connectors.EpochID{m.ID, f.Applied},
					"the newest decided epoch is %s, but epoch %s on the way to it is missing", formatID(m.ID), formatID(id))
			}
			v.Chain = append([]connectors.EpochID{id}, v.Chain...)
			id = d.Prev
		}
	case m.IsZero() || m.ID.Number < f.Mark.Number: // f
		return v, refuse(RolledBack, []connectors.EpochID{m.ID, f.Mark},
			"the newest marker is %s, but %s was decided", formatID(m.ID), formatID(f.Mark))
	default: // g
		return v, lost(f, m)
	}
	if r := v.follow(f, Silent); r != nil {
		return v, r
	}
	v.off(f)
	return v, nil
}

// DecideLocal finds the last decided epoch of a job without Kafka: every whole
// delta is decided, so each beyond A must lie on one chain.
func DecideLocal(f Facts) (Verdict, *Refused) {
	v := Verdict{Row: "local", Next: f.next(connectors.Marker{})}
	if !f.HasMeta {
		if f.Files {
			return v, refuse(Corrupt, nil, "there are deltas or a base, but no meta.json")
		}
		v.Fresh = true
		return v, nil
	}
	v.K = f.Applied
	if r := v.follow(f, ""); r != nil {
		return v, r
	}
	v.off(f)
	if len(v.Unlink) > 0 {
		return v, refuse(Corrupt, []connectors.EpochID{v.Unlink[0], v.K},
			"epoch %s does not follow from the state, which ends at %s", formatID(v.Unlink[0]), formatID(v.K))
	}
	return v, nil
}

// follow moves K on over decided deltas: by the id of their predecessor, not by
// number, for numbers have gaps. kind "" takes any.
func (v *Verdict) follow(f Facts, kind Kind) *Refused {
	for {
		var next []connectors.EpochID
		for _, d := range f.Deltas {
			if d.Prev == v.K && (kind == "" || d.Kind == kind) && d.ID.Number > v.K.Number && f.beyond(d.ID) {
				next = append(next, d.ID)
			}
		}
		switch len(next) {
		case 0:
			return nil
		case 1:
			v.K, v.Chain = next[0], append(v.Chain, next[0])
		default:
			return refuse(Corrupt, next, "two epochs follow %s", formatID(v.K))
		}
	}
}

// off lists the deltas beyond A that are not on the chain.
func (v *Verdict) off(f Facts) {
	on := map[connectors.EpochID]bool{}
	for _, id := range v.Chain {
		on[id] = true
	}
	for _, d := range f.Deltas {
		if f.beyond(d.ID) && !on[d.ID] {
			v.Unlink = append(v.Unlink, d.ID)
		}
	}
}

// beyond tells a delta that the base does not have by its number.
func (f *Facts) beyond(id connectors.EpochID) bool { return id.Number > f.Applied.Number }

func (f *Facts) after(id connectors.EpochID) bool { return f.beyond(id) && f.has(id) }

func (f *Facts) has(id connectors.EpochID) bool {
	_, ok := f.delta(id)
	return ok
}

func (f *Facts) delta(id connectors.EpochID) (Known, bool) {
	for _, d := range f.Deltas {
		if d.ID == id {
			return d, true
		}
	}
	return Known{}, false
}

// next is one more than every number that was ever seen, also of what is
// unlinked: a number is never used again.
func (f *Facts) next(m connectors.Marker) uint64 {
	n := max(m.ID.Number, f.Applied.Number)
	if a := f.Meta.Adopted; a != nil {
		n = max(n, a.As.Number)
	}
	for _, d := range f.Deltas {
		n = max(n, d.ID.Number)
	}
	return n + 1
}

// incarnation is the newest this directory knows of in its lineage, -1 for none.
// Those of lineages that were given up may be of another control topic.
func (f *Facts) incarnation() int64 {
	n, first := int64(-1), uint64(1)
	if a := f.Meta.Adopted; a != nil {
		n, first = a.As.Incarnation, a.As.Number+1
	}
	if f.Applied.Number >= first {
		n = max(n, f.Applied.Incarnation)
	}
	for _, d := range f.Deltas {
		if d.ID.Number >= first {
			n = max(n, d.ID.Incarnation)
		}
	}
	return n
}

func lostEmpty(m connectors.Marker) *Refused {
	r := refuse(Lost, []connectors.EpochID{m.ID, {}}, "the directory is empty, but epoch %s was decided", formatID(m.ID))
	r.Name = "STATE LOST (empty directory)"
	r.Advice = "give the right directory or a new job name, or --adopt, which begins empty and prints what may come twice"
	return r
}

func lost(f Facts, m connectors.Marker) *Refused {
	return refuse(Lost, []connectors.EpochID{m.ID, f.Applied},
		"epoch %s was decided and is not in this directory, which ends at %s: another copy of it went on", formatID(m.ID), formatID(f.Applied))
}

func foreign(f Facts, m connectors.Marker) *Refused {
	return refuse(Foreign, []connectors.EpochID{m.ID, f.Mark}, "the job is of lineage %s, the directory of lineage %s",
		hex.EncodeToString(m.Lineage[:]), hex.EncodeToString(f.Meta.Lineage[:]))
}
