package diag

// SD4: streaming: time, windows, updates, state.
func init() {
	Register("SD4001", "window's arguments",
		"A window function takes a table, a time column and constant, positive intervals without months.",
		"SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MONTH));",
		"Write TUMBLE(TABLE t, DESCRIPTOR(ts), size) or HOP(TABLE t, DESCRIPTOR(ts), slide, size).")
	Register("SD4002", "state grows without bound",
		"The operator keeps rows or groups for as long as the job runs, since nothing tells it when they are no longer needed.",
		"SELECT user_id, COUNT(*) FROM clicks GROUP BY user_id;",
		"SET 'table.exec.state.ttl' = '1 d' forgets what was not touched for a day; a window or a STATE_TTL hint bounds it too; SET 'table.exec.state.ttl' = '0 ms' says that it is meant.")
	Register("SD4003", "rows of one primary key may come from several",
		"No key of the query's result is part of the table's primary key: several rows may claim one key. The last one is shown, and the one before it when that goes; for this all of them are kept.",
		"INSERT INTO by_city SELECT city, id FROM people;",
		"Say what is meant: ON CONFLICT DO DEDUPLICATE (this), DO NOTHING or DO ERROR; or aggregate by the primary key.")
	Register("SD4004", "ROW_NUMBER without a range",
		"ROW_NUMBER() runs where the query around it bounds the number from above by a constant: a top-N.",
		"SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t;",
		"SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t) WHERE rn <= 10;")
	Register("SD4005", "join without an equality",
		"A join finds its partners by columns that are equal. Without an equality each row meets every row of the other side, and one worker does it all.",
		"SELECT * FROM a JOIN b ON a.x < b.y;",
		"Add an equality between a column of each side to ON or WHERE.")
	Register("SD4006", "order without an end",
		"A stream has no last row, so it cannot be sorted as a whole.",
		"SELECT * FROM t ORDER BY price;",
		"Add LIMIT n: the first n rows are kept up to date.")
	Register("SD4007", "not a part of streamd",
		"The statement belongs to a catalogue, a Java class or a cluster, which streamd does not have.",
		"CREATE CATALOG c WITH ('type' = 'hive');",
		"Remove it. Connectors and functions are part of the streamd binary.")
	Register("SD4010", "operator cannot take updates",
		"The operator waits for time to pass and then decides for good; an input that takes rows back would come too late for it.",
		"SELECT … FROM (SELECT k, COUNT(*) … GROUP BY k) window-joined with another;",
		"Put it before the operator that makes updates, or aggregate by a window there.")
	Register("SD4011", "sink cannot take updates",
		"The query changes rows it has given before, and the table can only be appended to.",
		"INSERT INTO json_files SELECT k, COUNT(*) FROM t GROUP BY k;",
		"Write to a table that takes changes (upsert-kafka with PRIMARY KEY, format debezium-json, print), or aggregate by a window.")
	Register("SD4012", "not a time attribute",
		"Windows follow a time attribute: a column with a WATERMARK or a PROCTIME() column, passed on as it is. GROUP BY, regular joins and arithmetic end it.",
		"SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(plain), INTERVAL '1' MINUTE));",
		"Declare WATERMARK FOR the column in CREATE TABLE, or use window_time of an earlier window.")
	Register("SD4013", "not supported yet",
		"The language has this and streamd understands it, but does not run it yet.",
		"SELECT * FROM t MATCH_RECOGNIZE (…);",
		"Look at the hint for another way to write it.")
}
