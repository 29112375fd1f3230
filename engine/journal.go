package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// journal makes epochs durable. The ephemeral one keeps nothing.
type journal interface {
	// begin starts the next epoch; its id has no CRC yet.
	begin() (connectors.EpochID, error)
	// prepare writes the epoch's delta and returns its whole id. followers names
	// the followers, by sink.
	prepare(ep *epoch, followers []string, kafka bool) (connectors.EpochID, error)
	// decided notes that the epoch is decided; markerAt is where its marker stands.
	// It returns how many bytes were written for the epoch.
	decided(id connectors.EpochID, markerAt int64) (bytes int64, err error)
	// delivered notes that a follower has the epoch.
	delivered(follower string, id connectors.EpochID) error
	// room tells whether the disk has room for another epoch, or why not.
	room() (bool, string)
	marker(id connectors.EpochID) connectors.Marker
	close() error
}

// durable is the journal of a job with a state directory.
type durable struct {
	store *state.Store
	cur   *state.Epoch
	last  map[string][]byte // positions as they were last written
	texts []state.Text      // the list of operators, until it is written
}

// drainedMark is what a finished state says of itself.
const drainedMark = "drained"

func (d *durable) begin() (connectors.EpochID, error) {
	e, err := d.store.Begin()
	if err != nil {
		return connectors.EpochID{}, err
	}
	d.cur = e
	return connectors.EpochID{Number: e.Number, Incarnation: d.store.Incarnation()}, nil
}

func (d *durable) prepare(ep *epoch, followers []string, kafka bool) (connectors.EpochID, error) {
	e := d.cur
	for i, staged := range ep.staged {
		if staged == nil {
			continue
		}
		if err := e.Outbox(followers[i], staged); err != nil {
			return connectors.EpochID{}, err
		}
	}
	for _, p := range ep.positions() {
		if old, ok := d.last[p.Key]; ok && bytes.Equal(old, p.Val) {
			continue
		}
		if err := e.Position(p.Key, p.Val); err != nil {
			return connectors.EpochID{}, err
		}
		d.last[p.Key] = p.Val
	}
	for _, p := range ep.chunks {
		if err := e.Packed(p); err != nil {
			return connectors.EpochID{}, err
		}
	}
	if ep.finished {
		e.Finished([]string{drainedMark})
	}
	if d.texts != nil {
		e.Texts(d.texts)
		d.texts = nil
	}
	kind := state.Silent
	if kafka {
		kind = state.Kafka
	}
	return e.Prepare(kind)
}

func (d *durable) decided(id connectors.EpochID, markerAt int64) (bytes int64, err error) {
	delta := d.store.Decided(id, markerAt)
	return delta.Size, d.store.Err()
}

func (d *durable) delivered(follower string, id connectors.EpochID) error {
	return d.store.Delivered(follower, id)
}

func (d *durable) marker(id connectors.EpochID) connectors.Marker {
	return connectors.Marker{Lineage: d.store.Lineage(), ID: id}
}

func (d *durable) room() (bool, string) {
	if why := d.store.Room(); why != "" {
		return false, why
	}
	return true, ""
}

func (d *durable) close() error { return d.store.Close() }

// ephemeral is the journal of a job without a state directory.
type ephemeral struct{ number uint64 }

func (e *ephemeral) begin() (connectors.EpochID, error) {
	e.number++
	return connectors.EpochID{Number: e.number, Incarnation: 1}, nil
}

func (e *ephemeral) prepare(*epoch, []string, bool) (connectors.EpochID, error) {
	return connectors.EpochID{Number: e.number, Incarnation: 1}, nil
}

func (*ephemeral) decided(connectors.EpochID, int64) (int64, error) { return 0, nil }
func (*ephemeral) delivered(string, connectors.EpochID) error       { return nil }
func (*ephemeral) room() (bool, string)                             { return true, "" }
func (*ephemeral) marker(connectors.EpochID) connectors.Marker      { return connectors.Marker{} }
func (*ephemeral) close() error                                     { return nil }

// Keys of positions: a source table's watermark, and a split.
const (
	tableKey = "table\x00"
	splitKey = "split\x00"
)

// positions returns the epoch's positions: of the tables, then of the splits.
func (ep *epoch) positions() (kvs []state.KV) {
	for _, t := range ep.tables {
		kvs = append(kvs, state.KV{Key: tableKey + t.Table, Val: binary.BigEndian.AppendUint64(nil, uint64(t.WM))})
	}
	for _, s := range ep.splits {
		v := binary.BigEndian.AppendUint64(nil, uint64(s.WM))
		idle := byte(0)
		if s.Idle {
			idle = 1
		}
		kvs = append(kvs, state.KV{Key: splitKey + s.Table + "\x00" + s.Split, Val: append(append(v, idle), s.Pos...)})
	}
	return kvs
}

// restore reads positions back.
func restore(kvs []state.KV) (*restored, map[string][]byte, error) {
	r := &restored{tables: map[string]operators.WM{}, splits: map[[2]string]splitPosition{}}
	last := map[string][]byte{}
	for _, kv := range kvs {
		last[kv.Key] = kv.Val
		if t, ok := bytes.CutPrefix([]byte(kv.Key), []byte(tableKey)); ok && len(kv.Val) == 8 {
			r.tables[string(t)] = operators.WM(binary.BigEndian.Uint64(kv.Val))
			continue
		}
		rest, ok := bytes.CutPrefix([]byte(kv.Key), []byte(splitKey))
		table, split, cut := bytes.Cut(rest, []byte{0})
		if !ok || !cut || len(kv.Val) < 9 {
			return nil, nil, &connectors.Refused{Code: state.Corrupt, What: "STATE CORRUPT", Why: fmt.Sprintf("a position has the unknown form %q", kv.Key), Advice: "restore the directory from a copy"}
		}
		r.splits[[2]string{string(table), string(split)}] = splitPosition{Table: string(table), Split: string(split),
			WM: operators.WM(binary.BigEndian.Uint64(kv.Val)), Idle: kv.Val[8] != 0, Pos: kv.Val[9:]}
	}
	return r, maps.Clone(last), nil
}
