-- want: SD5 2:125
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'mq', 'topic' = 'x', 'on-error' = 'dead-letter', 'dead-letter.topic' = 'out');
CREATE TABLE o (a INT, b STRING) WITH ('connector' = 'kafka', 'topic' = 'out');
INSERT INTO o SELECT a, b FROM t;
