package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// published holds the results that README shows.
const published = "bench/results/published.json"

const readmeBegin, readmeEnd = "<!-- go run ./bench -readme: begin -->\n", "<!-- go run ./bench -readme: end -->\n"

// writeReadme publishes results, those of file or, without one, the newest in
// bench/results, and writes README's table from them.
func writeReadme(readme, file string) error {
	if file == "" {
		var err error
		if file, err = newest(filepath.Dir(published)); err != nil {
			return err
		}
	}
	r, err := load(file)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	out, err := replace(string(text), r.markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	if err := r.write(published); err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(out), 0o644)
}

func newest(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s has no results: run go run ./bench", dir)
	}
	age := func(file string) int64 {
		i, err := os.Stat(file)
		if err != nil {
			return 0
		}
		return i.ModTime().UnixNano()
	}
	return slices.MaxFunc(files, func(a, b string) int { return int(min(max(age(a)-age(b), -1), 1)) }), nil
}

func load(file string) (*report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// replace puts a text between the marks.
func replace(text, part string) (string, error) {
	head, rest, ok := strings.Cut(text, readmeBegin)
	_, tail, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("the marks %q and %q are not there", strings.TrimSpace(readmeBegin), strings.TrimSpace(readmeEnd))
	}
	return head + readmeBegin + part + readmeEnd + tail, nil
}

// markdown is README's part on speed.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "NEXMark queries, generator included, output dropped: %s events, %s, a shared machine with %d cores (%s), %s, %s.\n",
		millions(float64(r.Events)), plural(r.Workers, "worker"), r.Cores, r.Machine, r.Go, r.Date)
	if r.Flink != "" {
		fmt.Fprintf(&b, `*Flink* is Apache Flink %s in the same run on the same machine with the same events (%s): parallelism 1, object reuse, mini-batches, state on the heap, no
checkpoints; run %d in one JVM, so that its start does not count.
`, r.Flink, millions(float64(r.FlinkEvents)), r.FlinkWarm+1)
	}
	b.WriteString(`*Of ceiling* compares a query with a loop written for it alone: its speed, as a part of the generator's, over what such a loop reached as a part of the same.
`)
	b.WriteString("\n| query | what it does | events per CPU second | of ceiling | peak MB | live state MB | Flink's | ratio |\n|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.Results {
		if x.Error != "" || x.OfK > 0 || x.Query == "K" {
			continue
		}
		flink, ratio := "–", "–"
		if f := x.Flink; f != nil && f.Error == "" {
			flink, ratio = millions(f.WarmPerCPUSecond), fmt.Sprintf("%.0f×", f.Ratio)
			if f.Ratio < 10 {
				ratio = fmt.Sprintf("%.1f×", f.Ratio)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %s | %s | %s |\n", x.Query, about(x.Query), millions(x.PerCPUSecond), orDash(x.OfCeiling, "%.2f"), x.PeakMB,
			orDash(float64(x.StateBytes)/(1<<20), "%.1f"), flink, ratio)
	}
	return b.String()
}

// millions writes three digits or so, and no fraction of what has none.
func millions(x float64) string {
	x /= 1e6
	format := "%.2f M"
	switch {
	case x == math.Trunc(x):
		format = "%.0f M"
	case x >= 10:
		format = "%.1f M"
	case x < 1:
		format = "%.3f M"
	}
	return fmt.Sprintf(format, x)
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orDash(x float64, format string) string {
	if x == 0 {
		return "–"
	}
	return fmt.Sprintf(format, x)
}

// about is the first sentence of a query's file.
func about(query string) string {
	text, err := queries.ReadFile("nexmark/" + query + ".sql")
	if err != nil {
		return "the " + query + " alone"
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(text), "-- "), "\n")
	sentence, _, _ := strings.Cut(line, ". ")
	return strings.TrimSuffix(sentence, ".")
}
