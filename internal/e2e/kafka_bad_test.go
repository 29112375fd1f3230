package e2e

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// copyTexts is copyRows with a second column, a line each.
const copyTexts = "SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT, s STRING)" + inJSON + ");\n" +
	"CREATE TABLE o (v INT, s STRING) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v, s FROM t;"

var brokerAddr = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// complains compares how the one error of a run begins, its test's own names and ports written as ~ and ADDR.
func (c *cluster) complains(p *proc, want string) {
	c.t.Helper()
	text := p.stderr.String()
	if i := strings.Index(text, "error["); i >= 0 {
		text = text[i:]
	}
	text = strings.TrimSpace(brokerAddr.ReplaceAllString(strings.ReplaceAll(text, c.prefix, "~"), "ADDR"))
	if want = strings.TrimSpace(want); !strings.HasPrefix(text, want) {
		c.t.Errorf("said\n%s\nwant\n%s", text, want)
	}
}

// What is said when the topic, or the broker, is not there.
func TestKafkaNobodyThere(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		for _, args := range [][]string{{}, {"--state", "st"}} {
			c.complains(c.run(1, "CREATE TABLE t (v INT)"+inJSON+");\nSELECT v FROM t;", append(args, "--until-idle")...), `
error[SD6901]: open table "t": table t: topic ~in does not exist on ADDR
  --> a.sql:1:14
   |
 1 | CREATE TABLE t (v INT) WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
   |              ^
   = create it, or correct 'topic'`)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		c := newCluster(t, kafkatest.Fake(t))
		began := time.Now()
		for _, sql := range []string{"CREATE TABLE t (v INT)" + inJSON + ");\nSELECT v FROM t;", copyTexts} {
			p := c.run(1, sql, "--kafka", "127.0.0.1:1", "--set", "streamd.start.timeout=1 s", "--state", "st")
			p.says("error[SD6901]", "127.0.0.1:1", "connection refused", "nobody answered there")
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("it took %s", d)
			}
		}
	})
}

// Records of 10 MB go in and out where the topics take them.
func TestKafkaRecordsOf10MB(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		large := map[string]string{"max.message.bytes": "12000000"}
		kafkatest.CreateTopic(t, b, c.fill("~in"), 2, large)
		kafkatest.CreateTopic(t, b, c.fill("~out"), 2, large)
		c.cl = b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(12_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
		var want []string
		for i := range 6 {
			want = append(want, fmt.Sprintf(`{"v":%d,"s":"%s"}`, i, strings.Repeat(string(rune('a'+i)), 10<<20)))
			c.put("~in", int32(i%2), want[i])
		}
		binary(t) // before the clock runs
		began := time.Now()
		p := c.run(0, copyTexts, "--until-idle", "--state", "st")
		if d := time.Since(began); d > 30*time.Second {
			t.Errorf("60 MB took %s\n%s", d, p.stderr.String())
		}
		got := c.topicRows("~out")
		if len(got) != len(want) {
			t.Fatalf("%d records, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("record %d differs", i)
			}
		}
	})
}

// The topic's limit is lowered under a running job: the broker refuses the record, and the job says so instead of trying
// for ever.
func TestKafkaLimitIsLowered(t *testing.T) {
	b := kafkatest.Shared(t)
	c := newCluster(t, b)
	c.topic("~in", 1, `{"v":0,"s":"a"}`)
	kafkatest.CreateTopic(t, b, c.fill("~out"), 1, nil)
	p := c.start(copyTexts, "--state", "st")
	kafkatest.Until(t, "a row is there", func() bool { return len(c.topicRows("~out")) == 1 })
	if _, err := kadm.NewClient(c.cl).AlterTopicConfigs(kafkatest.Deadline(t), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: kadm.StringPtr("2000")}}, c.fill("~out")); err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for i := range 5000 { // does not get small by compression
		fmt.Fprintf(&s, "%x", i*i)
	}
	c.put("~in", 0, `{"v":1,"s":"`+s.String()+`"}`)
	if code := p.wait(); code != 1 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	p.says("error[SD6901]", "produce to "+c.fill("~out")+"/0: MESSAGE_TOO_LARGE", "a.sql:4:13", "raise max.message.bytes")
	c.topicWants("~out", `{"v":0,"s":"a"}`)
}

// peak is the most memory that a process has had, in MB.
func peak(t *testing.T, p *proc) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc")
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kb := 0
	fmt.Sscan(rest, &kb)
	return kb >> 10
}

// A topic of 500 partitions: the job is ready at once, reads all, and what it fetches ahead stays within the budget
// whatever the number of partitions.
func TestKafka500Partitions(t *testing.T) {
	test := func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 500)
		const rows = 100_000
		pad := strings.Repeat("x", 1000)
		for from := 0; from < rows; from += 10_000 {
			var recs []*kgo.Record
			for i := from; i < from+10_000; i++ {
				recs = append(recs, &kgo.Record{Topic: c.fill("~in"), Partition: int32(i % 499), Value: fmt.Appendf(nil, `{"v":%d,"s":"%s"}`, i, pad)})
			}
			c.send(recs...)
		}
		sql := "CREATE TABLE t (v INT, s STRING)" + inJSON + ", 'scan.buffer-size' = '16 mb');\nSELECT COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS s FROM t;"
		binary(t)
		for _, args := range [][]string{{}, {"--state", "st"}, {"--state", "st"}} {
			began := time.Now()
			write(t, c.dir, "a.sql", c.fill(sql))
			// Garbage is collected often, so that the peak is what is held.
			p := start(t, c.dir, []string{"GOGC=50"}, append([]string{"run", "a.sql", "--name", c.prefix + "job", "--kafka", b.Addr, "--format", "json", "--listen", "127.0.0.1:0"}, args...)...)
			base := p.listens()
			p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
			ready := time.Since(began)
			if ready > 15*time.Second {
				t.Errorf("ready after %s", ready)
			}
			if _, err := os.Stat(c.dir + "/read"); err != nil {
				p.shows(fmt.Sprintf(`{"n":%d,"s":%d}`, rows, rows*(rows-1)/2))
			}
			mb := peak(t, p)
			t.Logf("%v: ready after %s, at most %d MB", args, ready, mb)
			if mb > 200 { // 100 MB of rows and 500 buffers

				t.Errorf("%d MB", mb)
			}
			p.term()
			if len(args) > 0 {
				write(t, c.dir, "read", "")
			}
		}
		c.put("~in", 499, `{"v":0,"s":""}`) // the one that was empty
		c.run(0, sql, "--state", "st", "--until-idle").wants(fmt.Sprintf(`{"n":%d,"s":%d}`, rows+1, rows*(rows-1)/2), fmt.Sprintf(`MINUS {"n":%d,"s":%d}`, rows, rows*(rows-1)/2))
	}
	t.Run("kfake", func(t *testing.T) { test(t, kafkatest.Plain(t)) })
	t.Run("kafka", func(t *testing.T) { test(t, kafkatest.Shared(t)) })
}

// dropped is the sum of what a job says it did not use.
func dropped(t *testing.T, base string) (sum int) {
	_, body := get(t, base+"/metrics")
	for l := range strings.Lines(body) {
		if strings.HasPrefix(l, "streamd_dropped_records_total{") {
			var n int
			fmt.Sscan(l[strings.LastIndexByte(l, ' ')+1:], &n)
			sum += n
		}
	}
	return sum
}

// Keys and values of an upsert topic that are missing, null or broken: each is counted once, and is nobody's row; a
// tombstone is no mistake, whether its key is known or not.
func TestKafkaUpsertBadRecords(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		table := "CREATE TABLE u (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~in',\n 'key.format' = 'json', 'value.format' = 'json'%s);\nSELECT id, v FROM u;"
		rec := func(key, value string) *kgo.Record {
			r := &kgo.Record{}
			if key != "" {
				r.Key = []byte(key)
			}
			if value != "" {
				r.Value = []byte(value)
			}
			return r
		}
		bad := []struct {
			rec  *kgo.Record
			says string
		}{
			{rec("", `{"id":9,"v":9}`), "SD6162"},
			{rec("", ""), "SD6162"},
			{rec(`{"id":`, `{"id":9,"v":9}`), "SD6101"},
			{rec(`{"id":"x"}`, ""), "SD6105"},
			{rec(`{"id":9}`, `{"id":9,"v":"x"}`), "SD6105"},
			{rec(`{"id":9}`, `nope`), "SD6101"},
		}
		c := newCluster(t, b)
		c.topic("~in", 1)
		good := []*kgo.Record{rec(`{"id":1}`, `{"id":1,"v":1}`), rec(`{"id":7}`, ""), rec(`{"id":2}`, `{"id":2,"v":2}`), rec(`{"id":2}`, ""), rec(`{"id":2}`, ""), rec(`{"id":3}`, `{"id":3,"v":3}`)}
		var all []*kgo.Record
		for i := range bad {
			all = append(all, bad[i].rec)
		}
		for i, r := range good {
			all = slices.Insert(all, 2*i, r)
		}
		for _, r := range all {
			r.Topic = c.fill("~in")
			c.send(r)
		}
		p := c.start(fmt.Sprintf(table, ", 'on-error' = 'skip'"), "--listen", "127.0.0.1:0")
		base := p.listens()
		p.shows(`{"id":1,"v":1}`, `{"id":3,"v":3}`)
		p.until("all bad records are counted", func() bool { return dropped(t, base) >= len(bad) })
		if n := dropped(t, base); n != len(bad) {
			t.Errorf("%d records are counted, %d are bad", n, len(bad))
		}
		p.term()
		// Each alone ends a job that does not skip, with its code and place.
		for i, x := range bad {
			d := newCluster(t, b)
			d.topic("~in", 1, "{\"id\":1}=>{\"id\":1,\"v\":1}")
			r := *x.rec
			r.Topic = d.fill("~in")
			d.send(&r)
			q := d.run(1, fmt.Sprintf(table, ""), "--until-idle")
			q.says("error["+x.says+"]", "a.sql:1:14", "record: "+d.fill("~in/0/1"), "'on-error' = 'skip'")
			if i == 0 {
				d.complains(q, `
error[SD6162]: the record has no key
  --> a.sql:1:14
   |
 1 | CREATE TABLE u (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '~in',
   |              ^
   = record: ~in/0/1
   = table: u`)
			}
		}
	})
}
