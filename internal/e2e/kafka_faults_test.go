package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

const copyRows = "CREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"

// The broker goes away under a job that writes: nothing is lost or doubled.
func TestKafkaBrokerRestartSink(t *testing.T) {
	b := kafkatest.Shared(t)
	c := newCluster(t, b)
	c.topic("~in", 1, seq(100, `{"v":%d}`)...)
	p := c.start("SET 'streamd.epoch.interval' = '100 ms';\n"+copyRows, "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) == 100 })
	for n := 100; n < 300; n += 100 {
		var rest []string
		for i := n; i < n+100; i++ {
			rest = append(rest, fmt.Sprintf(`{"v":%d}`, i))
		}
		c.put("~in", 0, rest...) // perhaps under way when the broker dies
		b.Process.Kill()
		p.until("not ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 503 })
		b.Process.Restart(t)
		p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
		kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) >= n+100 })
	}
	p.term()
	c.run(0, copyRows, "--state", "st", "--until-idle")
	c.topicWants("~out", seq(300, `{"v":%d}`)...)
}

// SIGTERM while the broker is away ends the job in time, and honestly.
func TestKafkaTermWithoutBroker(t *testing.T) {
	b := kafkatest.Shared(t)
	c := newCluster(t, b)
	c.topic("~in", 1, seq(10, `{"v":%d}`)...)
	p := c.start(copyRows, "--state", "st")
	kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) == 10 })
	b.Process.Kill()
	defer b.Process.Restart(t)
	began := time.Now()
	p.signal(15)
	if code := p.wait(); code != 0 && code != 1 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	if d := time.Since(began); d > 40*time.Second {
		t.Errorf("took %s", d)
	}
}

// SIGTERM before any broker has answered.
func TestKafkaTermAtStart(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--state", "st"}} {
		t.Run(fmt.Sprint(len(args)), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "a.sql", strings.ReplaceAll(copyRows, "~", ""))
			p := start(t, dir, nil, append([]string{"run", "a.sql", "--kafka", "127.0.0.1:1", "--listen", "127.0.0.1:0"}, args...)...)
			p.listens()
			began := time.Now()
			p.signal(15)
			if code := p.wait(); code != 1 {
				t.Errorf("exit code %d\n%s", code, p.stderr.String())
			}
			if d := time.Since(began); d > 15*time.Second {
				t.Errorf("took %s\n%s", d, p.stderr.String())
			}
		})
	}
}

// A listener that accepts and says nothing is no broker.
func TestKafkaMuteBroker(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	write(t, dir, "a.sql", strings.ReplaceAll(copyRows, "~", ""))
	began := time.Now()
	p := streamd(t, dir, nil, "run", "a.sql", "--kafka", l.Addr().String(), "--set", "streamd.start.timeout=2 s")
	if p.code != 1 {
		t.Errorf("exit code %d\n%s", p.code, p.stderr.String())
	}
	if d := time.Since(began); d > 25*time.Second {
		t.Errorf("took %s\n%s", d, p.stderr.String())
	}
}

// A broker that comes up within the start timeout is waited for.
func TestKafkaBrokerComesLate(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	dir := t.TempDir()
	write(t, dir, "a.sql", "CREATE TABLE t (v INT)"+strings.ReplaceAll(inJSON, "~", "")+");\nSELECT v FROM t;")
	p := start(t, dir, nil, "run", "a.sql", "--kafka", addr.String(), "--format", "json", "--until-idle", "--listen", "127.0.0.1:0")
	p.listens()
	b := kafkatest.Fake(t, kfake.Ports(addr.Port))
	c := newCluster(t, b)
	c.prefix = ""
	kafkatest.CreateTopic(t, b, "in", 1, nil) // may be created after the first look: then it is missing
	c.put("in", 0, `{"v":1}`)
	if code := p.wait(); code != 0 && !strings.Contains(p.stderr.String(), "does not exist") {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
}

// Records that go while the job runs behind them.
func TestKafkaTrimmedWhileRunning(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		topic := c.topic("~in", 1, seq(3, `{"v":%d}`)...)
		p := c.start("CREATE TABLE t (v INT)"+inJSON+");\nSELECT v FROM t;", "--state", "st")
		p.shows(seq(3, `{"v":%d}`)...)
		at := kadm.Offsets{}
		at.Add(kadm.Offset{Topic: topic, Partition: 0, At: 3})
		if _, err := kadm.NewClient(c.cl).DeleteRecords(kafkatest.Deadline(t), at); err != nil {
			t.Fatal(err)
		}
		c.put("~in", 0, `{"v":3}`)
		p.shows(seq(4, `{"v":%d}`)...)
		p.term()
	})
}

// All compressions, a topic with the broker's own times, and the leader's epoch.
func TestKafkaCompressed(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		kafkatest.CreateTopic(t, b, c.fill("~in"), 1, map[string]string{"message.timestamp.type": "LogAppendTime"})
		for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
			cl := b.Client(t, kgo.ProducerBatchCompression(codec))
			if err := cl.ProduceSync(kafkatest.Deadline(t), &kgo.Record{Topic: c.fill("~in"), Value: fmt.Appendf(nil, `{"v":%d,"s":"%s"}`, i, strings.Repeat("abc", 500))}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		p := c.run(0, "CREATE TABLE t (v INT, e INT METADATA FROM 'leader-epoch' VIRTUAL, tt STRING METADATA FROM 'timestamp-type' VIRTUAL)"+inJSON+");\nSELECT v, e >= 0 AS e, tt FROM t;", "--until-idle")
		tt := "LogAppendTime"
		if b.Fake != nil {
			tt = strings.Trim(strings.SplitN(p.rows()[0], `"tt":`, 2)[1], `"}`) // kfake need not know it
		}
		p.wants(seq(5, `{"v":%d,"e":true,"tt":"`+tt+`"}`)...)
	})
}

// A group's committed offsets, where reading starts and where it ends.
func TestKafkaGroupOffsets(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		topic := c.topic("~in", 1, seq(10, `{"v":%d}`)...)
		at := kadm.Offsets{}
		at.Add(kadm.Offset{Topic: topic, Partition: 0, At: 7, LeaderEpoch: -1})
		if err := kadm.NewClient(c.cl).CommitAllOffsets(kafkatest.Deadline(t), c.fill("~g"), at); err != nil {
			t.Fatal(err)
		}
		with := "CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic' = '~in', 'format' = 'json', 'properties.group.id' = '~g'%s);\nSELECT v FROM t;"
		c.run(0, fmt.Sprintf(with, ""), "--until-idle").wants(`{"v":7}`, `{"v":8}`, `{"v":9}`)
		c.run(0, fmt.Sprintf(with, ", 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'group-offsets'")).wants(seq(7, `{"v":%d}`)...)
		// A saved state wins over the mode.
		sql := fmt.Sprintf(with, ", 'scan.startup.mode' = 'latest-offset'")
		c.run(0, sql, "--until-idle", "--state", "st").wants()
		c.put("~in", 0, `{"v":10}`)
		c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":10}`)
		c.run(0, strings.Replace(sql, "latest", "earliest", 1), "--until-idle", "--state", "st").wants()
	})
}

// A NULL in a key of an upsert sink, and a time that Kafka does not take.
func TestKafkaRowsASinkRefuses(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 1, `{"k":null,"ts":"1960-01-01 00:00:00Z"}`)
		in := "CREATE TABLE t (k STRING, ts TIMESTAMP_LTZ(3))" + inJSON + ");\n"
		c.run(1, in+"CREATE TABLE o (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~up', 'key.format' = 'json', 'value.format' = 'json');\nINSERT INTO o SELECT k, COUNT(*) FROM t GROUP BY k;", "--until-idle", "--state", "s1").says("k")
		p := c.start(in+"CREATE TABLE o (k STRING, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp') WITH ('connector' = 'kafka', 'topic' = '~time', 'format' = 'json');\nINSERT INTO o SELECT k, ts FROM t;", "--until-idle", "--state", "s2", "--name", c.prefix+"job2")
		code := p.wait() // kfake takes it
		t.Logf("a time before 1970: exit code %d %s", code, p.stderr.String())
		if code != 0 && code != 1 {
			t.Errorf("exit code %d", code)
		}
	})
}

// A job that writes the topic it reads, bounded at what was there.
func TestKafkaOwnTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 2, seq(4, `{"v":%d}`)...)
	c.run(0, "CREATE TABLE t (v INT)"+inJSON+");\nINSERT INTO t SELECT v + 100 FROM t;", "--until-idle", "--state", "st")
	c.topicWants("~in", append(seq(4, `{"v":%d}`), seq(4, `{"v":10%d}`)...)...)
}

// One topic under two tables with other columns and other places to start.
func TestKafkaTwoTablesOneTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 2, seq(4, `{"v":%d,"w":1}`)...)
	sql := "CREATE TABLE a (v INT)" + inJSON + ");\nCREATE TABLE b (w INT)" + strings.Replace(inJSON, "earliest", "latest", 1) + ");\nSELECT v FROM a UNION ALL SELECT w + 100 FROM b;"
	c.run(0, sql, "--until-idle", "--state", "st").wants(seq(4, `{"v":%d}`)...)
	c.put("~in", 1, `{"v":4,"w":2}`)
	c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":4}`, `{"v":102}`)
}
