package enginetest_test

import (
	"testing"

	"github.com/streamd/streamd/engine/enginetest"
)

// Tables of VALUES end by themselves; idle splits follow the test's clock; lateness under on-event is a row's own; every type is
// fed and compared.
func TestRunEdges(t *testing.T) {
	for name, c := range map[string][2]string{
		"values": {`
CREATE TABLE out (a INT) WITH ('connector' = 'print');
INSERT INTO out VALUES (1), (2);
SELECT 5 AS x;
`, `EXPECT out VALUES (1), (2);
CLOCK BY INTERVAL '1' DAY;
EXPECT ` + "`SELECT 1`" + ` (x) VALUES (5);
`},
		"idle and on-event": {`
CREATE TABLE a (k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'scan.watermark.idle-timeout' = '10 s');
CREATE TABLE b (k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'scan.watermark.idle-timeout' = '10 s', 'scan.watermark.emit.strategy' = 'on-event');
CREATE VIEW u AS SELECT k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
CREATE VIEW w AS SELECT k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
SELECT u.k, w.n FROM u JOIN w ON u.k = w.k AND u.window_end = w.window_end;
SELECT k, PROCTIME() AS p FROM a;
`, `
INPUT a VALUES (1, '2026-01-01 00:00:01'), (2, '2026-01-01 00:00:30'), (1, '2026-01-01 00:00:02');
INPUT b VALUES (1, '2026-01-01 00:00:01'), (2, '2026-01-01 00:00:30'), (1, '2026-01-01 00:00:02');
EXPECT u (k, n) VALUES (1, 2);
EXPECT w (k, n) VALUES (1, 1);
CLOCK BY INTERVAL '1' MINUTE;
INPUT a VALUES (1, '2026-01-01 00:00:31');
EXPECT ` + "`SELECT 1`" + ` VALUES (1, 1);
WATERMARK b TO TIMESTAMP '2026-01-01 00:01:00';
INPUT b VALUES (9, '2026-01-01 00:00:59'), (9, '2026-01-01 00:01:09');
WATERMARK b TO TIMESTAMP '2026-01-01 00:02:00';
EXPECT w (k, n) VALUES (1, 1), (2, 1), (9, 1);
`},
		"types": {`
CREATE TABLE t (a TINYINT, d DECIMAL(20, 4), f FLOAT, dt DATE, tm TIME, l TIMESTAMP_LTZ(3), r ROW<x INT, y STRING>, ar ARRAY<INT>, m MAP<STRING, INT>, b BYTES, bo BOOLEAN) WITH ('connector' = 'datagen');
SET 'table.local-time-zone' = 'Europe/Vienna';
CREATE VIEW v AS SELECT * FROM t;
`, `
INPUT t VALUES (1, 1.5, 0.1, '2026-01-01', '10:00:00', '2026-01-01 10:00:00', ROW(1, 'a'), ARRAY[1, 2], MAP['k', 1], X'0aff', TRUE), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
EXPECT v VALUES (1, 1.5, CAST(0.1 AS FLOAT), DATE '2026-01-01', TIME '10:00:00', '2026-01-01 10:00:00', ROW(1, 'a'), ARRAY[1, 2], MAP['k', 1], X'0aff', TRUE), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
EXPECT v (l, f) VALUES ('2026-01-01 10:00:00', CAST(0.1 AS FLOAT)), (NULL, NULL);
`},
	} {
		t.Run(name, func(t *testing.T) {
			if r, text := run(t, c[0], c[1]); text != "" {
				t.Errorf("%s:\n%s", r.Case, text)
			}
		})
	}
}

// A regular join finds partners when a window is over: groups by that window take
// them in.
func TestWindowOfRegularJoin(t *testing.T) {
	p := enginetest.New(t, "j.sql", `
CREATE TABLE a (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE TABLE b (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE VIEW pairs AS SELECT a.k, window_start, window_end FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS a JOIN b ON a.k = b.k;
CREATE VIEW counts AS SELECT window_end, COUNT(*) AS n FROM pairs GROUP BY window_start, window_end;
CREATE VIEW firsts AS SELECT window_end, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY k) AS rn FROM pairs) WHERE rn = 1;`,
		enginetest.Options{Connectors: all, Views: []string{"counts", "firsts"}})
	p.Push("a", "('x', '2026-01-01 10:00:01')")
	p.Watermark("a", "2026-01-01 10:01:00")
	p.Watermark("b", "2026-01-01 10:01:00")
	p.Push("b", "('x', '2026-01-01 10:01:30')")
	p.Want("counts", "('2026-01-01 10:00:10', 1)")
	p.Want("firsts", "('2026-01-01 10:00:10', 'x')")
}
