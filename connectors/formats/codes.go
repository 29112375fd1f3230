package formats

// Code names one thing that can be wrong with a record or with a row on its way
// out. A code never changes its meaning.
type Code string

const (
	Syntax       Code = "SD6101" // the record is not JSON
	NotObject    Code = "SD6102" // JSON, but no object at the top
	TooDeep      Code = "SD6103" // nested deeper than MaxDepth
	MissingField Code = "SD6104" // fail-on-missing-field and the field is not there
	WrongType    Code = "SD6105" // a value that does not read as the column's type
	OutOfRange   Code = "SD6106" // a number beyond the column's type
	BadUTF8      Code = "SD6107" // bytes that are no UTF-8
	FieldCount   Code = "SD6111" // a csv line with more or fewer fields than columns
	BadQuote     Code = "SD6112" // a csv quote that does not end, or text behind one
	NoOp         Code = "SD6121" // a change event without a known "op"
	NoImage      Code = "SD6122" // a change event without the before or after that its op needs
	RawLength    Code = "SD6131" // a raw value of the wrong number of bytes
	NullKey      Code = "SD6141" // a NULL key of a MAP on its way out
	TooLong      Code = "SD6151" // a line longer than the source reads
	NoValue      Code = "SD6161" // a Kafka record without a value in a table that has no use for it
	NoKey        Code = "SD6162" // a Kafka record without a key in an upsert-kafka table
	TooLarge     Code = "SD6171" // a row larger than its topic takes, on its way out
)

// Codes explains every code: a short title, the way out and a record that gives it.
var Codes = []struct {
	Code                Code
	Title, Fix, Example string
}{
	{Syntax, "the record is not valid JSON", "repair the producer, or set 'on-error' = 'skip' or 'dead-letter' on the table", `{"id": 1,`},
	{NotObject, "the record is JSON, but not an object", "one record must be one JSON object whose fields are the table's columns", `[1, 2]`},
	{TooDeep, "the record is nested too deeply", "flatten it, or read it as raw", `[[[[ … ]]]]`},
	{MissingField, "a field is missing", "leave 'json.fail-on-missing-field' off to read NULL instead", `{"id": 1} -- 'json.fail-on-missing-field' = 'true', and the table has a column name`},
	{WrongType, "a value does not read as its column's type", "declare the column with the type the producer writes, for instance STRING, and CAST it in the query", `{"id": "x"} -- id BIGINT`},
	{OutOfRange, "a number is outside its column's type", "declare a wider type, for instance BIGINT or DECIMAL", `{"id": 3000000000} -- id INT`},
	{BadUTF8, "text is not UTF-8", "repair the producer, or declare the column BYTES with the format raw", `{"name": "\xff"} -- the byte FF`},
	{FieldCount, "a line has another number of fields than the table has columns", "compare the table's columns with the file, and 'csv.field-delimiter'", `1,a,b -- the table has two columns`},
	{BadQuote, "a quoted field does not end where it should", "compare the file with 'csv.quote-character' and 'csv.escape-character'; a field cannot hold a line feed", `1,"a`},
	{NoOp, "a change event has no known \"op\"", "the op must be c, r, u or d; set 'debezium-json.schema-include' when events carry their schema", `{"op": "x", "after": {"id": 1}}`},
	{NoImage, "a change event lacks its row", "an update or delete needs \"before\": for PostgreSQL set REPLICA IDENTITY FULL on the source table", `{"op": "u", "before": null, "after": {"id": 1}}`},
	{RawLength, "a raw value has the wrong length", "declare the column with the type whose bytes the producer writes", `three bytes -- v BIGINT`},
	{NullKey, "a MAP with a NULL key cannot be written as JSON", "set 'json.map-null-key.mode' to 'DROP' or 'LITERAL'", `INSERT INTO t SELECT MAP[CAST(NULL AS STRING), 1]`},
	{TooLong, "a line is too long", "cut the file into lines of at most 16 MiB", `a line of 17 MiB`},
	{NoValue, "the Kafka record has no value", "a record without a value deletes a key: read the topic with upsert-kafka if that is meant", `('connector' = 'kafka', 'format' = 'json') -- the value is null`},
	{NoKey, "the Kafka record has no key", "an upsert-kafka table needs a key in every record: repair the producer, or read the topic with kafka", `('connector' = 'upsert-kafka') -- the key is null`},
	{TooLarge, "a row is larger than its topic takes", "raise max.message.bytes of the topic, or say what becomes of such rows: 'on-error' = 'skip' or 'dead-letter' on the sink's table", `INSERT INTO t SELECT REPEAT('x', 2000000)`},
}
