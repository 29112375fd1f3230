package diag

import "testing"

func TestSecretsAreMasked(t *testing.T) {
	for line, want := range map[string]string{
		`'properties.sasl.jaas.config' = 'x required username="u" password="geheim";',`:  `'properties.sasl.jaas.config' = 'x required username="u" password="******";',`,
		`'properties.sasl.jaas.config' = 'x required password=''ge"h"m'' username="u";'`: `'properties.sasl.jaas.config' = 'x required password=''******'' username="u";'`,
		`'sasl.jaas.config' = 'x password="g\"m", 'y' = 'z'`:                             `'sasl.jaas.config' = 'x password="****", 'y' = 'z'`,
		`password = "geheim`: `password = "******`,
		`'x' = 'a.PlainLoginModule required password=geheim;'`:         `'x' = 'a.PlainLoginModule required password=******;'`,
		`SELECT a FROM t WHERE token = b AND password = '' AND x = ''`: `SELECT a FROM t WHERE token = b AND password = '' AND x = ''`,
		`'properties.ssl.keystore.key' = '-----BEG`:                    `'properties.ssl.keystore.key' = '********`,
		`'properties.ssl.key.password' = 'it''s', 'topic' = 't'`:       `'properties.ssl.key.password' = '*****', 'topic' = 't'`,
		`'a.password' = 'grün', 'b.password' = 'x'`:                    `'a.password' = '****', 'b.password' = '*'`,
		`'a.password' = '${PW}', 'b' = 'password="${PW}"'`:             `'a.password' = '${PW}', 'b' = 'password="${PW}"'`,
		`'a.password' = '${PW:-geheim}'`:                               `'a.password' = '*************'`,
		`SELECT password FROM t WHERE token > 1`:                       `SELECT password FROM t WHERE token > 1`,
		`'topic' = 'passwords', 'format' = 'json'`:                     `'topic' = 'passwords', 'format' = 'json'`,
	} {
		if got := masked(line); got != want {
			t.Errorf("masked\n%s\ngives\n%s\nwant\n%s", line, got, want)
		}
	}
}
