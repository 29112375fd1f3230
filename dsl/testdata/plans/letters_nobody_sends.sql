CREATE TABLE t (a INT) WITH ('connector' = 'mq', 'topic' = 'x', 'dead-letter.path' = 'dead');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole', 'dead-letter.path' = 'dead', 'on-error' = 'skip');
INSERT INTO o SELECT a FROM t;
INSERT INTO o SELECT a + 1 FROM t;
