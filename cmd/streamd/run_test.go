package main

import (
	"strings"
	"testing"
)

func TestJobName(t *testing.T) {
	for file, want := range map[string]string{"a.sql": "a", "/x/y/surge-pricing.sql": "surge-pricing", "my job+1.sql": "my-job-1", "plain": "plain", "a.b.sql": "a.b",
		strings.Repeat("x", 300) + ".sql": strings.Repeat("x", 180)} {
		if got := jobName(file); got != want || !nameOK.MatchString(got) {
			t.Errorf("jobName(%q) = %q, want %q", file, got, want)
		}
	}
}

// The audit finds a result that is lost, doubled or wrong, and nothing else.
func TestAudit(t *testing.T) {
	rows := func(change func(*auditor)) (lost, doubled, wrong int) {
		a := &auditor{rides: map[window]int64{}, results: map[window]int64{}}
		// Two rides in the slide that begins at second 100: 15 windows hold them.
		a.rides[window{"park", 100}] = 2
		for end := int64(102); end <= 130; end += 2 {
			a.results[window{"park", end}] = 2
			a.newest = end
		}
		change(a)
		lost, wrong = a.compare()
		return lost, a.doubled, wrong
	}
	cases := map[string]struct {
		change             func(*auditor)
		lost, doubled, bad int
	}{
		"right":      {func(*auditor) {}, 0, 0, 0},
		"lost":       {func(a *auditor) { delete(a.results, window{"park", 110}) }, 1, 0, 0},
		"wrong":      {func(a *auditor) { a.results[window{"park", 110}] = 3 }, 0, 0, 1},
		"from where": {func(a *auditor) { a.results[window{"docks", 110}] = 1 }, 0, 0, 1},
		"doubled":    {func(a *auditor) { a.add(surgeRow{Cell: "park", AsOf: "1970-01-01 00:01:50", Requests: 2}) }, 0, 1, 0},
		"not due":    {func(a *auditor) { a.rides[window{"park", 130}] = 5 }, 0, 0, 0},
	}
	for name, c := range cases {
		if lost, doubled, bad := rows(c.change); lost != c.lost || doubled != c.doubled || bad != c.bad {
			t.Errorf("%s: %d lost, %d doubled, %d wrong", name, lost, doubled, bad)
		}
	}
}
