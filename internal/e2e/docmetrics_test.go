package e2e

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/internal/kafkatest"
)

// docs/operating.md lists what /metrics serves, in its words, and what it may serve.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var page []string
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, "| `streamd_") {
			page = append(page, strings.TrimSpace(l))
		}
	}
	code, err := os.ReadFile("../../engine/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?:desc\(|Name: "streamd_|Name: )"?(?:streamd_)?(\w+)",\s+(?:Help: )?"([^"]+)"`).FindAllStringSubmatch(string(code), -1) {
		if !slices.ContainsFunc(page, func(l string) bool {
			return strings.HasPrefix(l, "| `streamd_"+m[1]+"` |") && strings.HasSuffix(l, "| "+m[2]+" |")
		}) {
			t.Errorf("docs/operating.md lacks streamd_%s: %s", m[1], m[2])
		}
	}
	for _, l := range page {
		if name := strings.Split(l, "`")[1]; !strings.Contains(string(code), `"`+strings.TrimPrefix(name, "streamd_")+`"`) && !strings.Contains(string(code), `"`+name+`"`) {
			t.Errorf("docs/operating.md has %s, which is not served", name)
		}
	}
	c := newCluster(t, kafkatest.Fake(t))
	c.topic("~in", 1, at("a", "00.0"), at("b", "03.0"), at("a", "01.0"), "nope")
	p := c.start("CREATE TABLE o (k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '~out', 'format' = 'json');\n"+
		strings.Replace(fmt.Sprintf(windows, ", 'on-error' = 'skip', 'scan.watermark.emit.strategy' = 'on-event'"), "SELECT", "INSERT INTO o SELECT", 1), "--state", "st", "--listen", "127.0.0.1:0")
	base := p.listens()
	var served []string
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		_, body := get(t, base+"/metrics")
		served = slices.DeleteFunc(metricLines(body), func(l string) bool { return slices.Contains(page, l) })
		// Some series begin with the first epoch, or the first row that is left out.
		if all := strings.Contains(body, "streamd_dropped_records_total{") && strings.Contains(body, "streamd_checkpoint_bytes_total{") &&
			strings.Contains(body, "streamd_watermark_lag_seconds{") && strings.Contains(body, "streamd_epoch_age_seconds{"); all && len(served) == 0 {
			break
		} else if all || time.Now().After(end) {
			t.Fatalf("docs/operating.md lacks\n%s", strings.Join(served, "\n"))
		}
	}
	p.term()
}

// metricLines writes a page's line for each metric.
func metricLines(body string) []string {
	label := regexp.MustCompile(`(\w+)="`)
	help, labels, lines := map[string]string{}, map[string][]string{}, []string{}
	kinds := map[string]string{}
	for l := range strings.Lines(body) {
		switch w := strings.SplitN(strings.TrimSpace(l), " ", 4); {
		case len(w) == 4 && w[1] == "HELP":
			help[w[2]] = w[3]
		case len(w) == 4 && w[1] == "TYPE":
			kinds[w[2]] = w[3]
		default:
			name, rest, _ := strings.Cut(w[0], "{")
			for _, m := range label.FindAllStringSubmatch(rest, -1) {
				if m[1] != "le" && !slices.Contains(labels[name], m[1]) {
					labels[name] = append(labels[name], m[1])
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		of := name
		if kinds[name] == "histogram" {
			of += "_count"
		}
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s | %s |", name, kinds[name], strings.Join(slices.Sorted(slices.Values(labels[of])), ", "), help[name]))
	}
	return lines
}
