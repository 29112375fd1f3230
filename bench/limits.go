package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// limit is one line of the table of limits: a value and what it must not pass.
type limit struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Most  float64 `json:"most,omitempty"`  // 0 = no such bound
	Least float64 `json:"least,omitempty"` // 0 = no such bound
	Note  string  `json:"note,omitempty"`
}

func (l limit) kept() bool { return (l.Most == 0 || l.Value <= l.Most) && l.Value >= l.Least }

func showLimits(ls []limit) {
	fmt.Printf("\n%-40s %10s %-16s %s\n", "limit", "measured", "", "bound")
	for _, l := range ls {
		bound := ""
		switch {
		case l.Most > 0:
			bound = fmt.Sprintf("≤ %g", l.Most)
		case l.Least > 0:
			bound = fmt.Sprintf("≥ %g", l.Least)
		}
		if !l.kept() {
			bound += "  not kept"
		}
		if l.Note != "" {
			bound += "  (" + l.Note + ")"
		}
		fmt.Printf("%-40s %10.2f %-16s %s\n", l.Name, l.Value, l.Unit, bound)
	}
}

// firstRow measures from the start of the process to its first printed row.
func firstRow(bin, dir string, runs int) (limit, error) {
	in := filepath.Join(dir, "one.json")
	if err := os.WriteFile(in, []byte("{\"a\":1}\n"), 0o644); err != nil {
		return limit{}, err
	}
	file := filepath.Join(dir, "first.sql")
	text := fmt.Sprintf("CREATE TABLE t (a BIGINT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');\nCREATE TABLE o (a BIGINT) WITH ('connector' = 'print');\nINSERT INTO o SELECT a FROM t;\n", in)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return limit{}, err
	}
	var ms []float64
	for i := range max(runs, 5) {
		t0 := time.Now()
		c := exec.Command(bin, "run", file, "-q", "--state", filepath.Join(dir, "first"+strconv.Itoa(i)))
		out, err := c.StdoutPipe()
		if err != nil {
			return limit{}, err
		}
		if err := c.Start(); err != nil {
			return limit{}, err
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		ms = append(ms, float64(time.Since(t0).Microseconds())/1000)
		_, _ = io.Copy(io.Discard, out)
		if err := errors.Join(err, c.Wait()); err != nil {
			return limit{}, fmt.Errorf("first row: %q: %w", line, err)
		}
	}
	return limit{Name: "start to first row, with state", Value: median(ms), Unit: "ms", Most: 300}, nil
}

// memoryRows measures the memory that state takes with epochs.
func memoryRows(bin, self, dir string, keys int64, o *options) ([]limit, error) {
	s, err := newStateRun(self, dir, keys, o)
	if err != nil {
		return nil, err
	}
	p, err := s.probe()
	if err != nil {
		return nil, err
	}
	return s.memory(bin, p.StateBytes)
}

// runLimits measures what users feel beside throughput: start, epochs, recovery,
// memory and latency. keys is how many the state holds. Of a part of them nothing
// is saved.
func runLimits(bin, self, dir string, o *options, keys int64) error {
	fmt.Printf("%s, %d cores, %s; %d workers, median of %d\n", cpuModel(), runtime.NumCPU(), runtime.Version(), o.workers, o.runs)
	if o.limitsOnly != "" {
		ls, err := []limit(nil), error(nil)
		switch o.limitsOnly {
		case "latency":
			ls, err = latencyRows(bin, self, dir, o.kafkaRecords)
		case "epochs":
			ls, err = epochCosts(bin, dir, o)
		case "memory":
			ls, err = memoryRows(bin, self, dir, keys, o)
		default:
			err = fmt.Errorf("-limits-only %s: no such limit", o.limitsOnly)
		}
		showLimits(ls)
		return err
	}
	first, err := firstRow(bin, dir, o.runs)
	if err != nil {
		return err
	}
	ls := []limit{first}
	rows, err := stateRows(bin, self, dir, keys, o)
	if err != nil {
		return err
	}
	ls = append(ls, rows...)
	if o.kafkaRecords > 0 {
		rows, err := latencyRows(bin, self, dir, o.kafkaRecords)
		if err != nil {
			return err
		}
		ls = append(ls, rows...)
	}
	showLimits(ls)
	return save("bench/results/limits.json", ls)
}
