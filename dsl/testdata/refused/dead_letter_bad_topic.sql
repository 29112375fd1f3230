-- want: SD5 2:125
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'mq', 'topic' = 'x', 'on-error' = 'dead-letter', 'dead-letter.topic' = 'a;b');
SELECT a FROM t;
