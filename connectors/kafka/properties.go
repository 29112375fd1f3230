package kafka

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

// properties are the properties.* options: settings of the Java client, translated.
type properties struct {
	cluster     Cluster
	group       string
	reset       string // auto.offset.reset: "", earliest, latest, none
	untold      bool   // the group is not told what was read
	compression string // of what is written; "" = not said
}

// codecs are the values of compression.type; not to say one is none, as with the Java client.
var codecs = map[string]kgo.CompressionCodec{"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}

// parseProperties translates what has an equal here, refuses what would change the meaning, and names the rest in one note.
func parseProperties(def *connectors.TableDef) (properties, error) {
	var p properties
	var errs connectors.OptionErrors
	var unknown []string
	sec := map[string]string{}
	bad := func(key, msg, hint string) {
		errs = append(errs, &connectors.OptionError{Where: connectors.AtValue, Key: "properties." + key, Msg: msg, Hint: hint})
	}
	servers := def.Job.Kafka
	for _, o := range def.Options.Family("properties.") {
		switch o.Key {
		case "bootstrap.servers":
			servers = o.Value
		case "group.id":
			p.group = o.Value
		case "commit.offsets.on.checkpoint":
			b, err := strconv.ParseBool(strings.ToLower(o.Value))
			if err != nil {
				bad(o.Key, fmt.Sprintf("commit.offsets.on.checkpoint cannot be %q", o.Value), "one of: true, false")
			}
			p.untold = !b
		case "auto.offset.reset":
			if !slices.Contains([]string{"earliest", "latest", "none"}, o.Value) {
				bad(o.Key, fmt.Sprintf("auto.offset.reset cannot be %q", o.Value), "one of: earliest, latest, none")
			}
			p.reset = o.Value
		case "isolation.level":
			if o.Value != "read_committed" {
				bad(o.Key, fmt.Sprintf("isolation.level %q is not possible", o.Value),
					"streamd reads committed records only, so that its results never hold rows that were taken back; remove the option")
			}
		case "compression.type":
			if _, ok := codecs[o.Value]; !ok {
				bad(o.Key, fmt.Sprintf("compression.type cannot be %q", o.Value), "one of: none, gzip, snappy, lz4, zstd")
			}
			p.compression = o.Value
		case "client.id":
			p.cluster.Opts = append(p.cluster.Opts, kgo.ClientID(o.Value))
		case "client.rack":
			p.cluster.Opts = append(p.cluster.Opts, kgo.Rack(o.Value))
		case "transactional.id", "enable.idempotence", "acks":
			bad(o.Key, fmt.Sprintf("properties.%s is set by streamd", o.Key), "remove it: rows are written in a transaction of the job")
		default:
			if slices.Contains(securityKeys, o.Key) {
				sec[o.Key] = o.Value
			} else {
				unknown = append(unknown, "properties."+o.Key)
			}
		}
	}
	for _, s := range strings.Split(servers, ",") {
		if s = strings.TrimSpace(s); s != "" {
			p.cluster.Brokers = append(p.cluster.Brokers, s)
		}
	}
	if len(p.cluster.Brokers) == 0 {
		errs = append(errs, &connectors.OptionError{Where: connectors.AtTable, Key: "properties.bootstrap.servers",
			Msg: `option "properties.bootstrap.servers" is missing`, Hint: "add it, or start with --kafka HOST:PORT"})
	}
	p.cluster.login = sha256.Sum256(fmt.Append(nil, sec)) // maps print sorted
	opts, err := security(sec)
	if err != nil {
		errs = append(errs, err)
	}
	p.cluster.Opts = append(p.cluster.Opts, opts...)
	say := def.Job.Shared("kafka/reach", func() any { return newReach(def.Job.Notice) }).(*reach)
	p.cluster.Opts = append(p.cluster.Opts, kgo.WithHooks(say))
	if len(unknown) > 0 {
		def.Job.Notice(fmt.Sprintf("table %s: without effect here: %s", def.Name, strings.Join(unknown, ", ")))
	}
	if len(errs) > 0 {
		return p, errs
	}
	return p, nil
}
