package kafka

import (
	"bytes"
	"strconv"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

// rowReader turns records into rows of a table's batch: value columns, key columns, metadata columns, hidden columns.
type rowReader struct {
	t     *table
	want  connectors.Want
	keep  keep
	most  int // rows that one record can give at most
	value formats.Decoder

	key       formats.Decoder // nil: the key is of no interest
	keyRow    *batch.Batch    // the key of the record at hand, one row
	keyOnly   []int           // columns that only the key fills, as indexes into t.keyCols
	valueOnly []int           // columns of the batch that a record without a value leaves NULL
	meta      []metaColumn
	raw       []byte // of the record at hand: the column $raw
}

func newRowReader(t *table, want connectors.Want) (*rowReader, error) {
	r := &rowReader{t: t, want: want, most: 1}
	if t.valueFormat.Changes == connectors.Retracts {
		r.most = 2 // the old and the new row of an update
	}
	var errs optionErrors
	if t.valueFormat.Decoder == nil {
		errs.add(connectors.AtValue, t.valuePrefix+"format", "", "format %q cannot be read", t.valueFormat.Name)
		return nil, errs.err()
	}
	var err error
	if r.value, err = t.valueFormat.Decoder(t.valueSpec(want)); err != nil {
		return nil, err
	}
	if err := r.prepareKey(); err != nil {
		return nil, err
	}
	for c := range t.def.Schema.Fields {
		if t.def.Meta[c] == "" {
			continue
		}
		m, err := newMetaColumn(t.def, c)
		if err != nil {
			return nil, err
		}
		if want.Has(c) {
			r.meta = append(r.meta, m)
			r.keep.times = r.keep.times || m.kind == metaTime || m.kind == metaTimeType
			r.keep.headers = r.keep.headers || m.kind == metaHeaders
		}
	}
	if want.Raw { // a dead letter holds the whole record
		r.keep = keep{keys: true, times: true, headers: true}
	}
	return r, nil
}

func (r *rowReader) prepareKey() error {
	t := r.t
	if t.keyFormat == nil {
		return nil
	}
	var errs optionErrors
	if t.keyFormat.Decoder == nil {
		errs.add(connectors.AtValue, "key.format", "", "format %q cannot be read", t.keyFormat.Name)
		return errs.err()
	}
	spec := t.keySpec(nil)
	var err error
	if r.key, err = t.keyFormat.Decoder(spec); err != nil {
		return err
	}
	r.keyRow = batch.New(t.keySchema(), 1)
	r.keep.keys = true
	inKey, inValue := map[int]bool{}, map[int]bool{}
	for _, c := range t.keyCols {
		inKey[c] = true
	}
	for _, c := range t.valueCols {
		inValue[c] = true
		if !inKey[c] && r.want.Has(c) {
			r.valueOnly = append(r.valueOnly, c)
		}
	}
	for i, c := range t.keyCols {
		if !inValue[c] && r.want.Has(c) {
			r.keyOnly = append(r.keyOnly, i)
		}
	}
	return nil
}

// read appends the rows of record i of a slab, or what is wrong with it.
func (r *rowReader) read(dst *connectors.Dst, buf *buffer, s *slab, i int) {
	b := dst.Batch
	value := field(s.values, s.ends, i)
	if r.key != nil && !r.readKey(dst, buf, s, i, value) {
		return
	}
	if value == nil {
		r.noValue(dst, buf, s, i)
		return
	}
	rows, bad := r.value.Decode(b, value)
	for _, p := range bad {
		r.bad(dst, p, buf, s, i, value)
	}
	if rows == 0 && len(bad) == 0 {
		r.missing(dst, buf, s, i) // an empty text
	}
	weights := r.value.Weights()
	for k := range rows {
		for _, c := range r.keyOnly {
			b.Cols[r.t.keyCols[c]].AppendFrom(&r.keyRow.Cols[c], 0)
		}
		r.finish(b, buf, s, i)
		if weights != nil {
			b.AddWeight(weights[k])
		} else {
			b.AddWeight(1)
		}
	}
}

// readKey decodes the key into keyRow; false when the record gives no row because of it.
func (r *rowReader) readKey(dst *connectors.Dst, buf *buffer, s *slab, i int, value []byte) bool {
	r.keyRow.Reset()
	key := field(s.keys, s.keyEnds, i)
	if key == nil {
		if r.t.upsert {
			p := formats.Problem{Code: formats.NoKey, Msg: "the record has no key"}
			r.bad(dst, p, buf, s, i, value)
			return false
		}
		for c := range r.keyRow.Cols {
			r.keyRow.Cols[c].AppendNull()
		}
		return true
	}
	rows, bad := r.key.Decode(r.keyRow, key)
	for _, p := range bad {
		p.Msg = "key: " + p.Msg
		r.bad(dst, p, buf, s, i, key)
	}
	return rows == 1
}

// noValue: in an upsert table the record deletes its key's row, elsewhere it is no row.
func (r *rowReader) noValue(dst *connectors.Dst, buf *buffer, s *slab, i int) {
	b := dst.Batch
	if !r.t.upsert {
		r.missing(dst, buf, s, i)
		return
	}
	for k, c := range r.t.keyCols {
		if r.want.Has(c) {
			b.Cols[c].AppendFrom(&r.keyRow.Cols[k], 0)
		}
	}
	for _, c := range r.valueOnly {
		b.Cols[c].AppendNull()
	}
	r.finish(b, buf, s, i)
	b.AddWeight(-1)
}

// missing counts a record that is no row.
func (r *rowReader) missing(dst *connectors.Dst, buf *buffer, s *slab, i int) {
	p := formats.Problem{Code: formats.NoValue, Msg: "the record has no value", Skipped: true}
	r.bad(dst, p, buf, s, i, nil)
}

// bad notes a problem of record i, in those of its bytes that are to blame.
func (r *rowReader) bad(dst *connectors.Dst, p formats.Problem, buf *buffer, s *slab, i int, blamed []byte) {
	x := p.Bad(place(buf, s, i), blamed, dst.Batch.N)
	if r.want.Raw {
		x.Origin = r.origin(buf, s, i)
		x.Origin.Key, x.Origin.Value = bytes.Clone(x.Origin.Key), bytes.Clone(x.Origin.Value)
	}
	dst.Bad = append(dst.Bad, x)
}

// origin is record i as it stands in its topic; key and value are the slab's.
func (r *rowReader) origin(buf *buffer, s *slab, i int) connectors.Origin {
	o := connectors.Origin{Table: r.want.Table, Topic: buf.topic, Part: buf.partition, Offset: s.offsets[i], Time: s.times[i],
		Key: field(s.keys, s.keyEnds, i), Value: field(s.values, s.ends, i)}
	for _, h := range s.headers[i] {
		o.Headers = append(o.Headers, connectors.Header{Key: h.Key, Value: h.Value})
	}
	return o
}

// finish appends the columns that come from the record's place.
func (r *rowReader) finish(b *batch.Batch, buf *buffer, s *slab, i int) {
	for _, m := range r.meta {
		m.append(&b.Cols[m.col], buf, s, i)
	}
	if r.want.Pos || r.want.Raw {
		hidden := connectors.HiddenOf(b.Schema, r.want)
		var pos []byte
		if hidden.WantsPos() {
			pos = []byte(place(buf, s, i))
		}
		if hidden.WantsRaw() {
			o := r.origin(buf, s, i)
			r.raw = o.Append(r.raw[:0])
		}
		hidden.Append(b, pos, r.raw)
	}
}

// place names a record for messages: topic/partition/offset.
func place(buf *buffer, s *slab, i int) string {
	return placeAt(buf, s.offsets[i])
}

func placeAt(buf *buffer, offset int64) string {
	return buf.split + "/" + strconv.FormatInt(offset, 10)
}
