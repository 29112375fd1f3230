package engine

// Events are callbacks; logs, metrics and status lines are listeners. They are
// called from the engine's goroutines and must return soon. A panic in one is
// logged.
type Events struct {
	State func(j *Job, s JobState, why string) // the job changed its state
	Epoch func(j *Job, e EpochInfo)            // an epoch was decided
}

// EpochInfo describes a decided epoch.
type EpochInfo struct {
	Number      uint64
	Incarnation int64
	Kind        string // "kafka" or "silent"
	Rows        int64  // rows at all sinks
	Dirty       int64  // state rows written
	Bytes       int64  // of the delta
	PauseMicros int64  // how long the workers stood still
	TotalMicros int64  // from the seal to the decision
}
