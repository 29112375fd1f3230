package dsl

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
)

// letterBox is a target of dead letters that a table names.
type letterBox struct {
	*ops.DeadLetters
	at source.Span // the value that names it
}

// deadLetters makes the targets that a table names; tables that name the same one share it.
func (b *binder) deadLetters(t *table, u *use) (out []*ops.DeadLetters) {
	topic, path := findOption(u.opts, "dead-letter.topic"), findOption(u.opts, "dead-letter.path")
	if topic == nil && path == nil {
		throw(diag.New("SD5004", t.at, "'dead-letter' needs a target").WithHint("add 'dead-letter.topic' or 'dead-letter.path'"))
	}
	if topic != nil {
		b.readsTopic(t, u, topic)
		list := []connectors.Option{{Key: "topic", Value: topic.value}, {Key: "key.format", Value: "raw"}, {Key: "key.fields", Value: "key"},
			{Key: "value.format", Value: "raw"}, {Key: "value.fields-include", Value: "EXCEPT_KEY"}}
		for _, o := range u.opts { // the topic stands on the table's own cluster
			if strings.HasPrefix(o.key, "properties.") {
				list = append(list, connectors.Option{Key: o.key, Value: o.value})
			}
		}
		out = append(out, b.letterBox(t, u, topic, "kafka", list, connectors.TopicLetters))
	}
	if path != nil {
		b.readsPath(t, u, path)
		out = append(out, b.letterBox(t, u, path, "filesystem", []connectors.Option{{Key: "path", Value: path.value}, {Key: "format", Value: "json"}, {Key: "json.encode.ignore-null-fields", Value: "true"}}, connectors.FileLetters))
	}
	return out
}

// idleTarget warns of a target to which nothing will go.
func (b *binder) idleTarget(u *use, policy string) {
	for _, key := range []string{"dead-letter.topic", "dead-letter.path"} {
		o := findOption(u.opts, key)
		if o == nil || slices.ContainsFunc(b.diags, func(d *diag.Diagnostic) bool { return d.Code == "SD5008" && d.Span == o.keyAt }) {
			continue
		}
		d := diag.New("SD5008", o.keyAt, "%q has no effect: nothing sends rows there", key).WithSeverity(diag.Warning)
		b.report(d.WithHint("add %s", policy))
	}
}

// letterBox makes one target, as a sink of a connector.
func (b *binder) letterBox(t *table, u *use, o *option, connector string, list []connectors.Option, schema *batch.Schema) *ops.DeadLetters {
	key := connector
	for _, x := range list {
		key += "\x00" + x.Key + "=" + x.Value
	}
	if x := b.letters[key]; x != nil {
		return x.DeadLetters
	}
	c := b.cfg.Connectors[connector]
	if c == nil || c.Sink == nil {
		throw(diag.New("SD5001", o.keyAt, "%q needs the connector %q, which there is not", o.key, connector))
	}
	n := len(schema.Fields)
	def := &connectors.TableDef{Name: "dead letters of " + t.name, Schema: schema, Meta: make([]string, n), Virtual: make([]bool, n),
		Options: &connectors.Options{List: append([]connectors.Option{{Key: "connector", Value: connector}}, list...)}, Job: b.job, Zone: b.set.ZoneName}
	if connector == "kafka" {
		def.Meta[schema.Index("headers")] = "headers"
	}
	sink, err := c.Sink(def)
	if err != nil {
		b.letterFailed(t, u, o, connector, err)
	}
	what := strings.TrimPrefix(o.key, "dead-letter.")
	x := &letterBox{&ops.DeadLetters{Sink: sink, Schema: schema, Table: t.name, Target: what + " " + o.value, Span: opSpan(t.at)}, o.valAt}
	if b.letters == nil {
		b.letters = map[string]*letterBox{}
	}
	b.letters[key] = x
	return x.DeadLetters
}

// letterFailed throws a connector's complaint about a target, at the option that names it where that is to blame.
func (b *binder) letterFailed(t *table, u *use, o *option, connector string, err error) {
	list, ok := connectors.IsOptionError(err)
	if !ok {
		throw(diag.New("SD5003", o.valAt, "%s", err.Error()))
	}
	own := map[string]string{"kafka": "topic", "filesystem": "path"}[connector]
	for _, e := range list {
		if e.Key == own {
			c := *e
			c.Key, c.Msg = o.key, strings.ReplaceAll(e.Msg, `"`+own+`"`, `"`+o.key+`"`)
			throw(optionDiag(t, u.opts, &c))
		}
	}
	if list[0].Key == "properties.bootstrap.servers" && findOption(u.opts, list[0].Key) == nil {
		throw(diag.New("SD5004", t.at, "%q needs a Kafka cluster: %s", o.key, list[0].Msg).
			WithHint("give --kafka HOST:PORT, or 'dead-letter.path' for files"))
	}
	b.connectorFailed(t, u.opts, err)
}

// readsTopic refuses a topic that the table reads: its letters would be read, fail and be written again without end.
func (b *binder) readsTopic(t *table, u *use, o *option) {
	if u.conn.Name != "kafka" && u.conn.Name != "upsert-kafka" {
		return
	}
	own := false
	if x := findOption(u.opts, "topic"); x != nil {
		for _, s := range strings.Split(x.value, ";") {
			own = own || strings.TrimSpace(s) == o.value
		}
	}
	if x := findOption(u.opts, "topic-pattern"); x != nil {
		re, err := regexp.Compile(`^(?:` + x.value + `)$`)
		own = own || err == nil && re.MatchString(o.value)
	}
	if own {
		throw(diag.New("SD5003", o.valAt, "table %q reads or writes topic %q itself", t.name, clip(o.value)).
			WithHint("dead letters need a topic of their own: in this one they would be read again as rows"))
	}
}

// readsPath is readsTopic for files: a source reads all below its path but what begins with '.' or '_'.
func (b *binder) readsPath(t *table, u *use, o *option) {
	x := findOption(u.opts, "path")
	if u.conn.Name != "filesystem" || x == nil {
		return
	}
	from, err1 := absolute(x.value)
	to, err2 := absolute(o.value)
	if err1 != nil || err2 != nil {
		return
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return
	}
	for _, name := range strings.Split(filepath.ToSlash(rel), "/") {
		if strings.HasPrefix(name, ".") && name != "." || strings.HasPrefix(name, "_") {
			return
		}
	}
	throw(diag.New("SD5003", o.valAt, "table %q reads or writes %q itself", t.name, clip(o.value)).
		WithHint("dead letters need a directory of their own; below the table's path its name must begin with '_'"))
}

func absolute(path string) (string, error) {
	if p, ok := strings.CutPrefix(path, "file:"); ok {
		path = "/" + strings.TrimLeft(p, "/")
	}
	return filepath.Abs(path)
}

// lettersApart refuses targets that an INSERT writes, too: rows and letters have different forms.
func (b *binder) lettersApart() {
	for _, key := range sortedKeys(b.letters) {
		x := b.letters[key]
		id := x.Sink.Info().Identity
		for _, n := range b.sinks {
			s := n.(*ops.SinkNode)
			if strings.TrimPrefix(s.Spec.Sink.Info().Identity, "upsert-") == id {
				b.report(diag.New("SD5003", x.at, "the dead letters of %q go where INSERT INTO %s writes", x.Table, s.Spec.Table).
					WithHint("give them a %s of their own", strings.Fields(x.Target)[0]))
				break
			}
		}
	}
}
