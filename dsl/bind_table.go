package dsl

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	ops "github.com/streamd/streamd/operators"
)

// use is a table as one or more statements use it: with or without options of hints.
type use struct {
	opts   []option
	conn   *connectors.Connector
	source connectors.Source
	sink   connectors.Sink
	node   ops.Node // the scan, normalised
	failed bool
}

func sortedKeys[V any](m map[string]V) []string {
	var k []string
	for x := range m {
		k = append(k, x)
	}
	sort.Strings(k)
	return k
}

// used applies the OPTIONS hints to a table. A use that has been refused is refused again without a word.
func (b *binder) used(t *table, hints []*ast.Hint, uses map[string]*use) *use {
	list := slices.Clone(t.opts)
	key := ""
	hinted := &table{opts: list}
	for _, h := range hints {
		if name := strings.ToUpper(h.Name.String()); name != "OPTIONS" {
			b.ignored = append(b.ignored, ignoredKey{name, h.Name.Span})
			continue
		}
		for _, o := range h.Options {
			x := b.option(o)
			hinted.put(x, true, nil)
			key += x.key + "=" + x.value + "\x00"
		}
	}
	u := uses[key]
	if u == nil {
		u = &use{opts: hinted.opts, failed: true}
		uses[key] = u
		u.conn = b.knownOptions(t, u.opts)
		u.failed = false
	}
	if u.failed {
		throw(nil)
	}
	return u
}

// def is what the connector sees.
func (b *binder) def(t *table, u *use) *connectors.TableDef {
	d := &connectors.TableDef{Name: t.name, Schema: &batch.Schema{}, Options: &connectors.Options{}, Job: b.job, Zone: b.set.ZoneName}
	for _, c := range t.cols {
		if c.computed == nil {
			d.Schema.Fields = append(d.Schema.Fields, batch.Field{Name: c.name, Type: c.t})
			d.Meta = append(d.Meta, c.meta)
			d.Virtual = append(d.Virtual, c.virtual)
		}
	}
	d.PrimaryKey = indices(d.Schema, t.pk)
	d.PartBy = indices(d.Schema, t.partBy)
	for _, o := range u.opts {
		if matchKey(planOptions, o.key) == nil || o.key == "connector" || strings.HasPrefix(o.key, "dead-letter.") {
			d.Options.List = append(d.Options.List, connectors.Option{Key: o.key, Value: o.value})
		}
	}
	return d
}

func indices(s *batch.Schema, names []string) []int {
	var out []int
	for _, n := range names {
		if i := s.Index(n); i >= 0 {
			out = append(out, i)
		}
	}
	return out
}

// scan binds a table that is read. All reads of one table are one operator.
func (b *binder) scan(t *table, q *ast.QName, hints []*ast.Hint) *relation {
	u := b.used(t, hints, t.uses)
	sh := b.shape(t)
	if u.node == nil {
		if u.conn.Source == nil {
			throw(diag.New("SD5009", q.Span, "connector %q cannot be read", u.conn.Name).WithHint("%q can only be written", t.name))
		}
		u.failed = true
		src, err := u.conn.Source(b.def(t, u))
		if err != nil {
			b.connectorFailed(t, u.opts, err)
		}
		if i := src.Info(); b.job.UntilIdle && i.Generator && !i.Bounded {
			throw(diag.New("SD5010", t.at, "%q is a generator without an end, which --until-idle needs", t.name).WithHint("add 'number-of-rows'"))
		}
		u.source = src
		u.node = b.scanNode(t, u, sh)
		u.failed = false
	}
	r := &relation{node: u.node}
	for i, c := range t.cols {
		r.cols = append(r.cols, column{qual: t.name, name: c.name, idx: sh.order[i], f: u.node.Base().Schema.Fields[sh.order[i]]})
	}
	return r
}

func (b *binder) scanNode(t *table, u *use, sh *shape) ops.Node {
	info := u.source.Info()
	s := ops.ScanSpec{Table: t.name, Source: u.source, Schema: sh.schema, Physical: sh.physical, Computed: sh.computed,
		WMCol: sh.wmCol, WMExpr: sh.wmExpr, Span: opSpan(t.at), Bounded: info.Bounded || b.job.UntilIdle,
		PrimaryKey: indices(sh.schema, t.pk)}
	s.OnError = oneWord(u.opts, "on-error", "fail", "fail", "skip", "dead-letter")
	s.Late = oneWord(u.opts, "late", "drop", "drop", "dead-letter")
	if s.OnError == "dead-letter" || s.Late == "dead-letter" {
		s.DeadLetters = b.deadLetters(t, u)
		b.scans++
		s.Want.Pos, s.Want.Raw, s.Want.Table = true, true, b.scans
	} else {
		b.idleTarget(u, "'on-error' = 'dead-letter' or 'late' = 'dead-letter'")
	}
	s.OnEvent = oneWord(u.opts, "scan.watermark.emit.strategy", "on-periodic", "on-periodic", "on-event") == "on-event"
	s.IdleTimeout = microseconds(u.opts, "scan.watermark.idle-timeout", b.set.IdleTimeout.Microseconds())
	if info.Live && !s.Bounded {
		s.FutureSkew = microseconds(u.opts, "scan.watermark.future-skew", 300e6)
	}
	if len(info.Columns) > 0 {
		panic("BUG: a source with columns of its own")
	}
	n := b.in.intern(fmt.Sprintf("scan|%p", u), nil, func() ops.Node { return ops.NewScan(s) })
	n.Base().Span = opSpan(t.at)
	pk := s.PrimaryKey
	if info.Changes != connectors.Upserts && (info.Changes != connectors.Retracts || !b.set.Repeats || len(pk) == 0) {
		return n
	}
	norm := b.in.intern(fmt.Sprintf("normalize|%v", pk), []ops.Node{n}, func() ops.Node {
		x := ops.NewNormalize(n, pk)
		if ttl := b.set.StateTTL.Microseconds(); ttl > 0 {
			x.SetTTL(ttl)
		}
		return x
	})
	norm.Base().Span = opSpan(t.at)
	return norm
}
