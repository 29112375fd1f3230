package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/streamd/streamd/connectors"
)

// securityKeys are the settings of the Java client about TLS and SASL that are understood; others are named in the note
// about settings without effect.
var securityKeys = []string{"security.protocol", "sasl.mechanism", "sasl.jaas.config",
	"ssl.truststore.type", "ssl.truststore.location", "ssl.truststore.certificates",
	"ssl.keystore.type", "ssl.keystore.location", "ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.key.password",
	"ssl.endpoint.identification.algorithm"}

// security translates security.protocol and what belongs to it.
func security(sec map[string]string) ([]kgo.Opt, *connectors.OptionError) {
	bad := func(key, msg, hint string) ([]kgo.Opt, *connectors.OptionError) {
		return nil, &connectors.OptionError{Where: connectors.AtValue, Key: "properties." + key, Msg: msg, Hint: hint}
	}
	protocol := sec["security.protocol"]
	withTLS, withSASL := strings.HasSuffix(protocol, "SSL"), strings.HasPrefix(protocol, "SASL_")
	if !slices.Contains([]string{"", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}, protocol) {
		return bad("security.protocol", fmt.Sprintf("security.protocol %q is not known", protocol), "one of: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")
	}
	for _, key := range slices.Sorted(maps.Keys(sec)) { // of several the same is told each time
		if strings.HasPrefix(key, "ssl.") && !withTLS || strings.HasPrefix(key, "sasl.") && !withSASL {
			return bad(key, fmt.Sprintf("properties.%s needs another security.protocol than %q", key, protocol), "set 'properties.security.protocol'")
		}
	}
	var opts []kgo.Opt
	if withTLS {
		c, err := tlsConfig(sec)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(c))
	}
	if !withSASL {
		return opts, nil
	}
	login, err := login(sec)
	if err != nil {
		return nil, err
	}
	return append(opts, kgo.SASL(login)), nil
}

// login is the SASL mechanism with user and password. Messages never show the value of sasl.jaas.config.
func login(sec map[string]string) (sasl.Mechanism, *connectors.OptionError) {
	const mechanisms = "one of: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"
	fail := func(key, msg, hint string) (sasl.Mechanism, *connectors.OptionError) {
		e := &connectors.OptionError{Where: connectors.AtValue, Key: "properties." + key, Msg: msg, Hint: hint}
		if _, given := sec[key]; !given {
			e.Where, e.Msg = connectors.AtTable, fmt.Sprintf("option %q is missing", e.Key)
		}
		return nil, e
	}
	mechanism := sec["sasl.mechanism"]
	if !slices.Contains([]string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, mechanism) {
		return fail("sasl.mechanism", fmt.Sprintf("sasl.mechanism %q is not supported yet", mechanism), mechanisms)
	}
	user, pass, ok := jaas(sec["sasl.jaas.config"])
	if !ok {
		return fail("sasl.jaas.config", "sasl.jaas.config has no username and password", jaasExample(mechanism))
	}
	switch mechanism {
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: pass}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: pass}.AsSha512Mechanism(), nil
	}
	return plain.Auth{User: user, Pass: pass}.AsMechanism(), nil
}

func jaasExample(mechanism string) string {
	module := "scram.ScramLoginModule"
	if mechanism == "PLAIN" {
		module = "plain.PlainLoginModule"
	}
	return `for instance: org.apache.kafka.common.security.` + module + ` required username="u" password="${KAFKA_PASSWORD}";`
}

var jaasPair = regexp.MustCompile(`(\w+)\s*=\s*("((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')`)

// jaas finds user and password in a JAAS login module's line.
func jaas(line string) (user, pass string, ok bool) {
	found := map[string]string{}
	for _, m := range jaasPair.FindAllStringSubmatch(line, -1) {
		found[m[1]] = regexp.MustCompile(`\\(.)`).ReplaceAllString(m[3]+m[4], "$1")
	}
	user, ok1 := found["username"]
	pass, ok2 := found["password"]
	return user, pass, ok1 && ok2
}

// tlsConfig reads PEM stores, inline or from files.
func tlsConfig(sec map[string]string) (*tls.Config, *connectors.OptionError) {
	bad := func(key, msg, hint string) *connectors.OptionError {
		return &connectors.OptionError{Where: connectors.AtValue, Key: "properties." + key, Msg: msg, Hint: hint}
	}
	for _, store := range []string{"ssl.truststore", "ssl.keystore"} {
		_, located := sec[store+".location"]
		if t := sec[store+".type"]; located && !strings.EqualFold(t, "PEM") {
			return nil, bad(store+".location", "Java key stores are not supported",
				"turn it into PEM (keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12; openssl pkcs12 -in store.p12 -out store.pem -nodes) and set 'properties."+store+".type' = 'PEM'")
		}
	}
	read := func(inline, file string) ([]byte, *connectors.OptionError) {
		if s := sec[inline]; s != "" {
			return []byte(s), nil
		}
		f := sec[file]
		if strings.Contains(f, "-----BEGIN") { // the message of a failed read would show what may be a key
			return nil, bad(file, "properties."+file+" is a PEM text, not the name of a file", "set 'properties."+inline+"' to it")
		}
		if f != "" {
			b, err := os.ReadFile(f)
			if err != nil {
				return nil, bad(file, err.Error(), "")
			}
			return b, nil
		}
		return nil, nil
	}
	given := func(inline, file string) string { // where what was read stands
		if sec[inline] != "" {
			return inline
		}
		return file
	}
	if _, ok := sec["ssl.key.password"]; ok {
		return nil, bad("ssl.key.password", "keys with a password are not supported yet", "take the password off (openssl pkcs8 -in KEY -out PLAIN -topk8 -nocrypt), keep the file readable for streamd alone, and remove the option")
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	trust, err := read("ssl.truststore.certificates", "ssl.truststore.location")
	if err != nil {
		return nil, err
	}
	if trust != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(trust) {
			return nil, bad(given("ssl.truststore.certificates", "ssl.truststore.location"), "the trust store holds no PEM certificate", "it must hold text that begins with -----BEGIN CERTIFICATE-----")
		}
	}
	chain, err := read("ssl.keystore.certificate.chain", "ssl.keystore.location")
	if err != nil {
		return nil, err
	}
	if chain != nil {
		key, err := read("ssl.keystore.key", "ssl.keystore.location")
		if err != nil {
			return nil, err
		}
		pair, perr := tls.X509KeyPair(chain, key)
		if perr != nil {
			return nil, bad(given("ssl.keystore.key", "ssl.keystore.location"), "the key store is not usable: "+perr.Error(), "the private key must be in PKCS #8 or PKCS #1 PEM without a password")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if alg, ok := sec["ssl.endpoint.identification.algorithm"]; ok && alg != "https" {
		return nil, bad("ssl.endpoint.identification.algorithm", "host names are always checked", "remove the option, or give the brokers certificates with their names")
	}
	return c, nil
}
