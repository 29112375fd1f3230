package dsl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/ast"
)

func TestParseTest(t *testing.T) {
	f, ds := ParseTest("t", `INPUT a.t delete (x, y) VALUES (1, 'b'), (2, NULL);
watermark changes to TIMESTAMP '2026-01-01 00:00:00'; CLOCK BY INTERVAL '1' DAY; clock TO TIMESTAMP '2026-01-01 00:00:00' + INTERVAL '1' DAY;
EXPECT v EMPTY; EXPECT CHANGES v (x) VALUES ('+', 1); expect changes values (1); EXPECT error EMPTY; EXPECT changes EMPTY; EXPECT ERROR sd6001;`)
	for _, d := range ds {
		t.Error(d)
	}
	want := `INPUT a.t DELETE (x, y) VALUES (1, 'b'), (2, NULL);
WATERMARK changes TO TIMESTAMP '2026-01-01 00:00:00';
CLOCK BY INTERVAL '1' DAY;
CLOCK TO TIMESTAMP '2026-01-01 00:00:00' + INTERVAL '1' DAY;
EXPECT v EMPTY;
EXPECT CHANGES v (x) VALUES ('+', 1);
EXPECT changes VALUES (1);
EXPECT error EMPTY;
EXPECT changes EMPTY;
EXPECT ERROR SD6001;
`
	if got := ast.Print(f); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	checkSpans(t, f, f.Source.Text)
}

// What is wrong in a test is told at its place, with what to write.
func TestParseTestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1;":                         `1:1 "SELECT" does not stand in a test | the pipeline is the file beside it`,
		"INPT t VALUES (1);":                `1:1 unexpected "INPT" | a statement of a test begins with`,
		"INPUT t (1);":                      `1:10 unexpected "1"`,
		"INPUT t;":                          `1:8 rows are expected here | write INPUT table VALUES`,
		"INPUT t SELECT 1;":                 `1:9 rows are expected here`,
		"INPUT t VALUES (1, );":             `1:20 unexpected ")" | remove the comma`,
		"INPUT t VALUES (1) (2);":           `1:20 unexpected "("`,
		"WATERMARK t TIMESTAMP '2026';":     `1:13 TO is expected here | write WATERMARK`,
		"CLOCK 5;":                          `1:7 TO or BY is expected here`,
		"EXPECT v;":                         `1:9 rows are expected here | write EXPECT`,
		"EXPECT ERROR SD12;":                `1:14 "SD12" is no code`,
		"EXPECT ERROR XX6001;":              `1:14 "XX6001" is no code`,
		"EXPECT v VALUES (1); EXPECT v NIL": `1:31 rows are expected here`,
	} {
		_, ds := ParseTest("t", text)
		if len(ds) != 1 {
			t.Errorf("%s: %d diagnostics", text, len(ds))
			continue
		}
		d := ds[0]
		got := fmt.Sprintf("%d:%d %s | %s", d.Span.Pos.Line, d.Span.Pos.Column, d.Message, strings.Join(d.Hints, " "))
		if d.Code != "SD1001" || !strings.HasPrefix(got, want) {
			t.Errorf("%s:\ngot  %s %s\nwant %s", text, d.Code, got, want)
		}
	}
}
