package connectors

import (
	"context"

	"github.com/streamd/streamd/batch"
)

// Changelog says what a source's rows mean or what a sink can take.
type Changelog uint8

const (
	AppendOnly Changelog = iota // only new rows
	Upserts                     // by primary key: +1 sets the row of its key, -1 deletes it (only the key is filled)
	Retracts                    // weighted rows: -1 takes away a row given in full
)

// Source is a set of splits (Kafka partitions, files, generators) that can be
// read independently. Its methods are called from one goroutine at a time.
type Source interface {
	Info() SourceInfo
	// Splits lists what there is now; the engine asks again every
	// Info().Discover while the job runs. Order is the order of reading.
	Splits(ctx context.Context) ([]Split, error)
	// Ends tells by split id where each of splits ends now, as a position; for
	// UntilIdle. An absent entry: the split is empty.
	Ends(ctx context.Context, splits []Split) (map[string][]byte, error)
	// Check compares a saved position with what the source holds now: nil, or an
	// error that says what was lost or replaced. It runs before Open at recovery.
	Check(ctx context.Context, s Split, pos []byte) error
	// Open starts fetching a split in the background. from nil: where the options
	// say; until nil: for ever, or to the split's own end. want is what Read fills.
	Open(ctx context.Context, s Split, from, until []byte, want Want) (Reader, error)
	// Close is called when the job has ended, and may be repeated.
	Close() error
}

// SourceInfo is what the planner and the engine must know of a source.
type SourceInfo struct {
	Identity   string        // connector and topic, path or generator settings: part of state identity
	Changes    Changelog     // what its rows mean
	Bounded    bool          // ends by itself
	Generator  bool          // has no end that could be asked for: refused under UntilIdle unless Bounded
	Sequential bool          // a worker opens a split only when its split before it has ended
	DiscoverMs int64         // ask for new splits every so often; 0 = never
	Publishes  bool          // it is Publishing and wants to be told
	Live       bool          // records carry wall-clock event times (Kafka): scan.watermark.future-skew applies
	Columns    []batch.Field // extra columns the source always appends, normally none
}

// Healthy is a source that knows whether what it reads from answers now. It is
// asked from any goroutine while the job runs.
type Healthy interface {
	Health() error // nil = it answers
}

// Split names one part of a source.
type Split struct {
	ID    string // stable over restarts: "topic/3", a path, "0"
	Empty bool   // held nothing when the job started: does not hold the watermark back
}

// Want says which columns of the table are read. Read appends to every column
// of the batch; those that are not wanted get nulls (or zero values).
type Want struct {
	Cols   []bool         // by column of TableDef.Schema
	Fields map[int][]bool // by ROW column: which of its fields are read; absent = all of them
	Pos    bool           // fill batch column $pos (split and offset, for messages)
	Raw    bool           // fill batch column $raw and BadRecord.Origin (the record, for dead letters)
	Table  int            // of Raw: Origin.Table
}

// Has tells whether column c is read. The zero Want reads every column.
func (w Want) Has(c int) bool { return w.Cols == nil || c < len(w.Cols) && w.Cols[c] }

// HasField tells whether field f of ROW column c is read.
func (w Want) HasField(c, f int) bool {
	if !w.Has(c) {
		return false
	}
	list, ok := w.Fields[c]
	return !ok || f < len(list) && list[f]
}

// Reader hands over what has arrived of one split. One worker calls it, from
// one goroutine; what it fetches in the background is bounded.
type Reader interface {
	// Read appends at most max rows to dst.Batch, and records that cannot be
	// decoded to dst.Bad; it never blocks. more tells that rows are left that
	// could be read at once. done is true after the last row of a split that ends.
	Read(dst *Dst, max int) (more, done bool, err error)
	// Position returns where to go on after everything Read has returned.
	Position() []byte
	// Lag returns how many records are known to wait, or -1.
	Lag() int64
	Close() error
}

// Marking is a Reader that has a say in its split's watermark. Mark returns the
// highest watermark its source itself has given up to where Read has come, as the
// value of a WATERMARK expression in µs, or math.MinInt64; while held is true the
// table's watermark stays where it is.
type Marking interface{ Mark() (wm int64, held bool) }

// Placer is a Reader that can say where a row stood: Place(i) names the place of
// the i-th row, from 0, of those the last Read returned, "topic/partition/offset"
// or "file:line".
type Placer interface{ Place(i int) string }

// Dst receives rows. Batch has one vector for each column of the table's
// schema; the reader appends to every one of them, sets weights (AddWeight) and
// counts N. The engine writes Runs.
type Dst struct {
	Batch *batch.Batch
	Bad   []BadRecord
}

// BadRecord is a record that gave no row, or gave one with a field set to NULL.
type BadRecord struct {
	Code    string // SD6xxx
	Place   string // "topic/partition/offset" or "file:line"
	Field   string // the column, where one is to blame
	Msg     string
	Raw     []byte // the record's bytes, at most 64 KiB, copied
	Kept    bool   // ignore-parse-errors: counted only, a row with NULL was made
	Skipped bool   // ignore-parse-errors: counted only, no row was made
	After   int    // rows of the batch before it
	Origin  Origin // under Want.Raw: the whole record, its bytes not reused
}

// Waker is told by background goroutines that rows have arrived, so that an
// idle job starts a step. The engine sets it with SetWake before Open.
type Waker interface{ SetWake(func()) }

// Spreader is a Source that can be cut into as many splits as there are
// workers. The engine calls Spread before Splits, with the ids of the splits
// whose positions were saved, none in a fresh job; the saved cut stays.
type Spreader interface {
	Spread(workers int, saved []string)
}

// Publishing is a Source that shows the outside how far a job with a state has
// got, as the offsets of a consumer group. What it shows is never recovered from.
type Publishing interface {
	// Publish is told after each decided epoch, and after a recovery, where the
	// splits go on. It comes from any goroutine, never from two at a time, and must
	// return at once.
	Publish(positions map[string][]byte)
	// PublishFailures is how often that could not be shown. Any goroutine asks.
	PublishFailures() int64
}

// Deciding is a Source whose cluster can decide the epochs of a job that has
// state and no sink with a Decider of its own.
type Deciding interface{ Decider() Decider }
