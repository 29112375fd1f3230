package state

import "github.com/streamd/streamd/batch"

// Multi groups a table's rows by the first columns of the key, as chains in the
// order of insertion. (After a restore: in the order of Less. Whatever depends on
// order sorts by a seq column.)
//
// Example: a join side keyed (k, row) with prefix 1. Rows 7 = (a, x), 8 = (b, x),
// 9 = (a, y) make the groups a: 7 ↔ 9 and b: 8.
//
//	g := m.Group(key, i, place[i], hash[i])       // hash of column k
//	for id := m.First(g); id != 0; id = m.Next(id) { … }
type Multi struct {
	groups
	links byRow[link]
}

type link struct {
	next, prev batch.RowID
	g          Group
}

// NewMulti groups the rows of t, those it has and those to come, by their first
// prefix key columns.
func NewMulti(t *Table, prefix int) *Multi {
	m := &Multi{groups: newGroups(t, prefix), links: byRow[link]{t: t}}
	t.Each(m.Insert)
	return m
}

// Insert adds a row: after Rows reported it fresh.
func (m *Multi) Insert(id batch.RowID) { m.InsertAt(id, 0, m.hashOf(id)) }

// InsertAt is Insert where the hash of the group's columns is known, and perhaps
// the group (else 0).
func (m *Multi) InsertAt(id batch.RowID, of Group, hash uint64) {
	l := m.links.enter(id)
	if l.g != 0 {
		panic("BUG: row inserted twice in an index of " + m.t.Spec.Name())
	}
	g := m.join(id, of, hash)
	r := &m.recs[g]
	*l = link{prev: r.tail, g: g}
	if r.tail != 0 {
		m.links.at(r.tail).next = id
	} else {
		r.head = id
	}
	r.tail = id
}

// Remove takes a row out: before Delete.
func (m *Multi) Remove(id batch.RowID) {
	l := *m.links.at(id)
	if l.g == 0 {
		panic("BUG: row removed that is not in an index of " + m.t.Spec.Name())
	}
	r := &m.recs[l.g]
	if l.prev != 0 {
		m.links.at(l.prev).next = l.next
	} else {
		r.head = l.next
	}
	if l.next != 0 {
		m.links.at(l.next).prev = l.prev
	} else {
		r.tail = l.prev
	}
	*m.links.at(id) = link{}
	m.leave(l.g, id)
}

// First returns the first row of a group; 0 for group 0.
func (m *Multi) First(g Group) batch.RowID { return m.recs[g].head }

// Next returns the row after id in its group, 0 at the end. To remove rows in a
// walk, call Next before Remove.
func (m *Multi) Next(id batch.RowID) batch.RowID { return m.links.at(id).next }

// GroupOf returns the group of a row.
func (m *Multi) GroupOf(id batch.RowID) Group { return m.links.get(id).g }

// Reset empties the index, with its scratch table.
func (m *Multi) Reset() {
	m.reset()
	m.links.reset()
}
