// Command bench measures streamd on NEXMark and prints one table: events per
// CPU second of the process, the ratio to the generator alone (G) and to the
// ceiling of a single-purpose loop, the bytes of live state, peak memory, and the
// same query on Apache Flink. It writes the same to bench/results/nexmark.json.
//
// The line "workers 2" is q5inner with two workers, and how many times as fast by
// the clock that is as with one. It says something where two cores are free.
//
//	go run ./bench [-events N] [-runs N] [-workers N] [-query q0,q5inner] [-peers flink] [-flink-events N] [-flink-runs N] [-flink-warm N] [-kafka=false] [-kafka-records N]
//	go run ./bench -limits [-limits-only memory] [-keys N]
//	go run ./bench -readme [-from FILE]    publishes results: README's table
//
// A second table is about Kafka: a broker with JSON records runs in a process of
// its own, and every row is a ratio to a bare poll loop of the client (K).
//
// -limits measures start, epochs, recovery, memory and latency instead, each beside
// its bound, and writes bench/results/limits.json; with -limits-only it measures the
// named alone and writes nothing.
//
// Machines are shared and noisy: read ratios within one run, not numbers across
// runs. Every figure is the median of -runs runs after one warm-up;
// Flink's is that of -flink-runs processes, which run a query -flink-warm + 1 times.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags of a measurement.
type options struct {
	events, flinkEvents, kafkaRecords int64
	runs, workers                     int
	flinkRuns, flinkWarm              int
	only, peers, out, limitsOnly      string
}

func main() {
	var o options
	flag.Int64Var(&o.events, "events", 10_000_000, "events a run")
	flag.IntVar(&o.runs, "runs", 3, "counted runs of each query")
	flag.IntVar(&o.workers, "workers", 1, "workers")
	flag.StringVar(&o.only, "query", "", "comma-separated queries; empty = all, none = none")
	flag.StringVar(&o.peers, "peers", "flink", "what to measure beside streamd, or nothing")
	flag.Int64Var(&o.flinkEvents, "flink-events", 2_000_000, "events a run of Flink")
	flag.IntVar(&o.flinkRuns, "flink-runs", 1, "processes of Flink for each query")
	flag.IntVar(&o.flinkWarm, "flink-warm", 3, "runs in a process of Flink before the one that counts as warm")
	flag.StringVar(&o.out, "out", "bench/results/nexmark.json", "where the results go")
	flag.Int64Var(&o.kafkaRecords, "kafka-records", 2_000_000, "records a run over Kafka")
	kafka := flag.Bool("kafka", true, "measure Kafka, too")
	loop := flag.Bool("generator", false, "only run the generator, for G")
	pollAddr := flag.String("poll", "", "only poll the `broker`, for K")
	serve := flag.Bool("broker", false, "only be the broker")
	few := flag.Int64("few", 0, "records of the broker's smaller topic")
	stateOf := flag.String("state-of", "", "only run `FILE` and print the bytes of its state")
	readme := flag.Bool("readme", false, "only publish results and write README's table from them")
	from := flag.String("from", "", "`FILE` of results for -readme; empty = the newest in bench/results")
	limits := flag.Bool("limits", false, "measure limits instead of queries")
	flag.StringVar(&o.limitsOnly, "limits-only", "", "which limits to measure: epochs, latency or memory; empty = all")
	keys := flag.Int64("keys", 10_000_000, "keys of the state for -limits")
	probeFile := flag.String("probe", "", "only run the pipeline `FILE` with -state, and print what it tells of its state")
	stateDir := flag.String("state", "", "state `DIR` for -probe")
	flag.Parse()
	var err error
	switch {
	case *loop:
		generate(o.events)
	case *pollAddr != "":
		poll(*pollAddr, o.events)
	case *serve:
		serveBroker(o.events, *few)
	case *probeFile != "":
		printProbe(*probeFile, *stateDir, o.workers)
	case *stateOf != "":
		err = printState(*stateOf)
	case *readme:
		err = writeReadme("README.md", *from)
	default:
		if !*kafka {
			o.kafkaRecords = 0
		}
		err = built(func(bin, self, dir string) error {
			if *limits || o.limitsOnly != "" {
				return runLimits(bin, self, dir, &o, *keys)
			}
			return run(bin, self, dir, &o)
		})
	}
	check(err)
}

// built builds the binary in a directory that lives as long as f, and calls f.
func built(f func(bin, self, dir string) error) error {
	dir, err := os.MkdirTemp("", "streamd-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "streamd")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/streamd")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return f(bin, self, dir)
}

func run(bin, self, dir string, o *options) error {
	rep := report{Machine: cpuModel(), Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.DateOnly),
		Events: o.events, Workers: o.workers, Runs: o.runs}
	peer, why := flinkPeer(o)
	if peer != nil {
		rep.Flink, rep.FlinkEvents, rep.FlinkWarm = peer.version, o.flinkEvents, o.flinkWarm
	}
	rep.head(why)
	g := measure("generator", o.events, o.runs, func() *exec.Cmd {
		return exec.Command(self, "-generator", "-events", strconv.FormatInt(o.events, 10))
	})
	rep.add(g)
	for _, q := range names(o.only) {
		file, err := pipeline(dir, q)
		if err != nil {
			return err
		}
		cmds := []func() *exec.Cmd{queryRun(bin, file, o.events, o.workers)}
		if q == scaled && o.workers == 1 {
			cmds = append(cmds, queryRun(bin, file, o.events, 2))
		}
		took := inTurn(q, o.events, o.runs, cmds...)
		r := took[0]
		r.OfG = r.PerCPUSecond / g.PerCPUSecond
		if c := ceilings[q]; c > 0 {
			r.OfCeiling = r.OfG / (c / ceilingG)
		}
		if r.Error == "" {
			r.StateBytes = stateBytes(self, file, queryRun(bin, file, o.events, o.workers)().Env)
			peer.measure(q, file, o, &r)
		}
		rep.add(r)
		if len(took) > 1 && took[0].Error+took[1].Error == "" {
			two := took[1]
			two.Query = "workers 2"
			two.OfG, two.OfOne = two.PerCPUSecond/g.PerCPUSecond, r.WallSeconds/two.WallSeconds
			rep.add(two)
			fmt.Printf("%-9s %s with two workers is %.2f times as fast by the clock as with one\n", "", q, two.OfOne)
		}
		if err := rep.write(o.out); err != nil { // what is measured so far
			return err
		}
	}
	if o.kafkaRecords > 0 {
		rows, err := kafkaRows(bin, self, dir, o.kafkaRecords, o.runs, o.workers)
		if err != nil {
			return fmt.Errorf("kafka: %w", err)
		}
		rep.Results = append(rep.Results, rows...)
	}
	return rep.write(o.out)
}

// scaled is the query that is measured with two workers, too: it has an exchange.
const scaled = "q5inner"

// queryRun makes runs of a NEXMark query.
func queryRun(bin, file string, events int64, workers int) func() *exec.Cmd {
	return func() *exec.Cmd {
		c := exec.Command(bin, "run", file, "--workers", strconv.Itoa(workers), "-q")
		c.Env = append(os.Environ(), "EVENTS="+strconv.FormatInt(events, 10), "SPLITS="+strconv.Itoa(workers))
		return c
	}
}

func (r *report) write(file string) error { return save(file, r) }

// save writes results as JSON.
func save(file string, results any) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// wants tells whether a peer is to be measured.
func (o *options) wants(peer string) bool { return slices.Contains(strings.Split(o.peers, ","), peer) }
