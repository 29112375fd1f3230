package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/streamd/streamd/connectors"
)

// topicNow is what Check asked about a topic; the splits of one recovery share the answer.
type topicNow struct {
	asked   time.Time
	id      [16]byte
	exists  bool
	offsets *offsets
}

// Check implements connectors.Source: the topic must be the one that was read, and its log must still hold what comes next.
func (s *source) Check(ctx context.Context, split connectors.Split, pos []byte) error {
	s.resumed = true
	topic, p, err := parseSplit(split.ID)
	if err != nil {
		return err
	}
	at, err := decodePosition(pos)
	if err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	now, err := s.now(ctx, topic)
	if err != nil {
		return err
	}
	id := now.id
	if !now.exists {
		return &connectors.Permanent{Err: fmt.Errorf("table %s: topic %s, which this job has read, does not exist on %s", s.t.def.Name, topic, s.t.props.cluster.key())}
	}
	b, err := now.offsets.bounds(topic, p)
	if err != nil {
		return err
	}
	switch {
	case id != at.topic && s.t.opt.OnRecreate == "fail":
		return connectors.Refuse(connectors.CodeTopicReplaced, "set 'scan.on-recreate' to earliest or latest to read the new topic",
			"topic %s was deleted and created again after the job read it up to %s/%d", topic, split.ID, at.offset)
	case id != at.topic:
		s.goOn(split.ID, s.t.opt.OnRecreate, b, "was deleted and created again")
	case (at.offset < b.start || at.offset > b.end) && s.t.opt.OnDataLoss == "fail":
		return dataLost(split.ID, at.offset, b)
	case at.offset < b.start || at.offset > b.end:
		s.goOn(split.ID, s.t.opt.OnDataLoss, b, fmt.Sprintf("does not hold offset %d any more", at.offset))
	}
	return nil
}

// now asks about a topic, unless it was asked a moment ago.
func (s *source) now(ctx context.Context, topic string) (*topicNow, error) {
	if n := s.checked[topic]; n != nil && time.Since(n.asked) < time.Second {
		return n, nil
	}
	n := &topicNow{asked: time.Now(), offsets: newOffsets(ctx, s.adm, []string{topic})}
	t, exists, err := lookUp(ctx, s.admin, topic)
	if err != nil {
		return nil, err
	}
	n.id, n.exists = t.id, exists
	s.checked[topic] = n
	return n, nil
}

func (s *source) goOn(split, policy string, b bounds, why string) {
	s.moved[split] = b.start
	if policy == "latest" {
		s.moved[split] = b.end
	}
	s.t.def.Job.Notice(fmt.Sprintf("table %s: %s %s; going on at offset %d (%s)", s.t.def.Name, split, why, s.moved[split], policy))
}

func dataLost(split string, needed int64, b bounds) error {
	const advice = "set 'scan.on-data-loss' to earliest or latest to go on without these records"
	if needed > b.end {
		return connectors.Refuse(connectors.CodeDataLost, advice, "%s: needed offset %d, the log ends at %d", split, needed, b.end)
	}
	r := connectors.Refuse(connectors.CodeDataLost, advice, "%s: needed offset %d, the log starts at %d", split, needed, b.start)
	r.What += " BY RETENTION"
	return r
}
