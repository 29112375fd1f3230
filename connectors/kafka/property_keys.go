package kafka

import "github.com/streamd/streamd/connectors"

// PropertyKeys are the properties.* that have a meaning here, for the documentation. What is refused stands here, too:
// others of the Java client are named in a note and have no effect.
var PropertyKeys = []connectors.OptionKey{
	{Key: "bootstrap.servers", Default: "of --kafka", Doc: "brokers to ask first, HOST:PORT, separated by commas"},
	{Key: "group.id", Doc: "consumer group: where reading starts in mode group-offsets, and what is told how far a job with a state has read"},
	{Key: "commit.offsets.on.checkpoint", Default: "true", Doc: "false: the group is told nothing"},
	{Key: "auto.offset.reset", Doc: "where reading starts when the group has no offset, or one that the log does not hold: earliest, latest, none"},
	{Key: "isolation.level", Default: "read_committed", Doc: "nothing else is possible"},
	{Key: "compression.type", Default: "none", Doc: "of what is written: none, gzip, snappy, lz4, zstd; all sinks of a job share it, those that do not say it, too"},
	{Key: "client.id", Default: "streamd", Doc: "name in the brokers' logs and quotas"},
	{Key: "client.rack", Doc: "read from replicas of this rack"},
	{Key: "security.protocol", Default: "PLAINTEXT", Doc: "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"},
	{Key: "sasl.mechanism", Doc: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; GSSAPI and OAUTHBEARER are not supported yet"},
	{Key: "sasl.jaas.config", Doc: "a login module's line: username and password are taken from it"},
	{Key: "ssl.truststore.type", Default: "PEM", Doc: "PEM; Java key stores are refused, with the keytool line that turns one into PEM"},
	{Key: "ssl.truststore.location", Default: "the system's authorities", Doc: "file with the authorities' certificates; needs ssl.truststore.type = PEM"},
	{Key: "ssl.truststore.certificates", Doc: "the same, inline"},
	{Key: "ssl.keystore.type", Default: "PEM", Doc: "PEM"},
	{Key: "ssl.keystore.location", Doc: "file with the client's key and certificates; needs ssl.keystore.type = PEM"},
	{Key: "ssl.keystore.certificate.chain", Doc: "the client's certificates, inline"},
	{Key: "ssl.keystore.key", Doc: "the client's key, inline: PKCS #8 or PKCS #1, without a password"},
	{Key: "ssl.key.password", Doc: "refused: keys with a password are not supported yet"},
	{Key: "ssl.endpoint.identification.algorithm", Default: "https", Doc: "host names are always checked: nothing else is possible"},
	{Key: "transactional.id", Doc: "refused, as enable.idempotence and acks are: rows are written in transactions of the job"},
}
