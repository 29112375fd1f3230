package connectors

import (
	"io"
	"time"

	"github.com/streamd/streamd/batch"
)

// Connector makes sources, sinks or both from a CREATE TABLE.
type Connector struct {
	Name   string // the value of 'connector'
	Doc    string // one sentence for `streamd connectors`
	Keys   []OptionKey
	Source func(*TableDef) (Source, error) // nil if it cannot be read
	Sink   func(*TableDef) (Sink, error)   // nil if it cannot be written
}

// OptionKey describes one WITH option: for near names, docs and notes. A Key
// that ends in ".*" stands for a family ("properties.*", "fields.#.*").
type OptionKey struct {
	Key, Default, Doc string
	Ignored           bool // accepted because Flink files carry it; without effect here
}

// TableDef is a CREATE TABLE as a connector sees it. Source and Sink return an
// *OptionError (or several, as OptionErrors) for what is wrong in it.
type TableDef struct {
	Name       string
	Schema     *batch.Schema // physical and metadata columns in order; no computed columns
	Meta       []string      // by column: the metadata key it reads or writes; "" = physical
	Virtual    []bool        // by column: METADATA ... VIRTUAL, not written by a sink
	PrimaryKey []int
	PartBy     []int // PARTITIONED BY
	Options    *Options
	Job        *Job
	Zone       string // table.local-time-zone
	Select     int    // n: the result of the n-th bare SELECT of the file, which is printed; 0 = a table
}

// Job is what the connectors of one job share. It outlives none of them.
type Job struct {
	Name, Instance string
	Ephemeral      bool           // no state directory: exactly once within the run only
	Kafka          string         // default of properties.bootstrap.servers (--kafka); may be empty
	UntilIdle      bool           // unbounded sources end at what they hold at the start
	Interval       time.Duration  // epoch interval, 0 = 1 s: transactions must outlive it
	Stop           bool           // the job ends by stop (--at-end): its sources go on in a later run; else what has ended, has ended for good
	Notice         func(string)   // says a line to the user (stderr); never nil
	Stdout, Stderr io.Writer      // where print writes rows; never nil
	Format         string         // of printed rows: "text" or "json" (--format)
	shared         map[string]any // by Shared
}

// Shared returns the job-wide value under key, made by mk at the first call. It
// is called while a job is being built, from one goroutine.
func (j *Job) Shared(key string, mk func() any) any {
	if j.shared == nil {
		j.shared = map[string]any{}
	}
	v, ok := j.shared[key]
	if !ok {
		v = mk()
		j.shared[key] = v
	}
	return v
}
