package connectors

import "fmt"

// Codes of refusals and of permanent errors that have one of their own. Package
// state has those about the state directory.
const (
	CodeFenced        = "SD7020"
	CodeDrained       = "SD7021"
	CodeOtherPipeline = "SD7022"
	CodeControlUnfit  = "SD7023"
	CodeTopicReplaced = "SD7024"
	CodeDataLost      = "SD7025"
	CodeFileChanged   = "SD7026" // a Permanent
	CodeLogin         = "SD6911" // an Access
	CodeTLS           = "SD6912" // an Access
	CodeRights        = "SD6913" // an Access
)

// Code explains a code to the user.
type Code struct {
	Code, Name, Title, Explanation, Example, WayOut string
}

// Codes lists the codes of this package, for the documentation.
var Codes = []Code{
	{CodeFenced, "FENCED", "Fenced by a newer start",
		"The job was started again, here or elsewhere, with this name on this Kafka cluster. The newer start owns the job; this one ended without deciding anything more.",
		"FENCED: a newer start of this job (incarnation 12, pid 4711 on host-b) has taken over from incarnation 9",
		"let the newer one run; never start two copies of one state directory"},
	{CodeDrained, "STATE DRAINED", "The state was drained",
		"An earlier run with this state read its bounded input to the end and sent the last watermark: its windows are closed, and rows that come now would all be late.",
		"STATE DRAINED: an earlier run with this state sent the last watermark (--at-end drain)",
		"run with --at-end stop from the start, or take a fresh --state under a new --name"},
	{CodeOtherPipeline, "STATE OF ANOTHER PIPELINE", "The pipeline changed",
		"The file changed in such a way that operators with state are gone, new ones would begin without theirs, or a table is gone that has yet to get rows that were decided.",
		"STATE OF ANOTHER PIPELINE: the pipeline has changed: lost GroupAggregate by k (groups)",
		"run the old file, or take a fresh --state under a new --name"},
	{CodeControlUnfit, "CONTROL TOPIC UNFIT", "The control topic's settings or records endanger it",
		"The job's control topic must be compacted, never expire, have one partition and no unclean elections, and hold records of this job alone.",
		"CONTROL TOPIC UNFIT: topic __streamd.default.orders has cleanup.policy=delete, it must be compact",
		"change the topic's settings as the message says"},
	{CodeTopicReplaced, "TOPIC REPLACED", "A source topic was replaced",
		"A source topic was deleted and made anew: the saved offsets mean nothing in it.",
		"TOPIC REPLACED: topic orders was deleted and created again after the job read it up to orders/0/4711",
		"'scan.on-recreate' = 'earliest' or 'latest' says where to go on"},
	{CodeDataLost, "DATA LOST", "Records were removed before they were read",
		"The saved offset is no longer in the topic. BY RETENTION: older records were removed before they were read. Without that: the topic ends before the offset, for it lost acknowledged records.",
		"DATA LOST BY RETENTION: orders/0: needed offset 4711, the log starts at 9000",
		"'scan.on-data-loss' = 'earliest' or 'latest' says where to go on; raise the topic's retention"},
	{CodeFileChanged, "FILE CHANGED", "A source file changed",
		"The part of a file that was read already is not what it was. Files may grow, never change.",
		"file in/orders.json was changed: it is shorter than what was read of it",
		"put the file back, or take a fresh --state under a new --name"},
	{CodeLogin, "LOGIN REFUSED", "The cluster refuses the login",
		"The cluster can be reached and does not let the user in: the password or the user's name is wrong, or the listener wants another SASL mechanism, or none.",
		"the broker refused the login: SASL_AUTHENTICATION_FAILED",
		"check 'properties.sasl.jaas.config', 'properties.sasl.mechanism' and 'properties.security.protocol'"},
	{CodeTLS, "TLS FAILED", "No secure connection to the cluster",
		"The client and the cluster's listener cannot agree on a connection: the certificate of one is not trusted by the other, or one of them speaks TLS and the other does not.",
		"the broker's certificate is not trusted: x509: certificate signed by unknown authority",
		"check 'properties.security.protocol', the port in 'properties.bootstrap.servers', and 'properties.ssl.truststore.*'"},
	{CodeRights, "NOT AUTHORIZED", "The user lacks a right",
		"The cluster let the user in, and its access control lists (ACLs) do not let the user use a topic, a group or a transactional id.",
		"the user may not do this: TOPIC_AUTHORIZATION_FAILED: Not authorized to access topics",
		"give the user the rights that operating.md lists for topics, control topic, transactional id and group"},
}

// Permanent marks an error that a repeat cannot mend: the job fails at once.
type Permanent struct {
	Err  error
	Code string // of the documentation; may be empty
}

func (p *Permanent) Error() string { return p.Err.Error() }

// Unwrap returns the cause.
func (p *Permanent) Unwrap() error { return p.Err }

// Refused is a finding after which the job must not go on by itself: it ends in
// state REFUSED, all files stay as they are, and a restart would find the same.
type Refused struct {
	Code   string // SD7xxx
	What   string // in capitals, as the documentation lists it: "STATE LOST"
	Why    string
	Advice string
}

func (r *Refused) Error() string { return r.What + ": " + r.Why + " (" + r.Advice + ")" }

// Refuse makes the refusal of a code of this package, with its name.
func Refuse(code, advice, why string, a ...any) *Refused {
	for _, c := range Codes {
		if c.Code == code {
			return &Refused{Code: code, What: c.Name, Why: fmt.Sprintf(why, a...), Advice: advice}
		}
	}
	panic("BUG: no code " + code)
}

// FencedBy is the refusal of an incarnation that a newer one has taken over
// from: never recover from that.
func FencedBy(newer Claim) *Refused {
	return Refuse(CodeFenced, "let the newer one run; do not start two copies of one state directory",
		"the job was started again as incarnation %d on host %s, pid %d", newer.Incarnation, newer.Host, newer.PID)
}
