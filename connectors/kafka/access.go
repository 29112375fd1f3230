package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

const compareProtocol = "compare 'properties.security.protocol' (PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL) and the port in 'properties.bootstrap.servers' with the broker's listeners"

// access tells what is wrong, and where to mend it, when the brokers do not let the client in. Other errors are returned
// unchanged. Neither the client's errors nor these texts hold a password.
func access(err error) error {
	var known *connectors.Access
	if err == nil || errors.As(err, &known) {
		return err
	}
	as := func(code, what, advice string) *connectors.Access {
		return &connectors.Access{Err: fmt.Errorf("%s: %w", what, err), Code: code, Advice: advice}
	}
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var closed *kgo.ErrFirstReadEOF
	switch text := err.Error(); {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return as(connectors.CodeLogin, "the broker refused the login",
			"check username and password in 'properties.sasl.jaas.config', and that 'properties.sasl.mechanism' is one that the user has a password for")
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return as(connectors.CodeLogin, "the broker does not offer this SASL mechanism",
			"set 'properties.sasl.mechanism' to one that the broker's sasl.enabled.mechanisms names: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	case errors.Is(err, kerr.IllegalSaslState):
		return as(connectors.CodeLogin, "the broker's listener takes no logins (SASL)", compareProtocol)
	case errors.As(err, &untrusted):
		return as(connectors.CodeTLS, "the broker's certificate is not trusted", trustAdvice(untrusted))
	case errors.As(err, &noTLS):
		return as(connectors.CodeTLS, "the broker's listener does not speak TLS", compareProtocol)
	case strings.Contains(text, "plaintext connection speaking to a tls endpoint"): // the client's error has no type
		return &connectors.Access{Err: errors.New("the broker's listener speaks TLS, and the client does not"), Code: connectors.CodeTLS, Advice: compareProtocol}
	case strings.Contains(text, "remote error: tls: "): // an alert; its type is not exported
		return as(connectors.CodeTLS, "the broker ended the TLS handshake",
			"the listener may want a certificate of the client: set 'properties.ssl.keystore.type' = 'PEM', 'properties.ssl.keystore.certificate.chain' and 'properties.ssl.keystore.key', signed by an authority that the broker trusts")
	case errors.As(err, &closed):
		a := as(connectors.CodeTLS, "no answer", compareProtocol)
		a.Maybe = true // so does a broker that is stopping, or a proxy whose broker is away
		return a
	}
	for _, r := range rights {
		if errors.Is(err, r.refused) {
			return as(connectors.CodeRights, "the user may not do this", r.advice)
		}
	}
	return err
}

// rights are the kinds of what a user may lack (ACLs), with what to give.
var rights = []struct {
	refused error
	advice  string
}{
	{kerr.TopicAuthorizationFailed, "give the user READ and DESCRIBE on the topics of sources, WRITE, DESCRIBE and DESCRIBE_CONFIGS on those of sinks, CREATE on topics that do not exist yet; with a state, all of these on the control topic __streamd.<instance>.<job>"},
	{kerr.TransactionalIDAuthorizationFailed, "give the user WRITE and DESCRIBE on the transactional id streamd.<instance>.<job>; on ids that begin with it for a job without state"},
	{kerr.GroupAuthorizationFailed, "give the user READ and DESCRIBE on the group of 'properties.group.id'"},
	{kerr.ClusterAuthorizationFailed, "give the user CREATE on the topics that do not exist yet, or make them first; brokers before 3.0 also want IDEMPOTENT_WRITE on the cluster"},
}

func trustAdvice(err *tls.CertificateVerificationError) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return "the certificate is for other names: write one of them in 'properties.bootstrap.servers' (the brokers' advertised.listeners count, too), or give the brokers a certificate with theirs"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate; if it is valid, the clock of this machine is wrong"
	}
	return "put the certificate of the authority that signed the broker's (PEM) into 'properties.ssl.truststore.location', with 'properties.ssl.truststore.type' = 'PEM', or inline into 'properties.ssl.truststore.certificates'"
}
