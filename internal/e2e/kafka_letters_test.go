package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// letter is a dead letter in a topic, its own headers without their prefix.
func letter(r *kgo.Record) (own map[string]string, rest []kgo.RecordHeader) {
	own = map[string]string{}
	for _, h := range r.Headers {
		if k, ok := strings.CutPrefix(h.Key, "streamd."); ok {
			own[k] = string(h.Value)
		} else {
			rest = append(rest, h)
		}
	}
	return own, rest
}

// A dead letter in a topic is the record, byte for byte, with the reason in its
// headers; the counters say how many there are.
func TestKafkaDeadLetters(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1)
	bad := []*kgo.Record{
		{Value: []byte("{\"v\":\xff")},
		{Key: []byte("k\x00"), Value: []byte(`{"v":"x"}`), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte{1, 0xff}}, {Key: "trace", Value: nil}}},
		{Value: []byte(`{"v":0, "w": [1]}`), Key: []byte("zero")},
		{Value: []byte(strings.Repeat("[", 200000))},
	}
	good := func(i int) *kgo.Record { return &kgo.Record{Value: fmt.Appendf(nil, `{"v":%d}`, i)} }
	for i, r := range bad {
		g := good(1 + i)
		r.Topic, g.Topic = c.fill("~in"), c.fill("~in")
		c.send(g, r)
	}
	p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'on-error' = 'dead-letter', 'dead-letter.topic' = '~dead');\n"+
		"CREATE TABLE o (q INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT 12 / v FROM t;", "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	p.until("four letters", func() bool {
		_, body := get(t, base+"/metrics")
		return strings.Contains(body, fmt.Sprintf("streamd_dead_letter_records_total{job=%q} 4", c.prefix+"job"))
	})
	_, body := get(t, base+"/metrics")
	for _, want := range []string{`reason="undecodable"} 3`, `reason="failed"} 1`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	p.term()
	got := kafkatest.Committed(t, c.b, c.fill("~dead"))
	slices.SortFunc(got, func(a, b *kgo.Record) int { return strings.Compare(offsetOf(a), offsetOf(b)) })
	if len(got) != len(bad) {
		t.Fatalf("%d letters, want %d", len(got), len(bad))
	}
	for i, r := range got {
		own, rest := letter(r)
		want := bad[i]
		if string(r.Value) != string(want.Value) || string(r.Key) != string(want.Key) || (r.Key == nil) != (want.Key == nil) {
			t.Errorf("letter %d: %q => %.40q, want %q => %.40q", i, r.Key, r.Value, want.Key, want.Value)
		}
		if !slices.EqualFunc(rest, want.Headers, func(a, b kgo.RecordHeader) bool {
			return a.Key == b.Key && string(a.Value) == string(b.Value) && (a.Value == nil) == (b.Value == nil)
		}) {
			t.Errorf("letter %d: headers %v, want %v", i, rest, want.Headers)
		}
		reason, code := [...]string{"undecodable", "undecodable", "failed", "undecodable"}[i], [...]string{"SD6101", "SD6105", "SD6002", "SD6103"}[i]
		for k, v := range map[string]string{"reason": reason, "code": code, "place": fmt.Sprintf("%s/0/%d", c.fill("~in"), 2*i+1), "topic": c.fill("~in"), "partition": "0",
			"offset": fmt.Sprint(2*i + 1), "table": "t", "job": c.prefix + "job", "timestamp": fmt.Sprint(want.Timestamp.UnixMilli())} {
			if own[k] != v {
				t.Errorf("letter %d: %s is %q, want %q", i, k, own[k], v)
			}
		}
		if own["message"] == "" || !strings.HasPrefix(own["at"], "a.sql:") {
			t.Errorf("letter %d: %v", i, own)
		}
	}
}

func offsetOf(r *kgo.Record) string { own, _ := letter(r); return fmt.Sprintf("%20s", own["offset"]) }

// Two tables with other policies keep them behind a UNION; a record that is no
// row for lack of a key is a letter, too.
func TestKafkaDeadLettersByTable(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~a", 1, at("a", "00.0"), at("a", "09.0"))
	c.topic("~b", 1, at("b", "00.0"), at("b", "09.0"))
	c.topic("~u", 1, `=>{"k":"","v":1}`, `x=>{"k":"x","v":1}`, `no key`)
	text := `SET 'streamd.epoch.interval' = '10 ms';
CREATE TABLE a (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '~a', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'late' = 'dead-letter', 'dead-letter.topic' = '~dead-a', 'scan.watermark.emit.strategy' = 'on-event');
CREATE TABLE b (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '~b', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'late' = 'dead-letter', 'dead-letter.topic' = '~dead-b', 'scan.watermark.emit.strategy' = 'on-event');
CREATE TABLE u (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~u', 'key.format' = 'raw', 'value.format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.topic' = '~dead-u');
CREATE VIEW ab AS SELECT * FROM a UNION ALL SELECT * FROM b;
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ab, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
SELECT k, v FROM u;`
	c.run(0, text, "--until-idle", "--state", "st")
	c.put("~a", 0, at("late a", "01.0"))
	c.put("~b", 0, at("late b", "02.0"), at("gone b", "03.0"))
	c.run(0, text, "--until-idle", "--state", "st")
	values := func(topic string) (out []string) {
		for _, r := range kafkatest.Committed(t, c.b, c.fill(topic)) {
			out = append(out, string(r.Value))
		}
		slices.Sort(out)
		return out
	}
	for topic, want := range map[string][]string{"~dead-a": {at("late a", "01.0")}, "~dead-b": {at("late b", "02.0"), at("gone b", "03.0")}, "~dead-u": {"no key"}} {
		slices.Sort(want)
		if got := values(topic); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", topic, got, want)
		}
	}
}

// A row that its topic does not take goes where the sink's table says, and a
// record that its dead-letter topic does not take goes there without its end.
func TestKafkaTooLargeRows(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	large := strings.Repeat("y", 150000)
	c.topic("~in", 1, `{"s":"a"}`, `{"s":"`+large+`"}`, `{"s":"b"}`, `{"s":"`+large)
	for _, n := range []string{"~out", "~dead"} {
		kafkatest.CreateTopic(t, c.b, c.fill(n), 1, map[string]string{"max.message.bytes": "100000"})
	}
	text := "CREATE TABLE t (s STRING)" + inJSON + ", 'on-error' = 'dead-letter', 'dead-letter.topic' = '~dead');\n" +
		"CREATE TABLE o (s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json'%s);\nINSERT INTO o SELECT s FROM t;"
	p := c.run(1, fmt.Sprintf(text, ""), "--until-idle")
	p.says("max.message.bytes = 100000")
	p = c.run(0, fmt.Sprintf(text, ", 'on-error' = 'skip'"), "--until-idle")
	p.says("2 rows were not used (refused 1, undecodable 1); 1 dead letters were written")
	p = c.run(0, fmt.Sprintf(text, ", 'on-error' = 'dead-letter', 'dead-letter.topic' = '~large'"), "--until-idle")
	p.says("2 rows were not used (refused 1, undecodable 1); 2 dead letters were written")
	got := kafkatest.Committed(t, c.b, c.fill("~large"))
	if len(got) != 1 || string(got[0].Value) != `{"s":"`+large+`"}` {
		t.Fatalf("%d letters of refused rows", len(got))
	}
	if own, _ := letter(got[0]); own["reason"] != "refused" || own["code"] != "SD6171" || own["table"] != "o" {
		t.Errorf("%v", own)
	}
	cut := kafkatest.Committed(t, c.b, c.fill("~dead"))
	if len(cut) != 2 { // of both runs that went through
		t.Fatalf("%d letters", len(cut))
	}
	for _, r := range cut {
		own, _ := letter(r)
		if n := len(r.Value); n < 95000 || n >= 100000 || !strings.HasPrefix(`{"s":"`+large, string(r.Value)) || !strings.Contains(own["message"], "the record has 150006 bytes") {
			t.Errorf("%d bytes, %v", len(r.Value), own)
		}
	}
	var out []string
	for _, r := range kafkatest.Committed(t, c.b, c.fill("~out")) {
		out = append(out, string(r.Value))
	}
	if want := []string{`{"s":"a"}`, `{"s":"b"}`, `{"s":"a"}`, `{"s":"b"}`}; !slices.Equal(out, want) {
		t.Errorf("%.100q", out)
	}
}

// Records that give no row are output and progress all the same: they are letters
// once, also when nothing else comes.
func TestKafkaOnlyDeadLetters(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, "nope")
	text := "CREATE TABLE t (v INT)" + inJSON + ", 'on-error' = 'dead-letter', 'dead-letter.path' = 'dead');\nSELECT v FROM t;"
	for range 2 {
		c.run(0, text, "--until-idle", "--state", "st", "--at-end", "stop")
	}
	p := c.start(text, "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	c.put("~in", 0, "no")
	p.until("a letter", func() bool {
		_, body := get(t, base+"/metrics")
		return strings.Contains(body, fmt.Sprintf("streamd_dead_letter_records_total{job=%q} 1", c.prefix+"job"))
	})
	p.term()
	var got []string
	for _, part := range (&script{t: t, dir: c.dir}).glob("dead/part-*") {
		b, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(b)) {
			var x struct {
				Raw, Topic string
				Offset     int
			}
			if err := json.Unmarshal([]byte(l), &x); err != nil || x.Topic != c.fill("~in") {
				t.Errorf("%v: %s", err, l)
			}
			got = append(got, fmt.Sprint(x.Offset, " ", x.Raw))
		}
	}
	if want := []string{"0 nope", "1 no"}; !slices.Equal(got, want) {
		t.Errorf("letters %q, want %q", got, want)
	}
}

// A skipped record is counted also when nothing else comes.
func TestKafkaOnlySkipped(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`)
	p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'on-error' = 'skip');\nSELECT v FROM t;", "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	p.shows(`{"v":1}`)
	c.put("~in", 0, "no")
	p.until("a skipped record", func() bool {
		_, body := get(t, base+"/metrics")
		return strings.Contains(body, `reason="undecodable"} 1`)
	})
	p.term()
}

// A table may get dead letters, and lose them, while its state stays: records are
// never part of it.
func TestKafkaPolicyOnOldState(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	row := func(k string, v int, s string) string {
		return fmt.Sprintf(`{"k":"%s","v":%d,"ts":"2026-01-01 00:00:%s"}`, k, v, s)
	}
	c.topic("~in", 1, row("a", 1, "00"), row("b", 2, "01"), row("a", 3, "02"))
	c.topic("~ref", 1, row("a", 1, "00"), row("b", 2, "01"))
	c.topic("~u", 1, `x=>{"k":"x","v":1}`, `y=>{"k":"y","v":2}`)
	table := func(name, topic, dead string) string {
		return fmt.Sprintf("CREATE TABLE %s (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '%s', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'%s);\n", name, topic, dead)
	}
	text := func(query, dead string) string {
		return "SET 'table.exec.state.ttl' = '0 ms';\n" + table("t", "~in", dead) + table("r", "~ref", dead) +
			"CREATE TABLE u (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~u', 'key.format' = 'raw', 'value.format' = 'json'" + dead + ");\n" +
			"CREATE TABLE o (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~o', 'key.format' = 'raw', 'value.format' = 'json');\n" + query
	}
	with := ", 'on-error' = 'dead-letter', 'late' = 'dead-letter', 'dead-letter.path' = 'dead'"
	for i, query := range []string{
		"INSERT INTO o SELECT k, v FROM t",
		"SELECT 'normalize', SUM(v) FROM u",
		"SELECT 'chance', k, UUID() IS NULL FROM u",
		"SELECT 'group', k, SUM(v) FROM t GROUP BY k",
		"SELECT 'distinct', COUNT(DISTINCT v) FROM t",
		"SELECT 'window', k, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end",
		"SELECT 'session', k, window_start, COUNT(*) FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end",
		"SELECT 'first', k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n FROM t) WHERE n = 1",
		"SELECT 'last', k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS n FROM t) WHERE n = 1",
		"SELECT 'top', k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM t) WHERE n <= 2",
		"SELECT 'window top', k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v DESC) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE n <= 2",
		"SELECT 'join', t.k, t.v FROM t JOIN r ON t.k = r.k AND t.v = r.v",
		"SELECT 'semi', k, v FROM t WHERE k IN (SELECT k FROM r)",
		"SELECT 'interval', t.k, t.v FROM t JOIN r ON t.k = r.k AND t.ts BETWEEN r.ts AND r.ts + INTERVAL '5' SECOND",
		"SELECT 'window join', l.k, l.v FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS l JOIN TABLE(TUMBLE(TABLE r, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS r ON l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end",
	} {
		for _, dead := range []string{"", with, ""} {
			c.put("~in", 0, row("a", 4+i, fmt.Sprint(10+i)))
			c.put("~u", 0, fmt.Sprintf(`x=>{"k":"x","v":%d}`, 10*i))
			c.run(0, text(query, dead), "--until-idle", "--name", c.prefix+fmt.Sprint(i), "--state", fmt.Sprint("st", i), "--workers", "2")
		}
	}
}
