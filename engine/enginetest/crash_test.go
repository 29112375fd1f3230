package enginetest

import (
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl"
)

// Under CrashEach each step dies twice: before it is decided, and after.
func TestCrashEach(t *testing.T) {
	p, ds, err := Open("p.sql", "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\nSELECT a, COUNT(*) AS n FROM t GROUP BY a;", Options{
		Connectors: []*connectors.Connector{datagen.Connector(), print.Connector()}, Rows: 1, Workers: []int{1, 2, 3}, StateDir: t.TempDir(), CrashEach: true})
	if p == nil || err != nil {
		t.Fatal(ds, err)
	}
	defer func() { _ = p.Close() }()
	f, _ := dsl.ParseTest("t", "INPUT t VALUES (1), (2), (1), (NULL);\nEXPECT `SELECT 1` VALUES (1, 2), (2, 1), (NULL, 1);")
	s := newScript(p, f)
	for _, st := range f.Stmts {
		if f, d := s.exec(st); f != nil || d != nil {
			t.Error(f, d)
		}
	}
	if p.starts != 1+2*4 {
		t.Errorf("%d starts of a job of 4 steps, want 9", p.starts)
	}
}
