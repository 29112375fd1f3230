package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
)

// Def is what disk knows of a table: enough to read its rows without the
// pipeline.
type Def struct {
	Name    string // Spec.Name
	Op      string
	Layout  string
	Version int
	Keys    int // how many of Cols are the key
	Cols    []ColDef
	TTL     bool // the last column is the time of the last write
}

// ColDef is a stored column.
type ColDef struct {
	Name string
	Type TypeDef
}

// TypeDef is a batch.Type in a form that does not depend on its numbering.
type TypeDef struct {
	T    string
	P, S int32     `json:",omitempty"`
	NN   bool      `json:",omitempty"`
	F    []TypeDef `json:",omitempty"`
	N    []string  `json:",omitempty"` // field names, parallel to F
}

func defOf(s *Spec, types []batch.Type) *Def {
	d := &Def{Name: s.Name(), Op: s.Op, Layout: s.Layout, Version: s.Version, Keys: len(s.Key), TTL: s.TTL > 0}
	for c, t := range types {
		d.Cols = append(d.Cols, ColDef{s.colName(c), typeDef(t)})
	}
	return d
}

func typeDef(t batch.Type) TypeDef {
	d := TypeDef{T: t.SQL.String(), P: t.P, S: t.S, NN: t.NotNull}
	for _, f := range t.Fields {
		d.F, d.N = append(d.F, typeDef(f.Type)), append(d.N, f.Name)
	}
	return d
}

var sqlTypes = func() map[string]batch.SQLType {
	m := map[string]batch.SQLType{}
	for t := batch.Null; t <= batch.Raw; t++ {
		m[t.String()] = t
	}
	return m
}()

func (d TypeDef) typ() (batch.Type, error) {
	sql, ok := sqlTypes[d.T]
	if !ok || len(d.F) != len(d.N) {
		return batch.Type{}, errCorrupt("unknown column type %q", d.T)
	}
	want := map[batch.SQLType]int{batch.Array: 1, batch.Map: 2, batch.Multiset: 1}[sql]
	if sql == batch.RowType && len(d.F) == 0 || sql != batch.RowType && len(d.F) != want {
		return batch.Type{}, errCorrupt("column type %s with %d fields", d.T, len(d.F))
	}
	t := batch.Type{SQL: sql, P: d.P, S: d.S, NotNull: d.NN}
	for i, f := range d.F {
		ft, err := f.typ()
		if err != nil {
			return t, err
		}
		t.Fields = append(t.Fields, batch.Field{Name: d.N[i], Type: ft})
	}
	return t, nil
}

// Types returns the columns' types.
func (d *Def) Types() ([]batch.Type, error) {
	out := make([]batch.Type, len(d.Cols))
	for i, c := range d.Cols {
		var err error
		if out[i], err = c.Type.typ(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fits tells whether rows stored as d can be read as e: same columns, by type.
// Names may change (an alias is no part of a table) and so may TTL.
func (d *Def) fits(types []batch.Type, keys int, ttl bool) bool {
	have, err := d.Types()
	if err != nil || d.Keys != keys || d.TTL != ttl || len(have) != len(types) {
		return false
	}
	for i := range have {
		if !have[i].Equal(types[i]) {
			return false
		}
	}
	return true
}

// Records of the state stream S of a delta:
//
//	T  number, Def as JSON             a table, before its first chunk or counter
//	C  number, shard, page, rows       Chunk
//	Q  number, shard, seq              SeqMark
//
// Numbers are uvarints and good within one delta.
const (
	recTable = 'T'
	recChunk = 'C'
	recSeq   = 'Q'
)

// appendRows encodes the rows of a chunk: how many, slots, columns.
func appendRows(dst []byte, c *Chunk) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.Slots)))
	dst = batch.AppendCol(dst, &batch.Vec{Kind: batch.Int, I: c.Slots}, nil, len(c.Slots))
	live := c.live()
	if live == 0 {
		return dst
	}
	for i := range c.Cols {
		dst = batch.AppendCol(dst, &c.Cols[i], nil, live)
	}
	return dst
}

func (c *Chunk) live() int {
	n := 0
	for _, s := range c.Slots {
		n += int(s & 1)
	}
	return n
}

// readRows decodes what appendRows wrote. b's checksum has been verified.
func readRows(b []byte, types []batch.Type, c *Chunk) error {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > batch.PageRows {
		return errCorrupt("%d rows in a page", n)
	}
	v, rest, err := batch.ReadCol(b[k:], batch.TypeBigInt, int(n))
	if err != nil || v.Null != nil {
		return errCorrupt("slots of a page")
	}
	c.Slots = v.I
	last := int64(-1)
	for _, s := range c.Slots {
		if s>>1 <= last || s>>1 >= batch.PageRows {
			return errCorrupt("slots of a page are out of order")
		}
		last = s >> 1
	}
	if live := c.live(); live > 0 {
		c.Cols = make([]batch.Vec, len(types))
		for i, t := range types {
			if c.Cols[i], rest, err = batch.ReadCol(rest, t, live); err != nil {
				return errCorrupt("column %d of a page: %v", i, err)
			}
		}
	}
	if len(rest) > 0 {
		return errCorrupt("%d bytes behind a page", len(rest))
	}
	return nil
}

// stateEncoder writes S records, each table once.
type stateEncoder struct {
	ids map[string]uint64
	buf []byte
	out func(rec []byte) error
}

func (e *stateEncoder) table(d *Def) (uint64, error) {
	if id, ok := e.ids[d.Name]; ok {
		return id, nil
	}
	id := uint64(len(e.ids))
	e.ids[d.Name] = id
	js, err := json.Marshal(d)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	e.buf = append(binary.AppendUvarint(append(e.buf[:0], recTable), id), js...)
	return id, e.out(e.buf)
}

func (e *stateEncoder) packed(p *Packed) error {
	for i := range p.Chunks {
		c := &p.Chunks[i]
		id, err := e.table(c.Table)
		if err != nil {
			return err
		}
		e.buf = append(binary.AppendUvarint(append(e.buf[:0], recChunk), id), c.Shard)
		e.buf = appendRows(binary.AppendUvarint(e.buf, uint64(c.Page)), c)
		if err := e.out(e.buf); err != nil {
			return err
		}
		*c = Chunk{} // a large epoch is freed as it is written
	}
	for _, q := range p.Seqs {
		id, err := e.table(q.Table)
		if err != nil {
			return err
		}
		e.buf = append(binary.AppendUvarint(append(e.buf[:0], recSeq), id), q.Shard)
		if err := e.out(binary.AppendUvarint(e.buf, q.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// stateDecoder reads S records; it hands on chunks and counters.
type stateDecoder struct {
	defs  []*Def
	types [][]batch.Type
	// named gives one Def a table, however many deltas define it.
	named map[string]*Def
	chunk func(c Chunk) error
	seq   func(q SeqMark)
	// found, if set, is told of a chunk in place of chunk, which spares decoding it.
	found func(def *Def, shard uint8, page uint32) error
}

func (d *stateDecoder) record(b []byte) error {
	if len(b) == 0 {
		return errCorrupt("an empty state record")
	}
	id, k := binary.Uvarint(b[1:])
	if k <= 0 {
		return errCorrupt("a state record without table")
	}
	rest := b[1+k:]
	if b[0] == recTable {
		return d.define(id, rest)
	}
	if id >= uint64(len(d.defs)) || len(rest) < 2 {
		return errCorrupt("a state record of an unknown table")
	}
	shard := rest[0]
	x, k := binary.Uvarint(rest[1:])
	if k <= 0 {
		return errCorrupt("a state record cut short")
	}
	rest = rest[1+k:]
	switch b[0] {
	case recChunk:
		if x > math.MaxInt32>>batch.PageBits {
			return errCorrupt("page %d", x)
		}
		if d.found != nil {
			return d.found(d.defs[id], shard, uint32(x))
		}
		c := Chunk{Table: d.defs[id], Shard: shard, Page: uint32(x)}
		if err := readRows(rest, d.types[id], &c); err != nil {
			return err
		}
		return d.chunk(c)
	case recSeq:
		d.seq(SeqMark{d.defs[id], shard, x})
		return nil
	}
	return errCorrupt("a state record of kind %q", b[0])
}

func (d *stateDecoder) define(id uint64, js []byte) error {
	def := &Def{}
	if err := json.Unmarshal(js, def); err != nil || id != uint64(len(d.defs)) {
		return errCorrupt("a table definition: %v", err)
	}
	types, err := def.Types()
	if err != nil {
		return err
	}
	if d.named[def.Name] == nil {
		d.named[def.Name] = def
	} else {
		def = d.named[def.Name]
	}
	d.defs, d.types = append(d.defs, def), append(d.types, types)
	return nil
}

// corrupt is what checksums and checks of stored bytes find.
type corrupt struct{ what string }

func (c *corrupt) Error() string { return c.what }

func errCorrupt(format string, a ...any) error { return &corrupt{fmt.Sprintf(format, a...)} }
