package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/streamd/streamd/connectors"
)

// bounds are the offsets of one partition at one moment.
type bounds struct {
	start  int64 // log start
	stable int64 // last stable offset
	end    int64 // high watermark
}

// offsets answers questions about partitions of some topics, with one request a kind.
type offsets struct {
	ctx    context.Context
	adm    *kadm.Client
	topics []string
	lists  map[string]kadm.ListedOffsets
	group  kadm.OffsetResponses
}

func newOffsets(ctx context.Context, adm *kadm.Client, topics []string) *offsets {
	return &offsets{ctx: ctx, adm: adm, topics: topics, lists: map[string]kadm.ListedOffsets{}}
}

// list returns one kind of offset, asked for once under its name.
func (o *offsets) list(name string, ask func(context.Context, ...string) (kadm.ListedOffsets, error), topic string, partition int32) (int64, error) {
	l, ok := o.lists[name]
	if !ok {
		var err error
		if l, err = ask(o.ctx, o.topics...); err != nil {
			return 0, fmt.Errorf("%s: %w", name, permanent(err))
		}
		o.lists[name] = l
	}
	x, ok := l.Lookup(topic, partition)
	if !ok {
		return 0, fmt.Errorf("%s of %s: the partition is not known yet", name, splitID(topic, partition))
	}
	if x.Err != nil {
		return 0, fmt.Errorf("%s of %s: %w", name, splitID(topic, partition), permanent(x.Err))
	}
	return x.Offset, nil
}

func (o *offsets) bounds(topic string, partition int32) (b bounds, err error) {
	if b.start, err = o.list("log start", o.adm.ListStartOffsets, topic, partition); err != nil {
		return b, err
	}
	if b.stable, err = o.list("last stable offset", o.adm.ListCommittedOffsets, topic, partition); err != nil {
		return b, err
	}
	b.end, err = o.list("log end", o.adm.ListEndOffsets, topic, partition)
	return b, err
}

// after is the first offset at or after a time, or the end.
func (o *offsets) after(millis int64, topic string, partition int32) (int64, error) {
	ask := func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return o.adm.ListOffsetsAfterMilli(ctx, millis, topics...)
	}
	return o.list(fmt.Sprintf("offset at time %d", millis), ask, topic, partition)
}

// committed is a group's committed offset; ok is false when it has none.
func (o *offsets) committed(group, topic string, partition int32) (at int64, ok bool, err error) {
	if o.group == nil {
		o.group, err = o.adm.FetchOffsets(o.ctx, group)
		if errors.Is(err, kerr.GroupIDNotFound) {
			o.group, err = kadm.OffsetResponses{}, nil
		}
		if err != nil {
			return 0, false, fmt.Errorf("offsets of group %s: %w", group, permanent(err))
		}
	}
	x, ok := o.group.Lookup(topic, partition)
	if !ok || errors.Is(x.Err, kerr.UnknownTopicOrPartition) || errors.Is(x.Err, kerr.GroupIDNotFound) {
		return 0, false, nil
	}
	if x.Err != nil {
		return 0, false, fmt.Errorf("offset of group %s in %s: %w", group, splitID(topic, partition), permanent(x.Err))
	}
	return x.At, x.At >= 0, nil
}

// startOf resolves where to start reading a partition that was there when the job first started.
func (t *table) startOf(o *offsets, topic string, partition int32) (int64, error) {
	b, err := o.bounds(topic, partition)
	if err != nil {
		return 0, err
	}
	switch t.startup {
	case earliest:
		return b.start, nil
	case latest:
		return b.end, nil
	case timestamp:
		return o.after(t.startTime, topic, partition)
	case specific:
		if at, ok := t.startAt[partition]; ok {
			if at < b.start || at > b.end {
				return 0, &connectors.Permanent{Err: fmt.Errorf("scan.startup.specific-offsets: %s holds offsets %d to %d, not %d", splitID(topic, partition), b.start, b.end, at)}
			}
			return at, nil
		}
		return b.start, nil
	}
	if t.props.group != "" {
		at, ok, err := o.committed(t.props.group, topic, partition)
		if err != nil {
			return 0, err
		}
		if ok && at >= b.start && at <= b.end {
			return at, nil
		}
	}
	switch t.props.reset {
	case "earliest":
		return b.start, nil
	case "latest":
		return b.end, nil
	}
	return 0, &connectors.Permanent{Err: fmt.Errorf("group %s has no offset for %s that the log still holds; set 'scan.startup.mode' = 'earliest-offset' or 'latest-offset', or 'properties.auto.offset.reset'",
		t.props.group, splitID(topic, partition))}
}

// endOf resolves where a bounded scan of a partition ends.
func (t *table) endOf(o *offsets, topic string, partition int32) (int64, error) {
	switch t.bounded {
	case latest:
		b, err := o.bounds(topic, partition)
		return b.stable, err
	case timestamp:
		return o.after(t.endTime, topic, partition)
	case specific:
		if at, ok := t.endAt[partition]; ok {
			return at, nil
		}
		return 0, &connectors.Permanent{Err: fmt.Errorf("scan.bounded.specific-offsets names no end for %s", splitID(topic, partition))}
	}
	at, ok, err := o.committed(t.props.group, topic, partition)
	if err == nil && !ok {
		err = &connectors.Permanent{Err: fmt.Errorf("group %s has no offset for %s, where scan.bounded.mode says to end", t.props.group, splitID(topic, partition))}
	}
	return at, err
}
