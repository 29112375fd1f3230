package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/internal/kafkatest"
)

// door is one way into a secured broker: where, and with which options.
type door struct {
	addr    string
	options string
}

// protocol, trust and login write WITH options.
func protocol(p string) string { return "'properties.security.protocol' = '" + p + "'" }

func trust(file string) string {
	return ", 'properties.ssl.truststore.type' = 'PEM', 'properties.ssl.truststore.location' = '" + file + "'"
}

func login(mechanism, user, password string) string {
	module := "scram.ScramLoginModule"
	if mechanism == "PLAIN" {
		module = "plain.PlainLoginModule"
	}
	return fmt.Sprintf(", 'properties.sasl.mechanism' = '%s',\n 'properties.sasl.jaas.config' = 'org.apache.kafka.common.security.%s required username=\"%s\" password=\"%s\";'", mechanism, module, user, password)
}

// secured is a text that copies rows through a door, in and out.
func secured(d door) string {
	with := ", 'properties.bootstrap.servers' = '" + d.addr + "',\n " + d.options + ")"
	return "SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT)" + inJSON + with +
		";\nCREATE TABLE o (v INT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json'" + with + ";\nINSERT INTO o SELECT v FROM t;"
}

// doors are all that open.
func doors(t *testing.T, s *kafkatest.Secure) map[string]door {
	inline := func(key, file string) string {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return ", 'properties." + key + "' = '" + string(pem) + "'"
	}
	all := map[string]door{
		"TLS":               {s.SSL, protocol("SSL") + trust(s.CA)},
		"TLS-inline":        {s.SSL, protocol("SSL") + ", 'properties.ssl.truststore.type' = 'PEM'" + inline("ssl.truststore.certificates", s.CA)},
		"TLS-client":        {s.MutualSSL, protocol("SSL") + trust(s.CA) + ", 'properties.ssl.keystore.type' = 'PEM', 'properties.ssl.keystore.location' = '" + s.ClientStore + "'"},
		"TLS-client-inline": {s.MutualSSL, protocol("SSL") + trust(s.CA) + inline("ssl.keystore.certificate.chain", s.ClientCert) + inline("ssl.keystore.key", s.ClientKey)},
	}
	for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		all[m] = door{s.SASLPlaintext, protocol("SASL_PLAINTEXT") + login(m, s.User, s.Password)}
		all[m+"-TLS"] = door{s.SASLSSL, protocol("SASL_SSL") + trust(s.CA) + login(m, s.User, s.Password)}
	}
	return all
}

// keepsSecrets looks for the password and the key in all that a run said and wrote.
func keepsSecrets(t *testing.T, s *kafkatest.Secure, dir string, texts ...string) {
	t.Helper()
	key, err := os.ReadFile(s.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{s.Password, strings.Split(string(key), "\n")[1]}
	err = filepath.WalkDir(filepath.Join(dir, "st"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		texts = append(texts, string(b))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("a secret is shown: …%q", text[max(0, i-100):i])
			}
		}
	}
}

// Every mechanism, with and without TLS: rows come in and go out once, over a kill and several runs, and no secret is
// shown on the way.
func TestKafkaSecured(t *testing.T) {
	b := kafkatest.Shared(t)
	for name, d := range doors(t, b.Secure) {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, b)
			c.topic("~in", 2, seq(50, `{"v":%d}`)...)
			sql := secured(d)
			p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
			base := p.listens()
			kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) == 50 })
			texts := []string{}
			for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/cmdline"} {
				_, body := get(t, base+path)
				texts = append(texts, body)
			}
			p.signal(9)
			p.wait()
			var more []string
			for i := range 50 {
				more = append(more, fmt.Sprintf(`{"v":%d}`, 50+i))
			}
			c.put("~in", 1, more...)
			again := c.run(0, sql, "--state", "st", "--until-idle")
			c.topicWants("~out", seq(100, `{"v":%d}`)...)
			texts = append(texts, p.stderr.String(), again.stderr.String())
			for _, form := range []string{"text", "json", "dot"} {
				x := streamd(t, c.dir, nil, "explain", "a.sql", "--format", form)
				if texts = append(texts, x.stdout.String(), x.stderr.String()); x.code != 0 {
					t.Errorf("explain: exit code %d\n%s", x.code, x.stderr.String())
				}
			}
			keepsSecrets(t, b.Secure, c.dir, texts...)
		})
	}
}

// What does not open ends soon, with a code, the table's place and what to do.
func TestKafkaDoorsThatStayShut(t *testing.T) {
	b := kafkatest.Shared(t)
	s := b.Secure
	for name, x := range map[string]struct {
		door
		exit int
		says []string
		slow bool // tried again until the start timeout: a broker that starts looks the same
	}{
		"wrong password": {door{s.SASLPlaintext, protocol("SASL_PLAINTEXT") + login("PLAIN", s.User, "w"+s.Password)}, 1,
			[]string{"error[SD6911]", "the broker refused the login", "sasl.jaas.config"}, false},
		"wrong password of SCRAM": {door{s.SASLSSL, protocol("SASL_SSL") + trust(s.CA) + login("SCRAM-SHA-256", s.User, "w"+s.Password)}, 1,
			[]string{"error[SD6911]", "the broker refused the login", "sasl.jaas.config"}, false},
		"unknown user": {door{s.SASLSSL, protocol("SASL_SSL") + trust(s.CA) + login("SCRAM-SHA-512", "bob", s.Password)}, 1,
			[]string{"error[SD6911]", "the broker refused the login"}, false},
		"unknown authority": {door{s.SSL, protocol("SSL") + trust(s.OtherCA)}, 1,
			[]string{"error[SD6912]", "certificate is not trusted", "properties.ssl.truststore.location"}, false},
		"system authorities": {door{s.SSL, protocol("SSL")}, 1,
			[]string{"error[SD6912]", "certificate is not trusted", "properties.ssl.truststore.location"}, false},
		"plain at a TLS port": {door{s.SSL, protocol("PLAINTEXT")}, 1,
			[]string{"error[SD6912]", "speaks TLS, and the client does not", "properties.security.protocol"}, false},
		"TLS at a plain port": {door{b.Addr, protocol("SSL") + trust(s.CA)}, 1,
			[]string{"error[SD6912]", "properties.security.protocol"}, true},
		"no login at a SASL port": {door{s.SASLPlaintext, protocol("PLAINTEXT")}, 1,
			[]string{"error[SD6912]", "properties.security.protocol"}, true},
		"login at a plain port": {door{b.Addr, protocol("SASL_PLAINTEXT") + login("PLAIN", s.User, s.Password)}, 1,
			[]string{"error[SD6911]", "takes no logins (SASL)", "properties.security.protocol"}, false},
		"no certificate of the client": {door{s.MutualSSL, protocol("SSL") + trust(s.CA)}, 1,
			[]string{"error[SD6912]", "TLS handshake", "properties.ssl.keystore.certificate.chain"}, false},
		"Kerberos": {door{s.SASLSSL, protocol("SASL_SSL") + trust(s.CA) + ",\n 'properties.sasl.mechanism' = 'GSSAPI', 'properties.sasl.kerberos.service.name' = 'kafka'"}, 2,
			[]string{"error[SD5003]", `sasl.mechanism "GSSAPI" is not supported yet`, "a.sql:4:32", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"}, false},
		"no mechanism": {door{s.SASLSSL, protocol("SASL_SSL")}, 2,
			[]string{"error[SD5004]", `"properties.sasl.mechanism" is missing`, "a.sql:2:14"}, false},
		"no user": {door{s.SASLSSL, protocol("SASL_SSL") + ", 'properties.sasl.mechanism' = 'PLAIN',\n 'properties.sasl.jaas.config' = 'x password=\"" + s.Password + "\"'"}, 2,
			[]string{"error[SD5003]", "no username and password", "a.sql:4:34", `password="*********"`}, false},
		"a key for a file": {door{s.MutualSSL, protocol("SSL") + ", 'properties.ssl.keystore.type' = 'PEM',\n 'properties.ssl.keystore.location' = '" + readKey(t, s.ClientKey) + "'"}, 2,
			[]string{"error[SD5003]", "not the name of a file", "a.sql:4:39"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, sql := range []string{
				"SET 'streamd.epoch.interval' = '50 ms';\nCREATE TABLE t (v INT)" + inJSON + ", 'properties.bootstrap.servers' = '" + x.addr + "',\n " + x.options + ");\nSELECT v FROM t;",
				secured(x.door),
			} {
				c := newCluster(t, b)
				c.topic("~in", 1, `{"v":1}`)
				for _, args := range [][]string{{}, {"--state", "st"}} {
					began := time.Now()
					p := c.run(x.exit, sql, append(args, "--until-idle", "--set", "streamd.start.timeout=3 s")...)
					if took := time.Since(began); took > 20*time.Second || x.exit == 1 && !x.slow && took > 10*time.Second {
						t.Errorf("it took %s", took)
					}
					p.says(x.says...)
					place := "a.sql:2:14"
					if i == 1 { // the sink is opened first
						place = fmt.Sprintf("a.sql:%d:13", strings.Count(sql, "\n")+1)
					}
					if x.exit == 1 {
						p.says(place)
					}
					if x.exit == 1 && !x.slow && strings.Contains(p.stderr.String(), "recovering") {
						t.Errorf("it was tried again:\n%s", p.stderr.String())
					}
					texts := []string{p.stderr.String(), p.stdout.String()}
					for _, args := range [][]string{{"check", "a.sql"}, {"check", "a.sql", "--format", "json"}, {"explain", "a.sql"}} {
						q := streamd(t, c.dir, nil, args...)
						texts = append(texts, q.stdout.String(), q.stderr.String())
					}
					keepsSecrets(t, s, c.dir, texts...)
				}
			}
		})
	}
}

func readKey(t *testing.T, file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Source and sink of one cluster may log in differently. Two logins of sinks are refused.
func TestKafkaLoginsOfTables(t *testing.T) {
	b := kafkatest.Shared(t)
	s := b.Secure
	c := newCluster(t, b)
	c.topic("~in", 1, `{"v":1}`)
	with := func(name, mechanism string) string {
		return "'connector' = 'kafka', 'topic' = '" + name + "', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'properties.bootstrap.servers' = '" + s.SASLPlaintext + "', " + protocol("SASL_PLAINTEXT") + login(mechanism, s.User, s.Password)
	}
	tables := "CREATE TABLE t (v INT) WITH (" + with("~in", "PLAIN") + ");\nCREATE TABLE o (v INT) WITH (" + with("~out", "SCRAM-SHA-256") + ");\nCREATE TABLE p (v INT) WITH (" + with("~more", "PLAIN") + ");\n"
	c.run(0, tables+"INSERT INTO o SELECT v FROM t;", "--until-idle", "--state", "st")
	c.topicWants("~out", `{"v":1}`)
	c.run(2, tables+"INSERT INTO o SELECT v FROM t;\nINSERT INTO p SELECT v FROM t;", "--until-idle").says("two logins")
}

// The broker is killed and comes back under a job that logs in over TLS: nothing is lost or doubled, and an outage is not
// taken for a wrong login.
func TestKafkaSecuredBrokerRestart(t *testing.T) {
	b := kafkatest.Shared(t)
	s := b.Secure
	c := newCluster(t, b)
	c.topic("~in", 1, seq(20, `{"v":%d}`)...)
	sql := secured(door{s.SASLSSL, protocol("SASL_SSL") + trust(s.CA) + login("SCRAM-SHA-512", s.User, s.Password)})
	p := c.start(sql, "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	kafkatest.Until(t, "rows are there", func() bool { return len(c.topicRows("~out")) == 20 })
	var more []string
	for i := 20; i < 40; i++ {
		more = append(more, fmt.Sprintf(`{"v":%d}`, i))
	}
	c.put("~in", 0, more...) // perhaps under way when the broker dies
	b.Process.Kill()
	p.until("not ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 503 })
	b.Process.Restart(t)
	kafkatest.Until(t, "the others are there", func() bool { return len(c.topicRows("~out")) >= 40 })
	p.term()
	c.run(0, sql, "--state", "st", "--until-idle")
	c.topicWants("~out", seq(40, `{"v":%d}`)...)
	keepsSecrets(t, s, c.dir, p.stderr.String(), p.stdout.String())
}
