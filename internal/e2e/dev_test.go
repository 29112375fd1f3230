package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// dev runs again at every save, says what is wrong with a text, and writes no sink.
func TestDev(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const table = "CREATE TABLE out (a INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');\n"
	write(t, dir, "a.sql", table+"INSERT INTO out VALUES (1), (2);")
	p := start(t, dir, nil, "dev", "a.sql")
	p.until("the first rows", func() bool {
		return strings.Contains(p.stdout.String(), "out> +I[1]\n") && strings.Contains(p.stdout.String(), "out> +I[2]\n")
	})
	write(t, dir, "a.sql", table+"INSERT INTO out VALUES (3);\nSELECT COUNT(*) AS n FROM (VALUES (7), (8));")
	p.until("rows of the second text", func() bool {
		return strings.Contains(p.stdout.String(), "out> +I[3]\n") && strings.Contains(p.stdout.String(), "SELECT 1> +I[2]\n")
	})
	write(t, dir, "a.sql", table+"INSERT INTO oot VALUES (4);")
	p.until("what is wrong", func() bool { return strings.Contains(p.stderr.String(), "error[SD2001]: unknown table \"oot\"") })
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a sink was written without --sinks")
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
}

// With --sinks the sinks are written, too.
func TestDevSinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.sql", "CREATE TABLE out (a INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');\nINSERT INTO out VALUES (1);")
	p := start(t, dir, nil, "dev", "--sinks", "a.sql")
	p.until("a file", func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "out", "part-*"))
		return len(files) == 1
	})
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 || !strings.Contains(p.stdout.String(), "out> +I[1]\n") {
		t.Errorf("exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
	}
	if p := streamd(t, dir, nil, "dev", "nothing.sql"); p.code != 3 {
		t.Errorf("exit code %d for a missing file", p.code)
	}
}
