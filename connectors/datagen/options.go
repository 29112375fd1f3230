package datagen

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

type options struct {
	PerSecond int64 `opt:"rows-per-second" default:"10000"`
	Rows      int64 `opt:"number-of-rows" default:"-1"`
	Splits    int64 `opt:"splits" default:"1"`
	Seed      int64 `opt:"seed" default:"0"`
}

var keys = []connectors.OptionKey{
	{Key: "rows-per-second", Default: "10000", Doc: "how fast rows are made; at most so many"},
	{Key: "number-of-rows", Doc: "end after so many rows; absent: without end, unless a sequence ends"},
	{Key: "splits", Default: "1", Doc: "parts that workers make side by side"},
	{Key: "seed", Default: "0", Doc: "another seed, other values"},
	{Key: "scan.parallelism", Doc: "tunes Flink only", Ignored: true},
	{Key: "fields.*", Doc: "fields.NAME.{kind,min,max,length,var-len,start,end,max-past,null-rate}; NAME.element of ARRAY and MULTISET, NAME.key and NAME.value of MAP, NAME.FIELD of ROW"},
}

// field is how one column, or one part of a nested one, is made.
type field struct {
	t          batch.Type
	id         uint64 // distinguishes the draws
	sequence   bool
	start, end int64 // of the sequence
	lo, hi     int64 // range of integers; of decimals, scaled; of intervals
	flo, fhi   float64
	length     int
	varLen     bool
	maxPast    time.Duration
	nullRate   float64
	kids       []field
	wide       bool // DECIMAL without min and max
}

// parser collects the options of the fields and reports those nobody took.
type parser struct {
	opts  map[string]string
	used  map[string]bool
	errs  connectors.OptionErrors
	count uint64
}

func decode(def *connectors.TableDef) (*options, []field, error) {
	o := &options{}
	if err := def.Options.Decode(o); err != nil {
		return nil, nil, err
	}
	p := &parser{opts: map[string]string{}, used: map[string]bool{}}
	if o.PerSecond <= 0 {
		p.bad(connectors.AtValue, "rows-per-second", `option "rows-per-second" must be positive`)
	}
	if _, given := def.Options.Get("number-of-rows"); given && o.Rows < 0 {
		p.bad(connectors.AtValue, "number-of-rows", `option "number-of-rows" must not be negative`)
	}
	if o.Splits < 1 {
		p.bad(connectors.AtValue, "splits", `option "splits" must be at least 1`)
	}
	family := def.Options.Family("fields.")
	for _, x := range family {
		p.opts[x.Key] = x.Value
	}
	fields := make([]field, len(def.Schema.Fields))
	for i, f := range def.Schema.Fields {
		fields[i] = p.field(f.Name, f.Type, false)
		if s := fields[i]; s.sequence {
			if n := s.end - s.start + 1; o.Rows < 0 || n < o.Rows {
				o.Rows = n
			}
		}
	}
	for _, x := range family {
		if !p.used[x.Key] {
			p.bad(connectors.AtKey, "fields."+x.Key, fmt.Sprintf("option %q fits no column, or no option of its type and kind", "fields."+x.Key))
		}
	}
	if len(p.errs) > 0 {
		return nil, nil, p.errs
	}
	return o, fields, nil
}

func (p *parser) bad(where connectors.Where, key, msg string) {
	p.errs = append(p.errs, &connectors.OptionError{Where: where, Key: key, Msg: msg})
}

func (p *parser) get(key string) (string, bool) {
	v, ok := p.opts[key]
	p.used[key] = true
	return v, ok
}

// number reads an option as a whole number of [lo, hi].
func (p *parser) number(key string, def, lo, hi int64) int64 {
	s, ok := p.get(key)
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < lo || n > hi {
		p.bad(connectors.AtValue, "fields."+key, fmt.Sprintf("option %q must be a whole number between %d and %d", "fields."+key, lo, hi))
		return def
	}
	return n
}

func (p *parser) float(key string, def, lo, hi float64) float64 {
	s, ok := p.get(key)
	if !ok {
		return def
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(x >= lo && x <= hi) {
		p.bad(connectors.AtValue, "fields."+key, fmt.Sprintf("option %q must be a number between %g and %g", "fields."+key, lo, hi))
		return def
	}
	return x
}

// field reads the options of the column, or part of one, at path.
func (p *parser) field(path string, t batch.Type, nested bool) field {
	p.count++
	f := field{t: t, id: p.count}
	if !nested {
		if kind, ok := p.get(path + ".kind"); ok && kind != "random" {
			if f.sequence = kind == "sequence"; !f.sequence {
				p.bad(connectors.AtValue, "fields."+path+".kind", fmt.Sprintf("kind %q is neither random nor sequence", kind))
			}
		}
	}
	if f.sequence {
		p.sequence(path, &f)
		return f
	}
	f.nullRate = p.float(path+".null-rate", 0, 0, 1)
	switch t.SQL {
	case batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt:
		lo, hi := batch.IntRange(t.SQL)
		f.lo, f.hi = p.number(path+".min", lo, lo, hi), p.number(path+".max", hi, lo, hi)
	case batch.IntervalDay, batch.IntervalMonth:
		f.lo, f.hi = p.number(path+".min", 0, math.MinInt32, math.MaxInt32), p.number(path+".max", 10_000, math.MinInt32, math.MaxInt32)
	case batch.Float32, batch.Float64:
		top := math.MaxFloat64
		if t.SQL == batch.Float32 {
			top = math.MaxFloat32
		}
		f.flo, f.fhi = p.float(path+".min", 0, -top, top), p.float(path+".max", top, -top, top)
	case batch.Decimal:
		p.decimal(path, &f)
	case batch.Char, batch.Binary:
		f.length = int(t.P)
	case batch.Varchar, batch.Varbinary:
		f.length = int(p.number(path+".length", min(100, int64(t.P)), 0, min(1<<20, int64(t.P))))
		if s, ok := p.get(path + ".var-len"); ok {
			f.varLen = s == "true"
		}
	case batch.Timestamp, batch.TimestampLTZ:
		if s, ok := p.get(path + ".max-past"); ok {
			var err error
			if f.maxPast, err = connectors.ParseDuration(s); err != nil {
				p.bad(connectors.AtValue, "fields."+path+".max-past", fmt.Sprintf("option %q: %v", "fields."+path+".max-past", err))
			}
		}
	case batch.RowType:
		for _, x := range t.Fields {
			f.kids = append(f.kids, p.field(path+"."+x.Name, x.Type, true))
		}
	case batch.Array, batch.Map, batch.Multiset:
		f.length = int(p.number(path+".length", 3, 0, 1<<16))
		parts := map[batch.SQLType][]string{batch.Array: {"element"}, batch.Multiset: {"element"}, batch.Map: {"key", "value"}}[t.SQL]
		for i, part := range parts {
			f.kids = append(f.kids, p.field(path+"."+part, t.Fields[i].Type, true))
		}
		if t.SQL != batch.Array {
			f.kids[0].nullRate = 0
		}
	}
	if f.hi < f.lo || f.fhi < f.flo {
		p.bad(connectors.AtValue, "fields."+path+".min", fmt.Sprintf("%q is greater than its max", "fields."+path+".min"))
	}
	return f
}

// decimal reads the range of a DECIMAL; without one all digits are drawn.
func (p *parser) decimal(path string, f *field) {
	top, _ := batch.Pow10[min(f.t.P, 18)].Int64()
	f.lo, f.hi, f.wide = -(top - 1), top-1, f.t.P > 18
	for i, key := range []string{".min", ".max"} {
		into := []*int64{&f.lo, &f.hi}[i]
		s, ok := p.get(path + key)
		if !ok {
			continue
		}
		x, ok := batch.ParseDecimal([]byte(strings.TrimSpace(s)), int(f.t.P), int(f.t.S))
		n, fits := x.Int64()
		if !ok || !fits {
			p.bad(connectors.AtValue, "fields."+path+key, fmt.Sprintf("option %q is not a value of %s", "fields."+path+key, f.t))
		}
		*into, f.wide = n, false
	}
}

func (p *parser) sequence(path string, f *field) {
	ok := slices.Contains([]batch.SQLType{batch.TinyInt, batch.SmallInt, batch.Integer, batch.BigInt, batch.Float32, batch.Float64, batch.Decimal, batch.Char, batch.Varchar}, f.t.SQL)
	if !ok {
		p.bad(connectors.AtValue, "fields."+path+".kind", fmt.Sprintf("a sequence cannot be of type %s", f.t))
	}
	for _, key := range []string{".start", ".end"} {
		if _, ok := p.opts[path+key]; !ok {
			p.bad(connectors.AtTable, "fields."+path+key, fmt.Sprintf("option %q is missing", "fields."+path+key))
		}
	}
	lo, hi := int64(math.MinInt64/2), int64(math.MaxInt64/2)
	if f.t.IsInteger() {
		a, b := batch.IntRange(f.t.SQL)
		lo, hi = max(a, lo), min(b, hi)
	}
	if f.t.SQL == batch.Decimal {
		top, _ := batch.Pow10[min(18, max(f.t.P-f.t.S, 0))].Int64()
		lo, hi = -(top - 1), top-1
	}
	f.start, f.end = p.number(path+".start", 0, lo, hi), p.number(path+".end", 0, lo, hi)
	if f.end < f.start {
		p.bad(connectors.AtValue, "fields."+path+".end", fmt.Sprintf("%q is less than its start", "fields."+path+".end"))
	}
}
