package e2e

import (
	"context"
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

// windows counts rows of one-second windows, with the watermark at the newest row.
const windows = `CREATE TABLE t (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '~in', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'%s);
SELECT k, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end;
`

func at(k, s string) string { return fmt.Sprintf(`{"k":"%s","ts":"2026-01-01 00:00:%s"}`, k, s) }

// A state goes on where the last run ended, as the topic grows.
func TestKafkaUntilIdleResumes(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 1, at("a", "00.1"), at("a", "00.2"), at("b", "01.5"))
		sql := `CREATE TABLE o (k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');` + "\n" +
			strings.Replace(fmt.Sprintf(windows, ""), "SELECT", "INSERT INTO o SELECT", 1)
		c.run(0, sql, "--state", "st", "--until-idle")
		c.topicWants("~out", `{"k":"a","n":2}`)
		c.run(0, sql, "--state", "st", "--until-idle")
		c.topicWants("~out", `{"k":"a","n":2}`)
		c.put("~in", 0, at("b", "01.7"), at("c", "02.0"))
		c.run(0, sql, "--state", "st", "--until-idle", "--at-end", "stop")
		c.topicWants("~out", `{"k":"a","n":2}`, `{"k":"b","n":2}`)
		c.run(0, sql, "--state", "st", "--until-idle", "--at-end", "drain")
		c.topicWants("~out", `{"k":"a","n":2}`, `{"k":"b","n":2}`, `{"k":"c","n":1}`)
		c.run(0, sql, "--state", "st", "--until-idle", "--at-end", "drain") // nothing new
		c.put("~in", 0, at("d", "09.0"))
		c.run(4, sql, "--state", "st", "--until-idle").says("DRAINED")
		c.run(4, sql, "--state", "st").says("DRAINED")
		c.topicWants("~out", `{"k":"a","n":2}`, `{"k":"b","n":2}`, `{"k":"c","n":1}`)
		// The name belongs to that state.
		c.run(4, sql, "--state", "other", "--until-idle").says("STATE LOST")
	})
}

func TestKafkaPartitionsAdded(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		topic := c.topic("~in", 1, `{"v":1}`)
		p := c.start("CREATE TABLE t (v INT)" + inJSON + ", 'scan.topic-partition-discovery.interval' = '50 ms');\nSELECT v FROM t;")
		p.shows(`{"v":1}`)
		if _, err := kadm.NewClient(c.cl).CreatePartitions(kafkatest.Deadline(t), 2, topic); err != nil {
			t.Fatal(err)
		}
		fresh := &cluster{t: t, b: b, prefix: c.prefix, cl: b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))}
		fresh.put("~in", 2, `{"v":2}`)
		p.shows(`{"v":1}`, `{"v":2}`)
		p.term()
	})
}

// Watermarks: each partition its own, the least counts; an empty partition and an
// idle one do not hold it.
func TestKafkaWatermarks(t *testing.T) {
	t.Parallel()
	t.Run("per partition", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t, kafkatest.Fake(t))
		c.topic("~in", 3, at("a", "00.0"), at("a", "09.0"))
		c.put("~in", 1, at("a", "00.5"))
		p := c.start(fmt.Sprintf(windows, ""))
		// Partition 1 stands at 0.5: nothing may fire until it moves.
		c.put("~in", 1, at("b", "01.0"))
		p.shows(`{"k":"a","n":2}`)
		c.put("~in", 1, at("b", "08.0"))
		p.shows(`{"k":"a","n":2}`, `{"k":"b","n":1}`)
		p.term()
	})
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t, kafkatest.Fake(t))
		c.topic("~in", 2, at("a", "00.0"))
		c.put("~in", 1, at("a", "00.0"))
		p := c.start(fmt.Sprintf(windows, ", 'scan.watermark.idle-timeout' = '300 ms'"))
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 1; i < 50; i++ {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
				}
				c.cl.Produce(context.Background(), &kgo.Record{Topic: c.fill("~in"), Value: []byte(at("x", "01.5"))}, nil)
			}
		}()
		p.shows(`{"k":"a","n":2}`)
		close(stop)
		<-done
		p.term()
	})
	t.Run("future skew", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t, kafkatest.Fake(t))
		c.topic("~in", 1, at("a", "00.0"), `{"k":"far","ts":"2999-01-01 00:00:00"}`, at("a", "00.5"), at("b", "01.0"))
		p := c.start(fmt.Sprintf(windows, ""), "--listen", "127.0.0.1:0")
		p.shows(`{"k":"a","n":2}`) // not late: the far row did not move the watermark
		base := p.listens()
		p.until("it is counted", func() bool {
			_, body := get(t, base+"/metrics")
			return strings.Contains(body, "streamd_dropped_records_total") || strings.Contains(body, "future")
		})
		p.term()
		// What is bounded has no skew: the far row moves the watermark.
		c.run(0, fmt.Sprintf(windows, ""), "--until-idle", "--at-end", "stop").wants(`{"k":"a","n":2}`, `{"k":"b","n":1}`)
	})
}

func TestKafkaManyPartitions(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 50)
		var recs []*kgo.Record
		var want []string
		for i := range 5000 {
			recs = append(recs, &kgo.Record{Topic: c.fill("~in"), Partition: int32(i * 7 % 49), Value: fmt.Appendf(nil, `{"v":%d}`, i)})
			want = append(want, fmt.Sprintf(`{"v":%d}`, i))
		}
		c.send(recs...)
		sql := "CREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"
		c.run(0, sql, "--until-idle", "--state", "st", "--workers", "3")
		c.topicWants("~out", want...)
	})
}

// The first row is out soon after the start, and each next one within an interval.
func TestKafkaLatency(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, `{"v":0}`)
	began := time.Now()
	p := c.start("CREATE TABLE t (v INT)"+inJSON+");\nSELECT v FROM t;", "--state", "st", "--set", "streamd.epoch.interval=100 ms")
	p.shows(`{"v":0}`)
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("the first row took %s", d)
	}
	var worst time.Duration
	want := []string{`{"v":0}`}
	for i := 1; i <= 5; i++ {
		want = append(want, fmt.Sprintf(`{"v":%d}`, i))
		began = time.Now()
		c.put("~in", 0, fmt.Sprintf(`{"v":%d}`, i))
		p.shows(want...)
		worst = max(worst, time.Since(began))
	}
	if worst > 2*time.Second {
		t.Errorf("a row took %s", worst)
	}
	t.Logf("worst %s", worst)
	p.term()
}

// A broker that goes away and comes back: the job goes on, and says so meanwhile.
func TestKafkaBrokerRestart(t *testing.T) {
	b := kafkatest.Shared(t)
	for _, state := range []string{"", "st"} {
		t.Run("state="+state, func(t *testing.T) {
			c := newCluster(t, b)
			c.topic("~in", 1, `{"v":1}`)
			args := []string{"--listen", "127.0.0.1:0"}
			if state != "" {
				args = append(args, "--state", state)
			}
			p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'scan.topic-partition-discovery.interval' = '200 ms');\nSELECT v FROM t;", args...)
			base := p.listens()
			p.shows(`{"v":1}`)
			ready := func() int { code, _ := get(t, base+"/readyz"); return code }
			p.until("ready", func() bool { return ready() == 200 })
			b.Process.Kill()
			p.until("not ready", func() bool { return ready() == 503 })
			if code, body := get(t, base+"/readyz"); code == 503 && !strings.Contains(body, "reason") {
				t.Errorf("/readyz: %s", body)
			}
			b.Process.Restart(t)
			p.until("ready again", func() bool { return ready() == 200 })
			c.put("~in", 0, `{"v":2}`)
			p.shows(`{"v":1}`, `{"v":2}`)
			p.term()
		})
	}
}

// SIGTERM decides what was read, also without a state directory, with and
// without Kafka sinks.
func TestKafkaTermDecides(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2)
		sql := "SET 'streamd.epoch.interval' = '100 ms';\nCREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"
		n := 0
		more := func() {
			for range 500 {
				c.cl.Produce(context.Background(), &kgo.Record{Topic: c.fill("~in"), Partition: int32(n % 2), Value: fmt.Appendf(nil, `{"v":%d}`, n)}, nil)
				n++
			}
			if err := c.cl.Flush(kafkatest.Deadline(t)); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			more()
			p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
			base := p.listens()
			p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
			more()
			p.term()
		}
		c.run(0, sql, "--state", "st", "--until-idle")
		c.topicWants("~out", seq(n, `{"v":%d}`)...)
	})
}

// Two processes with one name on copies of a state: one of them is fenced.
func TestKafkaFenced(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 1, `{"v":0}`)
		sql := "SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT)" + inJSON + ");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"
		c.run(0, sql, "--state", "st", "--until-idle")
		if err := os.CopyFS(filepath.Join(c.dir, "copy"), os.DirFS(filepath.Join(c.dir, "st"))); err != nil {
			t.Fatal(err)
		}
		p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
		base := p.listens()
		p.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
		q := c.start(sql, "--state", "copy", "--listen", "127.0.0.1:0")
		base = q.listens()
		q.until("ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
		c.put("~in", 0, `{"v":1}`)
		if code := p.wait(); code != 4 {
			t.Errorf("the older process ended with %d\n%s", code, p.stderr.String())
		}
		p.says("FENCED")
		q.term()
		c.topicWants("~out", `{"v":0}`, `{"v":1}`)
		c.run(4, sql, "--state", "st", "--until-idle")
	})
}

// A topic that is deleted and created again, and a log that has lost records.
func TestKafkaTopicReplacedAndTrimmed(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		ctx := kafkatest.Deadline(t)
		c := newCluster(t, b)
		topic := c.topic("~in", 1, `{"v":0}`, `{"v":1}`, `{"v":2}`)
		adm := kadm.NewClient(c.cl)
		sql := "CREATE TABLE t (v INT)" + inJSON + "%s);\nSELECT v FROM t;"
		c.run(0, fmt.Sprintf(sql, ""), "--state", "st", "--until-idle").wants(seq(3, `{"v":%d}`)...)
		c.put("~in", 0, `{"v":3}`, `{"v":4}`, `{"v":5}`)
		at := kadm.Offsets{}
		at.Add(kadm.Offset{Topic: topic, Partition: 0, At: 5})
		if _, err := adm.DeleteRecords(ctx, at); err != nil {
			t.Fatal(err)
		}
		c.run(4, fmt.Sprintf(sql, ""), "--state", "st", "--until-idle").says("DATA LOST BY RETENTION", "needed offset 3", "starts at 5")
		c.run(0, fmt.Sprintf(sql, ", 'scan.on-data-loss' = 'earliest'"), "--state", "st", "--until-idle").wants(`{"v":5}`)
		if _, err := adm.DeleteTopics(ctx, topic); err != nil {
			t.Fatal(err)
		}
		kafkatest.Until(t, "the topic is gone", func() bool {
			md, err := adm.Metadata(ctx, topic)
			return err == nil && md.Topics[topic].Err != nil
		})
		c.run(1, fmt.Sprintf(sql, ""), "--state", "st", "--until-idle").says("does not exist")
		c.cl = b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		c.topic("~in", 1, seq(8, `{"v":1%d}`)...)
		c.run(4, fmt.Sprintf(sql, ""), "--state", "st", "--until-idle").says("TOPIC REPLACED")
		c.run(0, fmt.Sprintf(sql, ", 'scan.on-recreate' = 'earliest'"), "--state", "st", "--until-idle").wants(seq(8, `{"v":1%d}`)...)
	})
}

// A topic that is deleted, or deleted and created again, under a running job.
func TestKafkaTopicGoneWhileRunning(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprint("again=", again), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, kafkatest.Fake(t))
			topic := c.topic("~in", 1, `{"v":0}`)
			p := c.start("CREATE TABLE t (v INT)"+inJSON+", 'scan.topic-partition-discovery.interval' = '50 ms');\nSELECT v FROM t;", "--state", "st")
			p.shows(`{"v":0}`)
			adm := kadm.NewClient(c.cl)
			if _, err := adm.DeleteTopics(kafkatest.Deadline(t), topic); err != nil {
				t.Fatal(err)
			}
			if again {
				if _, err := adm.CreateTopic(kafkatest.Deadline(t), 1, 1, nil, topic); err != nil {
					t.Fatal(err)
				}
			}
			code := p.wait()
			if text := p.stderr.String(); !(code == 1 && strings.Contains(text, "does not exist") || again && code == 4 && strings.Contains(text, "TOPIC REPLACED")) {
				t.Fatalf("exit code %d\n%s", code, text)
			}
		})
	}
}

// What page 4 names is there, and plausible.
func TestKafkaMetrics(t *testing.T) {
	t.Parallel()
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, at("a", "00.0"), at("b", "03.0"), at("a", "01.0"), "nope")
	p := c.start("CREATE TABLE o (k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\n"+
		strings.Replace(fmt.Sprintf(windows, ", 'on-error' = 'skip', 'scan.watermark.emit.strategy' = 'on-event'"), "SELECT", "INSERT INTO o SELECT", 1), "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	has := func(body, prefix, value string) bool {
		return slices.ContainsFunc(strings.Split(body, "\n"), func(l string) bool {
			return strings.HasPrefix(l, prefix) && (value == "" && !strings.HasSuffix(l, " 0") || value != "" && strings.HasSuffix(l, " "+value))
		})
	}
	want := map[string]string{"streamd_operator_records_total{": "", "streamd_step_seconds_count{": "", "streamd_source_lag_records{": "0", "streamd_watermark_lag_seconds{": "",
		"streamd_late_records_total{": "1", "streamd_dropped_records_total{": "1", "streamd_ingest_to_commit_seconds_count{": "", "streamd_state_bytes{": "", "streamd_checkpoint_duration_seconds_count{": "",
		"streamd_checkpoint_failures_total{": "0", "streamd_epoch{": "", "streamd_restarts_total{": "0", "streamd_sink_records_total{": "1", "streamd_backpressure_seconds_total{": "0", "streamd_source_records_total{": "3"}
	lacking := func() (out []string, body string) {
		_, body = get(t, base+"/metrics")
		for m, v := range want {
			if !has(body, m, v) {
				out = append(out, m+" "+v)
			}
		}
		slices.Sort(out)
		return out, body
	}
	end := time.Now().Add(10 * time.Second)
	for {
		l, body := lacking()
		if len(l) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("lacking %q in\n%s", l, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
	var r struct{ Ready bool }
	if _, body := get(t, base+"/readyz"); json.Unmarshal([]byte(body), &r) != nil || !r.Ready {
		t.Errorf("/readyz: %s", body)
	}
	p.term()
}
