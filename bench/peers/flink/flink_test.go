package flink_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/streamd/streamd/bench/peers/flink"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if c, err := start(); started && err == nil {
		_ = c.Close()
	}
	os.Exit(code)
}

var (
	started bool // somebody has called start before TestMain does
	// Tests run each pipeline once: the compiler that makes fast code would cost more than it saves.
	start = sync.OnceValues(func() (*flink.Cluster, error) { return flink.Start("-XX:TieredStopAtLevel=1") })
)

// cluster returns the one Flink of all tests. Where there is none the test is skipped with the reason.
func cluster(t *testing.T) *flink.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("a Flink takes half a minute")
	}
	started = true
	c, err := start()
	switch {
	case err == nil:
	case os.Getenv("STREAMD_TEST_REQUIRE") == "all":
		t.Fatal(err)
	case errors.Is(err, flink.ErrMissing):
		t.Skip("no Flink: ", err)
	default:
		t.Skip("no Flink can be had: ", err)
	}
	return c
}

// What Flink cannot run is an error, and the next pipeline runs.
func TestErrors(t *testing.T) {
	c := cluster(t)
	if _, err := c.Run(&flink.Pipeline{Set: map[string]string{}, Statements: []string{"CREATE TABLE"}}); err == nil {
		t.Error("CREATE TABLE without a name: no error")
	}
	p := &flink.Pipeline{Set: map[string]string{}, Statements: []string{"CREATE TABLE t (a INT) WITH ('connector' = 'collect')", "INSERT INTO t VALUES (1), (2)"}}
	tables, err := c.Run(p)
	if err != nil || len(tables["t"].Rows) != 2 {
		t.Errorf("%v, %v", tables, err)
	}
}

// What docs/sql/deviations.md says that Flink refuses and streamd takes.
func TestRefusedByFlink(t *testing.T) {
	c := cluster(t)
	to := "CREATE TABLE o (a INT) WITH ('connector' = 'collect')"
	for why, list := range map[string][]string{
		"free":      {"CREATE TABLE t (free INT) WITH ('connector' = 'collect')", "INSERT INTO t VALUES (1)"},
		"precision": {to, "INSERT INTO o SELECT 1 FROM (VALUES (TIMESTAMP '2026-01-01 00:00:00')) AS v (ts) WHERE ts > ts - INTERVAL '3600' SECOND"},
		"integral multiple": {"CREATE TABLE r (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'script', 'path' = 'none')", to,
			"INSERT INTO o SELECT 1 FROM TABLE(HOP(TABLE r, DESCRIPTOR(ts), INTERVAL '4' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end"},
		"upsert key": {"CREATE TABLE l (k INT, v INT) WITH ('connector' = 'script', 'path' = 'none')",
			"CREATE TABLE r (v INT, PRIMARY KEY (v) NOT ENFORCED) WITH ('connector' = 'script', 'path' = 'none', 'changes' = 'upsert')",
			"CREATE TABLE o (k INT, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'collect', 'changes' = 'upsert')",
			"INSERT INTO o SELECT k, r.v FROM (SELECT k, MAX(v) AS v FROM l GROUP BY k) AS m LEFT JOIN r ON m.v = r.v"},
	} {
		if _, err := c.Run(&flink.Pipeline{Set: map[string]string{}, Statements: list}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// Version is the one that is fetched.
func TestVersion(t *testing.T) {
	if pom := read(t, "pom.xml"); !strings.Contains(pom, "<flink.version>"+flink.Version+"</flink.version>") {
		t.Errorf("pom.xml has not version %s", flink.Version)
	}
}
