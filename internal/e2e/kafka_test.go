package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// cluster is a test's part of a broker: every topic it names begins with its
// own prefix, which "~" stands for in texts.
type cluster struct {
	t      testing.TB
	b      *kafkatest.Broker
	cl     *kgo.Client
	dir    string
	prefix string
}

var clusters atomic.Int32

func newCluster(t testing.TB, b *kafkatest.Broker) *cluster {
	// A number of its own lets a test run several times on the shared broker (-count).
	prefix := fmt.Sprintf("%s-%d-", strings.NewReplacer("/", "-", "#", "-", "=", "-", ",", "-", "'", "-").Replace(t.Name()), clusters.Add(1))
	return &cluster{t: t, b: b, dir: t.TempDir(), prefix: prefix,
		cl: b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))}
}

func (c *cluster) fill(s string) string { return strings.ReplaceAll(s, "~", c.prefix) }

// topic creates a topic; values are written to partition 0.
func (c *cluster) topic(name string, partitions int32, values ...string) string {
	c.t.Helper()
	name = kafkatest.CreateTopic(c.t, c.b, c.fill(name), partitions, nil)
	c.put(name, 0, values...)
	return name
}

// put writes values to a partition; "k=>v" has a key, "k=>" is a tombstone.
func (c *cluster) put(topic string, partition int32, values ...string) {
	c.t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		r := &kgo.Record{Topic: c.fill(topic), Partition: partition, Value: []byte(v)}
		if k, v, ok := strings.Cut(v, "=>"); ok {
			if r.Key, r.Value = []byte(k), []byte(v); v == "" {
				r.Value = nil
			}
		}
		recs = append(recs, r)
	}
	c.send(recs...)
}

func (c *cluster) send(recs ...*kgo.Record) {
	c.t.Helper()
	if err := c.cl.ProduceSync(kafkatest.Deadline(c.t), recs...).FirstErr(); err != nil {
		c.t.Fatal(err)
	}
}

// start runs a text; its rows are printed as JSON.
func (c *cluster) start(sql string, args ...string) *proc {
	c.t.Helper()
	write(c.t, c.dir, "a.sql", c.fill(sql))
	return start(c.t, c.dir, nil, append([]string{"run", "a.sql", "--name", c.prefix + "job", "--kafka", c.b.Addr, "--format", "json"}, args...)...)
}

// run runs a text to its end; the exit code must be as given.
func (c *cluster) run(code int, sql string, args ...string) *proc {
	c.t.Helper()
	p := c.start(sql, args...)
	if got := p.wait(); got != code {
		c.t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", got, code, p.stdout.String(), p.stderr.String())
	}
	return p
}

// rows are the printed rows, folded: those that were taken back are gone.
func (p *proc) rows() []string {
	p.t.Helper()
	count := map[string]int{}
	text := p.stdout.String()
	for l := range strings.Lines(text[:strings.LastIndexByte(text, '\n')+1]) {
		var r struct {
			Op  string
			Row json.RawMessage
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			p.t.Fatalf("printed %q: %v", l, err)
		}
		if strings.HasPrefix(r.Op, "+") {
			count[string(r.Row)]++
		} else {
			count[string(r.Row)]--
		}
	}
	var out []string
	for r, n := range count {
		for range max(n, -n) {
			out = append(out, map[bool]string{true: "", false: "MINUS "}[n > 0]+r)
		}
	}
	slices.Sort(out)
	return out
}

// wants compares folded rows.
func (p *proc) wants(rows ...string) {
	p.t.Helper()
	slices.Sort(rows)
	if got := p.rows(); !slices.Equal(got, rows) {
		p.t.Errorf("rows:\n%s\nwant:\n%s\nstderr:\n%s", strings.Join(got, "\n"), strings.Join(rows, "\n"), tail(p.stderr.String(), 20))
	}
}

// shows waits for rows while the process runs.
func (p *proc) shows(rows ...string) {
	p.t.Helper()
	slices.Sort(rows)
	p.until("rows "+strings.Join(rows, " "), func() bool { return slices.Equal(p.rows(), rows) })
}

// says checks what stderr holds.
func (p *proc) says(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.stderr.String(), w) {
			p.t.Errorf("stderr has no %q:\n%s", w, p.stderr.String())
		}
	}
}

// term ends a run as SIGTERM does.
func (p *proc) term() {
	p.t.Helper()
	p.signal(15)
	if code := p.wait(); code != 0 {
		p.t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
}

// topicRows are "key=>value" of a topic's committed records, sorted.
func (c *cluster) topicRows(topic string) (out []string) {
	c.t.Helper()
	for _, r := range kafkatest.Committed(c.t, c.b, c.fill(topic)) {
		s := string(r.Value)
		if r.Key != nil {
			s = string(r.Key) + "=>" + s
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (c *cluster) topicWants(topic string, rows ...string) {
	c.t.Helper()
	slices.Sort(rows)
	if got := c.topicRows(topic); !slices.Equal(got, rows) {
		c.t.Errorf("topic %s:\n%s\nwant:\n%s", topic, strings.Join(got, "\n"), strings.Join(rows, "\n"))
	}
}

func seq(n int, format string) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

const inJSON = " WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'"

func TestKafkaTypes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1,
		`{"b":true,"t":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":1.5,"d":1e300,"de":12345678901234567890.1234,"c":"ab","st":"ü\u0000\n","by":"AQI=","da":"2024-02-29","ti":"10:11:12","ts":"2024-02-29 10:11:12.123","tz":"2024-02-29 10:11:12.123Z","a":[1,null,3],"m":{"x":1},"r":{"p":1,"q":"z"},"unknown":[{}]}`,
		`{}`)
	sql := `CREATE TABLE t (b BOOLEAN, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(38,4), c CHAR(2), st STRING, by BYTES, da DATE, ti TIME, ts TIMESTAMP(3), tz TIMESTAMP_LTZ(3), a ARRAY<INT>, m MAP<STRING,INT>, r ROW<p INT, q STRING>)` + inJSON + `);
CREATE TABLE o (b BOOLEAN, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(38,4), c CHAR(2), st STRING, by BYTES, da DATE, ti TIME, ts TIMESTAMP(3), tz TIMESTAMP_LTZ(3), a ARRAY<INT>, m MAP<STRING,INT>, r ROW<p INT, q STRING>) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');
SELECT * FROM t; INSERT INTO o SELECT * FROM t;`
	want := []string{`{"b":true,"t":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":1.5,"d":1e+300,"de":12345678901234567890.1234,"c":"ab","st":"ü\u0000\n","by":"AQI=","da":"2024-02-29","ti":"10:11:12","ts":"2024-02-29 10:11:12.123","tz":"2024-02-29 10:11:12.123Z","a":[1,null,3],"m":{"x":1},"r":{"p":1,"q":"z"}}`,
		`{"b":null,"t":null,"s":null,"i":null,"l":null,"f":null,"d":null,"de":null,"c":null,"st":null,"by":null,"da":null,"ti":null,"ts":null,"tz":null,"a":null,"m":null,"r":null}`}
	p := c.run(0, sql, "--until-idle")
	p.wants(want...)
	p.says("created topic " + c.fill("~out"))
	c.topicWants("~out", want...)
}

func TestKafkaKeysAndMetadata(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2)
		at := time.UnixMilli(1700000000123)
		c.send(&kgo.Record{Topic: c.fill("~in"), Partition: 1, Timestamp: at, Key: []byte(`{"id":7,"s":"x"}`), Value: []byte(`{"v":1}`), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}, {Key: "n"}}},
			&kgo.Record{Topic: c.fill("~in"), Partition: 0, Timestamp: at, Value: []byte(`{"v":2}`)})
		p := c.run(0, `CREATE TABLE t (k_id BIGINT, k_s STRING, v INT, tp STRING METADATA FROM 'topic' VIRTUAL, p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL,
  ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', tt STRING METADATA FROM 'timestamp-type' VIRTUAL, headers MAP<STRING, BYTES> METADATA)
  WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'value.format' = 'json', 'key.format' = 'json', 'key.fields' = 'k_id;k_s', 'key.fields-prefix' = 'k_', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE o (k_id BIGINT, k_s STRING, v INT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', h MAP<STRING, BYTES> METADATA FROM 'headers', off BIGINT METADATA FROM 'offset' VIRTUAL)
  WITH ('connector' = 'kafka', 'topic' = '~out', 'value.format' = 'json', 'key.format' = 'json', 'key.fields' = 'k_id;k_s', 'key.fields-prefix' = 'k_', 'value.fields-include' = 'EXCEPT_KEY');
INSERT INTO o SELECT k_id, k_s, v, ts, headers FROM t;
SELECT * FROM t;`, "--until-idle")
		p.wants(c.fill(`{"k_id":7,"k_s":"x","v":1,"tp":"~in","p":1,"o":0,"ts":"2023-11-14 22:13:20.123Z","tt":"CreateTime","headers":{"h":"Mg==","n":null}}`),
			c.fill(`{"k_id":null,"k_s":null,"v":2,"tp":"~in","p":0,"o":0,"ts":"2023-11-14 22:13:20.123Z","tt":"CreateTime","headers":{}}`))
		c.topicWants("~out", `{"id":7,"s":"x"}=>{"v":1}`, `{"id":null,"s":null}=>{"v":2}`)
		for _, r := range kafkatest.Committed(t, b, c.fill("~out")) {
			if !r.Timestamp.Equal(at) {
				t.Errorf("timestamp %v", r.Timestamp)
			}
			if string(r.Value) == `{"v":1}` && (len(r.Headers) != 2 || string(r.Headers[0].Value) != "2" || r.Headers[1].Value != nil) {
				t.Errorf("headers %+v", r.Headers)
			}
		}
	})
}

// A bad record under 'fail' names its place and its field; what was decided before it stays.
func TestKafkaMalformed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bad, options string
		code         int
		rows, says   []string
		metric       string
	}{
		"syntax":        {bad: `{"v":`, code: 1, says: []string{"~in/0/1"}},
		"type":          {bad: `{"v":"x"}`, code: 1, says: []string{"~in/0/1", "field: v"}},
		"range":         {bad: `{"v":3000000000}`, code: 1, says: []string{"~in/0/1", "field: v"}},
		"utf8":          {bad: "{\"v\":1,\"s\":\"\xff\"}", code: 0, options: ", 'on-error' = 'skip'"},
		"skip":          {bad: `{"v":"x"}`, options: ", 'on-error' = 'skip'", rows: []string{`{"v":1}`, `{"v":2}`}},
		"ignore field":  {bad: `{"v":"x"}`, options: ", 'json.ignore-parse-errors' = 'true'", rows: []string{`{"v":1}`, `{"v":null}`, `{"v":2}`}},
		"ignore record": {bad: `nope`, options: ", 'json.ignore-parse-errors' = 'true'", rows: []string{`{"v":1}`, `{"v":2}`}},
		"empty":         {bad: ``, rows: []string{`{"v":1}`, `{"v":2}`}},
		"null":          {bad: ` null `, rows: []string{`{"v":1}`, `{"v":2}`}},
		"array":         {bad: `[1]`, code: 1, says: []string{"~in/0/1"}},
		"deep":          {bad: strings.Repeat("[", 200000), code: 1, says: []string{"~in/0/1"}},
		"tombstone":     {bad: `k=>`, rows: []string{`{"v":1}`, `{"v":2}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, kafkatest.Fake(t))
			c.prefix = "x-"
			c.topic("~in", 1, `{"v":1}`, tc.bad, `{"v":2}`)
			p := c.run(tc.code, "CREATE TABLE t (v INT)"+inJSON+tc.options+");\nSELECT v FROM t;", "--until-idle")
			for _, s := range tc.says {
				p.says(c.fill(s))
			}
			if tc.rows != nil {
				p.wants(tc.rows...)
			}
		})
	}
}

// Skipped records are counted by reason.
func TestKafkaSkippedCounted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`, `nope`, `{"v":"x"}`, `k=>`, ``, `{"v":0}`)
	p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'on-error' = 'skip');\nSELECT 10 / v AS q FROM t;", "--listen", "127.0.0.1:0")
	p.shows(`{"q":10}`)
	base := p.listens()
	var body string
	p.until("five dropped", func() bool {
		_, body = get(t, base+"/metrics")
		sum := 0
		for l := range strings.Lines(body) {
			if strings.HasPrefix(l, "streamd_dropped_records_total{") {
				var n int
				fmt.Sscan(l[strings.LastIndexByte(l, ' ')+1:], &n)
				sum += n
			}
		}
		return sum == 5
	})
	p.term()
}

func TestKafkaReadCommitted(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 3)
		w := kafkatest.NewProducer(t, b, c.fill("~w"), 3)
		w.Write(400, func(i int) *kgo.Record {
			return &kgo.Record{Topic: c.fill("~in"), Partition: int32(i % 3), Value: fmt.Appendf(nil, `{"v":%d}`, i)}
		})
		w.Transaction(false, 0, 10, func(i int) *kgo.Record {
			return &kgo.Record{Topic: c.fill("~in"), Partition: 0, Value: []byte(`{"v":-1}`)}
		})
		p := c.run(0, "CREATE TABLE t (v INT)"+inJSON+");\nSELECT v FROM t;", "--until-idle")
		p.wants(seq(400, `{"v":%d}`)...)
	})
}

func TestKafkaTopicsAndPattern(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~a", 2, `{"v":1}`)
	c.topic("~b", 1, `{"v":2}`)
	c.topic("~c1", 1, `{"v":3}`)
	c.topic("~xc1", 1, `{"v":4}`)
	with := " WITH ('connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', "
	c.run(0, "CREATE TABLE t (v INT)"+with+"'topic' = '~a;~b');\nSELECT v FROM t;", "--until-idle").wants(`{"v":1}`, `{"v":2}`)
	c.run(0, "CREATE TABLE t (v INT)"+with+"'topic-pattern' = '~[bc]\\d?');\nSELECT v FROM t;", "--until-idle").wants(`{"v":2}`, `{"v":3}`)
	// A topic that appears later is found.
	p := c.start("CREATE TABLE t (v INT)" + with + "'topic-pattern' = '~[bc]\\d?', 'scan.topic-partition-discovery.interval' = '50 ms');\nSELECT v FROM t;")
	p.shows(`{"v":2}`, `{"v":3}`)
	c.topic("~c2", 1, `{"v":5}`)
	p.shows(`{"v":2}`, `{"v":3}`, `{"v":5}`)
	p.term()
	c.run(1, "CREATE TABLE t (v INT)"+with+"'topic' = '~a;~none');\nSELECT v FROM t;").says(c.fill("topic ~none does not exist"), "table t")
}

func TestKafkaStartupModes(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2)
		for i := range 6 {
			c.send(&kgo.Record{Topic: c.fill("~in"), Partition: int32(i % 2), Timestamp: time.UnixMilli(int64(1000 * (i + 1))), Value: fmt.Appendf(nil, `{"v":%d}`, i)})
		}
		table := func(opts string) string {
			return "CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic' = '~in', 'format' = 'json'" + opts + ");\nSELECT v FROM t;"
		}
		vs := func(vs ...int) (out []string) {
			for _, v := range vs {
				out = append(out, fmt.Sprintf(`{"v":%d}`, v))
			}
			return out
		}
		all := []int{0, 1, 2, 3, 4, 5}
		run := func(code int, opts string, want ...int) *proc {
			t.Helper()
			p := c.run(code, table(opts), "--until-idle")
			p.wants(vs(want...)...)
			return p
		}
		const early = ", 'scan.startup.mode' = 'earliest-offset'"
		run(0, early, all...)
		run(0, ", 'scan.startup.mode' = 'latest-offset'")
		run(0, ", 'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '3500'", 3, 4, 5)
		run(0, ", 'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '99999999'")
		run(0, ", 'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:1;partition:1,offset:3'", 2, 4)
		run(1, ", 'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:77'").says("77")
		run(2, "").says("scan.startup.mode")
		run(2, ", 'scan.startup.mode' = 'group-offsets'").says("properties.group.id")
		run(1, ", 'properties.group.id' = '~g'").says("scan.startup.mode", c.fill("~g"))
		run(0, ", 'properties.group.id' = '~g', 'properties.auto.offset.reset' = 'earliest'", all...)
		run(0, ", 'properties.auto.offset.reset' = 'earliest'", all...)
		run(0, early+", 'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = 'partition:0,offset:1;partition:1,offset:2'", 0, 1, 3)
		run(0, early+", 'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = '3000'", 0, 1)
		c.run(0, table(early+", 'scan.bounded.mode' = 'latest-offset'")).wants(vs(all...)...)
		run(2, early+", 'scan.bounded.mode' = 'group-offsets'").says("properties.group.id")
	})
}
