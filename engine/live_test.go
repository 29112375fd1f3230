package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/engine/simtest"
	"github.com/streamd/streamd/operators"
)

// cluster is a deciding cluster that knows of one claim, by somebody else, after
// this job's.
type cluster struct {
	looked, claimed, renewed int
	newer                    bool
	own                      bool // it is this process that claimed
	later                    bool // somebody claims after the first look
	deny                     error
}

func (c *cluster) Look(context.Context) (id [16]byte, m connectors.Marker, newest connectors.Claim, err error) {
	c.looked++
	if c.looked > 1 && c.later {
		newest = connectors.Claim{Incarnation: 98, Host: "elsewhere", PID: 1}
	}
	return
}

func (c *cluster) Claim(context.Context, int64) (connectors.Claim, connectors.Marker, error) {
	c.claimed++
	return connectors.Claim{Incarnation: int64(c.claimed)}, connectors.Marker{}, c.deny
}

func (c *cluster) Decide(context.Context, connectors.Marker) (int64, error) { return 0, nil }

func (c *cluster) Newer(_ context.Context, x connectors.Claim) (connectors.Claim, bool, error) {
	return connectors.Claim{Incarnation: 99, Host: "elsewhere", PID: 1, Own: c.own}, c.newer, nil
}

func (c *cluster) Renew() error { c.renewed++; return nil }
func (c *cluster) Close() error { return nil }

// shut is a sink of that cluster that opens at the n-th attempt.
type shut struct {
	connectors.Sink
	c     *cluster
	opens int
}

func (s *shut) Info() connectors.SinkInfo {
	i := s.Sink.Info()
	i.Decider, i.Follower = s.c, nil
	return i
}

func (s *shut) Open(ctx context.Context) error {
	if s.opens--; s.opens > 0 {
		return errors.New("no broker")
	}
	return s.Sink.Open(ctx)
}

// runOn runs a pipeline whose sink belongs to c.
func runOn(t *testing.T, c *cluster, opens int) error {
	t.Helper()
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]*simtest.Table{"a": {Name: "a"}}
	p := handBuilt(t, simtest.NewWorld(tables), "a")
	spec := &p.Sinks[0].(*operators.SinkNode).Spec
	spec.Sink = &shut{spec.Sink, c, opens}
	p.Settings.StartTimeout = 60e9
	j, err := e.Start(t.Context(), "job", p, JobOptions{Workers: 1, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return j.Wait(t.Context())
}

// TestLooksAfterAnyError: a fault between the claim and the first step may be that
// of a process that slept while a successor claimed. It must not claim again, or
// it would put out its successor.
func TestLooksAfterAnyError(t *testing.T) {
	c := &cluster{newer: true}
	err := runOn(t, c, 2)
	if err == nil || !isRefused(err) || !strings.Contains(err.Error(), "FENCED") {
		t.Errorf("ended with %v, want FENCED", err)
	}
	if c.claimed != 1 {
		t.Errorf("claimed %d times", c.claimed)
	}
}

// TestLooksBeforeItClaimsAgain: a successor may claim while this process backs off.
func TestLooksBeforeItClaimsAgain(t *testing.T) {
	c := &cluster{later: true}
	err := runOn(t, c, 2)
	if err == nil || !strings.Contains(err.Error(), "FENCED") || c.claimed != 1 {
		t.Errorf("ended with %v after %d claims, want FENCED after 1", err, c.claimed)
	}
}

// TestRecoversWithNewClients: after such a fault the next incarnation begins with
// clients of its own.
func TestRecoversWithNewClients(t *testing.T) {
	c := &cluster{}
	if err := runOn(t, c, 3); err != nil {
		t.Fatal(err)
	}
	if c.claimed != 3 || c.renewed < 2 {
		t.Errorf("claimed %d times, renewed %d times", c.claimed, c.renewed)
	}
}

// TestClaimThatFails: another start's claim makes this one FENCED, its own, whose
// commit it did not hear of, does not.
func TestClaimThatFails(t *testing.T) {
	for _, own := range []bool{false, true} {
		c := &cluster{newer: true, own: own, deny: &connectors.Permanent{Err: errors.New("not heard of")}}
		err := runOn(t, c, 0)
		if got := isRefused(err); got == own || err == nil {
			t.Errorf("own %v: %v", own, err)
		}
	}
}
