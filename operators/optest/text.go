package optest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/streamd/streamd/batch"
)

// Schema reads "k STRING NOT NULL, v INT, ts TIMESTAMP(3) ROWTIME, a INT[]"; the
// last is an ARRAY, whose values are written [1, NULL, 2].
func Schema(text string) *batch.Schema {
	s := &batch.Schema{}
	depth, from := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',' && depth == 0:
			s.Fields = append(s.Fields, field(strings.Fields(text[from:i])))
			from = i + 1
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth--
		}
	}
	return s
}

var typeNames = map[string]batch.SQLType{"BOOLEAN": batch.Boolean, "TINYINT": batch.TinyInt, "SMALLINT": batch.SmallInt, "INT": batch.Integer,
	"BIGINT": batch.BigInt, "FLOAT": batch.Float32, "DOUBLE": batch.Float64, "DECIMAL": batch.Decimal, "STRING": batch.Varchar, "VARCHAR": batch.Varchar,
	"CHAR": batch.Char, "BYTES": batch.Varbinary, "DATE": batch.Date, "TIME": batch.Time, "TIMESTAMP": batch.Timestamp, "TIMESTAMP_LTZ": batch.TimestampLTZ}

func field(w []string) batch.Field {
	f := batch.Field{Name: w[0]}
	list := false
	t := strings.Join(w[1:], " ")
	name, args := t, ""
	if i := strings.IndexByte(t, '('); i >= 0 {
		j := strings.IndexByte(t, ')')
		name, args = t[:i]+t[j+1:], t[i+1:j]
	}
	for part := range strings.FieldsSeq(name) {
		switch part {
		case "ROWTIME":
			f.Time = batch.Rowtime
		case "PROCTIME":
			f.Time = batch.Proctime
		case "NOT", "NULL":
			f.Type.NotNull = true
		default:
			part, list = strings.CutSuffix(part, "[]")
			sql, ok := typeNames[part]
			if !ok {
				panic("BUG: test schema with type " + part)
			}
			f.Type.SQL = sql
		}
	}
	if (f.Type.SQL == batch.Varchar || f.Type.SQL == batch.Varbinary) && args == "" {
		f.Type.P = batch.MaxLen
	}
	if f.Type.IsTimestamp() {
		f.Type.P = 3
	}
	for i, a := range strings.Split(args, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(a)); err == nil && i == 0 {
			f.Type.P = int32(n)
		} else if err == nil {
			f.Type.S = int32(n)
		}
	}
	if list {
		f.Type = batch.ArrayOf(f.Type)
	}
	return f
}

// row is one weighted row as text cells.
type row struct {
	w     int64
	cells []string
}

// parseRow reads "+1 | a | 10", or "a | 10" for weight +1; n is the number of
// columns.
func parseRow(s string, n int) row {
	cells := strings.Split(s, "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if len(cells) != n+1 {
		return row{1, cells}
	}
	w, err := strconv.ParseInt(cells[0], 10, 64)
	if err != nil {
		panic("BUG: test row " + s + " begins with no weight")
	}
	return row{w, cells[1:]}
}

// Parse reads rows, one a line, into a batch. Times are seconds.
func Parse(s *batch.Schema, text string) *batch.Batch {
	var rows []row
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			rows = append(rows, parseRow(line, len(s.Fields)))
		}
	}
	return build(s, rows)
}

func build(s *batch.Schema, rows []row) *batch.Batch {
	b := batch.New(s, len(rows))
	for _, r := range rows {
		if len(r.cells) != len(s.Fields) {
			panic(fmt.Sprintf("BUG: test row %q has %d columns, schema %s", r.cells, len(r.cells), s))
		}
		for c, f := range s.Fields {
			cell(&b.Cols[c], f.Type, r.cells[c])
		}
		b.AddWeight(r.w)
	}
	return b
}

func cell(v *batch.Vec, t batch.Type, s string) {
	if s == "NULL" {
		v.AppendNull()
		return
	}
	var err error
	switch {
	case t.IsTimestamp():
		v.AppendInt(Time(s))
	case t.Kind() == batch.Int && t.SQL == batch.Decimal:
		v.AppendInt(int64(decimal(s, t.S).Lo))
	case t.Kind() == batch.Int:
		var x int64
		x, err = strconv.ParseInt(s, 10, 64)
		v.AppendInt(x)
	case t.Kind() == batch.Float:
		var x float64
		x, err = strconv.ParseFloat(s, 64)
		v.AppendFloat(x)
	case t.Kind() == batch.Bool:
		v.AppendBool(s == "true")
	case t.Kind() == batch.Wide:
		v.AppendWide(decimal(s, t.S))
	case t.Kind() == batch.Str:
		v.AppendString(strings.Trim(s, "'"))
	case t.Kind() == batch.List:
		list(v, t, s)
	default:
		panic("BUG: test value of type " + t.String())
	}
	if err != nil {
		panic("BUG: test value " + s + " for " + t.String())
	}
}

// list reads "[a, b]", an ARRAY, or "{a=2, b=1}", a MULTISET; elements are not nested.
func list(v *batch.Vec, t batch.Type, s string) {
	at := v.Child[0].Len()
	if inner := s[1 : len(s)-1]; inner != "" {
		for e := range strings.SplitSeq(inner, ",") {
			e = strings.TrimSpace(e)
			if t.SQL == batch.Multiset {
				i := strings.LastIndexByte(e, '=')
				cell(&v.Child[1], batch.TypeBigInt, e[i+1:])
				e = e[:i]
			}
			cell(&v.Child[0], t.Fields[0].Type, e)
		}
	}
	v.AppendList(at)
}

// Time reads seconds, "9.999" or "-5", as microseconds.
func Time(s string) int64 {
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "s"), 64)
	if err != nil {
		panic("BUG: test time " + s)
	}
	return int64(math.Round(f * 1e6))
}

func decimal(s string, scale int32) batch.Int128 {
	neg := strings.HasPrefix(s, "-")
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	for len(frac) < int(scale) {
		frac += "0"
	}
	var x batch.Int128
	for _, d := range whole + frac {
		x, _ = x.Mul(batch.Int128From(10))
		x = x.Add(batch.Int128From(int64(d - '0')))
	}
	if neg {
		x = x.Neg()
	}
	return x
}

// Text writes stored row i of b as cells between bars; times as seconds.
func Text(b *batch.Batch, i int) string {
	var d []byte
	for c, f := range b.Schema.Fields {
		if c > 0 {
			d = append(d, " | "...)
		}
		v := &b.Cols[c]
		if f.Type.IsTimestamp() && !v.IsNull(i) {
			d = strconv.AppendFloat(d, float64(v.I[i])/1e6, 'f', -1, 64)
			continue
		}
		d = v.AppendText(d, i, f.Type)
	}
	return string(d)
}

// fold sums rows by their text.
type fold map[string]int64

func (f fold) add(text string, w int64) {
	if f[text] += w; f[text] == 0 {
		delete(f, text)
	}
}

// lines writes the fold, sorted, with weights that are not +1.
func (f fold) lines() string {
	var out []string
	for t, w := range f {
		if w != 1 {
			t = fmt.Sprintf("%+d | %s", w, t)
		}
		out = append(out, t)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// want reads expected rows; cells are brought to the form of Text.
func wantFold(s *batch.Schema, text string) fold {
	f := fold{}
	b := Parse(s, text)
	for i := range b.N {
		f.add(Text(b, i), b.Weight(i))
	}
	return f
}
