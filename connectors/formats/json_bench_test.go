package formats

import (
	"fmt"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

var bidFields = []batch.Field{f("event_type", batch.TypeInt), f("person", row(f("id", batch.TypeBigInt), f("name", batch.TypeString))),
	f("auction", row(f("id", batch.TypeBigInt), f("name", batch.TypeString))),
	f("bid", row(f("auction", batch.TypeBigInt), f("bidder", batch.TypeBigInt), f("price", batch.TypeBigInt), f("channel", batch.TypeString), f("url", batch.TypeString), f("dateTime", batch.TypeTS3), f("extra", batch.TypeString)))}

func bidRecords() [][]byte {
	var out [][]byte
	for i := range 1000 {
		out = append(out, fmt.Appendf(nil, `{"event_type":2,"person":null,"auction":null,"bid":{"auction":%d,"bidder":%d,"price":%d,"channel":"channel-%d","url":"https://www.nexmark.com/abc/def/ghi/item.htm?query=1&channel_id=%d","dateTime":"2026-01-01 00:00:%02d.%03d","extra":"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"}}`,
			1000+i, 2000+i*7, i*i*31, i%100, i*7919, i%60, i))
	}
	return out
}

func BenchmarkJSONDecode(b *testing.B) {
	recs := bidRecords()
	for _, x := range []struct {
		name string
		want []bool
	}{{"3 of bid", []bool{true, false, true, false, false, true, false}}, {"all of bid", []bool{true, true, true, true, true, true, true}}} {
		b.Run(x.name, func(b *testing.B) {
			s := spec(bidFields)
			s.Want = connectors.Want{Cols: []bool{true, false, false, true}, Fields: map[int][]bool{3: x.want}}
			d, _ := newJSON(s, "json")
			bt := batch.New(batch.NewSchema(bidFields...), 1000)
			b.SetBytes(int64(len(recs[500])))
			for i := range b.N {
				if i%1000 == 0 {
					connectors.Pad(bt)
					bt.Reset()
				}
				if n, bad := d.Decode(bt, recs[i%1000]); n != 1 {
					b.Fatal(bad)
				}
				bt.AddWeight(1)
			}
		})
	}
}

func BenchmarkJSONEncode(b *testing.B) {
	recs := bidRecords()
	d, _ := newJSON(spec(bidFields), "json")
	bt := batch.New(batch.NewSchema(bidFields...), 1000)
	for _, r := range recs {
		d.Decode(bt, r)
		bt.AddWeight(1)
	}
	e, _ := newJSONEncoder(spec(bidFields), "json")
	var out []byte
	for i := range b.N {
		out, _, _ = e.Append(out[:0], bt, i%1000, connectors.Insert)
	}
}
