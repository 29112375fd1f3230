package formats

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	expjson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"pgregory.net/rapid"
)

var oracleFields = []batch.Field{
	f("a", batch.TypeBigInt), f("s", batch.TypeString), f("d", batch.TypeDouble), f("b", batch.TypeBool),
	f("r", row(f("x", batch.TypeInt), f("l", batch.ArrayOf(batch.TypeString)))), f("m", batch.MapOf(batch.TypeString, batch.DecimalOf(10, 2))),
}

// oracle decodes a record by the library's generic decoder and by the rules for
// types, written again: rows as text, "!" = refused.
func oracle(rec []byte) string {
	if !utf8.Valid(rec) {
		return "!"
	}
	opts := []expjson.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	if !jsontext.Value(rec).IsValid(opts...) {
		return "!"
	}
	var top map[string]jsontext.Value
	if err := expjson.Unmarshal(rec, &top, opts...); err != nil {
		return "!"
	}
	var out []string
	for _, fd := range oracleFields {
		s, ok := oracleValue(top[fd.Name], fd.Type)
		if !ok {
			return "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, "|")
}

func oracleValue(v jsontext.Value, t batch.Type) (string, bool) {
	if v == nil || v.Kind() == 'n' {
		return "NULL", true
	}
	kind, text := v.Kind(), strings.TrimSpace(string(v))
	if kind == '"' {
		b, _ := jsontext.AppendUnquote(nil, v)
		text = strings.ToValidUTF8(string(b), "\ufffd")
	}
	switch t.SQL {
	case batch.BigInt, batch.Integer, batch.Decimal:
		if kind != '0' && kind != '"' {
			return "", false
		}
		if kind == '"' {
			text = trimBlank(text)
		}
		return oracleNumber(text, kind, t)
	case batch.Float64:
		if kind != '0' && kind != '"' {
			return "", false
		}
		text = trimBlank(text)
		switch text {
		case "NaN", "Infinity", "-Infinity", "+Infinity":
			return strings.TrimPrefix(text, "+"), true
		}
		x, err := strconv.ParseFloat(text, 64)
		if strings.ContainsAny(text, "xXpP_iInN") || err != nil && !math.IsInf(x, 0) {
			return "", false
		}
		v := batch.Vec{Kind: batch.Float, F: []float64{x}}
		return string(v.AppendText(nil, 0, t)), true
	case batch.Boolean:
		if kind == '"' {
			text = strings.ToLower(trimBlank(text))
		}
		return text, (text == "true" || text == "false") && kind != '0'
	case batch.Varchar:
		if kind == '{' || kind == '[' {
			c := v.Clone()
			_ = c.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true))
			text = string(c)
		}
		return strings.NewReplacer("\n", `\n`, "\r", `\r`, `\`, `\\`).Replace(text), true
	case batch.RowType:
		var m map[string]jsontext.Value
		if kind != '{' || expjson.Unmarshal(v, &m, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
			return "", false
		}
		a, ok1 := oracleValue(m["x"], t.Fields[0].Type)
		b, ok2 := oracleValue(m["l"], t.Fields[1].Type)
		return "(" + a + ", " + b + ")", ok1 && ok2
	case batch.Array:
		var l []jsontext.Value
		if kind != '[' || expjson.Unmarshal(v, &l, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
			return "", false
		}
		var parts []string
		for _, e := range l {
			s, ok := oracleValue(e, t.Fields[0].Type)
			if !ok {
				return "", false
			}
			parts = append(parts, s)
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	}
	return oracleMap(v, t)
}

func trimBlank(s string) string { return strings.TrimSpace(s) }

func oracleNumber(text string, kind jsontext.Kind, t batch.Type) (string, bool) {
	if !batch.IsNumber([]byte(text)) {
		return "", false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
		return "", false // big.Rat would take for ever; skipped by the caller
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	scale := big.NewInt(1)
	if t.SQL == batch.Decimal {
		scale = big.NewInt(100)
	}
	r.Mul(r, new(big.Rat).SetInt(scale))
	q, m := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if t.SQL == batch.Decimal {
		if new(big.Int).Mul(new(big.Int).Abs(m), big.NewInt(2)).Cmp(r.Denom()) >= 0 {
			q.Add(q, big.NewInt(int64(r.Sign())))
		}
		if new(big.Int).Abs(q).Cmp(big.NewInt(10_000_000_000)) >= 0 {
			return "NULL", true
		}
		return string(batch.AppendDecimal(nil, batch.Int128From(q.Int64()), 2)), true
	}
	if kind == '"' && strings.ContainsAny(text, ".eE") {
		return "", false
	}
	lo, hi := batch.IntRange(t.SQL)
	if !q.IsInt64() || q.Int64() < lo || q.Int64() > hi {
		return "", false
	}
	return q.String(), true
}

func oracleMap(v jsontext.Value, t batch.Type) (string, bool) {
	if v.Kind() != '{' {
		return "", false
	}
	d := jsontext.NewDecoder(bytes.NewReader(v), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, _ = d.ReadToken()
	var order []string
	vals := map[string]string{}
	for d.PeekKind() != '}' {
		k, _ := d.ReadToken()
		name := strings.ToValidUTF8(k.String(), "\ufffd")
		x, err := d.ReadValue()
		if err != nil {
			return "", false
		}
		s, ok := oracleValue(x.Clone(), t.Fields[1].Type)
		if !ok {
			return "", false
		}
		if _, seen := vals[name]; !seen {
			order = append(order, name)
		}
		vals[name] = s
	}
	var parts []string
	for _, k := range order {
		parts = append(parts, strings.NewReplacer("\n", `\n`, "\r", `\r`, `\`, `\\`).Replace(k)+"="+vals[k])
	}
	return "{" + strings.Join(parts, ", ") + "}", true
}

func agree(t interface {
	Errorf(string, ...any)
	Fatal(...any)
}, rec []byte) {
	j, err := newJSON(spec(oracleFields), "json")
	if err != nil {
		t.Fatal(err)
	}
	rows, bad := decode(j, oracleFields, `{"a":1}`, string(rec), `{"s":"end"}`)
	if len(rows) < 2 || rows[0] != "1|NULL|NULL|NULL|NULL|NULL" || rows[len(rows)-1] != "NULL|end|NULL|NULL|NULL|NULL" {
		t.Errorf("%q: rows around it are %q", rec, rows)
		return
	}
	if len(bad) > 0 && strings.HasPrefix(bad[0], string(TooDeep)) {
		return
	}
	trim := bytes.Trim(rec, " \t\r\n")
	if len(trim) == 0 || string(trim) == "null" {
		return // no row, no problem
	}
	got := "!"
	if len(bad) == 0 && len(rows) == 3 {
		got = rows[1]
	}
	want := oracle(rec)
	if got != want && !longExponent(rec) {
		t.Errorf("%q:\n got %s (%q)\nwant %s", rec, got, bad, want)
	}
}

// longExponent tells numbers that the oracle's arithmetic cannot take.
func longExponent(b []byte) bool {
	for i, c := range b {
		if c|0x20 == 'e' {
			n := 0
			for _, x := range b[i+1:] {
				if x-'0' > 9 && x != '-' && x != '+' {
					break
				}
				n++
			}
			if n > 3 {
				return true
			}
		}
	}
	return false
}

var seeds = []string{
	`{"a":1,"s":"x","d":1.5,"b":true,"r":{"x":1,"l":["a","b"]},"m":{"k":1.005}}`,
	`{"m":{"k":1,"k":2,"":null},"r":{"l":[],"x":null},"b":"TRUE","d":"NaN","s":{"q": [1 , 2]},"a":"  5 "}`,
	` { "s" : "\u00e9\ud83d\ude00\ud800\n\"" , "a" : -0 } `, `{"a":1e2,"d":1E+2,"s":1.0}`, `{"a":01}`, `{"r":{"x":2147483648}}`, `{"d":1e999}`, `{"zz":[{},[],"",0.1e-1,tru]}`,
	`{"a":1}{}`, `[]`, `"x"`, `{"s":"` + "\xff" + `"}`, `{"s":"a` + "\x01" + `"}`, `{"a":null,"a":2}`, `{"r":{"x":1},"r":{"l":["z"]}}`,
}

func TestJSONOracleSeeds(t *testing.T) {
	for _, s := range seeds {
		agree(t, []byte(s))
		for cut := range s { // every prefix
			agree(t, []byte(s[:cut]))
		}
	}
}

func TestJSONOracleMutations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(rapid.SampledFrom(seeds).Draw(t, "seed"))
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			c := rapid.SampledFrom([]byte(`{}[]",:0123456789.eE+-\truefalsn`+" \n\x00\xff")).Draw(t, "c")
			switch rapid.IntRange(0, 2).Draw(t, "edit") {
			case 0:
				b[at] = c
			case 1:
				b = append(b[:at], append([]byte{c}, b[at:]...)...)
			default:
				if b = append(b[:at], b[at+1:]...); len(b) == 0 {
					return
				}
			}
		}
		agree(t, b)
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

// TestJSONRoundTrip writes random rows and reads them back.
func TestJSONRoundTrip(t *testing.T) {
	fields := append([]batch.Field{
		f("ts", batch.Type{SQL: batch.Timestamp, P: 6}), f("ltz", batch.Type{SQL: batch.TimestampLTZ, P: 6}), f("dt", batch.TypeDate), f("tm", batch.Type{SQL: batch.Time, P: 6}),
		f("w", batch.DecimalOf(38, 5)), f("by", batch.TypeBytes), f("f", batch.Type{SQL: batch.Float32}), f("iv", batch.Type{SQL: batch.IntervalDay}), f("ms", batch.MultisetOf(batch.TypeString)),
	}, oracleFields...)
	for _, iso := range []string{"SQL", "ISO-8601"} {
		e, _ := newJSONEncoder(spec(fields, "json.timestamp-format.standard", iso), "json")
		d, _ := newJSON(spec(fields, "json.timestamp-format.standard", iso), "json")
		rapid.Check(t, func(t *rapid.T) {
			b := batch.New(batch.NewSchema(fields...), 0)
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				for c := range fields {
					draw(t, &b.Cols[c], fields[c].Type)
				}
				b.AddWeight(1)
			}
			back := batch.New(b.Schema, 0)
			for i := range b.N {
				rec, _, err := e.Append(nil, b, i, connectors.Insert)
				if err != nil {
					t.Fatal(err)
				}
				n, bad := d.Decode(back, rec)
				if n != 1 || len(bad) > 0 {
					t.Fatalf("%s: %v", rec, bad)
				}
				back.AddWeight(1)
				if !batch.EqualRows(b.Cols, i, back.Cols, i) {
					t.Fatalf("%s comes back different", rec)
				}
			}
		})
	}
}

// draw appends a random value of t.
func draw(t *rapid.T, v *batch.Vec, typ batch.Type) {
	if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	const century = 36525 * batch.Day
	switch typ.SQL {
	case batch.Boolean:
		v.AppendBool(rapid.Bool().Draw(t, "b"))
	case batch.Integer:
		v.AppendInt(int64(rapid.Int32().Draw(t, "i")))
	case batch.BigInt:
		v.AppendInt(rapid.Int64().Draw(t, "l"))
	case batch.Timestamp, batch.TimestampLTZ:
		v.AppendInt(rapid.Int64Range(-century, century).Draw(t, "ts"))
	case batch.Date:
		v.AppendInt(rapid.Int64Range(-36525, 36525).Draw(t, "d"))
	case batch.Time:
		v.AppendInt(rapid.Int64Range(0, batch.Day-1).Draw(t, "tm"))
	case batch.IntervalDay:
		v.AppendInt(1000 * rapid.Int64Range(-1e12, 1e12).Draw(t, "iv"))
	case batch.Float64:
		v.AppendFloat(rapid.Float64().Draw(t, "f"))
	case batch.Float32:
		v.AppendFloat(float64(rapid.Float32().Draw(t, "f")))
	case batch.Decimal:
		x := batch.Int128From(rapid.Int64Range(-9_999_999_999, 9_999_999_999).Draw(t, "dec"))
		if typ.P > 18 {
			x, _ = x.Mul(batch.Int128From(rapid.Int64Range(1, 1e18).Draw(t, "dec2")))
			v.AppendWide(x)
		} else {
			v.AppendInt(int64(x.Lo))
		}
	case batch.Varchar:
		v.AppendString(rapid.String().Draw(t, "s"))
	case batch.Varbinary:
		v.AppendBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "by"))
	case batch.RowType:
		for c := range v.Child {
			draw(t, &v.Child[c], typ.Fields[c].Type)
		}
		if v.Null != nil && len(v.Null) < (v.Len()+63)/64 {
			v.Null = append(v.Null, 0)
		}
	case batch.Array:
		from := v.Child[0].Len()
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			draw(t, &v.Child[0], typ.Fields[0].Type)
		}
		v.AppendList(from)
	case batch.Map, batch.Multiset:
		from := v.Child[0].Len()
		for k := range rapid.IntRange(0, 3).Draw(t, "n") {
			v.Child[0].AppendString(fmt.Sprint("k", k))
			if typ.SQL == batch.Map {
				draw(t, &v.Child[1], typ.Fields[1].Type)
			} else {
				v.Child[1].AppendInt(int64(k))
			}
		}
		v.AppendList(from)
	}
}
