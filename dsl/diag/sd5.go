package diag

// SD5: options, connectors and formats.
func init() {
	Register("SD5001", "unknown connector",
		"The value of 'connector' names no connector of this binary.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'kafak');",
		"Correct the name; `streamd connectors` lists all.")
	Register("SD5002", "unknown option",
		"Neither the connector nor its format has an option of this name.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topik' = 'x');",
		"Correct the name; `streamd connectors NAME` lists the options.")
	Register("SD5003", "value of an option",
		"The option does not take this value.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = 'many');",
		"Write a value of the kind that the message names.")
	Register("SD5004", "option or primary key is missing",
		"The connector cannot work without it.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'kafka');",
		"Add it.")
	Register("SD5005", "variable is not set",
		"${NAME} in the value of an option is taken from the environment, where it is not set.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = '${TOPIC}');",
		"Set it, or give a default: ${TOPIC:-orders}.")
	Register("SD5006", "unknown setting",
		"SET and RESET know no setting of this name.",
		"SET 'table.exec.state.tll' = '1 d';",
		"Correct the name.")
	Register("SD5007", "value of a setting",
		"The setting does not take this value.",
		"SET 'table.exec.state.ttl' = 'long';",
		"Write a value of the kind that the message names.")
	Register("SD5008", "options without effect",
		"Files written for Flink carry these options or settings; they tune what streamd has not, and are accepted without effect.",
		"SET 'parallelism.default' = '4';",
		"Nothing has to be done.")
	Register("SD5009", "table cannot be read, or written",
		"The connector is a source only, or a sink only.",
		"INSERT INTO nexmark_table SELECT 1;",
		"Use another connector.")
	Register("SD5010", "generator without an end",
		"--until-idle ends sources at what they hold at the start. A generator without a number of rows holds no end.",
		"CREATE TABLE n (event_type INT) WITH ('connector' = 'nexmark');",
		"Give 'number-of-rows' (or 'events.num'), or run without --until-idle.")
	Register("SD5020", "setting comes too late",
		"All queries of a file are one job. Its time zone, 'streamd.on-error' and 'streamd.join.retention' hold for all of them; changed behind a query, they would change that query too.",
		"SELECT CAST(NOW() AS STRING);\nSET 'table.local-time-zone' = 'Asia/Tokyo';",
		"Put it before the first query, the zone also before the first view, or run the other queries as a job of their own.")
}
