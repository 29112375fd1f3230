package diag

// SD3: types and functions.
func init() {
	Register("SD3001", "operands do not fit",
		"The operator is not defined for operands of these types.",
		"SELECT name + 1 FROM people;",
		"CAST one operand to the type of the other, or use the function the hint names.")
	Register("SD3002", "arguments do not fit",
		"The function takes another number of arguments, or arguments of other types.",
		"SELECT UPPER(1, 2) FROM t;",
		"Look at the function's syntax: `streamd functions NAME`.")
	Register("SD3003", "impossible cast",
		"There is no conversion between these types, whatever the value.",
		"SELECT CAST(ts AS BIGINT) FROM t;",
		"Use the function the hint names.")
	Register("SD3004", "type is refused",
		"There is no such type, its length or precision is out of range, or streamd has it not.",
		"CREATE TABLE t (ts TIMESTAMP(9)) WITH ('connector' = 'blackhole');",
		"Times have microseconds: TIMESTAMP(0) to TIMESTAMP(6). DECIMAL has at most 38 digits.")
	Register("SD3005", "column is not grouped",
		"With GROUP BY or an aggregate function, each column outside of aggregate functions is a grouping expression.",
		"SELECT cell, city, COUNT(*) FROM rides GROUP BY cell;",
		"Add the column to GROUP BY, or put it into MIN, MAX or another aggregate function.")
	Register("SD3006", "aggregate function in a wrong place",
		"Aggregate functions stand in SELECT and HAVING of the query that groups, not in WHERE, ON, GROUP BY, or inside one another.",
		"SELECT cell FROM rides WHERE COUNT(*) > 1 GROUP BY cell;",
		"Use HAVING, or aggregate in a subquery.")
	Register("SD3007", "INSERT: number of columns",
		"The query gives another number of columns than the table, or the list behind its name, has. Computed and VIRTUAL columns are not written.",
		"INSERT INTO t (a, b) SELECT 1;",
		"Make the SELECT list fit, or name the columns behind the table's name.")
	Register("SD3008", "INSERT: type of a column",
		"A value does not convert to the column's type by itself.",
		"INSERT INTO t (int_column) SELECT 'x';",
		"CAST the value in the query.")
	Register("SD3009", "set operation or IN: columns differ",
		"The parts of UNION have the same number of columns, with types that have a common type. So have the two sides of IN (query).",
		"SELECT 1 UNION ALL SELECT 1, 2;",
		"Make the SELECT lists fit.")
	Register("SD3010", "condition is not BOOLEAN",
		"WHERE, HAVING, ON and FILTER take a BOOLEAN expression.",
		"SELECT * FROM t WHERE a;",
		"Write a comparison: a <> 0.")
	Register("SD3011", "watermark does not fit",
		"A watermark is declared for a column of type TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p up to 3; its expression is of the same kind.",
		"CREATE TABLE t (ts STRING, WATERMARK FOR ts AS ts) WITH ('connector' = 'blackhole');",
		"Add a computed column: t AS TO_TIMESTAMP(ts), and declare the watermark for it.")
	Register("SD3012", "value of a literal",
		"The text is no value of the literal's type.",
		"SELECT DATE '2026-02-30';",
		"Dates are written 2026-01-31, times 10:00:00, intervals INTERVAL '1' DAY.")
}
