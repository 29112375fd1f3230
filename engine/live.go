package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/state"
)

// restored is what recovery hands to an incarnation.
type restored struct {
	tables    map[string]operators.WM
	splits    map[[2]string]splitPosition
	finished  bool // the state was drained
	recovered bool // an epoch was decided before
	lineage   [16]byte
	claim     connectors.Claim
}

// position returns where a split goes on.
func (r *restored) position(t *tableSource, split string) (splitPosition, bool) {
	p, ok := r.splits[[2]string{t.node.node.Base().Ident, split}]
	return p, ok
}

// splitsOf returns the ids of a table's splits that have a position, in order.
func (r *restored) splitsOf(t *tableSource) (ids []string) {
	for k := range r.splits {
		if k[0] == t.node.node.Base().Ident {
			ids = append(ids, k[1])
		}
	}
	slices.Sort(ids)
	return ids
}

// tableWM returns a scan's saved watermark.
func (r *restored) tableWM(x *gnode) operators.WM {
	if wm, ok := r.tables[x.node.Base().Ident]; ok {
		return wm
	}
	return operators.WMStart
}

// live is one incarnation: recover, build, run, close.
func (j *Job) live(ctx context.Context) (e end, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	if j.plan.Job != nil {
		j.plan.Job.Stop = !j.drains()
	}
	dec, err := j.decider()
	if err != nil {
		return 0, err
	}
	log, saved, mem, err := j.recover(ctx, dec)
	if err != nil {
		return 0, j.look(dec, nil, j.atDecider(dec, err))
	}
	defer func() { err = errors.Join(err, log.close()) }()
	inc, err := newIncarnation(j, j.plan.Sinks, saved)
	if err != nil {
		return 0, j.look(dec, &saved.claim, err)
	}
	inc.mem = mem
	defer inc.close()
	if err := inc.open(ctx, log); err != nil {
		return 0, j.look(dec, &saved.claim, err)
	}
	inc.com = newCommitter(ctx, inc, log, dec, j.opts.Pace != nil || j.opts.StateDir == "" && !durableSinks(inc))
	defer inc.com.close()
	if saved.recovered {
		_, places := inc.places() // the last run may have ended before it could publish them
		inc.publish(places)
	} else {
		// Where reading starts is decided even if nothing comes: a later run must
		// not take what comes meanwhile for older than its start.
		inc.com.stepped(j.clock().UnixMicro(), j.opts.StateDir != "", false)
	}
	j.become(Running, "")
	j.ready.Store(true)
	j.ran.Store(true)
	e, err = inc.run(ctx)
	return e, j.look(dec, &saved.claim, j.atDecider(dec, err))
}

// open makes everything ready to run: sinks, workers over their state, what
// followers lack, and sources.
func (inc *incarnation) open(ctx context.Context, log journal) error {
	for _, s := range inc.sinks {
		if l, ok := s.sink.(connectors.Lineaged); ok {
			l.SetLineage(inc.saved.lineage)
		}
		if err := s.sink.Open(ctx); err != nil {
			return &TableError{At: s.at, Err: fmt.Errorf("open %s: %w", s.name, err)}
		}
	}
	if err := inc.build(); err != nil {
		return err
	}
	inc.names = inc.followers()
	if d, ok := log.(*durable); ok {
		if err := d.loaded(inc); err != nil {
			return err
		}
		if err := d.catchUp(ctx, inc, inc.names); err != nil {
			return err
		}
	}
	if err := inc.openSplits(ctx); err != nil {
		return err
	}
	return inc.resumeFinished()
}

// durableSinks tells whether some sink needs epochs: without a state directory
// and without such a sink every step is decided.
func durableSinks(inc *incarnation) bool {
	for _, s := range inc.sinks {
		if s.info.Durable {
			return true
		}
	}
	return false
}

// decider returns the job's deciding cluster: the first Kafka sink's, else the
// first source's, else none.
func (j *Job) decider() (connectors.Decider, error) {
	var d connectors.Decider
	for _, s := range j.plan.outputs() {
		x := s.Info().Decider
		switch {
		case x == nil || x == d:
		case d == nil:
			d = x
		default:
			return nil, &operators.PlanError{Code: operators.CodeNotYet, Msg: "sinks on two Kafka clusters are not supported yet", Hint: "write to topics of one cluster, or run two pipelines"}
		}
	}
	if d != nil || j.opts.StateDir == "" {
		return d, nil
	}
	for _, s := range j.plan.Sources() {
		if x, ok := s.Spec.Source.(connectors.Deciding); ok {
			return x.Decider(), nil
		}
	}
	return nil, nil
}

// atDecider gives an error of the deciding cluster the place of a table that uses
// it: of the first, or of the only one that writes where a record was refused. A
// refusal has none: it is about the state.
func (j *Job) atDecider(dec connectors.Decider, err error) error {
	var access *connectors.Access
	var perm *connectors.Permanent
	var placed *TableError
	login := errors.As(err, &access)
	if dec == nil || isRefused(err) || errors.As(err, &placed) || !login && !errors.As(err, &perm) {
		return err
	}
	var users []*TableError
	seen := map[connectors.Sink]bool{}
	for _, s := range j.plan.Sinks {
		if spec := s.(*operators.SinkNode).Spec; spec.Sink.Info().Decider == dec && !seen[spec.Sink] {
			seen[spec.Sink] = true
			users = append(users, &TableError{At: spec.Span, Err: fmt.Errorf("table %q: %w", spec.Table, err)})
		}
	}
	for _, s := range j.plan.Sources() {
		if x, ok := s.Spec.Source.(connectors.Deciding); ok && login && x.Decider() == dec {
			users = append(users, &TableError{At: s.Spec.Span, Err: fmt.Errorf("table %q: %w", s.Spec.Table, err)})
		}
	}
	if len(users) == 0 || !login && len(users) > 1 {
		return err
	}
	return users[0]
}

// recover finds the state to go on from.
func (j *Job) recover(ctx context.Context, dec connectors.Decider) (journal, *restored, []*state.Worker, error) {
	if j.opts.StateDir != "" {
		return j.recoverDurable(ctx, dec)
	}
	saved := &restored{claim: connectors.Claim{Incarnation: 1}}
	if _, err := rand.Read(saved.lineage[:]); err != nil {
		return nil, nil, nil, err
	}
	mem := make([]*state.Worker, j.opts.Workers)
	for w := range mem {
		mem[w] = state.NewMem(w, j.opts.Workers)
	}
	if dec != nil {
		if _, _, err := dec.Claim(ctx, 0); err != nil {
			return nil, nil, nil, err
		}
	}
	return &ephemeral{}, saved, mem, nil
}

// look finds out, after any error, whether a newer incarnation has fenced this
// one: error codes do not tell.
func (j *Job) look(dec connectors.Decider, c *connectors.Claim, err error) error {
	if err == nil || dec == nil || isRefused(err) || j.killed() {
		return err
	}
	if c != nil && j.opts.StateDir != "" {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		if by, found, e := dec.Newer(ctx, *c); e == nil && found {
			return fenced(*c, by)
		}
	}
	return errors.Join(err, dec.Renew())
}

// resumeFinished handles a state that an earlier run drained. Without new rows
// there is nothing to do, and nothing is written; new rows may only enter a
// pipeline that does not look at the watermark.
func (inc *incarnation) resumeFinished() error {
	if !inc.saved.finished {
		return nil
	}
	for _, x := range inc.graph.nodes {
		inc.drained = inc.drained || x.node.Base().UsesWM
	}
	for _, t := range inc.tables {
		if inc.drained && !t.complete(inc) {
			return errDrained()
		}
	}
	return nil
}
