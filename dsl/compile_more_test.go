package dsl_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	ops "github.com/streamd/streamd/operators"
)

func compiled(t *testing.T, text string, set ...dsl.KV) *dsl.Plan {
	t.Helper()
	c := testConfig()
	c.Set = set
	p, ds := dsl.Compile("t.sql", text, c)
	if p == nil {
		t.Fatal(render("t.sql", text, ds))
	}
	return p
}

const table = "CREATE TABLE s (k STRING, v INT, w INT) WITH ('connector' = 'mq', 'topic' = 's', 'bounded' = 'true');\n"

// Two statements that compute the same thing share it, whatever names they give.
func TestSharing(t *testing.T) {
	p := compiled(t, table+"SELECT k AS a, SUM(v) AS b FROM s GROUP BY k; SELECT x.k, SUM(x.v) FROM s AS x GROUP BY x.k;")
	if n := strings.Count(p.Explain(), "aggregate by"); n != 1 {
		t.Errorf("%d aggregates:\n%s", n, p.Explain())
	}
}

// The identity of state does not see aliases, the order of statements, or columns that are carried along.
func TestIdentityIsStable(t *testing.T) {
	ident := func(text string) string {
		var found string
		var walk func(n ops.Node)
		walk = func(n ops.Node) {
			if _, ok := n.(*ops.Join); ok {
				found = n.Base().Ident
			}
			for _, x := range n.Base().In {
				walk(x)
			}
		}
		p := compiled(t, table+text)
		for _, s := range p.Sinks {
			walk(s)
		}
		if found == "" {
			t.Fatalf("no identity in\n%s", p.Explain())
		}
		return found
	}
	base := ident("SELECT a.k FROM s a JOIN s b ON a.k = b.k;")
	for _, same := range []string{
		"SELECT x.v AS other, y.w FROM s x JOIN s y ON x.k = y.k;",
		"SET 'table.exec.state.ttl' = '1 h'; SELECT a.k FROM s a JOIN s b ON a.k = b.k;",
		"SELECT w FROM s; SELECT a.k FROM (SELECT k AS kk, k, v FROM s) a JOIN s b ON a.kk = b.k;",
	} {
		if ident(same) != base {
			t.Errorf("%s has another identity", same)
		}
	}
	for _, other := range []string{
		"SELECT a.k FROM s a JOIN s b ON a.v = b.v;",
		"SELECT a.k FROM s a LEFT JOIN s b ON a.k = b.k;",
		"SELECT a.k FROM (SELECT * FROM s WHERE v > 1) a JOIN s b ON a.k = b.k;",
	} {
		if ident(other) == base {
			t.Errorf("%s has the same identity", other)
		}
	}
}

func TestSettings(t *testing.T) {
	text := "SET 'streamd.epoch.interval' = '5 s'; SET 'execution.checkpointing.interval' = '7 s'; SET 'table.local-time-zone' = 'Asia/Tokyo';" + table + "SELECT k FROM s;"
	s := compiled(t, text).Settings
	if s.EpochInterval != 5*time.Second || s.Zone.String() != "Asia/Tokyo" || s.OnError != "fail" || s.StartTimeout != 30*time.Second || s.StateTTLSet {
		t.Errorf("%+v", s)
	}
	s = compiled(t, text, dsl.KV{Key: "streamd.epoch.interval", Value: "20 ms"}, dsl.KV{Key: "streamd.on-error", Value: "skip"}).Settings
	if s.EpochInterval != 20*time.Millisecond || s.OnError != "skip" {
		t.Errorf("given settings do not win: %+v", s)
	}
	s = compiled(t, "SET 'execution.checkpointing.interval' = '3 s'; SET 'table.exec.state.ttl' = '0 ms';").Settings
	if s.EpochInterval != 3*time.Second || !s.StateTTLSet || s.StateTTL != 0 {
		t.Errorf("%+v", s)
	}
	s = compiled(t, "SET 'streamd.on-error' = 'skip'; RESET 'streamd.on-error'; SET 'streamd.epoch.interval' = '3 s'; RESET;").Settings
	if s.EpochInterval != time.Second || s.OnError != "fail" {
		t.Errorf("RESET: %+v", s)
	}
	if _, ds := dsl.Compile("t.sql", "SELECT 1;", dsl.Config{Connectors: testConfig().Connectors, Set: []dsl.KV{{Key: "no.such", Value: "1"}}}); !strings.HasPrefix(ds[0].Code, "SD5") {
		t.Errorf("%v", ds)
	}
}

func TestExplainForms(t *testing.T) {
	p := compiled(t, table+"SELECT a.k, COUNT(*) FROM s a JOIN s b ON a.k = b.k GROUP BY a.k;")
	var doc struct {
		Nodes []struct {
			ID                                    int
			Op, Detail, Mode, By, State, Identity string
			Inputs                                []int
			Key                                   []string
		}
	}
	if err := json.Unmarshal(p.ExplainJSON(), &doc); err != nil {
		t.Fatal(err)
	}
	for i, n := range doc.Nodes {
		if n.ID != i+1 || n.Op == "" || n.Mode == "" || n.By == "" || n.State == "" || n.Identity == "" || n.Inputs == nil || n.Key == nil {
			t.Errorf("node %d: %+v", i, n)
		}
	}
	if dot := p.ExplainDot(); !strings.HasPrefix(dot, "digraph") || strings.Count(dot, "->") < len(doc.Nodes)-1 {
		t.Error(dot)
	}
}

// Text that is right or wrong, cut anywhere, never panics.
func TestCompileNeverPanics(t *testing.T) {
	files, _ := filepath.Glob("testdata/*/*.sql")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(string(b))
		for i := len(f) % 11; i < len(words); i += 41 {
			text := strings.Join(append(append([]string{}, words[:i]...), words[i+1:]...), " ")
			dsl.Compile("t.sql", text, testConfig())
		}
	}
}

// TestConformanceCompiles compiles the pipelines that lie beside the project.
func TestConformanceCompiles(t *testing.T) {
	dir, _ := os.Getwd()
	var files []string
	for ; dir != filepath.Dir(dir) && files == nil; dir = filepath.Dir(dir) {
		files, _ = filepath.Glob(filepath.Join(filepath.Dir(dir), "shared", "conformance", "*.case"))
	}
	if files == nil {
		t.Skip("no folder `shared` beside the project")
	}
	c := testConfig()
	c.Connectors["filesystem"] = file.Connector()
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(b), "\n#### ") {
			name, rest, _ := strings.Cut(strings.TrimPrefix(part, "#### "), "\n")
			head, sql, _ := strings.Cut(rest, "---- sql\n")
			sql, _, _ = strings.Cut(sql, "\n---- ")
			t.Run(name, func(t *testing.T) {
				_, ds := dsl.Compile(name, sql, c)
				for _, d := range ds {
					later := d.Code == ops.CodeNotYet && strings.Contains(head, "# milestone: all")
					if d.Severity == diag.Error && !later {
						t.Error(render(name, sql, []diag.Diagnostic{d}))
					}
				}
			})
		}
	}
}

// Under UntilIdle a source has an end, so nothing grows for ever; a generator without one is refused.
func TestUntilIdle(t *testing.T) {
	c := testConfig()
	c.Job.UntilIdle = true
	text := "CREATE TABLE r (k STRING) WITH ('connector' = 'mq', 'topic' = 'r'); SELECT k, COUNT(*) FROM r GROUP BY k;"
	if p, ds := dsl.Compile("t.sql", text, c); p == nil || len(ds) > 0 {
		t.Error(render("t.sql", text, ds))
	}
	text = "CREATE TABLE n (event_type INT) WITH ('connector' = 'nexmark'); SELECT event_type FROM n;"
	if p, ds := dsl.Compile("t.sql", text, c); p != nil || len(ds) != 1 || ds[0].Code != "SD5010" {
		t.Error(render("t.sql", text, ds))
	}
}
