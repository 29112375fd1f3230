package kafka

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/kafkatest"
)

// A small engine drives source, sink and decider through crashes and zombies. It counts records per key and writes each
// count. In the end the output must hold 1, 2, …, n for every key, each once and in order: a lost or doubled record, an
// aborted one taken for real, or state that does not fit the positions shows as a gap, a repetition or a step back.
type world struct {
	t       *testing.T
	b       *kafkatest.Broker
	rng     *rand.Rand
	in, out string
	job     string
	lineage [16]byte
	ends    map[string][]byte

	// What a disk would hold: one delta for each epoch that was prepared.
	deltas map[connectors.EpochID]delta
	number uint64
	hint   int64

	zombies []func() error // each tries to decide an epoch that is not its own any more
	last    *life          // crashed inside its process: the next incarnation uses its source and sink again
	seen    map[string]int // how incarnations ended
}

// delta is the whole state after an epoch; the small engine has no need for differences.
type delta struct {
	positions map[string][]byte
	counts    map[string]int64
}

func (d delta) clone() delta { return delta{maps.Clone(d.positions), maps.Clone(d.counts)} }

// life is one incarnation.
type life struct {
	w     *world
	d     *Decider
	harm  *kafkatest.Harm
	claim connectors.Claim
	scan  *scan
	sink  *sink
	out   connectors.Writer
	state delta
}

// process makes source, sink and decider as a newly started process does.
func (w *world) process() *life {
	w.t.Helper()
	l := &life{w: w, harm: &kafkatest.Harm{}}
	src := def(w.t, w.b, "k STRING", "topic="+w.in, "format=json", "scan.startup.mode=earliest-offset")
	src.Job.Name = w.job
	dst := def(w.t, w.b, "k STRING, n BIGINT", "topic="+w.out, "key.format=raw", "key.fields=k", "value.format=json")
	dst.Job = src.Job
	l.scan = newScan(w.t, src, false)
	s, err := newSink(dst, false)
	if err != nil {
		w.t.Fatal(err)
	}
	l.sink, l.d = s.(*sink), s.(*sink).d
	l.d.cfg.Cluster.Opts = append(l.d.cfg.Cluster.Opts, kgo.Dialer(l.harm.Dial))
	w.t.Cleanup(func() { l.d.Close() })
	return l
}

// start recovers and makes everything ready for the first step.
func (w *world) start() *life {
	w.t.Helper()
	ctx := kafkatest.Deadline(w.t)
	l := w.last
	if l == nil || w.rng.IntN(2) == 0 {
		l = w.process()
	} else if err := l.d.Renew(); err != nil {
		w.t.Fatal(err)
	}
	if _, _, _, err := l.d.Look(ctx); err != nil {
		w.t.Fatal(err)
	}
	claim, m, err := l.d.Claim(ctx, w.hint)
	if err != nil {
		w.t.Fatal(err)
	}
	l.claim = claim
	l.state = delta{map[string][]byte{}, map[string]int64{}}
	if !m.IsZero() {
		d, ok := w.deltas[m.ID]
		if !ok || m.Lineage != w.lineage {
			w.t.Fatalf("STATE LOST: Kafka decided %+v, which was never prepared", m)
		}
		l.state = d.clone()
	}
	if err := l.sink.Open(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, err := l.scan.src.Splits(ctx); err != nil {
		w.t.Fatal(err)
	}
	for id, pos := range l.state.positions {
		if err := l.scan.src.Check(ctx, connectors.Split{ID: id}, pos); err != nil {
			w.t.Fatal(err)
		}
	}
	l.scan.open(l.state.positions, w.ends)
	if l.out, err = l.sink.Writer(0); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// step reads what is there and pushes a count for each record.
func (l *life) step() error {
	l.scan.rows = nil
	if err := l.scan.step(1 + l.w.rng.IntN(40)); err != nil {
		l.w.t.Fatal(err)
	}
	if len(l.scan.rows) == 0 {
		return nil
	}
	b := batch.New(l.sink.t.def.Schema, len(l.scan.rows))
	for _, r := range l.scan.rows {
		key := r[1:]
		l.state.counts[key]++
		b.Cols[0].AppendString(key)
		b.Cols[1].AppendInt(l.state.counts[key])
		b.AddWeight(1)
	}
	return l.out.Push(connectors.Changes{B: b})
}

// seal ends the epoch and writes its delta.
func (l *life) seal() (connectors.Sealed, connectors.Marker) {
	x, err := l.sink.Seal()
	if err != nil {
		l.w.t.Fatal(err)
	}
	l.w.number++
	m := connectors.Marker{Lineage: l.w.lineage, ID: connectors.EpochID{Number: l.w.number, Incarnation: l.claim.Incarnation, CRC: l.w.rng.Uint32()}}
	maps.Copy(l.state.positions, l.scan.positions())
	l.w.deltas[m.ID] = l.state.clone()
	return x, m
}

func (l *life) end(how string) {
	l.w.seen[how]++
	for id, r := range l.scan.readers {
		r.Close()
		delete(l.scan.readers, id)
	}
	clear(l.scan.done)
	l.w.last = nil
	if how != "zombie" {
		l.d.Kill()
		l.w.last = l
	}
}

// run lives until it crashes or all input is decided.
func (w *world) run(crashes bool) (finished bool) {
	l := w.start()
	for _, z := range w.zombies { // the successor has claimed: now they wake up
		if z() == nil {
			w.t.Fatal("a zombie decided an epoch")
		}
	}
	w.zombies = nil
	ctx := kafkatest.Deadline(w.t)
	for {
		for range 1 + w.rng.IntN(4) {
			if err := l.step(); err != nil {
				w.t.Fatal(err)
			}
		}
		point := -1
		if crashes && w.rng.IntN(4) == 0 {
			point = w.rng.IntN(8)
		}
		if point == 0 {
			l.end("mid-epoch")
			return false
		}
		x, m := l.seal()
		if point == 1 {
			l.end("delta written")
			return false
		}
		if l.w.rng.IntN(2) == 0 { // rows of the next epoch come before this one is decided
			if err := l.step(); err != nil {
				w.t.Fatal(err)
			}
		}
		if _, err := x.Prepare(ctx, m.ID); err != nil {
			w.t.Fatal(err)
		}
		switch point {
		case 2:
			l.end("prepared")
			return false
		case 3, 4:
			if _, err := ses(w.t, l.d).mark(ctx, l.d.topic, m); err != nil {
				w.t.Fatal(err)
			}
			if point == 3 {
				l.end("marked")
			} else {
				old := ses(w.t, l.d)
				w.zombies = append(w.zombies, func() error { return old.commit(ctx) })
				l.end("zombie")
			}
			return false
		case 5:
			w.zombies = append(w.zombies, func() error { _, err := l.d.Decide(ctx, m); return err })
			l.end("zombie")
			return false
		case 6:
			l.harm.Next(endTxnKey, kafkatest.LoseAnswer)
		case 7:
			l.harm.Next(endTxnKey, kafkatest.Delay)
		}
		at, err := l.d.Decide(ctx, m)
		if point >= 6 {
			if err == nil {
				w.t.Fatal("decided without an answer")
			}
			w.zombies = append(w.zombies, func() error { l.harm.Deliver(); return err })
			l.end("harmed EndTxn")
			return false
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.hint = at
		done := len(l.scan.done) == len(l.scan.readers) && !slices.Contains(slices.Collect(maps.Values(l.scan.done)), false)
		if done && x.Rows() == 0 {
			l.end("finished")
			return true
		}
		if crashes && w.rng.IntN(6) == 0 {
			l.end("decided")
			return false
		}
	}
}

func TestExactlyOnceThroughCrashes(t *testing.T) {
	kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
		const parts, total, keys = 3, 4000, 40
		rounds := 120
		if b.Process != nil {
			rounds = 60
		}
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		name := topicName(t)
		w := &world{t: t, b: b, rng: rand.New(rand.NewPCG(seed, 1)), job: name, lineage: [16]byte{7}, deltas: map[connectors.EpochID]delta{}, seen: map[string]int{},
			in: kafkatest.CreateTopic(t, b, name+"-in", parts, nil), out: kafkatest.CreateTopic(t, b, name+"-out", 2, nil)}
		want := map[string]int64{}
		key := func(i int) string { return fmt.Sprintf("k%d", i*7919%keys) }
		kafkatest.NewProducer(t, b, name+"-in", seed).Write(total, func(i int) *kgo.Record {
			return &kgo.Record{Topic: w.in, Partition: int32(len(key(i))+i*7919%keys) % parts, Value: fmt.Appendf(nil, `{"k":"%s"}`, key(i))}
		})
		for i := range total {
			want[key(i)]++
		}
		kafkatest.Committed(t, b, w.in)
		ends := newScan(t, def(t, b, "k STRING", "topic="+w.in, "format=json", "scan.startup.mode=earliest-offset"), false)
		w.ends = ends.ends()
		n, deadline := 0, time.Now().Add(40*time.Second)
		for ; !w.run(n < rounds && time.Now().Before(deadline)); n++ {
		}
		t.Logf("%d incarnations: %v", n+1, w.seen)

		got := map[string]int64{}
		for _, r := range kafkatest.Committed(t, b, w.out) {
			var row struct {
				K string
				N int64
			}
			if err := json.Unmarshal(r.Value, &row); err != nil || row.K != string(r.Key) {
				t.Fatalf("output %q %q: %v", r.Key, r.Value, err)
			}
			if row.N != got[row.K]+1 {
				t.Errorf("key %s: %d after %d", row.K, row.N, got[row.K])
			}
			got[row.K] = row.N
		}
		if !maps.Equal(got, want) {
			t.Errorf("final counts %v, want %v", got, want)
		}
	})
}
