package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
)

// Claim fences older incarnations, writes the claim and reads the last marker before it. A job without state has nobody
// to fence: it only makes sure that the cluster lets it produce.
func (d *Decider) Claim(ctx context.Context, hint int64) (connectors.Claim, connectors.Marker, error) {
	fail := func(err error) (connectors.Claim, connectors.Marker, error) {
		return connectors.Claim{}, connectors.Marker{}, err
	}
	s, err := d.session()
	if err != nil {
		return fail(err)
	}
	var id [16]byte
	if !d.cfg.Ephemeral {
		if id, err = ensureControl(ctx, s.cl, d.topic, d.cfg.Notice); err != nil {
			return fail(err)
		}
	}
	// Here older incarnations lose their right to produce and what they left open is aborted.
	if _, _, err := s.cl.ProducerID(ctx); err != nil {
		return fail(s.fail(fmt.Errorf("init the producer of transactional id %s: %w", s.id, err)))
	}
	if d.cfg.Ephemeral {
		return connectors.Claim{}, connectors.Marker{}, nil
	}
	fault.Point("C2")
	claim, mine, err := d.writeClaim(ctx, s)
	if err != nil {
		s.abort()
		return fail(err)
	}
	claim.TopicID = id
	m, err := d.lastMarker(ctx, s.cl, claim, mine, hint)
	if err != nil {
		return fail(s.fail(err))
	}
	s.claim.Store(claim.Incarnation)
	return claim, m, nil
}

func (d *Decider) writeClaim(ctx context.Context, s *session) (c connectors.Claim, mine string, err error) {
	c.Host, _ = os.Hostname()
	c.PID = os.Getpid()
	j := claimJSON{Nonce: d.name + nonce(), Host: c.Host, PID: c.PID, Time: time.Now().UTC().Format(time.RFC3339)}
	value, err := json.Marshal(j)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if c.Incarnation, err = s.control(ctx, d.topic, d.cfg.Job+claimSuffix, value); err != nil {
		return c, "", err
	}
	fault.Point("C3")
	if err := s.commit(ctx); err != nil {
		return c, "", fmt.Errorf("claim: %w", err)
	}
	return c, j.Nonce, nil
}

// lastMarker reads up to our own claim, which a real broker shows only some time after it answered the commit.
//
// Waiting for the own claim alone would hang: a successor may have claimed already, and compaction removed ours. We have
// written nothing after our claim, so any record beyond it is a successor's.
func (d *Decider) lastMarker(ctx context.Context, cl *kgo.Client, c connectors.Claim, mine string, hint int64) (connectors.Marker, error) {
	read := func(from int64) (connectors.Marker, error) {
		var last connectors.Marker
		seen := false
		s, err := readControl(ctx, cl, d.topic, d.cfg.Job, from, func(s *controlState, _, _ int64) bool {
			if !seen {
				last = s.marker
			}
			seen = seen || s.nonce == mine
			return seen || s.last > c.Incarnation
		})
		if err != nil {
			return last, err
		}
		if s.last > c.Incarnation {
			return last, connectors.FencedBy(s.claim)
		}
		return last, nil
	}
	if hint > c.Incarnation { // of a topic that is no more: our claim stands before it
		hint = 0
	}
	m, err := read(hint)
	if err == nil && m.IsZero() && hint > 0 {
		return read(0) // the hint was of no use; conclude nothing before all is read
	}
	return m, err
}

// Look reads, without a transaction, what the control topic shows now. A marker that was committed a moment ago may not
// be visible yet.
func (d *Decider) Look(ctx context.Context) (id [16]byte, m connectors.Marker, newest connectors.Claim, err error) {
	d.ready()
	cl, err := d.cfg.Cluster.client()
	if err != nil {
		return id, m, newest, err
	}
	defer cl.Close()
	t, ok, err := lookUp(ctx, cl, d.topic)
	if err != nil || !ok {
		return id, m, newest, err
	}
	id = t.id
	s, err := readControl(ctx, cl, d.topic, d.cfg.Job, 0, func(_ *controlState, next, stable int64) bool { return next >= stable })
	if err != nil {
		return id, m, newest, err
	}
	if newest = s.claim; newest != (connectors.Claim{}) {
		newest.TopicID = id
		newest.Own = strings.HasPrefix(s.nonce, d.name)
	}
	return id, s.marker, newest, nil
}

// newerFor is how long Newer waits for a successor's claim to become visible.
const newerFor = 1200 * time.Millisecond

// Newer looks for a claim later than c. Error codes cannot tell who is fenced: a mere transaction timeout gives the same.
func (d *Decider) Newer(ctx context.Context, c connectors.Claim) (connectors.Claim, bool, error) {
	d.ready()
	cl, err := d.cfg.Cluster.client()
	if err != nil {
		return connectors.Claim{}, false, err
	}
	defer cl.Close()
	end := time.Now().Add(newerFor)
	newer := func(s *controlState) bool {
		return s.claim != (connectors.Claim{}) && s.claim.Incarnation > c.Incarnation
	}
	s, err := readControl(ctx, cl, d.topic, d.cfg.Job, c.Incarnation+1, func(s *controlState, _, _ int64) bool {
		return newer(s) || time.Now().After(end)
	})
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return connectors.Claim{}, false, nil // recovery says what happened to the control topic
	}
	if err != nil || !newer(&s) {
		return connectors.Claim{}, false, err
	}
	s.claim.TopicID = c.TopicID
	s.claim.Own = strings.HasPrefix(s.nonce, d.name)
	return s.claim, true, nil
}
