package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

// source reads the partitions of a table's topics. Its splits are partitions, assigned by the engine; no consumer group
// takes part.
type source struct {
	t       *table
	decider connectors.Decider
	adm     *kadm.Client
	admin   *kgo.Client
	fetch   *fetcher
	wake    func()

	topics  map[string][16]byte // UUIDs of the topics, as first seen
	parts   map[string]*part    // by split id; they outlive an incarnation
	resumed bool                // positions were checked: partitions not among them are new
	moved   map[string]int64    // where on-recreate and on-data-loss say to go on
	checked map[string]*topicNow
	health  health
	group   *groupOffsets // nil: no group is told how far the job has read
}

// part is what is known of a partition since it was first listed.
type part struct {
	topic     string
	partition int32
	begin     int64    // log start when it was first listed
	end       int64    // of a bounded scan; -1 = none
	empty     bool     // it held nothing then
	first     *offsets // of the first listing: it was there when the job started; else nil
	start     int64    // where the options say to start, -1 = not resolved yet
}

func newSource(def *connectors.TableDef, upsert bool) (connectors.Source, error) {
	t, err := newTable(def, upsert)
	var errs optionErrors
	errs.merge(err)
	t.checkScan(&errs)
	if err := errs.err(); err != nil {
		return nil, err
	}
	s := &source{t: t, topics: map[string][16]byte{}, parts: map[string]*part{}, moved: map[string]int64{}, checked: map[string]*topicNow{}}
	if _, err := newRowReader(t, connectors.Want{}); err != nil { // what the formats refuse is said at plan time
		return nil, err
	}
	if t.props.group != "" && !t.props.untold {
		s.group = newGroupOffsets(t)
	}
	s.decider = sharedDecider(def, t.props.cluster, false)
	return s, nil
}

// Info implements connectors.Source.
func (s *source) Info() connectors.SourceInfo {
	info := connectors.SourceInfo{Identity: "kafka topic=" + strings.Join(s.t.opt.Topic, ";") + s.t.opt.TopicPattern, Changes: s.t.valueFormat.Changes,
		Bounded: s.t.bounded != unbounded, Live: true, Publishes: s.group != nil}
	if s.t.upsert {
		info.Identity, info.Changes = "upsert-"+info.Identity, connectors.Upserts
	}
	if !info.Bounded {
		info.DiscoverMs = s.t.opt.Discovery.Milliseconds()
	}
	return info
}

// Decider implements connectors.Deciding.
func (s *source) Decider() connectors.Decider { return s.decider }

// SetWake implements connectors.Waker.
func (s *source) SetWake(f func()) { s.wake = f }

// connect opens the client for questions; records come over another one.
func (s *source) connect() error {
	if s.adm != nil {
		return nil
	}
	cl, err := s.t.props.cluster.client()
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	s.admin, s.adm = cl, kadm.NewClient(cl)
	return nil
}

// topicDetails looks up the table's topics.
func (s *source) topicDetails(ctx context.Context) (kadm.TopicDetails, error) {
	if err := s.connect(); err != nil {
		return nil, err
	}
	if s.t.pattern != nil {
		all, err := s.adm.ListTopics(ctx)
		if err != nil {
			return nil, fmt.Errorf("list topics: %w", permanent(err))
		}
		maps.DeleteFunc(all, func(topic string, _ kadm.TopicDetail) bool {
			return !s.t.pattern.MatchString(topic) || strings.HasPrefix(topic, controlPrefix) // a job's own records are nobody's rows
		})
		return all, nil
	}
	md, err := s.adm.Metadata(ctx, s.t.opt.Topic...)
	if err != nil {
		return nil, fmt.Errorf("topics of table %s: %w", s.t.def.Name, permanent(err))
	}
	for _, topic := range s.t.opt.Topic {
		d, ok := md.Topics[topic]
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			return nil, &connectors.Permanent{Err: fmt.Errorf("table %s: topic %s does not exist on %s\ncreate it, or correct 'topic'", s.t.def.Name, topic, s.t.props.cluster.key())}
		case d.Err != nil:
			return nil, fmt.Errorf("topic %s: %w", topic, permanent(d.Err))
		}
	}
	return md.Topics, nil
}

// Splits implements connectors.Source. Partitions that appear later, or while the job was down, are read from their
// beginning whatever the start-up mode says: what is in them came after the start.
func (s *source) Splits(ctx context.Context) ([]connectors.Split, error) {
	first := len(s.parts) == 0
	if !first {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, discoverPatience)
		defer cancel()
	}
	details, err := s.topicDetails(ctx)
	if err != nil {
		return s.undisturbed(first, err)
	}
	var fresh []*part
	for _, d := range details.Sorted() {
		if old, ok := s.topics[d.Topic]; ok && old != d.ID {
			// The next incarnation begins anew with this topic, and Check applies scan.on-recreate.
			delete(s.topics, d.Topic)
			delete(s.checked, d.Topic) // of the old one, perhaps a moment ago
			maps.DeleteFunc(s.parts, func(_ string, p *part) bool { return p.topic == d.Topic })
			return nil, fmt.Errorf("topic %s was deleted and created again while it was read", d.Topic)
		}
		s.topics[d.Topic] = d.ID
		for _, p := range d.Partitions.Sorted() {
			if s.parts[splitID(d.Topic, p.Partition)] == nil {
				fresh = append(fresh, &part{topic: d.Topic, partition: p.Partition, end: -1, start: -1})
			}
		}
	}
	if err := s.resolve(ctx, fresh, first); err != nil {
		return s.undisturbed(first, err)
	}
	for _, p := range fresh {
		s.parts[splitID(p.topic, p.partition)] = p
	}
	return s.splits(), nil
}

// discoverPatience bounds a look for new partitions: the driver waits for it.
const discoverPatience = 2 * time.Second

// undisturbed keeps the partitions that are known when a later look for new ones
// fails because the brokers do not answer: reading goes on when they do.
func (s *source) undisturbed(first bool, err error) ([]connectors.Split, error) {
	var perm *connectors.Permanent
	if first || errors.As(err, &perm) {
		return nil, err
	}
	return s.splits(), nil
}

// splits lists the partitions that are known.
func (s *source) splits() []connectors.Split {
	all := slices.SortedFunc(maps.Values(s.parts), func(a, b *part) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	out := make([]connectors.Split, len(all))
	for i, p := range all {
		out[i] = connectors.Split{ID: splitID(p.topic, p.partition), Empty: p.empty}
	}
	return out
}

// resolve fills in what new partitions hold and where reading them ends.
func (s *source) resolve(ctx context.Context, fresh []*part, first bool) error {
	if len(fresh) == 0 {
		return nil
	}
	topics := map[string]bool{}
	for _, p := range fresh {
		topics[p.topic] = true
	}
	o := newOffsets(ctx, s.adm, slices.Sorted(maps.Keys(topics)))
	for _, p := range fresh {
		b, err := o.bounds(p.topic, p.partition)
		if err != nil {
			return err
		}
		p.begin, p.empty = b.start, b.start == b.end
		if first {
			p.first = o
		}
		if s.t.bounded != unbounded {
			if p.end, err = s.t.endOf(o, p.topic, p.partition); err != nil {
				return err
			}
		}
	}
	return nil
}

// Ends implements connectors.Source: the last stable offset, so that an open transaction of somebody else cannot keep a
// run from ending.
func (s *source) Ends(ctx context.Context, splits []connectors.Split) (map[string][]byte, error) {
	if err := s.connect(); err != nil {
		return nil, err
	}
	o := newOffsets(ctx, s.adm, slices.Sorted(maps.Keys(s.topics)))
	ends := map[string][]byte{}
	for _, x := range splits {
		topic, p, err := parseSplit(x.ID)
		if err != nil {
			return nil, err
		}
		b, err := o.bounds(topic, p)
		if err != nil {
			return nil, err
		}
		ends[x.ID] = position{topic: s.topics[topic], offset: b.stable, epoch: -1}.encode()
	}
	return ends, nil
}

// Open implements connectors.Source.
func (s *source) Open(ctx context.Context, split connectors.Split, from, until []byte, want connectors.Want) (connectors.Reader, error) {
	p := s.parts[split.ID]
	if p == nil {
		return nil, fmt.Errorf("%s: the partition does not exist", split.ID)
	}
	at := position{topic: s.topics[p.topic], offset: p.begin, epoch: -1}
	if from == nil && p.first != nil && !s.resumed { // a saved state wins over the start-up mode
		if err := s.resolveStart(ctx, p); err != nil {
			return nil, err
		}
		at.offset = p.start
	}
	if from != nil {
		saved, err := decodePosition(from)
		if err != nil {
			return nil, err
		}
		at.offset, at.epoch = saved.offset, saved.epoch
		if moved, ok := s.moved[split.ID]; ok {
			at.offset, at.epoch = moved, -1
		}
	}
	end := p.end
	if until != nil {
		u, err := decodePosition(until)
		if err != nil {
			return nil, err
		}
		if end < 0 || u.offset < end {
			end = u.offset
		}
	}
	rows, err := newRowReader(s.t, want)
	if err != nil {
		return nil, err
	}
	if s.fetch == nil || s.fetch.over() { // clients are not used beyond an incarnation
		s.fetch = newFetcher(s.t.props.cluster, s.admin, int(s.t.opt.MaxBufferSize), s.wake, &s.health)
	}
	buf := &buffer{topic: p.topic, partition: p.partition, split: split.ID, keep: rows.keep, next: at.offset, epoch: at.epoch, until: end}
	buf.reached = end >= 0 && at.offset >= end
	if !buf.reached {
		if err := s.fetch.add(buf); err != nil {
			return nil, err
		}
	}
	return &reader{rows: rows, fetch: s.fetch, buf: buf, at: at}, nil
}

// resolveStart applies the start-up mode, once: a restart before the first decision starts at the same offset.
func (s *source) resolveStart(ctx context.Context, p *part) (err error) {
	if p.start < 0 {
		p.first.ctx = ctx
		p.start, err = s.t.startOf(p.first, p.topic, p.partition)
		if err != nil {
			p.start = -1
		}
	}
	return err
}

// Close implements connectors.Source.
func (s *source) Close() error {
	if s.fetch != nil {
		s.fetch.close()
	}
	if s.group != nil {
		s.group.close()
	}
	if s.admin != nil {
		s.admin.Close()
		s.admin, s.adm = nil, nil
	}
	return nil
}
