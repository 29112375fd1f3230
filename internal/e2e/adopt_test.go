package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

// counting writes a running count of each record of a topic, so that what was
// read twice, and what state was gone on from, shows in the output.
const counting = `
CREATE TABLE i (k STRING) WITH ('connector' = 'kafka', 'topic' = 'in', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE o (n BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'json', 'value.format' = 'json');
SET 'streamd.epoch.interval' = '20 ms';
INSERT INTO o SELECT COUNT(*) FROM i;
`

type adoption struct {
	t   *testing.T
	b   *kafkatest.Broker
	dir string
	n   int
}

func newAdoption(t *testing.T) *adoption {
	t.Parallel()
	a := &adoption{t: t, b: kafkatest.Fake(t), dir: t.TempDir()}
	kafkatest.CreateTopic(t, a.b, "in", 1, nil)
	kafkatest.CreateTopic(t, a.b, "out", 1, nil)
	write(t, a.dir, "count.sql", counting)
	return a
}

// put writes n records.
func (a *adoption) put(n int) {
	a.t.Helper()
	cl := a.b.Client(a.t)
	for range n {
		a.n++
		r := &kgo.Record{Topic: "in", Value: []byte(`{"k":"` + strconv.Itoa(a.n) + `"}`)}
		if err := cl.ProduceSync(kafkatest.Deadline(a.t), r).FirstErr(); err != nil {
			a.t.Fatal(err)
		}
	}
}

// run reads all there is and returns the exit code and what was said.
func (a *adoption) run(state string, args ...string) (int, string) {
	a.t.Helper()
	p := streamd(a.t, a.dir, nil, append([]string{"run", "count.sql", "--kafka", a.b.Addr, "--state", state, "--until-idle"}, args...)...)
	return p.code, p.stderr.String()
}

func (a *adoption) ok(state string, args ...string) string {
	a.t.Helper()
	code, said := a.run(state, args...)
	if code != 0 {
		a.t.Fatalf("exit code %d\n%s", code, said)
	}
	return said
}

// refused runs and checks the refusal, its exit code, that it came at once, and
// that what the directory says is untouched.
func (a *adoption) refused(state, name string, args ...string) {
	a.t.Helper()
	before := fingerprint(a.t, filepath.Join(a.dir, state))
	code, said := a.run(state, args...)
	if code != 4 || !strings.Contains(said, name) {
		a.t.Fatalf("exit code %d, want 4 with %s\n%s", code, name, said)
	}
	if strings.Contains(said, "recovering from a fault") {
		a.t.Fatalf("a refusal was tried again\n%s", said)
	}
	if after := fingerprint(a.t, filepath.Join(a.dir, state)); after != before {
		a.t.Fatalf("the refusal changed the directory\nbefore:\n%safter:\n%s", before, after)
	}
}

// copy copies a state directory.
func (a *adoption) copy(from, to string) {
	a.t.Helper()
	if err := os.CopyFS(filepath.Join(a.dir, to), os.DirFS(filepath.Join(a.dir, from))); err != nil {
		a.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(a.dir, to), 0o700); err != nil {
		a.t.Fatal(err)
	}
}

// last is the newest count in the output.
func (a *adoption) last() int {
	a.t.Helper()
	n := 0
	for _, r := range kafkatest.Committed(a.t, a.b, "out") {
		if m := regexp.MustCompile(`\d+`).Find(r.Value); m != nil { // else the old count is deleted
			n, _ = strconv.Atoi(string(m))
		}
	}
	return n
}

func (a *adoption) want(n int) {
	a.t.Helper()
	if got := a.last(); got != n {
		a.t.Fatalf("the last count is %d, want %d", got, n)
	}
}

// fingerprint lists meta.json and the deltas with their hashes. The files of the
// base are rewritten whenever it is opened; what it holds shows in the next run.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return "" // a refusal need not have made it
	}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		if e.IsDir() || e.Name() == "LOCK" || filepath.Base(filepath.Dir(path)) == "base" {
			return nil
		}
		c, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(c))
		return nil
	})
	return b.String()
}

func adopted(t *testing.T, said, why string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^note: --adopt: `+why+`\. Lineage (none|[0-9a-f]{32}) is given up for [0-9a-f]{32};.* may come twice$`).FindAllString(said, -1)
	if len(lines) != 1 {
		t.Fatalf("%d notices of the adoption of %s\n%s", len(lines), why, said)
	}
}

func TestAdoptEmptyDirectory(t *testing.T) {
	a := newAdoption(t)
	a.put(3)
	a.ok("st")
	a.want(3)
	a.refused("other", "STATE LOST (empty directory)")
	a.put(1)
	adopted(t, a.ok("other", "--adopt"), `STATE LOST \(empty directory\)`)
	a.want(4) // begun empty: all four were read
	a.put(2)
	a.ok("other")
	a.want(6)
	a.refused("st", "FOREIGN STATE")
	a.put(1)
	if said := a.ok("other", "--adopt"); strings.Contains(said, "--adopt") { // nothing to adopt
		t.Fatal(said)
	}
	a.want(7)
}

func TestAdoptOvertakenCopy(t *testing.T) {
	a := newAdoption(t)
	a.put(3)
	a.ok("st")
	a.copy("st", "copy")
	a.put(2)
	a.ok("st")
	a.want(5)
	a.refused("copy", "STATE LOST")
	a.put(1)
	adopted(t, a.ok("copy", "--adopt"), "STATE LOST")
	// The copy went on after its own newest epoch that is known to be decided: the
	// three are counted once, in its state or by being read again.
	a.want(6)
	a.refused("st", "FOREIGN STATE")
	a.put(1)
	adopted(t, a.ok("st", "--adopt"), "FOREIGN STATE")
	a.want(7)
	a.refused("copy", "FOREIGN STATE")
	a.put(1)
	a.ok("st")
	a.want(8)
}

func TestAdoptControlTopicReplaced(t *testing.T) {
	a := newAdoption(t)
	a.put(3)
	a.ok("st")
	adm := kadm.NewClient(a.b.Client(t))
	if _, err := adm.DeleteTopic(kafkatest.Deadline(t), "__streamd.default.count"); err != nil {
		t.Fatal(err)
	}
	a.put(1)
	a.refused("st", "CONTROL TOPIC REPLACED")
	a.refused("st", "CONTROL TOPIC REPLACED") // and again: the claim of the first has changed nothing
	adopted(t, a.ok("st", "--adopt"), "CONTROL TOPIC REPLACED")
	a.want(4)
	a.put(1)
	a.ok("st")
	a.want(5)
}

func TestAdoptRolledBack(t *testing.T) {
	a := newAdoption(t)
	// Two epochs in one run: the second one's delta knows that the first was decided.
	p := start(t, a.dir, nil, "run", "count.sql", "--kafka", a.b.Addr, "--state", "st")
	for n := 1; n <= 2; n++ {
		a.put(1)
		p.until("a record is counted", func() bool { return a.last() == n })
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	// The topic loses its records and stays itself: no marker, and the claims go on
	// counting.
	adm := kadm.NewClient(a.b.Client(t))
	const control = "__streamd.default.count"
	ends, err := adm.ListEndOffsets(kafkatest.Deadline(t), control)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := adm.DeleteRecords(kafkatest.Deadline(t), ends.Offsets()); err != nil {
		t.Fatal(err)
	}
	a.put(1)
	a.refused("st", "CONTROL TOPIC ROLLED BACK")
	adopted(t, a.ok("st", "--adopt"), "CONTROL TOPIC ROLLED BACK")
	a.want(3)
	a.put(1)
	a.ok("st")
	a.want(4)
}

// A process that finds a newer start ends with 4 and stays down.
func TestFencedEnds(t *testing.T) {
	a := newAdoption(t)
	a.put(3)
	a.ok("st")
	old := start(t, a.dir, nil, "run", "count.sql", "--kafka", a.b.Addr, "--state", "st")
	a.put(1)
	old.until("the old one works", func() bool { return a.last() == 4 })
	old.signal(syscall.SIGSTOP)
	a.copy("st", "copy")
	a.put(1)
	a.ok("copy")
	a.want(5)
	before := fingerprint(t, filepath.Join(a.dir, "st"))
	old.signal(syscall.SIGCONT)
	a.put(1)
	began := time.Now()
	if code := old.wait(); code != 4 || !strings.Contains(old.stderr.String(), "FENCED") {
		t.Fatalf("exit code %d\n%s", code, old.stderr.String())
	}
	t.Logf("down after %s", time.Since(began))
	if strings.Contains(old.stderr.String(), "recovering from a fault") {
		t.Fatalf("a fenced job was tried again\n%s", old.stderr.String())
	}
	for l := range strings.Lines(before) {
		if !strings.Contains(fingerprint(t, filepath.Join(a.dir, "st")), l) {
			t.Fatalf("%s is gone or changed", l)
		}
	}
	a.want(5)
	a.ok("copy")
	a.want(6)
}
