package killtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamd/streamd/internal/kafkatest"
)

var bin string // the binary under test: STREAMD_TEST_BINARY, or built once

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if bin = os.Getenv("STREAMD_TEST_BINARY"); bin != "" {
		return kafkatest.Main(m)
	}
	dir, err := os.MkdirTemp("", "streamd-kill-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "streamd")
	build := exec.Command("go", "build", "-o", bin, "github.com/streamd/streamd/cmd/streamd")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		return 1
	}
	return kafkatest.Main(m)
}

// disturb makes an in-process broker drop the connection at some of the requests
// to come: produce, fetch, metadata, and all of a transaction's.
func (l *lab) disturb(b *kafkatest.Broker) {
	if b.Fake == nil {
		return
	}
	for _, k := range []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.Metadata, kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn} {
		if l.rng.IntN(3) > 0 {
			continue
		}
		at := int64(1 + l.rng.IntN(20))
		var n atomic.Int64
		b.Fake.ControlKey(int16(k), func(req kmsg.Request) (kmsg.Response, error, bool) {
			if n.Add(1) < at || l.feeds(req) {
				return nil, nil, false
			}
			l.faults.Add(1)
			return nil, errors.New("connection dropped by the test"), true
		})
	}
}

// feeds tells requests of the test's own producer, which must not fail.
func (l *lab) feeds(req kmsg.Request) bool {
	own := func(id *string) bool { return id == nil || !strings.HasPrefix(*id, "streamd.") }
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		return own(r.TransactionID)
	case *kmsg.InitProducerIDRequest:
		return own(r.TransactionalID)
	case *kmsg.AddPartitionsToTxnRequest:
		return own(&r.TransactionalID)
	case *kmsg.EndTxnRequest:
		return own(&r.TransactionalID)
	}
	return false
}

// attack runs the given number of kills and zombies and checks the result.
func attack(t *testing.T, b *kafkatest.Broker, seed uint64, kills, zombies, brokerKills int) {
	t.Helper()
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	id := fmt.Sprintf("%d-%d", seed, time.Now().UnixNano())
	l := &lab{bin: bin, dir: dir, addr: b.Addr, job: "attack-" + id, rng: rand.New(rand.NewPCG(seed, 7)), killed: map[string]int{}, topics: map[string]string{}}
	for _, n := range topicNames {
		l.topics[n] = n + "-" + id
		cfg := map[string]string{}
		if n == "TOTALS" || n == "TALLIES" {
			cfg["cleanup.policy"] = "compact"
		}
		kafkatest.CreateTopic(t, b, l.topics[n], partitions, cfg)
	}
	l.feed = &feeder{p: kafkatest.NewProducer(t, b, "feeder-"+id, seed), in: l.topics["IN"], ref: l.topics["REF"], rng: rand.New(rand.NewPCG(seed, 8)), next: map[string]int64{}, broken: map[string][]string{}}
	l.feed.first()
	l.pick = &picker{dir: filepath.Join(dir, "out"), lines: map[string][][]byte{}}
	if err := os.MkdirAll(l.pick.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	stop, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for {
			select {
			case <-stop:
				return
			default:
				l.feed.hold.Lock()
				l.feed.burst()
				l.feed.hold.Unlock()
				time.Sleep(2 * time.Millisecond) // the rate of the input, not a wait for something
			}
		}
	}()
	err := l.siege(t, b, kills, zombies, brokerKills)
	close(stop)
	<-fed
	if err == nil {
		l.feed.last()
		err = l.settle()
	}
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	x := l.check(t, b)
	n := 0
	for _, k := range l.killed {
		n += k
	}
	t.Logf("%d kills %v, %d zombies, %d broker kills, %d recoveries within a process, %d requests dropped; %d records in, %d in aborted transactions", n, l.killed, l.zombies, brokerKills, l.recovered, l.faults.Load(), l.feed.p.Committed, l.feed.p.Aborted)
	if x.n != nil {
		t.Fatalf("seed %d: %s", seed, x.String())
	}
}

// siege is the attack proper.
func (l *lab) siege(t *testing.T, b *kafkatest.Broker, kills, zombies, brokerKills int) error {
	l.state = filepath.Join(l.dir, "state")
	for i := range kills {
		if i%2 == 0 {
			l.disturb(b)
		}
		if err := l.kill(i % (len(once) + len(again) + 4)); err != nil {
			return err
		}
		if err := l.pick.pick(); err != nil {
			return err
		}
		if zombies > 0 && i%max(1, kills/zombies) == 0 && l.zombies < zombies {
			next, err := l.zombie(l.state, time.Duration(100+l.rng.IntN(1200))*time.Millisecond)
			if err == nil {
				l.state = next
				err = l.pick.pick()
			}
			if err != nil {
				return err
			}
		}
		if brokerKills > 0 && i%max(1, kills/brokerKills) == 1 {
			if err := l.brokerKill(t, b, i/max(1, kills/brokerKills)); err != nil {
				return err
			}
		}
		if b.Fake != nil && i%8 == 5 {
			if err := l.hiccup(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// kill is the k-th way to kill a run.
func (l *lab) kill(k int) error {
	x := l.shape()
	switch {
	case k < len(once):
		return l.killAt(l.state, once[k], x, 1, 10*time.Second)
	case k < len(once)+len(again):
		return l.killAt(l.state, again[k-len(once)], x, 1+l.rng.IntN(x.passages), 10*time.Second)
	case k < len(once)+len(again)+2:
		point := rare[l.rares%len(rare)] // each in turn
		l.rares++
		if point == "C5-unlinking" { // there must be something undecided to remove
			if err := l.killAt(l.state, "C10", x, 1, 10*time.Second); err != nil {
				return err
			}
		}
		x.interval = intervals[0].interval // what comes after many epochs, soon
		return l.killAt(l.state, point, x, 1, 10*time.Second)
	}
	return l.killAfter(l.state, time.Duration(100+l.rng.IntN(1500))*time.Millisecond)
}

// settle runs to the end of the input.
func (l *lab) settle() error {
	last, err := l.run(l.state, []string{"--until-idle"}, l.shape())
	if err != nil {
		return err
	}
	code, err := last.exit(2 * time.Minute)
	if err != nil {
		last.kill()
		return err
	}
	if code != 0 {
		return fmt.Errorf("the last run ended with %d:\n%s", code, last.text())
	}
	return l.pick.pick()
}

// check compares every sink with the truth.
func (l *lab) check(t *testing.T, b *kafkatest.Broker) *faults {
	t.Helper()
	want := truthOf(l.feed.sent)
	x := &faults{}
	for _, n := range l.pick.twice {
		x.add("files", "part %s appeared twice", n)
	}
	read := func(topic string) []*kgo.Record { return kafkatest.Committed(t, b, l.topics[topic]) }
	rows := func(topic string) (out []row) {
		for _, r := range read(topic) {
			var y row
			if x.decode(topic, r.Value, &y) {
				out = append(out, y)
			}
		}
		return out
	}
	x.checkRows("loud", rows("LOUD"), want.loud)
	x.checkRows("both", rows("BOTH"), want.both)
	x.checkTotals("totals", read("TOTALS"), want.total)
	x.checkTotals("tallies", read("TALLIES"), want.total)
	x.checkJoined(read("JOINED"), want.joined)
	x.checkWindows(read("WINDOWS"), want.windows)
	var changes, files [][]byte
	for _, r := range read("CHANGES") {
		changes = append(changes, r.Value)
	}
	l.pick.all("files", func(_ string, line []byte) { files = append(files, line) })
	x.checkChain("changes", changes, want.total)
	x.checkChain("files", files, want.less2)
	var shelf, racks []row
	l.pick.all("shelf", func(_ string, line []byte) {
		var y row
		if x.decode("shelf", line, &y) {
			shelf = append(shelf, y)
		}
	})
	l.pick.all("racks", func(dir string, line []byte) {
		var y row
		if x.decode("racks", line, &y) {
			y.B = dir // the column that partitions stands in the path alone
			racks = append(racks, y)
		}
	})
	var dead, shelved []string
	for _, r := range read("DEAD") {
		dead = append(dead, string(r.Value))
	}
	l.pick.all("dead", func(_ string, line []byte) {
		var y struct{ Raw string }
		if x.decode("dead", line, &y) {
			shelved = append(shelved, y.Raw)
		}
	})
	x.checkLetters("dead letters in a topic", dead, append(want.undivided, l.feed.broken[l.feed.in]...))
	x.checkLetters("dead letters in files", shelved, l.feed.broken[l.feed.ref])
	x.checkRows("shelf", shelf, want.shelf)
	x.checkRows("racks", racks, want.racks)
	return x
}

// brokerKill takes the real broker away from a running job, gives it back, and
// every second time waits until the job has recovered by itself.
func (l *lab) brokerKill(t *testing.T, b *kafkatest.Broker, n int) error {
	c, err := l.run(l.state, nil, l.shape())
	if err != nil {
		return err
	}
	defer c.kill()
	l.feed.hold.Lock()
	time.Sleep(time.Duration(300+l.rng.IntN(700)) * time.Millisecond) // a random moment of the job's life, not a wait for something
	b.Process.Kill()
	b.Process.Restart(t)
	l.feed.hold.Unlock()
	if n%2 == 1 {
		return l.goesOn(c)
	}
	if c.dead() {
		return fmt.Errorf("the job died with its broker: %s", c.text())
	}
	return nil
}

// hiccup loses the answer to a commit of a running job, which has to recover by
// itself, and kills it when it has written again.
func (l *lab) hiccup(b *kafkatest.Broker) error {
	c, err := l.run(l.state, nil, l.shape())
	if err != nil {
		return err
	}
	defer c.kill()
	if err := l.claimed(c); err != nil {
		return err
	}
	b.Fake.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if l.feeds(req) {
			return nil, nil, false
		}
		l.faults.Add(1)
		return nil, errors.New("connection dropped by the test"), true
	})
	return l.goesOn(c)
}

// goesOn waits until a job has written several epochs of files.
func (l *lab) goesOn(c *child) error {
	parts := func() int {
		names, _ := filepath.Glob(filepath.Join(l.pick.dir, "files", "part-*"))
		return len(names)
	}
	n := parts()
	for end := time.Now().Add(time.Minute); parts() < n+4; time.Sleep(5 * time.Millisecond) {
		if c.dead() || time.Now().After(end) {
			return fmt.Errorf("the job does not go on; it said:\n%s", c.text())
		}
	}
	l.recovered++
	return nil
}

// soak multiplies the work; STREAMD_SOAK is a number.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("STREAMD_SOAK")); err == nil && n > 0 {
		return n
	}
	return 1
}

func seed(t *testing.T) uint64 {
	if s := os.Getenv("STREAMD_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return uint64(time.Now().UnixNano())
}

func TestExactlyOnceInProcess(t *testing.T) {
	for range soak() {
		attack(t, kafkatest.Fake(t), seed(t), 64, 10, 0)
	}
}

func TestExactlyOnceRealKafka(t *testing.T) {
	for range soak() {
		attack(t, kafkatest.Shared(t), seed(t), 64, 10, 4)
	}
}
