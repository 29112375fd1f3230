package kafka

import "sync"

// gate keeps rows of different epochs out of one transaction.
//
// Epochs are numbered here from 0, by the order of their Seal. The engine seals an epoch only after the one before it is
// decided, so at most one epoch is sealed and undecided. While it is, workers already push rows of the next one; those
// wait outside the producer.
//
//	sealed 1, ended 0:  rows of epoch 0 may go (they are being prepared), rows of epoch 1 wait
//	sealed 1, ended 1:  rows of epoch 1 may go
//
// An epoch that the engine decides without the cluster (no rows anywhere) is not reported here; the next Seal tells.
type gate struct {
	mu     sync.Mutex
	sealed uint64 // epochs sealed so far
	ended  uint64 // epochs known to be decided
	handed bool   // the sealed epoch has been prepared and not yet decided
	err    error  // the incarnation is over
}

// running is the number of the epoch whose rows are being pushed.
func (g *gate) running() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sealed
}

// may tells whether rows of an epoch may be handed to the producer now.
func (g *gate) may(epoch uint64) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended >= epoch, g.err
}

// seal ends an epoch. Every sink of the cluster calls it with the same number.
func (g *gate) seal(epoch uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.handed {
		panic("BUG: an epoch is sealed before the one before it is decided")
	}
	if epoch != g.sealed && epoch+1 != g.sealed {
		panic("BUG: sinks of one cluster are in different epochs")
	}
	g.ended = max(g.ended, epoch)
	g.sealed = max(g.sealed, epoch+1)
	return g.err
}

// prepare notes that the rows of the sealed epoch are going to the producer.
func (g *gate) prepare() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.handed = true
	return g.err
}

// decided notes that the sealed epoch is decided.
func (g *gate) decided() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended, g.handed = g.sealed, false
}

func (g *gate) close(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}
