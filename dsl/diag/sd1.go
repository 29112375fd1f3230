package diag

// SD1: syntax and limits.
func init() {
	Register("SD1001", "unexpected word or sign",
		"The statement cannot go on with this word or sign. One error is reported for each statement; the others are checked all the same.",
		"SELECT a, FROM t;",
		"Look at what was expected and at the hints. A reserved word is used as a name in backquotes: `order`.")
	Register("SD1002", "string is never closed",
		"A string starts with a single quote and goes on to the next one. The text ends before it comes.",
		"SELECT 'abc FROM t;",
		"Close the string. A single quote inside a string is written twice: 'it''s'.")
	Register("SD1003", "comment is never closed",
		"A comment that starts with /* goes on to the next */. The text ends before it comes.",
		"SELECT 1 /* one;",
		"Write */ behind the comment, or use -- for a comment to the end of the line.")
	Register("SD1004", "character means nothing here",
		"The language has no use for this character outside of strings, comments and quoted names, or the text is not valid UTF-8.",
		"SELECT a # b FROM t;",
		"Remove it. Typographic quotes and invisible blanks come from word processors and web pages: type them anew.")
	Register("SD1005", "double quotes",
		"Double quotes quote nothing in this dialect, as in Flink.",
		`SELECT "a" FROM t;`,
		"Write a string in single quotes, a name in backquotes.")
	Register("SD1006", "malformed number",
		"A number is followed at once by letters, or is too large for this place.",
		"SELECT 12ab FROM t;",
		"Put a blank between number and word. A name that starts with a digit is written in backquotes.")
	Register("SD1007", "malformed literal",
		"A binary literal needs an even number of hexadecimal digits, an escape in U&'…' four of them, an interval a string.",
		"SELECT X'abc', INTERVAL 1 DAY;",
		"Write X'0abc', U&'\\0041', INTERVAL '1' DAY.")
	Register("SD1008", "file too large",
		"At most 1 MiB of text is read from one file.",
		"(a text of more than 1,048,576 bytes)",
		"Split the pipeline. Data belongs in files or topics, not in VALUES.")
	Register("SD1009", "too many tokens",
		"At most 100,000 words and signs are read from one file.",
		"(a text of more than 100,000 words and signs)",
		"Split the pipeline. Data belongs in files or topics, not in VALUES.")
	Register("SD1010", "nested too deeply",
		"Parentheses, brackets, CASE, types and prefix operators may nest 100 levels deep.",
		"SELECT ((((…(1)…))));",
		"Give names to inner parts: CREATE VIEW, or WITH name AS (…).")
	Register("SD1011", "chain too long",
		"At most 5,000 operators, joins or set operations may follow one another in one expression or query.",
		"SELECT 1 + 1 + 1 + … ;",
		"Use IN (…) or a join with a table of values.")
	Register("SD1012", "quoted name is never closed",
		"A name in backquotes goes on to the next backquote. The text ends before it comes.",
		"SELECT `a FROM t;",
		"Close the name. A backquote inside a name is written twice.")
	Register("SD1013", "substitution outside a string",
		"${NAME} is replaced from the environment in option values only, never in other parts of a statement.",
		"SELECT * FROM ${TABLE};",
		"Use it in an option: 'topic' = '${TOPIC}'. For anything else generate the file.")
	Register("SD1014", "statement set opened or closed wrongly",
		"A statement set begins with EXECUTE STATEMENT SET BEGIN (or BEGIN STATEMENT SET;), holds INSERTs and ends with END;",
		"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;",
		"Write END; behind the last INSERT. Sets do not nest. They are not needed: all INSERTs of a file are one job.")
	Register("SD1015", "not an INSERT in a statement set",
		"Between BEGIN and END only INSERT statements may stand.",
		"EXECUTE STATEMENT SET BEGIN CREATE VIEW v AS SELECT 1; END;",
		"Move the statement in front of the set.")
	Register("SD1016", "too many errors",
		"After 100 wrong statements the rest of the file is not checked.",
		"(a file with more than 100 wrong statements)",
		"Mend the first ones and check again.")
	Register("SD1017", "too many columns",
		"A table, a query or a join has at most 10,000 columns, all of a file together 1,000,000. Views that name another twice grow fast.",
		"CREATE VIEW w AS SELECT *, * FROM v; -- and so on, twenty times",
		"Name the columns that are needed instead of *.")
}
