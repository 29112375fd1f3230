package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// The way of a record from the client's memory into a batch, without network: copy into a slab, hand over, decode.
func BenchmarkRead(b *testing.B) {
	for _, bc := range []struct{ format, columns, value string }{
		{"raw", "v BYTES", `{"auction":1000,"bidder":2001,"price":1234,"channel":"Google","url":"https://www.nexmark.com/x","dateTime":"2026-01-01 00:00:00.000"}`},
		{"json", "auction BIGINT, price BIGINT", `{"auction":1000,"bidder":2001,"price":1234,"channel":"Google","url":"https://www.nexmark.com/x","dateTime":"2026-01-01 00:00:00.000"}`},
	} {
		b.Run(bc.format, func(b *testing.B) {
			d := def(b, nil, bc.columns, "topic=t", "format="+bc.format, "scan.startup.mode=earliest-offset", "properties.bootstrap.servers=x:1")
			t, err := newTable(d, false)
			if err != nil {
				b.Fatal(err)
			}
			rows, err := newRowReader(t, connectors.Want{})
			if err != nil {
				b.Fatal(err)
			}
			const n = 1024
			recs := make([]*kgo.Record, n)
			for i := range recs {
				recs[i] = &kgo.Record{Topic: "t", Offset: int64(i), Value: []byte(bc.value)}
			}
			f := newFetcher(Cluster{}, nil, 64<<20, nil, &health{})
			buf := &buffer{topic: "t", split: "t/0", until: -1}
			r := &reader{rows: rows, fetch: f, buf: buf}
			out := batch.New(d.Schema, n)
			b.ReportAllocs()
			for range b.N / n {
				for i := range recs {
					recs[i].Offset = buf.next + int64(i)
				}
				_, bytes := buf.add(recs, 0)
				f.held += bytes
				out.Reset()
				if _, _, err := r.Read(&connectors.Dst{Batch: out}, n); err != nil || out.N != n {
					b.Fatal(fmt.Sprint(out.N, err))
				}
			}
		})
	}
}
