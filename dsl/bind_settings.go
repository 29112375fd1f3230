package dsl

import (
	"slices"
	"strings"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ex "github.com/streamd/streamd/operators/expr"
)

// setting is one key of SET. put returns what is wrong with the value.
type setting struct {
	key, dflt string
	put       func(s *Settings, v string) error
}

type badValue string

func (e badValue) Error() string { return string(e) }

func oneOf(words ...string) func(string) error {
	return func(v string) error {
		if slices.Contains(words, strings.ToLower(v)) {
			return nil
		}
		return badValue("it is one of: " + strings.Join(words, ", "))
	}
}

func durationBetween(lo, hi time.Duration, put func(*Settings, time.Duration)) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		d, err := connectors.ParseDuration(v)
		if err != nil {
			return err
		}
		if d < lo || d > hi {
			return badValue("it must be between " + lo.String() + " and " + hi.String())
		}
		put(s, d)
		return nil
	}
}

const long = 1 << 62 * time.Nanosecond

// settings in the order in which defaults are put: a later one wins.
var settingKeys = []setting{
	{"execution.checkpointing.interval", "", durationBetween(0, long, func(s *Settings, d time.Duration) {
		s.EpochInterval = min(max(d, 10*time.Millisecond), 10*time.Minute)
	})},
	{"streamd.epoch.interval", "1 s", durationBetween(10*time.Millisecond, 10*time.Minute, func(s *Settings, d time.Duration) { s.EpochInterval = d })},
	{"streamd.start.timeout", "30 s", durationBetween(0, long, func(s *Settings, d time.Duration) { s.StartTimeout = d })},
	{"streamd.on-error", "fail", func(s *Settings, v string) error {
		s.OnError = strings.ToLower(v)
		return oneOf("fail", "skip", "dead-letter")(v)
	}},
	{"streamd.outbox.max-bytes", "1 gb", func(s *Settings, v string) (err error) {
		s.OutboxMaxBytes, err = connectors.ParseSize(v)
		return err
	}},
	{"streamd.instance", "default", func(s *Settings, v string) error { s.Instance = v; return nil }},
	{"streamd.join.retention", "on", func(s *Settings, v string) error {
		s.Retention = strings.EqualFold(v, "on")
		return oneOf("on", "off")(v)
	}},
	{"table.local-time-zone", "UTC", func(s *Settings, v string) error {
		if strings.EqualFold(v, "default") {
			v = "UTC"
		}
		z, err := ex.Zone(v)
		if err != nil {
			return err
		}
		s.Zone, s.ZoneName = z, v
		return nil
	}},
	{"table.exec.state.ttl", "", durationBetween(0, long, func(s *Settings, d time.Duration) { s.StateTTL, s.StateTTLSet = d, true })},
	{"table.exec.source.idle-timeout", "0 ms", durationBetween(0, long, func(s *Settings, d time.Duration) { s.IdleTimeout = d })},
	{"table.exec.sink.not-null-enforcer", "ERROR", func(s *Settings, v string) error {
		s.NotNullDrop = strings.EqualFold(v, "drop")
		return oneOf("error", "drop")(v)
	}},
	{"table.exec.source.cdc-events-duplicate", "false", func(s *Settings, v string) error {
		s.Repeats = strings.EqualFold(v, "true")
		return oneOf("true", "false")(v)
	}},
	{"table.exec.sink.type-length-enforcer", "IGNORE", func(s *Settings, v string) error {
		v = strings.ToLower(v)
		s.LengthEnforcer = map[string]string{"trim_pad": "trim-pad", "error": "error"}[v]
		return oneOf("ignore", "trim_pad", "error")(v)
	}},
	{"table.exec.sink.nested-constraint-enforcer", "IGNORE", func(_ *Settings, v string) error {
		if v = strings.ToLower(v); v == "rows" || v == "rows_and_collections" {
			return badValue("only IGNORE is supported yet: NOT NULL and lengths inside of ROW, ARRAY and MAP are not looked at")
		}
		return oneOf("ignore")(v)
	}},
}

// tuning are settings of Flink that tune what streamd has not.
var tuning = []string{
	"parallelism.default", "execution.runtime-mode", "pipeline.name", "pipeline.object-reuse", "pipeline.auto-watermark-interval", "pipeline.max-parallelism",
	"execution.attached", "execution.target", "execution.buffer-timeout", "execution.shutdown-on-application-finish",
	"execution.checkpointing.*", "execution.savepoint.*", "restart-strategy", "restart-strategy.*", "state.*", "taskmanager.*", "jobmanager.*", "rest.*",
	"sql-client.*", "metrics.*", "table.optimizer.*", "table.exec.mini-batch.*", "table.exec.resource.*", "table.exec.async-lookup.*",
	"table.exec.window-agg.buffer-size-limit", "table.exec.shuffle-mode", "table.dml-sync", "table.sql-dialect", "table.plan.*", "table.exec.legacy-cast-behaviour",
	"table.exec.simplify-operator-name-enabled", "table.exec.sink.require-on-conflict", "table.exec.sink.upsert-materialize", "table.exec.sink.keyed-shuffle",
	"table.exec.uid.*", "table.exec.operator-fusion-codegen.enabled", "table.generated-code.*", "table.builtin-*",
}

func findSetting(key string) *setting {
	for i := range settingKeys {
		if settingKeys[i].key == key {
			return &settingKeys[i]
		}
	}
	return nil
}

func isTuning(key string) bool {
	return slices.ContainsFunc(tuning, func(p string) bool { return connectors.Match(p, key) })
}

// settings fills the defaults and what was given from outside, which has no place in the text.
func (b *binder) settings(given []KV) {
	b.pinned = map[string]bool{}
	for _, s := range settingKeys {
		if s.dflt != "" {
			if err := s.put(&b.set, s.dflt); err != nil {
				panic("BUG: default of " + s.key)
			}
		}
	}
	var at source.Span // it stands nowhere in the text
	for _, kv := range given {
		n := len(b.diags)
		b.catching(func() { b.setKey(kv.Key, kv.Value, at, at) }, func() {})
		for _, d := range b.diags[n:] {
			if d.Span = at; d.Label != "" {
				d.WithHint("%s", d.Label)
				d.Label = ""
			}
			d.WithHint("it was given beside the file, as --set %s=%s", clip(kv.Key), clip(kv.Value))
		}
		b.pinned[kv.Key] = true
	}
	b.tellJob()
}

// tellJob passes on what connectors must know of the settings.
func (b *binder) tellJob() { b.job.Instance, b.job.Interval = b.set.Instance, b.set.EpochInterval }

func (b *binder) setKey(key, value string, keyAt, valueAt source.Span) {
	s := findSetting(key)
	switch {
	case s == nil && isTuning(key):
		b.ignored = append(b.ignored, ignoredKey{key, keyAt})
	case s == nil:
		b.unknownSetting(key, keyAt)
	case b.pinned[key], key == "execution.checkpointing.interval" && b.pinned["streamd.epoch.interval"]:
	default:
		next := b.set
		if err := s.put(&next, value); err != nil {
			throw(diag.New("SD5007", valueAt, "setting %q cannot be %q", key, clip(value)).WithLabel("%s", err.Error()))
		}
		b.change(key, next, keyAt)
		b.tellJob()
		if key == "streamd.epoch.interval" {
			b.pinned["execution.checkpointing.interval"] = true
		}
	}
}

// change puts new settings in the place of the old ones. The queries of a file are one job, which has one time zone, one policy for
// failed rows and one for joins: changed behind a query, they would change that query too. The zone is in the plan of a view already.
func (b *binder) change(key string, next Settings, at source.Span) {
	old := &b.set
	if b.queried && next.ZoneName != old.ZoneName || len(b.sinks) > 0 && (next.OnError != old.OnError || next.Retention != old.Retention) {
		d := diag.New("SD5020", at, "setting %q holds for the whole job and comes behind a query", key)
		throw(d.WithHint("put it before the first query of the file, or run the queries behind it as a job of their own"))
	}
	b.set = next
}

func (b *binder) unknownSetting(key string, at source.Span) {
	var all []string
	for _, s := range settingKeys {
		all = append(all, s.key)
	}
	for _, t := range tuning {
		if !strings.Contains(t, "*") {
			all = append(all, t)
		}
	}
	d := diag.New("SD5006", at, "unknown setting %q", clip(key))
	if near := diag.Near(key, all); near != "" {
		d.WithLabel("did you mean %q?", near)
	}
	throw(d)
}

func (b *binder) setStmt(st *ast.Set) {
	if st.Key == nil {
		notYet(st.Span, "listing the settings in a file is")
	}
	b.setKey(string(st.Key.Text), string(st.Value.Text), st.Key.Span, st.Value.Span)
}

func (b *binder) resetStmt(st *ast.Reset) {
	if st.Key == nil {
		for _, s := range settingKeys {
			b.reset(s.key, st.Span)
		}
		return
	}
	key := string(st.Key.Text)
	if findSetting(key) == nil && !isTuning(key) {
		b.unknownSetting(key, st.Key.Span)
	}
	b.reset(key, st.Key.Span)
}

func (b *binder) reset(key string, at source.Span) {
	s := findSetting(key)
	switch {
	case s == nil || b.pinned[key]:
	case key == "table.exec.state.ttl":
		b.set.StateTTL, b.set.StateTTLSet = 0, false
	case s.dflt != "":
		next := b.set
		if err := s.put(&next, s.dflt); err != nil {
			panic("BUG: default of " + s.key)
		}
		b.change(key, next, at)
	}
}

// notes tells once, at the first of them, which keys have no effect.
func (b *binder) notes() {
	if len(b.ignored) == 0 {
		return
	}
	var keys []string
	for _, k := range b.ignored {
		if !slices.Contains(keys, k.key) {
			keys = append(keys, k.key)
		}
	}
	d := diag.New("SD5008", b.ignored[0].at, "accepted without effect: %s", strings.Join(keys, ", "))
	b.report(d.WithSeverity(diag.Note))
}
