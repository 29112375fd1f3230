package file

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

type options struct {
	Path        string        `opt:"path" required:"true"`
	Format      string        `opt:"format" required:"true"`
	Monitor     *string       `opt:"source.monitor-interval"`
	DefaultPart string        `opt:"partition.default-name" default:"__DEFAULT_PARTITION__"`
	Compaction  bool          `opt:"auto-compaction" default:"false"`
	monitor     time.Duration // 0 = read what is there and end
	format      *formats.Format
}

// Connector returns the connector 'filesystem'.
func Connector() *connectors.Connector {
	keys := []connectors.OptionKey{
		{Key: "path", Doc: "a file or a directory (source), a directory (sink)"},
		{Key: "format", Doc: "json, csv, raw or debezium-json"},
		{Key: "source.monitor-interval", Doc: "look for new files and lines so often; absent: read what is there and end"},
		{Key: "partition.default-name", Default: "__DEFAULT_PARTITION__", Doc: "the partition of NULL and of the empty text"},
		{Key: "auto-compaction", Default: "false", Doc: "not supported"},
		{Key: "sink.rolling-policy.*", Doc: "not supported: each epoch with rows makes its own files"},
		{Key: "sink.partition-commit.*", Doc: "without effect: a file whose name has no leading '.' or '_' is final", Ignored: true},
		{Key: "sink.shuffle-by-partition.enable", Doc: "tunes Flink only", Ignored: true},
		{Key: "sink.parallelism", Doc: "tunes Flink only", Ignored: true},
	}
	return &connectors.Connector{
		Name: "filesystem", Doc: "files of one record a line, as source and sink", Keys: append(keys, formats.Keys("")...),
		Source: func(def *connectors.TableDef) (connectors.Source, error) { return newSource(def) },
		Sink:   func(def *connectors.TableDef) (connectors.Sink, error) { return newSink(def) },
	}
}

func decodeOptions(def *connectors.TableDef) (*options, error) {
	o := &options{}
	if err := def.Options.Decode(o); err != nil {
		return nil, err
	}
	var err error
	if o.format, err = formats.Lookup(def.Options, "format"); err != nil {
		return nil, err
	}
	if p, ok := strings.CutPrefix(o.Path, "file:"); ok {
		p = "/" + strings.TrimLeft(p, "/")
		if strings.HasPrefix(o.Path, "file://") && !strings.HasPrefix(o.Path, "file:///") {
			return nil, &connectors.OptionError{Where: connectors.AtValue, Key: "path", Msg: fmt.Sprintf("%q names a host", o.Path), Hint: "write file:///absolute/path, or a path without file://"}
		}
		o.Path = p
	}
	if scheme, _, ok := strings.Cut(o.Path, "://"); ok && isScheme(scheme) {
		return nil, &connectors.OptionError{Where: connectors.AtValue, Key: "path", Msg: fmt.Sprintf("there is no file system %q", scheme), Hint: "paths of this machine and file:///absolute/path are possible"}
	}
	if o.Path == "" {
		return nil, &connectors.OptionError{Where: connectors.AtValue, Key: "path", Msg: `option "path" is empty`}
	}
	o.Path = filepath.Clean(o.Path)
	if o.Monitor != nil {
		if o.monitor, err = connectors.ParseDuration(*o.Monitor); err != nil || o.monitor <= 0 {
			return nil, &connectors.OptionError{Where: connectors.AtValue, Key: "source.monitor-interval", Msg: `option "source.monitor-interval" must be a positive duration`}
		}
	}
	if o.Compaction {
		return nil, &connectors.OptionError{Where: connectors.AtKey, Key: "auto-compaction", Msg: "auto-compaction is not supported"}
	}
	for _, x := range def.Options.Family("sink.rolling-policy.") {
		key := "sink.rolling-policy." + x.Key
		return nil, &connectors.OptionError{Where: connectors.AtKey, Key: key, Msg: fmt.Sprintf("option %q is not supported: a file never holds several epochs", key), Hint: "leave it out; SET 'streamd.epoch.interval' makes files larger"}
	}
	return o, nil
}

// spec returns what the records hold: the physical columns that are no partition.
func (o *options) spec(def *connectors.TableDef, want connectors.Want) *formats.Spec {
	s := &formats.Spec{Options: def.Options, Want: want}
	for c, f := range def.Schema.Fields {
		if f.Hidden() || slices.Contains(def.PartBy, c) || meta(def, c) != "" {
			continue
		}
		s.Fields = append(s.Fields, f)
		s.Cols = append(s.Cols, c)
	}
	return s
}

func meta(def *connectors.TableDef, c int) string {
	if c < len(def.Meta) {
		return def.Meta[c]
	}
	return ""
}

// metaTypes are the metadata columns of a source.
var metaTypes = map[string]batch.SQLType{"file.path": batch.Varchar, "file.name": batch.Varchar, "file.size": batch.BigInt, "file.modification-time": batch.TimestampLTZ}

// escapePart writes a partition's value so that it is one name in a path.
func escapePart(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == 0x7f || strings.IndexByte(`"#%'*/:=?\{}[]^`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unescapePart(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if n, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); n == 1 && err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isScheme tells whether s may stand before :// in a URI.
func isScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return s != ""
}
