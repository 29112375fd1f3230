package e2e

import (
	"path/filepath"
	"slices"
	"testing"
)

// twoTables write one directory, by two paths.
const twoTables = `
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '10');
CREATE TABLE a (id BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
CREATE TABLE b (id BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = './x/../out', 'format' = 'json');
INSERT INTO a SELECT id, id * 2 FROM g;
INSERT INTO b SELECT id + 10, id * 2 + 20 FROM g;
`

// TestFollowersCatchUpTogether kills a run that has decided an epoch and delivered
// it to none of its tables, and to one of them.
func TestFollowersCatchUpTogether(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"C12:2", "C14:1", "C14:2"} {
		dir := t.TempDir()
		write(t, dir, "x/keep", "")
		file := write(t, dir, "two.sql", twoTables)
		if p := streamd(t, dir, []string{"STREAMD_FAULT=" + point}, "run", file, "--state", "st"); p.code != -1 {
			t.Fatalf("%s: exit code %d\n%s", point, p.code, p.stderr.String())
		}
		if p := streamd(t, dir, nil, "run", file, "--state", "st"); p.code != 0 {
			t.Fatalf("%s: exit code %d\n%s", point, p.code, p.stderr.String())
		}
		got := ids(t, filepath.Join(dir, "out"))
		slices.Sort(got)
		var want []int64
		for i := range int64(20) {
			want = append(want, i+1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: rows %v, want %v", point, got, want)
		}
	}
}

// TestFollowerThatIsOwedRows takes a table out of a pipeline whose decided rows it
// has not got yet.
func TestFollowerThatIsOwedRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "x/keep", "")
	file := write(t, dir, "two.sql", twoTables)
	if p := streamd(t, dir, []string{"STREAMD_FAULT=C14:1"}, "run", file, "--state", "st", "--name", "j"); p.code != -1 {
		t.Fatalf("exit code %d\n%s", p.code, p.stderr.String())
	}
	other := write(t, dir, "other.sql", `
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '10');
CREATE TABLE a (id BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'elsewhere', 'format' = 'json');
INSERT INTO a SELECT id, id * 2 FROM g;
`)
	p := streamd(t, dir, nil, "run", other, "--state", "st", "--name", "j")
	if p.code != 4 {
		t.Errorf("exit code %d, want 4", p.code)
	}
	p.says("STATE OF ANOTHER PIPELINE", "filesystem/out")
	if p := streamd(t, dir, nil, "run", file, "--state", "st", "--name", "j"); p.code != 0 {
		t.Errorf("exit code %d\n%s", p.code, p.stderr.String())
	}
	if got := ids(t, filepath.Join(dir, "out")); len(got) != 20 {
		t.Errorf("%d rows, want 20", len(got))
	}
	if p := streamd(t, dir, nil, "run", other, "--state", "st", "--name", "j"); p.code != 0 {
		t.Errorf("exit code %d once the rows are delivered\n%s", p.code, p.stderr.String())
	}
}
