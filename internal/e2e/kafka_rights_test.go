package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/streamd/streamd/internal/kafkatest"
)

// right is an operation on a resource, by its kind.
type right struct {
	kind, name string
	op         kadm.ACLOperation
}

// listedRights are what docs/operating.md says that a job needs.
var listedRights = []right{
	{"topic", "~in", kadm.OpRead}, {"topic", "~in", kadm.OpDescribe},
	{"topic", "~out", kadm.OpWrite}, {"topic", "~out", kadm.OpDescribe}, {"topic", "~out", kadm.OpDescribeConfigs}, {"topic", "~out", kadm.OpCreate},
	{"topic", "__streamd.default.~job", kadm.OpCreate}, {"topic", "__streamd.default.~job", kadm.OpRead}, {"topic", "__streamd.default.~job", kadm.OpWrite},
	{"topic", "__streamd.default.~job", kadm.OpDescribe}, {"topic", "__streamd.default.~job", kadm.OpDescribeConfigs},
	{"transactional id", "streamd.default.~job", kadm.OpWrite}, {"transactional id", "streamd.default.~job", kadm.OpDescribe},
	{"group", "~group", kadm.OpRead}, {"group", "~group", kadm.OpDescribe},
}

// allow gives the guest rights; a resource for which nobody has any is closed all the same.
func (c *cluster) allow(guest string, rights []right) {
	c.t.Helper()
	adm := kadm.NewClient(c.cl)
	set := func(r right, principal string) {
		b := kadm.NewACLs().Allow("User:" + principal).Operations(r.op).ResourcePatternType(kadm.ACLPatternLiteral)
		switch name := c.fill(r.name); r.kind {
		case "cluster":
			b.Clusters()
		case "topic":
			b.Topics(name)
		case "group":
			b.Groups(name)
		default:
			b.TransactionalIDs(name)
		}
		made, err := adm.CreateACLs(kafkatest.Deadline(c.t), b)
		if err != nil || len(made) != 1 || made[0].Err != nil {
			c.t.Fatalf("%v %v", err, made)
		}
	}
	for _, r := range append(listedRights, right{"cluster", "", kadm.OpCreate}) {
		set(r, "nobody")
	}
	for _, r := range rights {
		set(r, guest)
	}
}

// A job has the rights that its page lists, and no more are needed. Without one of them it ends soon and says which
// resource it may not use; what the page calls dispensable is.
func TestKafkaRights(t *testing.T) {
	b := kafkatest.Shared(t)
	s := b.Secure
	with := ", 'properties.bootstrap.servers' = '" + s.SASLPlaintext + "', " + protocol("SASL_PLAINTEXT") + login("PLAIN", s.Guest, s.Password)
	sql := "SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT)" + inJSON + ", 'properties.group.id' = '~group'" + with +
		");\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json'" + with + ");\nINSERT INTO o SELECT v FROM t;"
	for name, x := range map[string]struct {
		lacks func(right) bool
		works bool
		says  []string
	}{
		"all":                       {func(right) bool { return false }, true, nil},
		"the largest message":       {func(r right) bool { return r.name == "~out" && r.op == kadm.OpDescribeConfigs }, true, nil},
		"the source":                {func(r right) bool { return r.name == "~in" }, false, []string{"~in", "READ and DESCRIBE"}},
		"reading":                   {func(r right) bool { return r.name == "~in" && r.op == kadm.OpRead }, false, []string{"~in"}},
		"writing":                   {func(r right) bool { return r.name == "~out" && r.op == kadm.OpWrite }, false, []string{"~out"}},
		"making the sink":           {func(r right) bool { return r.name == "~out" && r.op == kadm.OpCreate }, false, []string{"~out"}},
		"the control topic":         {func(r right) bool { return strings.HasPrefix(r.name, "__") }, false, []string{"__streamd.default.~job"}},
		"making the control topic":  {func(r right) bool { return strings.HasPrefix(r.name, "__") && r.op == kadm.OpCreate }, false, []string{"__streamd.default.~job"}},
		"writing the control topic": {func(r right) bool { return strings.HasPrefix(r.name, "__") && r.op == kadm.OpWrite }, false, []string{"__streamd.default.~job"}},
		"the transactional id":      {func(r right) bool { return r.kind == "transactional id" }, false, []string{"streamd.default.~job"}},
		"the group":                 {func(r right) bool { return r.kind == "group" }, true, []string{"~group"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, b)
			c.topic("~in", 1, `{"v":1}`)
			var rights []right
			for _, r := range listedRights {
				if !x.lacks(r) {
					rights = append(rights, r)
				}
			}
			c.allow(s.Guest, rights)
			code := 1
			if x.works {
				code = 0
			}
			began := time.Now()
			p := c.run(code, sql, "--state", "st", "--until-idle", "--set", "streamd.start.timeout=5 s")
			t.Log(time.Since(began), p.stderr.String())
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if !x.works {
				p.says("error[SD6913]", "give the user")
			}
			for _, w := range x.says {
				p.says(c.fill(w))
			}
			if x.works {
				c.topicWants("~out", `{"v":1}`)
			}
		})
	}
}
