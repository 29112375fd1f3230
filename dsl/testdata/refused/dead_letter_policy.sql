-- want: SD5 2:88
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'mq', 'topic' = 'x', 'on-error' = 'ignore', 'dead-letter.topic' = 'out');
SELECT a FROM t;
