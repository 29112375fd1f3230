package kafkatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Secure is how clients reach the real broker over TLS and SASL. Each listener takes the certificates of CA; those with
// SASL know one user, with the same password under every mechanism.
type Secure struct {
	SSL           string // host:port, TLS
	MutualSSL     string // TLS, the client needs a certificate
	SASLPlaintext string // PLAIN and SCRAM in the clear
	SASLSSL       string // PLAIN and SCRAM over TLS

	User, Password string // may do everything
	Guest          string // the same password, PLAIN only; where a resource has ACLs it may do just what they allow

	CA                    string // file: PEM certificate of the broker's authority
	OtherCA               string // file: PEM certificate of an authority that signed nothing here
	ClientCert, ClientKey string // files: PEM, signed by CA
	ClientStore           string // file: both in one
	brokerStore           string // file: the broker's key and certificate
}

const securedListeners = 4

// secured makes the certificates of a broker in dir and says where its secured listeners will be, from a port on. extra
// are arguments for formatting the broker's storage.
func secured(port int, dir string) (s *Secure, extra []string, err error) {
	addr := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", port+i) }
	s = &Secure{SSL: addr(0), MutualSSL: addr(1), SASLPlaintext: addr(2), SASLSSL: addr(3), User: "alice", Guest: "carol", Password: "Gehe1m-77"}
	ca, err := newAuthority("streamd test")
	if err != nil {
		return nil, nil, err
	}
	other, err := newAuthority("somebody else")
	if err != nil {
		return nil, nil, err
	}
	brokerCert, brokerKey, err := ca.sign("broker")
	if err != nil {
		return nil, nil, err
	}
	clientCert, clientKey, err := ca.sign("client")
	if err != nil {
		return nil, nil, err
	}
	for name, f := range map[string]struct {
		path *string
		text string
	}{
		"ca.pem": {&s.CA, ca.pem}, "other-ca.pem": {&s.OtherCA, other.pem}, "broker.pem": {&s.brokerStore, brokerKey + brokerCert},
		"client-cert.pem": {&s.ClientCert, clientCert}, "client-key.pem": {&s.ClientKey, clientKey},
		"client.pem": {&s.ClientStore, clientKey + clientCert},
	} {
		*f.path = filepath.Join(dir, name)
		if err := os.WriteFile(*f.path, []byte(f.text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		extra = append(extra, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", m, s.User, s.Password))
	}
	return s, extra, nil
}

// properties returns the further listeners and the settings of a broker's configuration.
func (s *Secure) properties() (listeners, settings string) {
	var b strings.Builder
	b.WriteString("listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,MUTUAL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n")
	for _, l := range []struct{ name, addr string }{{"SSL", s.SSL}, {"MUTUAL", s.MutualSSL}, {"SASL_PLAINTEXT", s.SASLPlaintext}, {"SASL_SSL", s.SASLSSL}} {
		listeners += "," + l.name + "://" + l.addr
		set := func(format string, args ...any) {
			fmt.Fprintf(&b, "listener.name.%s."+format+"\n", append([]any{strings.ToLower(l.name)}, args...)...)
		}
		if l.name != "SASL_PLAINTEXT" {
			set("ssl.keystore.type=PEM")
			set("ssl.keystore.location=%s", s.brokerStore)
			set("ssl.truststore.type=PEM")
			set("ssl.truststore.location=%s", s.CA)
		}
		if l.name == "MUTUAL" {
			set("ssl.client.auth=required")
		}
		if strings.HasPrefix(l.name, "SASL") {
			set("sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512")
			set(`plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s" user_%s="%s";`, s.User, s.Password, s.Guest, s.Password)
			for _, m := range []string{"scram-sha-256", "scram-sha-512"} {
				set("%s.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;", m)
			}
		}
	}
	fmt.Fprintf(&b, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true\nsuper.users=User:ANONYMOUS;User:CN=client;User:%s\n", s.User)
	return listeners, b.String()
}
