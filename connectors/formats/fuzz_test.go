package formats

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/internal/fuzz"
)

var fuzzFields = []batch.Field{f("a", batch.TypeInt), f("s", batch.TypeString), f("d", batch.TypeDouble), f("w", batch.DecimalOf(20, 3)), f("b", batch.TypeBool),
	f("ts", batch.Type{SQL: batch.Timestamp, P: 3}), f("ltz", batch.Type{SQL: batch.TimestampLTZ, P: 3}), f("dt", batch.TypeDate), f("tm", batch.Type{SQL: batch.Time, P: 3}),
	f("by", batch.TypeBytes)}

// records is a format under broken records: a record gives rows or problems that lie inside of it, and the record behind it is read
// as if nothing had been.
func records(format string, fields []batch.Field, good string, seeds []string, opts ...string) func(testing.TB) fuzz.Target {
	return func(tb testing.TB) fuzz.Target {
		d := decoder(tb, format, fields, opts...)
		b := batch.New(batch.NewSchema(fields...), 0)
		row := func() string {
			var s strings.Builder
			for c := range fields {
				s.Write(append(b.Cols[c].AppendText(nil, b.N-1, fields[c].Type), '|'))
			}
			return s.String()
		}
		read := func(rec []byte) (int, []Problem) {
			n, bad := d.Decode(b, rec)
			for range n {
				b.AddWeight(1)
			}
			return n, bad
		}
		if n, bad := read([]byte(good)); n != 1 || len(bad) > 0 {
			tb.Fatalf("%q gives %d rows, %v", good, n, bad)
		}
		want := row()
		x := fuzz.Target{Words: []string{`"op":"u"`, `null`, `"before":`, `1e400`, "\xff\xfe", `\ud800`, `"",""`, `9999-12-31 23:59:59.999`}, Check: func(t testing.TB, rec []byte) {
			b.Reset()
			n, bad := read(rec)
			for c := range b.Cols {
				if b.Cols[c].Len() != n {
					t.Fatalf("%q: %d rows, column %d has %d", rec, n, c, b.Cols[c].Len())
				}
			}
			if n == 0 && len(bad) == 0 && strings.TrimSpace(string(rec)) == string(rec) && len(rec) > 0 && format == "json" && string(rec) != "null" {
				t.Errorf("%q disappears", rec)
			}
			if m, bad := read([]byte(good)); m != 1 || len(bad) > 0 || row() != want {
				t.Errorf("%q: the record behind it is %q, %v; want %q", rec, row(), bad, want)
			}
		}}
		for _, s := range append(seeds, good) {
			x.Seeds = append(x.Seeds, []byte(s))
		}
		return x
	}
}

const goodJSON = `{"a":1,"s":"x\u00e9","d":1.5,"w":"12.345","b":true,"ts":"2026-01-01 00:00:00.5","ltz":"2026-01-01 00:00:00Z","dt":"2026-01-01","tm":"10:00:00","by":"YQ=="}`

var (
	jsonRecords     = records("json", fuzzFields, goodJSON, seeds)
	lenientRecords  = records("json", fuzzFields, goodJSON, seeds, "json.ignore-parse-errors", "true")
	csvRecords      = records("csv", fuzzFields, `1,"x,""y",1.5,12.345,true,2026-01-01 00:00:00.5,2026-01-01 00:00:00Z,2026-01-01,10:00:00,YQ==`, []string{`,,,,,,,,,`, `"`, `1,"a"b`})
	escapedRecords  = records("csv", fuzzFields[:2], `1;'x\;y'`, []string{`#x`, `1;'\`}, "csv.field-delimiter", ";", "csv.quote-character", "'", "csv.escape-character", `\`, "csv.allow-comments", "true")
	debeziumRecords = records("debezium-json", fuzzFields[:2], `{"before":null,"after":{"a":1,"s":"x"},"op":"c"}`,
		[]string{`{"before":{"a":1,"s":"x"},"after":{"a":2,"s":"y"},"op":"u"}`, `{"before":{"a":1},"after":null,"op":"d"}`, `{"schema":{},"payload":{"op":"r","after":{"a":1}}}`})
	rawNumbers = records("raw", []batch.Field{f("v", batch.TypeBigInt)}, "12345678", []string{"", "1", "123456789"})
	rawTexts   = records("raw", []batch.Field{f("v", batch.TypeString)}, "text", []string{"\xff", "\x00"})
)

func FuzzJSONRecord(f *testing.F)     { jsonRecords(f).Fuzz(f) }
func FuzzJSONLenient(f *testing.F)    { lenientRecords(f).Fuzz(f) }
func FuzzCSV(f *testing.F)            { csvRecords(f).Fuzz(f) }
func FuzzCSVEscaped(f *testing.F)     { escapedRecords(f).Fuzz(f) }
func FuzzDebezium(f *testing.F)       { debeziumRecords(f).Fuzz(f) }
func FuzzRawNumber(f *testing.F)      { rawNumbers(f).Fuzz(f) }
func FuzzRawText(f *testing.F)        { rawTexts(f).Fuzz(f) }
func TestFuzzJSONRecord(t *testing.T) { jsonRecords(t).Loop(t) }
func TestFuzzLenient(t *testing.T)    { lenientRecords(t).Loop(t) }
func TestFuzzCSV(t *testing.T)        { csvRecords(t).Loop(t) }
func TestFuzzCSVEscaped(t *testing.T) { escapedRecords(t).Loop(t) }
func TestFuzzDebezium(t *testing.T)   { debeziumRecords(t).Loop(t) }
func TestFuzzRawNumber(t *testing.T)  { rawNumbers(t).Loop(t) }
func TestFuzzRawText(t *testing.T)    { rawTexts(t).Loop(t) }

// repeats tells whether an object of a document has a key twice. The last one counts, but one that does not fit before it is an error
// all the same, as in Flink's streaming reader; the oracle looks at the last one alone.
func repeats(b []byte) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	var seen []map[string]bool // nil = an array
	key := false               // the next token is a key
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		switch x := tok.(type) {
		case json.Delim:
			switch x {
			case '{':
				seen, key = append(seen, map[string]bool{}), true
				continue
			case '[':
				seen, key = append(seen, nil), false
				continue
			}
			seen = seen[:len(seen)-1]
		case string:
			if key {
				m := seen[len(seen)-1]
				if m[x] {
					return true
				}
				m[x], key = true, false
				continue
			}
		}
		key = len(seen) > 0 && seen[len(seen)-1] != nil
	}
}

// TestFuzzJSONOracle compares with encoding/json.
func TestFuzzJSONOracle(t *testing.T) {
	x := fuzz.Target{Factor: 2000, Words: []string{`null`, `"a":`, `1e30`, `\u0000`, `"NaN"`}, Check: func(t testing.TB, b []byte) {
		if !repeats(b) {
			agree(t, b)
		}
	}}
	for _, s := range seeds {
		x.Seeds = append(x.Seeds, []byte(s))
	}
	x.Loop(t)
}
