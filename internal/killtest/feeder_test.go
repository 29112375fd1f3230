package killtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/internal/kafkatest"
)

const partitions = 4

// feeder writes the input in transactions, a fifth of them aborted, until it is
// told to stop. Kinds come in phases, so that epochs with rows, for followers
// only, and with none follow each other in every order. A transaction holds
// records of both topics.
type feeder struct {
	p       *kafkatest.Producer
	in, ref string
	rng     *rand.Rand
	next    map[string]int64
	ms      int64
	hold    sync.Mutex // held while the broker is away
	sent    []input
	broken  map[string][]string // by topic: records that are no rows
	breaks  int
}

func (f *feeder) burst() {
	kind := f.rng.IntN(3)
	var rows []input
	for range 1 + f.rng.IntN(60) {
		f.ms++
		rows = append(rows, draw(f.rng, f.next, f.ms, kind))
	}
	f.write(rows)
}

// first gives every partition a record before the job starts: one that was empty
// then would not hold the watermark back.
func (f *feeder) first() {
	var rows []input
	for part := map[int32]bool{}; len(part) < partitions; {
		f.ms++
		x := draw(f.rng, f.next, f.ms, 0)
		part[x.partition()] = true
		rows = append(rows, x)
	}
	f.write(rows)
}

// last closes every window there is a row for.
func (f *feeder) last() {
	end := stamp(f.ms + 10*windowMs)
	f.p.Write(partitions, func(i int) *kgo.Record {
		b, _ := json.Marshal(input{K: "end", N: 1, Kind: 9, TS: end})
		return &kgo.Record{Topic: f.in, Partition: int32(i), Value: b}
	})
}

func (f *feeder) write(rows []input) {
	var recs []*kgo.Record
	for _, x := range rows {
		b, _ := json.Marshal(x)
		recs = append(recs, &kgo.Record{Topic: f.in, Partition: x.partition(), Value: b})
		if v, ok := x.twin(); ok {
			b, _ := json.Marshal(map[string]any{"k": x.K, "n": x.N, "v": v})
			recs = append(recs, &kgo.Record{Topic: f.ref, Partition: int32(f.rng.IntN(partitions)), Value: b})
			if n := len(recs); f.rng.IntN(2) == 0 {
				recs[n-1], recs[n-2] = recs[n-2], recs[n-1]
			}
		}
	}
	broken := map[string][]string{}
	for f.rng.IntN(3) == 0 {
		f.breaks++
		topic := []string{f.in, f.ref}[f.rng.IntN(2)]
		v := fmt.Sprintf(`{"k":"broken","n":%d,`, f.breaks)
		broken[topic] = append(broken[topic], v)
		at := f.rng.IntN(len(recs) + 1)
		recs = slices.Insert(recs, at, &kgo.Record{Topic: topic, Partition: int32(f.rng.IntN(partitions)), Value: []byte(v)})
	}
	f.p.Write(len(recs), func(i int) *kgo.Record { c := *recs[i]; return &c })
	f.sent = append(f.sent, rows...)
	for topic, list := range broken {
		f.broken[topic] = append(f.broken[topic], list...)
	}
}

func (x input) partition() int32 { return int32(len(x.K)+int(x.K[len(x.K)-1])) % partitions }
