package kafka

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/kafkatest"
)

func TestOptionMistakes(t *testing.T) {
	const ok = "topic=t format=json scan.startup.mode=earliest-offset "
	for _, tc := range []struct {
		columns, options string
		upsert, sink     bool
		where            connectors.Where
		key, msg         string
	}{
		{options: "format=json scan.startup.mode=earliest-offset", where: connectors.AtTable, key: "topic", msg: "is missing"},
		{options: ok + "topic-pattern=x", where: connectors.AtKey, key: "topic-pattern", msg: "exclude each other"},
		{options: "topic-pattern=( format=json scan.startup.mode=earliest-offset", where: connectors.AtValue, key: "topic-pattern", msg: "missing closing"},
		{options: "topic=t scan.startup.mode=earliest-offset", where: connectors.AtTable, key: "format", msg: "is missing"},
		{options: "topic=t format=nope scan.startup.mode=earliest-offset", where: connectors.AtUnknown, key: "format", msg: "unknown format"},
		{options: "topic=t format=json", where: connectors.AtTable, key: "scan.startup.mode", msg: "properties.group.id"},
		{options: "topic=t format=json scan.startup.mode=soon", where: connectors.AtValue, key: "scan.startup.mode", msg: "cannot be"},
		{options: "topic=t format=json scan.startup.mode=group-offsets", where: connectors.AtTable, key: "properties.group.id", msg: "needs"},
		{options: ok + "scan.startup.timestamp-millis=5", where: connectors.AtKey, key: "scan.startup.timestamp-millis", msg: "no effect"},
		{options: "topic=t format=json scan.startup.mode=timestamp", where: connectors.AtTable, key: "scan.startup.timestamp-millis", msg: "is missing"},
		{options: "topic=t format=json scan.startup.mode=timestamp scan.startup.timestamp-millis=noon", where: connectors.AtValue, key: "scan.startup.timestamp-millis", msg: "noon"},
		{options: "topic=t format=json scan.startup.mode=specific-offsets scan.startup.specific-offsets=0:42", where: connectors.AtValue, key: "scan.startup.specific-offsets", msg: "cannot read"},
		{options: "topic=t;u format=json scan.startup.mode=specific-offsets scan.startup.specific-offsets=partition:0,offset:42", where: connectors.AtKey, key: "scan.startup.specific-offsets", msg: "exactly one topic"},
		{options: ok + "scan.bounded.mode=group-offsets", where: connectors.AtTable, key: "properties.group.id", msg: "needs"},
		{options: ok + "value.format=json", where: connectors.AtKey, key: "value.format", msg: "mean the same"},
		{options: ok + "key.fields=v", where: connectors.AtKey, key: "key.fields", msg: "needs"},
		{options: ok + "key.format=json", where: connectors.AtKey, key: "key.format", msg: "needs"},
		{options: ok + "key.format=json key.fields=x", where: connectors.AtValue, key: "key.fields", msg: "no column"},
		{options: ok + "key.format=debezium-json key.fields=v", where: connectors.AtValue, key: "key.format", msg: "holds changes"},
		{options: ok + "key.format=json key.fields=v key.fields-prefix=k_", where: connectors.AtKey, key: "key.fields-prefix", msg: "without the key's fields"},
		{options: ok + "properties.isolation.level=read_uncommitted", where: connectors.AtValue, key: "properties.isolation.level", msg: "not possible"},
		{options: ok + "properties.auto.offset.reset=now", where: connectors.AtValue, key: "properties.auto.offset.reset", msg: "cannot be"},
		{options: ok + "properties.compression.type=producer", sink: true, where: connectors.AtValue, key: "properties.compression.type", msg: "cannot be"},
		{options: ok + "properties.security.protocol=KERBEROS", where: connectors.AtValue, key: "properties.security.protocol", msg: "not known"},
		{options: ok + "properties.security.protocol=SASL_PLAINTEXT properties.sasl.mechanism=PLAIN properties.sasl.jaas.config=x_username=\"a\"_password=\"b\";", where: connectors.AtValue, key: "properties.sasl.jaas.config", msg: "username"},
		{options: ok + "properties.security.protocol=SASL_PLAINTEXT properties.sasl.mechanism=PLAIN", where: connectors.AtTable, key: "properties.sasl.jaas.config", msg: "is missing"},
		{options: ok + "properties.security.protocol=SASL_PLAINTEXT properties.sasl.mechanism=GSSAPI", where: connectors.AtValue, key: "properties.sasl.mechanism", msg: "not supported yet"},
		{options: ok + "properties.security.protocol=SASL_PLAINTEXT", where: connectors.AtTable, key: "properties.sasl.mechanism", msg: "is missing"},
		{options: ok + "properties.security.protocol=SSL properties.ssl.key.password=x", where: connectors.AtValue, key: "properties.ssl.key.password", msg: "not supported yet"},
		{options: ok + "properties.security.protocol=SSL properties.ssl.truststore.type=PEM properties.ssl.truststore.location=/nowhere/ca.pem", where: connectors.AtValue, key: "properties.ssl.truststore.location", msg: "no such file"},
		{options: ok + "properties.security.protocol=SSL properties.ssl.truststore.certificates=x", where: connectors.AtValue, key: "properties.ssl.truststore.certificates", msg: "no PEM certificate"},
		{options: ok + "properties.security.protocol=SSL properties.ssl.keystore.certificate.chain=x properties.ssl.keystore.key=y", where: connectors.AtValue, key: "properties.ssl.keystore.key", msg: "not usable"},
		{options: ok + "properties.security.protocol=SSL properties.ssl.endpoint.identification.algorithm=", where: connectors.AtValue, key: "properties.ssl.endpoint.identification.algorithm", msg: "always checked"},
		{options: ok + "properties.ssl.truststore.location=x.jks properties.security.protocol=SSL", where: connectors.AtValue, key: "properties.ssl.truststore.location", msg: "key stores"},
		{options: ok + "properties.sasl.mechanism=PLAIN", where: connectors.AtValue, key: "properties.sasl.mechanism", msg: "security.protocol"},
		{columns: "v INT, o STRING virtual:offset", options: ok, where: connectors.AtTable, msg: "metadata \"offset\" is BIGINT, not STRING"},
		{columns: "v INT, o BIGINT virtual:ofset", options: ok, where: connectors.AtTable, msg: "no metadata \"ofset\""},
		{columns: "v INT, o BIGINT meta:offset", options: ok, sink: true, where: connectors.AtTable, msg: "cannot be written"},
		{options: "topic=t format=json sink.partitioner=com.example.MyPartitioner", sink: true, where: connectors.AtValue, key: "sink.partitioner", msg: "is a Java class"},
		{options: "topic=t format=json sink.partitioner=hash", sink: true, where: connectors.AtValue, key: "sink.partitioner", msg: "cannot be"},
		{options: "topic=t format=json sink.partitioner=", sink: true, where: connectors.AtValue, key: "sink.partitioner", msg: "cannot be"},
		{options: "topic=t value.format=json key.format=json key.fields=v sink.partitioner=round-robin", sink: true, where: connectors.AtValue, key: "sink.partitioner", msg: "only without"},
		{options: "topic=t;u format=json", sink: true, where: connectors.AtValue, key: "topic", msg: "one topic"},
		{options: "topic-pattern=t format=json", sink: true, where: connectors.AtKey, key: "topic-pattern", msg: "no topic-pattern"},
		{options: "topic=t key.format=json value.format=json", upsert: true, where: connectors.AtTable, msg: "no PRIMARY KEY"},
		{columns: "v INT pk", options: "topic=t format=json key.format=json", upsert: true, where: connectors.AtKey, key: "format", msg: "no option"},
		{columns: "v INT pk", options: "topic=t value.format=json", upsert: true, where: connectors.AtTable, key: "key.format", msg: "is missing"},
		{columns: "v INT pk", options: "topic=t key.format=json value.format=debezium-json", upsert: true, where: connectors.AtValue, key: "value.format", msg: "holds changes"},
		{columns: "v INT pk", options: "topic=t key.format=json value.format=json scan.startup.mode=latest-offset", upsert: true, where: connectors.AtKey, key: "scan.startup.mode", msg: "no option"},
	} {
		if tc.columns == "" {
			tc.columns = "v INT"
		}
		d := def(t, nil, tc.columns, strings.Fields(tc.options)...)
		d.Job.Kafka = "127.0.0.1:1"
		var err error
		if tc.sink {
			_, err = newSink(d, tc.upsert)
		} else {
			_, err = newSource(d, tc.upsert)
		}
		list, isOption := connectors.IsOptionError(err)
		found := false
		for _, e := range list {
			found = found || e.Where == tc.where && e.Key == tc.key && strings.Contains(e.Msg, tc.msg)
		}
		if !isOption || !found {
			t.Errorf("%s: got %v (%+v), want %q at %d %q", tc.options, err, list, tc.msg, tc.where, tc.key)
		}
	}
}

func TestBootstrapServers(t *testing.T) {
	d := def(t, nil, "v INT", "topic=t", "format=json", "scan.startup.mode=earliest-offset")
	if _, err := newSource(d, false); err == nil || !strings.Contains(err.Error(), "bootstrap.servers") {
		t.Errorf("no brokers: %v", err)
	}
	d.Job.Kafka = "b:2, a:1"
	d.Options.List = append(d.Options.List, connectors.Option{Key: "properties.linger.ms", Value: "5"})
	var said string
	d.Job.Notice = func(s string) { said = s }
	p, err := parseProperties(d)
	if err != nil || p.cluster.key() != "a:1,b:2" || !strings.Contains(said, "properties.linger.ms") {
		t.Errorf("%+v %v, said %q", p, err, said)
	}
}

func TestSecondSinkClusterIsRefused(t *testing.T) {
	d := def(t, nil, "v INT", "topic=t", "format=json", "properties.bootstrap.servers=a:1")
	if _, err := newSink(d, false); err != nil {
		t.Fatal(err)
	}
	e := def(t, nil, "v INT", "topic=t", "format=json", "properties.bootstrap.servers=b:1")
	e.Job = d.Job
	if _, err := newSink(e, false); err == nil || !strings.Contains(err.Error(), "two Kafka clusters") {
		t.Errorf("got %v", err)
	}
}

// The sinks of a job have one producer: what one of them says of compression holds for those that say nothing, a topic of
// dead letters perhaps; two that say different things are refused.
func TestCompressionOfAJob(t *testing.T) {
	for _, c := range []struct{ says, want string }{
		{"zstd", "zstd"}, {"zstd ", "zstd"}, {" zstd", "zstd"}, {" zstd ", "zstd"}, {"zstd zstd", "zstd"}, {" ", ""}, {"none ", "none"}, {"zstd  none", "zstd and none"},
	} {
		var d *Decider
		var err error
		job := ephemeral(def(t, nil, "v INT")).Job
		for _, codec := range strings.Split(c.says, " ") {
			opts := []string{"topic=t", "format=json", "properties.bootstrap.servers=a:1"}
			if codec != "" {
				opts = append(opts, "properties.compression.type="+codec)
			}
			e := def(t, nil, "v INT", opts...)
			e.Job = job
			var s connectors.Sink
			if s, err = newSink(e, false); err != nil {
				break
			}
			d = s.(*sink).d
		}
		got := d.cfg.Compression
		if err != nil {
			got = err.Error()
		}
		if err != nil && !strings.Contains(got, c.want) || err == nil && got != c.want {
			t.Errorf("%q: got %s, want %s", c.says, got, c.want)
		}
	}
}

// A source's user may have no right to write: transactions log in as the sink does, whichever table is planned first.
func TestDeciderLogsInAsTheSink(t *testing.T) {
	login := func(user string) []string {
		return []string{"topic=t", "format=json", "scan.startup.mode=earliest-offset", "properties.bootstrap.servers=a:1", "properties.security.protocol=SASL_PLAINTEXT",
			"properties.sasl.mechanism=PLAIN", `properties.sasl.jaas.config=x required username="` + user + `" password="p";`}
	}
	for _, first := range []string{"source", "sink"} {
		in, out := def(t, nil, "v INT", login("reader")...), def(t, nil, "v INT", login("writer")...)
		out.Job = in.Job
		var s *sink
		for i := range 2 {
			if (first == "sink") == (i == 0) {
				x, err := newSink(out, false)
				if err != nil {
					t.Fatal(err)
				}
				s = x.(*sink)
			} else if _, err := newSource(in, false); err != nil {
				t.Fatal(err)
			}
		}
		if s.d.cfg.Cluster.login != s.t.props.cluster.login {
			t.Errorf("%s first: the decider logs in as the source", first)
		}
	}
}

func TestSASL(t *testing.T) {
	for _, mech := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		b := kafkatest.Fake(t, kfake.EnableSASL(), kfake.Superuser(mech, "us\"er", "geheim"))
		try := func(pass string) error {
			d := def(t, b, "v INT", "topic=t", "format=json", "scan.startup.mode=earliest-offset", "properties.security.protocol=SASL_PLAINTEXT",
				"properties.sasl.mechanism="+mech, `properties.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="us\"er" password='`+pass+`';`)
			s := newScan(t, d, false)
			_, err := s.src.Splits(kafkatest.Deadline(t))
			return err
		}
		if err := try("geheim"); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("%s: %v", mech, err)
		}
		if err := try("wrong"); err == nil || strings.Contains(err.Error(), "does not exist") {
			t.Errorf("%s with a wrong password: %v", mech, err)
		}
	}
}

// SET may stand behind CREATE TABLE.
func TestLaterSettingsCount(t *testing.T) {
	d := def(t, nil, "v INT", "topic=t", "format=json", "properties.bootstrap.servers=127.0.0.1:1")
	s, err := newSink(d, false)
	if err != nil {
		t.Fatal(err)
	}
	d.Job.Instance, d.Job.Name, d.Job.Interval = "prod", "surge", 80*time.Second
	x := s.(*sink).d
	defer x.Close()
	if got := ses(t, x).timeout(); x.topic != "__streamd.prod.surge" || got != 800*time.Second {
		t.Errorf("topic %s, transaction timeout %v", x.topic, got)
	}
}

// Every property of the documentation is understood: used or refused, never passed over; every other one is named.
func TestPropertyKeys(t *testing.T) {
	values := map[string]string{"security.protocol": "PLAINTEXT", "auto.offset.reset": "latest", "isolation.level": "read_committed", "commit.offsets.on.checkpoint": "false"}
	documented := map[string]bool{}
	for _, k := range PropertyKeys {
		documented[k.Key] = true
		value, ok := values[k.Key]
		if !ok {
			value = "x"
		}
		d := def(t, nil, "v INT", "properties.bootstrap.servers=a:1", "properties."+k.Key+"="+value)
		if k.Key == "bootstrap.servers" {
			d.Options.List = d.Options.List[1:]
		}
		var heard said
		d.Job.Notice = heard.add
		_, err := parseProperties(d)
		if heard.text() != "" {
			t.Errorf("%s: %s", k.Key, heard.text())
		}
		if refused := strings.HasPrefix(k.Doc, "refused"); refused && err == nil {
			t.Errorf("%s is not refused", k.Key)
		}
	}
	for _, k := range securityKeys {
		if !documented[k] {
			t.Errorf("%s is not documented", k)
		}
	}
	d := def(t, nil, "v INT", "properties.bootstrap.servers=a:1", "properties.ssl.cipher.suites=x", "properties.sasl.kerberos.service.name=kafka", "properties.fetch.min.bytes=1")
	var heard said
	d.Job.Notice = heard.add
	if _, err := parseProperties(d); err != nil || heard.text() != "table t: without effect here: properties.fetch.min.bytes, properties.sasl.kerberos.service.name, properties.ssl.cipher.suites" {
		t.Errorf("%v, said %q", err, heard.text())
	}
}

// Every option that the code reads is in the list that `streamd connectors` and the documentation show, and the other way round.
func TestOptionKeysAreRead(t *testing.T) {
	read := map[string]bool{"properties.*": true}
	for i := range reflect.TypeFor[options]().NumField() {
		read[reflect.TypeFor[options]().Field(i).Tag.Get("opt")] = true
	}
	listed := map[string]bool{}
	for _, upsert := range []bool{false, true} {
		for _, k := range keys(upsert) {
			format := strings.Contains(k.Key, "json.") || strings.Contains(k.Key, "csv.") || strings.Contains(k.Key, "raw.")
			if listed[k.Key] = true; !k.Ignored && !read[k.Key] && !format {
				t.Errorf("%s is listed and never read", k.Key)
			}
		}
	}
	for k := range read {
		if !listed[k] {
			t.Errorf("%s is read and not listed", k)
		}
	}
}
