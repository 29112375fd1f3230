package engine

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/streamd/streamd/operators"
)

// Metrics shows jobs to Prometheus, in a registry of its own. It is a listener:
// wrap the Options' Events with Events, and serve Handler.
//
//	m := engine.NewMetrics()
//	e, err := engine.Open(ctx, engine.Options{Events: m.Events(engine.Events{})})
type Metrics struct {
	reg    *prometheus.Registry
	decide *prometheus.HistogramVec
	pause  *prometheus.HistogramVec
	delta  *prometheus.CounterVec
	mu     sync.Mutex
	jobs   map[string]*Job // by name: the newest
}

// Descriptions of what is read from Job.Stats at each scrape. No label has a
// value per key, so that the number of series is bounded by the plan.
var (
	descOperator = desc("operator_records_total", "Rows that an operator emitted.", "operator", "direction")
	descSource   = desc("source_records_total", "Rows that a table's source gave.", "table")
	descLag      = desc("source_lag_records", "Records that are known to wait in a source.", "table")
	descWM       = desc("watermark_lag_seconds", "How far a table's watermark is behind the clock.", "table")
	descUntold   = desc("source_group_commit_failures_total", "Times that a table's consumer group could not be told how far the job has read.", "table")
	descLate     = desc("late_records_total", "Rows that came behind the watermark.")
	descDropped  = desc("dropped_records_total", "Rows that were not used, by reason.", "reason")
	descLetters  = desc("dead_letter_records_total", "Dead letters of decided epochs.")
	descSinks    = desc("sink_records_total", "Rows of decided epochs at all sinks.")
	descSteps    = desc("steps_total", "Steps taken.")
	descState    = desc("state_bytes", "Bytes of live state.")
	descEpoch    = desc("epoch", "Number of the newest decided epoch.")
	descEpochAge = desc("epoch_age_seconds", "Time since the newest decided epoch.")
	descRestarts = desc("restarts_total", "Recoveries from a fault.")
	descStep     = desc("step_seconds", "How long steps took.")
	descCommit   = desc("ingest_to_commit_seconds", "From the reading of an epoch's first row to its decision: the latency of exactly-once output.")
	descHeld     = desc("backpressure_seconds_total", "How long steps had to wait for the disk, a sink or a decision.")
	descGivenUp  = desc("checkpoint_failures_total", "Epochs that were given up because of an error.")
	descPaused   = desc("disk_paused", "1 while nothing is read because a disk is nearly full.")
	descUp       = desc("job_up", "1 while the job takes steps.", "state")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("streamd_"+name, help, append([]string{"job"}, labels...), nil)
}

// NewMetrics returns metrics without any job yet.
func NewMetrics() *Metrics {
	m := &Metrics{reg: prometheus.NewRegistry(), jobs: map[string]*Job{},
		decide: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "streamd_checkpoint_duration_seconds",
			Help: "From the end of an epoch's last step to its decision.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"job"}),
		pause: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "streamd_checkpoint_pause_seconds",
			Help: "How long the workers stood still for an epoch.", Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16)}, []string{"job"}),
		delta: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "streamd_checkpoint_bytes_total", Help: "Bytes of deltas written."}, []string{"job"}),
	}
	m.reg.MustRegister(m, m.decide, m.pause, m.delta)
	return m
}

// Registry returns the registry, for programs that add their own.
func (m *Metrics) Registry() *prometheus.Registry { return m.reg }

// Handler serves the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{})
}

// Events returns callbacks that feed m and then call next.
func (m *Metrics) Events(next Events) Events {
	return Events{
		State: func(j *Job, s JobState, why string) {
			m.mu.Lock()
			m.jobs[j.Name] = j
			m.mu.Unlock()
			if next.State != nil {
				next.State(j, s, why)
			}
		},
		Epoch: func(j *Job, e EpochInfo) {
			m.decide.WithLabelValues(j.Name).Observe(float64(e.TotalMicros) / 1e6)
			m.pause.WithLabelValues(j.Name).Observe(float64(e.PauseMicros) / 1e6)
			m.delta.WithLabelValues(j.Name).Add(float64(e.Bytes))
			if next.Epoch != nil {
				next.Epoch(j, e)
			}
		},
	}
}

// Describe sends nothing: the series depend on the jobs, so the collector is unchecked.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads the jobs' statistics.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	jobs := make([]*Job, 0, len(m.jobs))
	for _, j := range m.jobs {
		jobs = append(jobs, j)
	}
	m.mu.Unlock()
	for _, j := range jobs {
		state, _ := j.State()
		collect(out, j.Name, state, j.Stats(), j.clock())
		paused := 0.0
		if j.full() != "" {
			paused = 1
		}
		out <- prometheus.MustNewConstMetric(descPaused, prometheus.GaugeValue, paused, j.Name)
	}
}

func collect(out chan<- prometheus.Metric, job string, state JobState, s Stats, now time.Time) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, t, v, append([]string{job}, labels...)...)
	}
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	// Several operators may have one name: their rows are summed, for a series
	// may be sent once only.
	rows := map[string]int64{}
	for _, o := range s.Operators {
		rows[o.Op] += o.Rows
	}
	for op, n := range rows {
		send(descOperator, counter, float64(n), op, "out")
	}
	sources := map[string]SourceStats{}
	for _, t := range s.Sources {
		x, ok := sources[t.Table]
		if !ok {
			x.Watermark, x.Lag = t.Watermark, t.Lag
		}
		x.Rows += t.Rows
		sources[t.Table] = x
	}
	for table, t := range sources {
		send(descSource, counter, float64(t.Rows), table)
		if t.Lag >= 0 {
			send(descLag, gauge, float64(t.Lag), table)
		}
		if wm := operators.WM(t.Watermark); wm > operators.WMStart && wm < operators.WMEnd {
			send(descWM, gauge, now.Sub(time.UnixMicro(t.Watermark)).Seconds(), table)
		}
	}
	dropped := map[string]int64{}
	for k, n := range s.Rejected {
		reason, _, _ := strings.Cut(k, " ")
		dropped[reason] += n
	}
	for reason, n := range dropped {
		send(descDropped, counter, float64(n), reason)
	}
	for table, n := range s.Unpublished {
		send(descUntold, counter, float64(n), table)
	}
	send(descLate, counter, float64(s.Late))
	send(descLetters, counter, float64(s.DeadLetters))
	send(descSinks, counter, float64(s.RowsOut))
	send(descSteps, counter, float64(s.Steps))
	send(descState, gauge, float64(s.StateBytes))
	send(descEpoch, gauge, float64(s.Epoch))
	if s.LastEpochMicros > 0 {
		send(descEpochAge, gauge, now.Sub(time.UnixMicro(s.LastEpochMicros)).Seconds())
	}
	send(descHeld, counter, float64(s.HeldMicros)/1e6)
	send(descGivenUp, counter, float64(s.FailedEpochs))
	out <- s.StepTimes.metric(descStep, job)
	out <- s.CommitTimes.metric(descCommit, job)
	send(descRestarts, counter, float64(s.Restarts))
	up := 0.0
	if state == Running {
		up = 1
	}
	send(descUp, gauge, up, state.String())
}

// metric shows h to Prometheus, whose buckets hold all that is not longer.
func (h *Histogram) metric(d *prometheus.Desc, job string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(h.Buckets))
	sum, most := uint64(0), 100e-6
	for _, n := range h.Buckets {
		sum += uint64(n)
		buckets[most] = sum
		most *= 2
	}
	return prometheus.MustNewConstHistogram(d, uint64(h.Count), float64(h.Micros)/1e6, buckets, job)
}
