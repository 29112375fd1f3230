package enginetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/kafka"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine/enginetest"
)

var all = []*connectors.Connector{blackhole.Connector(), datagen.Connector(), kafka.Kafka(), kafka.UpsertKafka(), print.Connector()}

const windows = `
CREATE TABLE rides (cell STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'datagen');
CREATE TABLE out (cell STRING, start TIMESTAMP(3), n BIGINT) WITH ('connector' = 'print');
CREATE VIEW counts AS SELECT cell, window_start, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY cell, window_start, window_end;
INSERT INTO out SELECT * FROM counts WHERE n > 1;`

// A window fires when the watermark passes its end, over a crash too.
func TestWindow(t *testing.T) {
	p := enginetest.New(t, "w.sql", windows, enginetest.Options{Connectors: all, Views: []string{"counts"}, Workers: []int{2, 1}})
	p.Push("rides", "('a', '2026-01-01 10:00:01'), ('a', '2026-01-01 10:00:09.999'), ('b', '2026-01-01 10:00:02')")
	p.Want("counts", "")
	p.Watermark("rides", "2026-01-01 10:00:09.998")
	p.Want("counts", "")
	p.Crash()
	p.Watermark("rides", "2026-01-01 10:00:09.999")
	p.Want("counts", "('a', '2026-01-01 10:00:00', 2), ('b', '2026-01-01 10:00:00', 1)")
	p.Crash()
	p.Push("rides", "('c', '2026-01-01 10:00:03')") // late
	p.Push("rides", "('c', '2026-01-01 10:00:30')")
	p.Want("out", "('a', '2026-01-01 10:00:00', 2)")
}

func run(t *testing.T, pipeline, test string) (r enginetest.Result, text string) {
	t.Helper()
	src := source.NewFile("p_test.sql", test)
	f, ds := dsl.ParseTest(src.Name, test)
	for _, d := range ds {
		t.Fatalf("%s %s at %v", d.Code, d.Message, d.Span.Pos)
	}
	r, err := enginetest.Run(source.NewFile("p.sql", pipeline), src, f, enginetest.Options{Connectors: all})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, d := range r.Diagnostics {
		fmt.Fprintf(&b, "%s %s at %d:%d\n", d.Code, d.Message, d.Span.Pos.Line, d.Span.Pos.Column)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "%d: %s\n", f.At.Pos.Line, &f)
	}
	return r, b.String()
}

const changing = `
CREATE TABLE users (id BIGINT, city STRING, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'upsert-kafka', 'topic' = 'users', 'properties.bootstrap.servers' = 'localhost:9092', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE cdc (id BIGINT, n INT) WITH ('connector' = 'kafka', 'topic' = 'cdc', 'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-json');
CREATE TABLE cities (city STRING, users BIGINT, PRIMARY KEY (city) NOT ENFORCED)
  WITH ('connector' = 'upsert-kafka', 'topic' = 'cities', 'properties.bootstrap.servers' = 'localhost:9092', 'key.format' = 'json', 'value.format' = 'json');
CREATE VIEW total AS SELECT SUM(n) AS s FROM cdc;
CREATE VIEW clock AS SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(p), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
SET 'table.exec.state.ttl' = '0 ms';
INSERT INTO cities SELECT city, COUNT(*) FROM users GROUP BY city;`

const ticks = "CREATE TABLE ticks (a INT, p AS PROCTIME()) WITH ('connector' = 'datagen');\n"

// Upserts, changes of a CDC table, processing time and EXPECT CHANGES, in all cases.
func TestRunAllCases(t *testing.T) {
	r, text := run(t, ticks+changing, `
INPUT users VALUES (1, 'Bern'), (2, 'Bern'), (3, 'Basel');
EXPECT CHANGES cities VALUES ('+', 'Bern', 2), ('+', 'Basel', 1);
INPUT users VALUES (2, 'Basel');
INPUT users DELETE (id) VALUES (1);
EXPECT cities VALUES ('Basel', 2);
EXPECT CHANGES cities VALUES ('-', 'Bern', 2), ('-', 'Basel', 1), ('+', 'Basel', 2);
EXPECT CHANGES cities EMPTY;
INPUT cdc VALUES (1, 10), (2, 20);
INPUT cdc DELETE VALUES (1, 10);
EXPECT total VALUES (20);
INPUT ticks VALUES (1), (2);
CLOCK BY INTERVAL '59.999' SECOND;
EXPECT clock EMPTY;
CLOCK TO TIMESTAMP '2026-01-01 00:01:00';
EXPECT clock (n) VALUES (2);
EXPECT clock VALUES ('2026-01-01 00:00:00', 2);
`)
	if text != "" || r.Runs != len(enginetest.Cases) {
		t.Errorf("%d runs, in %s:\n%s", r.Runs, r.Case, text)
	}
}

// The rows of one statement move the watermark together: none of them is late
// because of another, however they are cut into steps.
func TestRowsOfOneStatement(t *testing.T) {
	_, text := run(t, windows, `
INPUT rides VALUES ('a', '2026-01-01 10:01:00'), ('a', '2026-01-01 10:00:01'), ('b', '2026-01-01 10:00:40'), ('a', '2026-01-01 10:00:02');
EXPECT counts VALUES ('a', '2026-01-01 10:00:00', 2), ('b', '2026-01-01 10:00:40', 1);
INPUT rides VALUES ('a', '2026-01-01 10:00:03');
WATERMARK rides TO TIMESTAMP '2026-01-01 10:02:00';
EXPECT out VALUES ('a', '2026-01-01 10:00:00', 2);
EXPECT counts (cell, n) VALUES ('a', 2), ('a', 1), ('b', 1);
`)
	if text != "" {
		t.Error(text)
	}
}

// What is not as wanted is told with its rows and lines.
func TestRunTellsOfDifferences(t *testing.T) {
	for _, c := range []struct{ name, test, want string }{
		{"rows", "INPUT users VALUES (1, 'a'), (2, 'a'), (3, 'b''c');\nEXPECT cities VALUES\n  ('a', 1),\n  ('b''c', 1);\nEXPECT total VALUES (NULL);",
			"2: EXPECT cities\n  missing:    ('a', 1)\n  unexpected: ('a', 2)\n5: EXPECT total\n  missing:    (NULL)\n"},
		{"changes", "INPUT users VALUES (1, 'a');\nEXPECT CHANGES cities VALUES ('-', 'a', 1);", "2: EXPECT CHANGES cities\n  missing:    ('-', 'a', 1)\n  unexpected: ('+', 'a', 1)\n"},
		{"no such input", "INPUT cities VALUES (1);", "SD2011 the pipeline does not read a table \"cities\" at 1:7\n"},
		{"no such output", "EXPECT users VALUES (1);", "SD2011 the pipeline has no view \"users\" and writes no table of that name at 1:8\n"},
		{"values", "INPUT users VALUES (1);", "SD3007 the row has 1 values, \"users\" has 2 columns at 1:20\n"},
		{"type", "INPUT users VALUES (1, 2);", "SD3008 column city is STRING, not INT at 1:24\n"},
		{"cast", "INPUT users VALUES ('x', 'y');", "SD3012 column id: "},
		{"subquery", "INPUT ticks VALUES ((SELECT 1));", "SD4013 "},
		{"aggregate", "INPUT ticks VALUES (COUNT(*));", "SD3006 "},
		{"column as value", "INPUT ticks VALUES (a);", "SD2003 "},
		{"division", "INPUT ticks VALUES (1 / 0);", "SD3012 column a: division by zero"},
		{"narrow", "INPUT ticks VALUES (9999999999);", "SD3012 column a: cannot cast 9999999999 to INT"},
		{"null key", "INPUT users (city) VALUES ('y');", "SD3008 column \"id\" of \"users\" is NOT NULL and gets no value at 1:7\n"},
		{"append only", "INPUT ticks DELETE VALUES (1);", "SD2011 rows are only ever added to \"ticks\": none can be deleted at 1:7\n"},
		{"column", "EXPECT cities (citi) VALUES (1);", "SD2003 unknown column \"citi\" at 1:16\n"},
		{"clock", "CLOCK TO TIMESTAMP '2025-01-01 00:00:00';", "SD2011 the clock cannot go back at 1:10\n"},
		{"no error", "EXPECT ERROR SD6001;", "1: EXPECT ERROR SD6001: the pipeline has not failed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, text := run(t, ticks+changing, c.test); !strings.HasPrefix(text, c.want) {
				t.Errorf("got\n%swant\n%s", text, c.want)
			}
		})
	}
}

// A pipeline that fails, or is refused, is wanted by its code.
func TestRunErrors(t *testing.T) {
	const div = "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\nCREATE TABLE o (a INT) WITH ('connector' = 'print');\nINSERT INTO o SELECT 10 / a FROM t;"
	for _, c := range []struct{ pipeline, test, want string }{
		{div, "INPUT t VALUES (5);\nEXPECT o VALUES (2);\nINPUT t VALUES (0);\nEXPECT ERROR SD6002;", ""},
		{div, "INPUT t VALUES (0);\nEXPECT ERROR SD6001;", "2: EXPECT ERROR SD6001: SD6002: "},
		{div, "INPUT t VALUES (0);\nEXPECT o EMPTY;", "2: the pipeline failed: SD6002: "},
		{div, "INPUT t VALUES (0);", "1: the pipeline failed: SD6002: "},
		{div, "INPUT t VALUES (0);\nEXPECT ERROR SD6002;\nEXPECT o EMPTY;", "SD2011 the pipeline has ended with SD6002, which was wanted: nothing can come after it at 3:1"},
		{"SELECT a FROM t;", "EXPECT ERROR SD2001;", ""},
		{"SELECT a FROM t;", "EXPECT ERROR SD2002;", "1: EXPECT ERROR SD2002: the pipeline is refused with SD2001"},
		{"SELECT a FROM t;", "EXPECT t EMPTY;", "SD2001 unknown table \"t\" at 1:15"},
	} {
		if _, text := run(t, c.pipeline, c.test); !strings.HasPrefix(text, c.want) || c.want == "" && text != "" {
			t.Errorf("%s\ngot  %s\nwant %s", c.test, text, c.want)
		}
	}
}
