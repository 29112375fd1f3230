// Command program embeds streamd as a stranger would. It writes what it saw to
// stdout; whatever else comes out is streamd's, and wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/connectors/kafka"
	"github.com/streamd/streamd/connectors/nexmark"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/engine"
)

type order struct {
	ID    int64
	Shop  string
	Cents int64
}

type revenue struct {
	Shop string
	Euro string
}

const pipeline = `
	SET 'table.exec.state.ttl' = '0 ms';
	CREATE TABLE orders (id BIGINT, shop STRING, cents BIGINT) WITH ('connector' = 'orders');
	CREATE TABLE revenue (shop STRING, euro DECIMAL(10, 2), PRIMARY KEY (shop) NOT ENFORCED) WITH ('connector' = 'revenue');
	CREATE TABLE made (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '100');
	CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');
	CREATE TABLE shown (n BIGINT) WITH ('connector' = 'print');
	INSERT INTO revenue SELECT shop, SUM(euro(cents)) FROM orders GROUP BY shop;
	INSERT INTO nothing SELECT n FROM made;
	INSERT INTO shown SELECT COUNT(*) FROM made;`

// ignored are the signals that the process ignores.
func ignored() [2]bool { return [2]bool{signal.Ignored(os.Interrupt), signal.Ignored(syscall.SIGHUP)} }

func main() {
	before := ignored()
	idle := runtime.NumGoroutine()
	state, err := os.MkdirTemp("", "program")
	check(err)
	defer os.RemoveAll(state)
	for round := range 3 {
		once(state, round)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > idle && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("left running:", runtime.NumGoroutine() <= idle)
	// streamd must leave the signals of the process as they were: who starts it may
	// have it ignore some.
	fmt.Println("signals as before:", ignored() == before)
}

func once(state string, round int) {
	ctx := context.Background()
	e, err := engine.Open(ctx, engine.Options{Connectors: []*connectors.Connector{
		blackhole.Connector(), datagen.Connector(), file.Connector(), kafka.Kafka(), kafka.UpsertKafka(), nexmark.Connector(), print.Connector()}})
	check(err)
	total := map[string]string{}
	check(errors.Join(
		engine.RegisterFunc(e, "euro", func(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }, engine.Types("BIGINT", "DECIMAL(10, 2)")),
		engine.RegisterSource(e, "orders", engine.Source[order]{Read: read, Bounded: true}),
		engine.RegisterSink(e, "revenue", func(_ context.Context, d engine.Delivery[revenue]) error {
			for _, c := range d.Changes {
				if c.Kind == connectors.Insert {
					total[c.Row.Shop] = c.Row.Euro
				}
			}
			return nil
		}),
	))
	plan, diags := e.Compile("orders.sql", pipeline, engine.CompileOptions{})
	check(engine.Mistakes("orders.sql", pipeline, diags))
	job, err := e.Start(ctx, "orders", plan, engine.JobOptions{StateDir: state + "/" + strconv.Itoa(round)})
	check(err)
	check(job.Wait(ctx))
	how, _ := job.State()
	fmt.Println(how, total["north"], total["south"])
	check(e.Close())
}

func read(_ context.Context, from string, emit func(order, string) error) error {
	at, _ := strconv.ParseInt(from, 10, 64)
	for ; at < 100; at++ {
		o := order{ID: at, Shop: "north", Cents: at}
		if at%2 == 1 {
			o.Shop = "south"
		}
		if err := emit(o, strconv.FormatInt(at+1, 10)); err != nil {
			return err
		}
	}
	return nil
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}
