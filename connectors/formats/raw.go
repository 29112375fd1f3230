package formats

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func init() {
	register(&Format{
		Name: "raw", Doc: "the record is the value of the only column", Ext: "raw", Accepts: connectors.AppendOnly,
		Keys: []connectors.OptionKey{
			{Key: "charset", Default: "UTF-8", Doc: "UTF-8 only"},
			{Key: "endianness", Default: "big-endian", Doc: "big-endian or little-endian, of numbers"},
		},
		Decoder: func(s *Spec) (Decoder, error) { return newRaw(s) },
		Encoder: func(s *Spec) (Encoder, error) { return newRaw(s) },
	})
}

type rawOptions struct {
	Charset string `opt:"charset" default:"UTF-8"`
	Endian  string `opt:"endianness" default:"big-endian" oneof:"big-endian,little-endian"`
}

// raw reads and writes one value without any dressing.
type raw struct {
	f     batch.Field
	col   int
	want  bool
	size  int // bytes of a number; 0 = any length
	order binary.ByteOrder
	bad   [1]Problem
}

func newRaw(s *Spec) (*raw, error) {
	var o rawOptions
	if err := s.options("raw", &o); err != nil {
		return nil, err
	}
	if !strings.EqualFold(o.Charset, "UTF-8") && !strings.EqualFold(o.Charset, "UTF8") {
		return nil, s.optionError("raw", "charset", "only UTF-8 is supported")
	}
	if len(s.Fields) != 1 {
		return nil, &connectors.OptionError{Where: connectors.AtTable, Key: s.Prefix + "format", Msg: fmt.Sprintf("format raw needs exactly one column, not %d", len(s.Fields))}
	}
	r := &raw{f: s.Fields[0], col: s.col(0), order: binary.BigEndian}
	r.want = s.Want.Has(r.col)
	if o.Endian == "little-endian" {
		r.order = binary.LittleEndian
	}
	switch t := r.f.Type; t.SQL {
	case batch.Char, batch.Varchar, batch.Binary, batch.Varbinary:
	case batch.Boolean, batch.TinyInt:
		r.size = 1
	case batch.SmallInt:
		r.size = 2
	case batch.Integer, batch.Float32:
		r.size = 4
	case batch.BigInt, batch.Float64:
		r.size = 8
	default:
		return nil, s.typeError("raw", r.f, "")
	}
	return r, nil
}

func (r *raw) Weights() []int64 { return nil }

func (r *raw) Decode(b *batch.Batch, rec []byte) (int, []Problem) {
	v := &b.Cols[r.col]
	if r.size == 0 {
		if r.f.Type.IsString() && !utf8.Valid(rec) {
			return r.fail(BadUTF8, "the record is not UTF-8")
		}
		if r.want {
			v.AppendBytes(rec)
		}
		return 1, nil
	}
	if len(rec) != r.size {
		return r.fail(RawLength, fmt.Sprintf("%d bytes for %s, which has %d", len(rec), r.f.Type, r.size))
	}
	if !r.want {
		return 1, nil
	}
	switch r.f.Type.SQL {
	case batch.Boolean:
		v.AppendBool(rec[0] != 0)
	case batch.TinyInt:
		v.AppendInt(int64(int8(rec[0])))
	case batch.SmallInt:
		v.AppendInt(int64(int16(r.order.Uint16(rec))))
	case batch.Integer:
		v.AppendInt(int64(int32(r.order.Uint32(rec))))
	case batch.BigInt:
		v.AppendInt(int64(r.order.Uint64(rec)))
	case batch.Float32:
		v.AppendFloat(float64(math.Float32frombits(r.order.Uint32(rec))))
	case batch.Float64:
		v.AppendFloat(math.Float64frombits(r.order.Uint64(rec)))
	}
	return 1, nil
}

func (r *raw) fail(c Code, msg string) (int, []Problem) {
	r.bad[0] = Problem{Code: c, Field: r.f.Name, Msg: msg}
	return 0, r.bad[:]
}

func (r *raw) Append(dst []byte, b *batch.Batch, i int, _ connectors.Kind) ([]byte, bool, error) {
	v := &b.Cols[r.col]
	if v.IsNull(i) {
		return dst, true, nil
	}
	var x [8]byte
	switch r.f.Type.SQL {
	case batch.Boolean:
		if v.B[i] {
			return append(dst, 1), false, nil
		}
		return append(dst, 0), false, nil
	case batch.TinyInt:
		return append(dst, byte(v.I[i])), false, nil
	case batch.SmallInt:
		r.order.PutUint16(x[:], uint16(v.I[i]))
	case batch.Integer:
		r.order.PutUint32(x[:], uint32(v.I[i]))
	case batch.BigInt:
		r.order.PutUint64(x[:], uint64(v.I[i]))
	case batch.Float32:
		r.order.PutUint32(x[:], math.Float32bits(float32(v.F[i])))
	case batch.Float64:
		r.order.PutUint64(x[:], math.Float64bits(v.F[i]))
	default:
		return append(dst, v.Bytes(i)...), false, nil
	}
	return append(dst, x[:r.size]...), false, nil
}
