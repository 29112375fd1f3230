package killtest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
)

// pipeline is what is attacked: see the package comment.
const pipeline = `
SET 'streamd.epoch.interval' = '${INTERVAL}';
SET 'table.exec.state.ttl' = '0 ms';
CREATE TABLE src (k STRING, n BIGINT, kind INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '${IN}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.topic' = '${DEAD}');
CREATE TABLE ref (k STRING, n BIGINT, v STRING) WITH ('connector' = 'kafka', 'topic' = '${REF}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.path' = '${OUT}/dead');

CREATE TABLE loud (k STRING, n BIGINT, kind INT) WITH ('connector' = 'kafka', 'topic' = '${LOUD}', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json');
CREATE TABLE both (b STRING, k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '${BOTH}', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json');
CREATE TABLE both_too (b STRING, k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '${BOTH}', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json');
CREATE TABLE totals (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '${TOTALS}', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE tallies (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '${TALLIES}', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE changes (k STRING, c BIGINT) WITH ('connector' = 'kafka', 'topic' = '${CHANGES}', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'debezium-json');
CREATE TABLE hidden (k STRING, c BIGINT) WITH ('connector' = 'kafka', 'topic' = '${CHANGES}', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'debezium-json');
CREATE TABLE joined (k STRING, n BIGINT, v STRING) WITH ('connector' = 'kafka', 'topic' = '${JOINED}', 'format' = 'json');
CREATE TABLE windows (w TIMESTAMP(3), k STRING, c BIGINT, lo BIGINT, hi BIGINT) WITH ('connector' = 'kafka', 'topic' = '${WINDOWS}', 'format' = 'json');
CREATE TABLE files (k STRING, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/files', 'format' = 'debezium-json');
CREATE TABLE shelf (b STRING, k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/shelf', 'format' = 'json');
CREATE TABLE shelf_too (b STRING, k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/shelf', 'format' = 'json');
CREATE TABLE racks (b STRING, k STRING, n BIGINT, r BIGINT) PARTITIONED BY (r) WITH ('connector' = 'filesystem', 'path' = '${OUT}/racks', 'format' = 'json');
CREATE TABLE quotients (k STRING, q BIGINT) WITH ('connector' = 'blackhole');

INSERT INTO loud SELECT k, n, kind FROM src WHERE kind = 0;
INSERT INTO both SELECT 'even', k, n FROM src WHERE kind = 0 AND MOD(n, 2) = 0;
INSERT INTO totals SELECT k, COUNT(*) FROM src WHERE kind = 0 GROUP BY k;
INSERT INTO shelf SELECT 'four', k, n FROM src WHERE kind = 0 AND MOD(n, 4) = 0;
INSERT INTO both SELECT 'odd', k, n FROM src WHERE kind = 0 AND MOD(n, 2) = 1;
INSERT INTO both_too SELECT 'one', k, n FROM src WHERE kind = 1;
INSERT INTO tallies SELECT k, c FROM (SELECT k, kind, COUNT(*) AS c FROM src WHERE kind = 0 GROUP BY k, kind);
INSERT INTO changes SELECT k, COUNT(*) FROM src WHERE kind = 0 GROUP BY k;
INSERT INTO joined SELECT s.k, s.n, ref.v FROM (SELECT k, n FROM src WHERE kind = 0 AND MOD(n, 8) = 0) AS s JOIN ref ON s.k = ref.k AND s.n = ref.n;
INSERT INTO windows SELECT window_start, k, COUNT(*), MIN(n), MAX(n) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '2' SECOND)) WHERE kind = 0 GROUP BY window_start, window_end, k;
INSERT INTO files SELECT k, COUNT(*) FROM src WHERE kind <= 1 GROUP BY k;
INSERT INTO shelf SELECT 'one', k, n FROM src WHERE kind = 1;
INSERT INTO shelf_too SELECT 'too', k, n FROM src WHERE kind = 1 AND MOD(n, 3) = 0;
INSERT INTO racks SELECT 'rack', k, n, MOD(n, 3) FROM src WHERE kind <= 1 AND MOD(n, 5) = 0;
INSERT INTO quotients SELECT k, 100 / MOD(n, 7) FROM src WHERE kind <= 1;
INSERT INTO hidden SELECT k, COUNT(*) FROM src WHERE kind = 2 GROUP BY k HAVING COUNT(*) > 1000000000;
`

// topicNames are the variables of the pipeline that name topics.
var topicNames = []string{"IN", "REF", "LOUD", "BOTH", "TOTALS", "TALLIES", "CHANGES", "JOINED", "WINDOWS", "DEAD"}

// shape is what one start differs in from another over the same state.
type shape struct {
	workers  int
	interval string
	passages int // a crash point that each epoch passes is passed so often within a second or two
}

var intervals = []shape{{interval: "10 ms", passages: 20}, {interval: "100 ms", passages: 6}, {interval: "1 s", passages: 2}}

// shape draws one.
func (l *lab) shape() shape {
	s := intervals[[]int{0, 0, 1, 1, 2}[l.rng.IntN(5)]]
	s.workers = 1 + l.rng.IntN(3)
	return s
}

func (s shape) String() string { return fmt.Sprintf("%d workers, %s", s.workers, s.interval) }

// env is the part of a run's environment that the pipeline names.
func (l *lab) env() []string {
	out := []string{"OUT=" + filepath.Join(l.dir, "out")}
	for k, v := range l.topics {
		out = append(out, k+"="+v)
	}
	return out
}

// input is one record of the input topic.
type input struct {
	K    string `json:"k"`
	N    int64  `json:"n"`
	Kind int    `json:"kind"`
	TS   string `json:"ts"`

	ms int64 // TS since the first one
}

// keys is how many there are.
const keys = 40

// draw makes the next record: running numbers by key, event times that rise.
func draw(rng *rand.Rand, next map[string]int64, ms int64, kind int) input {
	k := "key" + strconv.Itoa(rng.IntN(keys))
	next[k]++
	if rng.IntN(6) == 0 {
		kind = rng.IntN(3)
	}
	return input{K: k, N: next[k], Kind: kind, TS: stamp(ms), ms: ms}
}
