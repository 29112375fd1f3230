package diag

// SD2: names and catalogue.
func init() {
	Register("SD2001", "unknown table or view",
		"The name stands for no table, view or common table expression that is declared before this statement. Names are case-sensitive.",
		"SELECT * FROM ordres;",
		"Correct the name, or declare the table before its first use.")
	Register("SD2002", "table or view exists already",
		"Tables and views share one space of names; each name is declared once.",
		"CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\nCREATE VIEW t AS SELECT 1;",
		"Take another name, DROP the old one first, or write IF NOT EXISTS (tables, views) or OR REPLACE (views).")
	Register("SD2003", "unknown column",
		"No table of this query's FROM has such a column. Names are case-sensitive; aliases of the SELECT list are not visible in WHERE and GROUP BY.",
		"SELECT pric FROM rides;",
		"Correct the name; the hint lists the columns there are.")
	Register("SD2004", "ambiguous column",
		"Several tables of this query's FROM have a column of this name.",
		"SELECT id FROM a JOIN b ON a.id = b.id;",
		"Write the table's name or alias in front: a.id.")
	Register("SD2005", "column is declared twice",
		"A table's columns, and the columns of an INSERT's list, have different names.",
		"CREATE TABLE t (a INT, a STRING) WITH ('connector' = 'blackhole');",
		"Rename or remove one of them. Under LIKE, a column of the other table counts too.")
	Register("SD2006", "unknown function",
		"There is no scalar, aggregate or table function of this name. Case does not matter.",
		"SELECT LENGHT(name) FROM t;",
		"Correct the name; `streamd functions` lists all.")
	Register("SD2007", "another catalogue or database",
		"streamd has one catalogue, default_catalog, with one database, default_database.",
		"USE other;",
		"Remove the qualifier.")
	Register("SD2008", "wrong kind of object",
		"The statement needs a table and got a view, or the other way round.",
		"CREATE VIEW v AS SELECT 1 AS a;\nINSERT INTO v SELECT 2;",
		"Write into a table; drop a view with DROP VIEW, a table with DROP TABLE.")
	Register("SD2009", "primary key refused",
		"streamd checks no primary keys: it takes them as promises about the data, which NOT ENFORCED says. A table has one, over physical columns.",
		"CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH ('connector' = 'print');",
		"Write PRIMARY KEY (a) NOT ENFORCED.")
	Register("SD2010", "two tables of one name in FROM",
		"Each table of a FROM clause has a name of its own.",
		"SELECT * FROM t JOIN t ON t.a = t.b;",
		"Give aliases: FROM t AS x JOIN t AS y.")
	Register("SD2011", "statement of a test that does not fit the pipeline",
		"A NAME_test.sql gives rows to tables that the pipeline reads and looks at its views and at tables that it writes. The clock only goes on, and nothing comes after an error that ended the pipeline.",
		"INPUT surge VALUES ('airport', 3); -- the pipeline only writes surge",
		"Name a table or view that the hint lists. What comes after an EXPECT ERROR goes into a test of its own.")
}
