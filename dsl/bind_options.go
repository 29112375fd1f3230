package dsl

import (
	"slices"
	"strings"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// option is one 'key' = 'value' with its places, ${X} replaced.
type option struct {
	key, value   string
	keyAt, valAt source.Span
}

// planOptions are options of every table that the planner and the engine look at, not the connector.
var planOptions = []connectors.OptionKey{
	{Key: "connector", Doc: "name of the connector"},
	{Key: "on-error", Default: "fail", Doc: "what becomes of rows that cannot be read, computed or written: fail, skip, dead-letter"},
	{Key: "late", Default: "drop", Doc: "what becomes of rows behind the watermark: drop, dead-letter"},
	{Key: "dead-letter.topic", Doc: "topic that takes dead letters"}, {Key: "dead-letter.path", Doc: "directory that takes dead letters"},
	{Key: "scan.watermark.idle-timeout", Doc: "how long a split may be silent before the watermark goes on without it"},
	{Key: "scan.watermark.future-skew", Default: "5 min", Doc: "how far ahead of the clock a row's time may move the watermark of a live source"},
	{Key: "scan.watermark.emit.strategy", Default: "on-periodic", Doc: "on-periodic, or on-event: a watermark after each row"},
	{Key: "scan.watermark.alignment.*", Ignored: true}, {Key: "scan.watermark.emit.on-event.gap", Ignored: true},
	{Key: "scan.parallelism", Ignored: true}, {Key: "sink.parallelism", Ignored: true},
}

// TableOptions are the options that tables of all connectors have.
func TableOptions() []connectors.OptionKey { return slices.Clone(planOptions) }

// withOptions takes in the WITH clause; those of LIKE stand in t already.
func (b *binder) withOptions(t *table, st *ast.CreateTable) {
	own := map[string]bool{}
	do := likeActions(st.Like)["OPTIONS"]
	for _, o := range st.With {
		x := b.option(o)
		if own[x.key] {
			fail("SD5002", x.keyAt, "option %q is given twice", clip(x.key))
		}
		own[x.key] = true
		t.put(x, do != "INCLUDING", func() {
			throw(diag.New("SD5002", x.keyAt, "option %q is given by LIKE already", clip(x.key)).WithHint("write LIKE … (OVERWRITING OPTIONS)"))
		})
	}
	if len(t.opts) > 0 && t.option("connector") == nil {
		throw(diag.New("SD5004", t.at, "option \"connector\" is missing").WithHint("connectors: %s", strings.Join(sortedKeys(b.cfg.Connectors), ", ")))
	}
	if len(t.opts) == 0 {
		notYet(t.at, "a table without 'connector' is", "add WITH ('connector' = …)")
	}
	b.knownOptions(t, t.opts)
}

func (t *table) put(x option, overwrite bool, clash func()) {
	for i := range t.opts {
		if t.opts[i].key == x.key {
			if !overwrite {
				clash()
			}
			t.opts[i] = x
			return
		}
	}
	t.opts = append(t.opts, x)
}

func (t *table) option(key string) *option { return findOption(t.opts, key) }

func findOption(list []option, key string) *option {
	for i := range list {
		if list[i].key == key {
			return &list[i]
		}
	}
	return nil
}

func (b *binder) option(o *ast.Option) option {
	x := option{key: string(o.Key.Text), keyAt: o.Key.Span, valAt: o.Value.Span}
	x.value = b.substitute(string(o.Value.Text), o.Value.Span)
	return x
}

// substitute replaces ${NAME} and ${NAME:-default} from the environment. $${ is a plain ${.
func (b *binder) substitute(s string, at source.Span) string {
	var out strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			out.WriteString(s)
			return out.String()
		}
		if i > 0 && s[i-1] == '$' {
			out.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			throw(diag.New("SD5005", at, "${ is never closed").WithHint("write $${ for a plain ${"))
		}
		name, dflt, has := strings.Cut(s[i+2:i+end], ":-")
		v, ok := b.cfg.Env(name)
		switch {
		case ok && (v != "" || !has):
			dflt = v
		case !has:
			d := diag.New("SD5005", at, "variable %s is not set", clip(name))
			throw(d.WithHint("set it in the environment, or give a default: ${%s:-value}", clip(name)))
		}
		out.WriteString(s[:i] + dflt)
		s = s[i+end+1:]
	}
}

// knownOptions refuses keys that neither the planner nor the connector knows.
func (b *binder) knownOptions(t *table, list []option) *connectors.Connector {
	which := findOption(list, "connector")
	c := b.cfg.Connectors[which.value]
	if c == nil {
		d := diag.New("SD5001", which.keyAt, "unknown connector %q", clip(which.value))
		names := sortedKeys(b.cfg.Connectors)
		if near := diag.Near(which.value, names); near != "" {
			d.WithLabel("did you mean %q?", near)
		}
		throw(d.WithHint("connectors: %s", listed(names)))
	}
	for _, o := range list {
		if k := matchKey(planOptions, o.key); k != nil {
			if k.Ignored {
				b.ignored = append(b.ignored, ignoredKey{o.key, o.keyAt})
			}
			continue
		}
		k := matchKey(c.Keys, o.key)
		if k == nil {
			d := diag.New("SD5002", o.keyAt, "connector %q has no option %q", c.Name, clip(o.key))
			if near := diag.Near(o.key, plainKeys(c.Keys, planOptions)); near != "" {
				d.WithLabel("did you mean %q?", near)
			} else {
				d.WithHint("options: %s", listed(plainKeys(c.Keys)))
			}
			throw(d)
		}
		if k.Ignored {
			b.ignored = append(b.ignored, ignoredKey{o.key, o.keyAt})
		}
	}
	return c
}

func matchKey(keys []connectors.OptionKey, key string) *connectors.OptionKey {
	for i := range keys {
		if connectors.Match(keys[i].Key, key) {
			return &keys[i]
		}
	}
	return nil
}

func plainKeys(lists ...[]connectors.OptionKey) []string {
	var out []string
	for _, keys := range lists {
		for _, k := range keys {
			out = append(out, k.Key)
		}
	}
	return out
}

// optionDiag places a connector's complaint: at the option's key, at its value, or at the table's name.
func optionDiag(t *table, list []option, e *connectors.OptionError) *diag.Diagnostic {
	code, at := "SD5004", t.at
	if o := findOption(list, e.Key); o != nil {
		switch e.Where {
		case connectors.AtKey:
			code, at = "SD5002", o.keyAt
		case connectors.AtUnknown:
			code, at = "SD5003", o.keyAt
		case connectors.AtValue:
			code, at = "SD5003", o.valAt
		}
	}
	d := diag.New(code, at, "%s", e.Msg)
	switch {
	case e.Hint != "":
		d.WithHint("%s", e.Hint)
	case e.Key != "" && strings.HasSuffix(e.Msg, "is missing"):
		d.WithHint("add '%s' = '…' to the table's WITH", e.Key)
	}
	return d
}

// connectorFailed throws the first of a connector's complaints, by place, once for each table.
func (b *binder) connectorFailed(t *table, list []option, err error) {
	found, ok := connectors.IsOptionError(err)
	if !ok {
		throw(diag.New("SD5003", t.at, "%s", err.Error()))
	}
	var first *diag.Diagnostic
	for _, e := range found {
		if d := optionDiag(t, list, e); first == nil || d.Span.Pos.Offset < first.Span.Pos.Offset {
			first = d
		}
	}
	throw(first)
}

// microseconds reads a duration option, dflt when it is absent.
func microseconds(list []option, key string, dflt int64) int64 {
	o := findOption(list, key)
	if o == nil {
		return dflt
	}
	d, err := connectors.ParseDuration(o.value)
	if err != nil {
		fail("SD5003", o.valAt, "option %q: %s", key, err.Error())
	}
	return d.Microseconds()
}

// oneWord reads an option that takes one of some words.
func oneWord(list []option, key, dflt string, words ...string) string {
	o := findOption(list, key)
	if o == nil {
		return dflt
	}
	for _, w := range words {
		if strings.EqualFold(w, o.value) {
			return w
		}
	}
	throw(diag.New("SD5003", o.valAt, "option %q cannot be %q", key, clip(o.value)).WithHint("one of: %s", strings.Join(words, ", ")))
	return ""
}
