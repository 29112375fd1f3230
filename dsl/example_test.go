package dsl_test

import (
	"fmt"
	"os"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

var example = dsl.Config{Connectors: map[string]*connectors.Connector{"datagen": datagen.Connector(), "blackhole": blackhole.Connector()}}

const rides = `CREATE TABLE rides (cell STRING, price INT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
CREATE TABLE totals (cell STRING, n BIGINT) WITH ('connector' = 'blackhole');
`

// A text becomes a plan of operators.
func ExampleCompile() {
	plan, diags := dsl.Compile("rides.sql", rides+`INSERT INTO totals SELECT cell, COUNT(*) FROM rides WHERE price > 5 GROUP BY cell;`, example)
	if plan == nil {
		fmt.Println(diags)
		return
	}
	fmt.Print(plan.Explain())
	// Output:
	// #1 sink totals  mode=upsert(cell) by=any state=none
	//   #2 project cell, COUNT(*) AS n  mode=upsert(cell) by=any state=none
	//     #3 aggregate by cell compute COUNT(*)  mode=upsert(cell) by=key(cell) state=unbounded
	//       #4 project cell  mode=append by=any state=none
	//         #5 filter (price > 5)  mode=append by=any state=none
	//           #6 scan rides (cell, price)  mode=append by=any state=none
}

// A text that is wrong becomes diagnostics: what, where, and what to do.
func ExampleCompile_wrong() {
	text := rides + `INSERT INTO totals SELECT cell, SUM(pric) FROM rides GROUP BY cell;`
	_, diags := dsl.Compile("rides.sql", text, example)
	for i := range diags {
		diag.Render(os.Stdout, source.NewFile("rides.sql", text), &diags[i])
	}
	// Output:
	// error[SD2003]: unknown column "pric"
	//   --> rides.sql:3:37
	//    |
	//  3 | INSERT INTO totals SELECT cell, SUM(pric) FROM rides GROUP BY cell;
	//    |                                     ^^^^ rides has no such column; did you mean "price"?
	//    = columns: cell, price
}
