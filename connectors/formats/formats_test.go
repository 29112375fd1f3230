package formats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func f(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }

func row(fields ...batch.Field) batch.Type { return batch.Type{SQL: batch.RowType, Fields: fields} }

func spec(fields []batch.Field, opts ...string) *Spec {
	o := &connectors.Options{}
	for i := 0; i < len(opts); i += 2 {
		o.List = append(o.List, connectors.Option{Key: opts[i], Value: opts[i+1]})
	}
	return &Spec{Options: o, Fields: fields}
}

func decoder(t testing.TB, format string, fields []batch.Field, opts ...string) Decoder {
	t.Helper()
	d, err := registry[format].Decoder(spec(fields, opts...))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decode gives rows as text and problems as "CODE field kept".
func decode(d Decoder, fields []batch.Field, recs ...string) (rows, bad []string) {
	b := batch.New(batch.NewSchema(fields...), 0)
	for _, r := range recs {
		n, p := d.Decode(b, []byte(r))
		for i := range n {
			w := int64(1)
			if d.Weights() != nil {
				w = d.Weights()[i]
			}
			b.AddWeight(w)
		}
		for _, x := range p {
			s := string(x.Code) + " " + x.Field
			if x.Kept {
				s += " kept"
			}
			if x.Skipped {
				s += " skipped"
			}
			bad = append(bad, s)
		}
	}
	connectors.Pad(b)
	for i := range b.N {
		var out []byte
		if b.Weight(i) < 0 {
			out = append(out, '-')
		}
		for c := range b.Cols {
			if c > 0 {
				out = append(out, '|')
			}
			out = b.Cols[c].AppendText(out, i, fields[c].Type)
		}
		rows = append(rows, string(out))
	}
	return rows, bad
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestJSONValues(t *testing.T) {
	ts6, ltz := batch.Type{SQL: batch.Timestamp, P: 6}, batch.TypeLTZ3
	for _, x := range []struct {
		t        batch.Type
		in, want string // want "!CODE" = refused
	}{
		{batch.TypeInt, `1`, `1`},
		{batch.TypeInt, `-2147483648`, `-2147483648`},
		{batch.TypeInt, `2147483648`, `!SD6106`},
		{batch.TypeInt, `" 7 "`, `7`},
		{batch.TypeInt, `1.9`, `1`},
		{batch.TypeInt, `1e3`, `1000`},
		{batch.TypeInt, `"1.9"`, `!SD6106`},
		{batch.TypeInt, `true`, `!SD6105`},
		{batch.TypeInt, `{}`, `!SD6105`},
		{batch.TypeInt, `"x"`, `!SD6105`},
		{batch.TypeInt, `01`, `!SD6101`},
		{batch.TypeInt, `-`, `!SD6101`},
		{batch.Type{SQL: batch.TinyInt}, `128`, `!SD6106`},
		{batch.TypeBigInt, `9223372036854775807`, `9223372036854775807`},
		{batch.TypeBigInt, `9223372036854775808`, `!SD6106`},
		{batch.TypeBigInt, `null`, `NULL`},
		{batch.TypeBigInt, `nul`, `!SD6101`},
		{batch.TypeDouble, `1.5e3`, `1500.0`},
		{batch.TypeDouble, `"NaN"`, `NaN`},
		{batch.TypeDouble, `1e999`, `Infinity`},
		{batch.TypeDouble, `1.`, `!SD6101`},
		{batch.Type{SQL: batch.Float32}, `0.1`, `0.1`},
		{batch.DecimalOf(5, 2), `123.455`, `123.46`},
		{batch.DecimalOf(5, 2), `"-1.005"`, `-1.01`},
		{batch.DecimalOf(5, 2), `1000`, `NULL`},
		{batch.DecimalOf(38, 10), `1234567890123456789012345678.0123456789`, `1234567890123456789012345678.0123456789`},
		{batch.DecimalOf(38, 0), `1e37`, `10000000000000000000000000000000000000`},
		{batch.TypeBool, `true`, `true`},
		{batch.TypeBool, `"FALSE"`, `false`},
		{batch.TypeBool, `1`, `!SD6105`},
		{batch.TypeString, `"a\u00e9\n\"\\\/\ud83d\ude00"`, `aé\n"\\/😀`},
		{batch.TypeString, `"\ud83d"`, "\ufffd"},
		{batch.TypeString, `"\ud83dx"`, "\ufffdx"},
		{batch.TypeString, "\"a\tb\"", `!SD6101`},
		{batch.TypeString, "\"\xff\"", `!SD6107`},
		{batch.TypeString, `"\x"`, `!SD6101`},
		{batch.TypeString, `12.50`, `12.50`},
		{batch.TypeString, `{"a": [1, " x"]}`, `{"a":[1," x"]}`},
		{batch.TypeString, `{"a": 1,}`, `!SD6101`},
		{batch.TypeBytes, `"YWI="`, `x'6162'`},
		{batch.TypeBytes, `"YWI"`, `!SD6105`},
		{batch.TypeDate, `"2024-02-29"`, `2024-02-29`},
		{batch.TypeDate, `"2023-02-29"`, `!SD6105`},
		{batch.Type{SQL: batch.Time, P: 3}, `"10:11:12.3456"`, `10:11:12.345`},
		{batch.TypeTS3, `"2026-01-31 10:00:00"`, `2026-01-31T10:00:00`},
		{batch.TypeTS3, `"2026-01-31 10:00:00.12345"`, `2026-01-31T10:00:00.123`},
		{ts6, `"1969-12-31 23:59:59.123456789"`, `1969-12-31T23:59:59.123456`},
		{batch.TypeTS3, `"2026-01-31T10:00:00"`, `!SD6105`},
		{batch.TypeTS3, `"2026-01-31 10:00:00Z"`, `!SD6105`},
		{batch.TypeTS3, `"2026-01-31 24:00:00"`, `!SD6105`},
		{batch.TypeTS3, `1767225600000`, `!SD6105`},
		{ltz, `"2026-01-31 10:00:00.5Z"`, `2026-01-31T10:00:00.5Z`},
		{ltz, `"2026-01-31 10:00:00"`, `!SD6105`},
		{batch.ArrayOf(batch.TypeInt), `[1, null,3]`, `[1, NULL, 3]`},
		{batch.ArrayOf(batch.TypeInt), `[]`, `[]`},
		{batch.ArrayOf(batch.TypeInt), `[1,]`, `!SD6101`},
		{batch.ArrayOf(batch.TypeInt), `{}`, `!SD6105`},
		{batch.MapOf(batch.TypeString, batch.TypeInt), `{"a":1,"b":null,"a":3}`, `{a=3, b=NULL}`},
		{batch.MapOf(batch.TypeString, batch.TypeInt), `{}`, `{}`},
		{batch.MultisetOf(batch.TypeString), `{"a":2}`, `{a=2}`},
		{row(f("x", batch.TypeInt), f("y", batch.TypeString)), `{"y":"b","z":[1],"x":1}`, `(1, b)`},
		{row(f("x", batch.TypeInt), f("y", batch.TypeString)), `{"x":1,"x":2}`, `(2, NULL)`},
		{row(f("x", batch.TypeInt)), `[1]`, `!SD6105`},
		{batch.ArrayOf(row(f("x", batch.TypeInt), f("y", batch.ArrayOf(batch.TypeString)))), `[{"x":1,"y":["a"]},null,{"y":[]}]`, `[(1, [a]), NULL, (NULL, [])]`},
		{batch.Type{SQL: batch.IntervalDay}, `1500`, `1500`},
	} {
		fields := []batch.Field{f("v", x.t), f("after", batch.TypeInt)}
		d := decoder(t, "json", fields)
		// A good record before and behind shows that a bad one leaves nothing.
		rows, bad := decode(d, fields, `{"after":1}`, `{"v":`+x.in+`,"after":2}`, `{"v":null,"after":3}`)
		got := "!"
		if len(bad) > 0 {
			got += strings.Fields(bad[0])[0]
		} else {
			got = strings.TrimSuffix(rows[1], "|2")
		}
		if got != x.want || rows[0] != "NULL|1" || rows[len(rows)-1] != "NULL|3" {
			t.Errorf("%s %s: got %s, want %s (all rows %q, bad %q)", x.t, x.in, got, x.want, rows, bad)
		}
	}
}

func TestJSONRecords(t *testing.T) {
	fields := []batch.Field{f("a", batch.TypeInt), f("s", batch.TypeString)}
	for _, x := range []struct{ in, rows, bad string }{
		{`{"a":1,"s":"x"}`, "1|x", ""},
		{` { "s" : "x" , "a" : 1 } `, "1|x", ""},
		{`{"\u0061":1,"s":"x"}`, "1|x", ""},
		{`{}`, "NULL|NULL", ""},
		{`{"a":1}x`, "", "SD6101 "},
		{`{"a":1`, "", "SD6101 "},
		{`{"a":1,}`, "", "SD6101 "},
		{`{"a" 1}`, "", "SD6101 "},
		{`{a:1}`, "", "SD6101 "},
		{`{"b":tru}`, "", "SD6101 "},
		{`{"b":[1,{"c":"\ud800"}]}`, "NULL|NULL", ""},
		{`{"b":{"c":1 "d":2}}`, "", "SD6101 "},
		{`[1]`, "", "SD6102 "},
		{`3`, "", "SD6102 "},
		{`null`, "", ""},
		{` `, "", ""},
		{strings.Repeat(`{"b":`, 300) + `1` + strings.Repeat(`}`, 300), "", "SD6103 "},
		{`{"a":"q"}`, "", "SD6105 a"},
	} {
		rows, bad := decode(decoder(t, "json", fields), fields, x.in)
		if strings.Join(rows, ";") != x.rows || strings.Join(bad, ";") != x.bad {
			t.Errorf("%s: rows %q bad %q", x.in, rows, bad)
		}
	}
}

func TestJSONOptions(t *testing.T) {
	fields := []batch.Field{f("a", batch.TypeInt), f("r", row(f("x", batch.TypeTS3)))}
	rows, bad := decode(decoder(t, "json", fields, "json.ignore-parse-errors", "true"), fields,
		`{"a":"q","r":{"x":5}}`, `{"a":1,`, `{"a":2}`)
	check(t, "ignore", rows, "NULL|(NULL)", "2|NULL")
	check(t, "ignore", bad, "SD6105 a kept", "SD6105 r.x kept", "SD6101  skipped")

	rows, bad = decode(decoder(t, "json", fields, "json.fail-on-missing-field", "true"), fields, `{"a":1}`, `{"a":1,"r":{}}`, `{"a":1,"r":null}`)
	check(t, "missing", rows, "1|NULL")
	check(t, "missing", bad, "SD6104 r", "SD6104 r.x")

	rows, _ = decode(decoder(t, "json", fields, "json.timestamp-format.standard", "ISO-8601"), fields, `{"r":{"x":"2026-01-01T10:00"}}`, `{"r":{"x":"2026-01-01T10:00:00.5"}}`)
	check(t, "ISO", rows, "NULL|(2026-01-01T10:00:00)", "NULL|(2026-01-01T10:00:00.5)")

	for _, x := range [][]string{
		{"json.ignore-parse-errors", "true", "json.fail-on-missing-field", "true"},
		{"json.timestamp-format.standard", "RFC"}, {"json.map-null-key.mode", "x"}, {"json.ignore-parse-errors", "maybe"},
	} {
		if _, err := registry["json"].Decoder(spec(fields, x...)); err == nil {
			t.Errorf("%v is accepted", x)
		} else if list, ok := connectors.IsOptionError(err); !ok || !strings.HasPrefix(list[0].Key, "json.") {
			t.Errorf("%v: %v", x, err)
		}
	}
	if _, err := registry["json"].Decoder(spec([]batch.Field{f("m", batch.MapOf(batch.TypeInt, batch.TypeInt))})); err == nil {
		t.Error("a MAP with INT keys is accepted")
	}
}

func TestJSONPruning(t *testing.T) {
	fields := []batch.Field{f("a", batch.TypeInt), f("r", row(f("x", batch.TypeInt), f("y", batch.TypeString), f("z", batch.TypeInt))), f("s", batch.TypeString)}
	s := spec(fields)
	s.Want = connectors.Want{Cols: []bool{false, true, true}, Fields: map[int][]bool{1: {false, true, false}}}
	d, err := registry["json"].Decoder(s)
	if err != nil {
		t.Fatal(err)
	}
	rows, bad := decode(d, fields, `{"a":"bad but unread","r":{"x":"bad","y":"b","z":3},"s":"t"}`, `{"r":null,"s":"u"}`, `{"s":"v"}`, `{"a":[1,],"s":"w"}`)
	check(t, "rows", rows, "0|(0, b, 0)|t", "0|NULL|u", "0|NULL|v")
	check(t, "bad", bad, "SD6101 ")
}

func TestDebezium(t *testing.T) {
	fields := []batch.Field{f("id", batch.TypeInt), f("v", batch.TypeString)}
	d := decoder(t, "debezium-json", fields)
	rows, bad := decode(d, fields,
		`{"before":null,"after":{"id":1,"v":"a"},"source":{"x":1},"op":"c","ts_ms":5}`,
		`{"op":"u","before":{"id":1,"v":"a"},"after":{"id":1,"v":"b"}}`,
		`{"before":{"id":1,"v":"b"},"after":null,"op":"d"}`,
		`{"after":{"id":2,"v":"r"},"op":"r"}`,
		`{"after":{"id":2},"op":"x"}`,
		`{"before":null,"after":{"id":1,"v":"b"},"op":"u"}`,
		`{"before":{"id":9,"v":"b"},"after":{"id":"q"},"op":"u"}`,
		`{"after":{"id":2}}`,
		`{"after":{"id":2},"op":"c"`,
	)
	check(t, "rows", rows, "1|a", "-1|a", "1|b", "-1|b", "2|r")
	check(t, "bad", bad, "SD6121 ", "SD6122 ", "SD6105 id", "SD6121 ", "SD6101 ")

	d = decoder(t, "debezium-json", fields, "debezium-json.schema-include", "true")
	rows, bad = decode(d, fields, `{"schema":{"op":"z"},"payload":{"before":null,"after":{"id":1,"v":"a"},"op":"c"}}`, `{"op":"c","after":{}}`)
	check(t, "with schema", rows, "1|a")
	check(t, "with schema", bad, "SD6121 ")
}

func encode(t *testing.T, format string, fields []batch.Field, kind connectors.Kind, in string, opts ...string) string {
	t.Helper()
	b := batch.New(batch.NewSchema(fields...), 0)
	n, bad := decoder(t, "json", fields).Decode(b, []byte(in))
	if n != 1 {
		t.Fatal(bad)
	}
	e, err := registry[format].Encoder(spec(fields, opts...))
	if err != nil {
		t.Fatal(err)
	}
	out, null, err := e.Append(nil, b, 0, kind)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(string(out), map[bool]string{true: " null"}[null])
}

func TestEncode(t *testing.T) {
	fields := []batch.Field{f("a", batch.DecimalOf(10, 2)), f("t", batch.TypeLTZ3), f("m", batch.MapOf(batch.TypeString, batch.TypeInt)), f("r", row(f("x", batch.TypeInt), f("y", batch.ArrayOf(batch.TypeString))))}
	in := `{"a":1.5,"t":"2026-01-01 00:00:00.250Z","m":{"k\"":1},"r":{"y":["p",null]}}`
	for _, x := range []struct {
		format string
		kind   connectors.Kind
		opts   []string
		want   string
	}{
		{"json", connectors.Insert, nil, `{"a":1.50,"t":"2026-01-01 00:00:00.25Z","m":{"k\"":1},"r":{"x":null,"y":["p",null]}}`},
		{"json", connectors.Insert, []string{"json.encode.ignore-null-fields", "true", "json.timestamp-format.standard", "ISO-8601"}, `{"a":1.50,"t":"2026-01-01T00:00:00.25Z","m":{"k\"":1},"r":{"y":["p",null]}}`},
		{"debezium-json", connectors.UpdateAfter, nil, `{"before":null,"after":{"a":1.50,"t":"2026-01-01 00:00:00.25Z","m":{"k\"":1},"r":{"x":null,"y":["p",null]}},"op":"c"}`},
		{"debezium-json", connectors.UpdateBefore, nil, `{"before":{"a":1.50,"t":"2026-01-01 00:00:00.25Z","m":{"k\"":1},"r":{"x":null,"y":["p",null]}},"after":null,"op":"d"}`},
	} {
		if got := encode(t, x.format, fields, x.kind, in, x.opts...); got != x.want {
			t.Errorf("%s %v:\n got %s\nwant %s", x.format, x.opts, got, x.want)
		}
	}
}

func TestNullKeys(t *testing.T) {
	fields := []batch.Field{f("m", batch.MapOf(batch.TypeString, batch.TypeInt))}
	b := batch.New(batch.NewSchema(fields...), 0)
	m := &b.Cols[0]
	m.Child[0].AppendNull()
	m.Child[1].AppendInt(1)
	m.Child[0].AppendString("k")
	m.Child[1].AppendInt(2)
	m.AppendList(0)
	b.AddWeight(1)
	for mode, want := range map[string]string{"FAIL": string(NullKey), "DROP": `{"m":{"k":2}}`, "LITERAL": `{"m":{"null":1,"k":2}}`} {
		e, _ := registry["json"].Encoder(spec(fields, "json.map-null-key.mode", mode))
		out, _, err := e.Append(nil, b, 0, connectors.Insert)
		if err != nil {
			out = []byte(strings.Split(err.Error(), ":")[0])
		}
		if string(out) != want {
			t.Errorf("%s: %s, want %s", mode, out, want)
		}
	}
}

func TestCSVDecode(t *testing.T) {
	fields := []batch.Field{f("a", batch.TypeInt), f("s", batch.TypeString), f("l", batch.ArrayOf(batch.TypeInt))}
	for _, x := range []struct {
		opts          []string
		in, rows, bad string
	}{
		{nil, `1,x,1;2`, `1|x|[1, 2]`, ""},
		{nil, `1,"x ""q"", y",`, `1|x "q", y|[]`, ""},
		{nil, "1,,3\r", `1||[3]`, ""},
		{nil, `,x,`, ``, "SD6105 a"},
		{nil, `1,x`, ``, "SD6111 "},
		{nil, `1,x,1,2`, ``, "SD6111 "},
		{nil, `1,"x,1`, ``, "SD6112 "},
		{nil, `1,"x"y,1`, ``, "SD6112 "},
		{nil, `99999999999,x,`, ``, "SD6106 a"},
		{nil, `1,x,1;q`, ``, "SD6105 l"},
		{nil, "1,\xff,", ``, "SD6107 s"},
		{nil, `# c`, ``, "SD6111 "},
		{[]string{"csv.allow-comments", "true"}, `# c`, ``, ""},
		{[]string{"csv.field-delimiter", `\t`}, "1\tx,y\t", `1|x,y|[]`, ""},
		{[]string{"csv.field-delimiter", `|`, "csv.quote-character", "'"}, `1|'a|''b'|`, `1|a|'b|[]`, ""},
		{[]string{"csv.disable-quote-character", "true"}, `1,"x",`, `1|"x"|[]`, ""},
		{[]string{"csv.escape-character", `\`}, `1,a\,b\\,`, `1|a,b\\|[]`, ""},
		{[]string{"csv.null-literal", "n/a"}, `n/a,"n/a",1;n/a`, `NULL|n/a|[1, NULL]`, ""},
		{[]string{"csv.array-element-delimiter", ":"}, `1,x,1:2`, `1|x|[1, 2]`, ""},
		{[]string{"csv.ignore-parse-errors", "true"}, `q,x`, `NULL|x|NULL`, "SD6105 a kept"},
		{[]string{"csv.ignore-parse-errors", "true"}, `1,"x`, ``, "SD6112  skipped"},
	} {
		rows, bad := decode(decoder(t, "csv", fields, x.opts...), fields, x.in)
		if strings.Join(rows, ";") != x.rows || strings.Join(bad, ";") != x.bad {
			t.Errorf("%v %s: rows %q bad %q", x.opts, x.in, rows, bad)
		}
	}
	for _, x := range [][]string{{"csv.field-delimiter", "ab"}, {"csv.quote-character", ""}, {"csv.escape-character", "ä"}} {
		if _, err := registry["csv"].Decoder(spec(fields, x...)); err == nil {
			t.Errorf("%v is accepted", x)
		}
	}
	if _, err := registry["csv"].Decoder(spec([]batch.Field{f("m", batch.MapOf(batch.TypeString, batch.TypeInt))})); err == nil {
		t.Error("csv takes a MAP")
	}
}

func TestCSVEncode(t *testing.T) {
	fields := []batch.Field{f("a", batch.TypeInt), f("s", batch.TypeString), f("t", batch.TypeTS3), f("l", batch.ArrayOf(batch.TypeInt))}
	in := `{"a":1,"s":"x, \"q\"","t":"2026-01-01 00:00:00","l":[1,2]}`
	if got, want := encode(t, "csv", fields, 0, in), `1,"x, ""q""",2026-01-01 00:00:00,1;2`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := encode(t, "csv", fields, 0, `{"s":"-"}`, "csv.null-literal", "-"), `-,"-",-,-`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRaw(t *testing.T) {
	for _, x := range []struct {
		t             batch.Type
		opts          []string
		in, rows, bad string
	}{
		{batch.TypeString, nil, "a,b", "a,b", ""},
		{batch.TypeString, nil, "\xff", "", "SD6107 v"},
		{batch.TypeBytes, nil, "\xff", "x'ff'", ""},
		{batch.TypeInt, nil, "\x00\x00\x01\x02", "258", ""},
		{batch.TypeInt, []string{"raw.endianness", "little-endian"}, "\x01\x02\x00\x00", "513", ""},
		{batch.TypeInt, nil, "\xff\xff\xff\xff", "-1", ""},
		{batch.TypeInt, nil, "123", "", "SD6131 v"},
		{batch.TypeBool, nil, "\x01", "true", ""},
	} {
		fields := []batch.Field{f("v", x.t)}
		rows, bad := decode(decoder(t, "raw", fields, x.opts...), fields, x.in)
		if strings.Join(rows, ";") != x.rows || strings.Join(bad, ";") != x.bad {
			t.Errorf("%s %q: rows %q bad %q", x.t, x.in, rows, bad)
		}
		if x.bad == "" {
			b := batch.New(batch.NewSchema(fields...), 0)
			decoder(t, "raw", fields, x.opts...).Decode(b, []byte(x.in))
			e, _ := registry["raw"].Encoder(spec(fields, x.opts...))
			if out, null, _ := e.Append(nil, b, 0, 0); string(out) != x.in || null {
				t.Errorf("%q comes back as %q", x.in, out)
			}
		}
	}
	if _, err := registry["raw"].Decoder(spec([]batch.Field{f("a", batch.TypeInt), f("b", batch.TypeInt)})); err == nil {
		t.Error("raw takes two columns")
	}
}

func TestLookupAndKeys(t *testing.T) {
	o := &connectors.Options{List: []connectors.Option{{Key: "format", Value: "jsn"}}}
	if _, err := Lookup(o, "format"); err == nil || !strings.Contains(err.Error(), "jsn") {
		t.Error(err)
	}
	if _, err := Lookup(o, "value.format"); err == nil {
		t.Error("a missing format is accepted")
	}
	found := false
	for _, k := range Keys("value.") {
		found = found || k.Key == "value.json.ignore-parse-errors"
	}
	if !found {
		t.Error("no value.json.ignore-parse-errors among the keys")
	}
	if len(Codes) != 17 {
		t.Errorf("%d codes are explained", len(Codes))
	}
}
