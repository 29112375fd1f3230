package blackhole

import (
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func TestCountsRows(t *testing.T) {
	k, _ := Connector().Sink(&connectors.TableDef{Name: "n"})
	s := batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeInt})
	b := batch.New(s, 3)
	for _, w := range []int64{1, -2, 1} {
		b.Cols[0].AppendInt(7)
		b.AddWeight(w)
	}
	w0, _ := k.Writer(0)
	w2, _ := k.Writer(2)
	_ = w2.Push(connectors.Changes{B: b})
	b.Sel, b.W = []int32{1, 2}, nil
	_ = w0.Push(connectors.Changes{B: b})
	if e, _ := k.Seal(); e.Rows() != 6 {
		t.Errorf("%d rows, want 6", e.Rows())
	}
	if e, _ := k.Seal(); e.Rows() != 0 {
		t.Errorf("the next epoch has %d rows", e.Rows())
	}
}
