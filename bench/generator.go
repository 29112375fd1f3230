package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/nexmark"
)

// generate reads all columns of n events from the generator and does nothing
// with them: G, the yardstick of every ratio.
func generate(n int64) {
	str, ts, big := batch.TypeString, batch.TypeTS3, batch.TypeBigInt
	row := func(f ...batch.Field) batch.Type { return batch.Type{SQL: batch.RowType, Fields: f} }
	f := func(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t} }
	schema := batch.NewSchema(f("event_type", batch.TypeInt),
		f("person", row(f("id", big), f("name", str), f("emailAddress", str), f("creditCard", str), f("city", str), f("state", str), f("dateTime", ts), f("extra", str))),
		f("auction", row(f("id", big), f("itemName", str), f("description", str), f("initialBid", big), f("reserve", big), f("dateTime", ts), f("expires", ts), f("seller", big), f("category", big), f("extra", str))),
		f("bid", row(f("auction", big), f("bidder", big), f("price", big), f("channel", str), f("url", str), f("dateTime", ts), f("extra", str))))
	want := connectors.Want{Cols: []bool{true, true, true, true}}
	src, err := nexmark.Connector().Source(&connectors.TableDef{Name: "nexmark", Schema: schema, Meta: make([]string, 4), Virtual: make([]bool, 4),
		Options: &connectors.Options{List: []connectors.Option{{Key: "connector", Value: "nexmark"}, {Key: "events.num", Value: strconv.FormatInt(n, 10)}, {Key: "splits", Value: "1"}}},
		Job:     &connectors.Job{Notice: func(string) {}}})
	check(err)
	ctx := context.Background()
	splits, err := src.Splits(ctx)
	check(err)
	r, err := src.Open(ctx, splits[0], nil, nil, want)
	check(err)
	dst := connectors.Dst{Batch: batch.New(schema, 4096)}
	for done := false; !done; {
		dst.Batch.Reset()
		_, done, err = r.Read(&dst, 4096)
		check(err)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
