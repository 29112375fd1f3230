package kafkatest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer writes test input in transactions of which about one in five aborts. A reader that takes aborted records for
// real sees records twice.
type Producer struct {
	Committed int // records in committed transactions
	Aborted   int // records in aborted transactions

	tb  testing.TB
	cl  *kgo.Client
	rng *rand.Rand
}

// NewProducer returns a producer with its own transactional id. The seed decides where transactions are cut and which
// of them abort.
func NewProducer(tb testing.TB, b *Broker, id string, seed uint64) *Producer {
	tb.Helper()
	cl := b.Client(tb, kgo.TransactionalID(id), kgo.TransactionTimeout(30*time.Second),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	return &Producer{tb: tb, cl: cl, rng: rand.New(rand.NewPCG(seed, 0))}
}

// Write writes records next(0) … next(n-1) in order, in transactions of 1 to 40 records. A transaction that aborts is
// written once more, and that copy is committed: in the end every record is there exactly once. Records go to the
// partition they name.
func (p *Producer) Write(n int, next func(i int) *kgo.Record) {
	p.tb.Helper()
	for i := 0; i < n; {
		size := min(1+p.rng.IntN(40), n-i)
		if p.rng.IntN(5) == 0 {
			p.Transaction(false, i, i+size, next)
		}
		p.Transaction(true, i, i+size, next)
		i += size
	}
}

// Transaction writes next(from) … next(to-1) in one transaction.
func (p *Producer) Transaction(commit bool, from, to int, next func(i int) *kgo.Record) {
	p.tb.Helper()
	ctx := Deadline(p.tb)
	if err := p.cl.BeginTransaction(); err != nil {
		p.tb.Fatalf("begin: %v", err)
	}
	recs := make([]*kgo.Record, 0, to-from)
	for i := from; i < to; i++ {
		recs = append(recs, next(i))
	}
	if err := p.cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		p.tb.Fatalf("produce: %v", err)
	}
	if err := p.cl.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		p.tb.Fatalf("end transaction: %v", err)
	}
	if commit {
		p.Committed += len(recs)
	} else {
		p.Aborted += len(recs)
	}
}
