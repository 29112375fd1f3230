package e2e

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/streamd/streamd/internal/kafkatest"
)

const grouped = "SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT)" + inJSON + ", 'properties.group.id' = '~g');\n" +
	"CREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\nINSERT INTO o SELECT v FROM t;"

// lag is what a tool shows for a group: records behind each partition's end; -1 = the group has no offset there.
func (c *cluster) lag(group string) (out [2]int64) {
	c.t.Helper()
	adm := kadm.NewClient(c.cl)
	ctx := kafkatest.Deadline(c.t)
	ends, err := adm.ListEndOffsets(ctx, c.fill("~in"))
	if err != nil {
		c.t.Fatal(err)
	}
	at, err := adm.FetchOffsets(ctx, c.fill(group))
	for p := range out {
		out[p] = -1
		if o, ok := at.Lookup(c.fill("~in"), int32(p)); err == nil && ok && o.Err == nil && o.At >= 0 {
			end, _ := ends.Lookup(c.fill("~in"), int32(p))
			out[p] = end.Offset - o.At
		}
	}
	return out
}

// A job with a state tells its group how far it is, and never asks it again.
func TestKafkaGroupLag(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		c := newCluster(t, b)
		c.topic("~in", 2, seq(5, `{"v":%d}`)...)
		c.run(0, grouped, "--until-idle")
		if got := c.lag("~g"); got != [2]int64{-1, -1} {
			t.Fatalf("a run without a state has told the group: lag %v", got)
		}
		c.topicWants("~out", seq(5, `{"v":%d}`)...)
		p := c.start(grouped, "--state", "st", "--listen", "127.0.0.1:0")
		base := p.listens()
		kafkatest.Until(t, "no lag", func() bool { return c.lag("~g") == [2]int64{} })
		_, m := get(t, base+"/metrics")
		if want := `streamd_source_group_commit_failures_total{job="` + c.prefix + `job",table="t"} 0`; !strings.Contains(m, want) {
			t.Errorf("no %s in\n%s", want, m)
		}
		c.put("~in", 1, `{"v":5}`, `{"v":6}`)
		kafkatest.Until(t, "no lag after more rows", func() bool { return c.lag("~g") == [2]int64{} })
		p.signal(9)
		p.wait()
		// Whatever the group says meanwhile, the state decides, and the group is told again.
		reset := kadm.Offsets{}
		reset.AddOffset(c.fill("~in"), 0, 0, -1)
		reset.AddOffset(c.fill("~in"), 1, 1, -1)
		if err := kadm.NewClient(c.cl).CommitAllOffsets(kafkatest.Deadline(t), c.fill("~g"), reset); err != nil {
			t.Fatal(err)
		}
		p = c.start(strings.Replace(grouped, ", 'scan.startup.mode' = 'earliest-offset'", "", 1), "--state", "st")
		kafkatest.Until(t, "no lag after a restart without rows", func() bool { return c.lag("~g") == [2]int64{} })
		p.term()
		c.put("~in", 0, `{"v":7}`)
		c.run(0, grouped, "--state", "st", "--until-idle")
		if got := c.lag("~g"); got != [2]int64{} {
			t.Errorf("lag after the end of a run: %v", got)
		}
		c.topicWants("~out", append(seq(5, `{"v":%d}`), seq(8, `{"v":%d}`)...)...)
	})
}

// A group that cannot be told is no reason to stop.
func TestKafkaGroupCannotBeTold(t *testing.T) {
	t.Parallel()
	b := kafkatest.Fake(t)
	b.RefuseCommits(func() bool { return true }, kerr.GroupAuthorizationFailed)
	c := newCluster(t, b)
	c.topic("~in", 2, seq(5, `{"v":%d}`)...)
	p := c.start(grouped, "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	series := `streamd_source_group_commit_failures_total{job="` + c.prefix + `job",table="t"} `
	p.until("a failure is counted", func() bool {
		_, m := get(t, base+"/metrics")
		return strings.Contains(m, series) && !strings.Contains(m, series+"0\n")
	})
	p.says("note: table t: group " + c.fill("~g") + " could not be told the offsets: the user may not do this: GROUP_AUTHORIZATION_FAILED")
	c.put("~in", 0, `{"v":5}`)
	kafkatest.Until(t, "the job goes on", func() bool { return len(c.topicRows("~out")) == 6 })
	p.term()
	c.topicWants("~out", seq(6, `{"v":%d}`)...)
}
