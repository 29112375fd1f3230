package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// A job that waited for rows at the latest offset reads those that come while it is down.
func TestKafkaLatestIsKept(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2, `{"v":0}`)
		sql := "SET 'streamd.epoch.interval' = '50 ms';\n" + strings.Replace(copyRows, "earliest", "latest", 1)
		p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
		base := p.listens()
		p.until("an epoch is decided", func() bool { _, m := get(t, base+"/metrics"); return strings.Contains(m, "streamd_epoch_age_seconds{") })
		p.signal(9)
		p.wait()
		c.put("~in", 1, `{"v":1}`)
		c.run(0, sql, "--state", "st", "--until-idle")
		c.topicWants("~out", `{"v":1}`)
	})
}

// Deleted and created again under a running job that is told to go on.
func TestKafkaRecreatedGoesOn(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	topic := c.topic("~in", 1, `{"v":0}`)
	p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'scan.topic-partition-discovery.interval' = '50 ms', 'scan.on-recreate' = 'earliest');\nSELECT v FROM t;", "--state", "st")
	p.shows(`{"v":0}`)
	for i := 1; i < 3; i++ {
		adm := kadm.NewClient(c.cl)
		if _, err := adm.DeleteTopics(kafkatest.Deadline(t), topic); err != nil {
			t.Fatal(err)
		}
		if _, err := adm.CreateTopic(kafkatest.Deadline(t), 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		c.cl = c.b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		c.put("~in", 0, fmt.Sprintf(`{"v":%d}`, i))
		select {
		case <-p.done:
			if p.code != 1 || !strings.Contains(p.stderr.String(), "does not exist") { // the look may fall between
				t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
			}
			t.Skip("the topic was seen missing")
		default:
		}
		p.shows(seq(i+1, `{"v":%d}`)...)
	}
	p.term()
}

// A broker that goes away is not the end of a job without a state directory, as
// long as nothing was under way.
func TestKafkaBrokerRestartEphemeralSink(t *testing.T) {
	b := kafkatest.Shared(t)
	c := newCluster(t, b)
	c.topic("~in", 1, seq(10, `{"v":%d}`)...)
	p := c.start("SET 'streamd.epoch.interval' = '50 ms';\n"+strings.Replace(copyRows, "'json')", "'json', 'scan.topic-partition-discovery.interval' = '200 ms')", 1), "--listen", "127.0.0.1:0")
	base := p.listens()
	kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) == 10 })
	b.Process.Kill()
	p.until("not ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 503 })
	time.Sleep(3 * time.Second) // some looks for new partitions fail meanwhile
	b.Process.Restart(t)
	p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
	c.put("~in", 0, `{"v":10}`)
	kafkatest.Until(t, "the next row is there", func() bool { return len(c.topicRows("~out")) == 11 })
	p.term()
	c.topicWants("~out", seq(11, `{"v":%d}`)...)
}

// kill -9 at short intervals, an upsert sink and an aborting producer: the end is
// the sum of what was committed.
func TestKafkaKillUpsert(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 3)
		c.topic("~out", 3)
		sql := "SET 'streamd.epoch.interval' = '20 ms';\nCREATE TABLE t (k STRING, v BIGINT)" + inJSON + `);
CREATE TABLE o (k STRING, n BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~out', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO o SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k;`
		w := kafkatest.NewProducer(t, b, c.fill("~w"), 5)
		n, sums, counts := 0, map[string]int{}, map[string]int{}
		for round := range 6 {
			p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0", "--workers", fmt.Sprint(1+round%3))
			base := p.listens()
			p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
			w.Write(200, func(i int) *kgo.Record {
				return &kgo.Record{Topic: c.fill("~in"), Partition: int32(i % 3), Value: fmt.Appendf(nil, `{"k":"k%d","v":%d}`, i%7, i)}
			})
			for i := range 200 {
				sums[fmt.Sprint("k", i%7)] += i
				counts[fmt.Sprint("k", i%7)]++
				n++
			}
			p.signal(9)
			p.wait()
		}
		c.run(0, sql, "--state", "st", "--until-idle")
		want := map[string]string{}
		for k := range sums {
			want[k] = fmt.Sprintf(`{"k":"%s","n":%d,"s":%d}`, k, counts[k], sums[k])
		}
		c.finalWants("~out", want)
	})
}

// A slow trickle with the shortest interval neither hangs nor doubles.
func TestKafkaShortInterval(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 4)
	p := c.start("SET 'streamd.epoch.interval' = '10 ms';\n"+copyRows, "--state", "st")
	for i := range 300 {
		c.cl.Produce(context.Background(), &kgo.Record{Topic: c.fill("~in"), Partition: int32(i % 4), Value: fmt.Appendf(nil, `{"v":%d}`, i)}, nil)
		if i%10 == 0 {
			if err := c.cl.Flush(kafkatest.Deadline(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.cl.Flush(kafkatest.Deadline(t)); err != nil {
		t.Fatal(err)
	}
	kafkatest.Until(t, "all rows are there", func() bool { return len(c.topicRows("~out")) >= 300 })
	p.term()
	c.topicWants("~out", seq(300, `{"v":%d}`)...)
}

// Watermarks of a resumed state: partitions that were silent since do not hold it
// more than before, and no late row is taken for a timely one.
func TestKafkaWatermarkResumes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 2, at("a", "05.0"))
	c.put("~in", 1, at("a", "05.5"))
	sql := fmt.Sprintf(windows, "")
	c.run(0, sql, "--state", "st", "--until-idle").wants()
	c.put("~in", 0, at("late", "04.0"), at("b", "07.0"))
	c.run(0, sql, "--state", "st", "--until-idle").wants() // partition 1 stands at 5.5
	c.put("~in", 1, at("c", "08.0"))
	c.run(0, sql, "--state", "st", "--until-idle").wants(`{"k":"a","n":2}`)
	c.run(0, sql, "--state", "st", "--until-idle", "--at-end", "drain").wants(`{"k":"b","n":1}`, `{"k":"c","n":1}`)
}

// A pattern that takes every topic does not take the engine's own ones.
func TestKafkaPatternSparesControlTopics(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`)
	sql := "CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic-pattern' = '.*', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\nSELECT v FROM t;"
	c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":1}`)
	c.put("~in", 0, `{"v":2}`)
	c.run(0, sql, "--until-idle", "--state", "st").wants(`{"v":2}`)
	c.run(0, strings.Replace(sql, ".*", "no-such-.*", 1), "--until-idle").wants()
}

// Partitions that were added while the job was down are read from their beginning.
func TestKafkaPartitionsAddedWhileDown(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	topic := c.topic("~in", 1, `{"v":0}`)
	sql := strings.Replace(copyRows, "earliest", "latest", 1)
	c.run(0, sql, "--until-idle", "--state", "st")
	if _, err := kadm.NewClient(c.cl).CreatePartitions(kafkatest.Deadline(t), 1, topic); err != nil {
		t.Fatal(err)
	}
	c.cl = c.b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	c.put("~in", 1, `{"v":1}`)
	c.run(0, sql, "--until-idle", "--state", "st")
	c.topicWants("~out", `{"v":1}`)
}

// Names that no topic can have are refused before any broker is asked.
func TestKafkaInvalidTopicNames(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`)
	for _, name := range []string{"bad topic", "..", strings.Repeat("x", 300), ";", "a,b"} {
		for _, place := range []string{"~in", "~out"} {
			c.run(2, strings.ReplaceAll(copyRows, place, name), "--until-idle").says("SD5")
		}
	}
}

// One dead address among the servers, and settings that nobody knows.
func TestKafkaServersAndSettings(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":1}`)
	p := c.run(0, strings.ReplaceAll(copyRows, "'json'", "'json', 'properties.fetch.frobnicate' = '7', 'properties.isolation.level' = 'read_committed'"), "--until-idle", "--kafka", "127.0.0.1:1,"+c.b.Addr)
	p.says("fetch.frobnicate")
	c.topicWants("~out", `{"v":1}`)
}

// The sink's topic is deleted under the job: it fails or goes on, and does not hang.
func TestKafkaSinkTopicDeleted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":0}`)
	p := c.start("SET 'streamd.epoch.interval' = '50 ms';\n"+copyRows, "--state", "st")
	adm := kadm.NewClient(c.b.Client(t, kgo.MetadataMinAge(10*time.Millisecond)))
	written := func() (sum int64) {
		l, _ := adm.ListEndOffsets(context.Background(), c.fill("~out"))
		l.Each(func(o kadm.ListedOffset) { sum += max(o.Offset, 0) })
		return sum
	}
	kafkatest.Until(t, "a row is there", func() bool {
		return written() > 0
	})
	if _, err := kadm.NewClient(c.cl).DeleteTopics(kafkatest.Deadline(t), c.fill("~out")); err != nil {
		t.Fatal(err)
	}
	c.put("~in", 0, `{"v":1}`)
	kafkatest.Until(t, "the next row is there, or the job has failed", func() bool {
		select {
		case <-p.done:
			return true
		default:
		}
		return written() > 0
	})
}

// Other formats than JSON, with keys, tombstones and bad rows.
func TestKafkaRawAndCSV(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, "a=>1,x", "b=>", "=>2,\"q,\"\"r\"", "c=>3,")
	c.run(0, `CREATE TABLE t (k STRING, v INT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'csv', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE o (s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'raw');
INSERT INTO o SELECT s FROM t;
SELECT * FROM t;`, "--until-idle").wants(`{"k":"a","v":1,"s":"x"}`, `{"k":"","v":2,"s":"q,\"r"}`, `{"k":"c","v":3,"s":""}`)
	c.topicWants("~out", "x", `q,"r`, "")
	c.put("~in", 0, "d=>zz,1")
	c.run(1, `CREATE TABLE t (v INT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'format' = 'csv');
SELECT * FROM t;`, "--until-idle").says(c.fill("~in/0/4"))
}
