package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var resumed = regexp.MustCompile(`resumed: (\d+) results checked against (\d+) rides: (\d+) lost, (\d+) doubled, (\d+) wrong`)

// The demo shows results within ten seconds, survives kill -9, goes on and says
// that every result it had written is right.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	began := time.Now()
	p := start(t, dir, nil, "demo", "--state", "st")
	p.until("the first result", func() bool { return strings.Count(p.stdout.String(), "\n") > 0 })
	first := time.Since(began)
	if first > 10*time.Second {
		t.Errorf("the first result took %s", first)
	}
	p.until("results of three windows", func() bool { return len(ends(t, p.stdout.String())) >= 3 })
	for _, want := range []string{"demo broker", "127.0.0.1:", "surge-pricing.sql"} {
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("stderr says nothing of %q:\n%s", want, p.stderr.String())
		}
	}
	for n := range 2 {
		p.signal(syscall.SIGKILL)
		p.wait()
		p = start(t, dir, nil, "demo", "--state", "st")
		p.until("it goes on", func() bool { return len(ends(t, p.stdout.String())) >= 2 })
		m := resumed.FindStringSubmatch(p.stderr.String())
		if m == nil || m[1] == "0" || m[3]+m[4]+m[5] != "000" {
			t.Fatalf("after kill %d: %q\n%s", n+1, m, p.stderr.String())
		}
		t.Log(m[0])
	}
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	t.Logf("first result after %s", first.Round(10*time.Millisecond))
}

// ends returns the distinct window ends of printed results.
func ends(t *testing.T, out string) map[string]int {
	m := map[string]int{}
	lines := strings.Split(out, "\n")
	for _, l := range lines[:len(lines)-1] {
		var r struct {
			Cell       string
			AsOf       string `json:"as_of"`
			Requests   int64
			Multiplier float64
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Cell == "" || r.AsOf == "" || r.Requests < 1 || r.Multiplier < 1 {
			t.Fatalf("not a result: %q %v", l, err)
		}
		m[r.AsOf]++
	}
	return m
}
