package main

import (
	"strings"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/state"
)

// Codes of what can end a run beside rows and state.
const (
	codeBug    = "SD9001"
	codeFailed = "SD6901"
)

// operatorCodes explains the row errors of operators.
var operatorCodes = []struct{ code, title, why, example, wayOut string }{
	{operators.CodeNullTime, "time attribute is NULL", "A window, or another operator that follows time, met a row without a time.",
		"TUMBLE(TABLE t, DESCRIPTOR(ts), …) -- ts is NULL", "Filter such rows first: WHERE ts IS NOT NULL."},
	{operators.CodeSumRange, "result of an aggregate out of range", "A sum left the range of its type: streamd does not wrap around. Or a LISTAGG is larger than 16 MiB, or an ARRAY_AGG has more than 16 million elements.",
		"SELECT SUM(n) FROM t -- n BIGINT", "CAST the argument to DECIMAL(38, 0) or DOUBLE; bound a list by a window, a FILTER or DISTINCT."},
	{operators.CodeNotNull, "NULL into a NOT NULL column", "A row for a table holds NULL where the table has NOT NULL.",
		"INSERT INTO t SELECT NULL", "COALESCE the value, or SET 'table.exec.sink.not-null-enforcer' = 'DROP'."},
	{operators.CodeTooLong, "text longer than its column", "A text for a CHAR(n) or VARCHAR(n) column has more than n characters.",
		"INSERT INTO t SELECT 'abc' -- VARCHAR(2)", "Declare STRING, cut the text, or SET 'table.exec.sink.type-length-enforcer' = 'TRIM_PAD'."},
	{operators.CodeDuplicate, "two rows of one primary key", "ON CONFLICT DO ERROR was said, and two rows have one primary key at a time.",
		"INSERT INTO t SELECT … ON CONFLICT DO ERROR", "Aggregate by the primary key, or say DO DEDUPLICATE."},
	{operators.CodeLate, "row behind the watermark", "A row came after the watermark had passed its window. It is counted, and goes where 'late' of its table says.",
		"WATERMARK FOR ts AS ts - INTERVAL '1' SECOND -- a row two seconds late", "Give the watermark more room."},
}

func init() {
	for _, c := range state.Codes {
		diag.Register(c.Code, c.Title, c.Explanation, c.Example, sentence(c.WayOut))
	}
	for _, c := range connectors.Codes {
		diag.Register(c.Code, c.Title, c.Explanation, c.Example, sentence(c.WayOut))
	}
	for _, c := range expr.Codes {
		diag.Register(c.Code, c.Title, c.Explain, c.Example, c.WayOut)
	}
	for _, c := range formats.Codes {
		why := "A record of a source could not be read: " + c.Title + ". The place of the record stands below the message."
		if c.Code == formats.NullKey || c.Code == formats.TooLarge {
			why = "A row could not be written: " + c.Title + "."
		}
		diag.Register(string(c.Code), c.Title, why, c.Example, sentence(c.Fix))
	}
	for _, c := range operatorCodes {
		diag.Register(c.code, c.title, c.why, c.example, c.wayOut)
	}
	diag.Register(codeFailed, "run failed", "Something outside of the pipeline failed in a way that trying again does not mend: a topic or path that is missing, a broker that never answered, a right that is not granted.",
		"", "Mend what the message names, then start again: with --state the run goes on where it was.")
}

// sentence makes a hint stand alone.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
