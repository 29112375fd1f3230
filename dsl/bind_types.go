package dsl

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
)

var plainTypes = map[string]batch.Type{
	"BOOLEAN": batch.TypeBool, "TINYINT": {SQL: batch.TinyInt}, "SMALLINT": {SQL: batch.SmallInt}, "INT": batch.TypeInt, "BIGINT": batch.TypeBigInt,
	"FLOAT": {SQL: batch.Float32}, "DOUBLE": batch.TypeDouble, "STRING": batch.TypeString, "BYTES": batch.TypeBytes, "DATE": batch.TypeDate,
}

// sized are the types with a length or precision: least, greatest and default.
// What Flink assumes where there is none: CHAR and BINARY are one long, VARCHAR and
// VARBINARY as long as can be.
var sized = map[string]struct {
	sql          batch.SQLType
	lo, hi, dflt int
}{
	"CHAR": {batch.Char, 1, batch.MaxLen, 1}, "VARCHAR": {batch.Varchar, 1, batch.MaxLen, batch.MaxLen},
	"BINARY": {batch.Binary, 1, batch.MaxLen, 1}, "VARBINARY": {batch.Varbinary, 1, batch.MaxLen, batch.MaxLen},
	"TIME": {batch.Time, 0, 6, 0}, "TIMESTAMP": {batch.Timestamp, 0, 6, 6}, "TIMESTAMP_LTZ": {batch.TimestampLTZ, 0, 6, 6},
	"DECIMAL": {batch.Decimal, 1, 38, 10},
}

// typeOf binds a data type; what streamd has not is refused at its first word.
func (b *binder) typeOf(t ast.Type) batch.Type {
	out := b.bareType(t)
	out.NotNull = t.IsNotNull()
	return out
}

func (b *binder) bareType(t ast.Type) batch.Type {
	switch t := t.(type) {
	case *ast.ArrayType:
		return batch.ArrayOf(b.typeOf(t.Elem))
	case *ast.MultisetType:
		return batch.MultisetOf(b.typeOf(t.Elem))
	case *ast.MapType:
		return batch.MapOf(b.typeOf(t.Key), b.typeOf(t.Value))
	case *ast.RowType:
		out := batch.Type{SQL: batch.RowType}
		seen := map[string]bool{}
		for _, f := range t.Fields {
			name := f.Name.String()
			if seen[name] {
				fail("SD2005", f.Name.Span, "field %q is declared twice", name)
			}
			seen[name] = true
			out.Fields = append(out.Fields, batch.Field{Name: name, Type: b.typeOf(f.Type)})
		}
		return out
	case *ast.ScalarType:
		return b.scalarType(t)
	}
	panic("BUG: unknown type")
}

func (b *binder) scalarType(t *ast.ScalarType) batch.Type {
	if p, ok := plainTypes[t.Name]; ok {
		return p
	}
	if t.Name == "INTERVAL" {
		switch t.From {
		case "YEAR", "MONTH", "QUARTER":
			return batch.Type{SQL: batch.IntervalMonth}
		}
		return batch.Type{SQL: batch.IntervalDay}
	}
	s, ok := sized[t.Name]
	at := headSpan(b.file, t.Span)
	if !ok {
		d := diag.New("SD3004", at, "there is no type %s", clip(t.Name))
		var names []string
		for n := range plainTypes {
			names = append(names, n)
		}
		for n := range sized {
			names = append(names, n)
		}
		if here := foreignTypes[t.Name]; here != "" {
			throw(d.WithHint("write %s", here))
		}
		if near := diag.Near(t.Name, names); near != "" {
			d.WithLabel("did you mean %s?", near)
		}
		throw(d)
	}
	if t.Zone {
		throw(diag.New("SD3004", at, "%s WITH TIME ZONE is not a part of the language", t.Name).WithHint("use TIMESTAMP_LTZ"))
	}
	p, scale := s.dflt, 0
	if len(t.Args) > 0 {
		p = t.Args[0]
	}
	if len(t.Args) > 1 {
		scale = t.Args[1]
	}
	if p < s.lo || p > s.hi {
		d := diag.New("SD3004", at, "%s(%d): %d to %d are possible", t.Name, p, s.lo, s.hi)
		switch {
		case s.sql == batch.Time:
			d.WithHint("times have microseconds here: write TIME(6)")
		case s.hi == 6:
			d.WithHint("times have microseconds here: write %s(6), or %s(3) for a time attribute", t.Name, t.Name)
		}
		throw(d)
	}
	if t.Name == "DECIMAL" {
		if scale > p {
			fail("SD3004", at, "DECIMAL(%d, %d): the scale is larger than the precision", p, scale)
		}
		return batch.DecimalOf(int32(p), int32(scale))
	}
	return batch.Type{SQL: s.sql, P: int32(p)}
}

// opSpan is a span as nodes and row errors carry it.
func opSpan(s source.Span) ops.Span { return ops.Span{From: s.Pos.Offset, To: s.EndPos.Offset} }
