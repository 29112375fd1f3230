package simtest

import (
	"fmt"
	"math/rand/v2"
)

// Val is a SQL BIGINT; nil is NULL. Times are milliseconds.
type Val = *int64

// V makes a value.
func V(x int64) Val { return &x }

// Event is one change of a table: the row (id, k, v, ts) and its weight.
type Event struct {
	ID, TS int64
	K, V   Val
	W      int64
	Split  int
}

// Table is the input of one table, in order of arrival.
type Table struct {
	Name     string
	Updates  bool  // holds events of weight -1
	Delay    int64 // WATERMARK FOR ts AS ts - INTERVAL: milliseconds
	Splits   int   // 0 = 1
	Periodic bool  // the watermark moves between steps only
	Events   []Event
}

// split is what split n of the table holds, in order.
func (t *Table) split(n int) (out []Event) {
	for _, e := range t.Events {
		if e.Split == n {
			out = append(out, e)
		}
	}
	return out
}

// DDL is the CREATE TABLE of t over the connector that the test provides.
func (t *Table) DDL() string {
	emit := "on-event"
	if t.Periodic {
		emit = "on-periodic"
	}
	return fmt.Sprintf(`CREATE TABLE %s (id BIGINT, k BIGINT, v BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '%d.%03d' SECOND) WITH ('connector' = 'sim', 'name' = '%s', 'scan.watermark.emit.strategy' = '%s');
`, t.Name, t.Delay/1000, t.Delay%1000, t.Name, emit)
}

// RandomTables makes tables a and b (append, with late rows) and c (updates and
// deletes; its delay is so long that nothing of it is late).
func RandomTables(r *rand.Rand, n int) map[string]*Table {
	out := map[string]*Table{}
	for _, name := range []string{"a", "b"} {
		t := &Table{Name: name, Delay: int64(r.IntN(4)) * 500}
		now, grain := int64(r.IntN(5000)), []int64{1, 250}[r.IntN(2)] // coarse times meet watermarks and windows exactly
		for i := range n {
			now += int64(r.IntN(700))
			ts := now - now%grain + grain - 1
			if r.IntN(4) == 0 {
				ts -= int64(r.IntN(6000)) / grain * grain
			}
			t.Events = append(t.Events, Event{ID: int64(i), TS: ts, K: key(r), V: value(r), W: 1})
		}
		out[name] = t
	}
	c := &Table{Name: "c", Updates: true, Delay: 3_600_000}
	var live []Event
	now := int64(0)
	for i := 0; len(c.Events) < n; i++ {
		now += 1 + int64(r.IntN(700)) // rows that live together differ in time: who is first has no ties
		if len(live) > 0 && r.IntN(3) == 0 {
			at := r.IntN(len(live))
			old := live[at]
			live = append(live[:at], live[at+1:]...)
			old.W = -1
			c.Events = append(c.Events, old)
			if r.IntN(2) == 0 {
				continue
			}
			// An update: the same key and time, another value.
			old.ID, old.V, old.W = int64(i), value(r), 1
			c.Events, live = append(c.Events, old), append(live, old)
			continue
		}
		e := Event{ID: int64(i), TS: now, K: key(r), V: value(r), W: 1}
		c.Events, live = append(c.Events, e), append(live, e)
	}
	out["c"] = c
	return out
}

// Deal makes the tables ones of 1 to 3 splits whose watermarks move between
// steps, and lets changes of c be late too. Rows of different origin then differ
// in time, so that no result depends on which split is read first.
func Deal(r *rand.Rand, tables map[string]*Table) {
	taken := map[int64]bool{}
	for _, name := range []string{"a", "b", "c"} {
		t := tables[name]
		t.Periodic, t.Splits = true, 1+r.IntN(3)
		if t.Updates && r.IntN(2) == 0 {
			t.Delay = int64(r.IntN(40)) * 500
		}
		type place struct {
			ts    int64
			split int
		}
		moved := map[int64]place{} // of c: all changes of one row go the same way
		for i := range t.Events {
			e := &t.Events[i]
			p, ok := moved[e.TS]
			if !ok {
				p = place{e.TS, r.IntN(t.Splits)}
				for taken[p.ts] {
					p.ts++
				}
				taken[p.ts] = true
				if t.Updates {
					moved[e.TS] = p
				}
			}
			e.TS, e.Split = p.ts, p.split
		}
	}
}

func key(r *rand.Rand) Val {
	if r.IntN(8) == 0 {
		return nil
	}
	return V(int64(r.IntN(5)))
}

func value(r *rand.Rand) Val {
	if r.IntN(8) == 0 {
		return nil
	}
	return V(int64(r.IntN(40) - 15))
}
