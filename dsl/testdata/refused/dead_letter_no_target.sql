-- want: SD5 2:14
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'mq', 'topic' = 'x', 'late' = 'dead-letter');
SELECT a FROM t;
