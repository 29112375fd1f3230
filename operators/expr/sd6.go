package expr

// Code explains a row error to the user.
type Code struct {
	Code, Title, Explain, Example, WayOut string
}

// The codes of rows that an expression cannot compute.
const (
	ErrOverflow   = "SD6001"
	ErrDivZero    = "SD6002"
	ErrCast       = "SD6003"
	ErrPattern    = "SD6004"
	ErrTimeRange  = "SD6005"
	ErrZone       = "SD6006"
	ErrArgument   = "SD6007"
	ErrJSON       = "SD6008"
	ErrElement    = "SD6009"
	ErrOutOfScope = "SD6010"
	ErrFunction   = "SD6011"
)

// Codes is the table of row errors of expressions and scalar functions.
var Codes = []Code{
	{ErrOverflow, "number out of range",
		"The result of integer arithmetic, or of a function, does not fit its type. streamd does not wrap around.",
		"SELECT n + 1 FROM t -- n INT is 2147483647",
		"CAST an operand to a wider type: CAST(n AS BIGINT) + 1. To give NULL instead, compute in BIGINT and use TRY_CAST."},
	{ErrDivZero, "division by zero",
		"An integer or DECIMAL was divided by zero, or its remainder taken. DOUBLE gives Infinity or NaN instead.",
		"SELECT total / n FROM t -- n is 0",
		"Protect it: total / NULLIF(n, 0), or CASE WHEN n <> 0 THEN total / n END."},
	{ErrCast, "value cannot be cast",
		"A text is not a value of the target type, or a number is outside its range.",
		"SELECT CAST(s AS INT) FROM t -- s is 'x'",
		"TRY_CAST gives NULL for such values."},
	{ErrPattern, "malformed pattern",
		"The pattern of LIKE, SIMILAR TO or a REGEXP function, computed for the row, is malformed.",
		"SELECT REGEXP(s, p) FROM t -- p is '('",
		"Check the pattern's brackets and escapes; a constant pattern is checked before the start."},
	{ErrTimeRange, "time out of range",
		"A date, time or timestamp left the range of years that can be stored.",
		"SELECT ts + INTERVAL '1' YEAR * n FROM t -- n is 10000000",
		"Bound the operand, or filter such rows first."},
	{ErrZone, "unknown time zone",
		"The name of a time zone, computed for the row, is not known.",
		"SELECT ts AT TIME ZONE z FROM t -- z is 'Mars/Base'",
		"Use names such as Europe/Paris or offsets such as +02:00."},
	{ErrArgument, "operand outside the function's domain",
		"A function cannot be computed for this operand.",
		"SELECT ELEMENT(a) FROM t -- a has two elements",
		"Check the operand first, with CASE or WHERE."},
	{ErrJSON, "JSON error",
		"A JSON function with ERROR ON ERROR or ERROR ON EMPTY met a document that is malformed or lacks the path.",
		"SELECT JSON_VALUE(doc, '$.a' ERROR ON EMPTY) FROM t -- doc is '{}'",
		"Use NULL ON EMPTY, NULL ON ERROR or DEFAULT … ON EMPTY."},
	{ErrElement, "no such element",
		"An array was accessed with a position below 1.",
		"SELECT a[n] FROM t -- n is 0",
		"Array elements are numbered from 1; beyond the end gives NULL."},
	{ErrOutOfScope, "result too large",
		"The text that a function would make for the row is larger than 16 MiB.",
		"SELECT REPEAT(s, n) FROM t -- n is 1000000000",
		"Bound the operand, for example LEAST(n, 1000)."},
	{ErrFunction, "function of the program failed",
		"A Go function that the embedding program registered returned an error for the row, panicked, or gave what its type does not hold.",
		"SELECT fare(km) FROM t -- fare returns an error when km is negative",
		"Repair the function, keep such rows from it with WHERE or CASE, or set 'on-error' = 'skip' on the table."},
}
