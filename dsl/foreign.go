package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// What users of other databases write, and what to write here instead. An advice stands in a hint only; whether a text is right is
// not decided here.

// foreignTypes are names of types elsewhere.
var foreignTypes = map[string]string{
	"TEXT": "STRING", "NTEXT": "STRING", "CLOB": "STRING", "UUID": "STRING", "ENUM": "STRING", "NVARCHAR": "VARCHAR(n) or STRING",
	"VARCHAR2": "VARCHAR(n) or STRING", "NVARCHAR2": "VARCHAR(n) or STRING", "LONGTEXT": "STRING", "MEDIUMTEXT": "STRING",
	"JSON": "STRING, and read it with JSON_VALUE", "JSONB": "STRING, and read it with JSON_VALUE", "VARIANT": "STRING, and read it with JSON_VALUE",
	"DATETIME": "TIMESTAMP(3)", "DATETIME2": "TIMESTAMP(6)", "SMALLDATETIME": "TIMESTAMP(0)", "TIMESTAMPTZ": "TIMESTAMP_LTZ(3)",
	"TIMESTAMP_NTZ": "TIMESTAMP(3)", "NUMBER": "DECIMAL(p, s) or BIGINT", "MONEY": "DECIMAL(19, 4)", "LONG": "BIGINT", "INT8": "BIGINT",
	"INT64": "BIGINT", "UINT64": "DECIMAL(20, 0)", "INT4": "INT", "INT32": "INT", "UINT32": "BIGINT", "INT2": "SMALLINT", "INT16": "SMALLINT",
	"MEDIUMINT": "INT", "FLOAT8": "DOUBLE", "FLOAT64": "DOUBLE", "FLOAT4": "FLOAT", "FLOAT32": "FLOAT", "BIT": "BOOLEAN", "BLOB": "BYTES",
	"BYTEA": "BYTES", "STRUCT": "ROW<name INT, …>", "LIST": "ARRAY<INT>",
	"SERIAL": "INT or BIGINT: nothing here counts rows by itself", "BIGSERIAL": "BIGINT: nothing here counts rows by itself",
}

// foreignFunctions are functions elsewhere, and columns that are none.
var foreignFunctions = map[string]string{
	"DATE_TRUNC": "FLOOR(ts TO HOUR)", "TRUNC": "FLOOR(ts TO HOUR), or TRUNCATE(x, n)", "STRING_AGG": "LISTAGG(x, ',')", "GROUP_CONCAT": "LISTAGG(x, ',')",
	"ARRAY_LENGTH": "CARDINALITY(a)", "SIZE": "CARDINALITY(a)", "NVL": "COALESCE(x, y)", "ISNULL": "COALESCE(x, y), or x IS NULL",
	"GETDATE": "CURRENT_TIMESTAMP", "SYSDATE": "CURRENT_TIMESTAMP", "SYSTIMESTAMP": "CURRENT_TIMESTAMP", "GETUTCDATE": "CURRENT_TIMESTAMP",
	"LEN": "CHAR_LENGTH(s)", "LENGTH": "CHAR_LENGTH(s)", "TO_CHAR": "DATE_FORMAT(ts, 'yyyy-MM-dd') for times, CAST(x AS STRING) for numbers",
	"STRFTIME": "DATE_FORMAT(ts, 'yyyy-MM-dd')", "FORMAT_TIMESTAMP": "DATE_FORMAT(ts, 'yyyy-MM-dd')", "DATEDIFF": "TIMESTAMPDIFF(DAY, a, b)",
	"DATE_DIFF": "TIMESTAMPDIFF(DAY, a, b)", "DATE_ADD": "ts + INTERVAL '1' DAY", "DATE_SUB": "ts - INTERVAL '1' DAY", "DATEADD": "ts + INTERVAL '1' DAY",
	"ADDDATE": "ts + INTERVAL '1' DAY", "DATE_PART": "EXTRACT(HOUR FROM ts)", "DATEPART": "EXTRACT(HOUR FROM ts)", "IIF": "IF(condition, x, y)",
	"SAFE_CAST": "TRY_CAST(x AS type)", "TRY_CONVERT": "TRY_CAST(x AS type)", "CONVERT": "CAST(x AS type)", "TO_NUMBER": "CAST(s AS DECIMAL(p, s))",
	"EXPLODE": "FROM t CROSS JOIN UNNEST(t.a) AS u (x)", "GENERATE_SERIES": "a datagen table with 'fields.x.kind' = 'sequence'",
	"JSON_EXTRACT": "JSON_VALUE(doc, '$.a')", "GET_JSON_OBJECT": "JSON_VALUE(doc, '$.a')", "JSON_EXTRACT_SCALAR": "JSON_VALUE(doc, '$.a')",
	"GEN_RANDOM_UUID": "UUID()", "NEWID": "UUID()", "STRPOS": "POSITION(part IN s)", "CHARINDEX": "POSITION(part IN s)", "SUBSTRING_INDEX": "SPLIT_INDEX(s, ',', 0)",
	"ANY_VALUE": "FIRST_VALUE(x)", "ROWNUM": "LIMIT n, or ROW_NUMBER() in a query that bounds it",
	"NONE": "NULL", "NIL": "NULL", "UNDEFINED": "NULL", "TODAY": "CURRENT_DATE",
}

// foreignWord is a word at which a text stops being right. It is an advice only in statements that begin with first, where that is
// not empty.
type foreignWord struct{ first, hint string }

var foreignWords = map[string]foreignWord{
	"ILIKE":          {"", "compare in one case: LOWER(x) LIKE 'a%'"},
	"->":             {"", "a field of JSON is JSON_VALUE(doc, '$.name'), of a ROW doc.name"},
	"RETURNING":      {"", "an INSERT returns nothing: remove it; a bare SELECT shows rows"},
	"AUTO_INCREMENT": {"CREATE", "nothing here counts rows by itself; UUID() makes keys"},
	"IDENTITY":       {"CREATE", "nothing here counts rows by itself; UUID() makes keys"},
	"UNSIGNED":       {"CREATE", "there are no unsigned types: take the next larger one, BIGINT for INT UNSIGNED"},
	"DEFAULT":        {"CREATE", "columns have no defaults: write the value in the INSERT, COALESCE(x, 1)"},
	"UNIQUE":         {"CREATE", "the one constraint is PRIMARY KEY … NOT ENFORCED"},
	"CHECK":          {"CREATE", "the one constraint is PRIMARY KEY … NOT ENFORCED; filter rows by WHERE"},
	"REFERENCES":     {"CREATE", "there are no foreign keys: remove it"},
	"FOREIGN":        {"CREATE", "there are no foreign keys: remove it"},
	"ENGINE":         {"CREATE", "where a table lives is said by WITH ('connector' = …)"},
	"USING":          {"CREATE", "where a table lives is said by WITH ('connector' = …, 'format' = …)"},
	"INDEX":          {"", "there are no indexes: remove it"},
	"DATABASE":       {"CREATE", "there is one database: remove it"},
	"SCHEMA":         {"CREATE", "there is one database: remove it"},
	"STREAM":         {"CREATE", "each table is a stream: CREATE TABLE s (…) WITH ('connector' = 'kafka', 'topic' = …)"},
	"EMIT":           {"", "remove it: results are always kept up to date"},
	"WITHIN":         {"SELECT", "bound the times in the condition: ON a.id = b.id AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '1' HOUR"},
	"TUMBLING":       {"SELECT", "a window is a table: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"},
	"HOPPING":        {"SELECT", "a window is a table: FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), slide, size)) GROUP BY window_start, window_end"},
	"LATERAL":        {"SELECT", "the elements of an array: FROM t CROSS JOIN UNNEST(t.a) AS u (x)"},
	"MINUS":          {"", "the set operation is called EXCEPT, which is not supported yet: WHERE NOT EXISTS (SELECT 1 FROM … WHERE …) takes the rows of another query away"},
	"TOP":            {"SELECT", "write ORDER BY x LIMIT n at the end of the query"},
	"INTO":           {"SELECT", "write INSERT INTO t SELECT …"},
	"REPLACE":        {"REPLACE", "write INSERT INTO; a table of upsert-kafka with a PRIMARY KEY replaces rows by key"},
	"UPSERT":         {"UPSERT", "write INSERT INTO; a table of upsert-kafka with a PRIMARY KEY replaces rows by key"},
	"MERGE":          {"MERGE", "write INSERT INTO; a table of upsert-kafka with a PRIMARY KEY replaces rows by key"},
	"BEGIN":          {"BEGIN", "there are no transactions to begin: all INSERTs of a file are one job; a statement set is BEGIN STATEMENT SET; … END;"},
	"COMMIT":         {"COMMIT", "there are no transactions to end: epochs are decided by themselves"},
	"ROLLBACK":       {"ROLLBACK", "there are no transactions to end: epochs are decided by themselves"},
	"EXPECT":         {"EXPECT", "this is a statement of tests, which stand in a file NAME_test.sql"},
	"INPUT":          {"INPUT", "this is a statement of tests, which stand in a file NAME_test.sql"},
	"STRUCT":         {"", "write ROW<name INT, …>"},
	"SAFE_CAST":      {"", "write TRY_CAST(x AS type)"},
	"TRY_CONVERT":    {"", "write TRY_CAST(x AS type)"},
}

// swallowed says of words that pass for names how many words may follow before the text stops being right.
var swallowed = map[string]int{"MINUS": 1, "RETURNING": 1, "TOP": 1, "TUMBLING": 1, "HOPPING": 1, "STRUCT": 1, "FOREIGN": 3, "SAFE_CAST": 8, "TRY_CONVERT": 8}

// foreignWordAt finds a word of another dialect at or shortly before the wrong token; the error is moved to it.
func foreignWordAt(before []lexer.Token, tok lexer.Token) (at lexer.Token, hint string) {
	n := len(before)
	back := func(i int) *lexer.Token {
		if i > n {
			return &lexer.Token{}
		}
		return &before[n-i]
	}
	fits := func(t *lexer.Token) string {
		w, ok := foreignWords[upper(t)]
		first := t
		if n > 0 {
			first = &before[0]
		}
		if !ok || w.first != "" && upper(first) != w.first {
			return ""
		}
		return w.hint
	}
	switch {
	case isWord(&tok, "ON") && isWord(back(1), "DISTINCT"):
		return tok, "the newest row of each key: SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM t) WHERE rn = 1"
	case isWord(&tok, "WITH") && isOneOf(back(1), "ROWS", "ROW"):
		return tok, "write ROWS ONLY: ties are cut"
	case isOp(&tok, ")") && isOp(back(1), "+") && isOp(back(2), "("):
		return *back(2), "write FROM a LEFT JOIN b ON a.id = b.id"
	case isOp(&tok, "[") && isOneOf(back(1), "SELECT", "FROM", "WHERE", "BY", "JOIN"):
		return tok, "a name is quoted by backquotes: `name`"
	case isOp(&tok, "[") && n > 0 && isWord(&before[0], "CREATE"):
		return tok, "an array type is written ARRAY<INT>"
	case isOp(&tok, "(") && isWord(back(1), "CONFLICT"):
		return tok, "the key is the table's PRIMARY KEY: write ON CONFLICT DO DEDUPLICATE, DO NOTHING or DO ERROR"
	case isWord(&tok, "WINDOW") && (isOneOf(back(1), "SELECT", "BY") || isOp(back(1), ",")):
		return tok, foreignWords["TUMBLING"].hint
	case isOp(&tok, ":") && back(1).Type == tOp && !isOp(back(1), ")") && !isWord(&before[0], "CREATE"):
		return tok, "a text has no parameters; ${NAME} in option values is taken from the environment"
	case isOp(back(2), "<") && isWord(back(3), "ROW") && (isOp(&tok, ",") || isOp(&tok, ">")):
		return tok, "each field of a ROW has a name: ROW<a INT, b STRING>"
	case isWord(&tok, "AS") && isWord(back(2), "WATERMARK"):
		return *back(1), "write WATERMARK FOR " + clip(back(1).Value) + " AS …"
	}
	if h := fits(&tok); h != "" {
		return tok, h
	}
	for i := 1; i <= 8 && i <= n; i++ {
		t := back(i)
		if t.Type == tIdent && i <= swallowed[upper(t)] && !isOp(back(i+1), ".") && !isWord(back(i+1), "AS") {
			if h := fits(t); h != "" {
				return *t, h
			}
		}
	}
	return tok, ""
}

// foreignAdvice is what to do instead of statements that are not a part of streamd.
var foreignAdvice = map[string]string{
	"CREATE CATALOG":  "remove it: tables are declared in the file, by CREATE TABLE",
	"CREATE DATABASE": "remove it: there is one database",
	"CREATE SOURCE":   "write CREATE TABLE s (…) WITH ('connector' = …)",
	"CREATE SINK":     "write CREATE TABLE s (…) WITH ('connector' = …), and INSERT INTO s SELECT …",
	"ADD JAR":         "remove it: connectors and functions are part of the binary; `streamd connectors` and `streamd functions` list them",
	"UPDATE":          "rows change by what is read: INSERT INTO a table with a PRIMARY KEY replaces them by key",
	"DELETE FROM":     "rows go when the query no longer gives them: filter them in the INSERT",
	"TRUNCATE TABLE":  "remove it: streamd does not change what is stored elsewhere",
	"ALTER TABLE":     "change the CREATE TABLE instead",
	"EXECUTE PLAN":    "run the file itself: streamd run FILE",
	"COMPILE PLAN":    "remove it; streamd explain FILE prints the plan",
}

// foreignName is the advice for a function or column that other databases have.
func foreignName(name string) string {
	if f, ok := foreignFunctions[strings.ToUpper(name)]; ok {
		return "write " + f
	}
	return ""
}
