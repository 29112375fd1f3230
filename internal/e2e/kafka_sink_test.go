package e2e

import (
	"context"
	enc "encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// final is what an upsert topic says at its end: key => newest value.
func (c *cluster) final(topic string) map[string]string {
	c.t.Helper()
	m := map[string]string{}
	for _, r := range kafkatest.Committed(c.t, c.b, c.fill(topic)) {
		if r.Key == nil {
			c.t.Errorf("a record without a key: %s", r.Value)
		}
		if m[string(r.Key)] = string(r.Value); r.Value == nil {
			delete(m, string(r.Key))
		}
	}
	return m
}

func (c *cluster) finalWants(topic string, rows map[string]string) {
	c.t.Helper()
	if got := c.final(topic); fmt.Sprint(got) != fmt.Sprint(rows) {
		c.t.Errorf("topic %s: %v, want %v", topic, got, rows)
	}
}

const upsertIn = `CREATE TABLE u (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~in', 'key.format' = 'raw', 'value.format' = 'json');
`

// An upsert topic in: updates, equal rows, deletes of what is there and of what is not.
func TestKafkaUpsert(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2, `a=>{"k":"a","v":1}`, `b=>{"k":"b","v":2}`, `none=>`, `a=>{"k":"a","v":1}`)
		sql := upsertIn + `CREATE TABLE o (g INT, n BIGINT, s BIGINT, PRIMARY KEY (g) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~sum', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE c (k STRING, v INT, w STRING, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~copy', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');
INSERT INTO o SELECT v / 10, COUNT(*), SUM(v) FROM u GROUP BY v / 10;
INSERT INTO c SELECT k, v, 'x' FROM u;`
		c.run(0, sql, "--state", "st", "--until-idle")
		c.finalWants("~sum", map[string]string{`{"g":0}`: `{"g":0,"n":2,"s":3}`})
		c.finalWants("~copy", map[string]string{`{"k":"a","v":1}`: `{"w":"x"}`, `{"k":"b","v":2}`: `{"w":"x"}`})
		before := len(c.topicRows("~copy"))
		c.put("~in", 0, `a=>{"k":"a","v":1}`) // nothing changes, nothing is written
		c.run(0, sql, "--state", "st", "--until-idle")
		if after := len(c.topicRows("~copy")); after != before {
			t.Errorf("%d records became %d though no row has changed", before, after)
		}
		c.put("~in", 0, `b=>`, `a=>{"k":"a","v":11}`, `c=>{"k":"c","v":12}`, `none=>`)
		c.run(0, sql, "--state", "st", "--until-idle")
		c.finalWants("~sum", map[string]string{`{"g":1}`: `{"g":1,"n":2,"s":23}`})
		c.finalWants("~copy", map[string]string{`{"k":"a","v":11}`: `{"w":"x"}`, `{"k":"c","v":12}`: `{"w":"x"}`})
		c.put("~in", 0, `a=>`, `c=>`)
		c.run(0, sql, "--state", "st", "--until-idle")
		c.finalWants("~sum", map[string]string{})
		c.finalWants("~copy", map[string]string{})
	})
}

// A filter on a value column stands above the normalisation: the row leaves.
func TestKafkaUpsertFilter(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `a=>{"k":"a","v":1}`, `b=>{"k":"b","v":1}`)
	p := c.start(upsertIn + "SELECT k, v FROM u WHERE v < 2;")
	p.shows(`{"k":"a","v":1}`, `{"k":"b","v":1}`)
	c.put("~in", 0, `a=>{"k":"a","v":5}`)
	p.shows(`{"k":"b","v":1}`)
	c.put("~in", 0, `b=>`)
	p.shows()
	p.term()
}

// Records of an upsert topic that lack a key, or have a broken one.
func TestKafkaUpsertBadKey(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"k":"a","v":1}`)
	c.run(1, upsertIn+"SELECT * FROM u;", "--until-idle").says("no key", c.fill("~in/0/0"))
	c.run(0, strings.Replace(upsertIn, "'raw',", "'raw', 'on-error' = 'skip',", 1)+"SELECT * FROM u;", "--until-idle").wants()
}

func TestKafkaDebezium(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1,
		`{"before":null,"after":{"k":1,"v":"a"},"op":"r","source":{"x":1},"ts_ms":5}`,
		`{"before":null,"after":{"k":2,"v":"b"},"op":"c"}`,
		`{"before":{"k":1,"v":"a"},"after":{"k":1,"v":"z"},"op":"u"}`,
		`{"before":{"k":2,"v":"b"},"after":null,"op":"d"}`,
		`{"k":2}=>`)
	sql := `CREATE TABLE d (k INT, v STRING) WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-json');
CREATE TABLE o (v STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'debezium-json');
INSERT INTO o SELECT v, COUNT(*) FROM d GROUP BY v;
SELECT * FROM d;`
	p := c.run(0, sql, "--until-idle", "--state", "st")
	p.wants(`{"k":1,"v":"z"}`)
	sum := map[string]int{}
	for _, r := range kafkatest.Committed(t, c.b, c.fill("~out")) {
		var x struct {
			Before, After json.RawMessage
			Op            string
		}
		if err := json.Unmarshal(r.Value, &x); err != nil {
			t.Fatal(err)
		}
		switch x.Op {
		case "c":
			sum[string(x.After)]++
		case "d":
			sum[string(x.Before)]--
		default:
			t.Errorf("op %q", x.Op)
		}
	}
	for k, n := range sum {
		if want := map[string]int{`{"v":"z","n":1}`: 1}[k]; n != want {
			t.Errorf("%s: %d", k, n)
		}
	}
	c.put("~in", 0, `{"before":{"k":1,"v":"z"},"after":{"k":1,"v":"z"},"op":"x"}`)
	c.run(1, sql, "--until-idle", "--state", "st").says(c.fill("~in/0/5"))
}

// hash is murmur2 as the Java client has it, from its description: seed
// 0x9747b28c, m 0x5bd1e995, r 24, little endian.
func hash(b []byte) int32 {
	m, h := uint32(0x5bd1e995), uint32(0x9747b28c)^uint32(len(b))
	for len(b) >= 4 {
		k := enc.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>24)*m
		b = b[4:]
	}
	for i := len(b) - 1; i >= 0; i-- {
		if h ^= uint32(b[i]) << (8 * i); i == 0 {
			h *= m
		}
	}
	h = (h ^ h>>13) * m
	return int32(h ^ h>>15)
}

// Keys go where the Java client puts them.
func TestKafkaKeyPartition(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107} {
		if got := hash([]byte(s)); got != want {
			t.Fatalf("the test's own hash of %q is %d, not %d", s, got, want)
		}
	}
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, seq(200, `{"k":"key-%d"}`)...)
	c.topic("~out", 7)
	c.run(0, `CREATE TABLE t (k STRING)`+inJSON+`);
CREATE TABLE o (k STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json');
INSERT INTO o SELECT k FROM t;`, "--until-idle")
	n := 0
	for _, r := range kafkatest.Committed(t, c.b, c.fill("~out")) {
		n++
		if want := (hash(r.Key) & 0x7fffffff) % 7; r.Partition != want {
			t.Errorf("key %s is in partition %d, not %d", r.Key, r.Partition, want)
		}
	}
	if n != 200 {
		t.Errorf("%d records", n)
	}
}

// Several sinks of one file share each epoch: what a reader of committed records
// sees of one topic, it sees of the other.
func TestKafkaSinksShareAnEpoch(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2)
		sql := "SET 'streamd.epoch.interval' = '100 ms';\nCREATE TABLE t (v INT)" + inJSON + `);
CREATE TABLE a (v INT) WITH ('connector' = 'kafka', 'topic' = '~a', 'format' = 'json');
CREATE TABLE b (v INT) WITH ('connector' = 'kafka', 'topic' = '~b', 'format' = 'json');
CREATE TABLE f (v INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO a SELECT v FROM t; INSERT INTO b SELECT v FROM t; INSERT INTO a SELECT -v FROM t WHERE v > 0; INSERT INTO f SELECT v FROM t;`
		n := 0
		for range 4 {
			p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
			base := p.listens()
			p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
			for range 10 {
				for range 50 {
					c.cl.Produce(context.Background(), &kgo.Record{Topic: c.fill("~in"), Partition: int32(n % 2), Value: fmt.Appendf(nil, `{"v":%d}`, n)}, nil)
					n++
				}
				if err := c.cl.Flush(kafkatest.Deadline(t)); err != nil {
					t.Fatal(err)
				}
			}
			p.signal(9)
			p.wait()
		}
		c.run(0, sql, "--state", "st", "--until-idle")
		want := seq(n, `{"v":%d}`)
		c.topicWants("~b", want...)
		for i := 1; i < n; i++ {
			want = append(want, fmt.Sprintf(`{"v":-%d}`, i))
		}
		c.topicWants("~a", want...)
		if !testing.Short() {
			exact(t, c.dir+"/out", n)
		}
	})
}

func exact(t testing.TB, dir string, n int) {
	t.Helper()
	var got []string
	for _, f := range parts(t, dir) {
		got = append(got, strings.Split(strings.TrimSuffix(f, "\n"), "\n")...)
	}
	want := seq(n, `{"v":%d}`)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines of %d", len(got), n)
	}
}

// Without a state directory each epoch is a transaction all the same.
func TestKafkaEphemeral(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2, seq(300, `{"v":%d}`)...)
		sql := "SET 'streamd.epoch.interval' = '100 ms';\nCREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"
		p := c.start(sql, "--listen", "127.0.0.1:0")
		base := p.listens()
		p.until("an epoch", func() bool {
			_, m := get(t, base+"/metrics")
			return strings.Contains(m, "streamd_sink_records_total{") && !strings.Contains(m, "-job\"} 0\n# HELP streamd_source")
		})
		c.put("~in", 1, `{"v":300}`, `{"v":301}`)
		kafkatest.Until(t, "all rows are committed", func() bool { return len(c.topicRows("~out")) == 302 })
		p.term()
		c.topicWants("~out", seq(302, `{"v":%d}`)...)
		// Nothing is left behind that could hold a reader back.
		topics, err := kadm.NewClient(c.cl).ListTopics(kafkatest.Deadline(t))
		if err != nil || topics.Has("__streamd.default."+c.prefix+"job") {
			t.Errorf("a control topic without a state: %v", err)
		}
	})
}

func TestKafkaTooLarge(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 1, `{"v":1,"s":"small"}`, `{"v":2,"s":"`+strings.Repeat("x", 5000)+`"}`)
		kafkatest.CreateTopic(t, b, c.fill("~out"), 1, map[string]string{"max.message.bytes": "2000"})
		p := c.run(1, "CREATE TABLE t (v INT, s STRING)"+inJSON+");\nCREATE TABLE o (v INT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v, s FROM t;", "--until-idle", "--state", "st")
		p.says("max.message.bytes", "2000", c.fill("~out"), `begins with "{\"v\":2,`)
	})
}

// A large record that the topic takes goes through, in and out.
func TestKafkaLargeRecord(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	big := fmt.Sprintf(`{"v":1,"s":"%s"}`, strings.Repeat("y", 900<<10))
	c.topic("~in", 1, big, big, big)
	c.run(0, "CREATE TABLE t (v INT, s STRING)"+inJSON+");\nCREATE TABLE o (v INT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v, s FROM t;", "--until-idle", "--state", "st")
	c.topicWants("~out", big, big, big)
}

// What is refused, and where.
func TestKafkaRefusals(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	for name, tc := range map[string]struct {
		sql  string
		code int
		says []string
	}{
		"near key":      {"CREATE TABLE t (v INT)" + inJSON + ",\n 'scan.startup.mod' = 'x');\nSELECT v FROM t;", 2, []string{"SD5", "scan.startup.mode", "a.sql:2:2"}},
		"near property": {"CREATE TABLE t (v INT)" + inJSON + ",\n 'propertis.group.id' = 'x');\nSELECT v FROM t;", 2, []string{"SD5", "a.sql:2:2"}},
		"connector":     {"CREATE TABLE t (v INT) WITH ('connector' = 'kafak', 'topic' = 'x', 'format' = 'json');\nSELECT v FROM t;", 2, []string{"SD5", "kafka"}},
		"format":        {"CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'scan.startup.mode' = 'earliest-offset', 'format' = 'jsn');\nSELECT v FROM t;", 2, []string{"SD5", "json"}},
		"jks":           {"CREATE TABLE t (v INT)" + inJSON + ",\n 'properties.security.protocol' = 'SSL', 'properties.ssl.truststore.location' = 'x.jks');\nSELECT v FROM t;", 2, []string{"keytool"}},
		"isolation":     {"CREATE TABLE t (v INT)" + inJSON + ",\n 'properties.isolation.level' = 'read_uncommitted');\nSELECT v FROM t;", 2, []string{"a.sql:2:", "committed records only"}},
		"no topic":      {"CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\nSELECT v FROM t;", 2, []string{"a.sql:1:14", "topic"}},
		"append sink":   {"CREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '~o', 'format' = 'json');\nINSERT INTO o SELECT v, COUNT(*) FROM t GROUP BY v;", 2, []string{"SD4", "a.sql:3:"}},
		"json option":   {"CREATE TABLE t (v INT)" + inJSON + ", 'json.ignore-parse-error' = 'true');\nSELECT v FROM t;", 2, []string{"json.ignore-parse-errors"}},
		"metadata":      {"CREATE TABLE t (v INT, o BIGINT METADATA FROM 'ofset' VIRTUAL)" + inJSON + ");\nSELECT v FROM t;", 2, []string{"ofset"}},
		"write offset":  {"CREATE TABLE t (v BIGINT)" + inJSON + ");\nCREATE TABLE o (v BIGINT, offset BIGINT METADATA) WITH ('connector' = 'kafka', 'topic' = '~o', 'format' = 'json');\nINSERT INTO o SELECT v, v FROM t;", 2, nil},
		"write virtual": {"CREATE TABLE t (v BIGINT)" + inJSON + ");\nCREATE TABLE o (v BIGINT, po BIGINT METADATA FROM 'offset' VIRTUAL) WITH ('connector' = 'kafka', 'topic' = '~o', 'format' = 'json');\nINSERT INTO o SELECT v, v FROM t;", 2, []string{"SD3"}},
		"no servers":    {"", 2, nil},
		"missing topic": {"CREATE TABLE t (v INT)" + inJSON + ");\nSELECT v FROM t;", 1, []string{c.prefix + "in", "does not exist", "a.sql:1:"}},
		"unset":         {"CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic' = '${STREAMD_NO_SUCH}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\nSELECT v FROM t;", 2, []string{"STREAMD_NO_SUCH", "SD5"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newCluster(t, c.b)
			x.prefix = c.prefix
			if name == "no servers" {
				write(t, x.dir, "a.sql", x.fill("CREATE TABLE t (v INT)"+inJSON+");\nSELECT v FROM t;"))
				p := streamd(t, x.dir, nil, "run", "a.sql")
				if p.code != 2 {
					t.Errorf("exit code %d\n%s", p.code, p.stderr.String())
				}
				p.says("properties.bootstrap.servers", "--kafka")
				return
			}
			p := x.run(tc.code, tc.sql)
			p.says(tc.says...)
		})
	}
}

// The table's own servers win over --kafka.
func TestKafkaServersOfTheTable(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`)
	write(t, c.dir, "a.sql", c.fill("CREATE TABLE t (v INT)"+inJSON+", 'properties.bootstrap.servers' = '${BROKERS}');\nSELECT v FROM t;"))
	p := streamd(t, c.dir, []string{"BROKERS=" + c.b.Addr}, "run", "a.sql", "--kafka", "127.0.0.1:1", "--until-idle", "--format", "json")
	if p.code != 0 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	p.wants(`{"v":1}`)
}

// A producer that never ends its transaction holds nothing back that was committed before it.
func TestKafkaOpenTransaction(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 1, `{"v":1}`)
		w := b.Client(t, kgo.TransactionalID(c.fill("~open")), kgo.TransactionTimeout(30*time.Second))
		if err := w.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := w.ProduceSync(kafkatest.Deadline(t), &kgo.Record{Topic: c.fill("~in"), Value: []byte(`{"v":2}`)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		c.put("~in", 0, `{"v":3}`)
		sql := "CREATE TABLE t (v INT)" + inJSON + ");\nSELECT v FROM t;"
		c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":1}`)
		if err := w.EndTransaction(kafkatest.Deadline(t), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		kafkatest.Committed(t, b, c.fill("~in"))
		c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":3}`)
		c.run(0, sql, "--until-idle", "--state", "st").wants()
	})
}

// parts are the texts of a file sink's final files.
func parts(t testing.TB, dir string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}
