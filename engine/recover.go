package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fault"
	"github.com/streamd/streamd/state"
)

// isRefused tells errors by which recovery refuses to go on: the files are left
// as they are and nothing is tried again.
func isRefused(err error) bool {
	var r *connectors.Refused
	return errors.As(err, &r)
}

// fenced is what an incarnation ends with when a newer one has claimed the job.
func fenced(ours, by connectors.Claim) error {
	return connectors.Refuse(connectors.CodeFenced, "let the newer one run; do not start two copies of one state directory",
		"a newer start of this job (incarnation %d, pid %d on %s) has taken over from incarnation %d", by.Incarnation, by.PID, by.Host, ours.Incarnation)
}

func errDrained() error {
	return connectors.Refuse(connectors.CodeDrained, "run with --at-end stop from the start, or take a fresh --state directory under a new --name",
		"an earlier run with this state sent the last watermark (--at-end drain): its windows are closed, and rows that come now would all be late")
}

// recoverDurable opens the state directory and finds the last decided epoch.
func (j *Job) recoverDurable(ctx context.Context, dec connectors.Decider) (journal, *restored, []*state.Worker, error) {
	store, err := state.Open(j.opts.StateDir, state.Options{Job: j.Name, Free: j.opts.free})
	if err != nil {
		return nil, nil, nil, err
	}
	taken := false
	defer func() {
		if !taken {
			_ = store.Close() // also when a fault of ours unwinds
		}
	}()
	claim, err := j.decide(ctx, store, dec)
	if err != nil {
		return nil, nil, nil, err
	}
	saved, last, err := restore(store.Positions())
	if err != nil {
		return nil, nil, nil, err
	}
	saved.lineage, saved.claim = store.Lineage(), claim
	saved.finished = slices.Contains(store.Finished(), drainedMark)
	saved.recovered = len(last) > 0
	mem := make([]*state.Worker, j.opts.Workers)
	for w := range mem {
		mem[w] = store.Worker(w, j.opts.Workers)
	}
	taken = true
	return &durable{store: store, last: last}, saved, mem, nil
}

// decide finds the last decided epoch: with a deciding cluster by its word, after
// older incarnations are fenced; else by the deltas alone.
func (j *Job) decide(ctx context.Context, store *state.Store, dec connectors.Decider) (connectors.Claim, error) {
	fault.Point("C1")
	if dec == nil {
		v, refused := state.DecideLocal(store.Facts())
		if refused != nil {
			return connectors.Claim{}, refused
		}
		inc, err := store.StartLocal(v)
		if err != nil {
			return connectors.Claim{}, err
		}
		return connectors.Claim{Incarnation: inc}, store.Recover(v, inc, [16]byte{})
	}
	_, m, newest, err := dec.Look(ctx)
	if err != nil {
		return connectors.Claim{}, err
	}
	if newest.Host == "" {
		newest.Incarnation = -1 // there was no claim
	}
	if !j.looked {
		j.looked, j.before = true, newest
	} else if !newest.Own && newest.Incarnation > j.before.Incarnation {
		// A start after ours, while this process was backing off, perhaps stopped: to
		// claim again would put out a healthy successor.
		return connectors.Claim{}, fenced(j.claim, newest)
	}
	adopt := j.opts.Adopt && !j.settled.Load()
	if refused := state.Look(store.Facts(), m); refused != nil && !(adopt && refused.Adoptable()) {
		return connectors.Claim{}, refused
	}
	claim, m, err := dec.Claim(ctx, store.Hint())
	if err != nil {
		return claim, overtaken(ctx, dec, newest, err)
	}
	j.claim = claim
	v, refused := state.Decide(store.Facts(), claim, m)
	switch {
	case refused == nil:
		err = store.Recover(v, claim.Incarnation, claim.TopicID)
	case adopt && refused.Adoptable():
		err = j.adopt(ctx, store, dec, claim, m, refused)
	default:
		return claim, refused
	}
	if err == nil {
		j.settled.Store(true)
	}
	return claim, err
}

// adopt begins a new lineage where recovery refused: first in the directory, then
// on the deciding cluster. A process that dies between the two leaves a directory
// that is refused as FOREIGN STATE and can be adopted again.
func (j *Job) adopt(ctx context.Context, store *state.Store, dec connectors.Decider, claim connectors.Claim, m connectors.Marker, refused *state.Refused) error {
	v, no := state.Adopt(store.Facts(), claim, m)
	if no != nil {
		return no
	}
	if err := store.Recover(v, claim.Incarnation, claim.TopicID); err != nil {
		return err
	}
	fault.Point("adopted")
	if _, err := dec.Decide(ctx, store.Adoption()); err != nil {
		return fmt.Errorf("mark the new lineage: %w", err)
	}
	j.notice(store.MayRepeat(refused, m))
	return nil
}

// overtaken finds out why a claim failed: another start that has claimed since we
// looked makes this one FENCED. A process that was stopped between its look and
// its claim would else wake up, claim again and fence its successor. A claim of
// this very process, whose commit we did not hear of, is no other start.
func overtaken(ctx context.Context, dec connectors.Decider, seen connectors.Claim, err error) error {
	by, found, e := dec.Newer(ctx, seen)
	if e == nil && found && !by.Own {
		return fenced(seen, by)
	}
	return err
}

// loaded runs once the workers' tables are filled: it compares what is stored with
// what the plan keeps and lets the store apply in the background.
func (d *durable) loaded(inc *incarnation) error {
	for _, m := range inc.mem {
		if err := m.Err(); err != nil {
			return err
		}
	}
	now := inc.texts()
	old := d.store.Texts()
	if inc.saved.recovered {
		if err := compare(old, now); err != nil {
			return err
		}
	}
	if !slices.Equal(old, now) {
		d.texts = now
	}
	d.store.Loaded()
	return nil
}

// texts lists everything of the plan that is kept: tables of operators, and scans
// for their positions.
func (inc *incarnation) texts() []state.Text {
	by := map[string]string{}
	for _, x := range inc.graph.nodes {
		by[x.node.Base().Ident] = strings.TrimSpace(x.node.Op() + " " + x.node.Detail())
	}
	var out []state.Text
	for _, t := range inc.mem[0].Tables() {
		if !t.Spec.Scratch {
			out = append(out, state.Text{Op: t.Spec.Op, Layout: t.Spec.Layout, Version: t.Spec.Version, Text: by[t.Spec.Op]})
		}
	}
	for _, x := range inc.graph.scans {
		id := x.node.Base().Ident
		out = append(out, state.Text{Op: id, Layout: scanLayout, Text: by[id]})
	}
	slices.SortFunc(out, func(a, b state.Text) int {
		return cmp.Or(strings.Compare(a.Op, b.Op), strings.Compare(a.Layout, b.Layout))
	})
	return slices.Compact(out)
}

// scanLayout stands for a scan's positions in the list of what is kept.
const scanLayout = "positions"

// compare refuses a changed pipeline unless everything stored is still kept and
// what is new keeps nothing.
func compare(old, now []state.Text) error {
	key := func(t state.Text) string { return fmt.Sprintf("%s/%s/%d", t.Op, t.Layout, t.Version) }
	was, is := map[string]bool{}, map[string]bool{}
	for _, t := range old {
		was[key(t)] = true
	}
	for _, t := range now {
		is[key(t)] = true
	}
	var list []string
	bad := false
	add := func(what string, t state.Text) {
		line := what + " " + t.Text + " (" + t.Layout + ")"
		if !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	for _, t := range old {
		if is[key(t)] {
			add("kept", t)
		} else {
			bad = true
			add("lost", t)
		}
	}
	for _, t := range now {
		if !was[key(t)] {
			bad = bad || t.Layout != scanLayout
			add("new", t)
		}
	}
	if !bad {
		return nil
	}
	return connectors.Refuse(connectors.CodeOtherPipeline, "run the text that wrote the state, or take a fresh --state directory under a new --name",
		"the pipeline has changed: %s", strings.Join(list, "; "))
}

// followers names the sinks that are told of epochs after the decision, by sink;
// "" where a sink is none.
func (inc *incarnation) followers() []string {
	seen := map[string]int{}
	out := make([]string, len(inc.sinks))
	for i, s := range inc.sinks {
		if s.info.Follower == nil {
			continue
		}
		name := s.info.Identity
		if seen[name]++; seen[name] > 1 {
			name += fmt.Sprintf("#%d", seen[name])
		}
		out[i] = name
	}
	return out
}

// catchUp delivers what followers lack of decided epochs, in order, and then
// removes what older incarnations staged for nobody.
func (d *durable) catchUp(ctx context.Context, inc *incarnation, names []string) error {
	var own []string
	for _, n := range names {
		if n != "" {
			own = append(own, n)
		}
	}
	if err := d.store.Followers(own...); err != nil {
		return err
	}
	owed, err := d.store.Owed()
	if err != nil {
		return err
	}
	if len(owed) > 0 {
		return connectors.Refuse(connectors.CodeOtherPipeline, "run the text that wrote the state once more, and change it then",
			"the pipeline does not write %s any more, which lacks rows of decided epochs", strings.Join(owed, ", "))
	}
	for i, n := range names {
		if n == "" {
			continue
		}
		f := inc.sinks[i].info.Follower
		for _, delta := range d.store.Undelivered(n) {
			var staged []byte
			if err := delta.Outbox(n, func(rec []byte) error { staged = append(staged, rec...); return nil }); err != nil {
				return err
			}
			if err := f.Deliver(ctx, delta.ID, staged); err != nil {
				return fmt.Errorf("%s: %w", inc.sinks[i].name, err)
			}
			if err := d.store.Delivered(n, delta.ID); err != nil {
				return err
			}
		}
	}
	// Not before all have delivered: followers may share a directory, and what one
	// of them has yet to deliver is not another's to remove.
	for i, n := range names {
		if n == "" {
			continue
		}
		if err := inc.sinks[i].info.Follower.Sweep(ctx, d.store.Lineage(), d.store.Incarnation()); err != nil {
			return err
		}
	}
	fault.Point("C5")
	return nil
}
