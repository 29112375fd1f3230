package state

import (
	"cmp"
	"slices"

	"github.com/streamd/streamd/batch"
)

// Buckets files a table's rows by a time column, for panes that fire and rows
// that leave together.
//
// Example: rows 3 (t=20), 4 (t=10), 5 (t=20). Due(15) gives (10, [4]), Due(20)
// gives (10, [4]) and (20, [3 5]). Nothing leaves by being due; Drop(10) forgets
// the bucket 10, and the operator deletes its rows:
//
//	b.Due(wm, func(time int64, ids []batch.RowID) { fire(ids); for … { t.Delete(id) } })
//	b.Drop(wm)
//
// A row's time must not change while it is in: Remove, write, Insert.
type Buckets struct {
	t     *Table
	col   int
	by    map[int64]uint32 // time -> number in recs; never iterated
	recs  []bucket
	free  []uint32
	times []int64 // heap, the least first; each bucket's time once
	links byRow[bucketLink]
	ids   []batch.RowID
	dealt []batch.RowID
	due   []int64
}

type bucket struct {
	head batch.RowID
	n    int32
}

type bucketLink struct {
	next, prev batch.RowID
	b          uint32 // 0 = not in the index
}

// NewBuckets files the rows of t, those it has and those to come, by the integer
// column col. A NULL time is filed as 0.
func NewBuckets(t *Table, col int) *Buckets {
	b := &Buckets{t: t, col: col, by: map[int64]uint32{}, recs: make([]bucket, 1), links: byRow[bucketLink]{t: t}}
	t.Each(b.Insert)
	return b
}

// Insert files a row whose time is set.
func (b *Buckets) Insert(id batch.RowID) {
	link := b.links.enter(id)
	if link.b != 0 {
		panic("BUG: row inserted twice in an index of " + b.t.Spec.Name())
	}
	p, slot := b.t.At(id)
	at := p.Cols[b.col].I[slot]
	k, ok := b.by[at]
	if !ok {
		if n := len(b.free); n > 0 {
			k, b.free = b.free[n-1], b.free[:n-1]
		} else {
			k = uint32(len(b.recs))
			b.recs = append(b.recs, bucket{})
		}
		b.by[at] = k
		b.pushTime(at)
	}
	r := &b.recs[k]
	if r.head != 0 {
		b.links.at(r.head).prev = id
	}
	*link = bucketLink{next: r.head, b: k}
	r.head = id
	r.n++
}

// Remove takes a row out; one whose bucket was dropped is out already.
func (b *Buckets) Remove(id batch.RowID) {
	l := b.links.get(id)
	if l.b == 0 {
		return
	}
	r := &b.recs[l.b]
	if l.prev != 0 {
		b.links.at(l.prev).next = l.next
	} else {
		r.head = l.next
	}
	if l.next != 0 {
		b.links.at(l.next).prev = l.prev
	}
	r.n--
	*b.links.at(id) = bucketLink{}
}

// Due calls f for every bucket with time <= t that has rows, in order of time,
// with its rows in the order of Less; ids is good until f returns. f may remove
// and delete rows, and insert rows later than t.
func (b *Buckets) Due(t int64, f func(time int64, ids []batch.RowID)) {
	b.due = b.dueTimes(b.due[:0], 0, t)
	slices.Sort(b.due)
	for _, at := range b.due {
		if ids := b.At(at); len(ids) > 0 {
			f(at, ids)
		}
	}
}

// few rows are sorted at once: dealing them out looks at every shard
// (BenchmarkDedup/last=false, where each time has its own bucket).
const few = 32

// Between returns the times from <= t < to that have a bucket, in order; good
// until the next call of Between or Due. Its cost follows the buckets below to,
// not the length of the span.
func (b *Buckets) Between(from, to int64) []int64 {
	b.due = b.dueTimes(b.due[:0], 0, to-1)
	slices.Sort(b.due)
	at, _ := slices.BinarySearch(b.due, from)
	return b.due[at:]
}

// At returns the rows of one time in the order of Less, good until the next call.
//
// A chain is the reverse of the order of insertion, and a shard gives out its
// slots in order: once the rows are dealt out by shard there is mostly nothing
// left to sort.
func (b *Buckets) At(time int64) []batch.RowID {
	b.ids = b.ids[:0]
	less := func(x, y batch.RowID) int { return cmp.Compare(b.t.order(x), b.t.order(y)) }
	if k := b.by[time]; b.recs[k].n <= few {
		for id := b.recs[k].head; id != 0; id = b.links.at(id).next {
			b.ids = append(b.ids, id)
		}
		slices.SortFunc(b.ids, less)
		return b.ids
	}
	var from [batch.Shards + 1]int32
	for id := b.recs[b.by[time]].head; id != 0; id = b.links.at(id).next {
		b.ids = append(b.ids, id)
		from[int(b.t.Pages[id>>batch.PageBits].Shard)+1]++
	}
	for s := range batch.Shards {
		from[s+1] += from[s]
	}
	end := from
	b.dealt = slices.Grow(b.dealt[:0], len(b.ids))[:len(b.ids)]
	for k := len(b.ids) - 1; k >= 0; k-- {
		s := b.t.Pages[b.ids[k]>>batch.PageBits].Shard
		b.dealt[end[s]] = b.ids[k]
		end[s]++
	}
	for s := range batch.Shards {
		if part := b.dealt[from[s]:from[s+1]]; !slices.IsSortedFunc(part, less) {
			slices.SortFunc(part, less)
		}
	}
	return b.dealt
}

// Next returns the earliest time that has a bucket.
func (b *Buckets) Next() (time int64, ok bool) {
	for len(b.times) > 0 {
		if b.recs[b.by[b.times[0]]].n > 0 {
			return b.times[0], true
		}
		b.forget(nil)
	}
	return 0, false
}

// Drop forgets the buckets with time <= t. Their rows, where they are still in
// the table, stay there.
func (b *Buckets) Drop(t int64) {
	for len(b.times) > 0 && b.times[0] <= t {
		b.forget(nil)
	}
}

// Take is Drop that calls f for each row, those of one time in no order to rely on;
// f may delete the row. It spares what Due does for the order
// (BenchmarkIntervalJoin).
func (b *Buckets) Take(t int64, f func(id batch.RowID)) {
	for len(b.times) > 0 && b.times[0] <= t {
		b.forget(f)
	}
}

// forget drops the earliest bucket and calls f, unless nil, for its rows.
func (b *Buckets) forget(f func(id batch.RowID)) {
	at := b.popTime()
	k := b.by[at]
	for id := b.recs[k].head; id != 0; {
		l := b.links.at(id)
		next := l.next
		*l = bucketLink{}
		if f != nil {
			f(id)
		}
		id = next
	}
	b.recs[k] = bucket{}
	delete(b.by, at)
	b.free = append(b.free, k)
}

// dueTimes appends the times <= t in the heap below i.
func (b *Buckets) dueTimes(dst []int64, i int, t int64) []int64 {
	if i >= len(b.times) || b.times[i] > t {
		return dst
	}
	dst = append(dst, b.times[i])
	return b.dueTimes(b.dueTimes(dst, 2*i+1, t), 2*i+2, t)
}

func (b *Buckets) pushTime(at int64) {
	b.times = append(b.times, at)
	s := b.times
	for i := len(s) - 1; i > 0 && s[(i-1)/2] > s[i]; i = (i - 1) / 2 {
		s[i], s[(i-1)/2] = s[(i-1)/2], s[i]
	}
}

func (b *Buckets) popTime() int64 {
	s := b.times
	top, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c+1 < last && s[c+1] < s[c] {
			c++
		}
		if c >= last || s[i] <= s[c] {
			break
		}
		s[i], s[c] = s[c], s[i]
		i = c
	}
	b.times = s
	return top
}

// Reset empties the index, with its scratch table.
func (b *Buckets) Reset() {
	clear(b.by)
	b.recs, b.free, b.times = b.recs[:1], b.free[:0], b.times[:0]
	b.links.reset()
}
