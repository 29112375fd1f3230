package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/connectors"
)

func TestAccess(t *testing.T) {
	untrusted := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for _, tc := range []struct {
		err                error
		code, says, advice string
		maybe, permanent   bool
	}{
		{kerr.SaslAuthenticationFailed, connectors.CodeLogin, "refused the login", "sasl.jaas.config", false, true},
		{kerr.UnsupportedSaslMechanism, connectors.CodeLogin, "does not offer", "sasl.enabled.mechanisms", false, true},
		{kerr.IllegalSaslState, connectors.CodeLogin, "takes no logins", "security.protocol", false, false},
		{untrusted(x509.UnknownAuthorityError{}), connectors.CodeTLS, "not trusted", "ssl.truststore.location", false, false},
		{untrusted(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "b"}), connectors.CodeTLS, "not trusted", "for other names", false, false},
		{untrusted(x509.CertificateInvalidError{Reason: x509.Expired}), connectors.CodeTLS, "not trusted", "renew the certificate", false, false},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, connectors.CodeTLS, "does not speak TLS", "security.protocol", false, false},
		{errors.New("remote error: tls: bad certificate"), connectors.CodeTLS, "ended the TLS handshake", "ssl.keystore.certificate.chain", false, false},
		{errors.New("invalid large response size; is this a plaintext connection speaking to a tls endpoint?"), connectors.CodeTLS, "speaks TLS, and the client does not", "security.protocol", false, false},
		{kerr.TopicAuthorizationFailed, connectors.CodeRights, "may not do this", "control topic", false, true},
		{kerr.TransactionalIDAuthorizationFailed, connectors.CodeRights, "may not do this", "transactional id", false, true},
		{kerr.GroupAuthorizationFailed, connectors.CodeRights, "may not do this", "properties.group.id", false, true},
		{&kgo.ErrFirstReadEOF{}, connectors.CodeTLS, "no answer", "security.protocol", true, false},
	} {
		err := permanent(fmt.Errorf("metadata: %w", tc.err))
		var a *connectors.Access
		var p *connectors.Permanent
		if !errors.As(err, &a) || a.Code != tc.code || !strings.Contains(err.Error(), tc.says) || !strings.Contains(a.Advice, tc.advice) || a.Maybe != tc.maybe {
			t.Errorf("%v becomes %+v", tc.err, err)
		}
		if errors.As(err, &p) != tc.permanent {
			t.Errorf("%v: permanent is %v", tc.err, !tc.permanent)
		}
		if again := permanent(err); again.Error() != err.Error() {
			t.Errorf("said twice: %v", again)
		}
	}
	for _, err := range []error{nil, errors.New("connection refused"), kerr.UnknownTopicOrPartition} {
		if got := permanent(err); got != err { //nolint:errorlint // unchanged, not only wrapped
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
