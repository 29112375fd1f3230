package kafka

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

// mode is where reading starts or ends.
type mode string

const (
	earliest  mode = "earliest-offset"
	latest    mode = "latest-offset"
	group     mode = "group-offsets"
	timestamp mode = "timestamp"
	specific  mode = "specific-offsets"
	unbounded mode = "unbounded"
)

// options are the WITH options of a table, as written.
type options struct {
	Topic         []string        `opt:"topic"`
	TopicPattern  string          `opt:"topic-pattern"`
	Startup       string          `opt:"scan.startup.mode" oneof:"earliest-offset,latest-offset,group-offsets,timestamp,specific-offsets"`
	StartOffsets  string          `opt:"scan.startup.specific-offsets"`
	StartMillis   *string         `opt:"scan.startup.timestamp-millis"`
	Bounded       string          `opt:"scan.bounded.mode" default:"unbounded" oneof:"unbounded,latest-offset,group-offsets,timestamp,specific-offsets"`
	EndOffsets    string          `opt:"scan.bounded.specific-offsets"`
	EndMillis     *string         `opt:"scan.bounded.timestamp-millis"`
	Discovery     time.Duration   `opt:"scan.topic-partition-discovery.interval" default:"10 s"`
	OnRecreate    string          `opt:"scan.on-recreate" default:"fail" oneof:"fail,earliest,latest"`
	OnDataLoss    string          `opt:"scan.on-data-loss" default:"fail" oneof:"fail,earliest,latest"`
	Format        string          `opt:"format"`
	ValueFormat   string          `opt:"value.format"`
	KeyFormat     string          `opt:"key.format"`
	KeyFields     []string        `opt:"key.fields"`
	KeyPrefix     string          `opt:"key.fields-prefix"`
	ValueInclude  string          `opt:"value.fields-include" default:"ALL" oneof:"ALL,EXCEPT_KEY"`
	Partitioner   string          `opt:"sink.partitioner" default:"default"`
	Guarantee     string          `opt:"sink.delivery-guarantee" oneof:"exactly-once,at-least-once,none"`
	MaxBufferSize connectors.Size `opt:"scan.buffer-size" default:"64 mb"`
}

// table is a checked CREATE TABLE of either connector.
type table struct {
	def    *connectors.TableDef
	upsert bool
	opt    options
	props  properties

	pattern   *regexp.Regexp // of topic-pattern
	startup   mode           // "" = group offset if there is one, else auto.offset.reset
	startAt   map[int32]int64
	startTime int64 // milliseconds since 1970
	bounded   mode
	endAt     map[int32]int64
	endTime   int64

	keyFormat, valueFormat *formats.Format // keyFormat nil: the key is not read
	valuePrefix            string          // of the value format's options
	keyCols, valueCols     []int           // columns of def.Schema in each format's order
}

// optionErrors collects mistakes.
type optionErrors connectors.OptionErrors

func (e *optionErrors) add(where connectors.Where, key, hint, format string, a ...any) {
	*e = append(*e, &connectors.OptionError{Where: where, Key: key, Msg: fmt.Sprintf(format, a...), Hint: hint})
}

func (e *optionErrors) merge(err error) {
	if err == nil {
		return
	}
	many, ok := connectors.IsOptionError(err)
	if !ok {
		panic("BUG: not an option error: " + err.Error())
	}
	*e = append(*e, many...)
}

func (e optionErrors) err() error {
	if len(e) == 0 {
		return nil
	}
	return connectors.OptionErrors(e)
}

// newTable decodes and checks what sources and sinks have in common.
func newTable(def *connectors.TableDef, upsert bool) (*table, error) {
	t := &table{def: def, upsert: upsert}
	var errs optionErrors
	errs.merge(def.Options.Decode(&t.opt))
	var err error
	t.props, err = parseProperties(def)
	errs.merge(err)
	t.checkTopics(&errs)
	t.checkColumns(&errs)
	t.checkPartitioner(&errs)
	return t, errs.err()
}

// topicNames is what Kafka takes as a name, but for "." and "..".
var topicNames = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

func (t *table) checkTopics(errs *optionErrors) {
	switch {
	case len(t.opt.Topic) == 0 && t.opt.TopicPattern == "":
		errs.add(connectors.AtTable, "topic", "", `option "topic" is missing`)
	case len(t.opt.Topic) > 0 && t.opt.TopicPattern != "":
		errs.add(connectors.AtKey, "topic-pattern", "", `"topic" and "topic-pattern" exclude each other`)
	case t.opt.TopicPattern != "":
		re, err := regexp.Compile(`^(?:` + t.opt.TopicPattern + `)$`)
		if err != nil {
			errs.add(connectors.AtValue, "topic-pattern", "", "topic-pattern: %v", err)
		}
		t.pattern = re
	}
	for _, topic := range t.opt.Topic {
		if !topicNames.MatchString(topic) || strings.Trim(topic, ".") == "" && len(topic) < 3 {
			errs.add(connectors.AtValue, "topic", "1 to 249 letters, digits, '.', '_' and '-'; several topics are separated by ';'", "no topic can have the name %q", topic)
		}
	}
	slices.Sort(t.opt.Topic)
	t.opt.Topic = slices.Compact(t.opt.Topic)
}

// checkPartitioner takes Flink's names. As there, a key and round-robin exclude each other: the key is what keeps its rows
// in one partition.
func (t *table) checkPartitioner(errs *optionErrors) {
	const key, hint = "sink.partitioner", "one of: default, fixed, round-robin; rows that belong together share a partition by 'key.format' and 'key.fields'"
	switch how := t.opt.Partitioner; {
	case how == "default" || how == "fixed":
	case how == "round-robin" && len(t.opt.KeyFields) > 0:
		errs.add(connectors.AtValue, key, "leave it out, or write rows without a key", `'round-robin' works only without "key.fields"`)
	case how == "round-robin":
	case strings.Contains(how, "."):
		errs.add(connectors.AtValue, key, hint, "%q is a Java class, which cannot run here", how)
	default:
		errs.add(connectors.AtValue, key, hint, "option %q cannot be %q", key, how)
	}
}

// checkColumns finds out which columns stand in the record's key and which in its value.
func (t *table) checkColumns(errs *optionErrors) {
	o := &t.opt
	valueKey := "format"
	if t.upsert || o.ValueFormat != "" {
		valueKey, t.valuePrefix = "value.format", "value."
	}
	switch {
	case t.upsert && o.Format != "":
		errs.add(connectors.AtKey, "format", "upsert-kafka needs 'key.format' and 'value.format'", `upsert-kafka has no option "format"`)
	case o.Format != "" && o.ValueFormat != "":
		errs.add(connectors.AtKey, "value.format", "", `"format" and "value.format" mean the same; give one of them`)
	}
	var err error
	t.valueFormat, err = formats.Lookup(t.def.Options, valueKey)
	errs.merge(err)
	if o.KeyFormat != "" {
		t.keyFormat, err = formats.Lookup(t.def.Options, "key.format")
		errs.merge(err)
	}
	changes := func(key string, f *formats.Format) {
		if f != nil && f.Changes != connectors.AppendOnly {
			errs.add(connectors.AtValue, key, "", "%q cannot be %q: it holds changes, not rows", key, f.Name)
		}
	}
	if changes("key.format", t.keyFormat); t.upsert {
		changes(valueKey, t.valueFormat)
	}
	isKey := map[int]bool{}
	if t.upsert {
		t.upsertKey(errs, isKey)
	} else {
		t.namedKey(errs, isKey)
	}
	if o.KeyPrefix != "" {
		if o.ValueInclude != "EXCEPT_KEY" {
			errs.add(connectors.AtKey, "key.fields-prefix", "set 'value.fields-include' = 'EXCEPT_KEY'", "a prefix of key fields needs a value without the key's fields")
		}
		for _, c := range t.keyCols {
			if n := t.def.Schema.Fields[c].Name; !strings.HasPrefix(n, o.KeyPrefix) {
				errs.add(connectors.AtValue, "key.fields-prefix", "", "key field %q does not begin with %q", n, o.KeyPrefix)
			}
		}
	}
	for c := range t.def.Schema.Fields {
		if t.def.Meta[c] == "" && !(o.ValueInclude == "EXCEPT_KEY" && isKey[c]) {
			t.valueCols = append(t.valueCols, c)
		}
	}
}

// upsertKey: the key is the primary key.
func (t *table) upsertKey(errs *optionErrors, isKey map[int]bool) {
	if t.opt.KeyFormat == "" {
		errs.add(connectors.AtTable, "key.format", "", `option "key.format" is missing`)
	}
	if len(t.opt.KeyFields) > 0 {
		errs.add(connectors.AtKey, "key.fields", "the key of upsert-kafka is its PRIMARY KEY", `upsert-kafka has no option "key.fields"`)
	}
	if len(t.def.PrimaryKey) == 0 {
		errs.add(connectors.AtTable, "", "add PRIMARY KEY (…) NOT ENFORCED", "upsert-kafka table %s has no PRIMARY KEY", t.def.Name)
	}
	for _, c := range t.def.PrimaryKey {
		if t.def.Meta[c] != "" {
			errs.add(connectors.AtTable, "", "", "primary key column %q is a metadata column", t.def.Schema.Fields[c].Name)
		}
		isKey[c] = true
	}
	for c := range t.def.Schema.Fields { // in the order of the table, as in Flink
		if isKey[c] {
			t.keyCols = append(t.keyCols, c)
		}
	}
}

func (t *table) namedKey(errs *optionErrors, isKey map[int]bool) {
	o := &t.opt
	switch {
	case o.KeyFormat == "" && len(o.KeyFields) > 0:
		errs.add(connectors.AtKey, "key.fields", "", `"key.fields" needs "key.format"`)
	case o.KeyFormat != "" && len(o.KeyFields) == 0:
		errs.add(connectors.AtKey, "key.format", "", `"key.format" needs "key.fields"`)
	case o.KeyFormat == "" && o.KeyPrefix != "":
		errs.add(connectors.AtKey, "key.fields-prefix", "", `"key.fields-prefix" needs "key.format" and "key.fields"`)
	}
	for _, name := range o.KeyFields {
		c := t.def.Schema.Index(name)
		if c < 0 || t.def.Meta[c] != "" {
			errs.add(connectors.AtValue, "key.fields", t.physicalNames(), "table %s has no column %q that could be in the key", t.def.Name, name)
			continue
		}
		if isKey[c] {
			errs.add(connectors.AtValue, "key.fields", "", "key field %q is named twice", name)
			continue
		}
		isKey[c] = true
		t.keyCols = append(t.keyCols, c)
	}
}

func (t *table) physicalNames() string {
	var n []string
	for c, f := range t.def.Schema.Fields {
		if t.def.Meta[c] == "" {
			n = append(n, f.Name)
		}
	}
	return "columns: " + strings.Join(n, ", ")
}

// keySchema is the key format's view: names without the prefix.
func (t *table) keySchema() *batch.Schema {
	s := t.def.Schema.Pick(t.keyCols)
	for i := range s.Fields {
		s.Fields[i].Name = strings.TrimPrefix(s.Fields[i].Name, t.opt.KeyPrefix)
	}
	return s
}

// valueSpec is what the value's format sees of the table.
func (t *table) valueSpec(want connectors.Want) *formats.Spec {
	return &formats.Spec{Options: t.def.Options, Prefix: t.valuePrefix, Fields: t.def.Schema.Pick(t.valueCols).Fields, Cols: t.valueCols, Want: want}
}

// keySpec is what the key's format sees; cols nil = a batch of the key columns alone.
func (t *table) keySpec(cols []int) *formats.Spec {
	return &formats.Spec{Options: t.def.Options, Prefix: "key.", Fields: t.keySchema().Fields, Cols: cols}
}

// checkScan reads the start-up and bounded modes.
func (t *table) checkScan(errs *optionErrors) {
	o := &t.opt
	t.startup, t.bounded = mode(o.Startup), mode(o.Bounded)
	if t.upsert {
		if o.Startup != "" {
			errs.add(connectors.AtKey, "scan.startup.mode", "it always reads from the earliest offset", `upsert-kafka has no option "scan.startup.mode"`)
		}
		t.startup = earliest
	}
	t.startAt = offsetsOption(errs, "scan.startup", t.startup == specific, o.StartOffsets, len(o.Topic))
	t.endAt = offsetsOption(errs, "scan.bounded", t.bounded == specific, o.EndOffsets, len(o.Topic))
	t.startTime = millisOption(errs, "scan.startup", t.startup == timestamp, o.StartMillis)
	t.endTime = millisOption(errs, "scan.bounded", t.bounded == timestamp, o.EndMillis)
	const hint = "set 'scan.startup.mode' to earliest-offset or latest-offset, or give 'properties.group.id'"
	_, given := t.def.Options.Get("scan.startup.mode") // a wrong one is told already
	switch {
	case t.startup == "" && !given && t.props.group == "" && (t.props.reset == "" || t.props.reset == "none"):
		errs.add(connectors.AtTable, "scan.startup.mode", hint, `option "scan.startup.mode" is missing: without it reading starts at the group's offsets, and there is no "properties.group.id"`)
	case t.startup == group && t.props.group == "":
		errs.add(connectors.AtTable, "properties.group.id", hint, `scan.startup.mode 'group-offsets' needs "properties.group.id"`)
	}
	if t.bounded == group && t.props.group == "" {
		errs.add(connectors.AtTable, "properties.group.id", "", `scan.bounded.mode 'group-offsets' needs "properties.group.id"`)
	}
}

// offsetsOption parses 'partition:0,offset:42;partition:1,offset:300'.
func offsetsOption(errs *optionErrors, prefix string, wanted bool, s string, topics int) map[int32]int64 {
	key := prefix + ".specific-offsets"
	switch {
	case !wanted && s == "":
		return nil
	case !wanted:
		errs.add(connectors.AtKey, key, "set '"+prefix+".mode' = 'specific-offsets'", "%q has no effect in this mode", key)
		return nil
	case s == "":
		errs.add(connectors.AtTable, key, "", "option %q is missing", key)
		return nil
	case topics != 1:
		errs.add(connectors.AtKey, key, "", "%q needs exactly one topic", key)
		return nil
	}
	out := map[int32]int64{}
	for _, part := range strings.Split(s, ";") {
		var p, o int64 = -1, -1
		for _, kv := range strings.Split(part, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(kv), ":")
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			switch {
			case err == nil && n >= 0 && k == "partition" && n < 1<<31:
				p = n
			case err == nil && n >= 0 && k == "offset":
				o = n
			default:
				p = -2
			}
			if p == -2 {
				break
			}
		}
		if p < 0 || o < 0 {
			errs.add(connectors.AtValue, key, "write it like 'partition:0,offset:42;partition:1,offset:300'", "%q: cannot read %q", key, part)
			return nil
		}
		out[int32(p)] = o
	}
	return out
}

func millisOption(errs *optionErrors, prefix string, wanted bool, s *string) int64 {
	key := prefix + ".timestamp-millis"
	switch {
	case !wanted && s == nil:
		return 0
	case !wanted:
		errs.add(connectors.AtKey, key, "set '"+prefix+".mode' = 'timestamp'", "%q has no effect in this mode", key)
		return 0
	case s == nil:
		errs.add(connectors.AtTable, key, "", "option %q is missing", key)
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(*s), 10, 64)
	if err != nil || n < 0 {
		errs.add(connectors.AtValue, key, "milliseconds since 1970", "%q: %q is not a time", key, *s)
	}
	return n
}

// keys describes the options of both connectors.
func keys(upsert bool) []connectors.OptionKey {
	k := []connectors.OptionKey{
		{Key: "topic", Doc: "topics, separated by ';'; a sink has one"},
		{Key: "properties.*", Doc: "settings of the Kafka client: bootstrap.servers, group.id, auto.offset.reset, security.protocol, sasl.*, ssl.* (PEM)"},
		{Key: "key.format", Doc: "format of the record's key"},
		{Key: "key.fields-prefix", Doc: "prefix of the key's columns that the key format does not see"},
		{Key: "value.format", Doc: "format of the record's value"},
		{Key: "value.fields-include", Default: "ALL", Doc: "ALL, or EXCEPT_KEY: the value has no key columns"},
		{Key: "scan.bounded.mode", Default: "unbounded", Doc: "where reading ends: unbounded, latest-offset, group-offsets, timestamp, specific-offsets"},
		{Key: "scan.bounded.specific-offsets", Doc: "partition:0,offset:42;partition:1,offset:300"},
		{Key: "scan.bounded.timestamp-millis", Doc: "milliseconds since 1970"},
		{Key: "scan.topic-partition-discovery.interval", Default: "10 s", Doc: "how often new partitions and topics are looked for; 0 = never"},
		{Key: "scan.on-recreate", Default: "fail", Doc: "when a topic was deleted and created again: fail, earliest, latest"},
		{Key: "scan.on-data-loss", Default: "fail", Doc: "when records not yet read are gone: fail, earliest, latest"},
		{Key: "scan.buffer-size", Default: "64 mb", Doc: "records fetched ahead, at most"},
		{Key: "sink.delivery-guarantee", Doc: "accepted; rows are always written exactly once"},
		{Key: "sink.transactional-id-prefix", Ignored: true},
		{Key: "sink.transaction-naming-strategy", Ignored: true},
		{Key: "sink.parallelism", Ignored: true},
		{Key: "scan.parallelism", Ignored: true},
	}
	k = append(append(k, formats.Keys("key.")...), formats.Keys("value.")...)
	if upsert {
		return append(k, connectors.OptionKey{Key: "sink.buffer-flush.max-rows", Ignored: true}, connectors.OptionKey{Key: "sink.buffer-flush.interval", Ignored: true})
	}
	return append(append(k, formats.Keys("")...),
		connectors.OptionKey{Key: "topic-pattern", Doc: "regular expression of the topics to read"},
		connectors.OptionKey{Key: "format", Doc: "format of the record's value"},
		connectors.OptionKey{Key: "key.fields", Doc: "columns that stand in the key, separated by ';'"},
		connectors.OptionKey{Key: "scan.startup.mode", Default: "group-offsets", Doc: "where reading starts: earliest-offset, latest-offset, group-offsets, timestamp, specific-offsets"},
		connectors.OptionKey{Key: "scan.startup.specific-offsets", Doc: "partition:0,offset:42;partition:1,offset:300"},
		connectors.OptionKey{Key: "scan.startup.timestamp-millis", Doc: "milliseconds since 1970"},
		connectors.OptionKey{Key: "sink.partitioner", Default: "default", Doc: "default: murmur2 of the key, whole batches in turn without a key; fixed: one partition a worker; round-robin"},
		connectors.OptionKey{Key: "sink.semantic", Ignored: true},
	)
}
