package state

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/streamd/streamd/connectors"
)

// Adopted is what meta.json keeps of the last adoption: the lineage was made over
// state of earlier ones. The base and the deltas stay as they are, so that
// meta.json alone, one rename, tells before from after.
type Adopted struct {
	// As is the id under which the deciding cluster knows the beginning of this
	// lineage. No delta has it: it stands for At. Numbers up to it are of earlier
	// lineages, higher ones of this.
	As   connectors.EpochID
	At   connectors.EpochID // the epoch that is gone on from; zero = begun empty
	Past [][16]byte         // earlier lineages of what the directory holds
}

// Adoptable tells whether --adopt may go on where this was found. Damaged files,
// a directory in use or one of another job's name are never adopted.
func (r *Refused) Adoptable() bool {
	switch r.Code {
	case TopicReplaced, Lost, Foreign, RolledBack:
		return true
	}
	return false
}

// Adopt says where a new lineage begins: at the end of the newest local chain of
// epochs that are known to be decided, or empty. c is the claim, m the last marker
// before it, of whatever lineage.
//
// An epoch with rows at the chain's end is in doubt unless m names it: its delta is
// durable before its marker is. It is left out, so that its input is read again:
// rows may come twice, none is lost. Those before it are not in doubt, for an epoch
// is prepared only when the one before it is decided.
//
// Example: A = 4, deltas 5 (silent), 6 and 7 (kafka), m = 9 of another copy. The
// chain is 5, 6, 7; 7 is in doubt; the new lineage begins at 6.
func Adopt(f Facts, c connectors.Claim, m connectors.Marker) (Verdict, *Refused) {
	v := Verdict{Row: "adopt", Next: f.next(m) + 1, K: f.Applied, Adopt: true}
	v.Begin = connectors.EpochID{Number: v.Next - 1, Incarnation: c.Incarnation}
	if !f.HasMeta {
		if f.Files {
			return v, refuse(Corrupt, nil, "there are deltas or a base, but no meta.json")
		}
		v.Fresh = true
		return v, nil
	}
	v.Chain = f.newest()
	if n := len(v.Chain); n > 0 {
		if tip, _ := f.delta(v.Chain[n-1]); tip.Kind == Kafka && tip.ID != m.ID {
			v.Chain = v.Chain[:n-1]
		}
	}
	if n := len(v.Chain); n > 0 {
		v.K = v.Chain[n-1]
	}
	v.off(f)
	return v, nil
}

// newest is the chain from A to the newest delta that one leads to.
func (f *Facts) newest() []connectors.EpochID {
	for _, tip := range slices.Backward(f.Deltas) { // by number and incarnation
		var chain []connectors.EpochID
		for id := tip.ID; ; {
			d, ok := f.delta(id)
			if !ok || !f.beyond(id) || len(chain) > 0 && id.Number >= chain[0].Number {
				break
			}
			chain = slices.Insert(chain, 0, id)
			if id = d.Prev; id == f.Applied {
				return chain
			}
		}
	}
	return nil
}

// local gives a marker the id that this directory knows its epoch by.
func (m Meta) local(x connectors.Marker) connectors.Marker {
	if a := m.Adopted; a != nil && x.Lineage == m.Lineage && x.ID == a.As {
		x.ID = a.At
	}
	return x
}

// past tells the lineages that this one was made over.
func (m Meta) past(lineage [16]byte) bool {
	return m.Adopted != nil && slices.Contains(m.Adopted.Past, lineage)
}

// markAt is the newest marker at or before epoch id, where mark is what was stored:
// the epoch at which a lineage begins is marked by its adoption.
func (m Meta) markAt(id, mark connectors.EpochID) connectors.EpochID {
	if m.Adopted != nil && id == m.Adopted.At {
		return id
	}
	return mark
}

// adopt makes the directory's lineage a new one; Recover writes it.
func (s *Store) adopt(v Verdict) {
	a := &Adopted{As: v.Begin, At: v.K}
	if s.has {
		if s.meta.Adopted != nil {
			a.Past = slices.Clone(s.meta.Adopted.Past)
		}
		a.Past = append(a.Past, s.meta.Lineage)
	}
	s.meta = Meta{Format: Format, Lineage: newLineage(), Topic: s.meta.Topic, Job: s.opt.Job, Incarnation: s.meta.Incarnation, Adopted: a}
}

// Adoption returns the marker that tells the deciding cluster of an adoption. The
// engine writes it after Recover: from then on other copies are FOREIGN STATE.
func (s *Store) Adoption() connectors.Marker {
	if s.meta.Adopted == nil {
		panic("BUG: Adoption without one")
	}
	return connectors.Marker{Lineage: s.meta.Lineage, ID: s.meta.Adopted.As}
}

// MayRepeat says to the user what adopting means for the output. m is the marker
// that was found, r why recovery refused.
func (s *Store) MayRepeat(r *Refused, m connectors.Marker) string {
	a := s.meta.Adopted
	was := "none"
	if n := len(a.Past); n > 0 {
		was = hex.EncodeToString(a.Past[n-1][:])
	}
	what := "it begins empty, and all that was written under this job's name may come twice"
	if !a.At.IsZero() {
		what = "it goes on after epoch " + formatID(a.At) + ", and what later epochs wrote may come twice"
	}
	return fmt.Sprintf("--adopt: %s. Lineage %s is given up for %s; the cluster's newest epoch was %s: %s",
		r.Name, was, hex.EncodeToString(s.meta.Lineage[:]), formatID(m.ID), what)
}
