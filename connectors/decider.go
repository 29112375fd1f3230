package connectors

import "context"

// EpochID identifies an epoch. A number alone does not: two copies of a state
// directory make the same one.
type EpochID struct {
	Number      uint64
	Incarnation int64
	CRC         uint32 // of the epoch's delta
}

// IsZero tells the id of no epoch.
func (e EpochID) IsZero() bool { return e == EpochID{} }

// Marker says on the deciding cluster that an epoch was decided.
type Marker struct {
	Lineage [16]byte
	ID      EpochID
}

// IsZero tells that there is no marker.
func (m Marker) IsZero() bool { return m == Marker{} }

// Claim is one start of a job.
type Claim struct {
	Incarnation int64 // offset of the claim in the control topic
	Host        string
	PID         int
	TopicID     [16]byte // UUID of the control topic
	Own         bool     // written by the Decider that returned it, perhaps in an incarnation before
}

// Decider is the job's Kafka cluster: what it committed is the truth.
//
// Order of calls: Look, Claim, then for each epoch with rows (or followers'
// rows) Decide; after any error Newer on the same value, then Close. A Decider
// is used for one incarnation; the engine gets a new one by Renew.
type Decider interface {
	// Look reads, without any transaction, the control topic's UUID, the last
	// visible marker and the newest claim; zero values where there are none.
	Look(ctx context.Context) (topicID [16]byte, m Marker, newest Claim, err error)
	// Claim fences older incarnations, writes the claim and returns it with the
	// last marker before it. hint is an offset at which a marker is known to stand.
	Claim(ctx context.Context, hint int64) (Claim, Marker, error)
	// Decide flushes what the sinks produced and commits it together with m (with
	// a zero marker: an ephemeral job's, no marker is written). markerAt is the
	// marker's offset, a hint for later.
	Decide(ctx context.Context, m Marker) (markerAt int64, err error)
	// Newer looks for a claim later than c: found = FENCED.
	Newer(ctx context.Context, c Claim) (Claim, bool, error)
	// Renew closes the clients of a failed incarnation and makes the value ready
	// for Look again.
	Renew() error
	Close() error
}
