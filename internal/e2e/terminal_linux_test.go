package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo terminal of this width.
func openTerminal(t *testing.T, columns uint16) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo terminals: %v", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	if theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// picture is what a terminal of this width shows, scrolled lines included, after
// these bytes: text, \r, \n and "clear to the end of the line" are all it knows.
func picture(t *testing.T, raw string, columns int) []string {
	t.Helper()
	lines, at := [][]rune{{}}, 0
	text := []rune(raw)
	for i := 0; i < len(text); i++ {
		cur := &lines[len(lines)-1]
		switch c := text[i]; {
		case c == '\r':
			at = 0
		case c == '\n':
			lines, at = append(lines, nil), 0
		case strings.HasPrefix(string(text[i:min(i+3, len(text))]), "\x1b[K"):
			*cur = (*cur)[:min(at, len(*cur))]
			i += 2
		case c < ' ':
			t.Fatalf("the terminal got %q", string(text[max(0, i-20):min(i+20, len(text))]))
		default:
			if at == columns {
				lines, at = append(lines, nil), 0
				cur = &lines[len(lines)-1]
			}
			for len(*cur) <= at {
				*cur = append(*cur, ' ')
			}
			(*cur)[at] = c
			at++
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = string(l)
	}
	return out
}

// On a terminal that is stdout and stderr, rows and log lines scroll above the
// status line, none is torn, and at the end the line is gone.
func TestStatusLine(t *testing.T) {
	const rows, columns = 3000, 80
	dir := t.TempDir()
	write(t, dir, "p.sql", `CREATE TABLE g (id BIGINT, s STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1500', 'number-of-rows' = '3000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3000', 'fields.s.length' = '20');
SELECT id, s FROM g;`)
	ours, theirs := openTerminal(t, columns)
	cmd := exec.Command(binary(t), "run", "p.sql")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, theirs, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	var got strings.Builder
	for b := make([]byte, 1<<16); ; {
		n, err := ours.Read(b)
		got.Write(b[:n])
		if err != nil {
			break // EIO: the process has closed its end
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, tail(got.String(), 20))
	}
	status := regexp.MustCompile(`running · in [0-9.]+[kM]? rows/s, out [0-9.]+[kM]? · checkpoint [0-9.]+ s ago`)
	if !status.MatchString(got.String()) {
		t.Errorf("no status line was shown:\n%q", tail(got.String(), 20))
	}
	shown, seen := picture(t, got.String(), columns), 0
	row := regexp.MustCompile(`^\+I\[\d+, [0-9a-f]{20}\]$`)
	for i, l := range shown {
		switch {
		case row.MatchString(l):
			seen++
		case l == "" && i == len(shown)-1, strings.HasPrefix(l, "note: "):
		default:
			t.Errorf("line %d is neither a row nor a note: %q", i+1, l)
		}
	}
	if seen != rows {
		t.Errorf("%d rows are whole, want %d", seen, rows)
	}
}
