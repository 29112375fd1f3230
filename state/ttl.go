package state

import "github.com/streamd/streamd/batch"

// Expire sets the step time of a table with a TTL and deletes every row whose
// last write is TTL or more before it; before(id), if not nil, is called first, to
// take the row out of derived indexes. An operator calls it once a step before it
// reads or writes the table: expiry is then exact, for step time stands still
// within a step.
//
// Each row has one entry in a heap by time. An entry that comes due may be older
// than the row's last write; it is then put back with that.
func (t *Table) Expire(now int64, before func(id batch.RowID)) {
	if t.Spec.TTL <= 0 {
		return
	}
	t.now = now
	for len(t.due) > 0 && t.due[0].at <= now-t.Spec.TTL {
		e := t.due.pop()
		p, slot := t.At(e.id)
		if !p.IsLive(slot) {
			continue
		}
		if last := p.Cols[len(t.Types)-1].I[slot]; last > e.at {
			t.due.push(ttlEntry{last, e.id})
			continue
		}
		if before != nil {
			before(e.id)
		}
		t.Delete(e.id)
	}
}

// ttlEntry says that row id was written at a time. Entries of deleted rows stay
// until they come due; one that meets a new row in its slot only asks too early.
type ttlEntry struct {
	at int64
	id batch.RowID
}

// ttlHeap is a binary heap, the smallest time first.
type ttlHeap []ttlEntry

func (h *ttlHeap) push(e ttlEntry) {
	*h = append(*h, e)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if s[up].at <= e.at {
			break
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *ttlHeap) pop() ttlEntry {
	s := *h
	top := s[0]
	last := len(s) - 1
	s[0] = s[last]
	s = s[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && s[c+1].at < s[c].at {
			c++
		}
		if s[i].at <= s[c].at {
			break
		}
		s[i], s[c] = s[c], s[i]
		i = c
	}
	*h = s
	return top
}
