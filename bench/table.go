package main

import "fmt"

// ceilings are what single-purpose loops reached, in million events per second
// and core, generator included, where the generator alone made 68.
var ceilings = map[string]float64{"q0": 68, "q1": 65, "q2": 58, "q3": 53, "q4": 12, "q5": 28, "q7": 16, "q8": 54, "q9": 11, "q12": 47,
	"q14": 51, "q15": 26, "q16": 5.2, "q17": 24, "q18": 8, "q19": 18, "q20": 15, "q21": 21, "q22": 24, "q23": 16}

const ceilingG = 68

// report is what one run of bench measured.
type report struct {
	Machine     string   `json:"machine"`
	Cores       int      `json:"cores"`
	Go          string   `json:"go"`
	Date        string   `json:"date"`
	Events      int64    `json:"events"`
	Workers     int      `json:"workers"`
	Runs        int      `json:"runs"`
	Flink       string   `json:"flink,omitempty"` // its version, where it was measured
	FlinkEvents int64    `json:"flink_events,omitempty"`
	FlinkWarm   int      `json:"flink_warm_runs,omitempty"` // in its process, before the one that counts
	Results     []result `json:"results"`
}

// result is one line of the table.
type result struct {
	Query        string  `json:"query"`
	Events       int64   `json:"events"`
	CPUSeconds   float64 `json:"cpu_seconds"`
	WallSeconds  float64 `json:"wall_seconds"`
	PerCPUSecond float64 `json:"events_per_cpu_second"`
	OfG          float64 `json:"ratio_to_generator"`
	OfCeiling    float64 `json:"ratio_to_ceiling,omitempty"`
	OfK          float64 `json:"ratio_to_poll_loop,omitempty"`
	OfOne        float64 `json:"wall_ratio_to_one_worker,omitempty"`
	PeakMB       float64 `json:"peak_mb"`
	StateBytes   int64   `json:"state_bytes,omitempty"`
	Flink        *peer   `json:"flink,omitempty"`
	Error        string  `json:"error,omitempty"`
}

// peer is the same query elsewhere. Cold counts the whole process from its start to
// the end of its first run, warm a later run in the same process, of as many events.
type peer struct {
	ColdPerCPUSecond float64 `json:"cold_events_per_cpu_second"`
	WarmPerCPUSecond float64 `json:"warm_events_per_cpu_second"`
	Ratio            float64 `json:"ratio_to_warm"` // how many times as fast streamd is
	Error            string  `json:"error,omitempty"`
}

const columns = "%-9s %14s %8s %8s %9s %9s %9s %12s %12s %8s\n"

func (r *report) head(flink string) {
	fmt.Printf("%s, %d cores, %s; %d events, %d workers, median of %d\n%s\n\n", r.Machine, r.Cores, r.Go, r.Events, r.Workers, r.Runs, flink)
	fmt.Printf(columns, "query", "events/cpu s", "of G", "ceiling", "wall s", "peak MB", "state MB", "flink cold", "flink warm", "ratio")
}

// add prints and keeps a line.
func (r *report) add(x result) {
	r.Results = append(r.Results, x)
	if x.Error != "" {
		fmt.Printf("%-9s %s\n", x.Query, x.Error)
		return
	}
	ceiling, state, cold, warm, ratio := "", "", "", "", ""
	if x.OfCeiling > 0 {
		ceiling = fmt.Sprintf("%.2f", x.OfCeiling)
	}
	if x.StateBytes > 0 {
		state = fmt.Sprintf("%.1f", float64(x.StateBytes)/(1<<20))
	}
	if f := x.Flink; f != nil {
		cold, warm, ratio = fmt.Sprintf("%.0f", f.ColdPerCPUSecond), fmt.Sprintf("%.0f", f.WarmPerCPUSecond), fmt.Sprintf("%.1f", f.Ratio)
	}
	fmt.Printf(columns, x.Query, fmt.Sprintf("%.0f", x.PerCPUSecond), fmt.Sprintf("%.3f", x.PerCPUSecond/r.Results[0].PerCPUSecond), ceiling,
		fmt.Sprintf("%.2f", x.WallSeconds), fmt.Sprintf("%.0f", x.PeakMB), state, cold, warm, ratio)
	if x.Flink != nil && x.Flink.Error != "" {
		fmt.Printf("%-9s flink: %s\n", "", x.Flink.Error)
	}
}
